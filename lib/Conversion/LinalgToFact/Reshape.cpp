//===- Reshape.cpp - Between a tensor's own layout and rows ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::fact;

static RankedTensorType typeOf(ArrayRef<int64_t> shape, Builder &builder) {
  return RankedTensorType::get(shape, builder.getF32Type());
}

/// Groups of a collapse (or expansion) of `shape` that keeps the dimensions
/// with `real` and drops all others, which have extent 1.
static SmallVector<ReassociationIndices> unitGroups(ArrayRef<bool> real) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices pending;
  for (auto [i, isReal] : llvm::enumerate(real)) {
    pending.push_back(i);
    if (isReal)
      groups.push_back(std::exchange(pending, {}));
  }
  if (!groups.empty())
    llvm::append_range(groups.back(), pending);
  return groups;
}

/// Order of the atoms in rows: the token, then features from major to minor.
static SmallVector<int64_t> rowOrder(ArrayRef<Atom> atoms) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, atoms.size()));
  llvm::sort(order, [&](int64_t a, int64_t b) {
    if (atoms[a].isSequence() != atoms[b].isSequence())
      return atoms[a].isSequence();
    return atoms[a].stride > atoms[b].stride; // no two features' are equal
  });
  return order;
}

static SmallVector<int64_t> sizesOf(ArrayRef<Atom> atoms) {
  return llvm::map_to_vector(atoms, [](const Atom &atom) { return atom.size; });
}

OpFoldResult Raiser::extent(const Atom &atom, Location loc) {
  if (!ShapedType::isDynamic(atom.size))
    return builder.getIndexAttr(atom.size);
  auto [tensor, dim] = analysis.sequenceSource(atom.sequence);
  return tensor::DimOp::create(builder, loc, tensor, dim).getResult();
}

OpFoldResult Raiser::extent(ArrayRef<Atom> atoms, Location loc) {
  int64_t fixed = 1;
  Value open;
  for (const Atom &atom : atoms) {
    OpFoldResult size = extent(atom, loc);
    if (std::optional<int64_t> number = getConstantIntValue(size))
      fixed *= *number;
    else
      open = open ? arith::MulIOp::create(builder, loc, open, cast<Value>(size))
                        .getResult()
                  : cast<Value>(size);
  }
  if (!open)
    return builder.getIndexAttr(fixed);
  if (fixed == 1)
    return open;
  Value factor = arith::ConstantIndexOp::create(builder, loc, fixed);
  return arith::MulIOp::create(builder, loc, open, factor).getResult();
}

static Value transposed(OpBuilder &builder, Location loc, Value value,
                        ArrayRef<int64_t> order, ArrayRef<OpFoldResult> sizes) {
  if (llvm::equal(order, llvm::seq<int64_t>(0, order.size())))
    return value;
  SmallVector<OpFoldResult> target;
  for (int64_t dim : order)
    target.push_back(sizes[dim]);
  Value init =
      tensor::EmptyOp::create(builder, loc, target, builder.getF32Type());
  return linalg::TransposeOp::create(builder, loc, value, init, order)
      ->getResult(0);
}

Value Raiser::toRows(Value value, const Layout &layout) {
  Location loc = value.getLoc();
  Atoms atoms;
  SmallVector<bool> real;
  for (const Atoms &dim : layout.dims) {
    if (dim.size() > 1)
      return nullptr; // tokens and features in one dimension
    real.push_back(!dim.empty());
    llvm::append_range(atoms, dim);
  }
  SmallVector<int64_t> order = rowOrder(atoms);
  Atoms sorted;
  for (int64_t i : order)
    sorted.push_back(atoms[i]);
  if (sorted.empty() || !sorted.front().isSequence())
    return nullptr;
  Atoms features = merged(ArrayRef<Atom>(sorted).drop_front());
  if (features.size() > 1 ||
      (!features.empty() && features.front().stride != 1))
    return nullptr;
  // Unit dimensions go first, then everything is moved into order, then the
  // features become one dimension.
  if (!llvm::all_of(real, [](bool r) { return r; })) {
    SmallVector<ReassociationIndices> groups = unitGroups(real);
    value = tensor::CollapseShapeOp::create(
        builder, loc, typeOf(sizesOf(atoms), builder), value, groups);
  }
  if (!llvm::equal(order, llvm::seq<int64_t>(0, order.size()))) {
    SmallVector<OpFoldResult> sizes;
    for (const Atom &atom : atoms)
      sizes.push_back(extent(atom, loc));
    value = transposed(builder, loc, value, order, sizes);
  }
  int64_t width = features.empty() ? 1 : features.front().size;
  auto type = typeOf({sorted.front().size, width}, builder);
  if (sorted.size() == 1) // one feature
    return tensor::ExpandShapeOp::create(
        builder, loc, type, value, ArrayRef<ReassociationIndices>{{0, 1}},
        {extent(sorted.front(), loc), builder.getIndexAttr(1)});
  if (sorted.size() == 2)
    return value;
  auto rest = llvm::to_vector<2>(llvm::seq<int64_t>(1, sorted.size()));
  return tensor::CollapseShapeOp::create(
      builder, loc, type, value, ArrayRef<ReassociationIndices>{{0}, rest});
}

Value Raiser::fromRows(Value rows, Type resultType, const Layout &layout) {
  // As they are, unless the one dimension of features has them in another
  // order.
  if (rows.getType() == resultType && layout.tokenDim() == 0u &&
      layout.dims[1].size() <= 1)
    return rows;
  Location loc = rows.getLoc();
  Atoms atoms;
  for (const Atoms &dim : layout.dims)
    llvm::append_range(atoms, dim);
  SmallVector<int64_t> order = rowOrder(atoms);
  // Rows as one dimension for each atom.
  Atoms sorted;
  SmallVector<OpFoldResult> sizes;
  for (int64_t i : order)
    sorted.push_back(atoms[i]);
  for (const Atom &atom : sorted)
    sizes.push_back(extent(atom, loc));
  Value value = rows;
  auto type = typeOf(sizesOf(sorted), builder);
  if (sorted.size() == 1) {
    value = tensor::CollapseShapeOp::create(
        builder, loc, type, value, ArrayRef<ReassociationIndices>{{0, 1}});
  } else if (sorted.size() > 2) {
    auto rest = llvm::to_vector<2>(llvm::seq<int64_t>(1, sorted.size()));
    value = tensor::ExpandShapeOp::create(
        builder, loc, type, value, ArrayRef<ReassociationIndices>{{0}, rest},
        sizes);
  }
  // Into the tensor's order: position i takes the atom that is i-th there.
  SmallVector<int64_t> inverse(order.size());
  for (auto [position, i] : llvm::enumerate(order))
    inverse[i] = position;
  value = transposed(builder, loc, value, inverse, sizes);
  // Atoms of one dimension together, then the unit dimensions.
  SmallVector<ReassociationIndices> groups;
  SmallVector<int64_t> shape;
  SmallVector<bool> real;
  int64_t next = 0;
  auto tensorType = cast<RankedTensorType>(resultType);
  for (auto [i, dim] : llvm::enumerate(layout.dims)) {
    real.push_back(!dim.empty());
    if (dim.empty())
      continue;
    auto group =
        llvm::to_vector<2>(llvm::seq<int64_t>(next, next + dim.size()));
    next += dim.size();
    groups.push_back(group);
    shape.push_back(tensorType.getDimSize(i));
  }
  if (groups.size() != atoms.size())
    value = tensor::CollapseShapeOp::create(
        builder, loc, typeOf(shape, builder), value, groups);
  if (llvm::all_of(real, [](bool r) { return r; }))
    return value;
  SmallVector<OpFoldResult> target;
  for (auto [i, dim] : llvm::enumerate(layout.dims))
    target.push_back(tensorType.isDynamicDim(i)
                         ? extent(dim, loc)
                         : builder.getIndexAttr(tensorType.getDimSize(i)));
  return tensor::ExpandShapeOp::create(builder, loc, resultType, value,
                                       unitGroups(real), target);
}
