//===- BatchShapes.cpp - Reshapes, and parts of tensors, of one sequence --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BatchSplitter.h"

using namespace mlir;
using namespace mlir::fact;

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

Value BatchSplitter::makeReshape(Operation *op, Value input, const Place &to) {
  RankedTensorType type = reduced(op->getResult(0), to);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return tensor::CollapseShapeOp::create(builder, op->getLoc(), type, input,
                                           collapse.getReassociationIndices());
  auto expand = cast<tensor::ExpandShapeOp>(op);
  SmallVector<ReassociationIndices> groups = expand.getReassociationIndices();
  SmallVector<OpFoldResult> extents;
  for (auto [i, extent] : llvm::enumerate(expand.getMixedOutputShape())) {
    auto dim = static_cast<int64_t>(i);
    if (dim != to.dim) {
      if (auto value = dyn_cast<Value>(extent)) {
        Value made = mapped(op, value);
        if (!made)
          return {};
        extents.push_back(made);
      } else {
        extents.push_back(extent);
      }
      continue;
    }
    if (!ShapedType::isDynamic(to.extent())) {
      extents.push_back(builder.getIndexAttr(to.extent()));
      continue;
    }
    // What the other extents of the group leave.
    for (auto [from, group] : llvm::enumerate(groups))
      if (llvm::is_contained(group, dim)) {
        Value whole = tensor::DimOp::create(builder, op->getLoc(), input,
                                            static_cast<int64_t>(from));
        Count others;
        for (int64_t member : group)
          if (member != dim)
            others = others * countOf(type.getDimSize(member));
        if (others.isOpen) {
          fail(op, "it merges the batch with two open extents");
          return {};
        }
        Value by = arith::ConstantIndexOp::create(builder, op->getLoc(),
                                                  others.factor);
        extents.push_back(others.isOne() ? whole
                                         : arith::DivUIOp::create(
                                               builder, op->getLoc(), whole, by)
                                               .getResult());
      }
  }
  return tensor::ExpandShapeOp::create(builder, op->getLoc(), type, input,
                                       groups, extents);
}

bool BatchSplitter::splitReshape(Operation *op) {
  Place from = *placeOf(op->getOperand(0));
  auto sourceType = cast<RankedTensorType>(op->getOperand(0).getType()),
       resultType = cast<RankedTensorType>(op->getResult(0).getType());
  std::optional<Place> to;
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    to = from.expanded(resultType.getShape(),
                       expand.getReassociationIndices()[from.dim], batch);
  } else {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices()))
      if (llvm::is_contained(group, from.dim))
        to = from.collapsed(sourceType.getShape(), group,
                            static_cast<int64_t>(dim));
  }
  if (!to || (to->outer.isOpen && to->inner.isOpen))
    return fail(op, "its reshape mixes the batch with other extents");
  Value made = makeReshape(op, map.lookup(op->getOperand(0)), *to);
  if (!made)
    return false;
  set(op->getResult(0), made, *to);
  return true;
}

//===----------------------------------------------------------------------===//
// Parts of tensors
//===----------------------------------------------------------------------===//

/// Whether a part takes all of an extent.
static bool isWhole(Value source, int64_t dim, OpFoldResult offset,
                    OpFoldResult size, OpFoldResult stride) {
  int64_t extent = cast<RankedTensorType>(source.getType()).getDimSize(dim);
  auto isExtent = [&]() {
    if (!ShapedType::isDynamic(extent))
      return getConstantIntValue(size) == extent;
    auto value = dyn_cast<Value>(size);
    auto of = value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    return of && of.getSource() == source && of.getConstantIndex() == dim;
  };
  return getConstantIntValue(offset) == 0 && getConstantIntValue(stride) == 1 &&
         isExtent();
}

namespace {
/// The numbers of a part in the new function.
struct Part {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};
} // namespace

/// Those of a slice; the extent of the batch is `extent`. None where one of
/// them is not there.
static std::optional<Part> mapPart(OffsetSizeAndStrideOpInterface slice,
                                   int64_t dim, OpFoldResult extent,
                                   function_ref<Value(Value)> mapped) {
  bool isThere = true;
  auto map = [&](SmallVector<OpFoldResult> numbers) {
    for (OpFoldResult &number : numbers)
      if (auto value = dyn_cast_or_null<Value>(number); value && isThere) {
        Value made = mapped(value);
        isThere = made != nullptr;
        number = made;
      }
    return numbers;
  };
  SmallVector<OpFoldResult> offsets = map(slice.getMixedOffsets());
  // The batch's own size counts the sequences: it is not there.
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  sizes[dim] = OpFoldResult();
  sizes = map(sizes);
  sizes[dim] = extent;
  SmallVector<OpFoldResult> strides = map(slice.getMixedStrides());
  if (!isThere)
    return std::nullopt;
  return Part{offsets, sizes, strides};
}

std::optional<Place> BatchSplitter::placeInSlice(tensor::ExtractSliceOp op,
                                                 Place place) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  if (!isWhole(op.getSource(), place.dim, op.getMixedOffsets()[place.dim],
               op.getMixedSizes()[place.dim],
               op.getMixedStrides()[place.dim]) ||
      dropped[place.dim])
    return std::nullopt;
  Place to = place;
  for (int64_t i = 0; i < place.dim; ++i)
    to.dim -= dropped[i];
  return to;
}

Value BatchSplitter::makeSlice(tensor::ExtractSliceOp op, Value input,
                               const Place &from, const Place &to) {
  OpFoldResult extent =
      ShapedType::isDynamic(from.extent())
          ? OpFoldResult(
                tensor::DimOp::create(builder, op.getLoc(), input, from.dim)
                    .getResult())
          : OpFoldResult(builder.getIndexAttr(from.extent()));
  auto value = [&](Value number) { return mapped(op, number); };
  std::optional<Part> part = mapPart(op, from.dim, extent, value);
  if (!part)
    return {};
  return tensor::ExtractSliceOp::create(
      builder, op.getLoc(), reduced(op.getResult(), to), input, part->offsets,
      part->sizes, part->strides);
}

bool BatchSplitter::splitSlice(tensor::ExtractSliceOp op) {
  Place from = *placeOf(op.getSource());
  std::optional<Place> to = placeInSlice(op, from);
  if (!to)
    return fail(op, "it takes some of the sequences");
  Value made = makeSlice(op, map.lookup(op.getSource()), from, *to);
  if (!made)
    return false;
  set(op.getResult(), made, *to);
  return true;
}

Value BatchSplitter::makeInsert(tensor::InsertSliceOp op, const Place &place) {
  std::optional<Place> from = placeOf(op.getSource()),
                       to = placeOf(op.getDest());
  if (op.getSourceType().getRank() != op.getDestType().getRank()) {
    fail(op, "it writes a part of another rank");
    return {};
  }
  if ((from && to && !(*from == *to)) ||
      !isWhole(op.getDest(), place.dim, op.getMixedOffsets()[place.dim],
               op.getMixedSizes()[place.dim],
               op.getMixedStrides()[place.dim])) {
    fail(op, "it writes some of the sequences");
    return {};
  }
  Value input =
      from ? map.lookup(op.getSource()) : demand(op.getSource(), place);
  if (!input)
    return {};
  auto extent = [&]() -> Value {
    return tensor::DimOp::create(builder, op.getLoc(), input, place.dim);
  };
  Value dest = makeInit(op.getDest(), place, extent);
  if (!dest)
    return {};
  OpFoldResult size = ShapedType::isDynamic(place.extent())
                          ? OpFoldResult(extent())
                          : OpFoldResult(builder.getIndexAttr(place.extent()));
  auto value = [&](Value number) { return mapped(op, number); };
  std::optional<Part> part = mapPart(op, place.dim, size, value);
  if (!part)
    return {};
  return tensor::InsertSliceOp::create(builder, op.getLoc(), input, dest,
                                       part->offsets, part->sizes,
                                       part->strides);
}

bool BatchSplitter::splitInsert(tensor::InsertSliceOp op) {
  std::optional<Place> from = placeOf(op.getSource());
  Place place = from ? *from : *placeOf(op.getDest());
  Value made = makeInsert(op, place);
  if (!made)
    return false;
  set(op.getResult(), made, place);
  return true;
}

bool BatchSplitter::splitPad(tensor::PadOp op) {
  std::optional<Place> place = placeOf(op.getSource());
  if (!place || getConstantIntValue(op.getMixedLowPad()[place->dim]) != 0 ||
      getConstantIntValue(op.getMixedHighPad()[place->dim]) != 0)
    return fail(op, "it adds sequences");
  bool isOpen = llvm::any_of(op->getOperands().drop_front(),
                             [&](Value value) { return !map.contains(value); });
  bool readsOthers = false;
  op.getRegion().walk([&](Operation *inner) {
    for (Value value : inner->getOperands())
      readsOthers |= placeOf(value).has_value();
  });
  if (isOpen || readsOthers)
    return fail(op, "its padding depends on the sequences");
  Operation *made = builder.clone(*op, map);
  made->getResult(0).setType(reduced(op.getResult(), *place));
  set(op.getResult(), made->getResult(0), *place);
  return true;
}
