//===- Fold.cpp - Constants, and tables that positions decide -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Angles of a rotary embedding are computed from constants and the positions of
// the tokens, or kept as a buffer of which a model takes the first rows. Either
// way they are a table, [positions, features], for all positions that there may
// be: docs/numerics.md section 10 folds them operation by operation, each in
// double on its f32 operands and rounded to f32.
//
//===----------------------------------------------------------------------===//

#include "BodyFolder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

/// A constant of which one dimension is the first rows, one for each token.
static std::optional<unsigned> slicedDim(const Contents &contents) {
  std::optional<unsigned> found;
  if (!contents || !contents.node->is(NodeKind::Weight))
    return std::nullopt;
  for (auto [dim, atoms] : llvm::enumerate(contents.layout.dims))
    if (atoms.size() == 1 && atoms.front().isSliced()) {
      if (found)
        return std::nullopt; // of queries and keys
      found = dim;
    }
  return found;
}

/// The loops of an op whose operands are constants and positions; none where
/// they are something else, or several dimensions are tokens.
static std::optional<FoldedLoops>
foldedLoops(linalg::LinalgOp op, int64_t bound, ArrayRef<Value> tensors,
            llvm::function_ref<Contents(Value)> contents,
            llvm::function_ref<std::optional<Atom>(OpFoldResult)> sequenceOf) {
  FoldedLoops loops;
  loops.extents = op.getStaticLoopRanges();
  int64_t rows = std::numeric_limits<int64_t>::max();
  bool hasConstant = false;
  auto takeToken = [&](unsigned loop, const Atom &atom) {
    if (loops.token &&
        (*loops.token != loop || loops.sequence.sequence != atom.sequence))
      return false;
    loops.token = loop;
    loops.sequence = atom;
    return true;
  };
  for (Value tensor : tensors) {
    Contents input = contents(tensor);
    if (!input)
      return std::nullopt;
    Node *node = input.node;
    bool isTable = node->is(NodeKind::PositionTable);
    if (!isTable && !node->is(NodeKind::Weight) &&
        !node->is(NodeKind::Scalar) && !isPosition(node))
      return std::nullopt;
    hasConstant |= isTable || node->is(NodeKind::Weight);
    if (isTable)
      rows = std::min<int64_t>(rows, node->rowOffsets.size());
    for (const Atoms &atoms : input.layout.dims)
      if (atoms.size() == 1 && atoms.front().isSliced())
        rows = std::min(rows, atoms.front().size);
  }
  // Or indices of a tensor whose extents are all known.
  if (!hasConstant &&
      (!tensors.empty() ||
       !cast<RankedTensorType>(op->getResult(0).getType()).hasStaticShape()))
    return std::nullopt;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Contents input = contents(operand->get());
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim && !isa<AffineConstantExpr>(expr))
        return std::nullopt;
      if (input.layout.dims.empty())
        continue;
      const Atoms &atoms = input.layout.dims[i];
      if (dim && atoms.size() == 1 && atoms.front().sequence >= 0 &&
          !takeToken(dim.getPosition(), atoms.front()))
        return std::nullopt;
    }
  }
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap written = op.getMatchingIndexingMap(init);
  Value into = init->get();
  if (auto fill = into.getDefiningOp<linalg::FillOp>())
    into = fill.getOutputs().front();
  auto made = into.getDefiningOp<tensor::EmptyOp>();
  for (auto [i, expr] : llvm::enumerate(written.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return std::nullopt;
    loops.order.push_back(dim.getPosition());
    std::optional<Atom> atom =
        made ? sequenceOf(made.getMixedSizes()[i]) : std::nullopt;
    if (atom && !takeToken(dim.getPosition(), *atom))
      return std::nullopt;
  }
  for (auto [i, extent] : llvm::enumerate(loops.extents)) {
    if (loops.token && i == *loops.token) {
      int64_t longest = ShapedType::isDynamic(extent) ? bound : extent;
      loops.positions = longest > 0 ? std::min(longest, rows) : rows;
      if (loops.positions == std::numeric_limits<int64_t>::max())
        return std::nullopt;
      extent = loops.positions;
    }
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
    // Others than those of the result have one step.
    if (!llvm::is_contained(loops.order, i) && extent != 1)
      return std::nullopt;
    if (extent > mostFolded / loops.count)
      return std::nullopt;
    loops.count *= extent;
  }
  return loops;
}

bool Analysis::foldConstants(linalg::LinalgOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !op.getBlock() ||
      !(type.getElementType().isF32() ||
        type.getElementType().isSignlessInteger()))
    return false;
  bool isProduct = linalg::isaContractionOpInterface(op);
  if (!isProduct && (op.getNumReductionLoops() > 0 ||
                     !op.getRegionOutputArgs().front().use_empty()))
    return false;
  // What is moved about only stays as it is, unless it is repeated.
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  SmallVector<Value> tensors(op.getDpsInputs());
  if (op.getNumDpsInputs() == 1 && yielded == op.getBlock()->getArgument(0)) {
    Contents input = contents(tensors.front());
    if (!input || !input.node->is(NodeKind::Weight))
      return false;
  }
  if (!isProduct)
    op->walk([&](tensor::ExtractOp extract) {
      tensors.push_back(extract.getTensor());
    });
  auto lookup = [&](Value value) { return contents(value); };
  std::optional<FoldedLoops> loops =
      foldedLoops(op, bound, tensors, lookup,
                  [&](OpFoldResult size) { return sequenceOf(size); });
  if (!loops)
    return false;
  // Along its own length a constant may be a mask's: of keys.
  if (loops->token) {
    if (!type.getElementType().isF32())
      return false;
    loops->sequence = {Axis::Token, op.getStaticLoopRanges()[*loops->token], 1,
                       loops->sequence.sequence};
    for (auto [i, extent] : llvm::enumerate(loops->extents))
      if (i != *loops->token && extent > 1 && extent == loops->sequence.size)
        return false;
  }
  auto numbers = [&](Value tensor) {
    return numbersIn(contents(tensor), loops->positions);
  };
  BodyFolder folder(op, *loops, numbers);
  std::vector<float> elements = folder.run();
  if (elements.empty())
    return false;
  SmallVector<int64_t> shape;
  for (unsigned loop : loops->order)
    shape.push_back(loops->token == loop ? loops->positions
                                         : loops->extents[loop]);
  ElementsAttr like = DenseElementsAttr::get(
      RankedTensorType::get({1}, Float32Type::get(op->getContext())), 0.0f);
  for (Value tensor : tensors)
    if (Contents input = contents(tensor); input.node->data)
      like = input.node->data;
  setFolded(op->getResult(0), pool.numbers(like, shape, elements), shape,
            loops->token ? std::optional<unsigned>(
                               llvm::find(loops->order, *loops->token) -
                               loops->order.begin())
                         : std::nullopt,
            loops->sequence);
  return true;
}

void Analysis::setFolded(Value result, ElementsAttr data,
                         ArrayRef<int64_t> shape,
                         std::optional<unsigned> tokenDim, Atom sequence) {
  Layout layout = dataLayout(shape);
  if (!tokenDim) {
    if (data.getNumElements() == 1)
      set(result, pool.scalar((*ConstantData::get(data))[0]), {});
    else
      set(result, pool.weight(data, {}, Offsets::upTo(data.getNumElements())),
          std::move(layout));
    return;
  }
  int64_t stride = llvm::product_of(shape.drop_front(*tokenDim + 1));
  layout.dims[*tokenDim] = {
      {Axis::Data, shape[*tokenDim], stride, sequence.sequence}};
  Contents table = tableOf(
      {pool.weight(data, {}, Offsets::upTo(data.getNumElements())), layout},
      sequence);
  set(result, table.node, std::move(table.layout));
}

Contents Analysis::tableOf(const Contents &constant, const Atom &sequence) {
  std::optional<unsigned> tokenDim = slicedDim(constant);
  if (!tokenDim)
    return {};
  const Layout &from = constant.layout;
  Layout layout;
  SmallVector<SmallVector<int64_t>> offsets;
  SmallVector<int64_t> extents;
  SmallVector<Atoms> like;
  for (auto [dim, atoms] : llvm::enumerate(from.dims)) {
    bool isToken = dim == *tokenDim;
    like.push_back(
        isToken ? Atoms{{Axis::Token, sequence.size, 1, sequence.sequence}}
                : Atoms());
    offsets.push_back(isToken ? SmallVector<int64_t>() : offsetsOf(atoms));
    extents.push_back(isToken ? 1 : offsets.back().size());
  }
  layout = renumbered(like, extents);
  SmallVector<int64_t> columns = offsetsBy(layout, offsets);
  for (int64_t &column : columns)
    column += from.offset;
  const Atom &rows = from.dims[*tokenDim].front();
  Atom unmarked{Axis::Data, rows.size, rows.stride};
  Node *node = pool.positionTable(constant.node->data, offsetsOf(unmarked),
                                  columns, sequence.sequence);
  return {node, std::move(layout)};
}

bool Analysis::foldInsert(tensor::InsertSliceOp op,
                          ArrayRef<tensor::InsertSliceOp> pieces) {
  RankedTensorType type = op.getDestType();
  if (pieces.empty() || !type.hasStaticShape() ||
      type.getNumElements() > mostFolded)
    return false;
  std::vector<float> elements(type.getNumElements());
  int64_t filled = 0;
  ElementsAttr like;
  Layout whole = dataLayout(type.getShape());
  for (tensor::InsertSliceOp piece : pieces) {
    Contents source = contents(piece.getSource());
    if (!source || !source.node->is(NodeKind::Weight) || slicedDim(source) ||
        piece.getSourceType().getRank() != type.getRank())
      return false;
    like = source.node->data;
    ConstantData data = *ConstantData::get(like);
    Layout to = whole;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      std::optional<int64_t> offset =
          getConstantIntValue(piece.getMixedOffsets()[dim]);
      std::optional<int64_t> stride =
          getConstantIntValue(piece.getMixedStrides()[dim]);
      std::optional<Layout> part;
      if (offset && stride)
        part = to.sliced(dim, *offset, piece.getSourceType().getDimSize(dim),
                         *stride);
      if (!part)
        return false;
      to = std::move(*part);
    }
    SmallVector<Atom> fromAtoms, toAtoms;
    for (const Atoms &atoms : source.layout.dims)
      llvm::append_range(fromAtoms, atoms);
    for (const Atoms &atoms : to.dims)
      llvm::append_range(toAtoms, atoms);
    for (auto [into, from] :
         llvm::zip_equal(offsetsOf(toAtoms, to.offset),
                         offsetsOf(fromAtoms, source.layout.offset)))
      elements[into] = data[from], ++filled;
  }
  if (filled != type.getNumElements())
    return false;
  setFolded(op.getResult(), pool.numbers(like, type.getShape(), elements),
            type.getShape(), std::nullopt, {});
  return true;
}

/// Whether all that is read of a body's element are products with it.
static bool isFactorOnly(BlockArgument element) {
  return llvm::all_of(element.getUsers(), llvm::IsaPred<arith::MulFOp>);
}

Node *Analysis::positionOperand(linalg::LinalgOp op, OpOperand *operand,
                                ArrayRef<Atoms> loops) {
  Contents input = contents(operand->get());
  bool isTable = input.node->is(NodeKind::PositionTable);
  // What is added to rows, an embedding of positions, is no part of a layer.
  if (!isTable && !isFactorOnly(op.getMatchingBlockArgument(operand)))
    return nullptr;
  AffineMap map = op.getMatchingIndexingMap(operand);
  FeatureElements elements(loops);
  std::optional<Atom> rows, token;
  for (auto [expr, atoms] :
       llvm::zip_equal(map.getResults(), input.layout.dims)) {
    if (atoms.empty())
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    const Atoms &loop = dim ? loops[dim.getPosition()] : Atoms();
    if (isAxis(loop, Axis::Token)) {
      bool isRow = atoms.size() == 1 &&
                   (atoms.front().sequence == loop.front().sequence ||
                    (atoms.front().axis == Axis::Data &&
                     atoms.front().size == loop.front().size));
      if (!isRow || rows)
        return nullptr;
      rows = atoms.front();
      token = loop.front();
      continue;
    }
    bool isOfTokens = llvm::any_of(
        atoms, [](const Atom &atom) { return atom.sequence >= 0; });
    if (!dim || isOfTokens || !elements.read(dim.getPosition(), atoms))
      return nullptr;
  }
  auto byColumn = elements.byFeature(input.layout.offset);
  if (!rows || !byColumn)
    return nullptr;
  if (isTable)
    return pool.columns(input.node, *byColumn);
  Atom unmarked{Axis::Data, rows->size, rows->stride};
  return pool.positionTable(input.node->data, offsetsOf(unmarked), *byColumn,
                            token->sequence);
}
