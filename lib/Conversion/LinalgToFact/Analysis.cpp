//===- Analysis.cpp - What each tensor of a function holds ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
#include "ConstantData.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Sequence.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::fact;

Analysis::Analysis(func::FuncOp function) {
  Block &block = function.getBody().front();
  pool.setSource(nullptr, &block.front());
  for (BlockArgument argument : block.getArguments()) {
    // Open extents of arguments with a bound are the one sequence's.
    auto length = function.getArgAttrOfType<IntegerAttr>(
        argument.getArgNumber(), kBoundAttrName);
    if (length)
      bound = length.getInt();
    makeLeaf(argument, length ? openSequence : -1);
    if (Contents leaf = contents(argument); length && leaf)
      openSequence = leaf.node->sequence;
  }
  for (Operation &op : block)
    visit(&op);
}

bool Analysis::missed(Operation *op, const Twine &reason,
                      const Twine &suggestion) {
  // What has no contents because its own op was missed has its reason there.
  bool follows = llvm::any_of(op->getOperands(), [&](Value operand) {
    Operation *def = operand.getDefiningOp();
    return def && !contents(operand) &&
           (misses.contains(def) || consequences.contains(def));
  });
  if (follows)
    consequences.insert(op);
  else
    misses.try_emplace(op, Miss{reason.str(), suggestion.str()});
  return false;
}

void Analysis::set(Value value, Node *node, Layout layout) {
  tensors[value] = {node, layout};
  if (!node->value) {
    node->value = value;
    node->layout = std::move(layout);
  }
}

int Analysis::newSequence(Value value, unsigned dim) {
  int64_t size = cast<RankedTensorType>(value.getType()).getDimSize(dim);
  int next = sequences.size();
  if (!ShapedType::isDynamic(size)) {
    auto [it, isNew] = staticSequences.try_emplace(size, next);
    if (!isNew)
      return it->second;
  }
  sequences.push_back({value, dim});
  return next;
}

/// Whether what is made of a tensor by shape and element by element is a factor
/// of a product that `isWanted`.
static bool
reachesProduct(Value value,
               llvm::function_ref<bool(linalg::LinalgOp product)> isWanted,
               unsigned depth = 0) {
  constexpr unsigned most = 16; // a norm, a scale, transposes, reshapes
  return depth <= most && llvm::any_of(value.getUsers(), [&](Operation *user) {
           auto op = dyn_cast<linalg::LinalgOp>(user);
           if (op && linalg::isaContractionOpInterface(op))
             return isWanted(op);
           bool keeps =
               isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(user) ||
               (op && op.getNumReductionLoops() == 0);
           return keeps && user->getNumResults() == 1 &&
                  reachesProduct(user->getResult(0), isWanted, depth + 1);
         });
}

static bool hasConstantFactor(linalg::LinalgOp product) {
  return llvm::any_of(product.getDpsInputs(), [](Value factor) {
    return matchPattern(factor, m_Constant());
  });
}

/// Queries, keys or values, already split into heads.
static bool isMultipliedByHead(Value value) {
  return reachesProduct(value, [](linalg::LinalgOp product) {
    FailureOr<linalg::ContractionDimensions> dims =
        linalg::inferContractionDims(product);
    return succeeded(dims) && !dims->batch.empty() &&
           !hasConstantFactor(product);
  });
}

/// Whether all that reads a tensor [1, .., features, tokens] makes rows of it,
/// at once or after changing its elements: what convolutions leave. Of a
/// function's argument these must be rows of a linear layer, or it may be keys
/// [1, tokens, features].
static bool isTransposedOnly(Value value, unsigned depth = 0) {
  constexpr unsigned most = 8; // an activation has about as many ops
  auto type = cast<RankedTensorType>(value.getType());
  int64_t rank = type.getRank();
  if (rank < 3 || value.use_empty() || depth > most ||
      llvm::any_of(type.getShape().drop_back(2),
                   [](int64_t extent) { return extent != 1; }) ||
      (isa<BlockArgument>(value) && !reachesProduct(value, hasConstantFactor)))
    return false;
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (auto transpose = dyn_cast<linalg::TransposeOp>(user))
      return transpose.getInput() == value &&
             transpose.getPermutation()[rank - 1] == rank - 2;
    auto elements = dyn_cast<linalg::GenericOp>(user);
    return elements && elements.getNumReductionLoops() == 0 &&
           elements->getNumResults() == 1 &&
           elements->getResult(0).getType() == type &&
           isTransposedOnly(elements->getResult(0), depth + 1);
  });
}

void Analysis::makeLeaf(Value value, int sequence) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return;
  bool isFloat = type.getElementType().isF32();
  if (isFloat ? type.getRank() < 2 : !type.getElementType().isSignlessInteger())
    return;
  // The sequence is the open dimension or, in static shapes, the last but one;
  // of what holds no rows the last one.
  int64_t rank = type.getRank(), token = isFloat ? sequenceDim(type) : rank - 1;
  if (type.getNumDynamicDims() > 1)
    return;
  bool isTransposed = isFloat && isTransposedOnly(value);
  if (isTransposed)
    token = rank - 1;
  bool isHeads = isFloat && rank == 4 && isa<BlockArgument>(value) &&
                 isMultipliedByHead(value);
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      token = i;
  // An op that fills an empty tensor says of what sequence that has rows.
  if (auto op = value.getDefiningOp<linalg::LinalgOp>())
    if (auto made = op.getDpsInits().front().getDefiningOp<tensor::EmptyOp>();
        made && op->getNumResults() == 1 &&
        made.getType().getRank() == type.getRank())
      if (std::optional<Atom> atom = sequenceOf(made.getMixedSizes()[token]))
        sequence = atom->sequence;
  if (sequence < 0)
    sequence = newSequence(value, token);
  Layout layout;
  layout.dims.resize(type.getRank());
  layout.dims[token] = {{Axis::Token, type.getDimSize(token), 1, sequence}};
  int64_t width = 1;
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    if (i == token)
      continue;
    int64_t size = type.getDimSize(i);
    if (i < token && size != 1 && !(isTransposed && i == rank - 2) &&
        !(isHeads && i == 1))
      return; // a batch
    layout.dims[i] = merged(Atom{Axis::Feature, size, width});
    width *= size;
  }
  if (width < 1)
    return;
  // Numbers of tokens are no rows.
  if (width == 1 && (token == rank - 1 || !isFloat))
    width = 0;
  if (!isFloat && width != 0)
    return;
  set(value, pool.leaf(value, width, sequence), std::move(layout));
}

void Analysis::visit(Operation *op) {
  pool.setSource(op, op->getNextNode());
  bool known = false;
  if (isa<arith::ConstantOp>(op)) {
    visitConstant(op);
    return;
  }
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    known = visitReshape(op);
  else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    known = visitSlice(slice);
  else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    known = visitInsert(insert);
  else if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
    known = visitSoftmax(softmax);
  else if (auto fill = dyn_cast<linalg::FillOp>(op))
    known = visitFill(fill);
  else if (auto number = dyn_cast<tensor::FromElementsOp>(op))
    known = visitLength(number);
  else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    if (linalgOp.hasPureTensorSemantics() && linalgOp.getNumDpsInits() == 1)
      known = linalg::isaContractionOpInterface(linalgOp)
                  ? visitContraction(linalgOp)
                  : visitElementwise(linalgOp);
  }
  if (known)
    return;
  // Ops of the fact dialect, and whatever works token by token, keep the
  // sequence of their first operand.
  int sequence = -1;
  bool sameTokens = op->getName().getDialectNamespace() == "fact";
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    sameTokens = linalgOp.getNumLoops() == linalgOp.getNumParallelLoops();
  if (sameTokens)
    for (Value operand : op->getOperands())
      if (Contents input = contents(operand); input && sequence < 0)
        sequence = input.node->sequence;
  for (Value result : op->getResults())
    makeLeaf(result, sequence);
}

void Analysis::visitConstant(Operation *op) {
  Attribute attr = cast<arith::ConstantOp>(op).getValue();
  std::optional<ConstantData> data = ConstantData::get(attr);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!data || !type || data->size() == 0)
    return;
  Value value = op->getResult(0);
  if (type.getNumElements() == 1) {
    set(value, pool.scalar((*data)[0]), {});
    return;
  }
  set(value,
      pool.weight(cast<ElementsAttr>(attr), {}, Offsets::upTo(data->size())),
      dataLayout(type.getShape()));
}

bool Analysis::visitFill(linalg::FillOp op) {
  DenseMap<Value, Node *> elements;
  auto linalgOp = cast<linalg::LinalgOp>(op.getOperation());
  if (op->getNumResults() != 1)
    return false;
  if (Node *node = evaluate(op.value(), linalgOp, {}, elements)) {
    set(op->getResult(0), node, {});
    return true;
  }
  return false;
}

/// A number that is a length: the sum of 1 for each token.
bool Analysis::visitLength(tensor::FromElementsOp op) {
  if (op.getType().getNumElements() != 1)
    return false;
  auto number = op.getElements().front().getDefiningOp<arith::IndexCastOp>();
  std::optional<Atom> sequence =
      number ? sequenceOf(OpFoldResult(number.getIn())) : std::nullopt;
  if (!sequence)
    return false;
  Node *index = pool.index(Axis::Token, sequence->sequence);
  set(op.getResult(),
      pool.tokenSum(pool.condition(NodeKind::Equal, index, index)), {});
  return true;
}

//===----------------------------------------------------------------------===//
// Shape-only ops
//===----------------------------------------------------------------------===//

bool Analysis::visitReshape(Operation *op) {
  Contents input = contents(op->getOperand(0));
  if (!input)
    return false;
  Value result = op->getResult(0);
  if (input.node->is(NodeKind::Scalar)) {
    set(result, input.node, {});
    return true;
  }
  std::optional<Layout> layout;
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    layout = input.layout.collapsed(collapse.getReassociationIndices());
  else
    layout = input.layout.expanded(
        cast<tensor::ExpandShapeOp>(op).getReassociationIndices(),
        cast<RankedTensorType>(result.getType()).getShape());
  if (!layout)
    return missed(op, "the reshape divides a dimension unevenly",
                  "reshape features into heads, and tokens not at all");
  set(result, input.node, *layout);
  return true;
}

StringAttr mlir::fact::nodeName(Operation *op) {
  auto name = op ? op->getLoc()->findInstanceOf<NameLoc>() : NameLoc();
  return name ? name.getName() : StringAttr();
}

std::string mlir::fact::bracketedNode(Operation *op) {
  StringAttr name = nodeName(op);
  return name ? " ('" + name.str() + "')" : std::string();
}

std::optional<int64_t> mlir::fact::dimensionOf(tensor::DimOp op) {
  std::optional<int64_t> index = op.getConstantIndex();
  auto type = dyn_cast<RankedTensorType>(op.getSource().getType());
  if (!index || !type || *index < 0 || *index >= type.getRank())
    return std::nullopt;
  return index;
}

/// The value is the length of the sequence that `atom` stands for.
static bool isWhole(OpFoldResult size, const Atom &atom,
                    llvm::function_ref<Contents(Value)> contents) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return *constant == atom.size;
  auto dim = cast<Value>(size).getDefiningOp<tensor::DimOp>();
  std::optional<int64_t> index = dim ? dimensionOf(dim) : std::nullopt;
  if (!index)
    return false;
  Contents source = contents(dim.getSource());
  return source && !source.layout.dims.empty() &&
         source.layout.dims[*index] == Atoms{atom};
}

std::optional<Atom> Analysis::sequenceOf(OpFoldResult size) {
  auto value = dyn_cast<Value>(size);
  auto dim = value ? value.getDefiningOp<tensor::DimOp>() : nullptr;
  std::optional<int64_t> index = dim ? dimensionOf(dim) : std::nullopt;
  Contents source = index ? contents(dim.getSource()) : Contents();
  if (!source || source.layout.dims.empty())
    return std::nullopt;
  const Atoms &atoms = source.layout.dims[*index];
  if (atoms.size() != 1 || !atoms.front().isSequence())
    return std::nullopt;
  return atoms.front();
}

bool Analysis::visitSlice(tensor::ExtractSliceOp op) {
  Contents input = contents(op.getSource());
  if (!input)
    return false;
  if (input.node->is(NodeKind::Scalar)) {
    set(op.getResult(), input.node, {});
    return true;
  }
  Layout layout = input.layout;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  std::optional<std::pair<int64_t, int>> tokens; ///< the first, the sequence
  auto lookup = [&](Value value) { return contents(value); };
  for (unsigned dim = 0; dim < layout.dims.size(); ++dim) {
    std::optional<int64_t> offset =
        getConstantIntValue(op.getMixedOffsets()[dim]);
    std::optional<int64_t> stride =
        getConstantIntValue(op.getMixedStrides()[dim]);
    OpFoldResult size = op.getMixedSizes()[dim];
    Atoms &atoms = layout.dims[dim];
    std::optional<int64_t> extent = getConstantIntValue(size);
    if (atoms.size() == 1 && atoms.front().isSequence()) {
      if (offset == 0 && stride == 1 && isWhole(size, atoms.front(), lookup))
        continue;
      bool areTokens = input.node->isRows() && offset && stride == 1 &&
                       extent && !dropped[dim] &&
                       !ShapedType::isDynamic(atoms.front().size);
      missed(op, "the slice takes a part of the sequence",
             "end the subgraph before it ('--to')");
      if (!areTokens)
        return false;
      // They are followed nevertheless: they may come together again.
      unsigned kept = dim;
      for (unsigned before = 0; before < dim; ++before)
        kept -= dropped[before];
      tokens = {*offset, newSequence(op.getResult(), kept)};
      atoms.front().size = *extent;
      atoms.front().sequence = tokens->second;
      continue;
    }
    // The first elements of a constant, one for each token.
    if (!extent && offset == 0 && stride == 1 && atoms.size() <= 1 &&
        input.node->is(NodeKind::Weight))
      if (std::optional<Atom> sequence = sequenceOf(size)) {
        if (atoms.empty()) // there is one
          atoms.push_back({Axis::Data, 1, 0});
        atoms.front().sequence = sequence->sequence;
        continue;
      }
    if (!offset || !stride || !extent)
      return missed(op, "offset, size or stride of the slice is not constant",
                    "slice features at constant offsets");
    std::optional<Layout> sliced =
        layout.sliced(dim, *offset, *extent, *stride);
    if (!sliced)
      return missed(op,
                    "the slice reaches beyond its source, or divides a "
                    "dimension unevenly",
                    "slice features at constant offsets");
    layout = std::move(*sliced);
  }
  Layout result;
  result.offset = layout.offset;
  for (unsigned dim = 0; dim < layout.dims.size(); ++dim)
    if (!dropped[dim])
      result.dims.push_back(layout.dims[dim]);
  if (!input.node->isRows()) {
    if (!input.node->is(NodeKind::Weight))
      return missed(op, "the slice takes a part of the scores",
                    "end the subgraph before it ('--to')");
    set(op.getResult(), input.node, result);
    return true;
  }
  // The chosen columns become rows of their own, in the order that they have.
  SmallVector<Atom *> features;
  for (Atoms &atoms : result.dims)
    for (Atom &atom : atoms)
      if (atom.axis == Axis::Feature)
        features.push_back(&atom);
  llvm::sort(features, [](Atom *a, Atom *b) { return a->stride > b->stride; });
  Atoms sorted;
  for (Atom *atom : features)
    sorted.push_back(*atom);
  SmallVector<int64_t> columns = offsetsOf(sorted, result.offset);
  int64_t stride = 1;
  for (Atom *atom : llvm::reverse(features)) {
    atom->stride = stride;
    stride *= atom->size;
  }
  result.offset = 0;
  Node *node = input.node;
  if (!llvm::equal(columns, llvm::seq<int64_t>(0, node->width)))
    node = pool.columns(node, columns);
  for (Atoms &atoms : result.dims)
    atoms = merged(atoms);
  if (tokens)
    node = pool.tokens(node, tokens->first, tokens->second);
  set(op.getResult(), node, std::move(result));
  return true;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

bool Analysis::readAsKeys(Value scores, unsigned dim) {
  Contents input = contents(scores);
  if (!input || input.node->heads == 0 || input.layout.dims.empty() ||
      input.layout.dims[dim].size() != 1 ||
      input.layout.dims[dim].front().axis != Axis::Token)
    return false;
  Node *exchanged = pool.exchanged(input.node);
  if (!exchanged)
    return false;
  for (Atoms &dim : input.layout.dims)
    for (Atom &atom : dim)
      if (atom.isSequence())
        atom.axis = atom.axis == Axis::Key ? Axis::Token : Axis::Key;
  tensors[scores] = {exchanged, std::move(input.layout)};
  return true;
}

bool Analysis::visitSoftmax(linalg::SoftmaxOp op) {
  Contents input = contents(op.getInput());
  if (!input || op->getNumResults() != 1 || input.node->heads == 0)
    return missed(
        op, "the softmax is not over products of queries and keys",
        "only softmax(q k^T) v is raised: end the subgraph before it ('--to')");
  if (readAsKeys(op.getInput(), op.getDimension()))
    input = contents(op.getInput());
  Atoms atoms = input.layout.dims[op.getDimension()];
  if (atoms.size() != 1 || atoms.front().axis != Axis::Key)
    return missed(op,
                  "the softmax is not over the keys but over dimension " +
                      Twine(op.getDimension()),
                  "take it over the last dimension of q k^T");
  set(op->getResult(0), pool.softmax(input.node), input.layout);
  return true;
}
