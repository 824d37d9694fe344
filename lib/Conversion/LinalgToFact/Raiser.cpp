//===- Raiser.cpp - Builds fact ops for what the matchers recognise -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raiser.h"
#include "ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace mlir::fact;

const Miss *Raiser::miss(Operation *op) const {
  auto it = misses.find(op);
  return it != misses.end() ? &it->second : analysis.miss(op);
}

void Raiser::insertAt(Node *node, ValueRange rows) {
  builder.setInsertionPoint(node->before);
  for (Value value : rows)
    if (Operation *def = value.getDefiningOp())
      if (!def->isBeforeInBlock(&*builder.getInsertionPoint()))
        builder.setInsertionPointAfter(def);
}

Location Raiser::location(Node *node) {
  return node->op ? node->op->getLoc() : function.getLoc();
}

namespace {

/// Says of each op whether tokens that are padding would change anything but
/// their own rows. All that is not known not to is taken to do so.
class PaddingReaders {
public:
  /// `hiding`: softmaxes, and what is weighted by them, that hide the padding.
  PaddingReaders(const Analysis &analysis, const DenseSet<Node *> &hiding)
      : analysis(analysis), hiding(hiding) {}

  bool seesPadding(Operation &op) {
    if (auto reshape = dyn_cast<tensor::ExpandShapeOp>(op);
        reshape && mixesTokens(op, reshape.getReassociationIndices(),
                               reshape.getResultType()))
      return true;
    if (auto reshape = dyn_cast<tensor::CollapseShapeOp>(op);
        reshape && mixesTokens(op, reshape.getReassociationIndices(),
                               reshape.getSrcType()))
      return true;
    if (isa<arith::ConstantOp, tensor::DimOp, tensor::EmptyOp,
            tensor::ExpandShapeOp, tensor::CollapseShapeOp, linalg::FillOp>(
            op) ||
        op.hasTrait<OpTrait::IsTerminator>())
      return llvm::any_of(op.getOperands(), [](Value operand) {
        // The length itself.
        return operand.getType().isInteger(64) &&
               isa<IntegerType>(operand.getType());
      });
    // Lengths of tensors, for other tensors' extents.
    if (isa<arith::AddIOp, arith::MulIOp, arith::SubIOp>(op))
      return !op.getResult(0).getType().isIndex();
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      return takesLastTokens(slice);
    // Features beside those of the same tokens.
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
      Contents source = analysis.contents(insert.getSource()),
               result = analysis.contents(insert.getResult());
      return !source || !result || !source.node->isRows() ||
             source.node->sequence != result.node->sequence;
    }
    if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op)) {
      Contents result = analysis.contents(softmax->getResult(0));
      return !(result && hiding.contains(result.node)) &&
             softmax.getInputOperandType().isDynamicDim(softmax.getDimension());
    }
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return readsOthers(linalgOp);
    return true;
  }

private:
  /// Whether elements of a token may go to other ones: where an open extent is
  /// put together with others, or taken apart, and it is not known which of
  /// them are the tokens.
  bool mixesTokens(Operation &op, ArrayRef<ReassociationIndices> groups,
                   RankedTensorType apart) {
    Contents before = analysis.contents(op.getOperand(0)),
             after = analysis.contents(op.getResult(0));
    if (before && before.node == after.node)
      return false;
    return llvm::any_of(groups, [&](const ReassociationIndices &group) {
      int64_t more = llvm::count_if(
          group, [&](int64_t dim) { return apart.getDimSize(dim) != 1; });
      return more > 1 && llvm::any_of(group, [&](int64_t dim) {
               return apart.isDynamicDim(dim);
             });
    });
  }

  /// Whether a slice takes tokens by their distance from the end.
  bool takesLastTokens(tensor::ExtractSliceOp op) {
    for (auto [i, offset] : llvm::enumerate(op.getMixedOffsets()))
      if (op.getSourceType().isDynamicDim(i) &&
          getConstantIntValue(offset) != 0)
        return true;
    return llvm::any_of(op.getMixedStrides(), [](OpFoldResult stride) {
      return getConstantIntValue(stride) != 1;
    });
  }

  bool readsOthers(linalg::LinalgOp op) {
    if (op->getNumResults() != 1)
      return true;
    Contents result = analysis.contents(op->getResult(0));
    Node *node = result ? result.node : nullptr;
    if (node && hiding.contains(node))
      return false;
    if (readsFromOutside(op))
      return true;
    // A number of all tokens is for masks.
    for (Value operand : op->getOperands())
      if (Contents input = analysis.contents(operand);
          input && holdsTokenSum(input.node) && !(node && node->width == 0))
        return true;
    bool reduces = false;
    for (auto [extent, type] :
         llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
      reduces |= ShapedType::isDynamic(extent) &&
                 type == utils::IteratorType::reduction;
    if (!reduces)
      return false;
    if (node && node->is(NodeKind::TokenSum))
      return false; // see above
    // Parts of a softmax in steps go back to the keys.
    bool isPart =
        node && (node->is(NodeKind::KeySum) || node->is(NodeKind::KeyMax));
    return !isPart || llvm::any_of(op->getUsers(), [&](Operation *user) {
      return !goesToPairs(user);
    });
  }

  /// Whether all that is made of an op's result depends on a key again.
  bool goesToPairs(Operation *op) {
    if (op->getNumResults() != 1)
      return false;
    Contents result = analysis.contents(op->getResult(0));
    if (!result)
      return false;
    if (result.node->pair)
      return true;
    return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) &&
           llvm::all_of(op->getUsers(),
                        [&](Operation *user) { return goesToPairs(user); });
  }

  /// Whether a body reads what is no element: other tensors, a length.
  bool readsFromOutside(linalg::LinalgOp op) {
    bool found = false;
    op->walk([&](Operation *inner) {
      if (inner == op.getOperation())
        return;
      for (Value operand : inner->getOperands()) {
        Operation *maker = operand.getDefiningOp();
        bool isInside =
            maker ? op->isProperAncestor(maker)
                  : cast<BlockArgument>(operand).getOwner() == op.getBlock();
        bool isConstant = isa_and_nonnull<arith::ConstantOp>(maker);
        // Rows of a table, whatever index a token has.
        found |= !isInside && !isConstant &&
                 !(isa<tensor::ExtractOp>(inner) && isIndexOf(operand, op));
      }
    });
    return found;
  }

  /// A tensor of numbers for each token that is read at that token.
  static bool isIndexOf(Value tensor, linalg::LinalgOp op) {
    auto type = dyn_cast<RankedTensorType>(tensor.getType());
    if (!type || !type.getElementType().isInteger())
      return false;
    bool own = true;
    op->walk([&](tensor::ExtractOp extract) {
      if (extract.getTensor() == tensor)
        for (Value index : extract.getIndices())
          own &= isa_and_nonnull<linalg::IndexOp>(index.getDefiningOp());
    });
    return own;
  }

  bool holdsTokenSum(Node *node) {
    if (node->is(NodeKind::Context) || node->is(NodeKind::Leaf))
      return false;
    auto [it, isNew] = sums.try_emplace(node, node->is(NodeKind::TokenSum));
    if (!isNew || it->second)
      return it->second;
    bool holds = llvm::any_of(
        node->operands, [&](Node *operand) { return holdsTokenSum(operand); });
    return sums[node] = holds;
  }

  const Analysis &analysis;
  const DenseSet<Node *> &hiding;
  DenseMap<Node *, bool> sums;
};

/// The arguments whose elements an op's results depend on.
class Origins {
public:
  explicit Origins(func::FuncOp function)
      : body(&function.getBody().front()), count(function.getNumArguments()) {
    for (Operation &op : *body) {
      llvm::SmallBitVector bits(count);
      if (!isa<tensor::DimOp>(op)) // a length only
        op.walk([&](Operation *inner) {
          for (Value operand : inner->getOperands())
            bits |= of(operand);
        });
      origins[&op] = std::move(bits);
    }
  }

  llvm::SmallBitVector of(Value value) const {
    llvm::SmallBitVector bits(count);
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() == body)
        bits.set(argument.getArgNumber());
      return bits;
    }
    auto it = origins.find(value.getDefiningOp());
    return it == origins.end() ? bits : it->second;
  }
  llvm::SmallBitVector of(const Node *node) const {
    if (node->op)
      return origins.lookup(node->op);
    return node->leaf ? of(node->leaf) : llvm::SmallBitVector(count);
  }

private:
  Block *body;
  unsigned count;
  DenseMap<Operation *, llvm::SmallBitVector> origins;
};

} // namespace

void Raiser::findPadding() {
  Origins origins(function);
  llvm::SmallBitVector masked(function.getNumArguments());
  Node *found = nullptr, *without = nullptr;
  DenseSet<Node *> hiding;
  auto refuse = [&](const Twine &reason) { whyNoPadding = reason.str(); };
  for (Node *context : analysis.contexts()) {
    Miss miss;
    std::optional<AttentionMatch> match = matchAttention(context, miss);
    if (!match)
      continue;
    if (!match->padding) {
      without = match->softmax;
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(match->padding->leaf);
    if (!argument)
      return refuse("the mask is not an input of the model, but computed from "
                    "its data");
    auto value = static_cast<int64_t>(match->padValue);
    if (found && (padding != argument || padValue != value))
      return refuse("attentions are masked by different inputs");
    // What is padding for the keys need not be so for tokens of another input.
    llvm::SmallBitVector others = origins.of(match->query);
    others.reset(argument.getArgNumber());
    others.reset(origins.of(match->key));
    if (others.any()) {
      auto name = function.getArgAttrOfType<StringAttr>(others.find_first(),
                                                        kNameAttrName);
      return refuse("the queries come from an input that the mask says nothing "
                    "of" +
                    (name ? " ('" + name.getValue().str() + "')" : ""));
    }
    masked |= origins.of(match->key);
    masked.reset(argument.getArgNumber());
    found = match->padding;
    padding = argument;
    padValue = value;
    hiding.insert(context);
    hiding.insert(context->operand(0));
    hiding.insert(match->softmax);
  }
  if (!found)
    return;
  auto nameOf = [](Operation *op) {
    auto name = op ? op->getLoc()->findInstanceOf<NameLoc>() : NameLoc();
    return name ? " ('" + name.getName().str() + "')" : std::string();
  };
  if (without)
    return refuse("an attention of the same tokens does not hide the padding" +
                  nameOf(without->op));
  for (Value result : function.getBody().front().getTerminator()->getOperands())
    if (llvm::SmallBitVector of = origins.of(result);
        !cast<RankedTensorType>(result.getType()).hasStaticShape() &&
        !of.anyCommon(masked))
      return refuse("a result of the same length comes from other inputs than "
                    "the masked keys" +
                    nameOf(result.getDefiningOp()));
  // Of a fixed length all tokens must be real: nothing is left out.
  bool isFixed = cast<RankedTensorType>(padding.getType()).hasStaticShape();
  PaddingReaders readers(analysis, hiding);
  for (Operation &op : function.getBody().front())
    if (!isFixed && readers.seesPadding(op))
      return refuse("an operation may see the padding of the same tokens" +
                    nameOf(&op));
}

LogicalResult Raiser::run() {
  findPadding();
  if (padding && whyNoPadding.empty())
    function.setArgAttr(padding.getArgNumber(), kPaddingAttrName,
                        builder.getI64IntegerAttr(padValue));
  // Ops are built between these: take the list first.
  SmallVector<Operation *> roots, lengths;
  for (Operation &op : function.getBody().front()) {
    if (op.hasTrait<OpTrait::IsTerminator>() || !isMemoryEffectFree(&op))
      roots.push_back(&op);
    if (isa<tensor::DimOp>(op))
      lengths.push_back(&op);
  }
  for (Operation *op : roots)
    keep(op);
  // The length of an inner tensor would keep the op that computes it.
  for (Operation *op : lengths) {
    auto dim = cast<tensor::DimOp>(op);
    Contents source = analysis.contents(dim.getSource());
    std::optional<int64_t> index = dimensionOf(dim);
    if (!source || !index || source.layout.dims.empty())
      continue;
    const Atoms &atoms = source.layout.dims[*index];
    if (atoms.size() != 1 || !atoms.front().isSequence())
      continue;
    auto [tensor, position] = analysis.sequenceSource(atoms.front().sequence);
    if (tensor == dim.getSource())
      continue;
    builder.setInsertionPoint(op);
    op->replaceAllUsesWith(
        tensor::DimOp::create(builder, op->getLoc(), tensor, position));
  }
  return failure(badWeight);
}

/// Notes on a raised op which tensor of the model it makes: its own location
/// may be that of a part.
static void nameTensor(Value rows, Operation *maker) {
  auto name = maker ? maker->getLoc()->findInstanceOf<NameLoc>() : NameLoc();
  Operation *raised = rows.getDefiningOp();
  if (name && raised && !raised->hasAttr(kTensorAttrName))
    raised->setAttr(kTensorAttrName, name.getName());
}

void Raiser::keep(Operation *op) {
  if (!op || !kept.insert(op).second)
    return;
  // What an op with a reason consists of needs no reasons of its own.
  bool hasReason = miss(op) != nullptr;
  if (explaining && !hasReason)
    explained.insert(op);
  llvm::SaveAndRestore restore(explaining, explaining || hasReason);
  op->walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands()) {
      Value value = operand.get();
      Operation *def = value.getDefiningOp();
      if (def && op->isProperAncestor(def))
        continue;
      Contents contents = analysis.contents(value);
      if (contents && contents.node->isRows())
        if (Value rows = raise(contents.node)) {
          builder.setInsertionPoint(op);
          nameTensor(rows, def);
          operand.set(fromRows(rows, value.getType(), contents.layout));
          continue;
        }
      keep(def);
    }
  });
}

Value Raiser::rows(Node *node) {
  if (Value value = raise(node))
    return value;
  Value &value = plainRows[node];
  if (value || !node->value)
    return value;
  keep(node->value.getDefiningOp());
  // Some columns of rows are an expression of those, but made later.
  if (Operation *def = node->value.getDefiningOp())
    builder.setInsertionPointAfter(def);
  else
    insertAt(node, {});
  Value plain = toRows(node->value, node->layout);
  return plainRows[node] = plain;
}

Value Raiser::raise(Node *node) {
  auto [it, isNew] = raisedRows.try_emplace(node);
  if (!isNew)
    return it->second;
  Value value = build(node);
  return raisedRows[node] = value;
}

Value Raiser::build(Node *node) {
  if (!node->isRows() || node->is(NodeKind::Leaf))
    return nullptr;
  Miss miss;
  Value result;
  if (auto match = matchLinear(node))
    result = linear(*match);
  else if (auto match = matchAttention(node, miss)) {
    if (match->padding && !whyNoPadding.empty())
      miss = {"the mask hides padding, but padding cannot be left out: " +
                  whyNoPadding,
              "mask all attentions of the sequence by one input [batch, "
              "tokens], or end the subgraph before ('--to')"};
    else
      result = attention(node, *match);
  } else if (auto match = matchLayerNorm(node, miss))
    result = layerNorm(node, *match);
  else if (auto match = matchActivation(node, miss))
    result = activation(node, *match);
  else if (!miss && node->is(NodeKind::Add))
    result = add(node);
  if (result) {
    built.push_back(result.getDefiningOp());
    return result;
  }
  if (Operation *op = node->value ? node->value.getDefiningOp() : nullptr) {
    if (miss)
      misses.try_emplace(op, miss);
    keep(op);
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// Rows of as many tokens as `like`, `width` features each.
static RankedTensorType rowsType(Value like, int64_t width) {
  auto type = cast<RankedTensorType>(like.getType());
  return RankedTensorType::get({type.getDimSize(0), width},
                               type.getElementType());
}

Value Raiser::linear(const LinearMatch &match) {
  Node *product = match.product, *weight = product->operand(1);
  Value input = rows(product->operand(0));
  if (!input)
    return nullptr;
  insertAt(product, input);
  Value w = matrix(weight, match.factor);
  Value bias;
  if (match.bias)
    bias = vector(match.bias, product->width, 0,
                  match.scalesBias ? match.factor : nullptr);
  return LinearOp::create(builder, location(product),
                          rowsType(input, product->width), input, w, bias);
}

Value Raiser::layerNorm(Node *node, const LayerNormMatch &match) {
  Value input = rows(match.rows);
  if (!input)
    return nullptr;
  insertAt(node, input);
  Value gamma = vector(match.gamma, node->width, 1, nullptr, match.factor),
        beta = vector(match.beta, node->width, 0, nullptr, 1, match.shift);
  return LayerNormOp::create(builder, location(node), input.getType(), input,
                             gamma, beta, builder.getF32FloatAttr(match.eps));
}

Value Raiser::activation(Node *node, const ActivationMatch &match) {
  if (!match.rows->isRows())
    return nullptr;
  Value input = rows(match.rows);
  if (!input)
    return nullptr;
  insertAt(node, input);
  auto op = ActivationOp::create(builder, location(node), input.getType(),
                                 match.kind, input);
  if (match.hasRounded)
    rounded.insert(op);
  return op;
}

Value Raiser::attention(Node *node, const AttentionMatch &match) {
  Value query = rows(match.query), key = rows(match.key),
        value = rows(match.value);
  if (!query || !key || !value)
    return nullptr;
  insertAt(node, {query, key, value});
  return AttentionOp::create(builder, location(match.softmax), query.getType(),
                             query, key, value, match.heads,
                             builder.getF32FloatAttr(match.scale).getValue(),
                             match.causal);
}

Value Raiser::add(Node *node) {
  if (!node->operand(0)->isRows() || !node->operand(1)->isRows())
    return nullptr;
  Value lhs = rows(node->operand(0)), rhs = rows(node->operand(1));
  if (!lhs || !rhs || lhs.getType() != rhs.getType())
    return nullptr;
  insertAt(node, {lhs, rhs});
  return AddOp::create(builder, location(node), lhs.getType(), lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value Raiser::constant(Node *source, ElementsAttr attr) {
  Location loc = location(source);
  if (checked.insert(source->data).second)
    if (std::optional<int64_t> bad = firstBadWeight(source->data)) {
      emitError(loc)
          << "weight must be finite and at most 2^50 in magnitude (element "
          << *bad << " was " << (*ConstantData::get(source->data))[*bad] << ")";
      badWeight = true;
    }
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(attr));
}

/// The number that a node has for each feature.
static SmallVector<float> numbersOf(Node *node, int64_t width) {
  if (node->is(NodeKind::Scalar))
    return SmallVector<float>(width, node->scalar);
  SmallVector<float> numbers;
  ConstantData data = *ConstantData::get(node->data);
  for (int64_t offset : node->columnOffsets)
    numbers.push_back(data[offset]);
  return numbers;
}

Value Raiser::matrix(Node *weight, Node *factor) {
  int64_t rows = weight->rowOffsets.size(),
          columns = weight->columnOffsets.size();
  SmallVector<int64_t, 0> offsets;
  offsets.reserve(rows * columns);
  for (int64_t row : weight->rowOffsets)
    for (int64_t column : weight->columnOffsets)
      offsets.push_back(row + column);
  if (!factor)
    return constant(weight, gathered(weight->data, {rows, columns}, offsets));
  ConstantData data = *ConstantData::get(weight->data);
  SmallVector<float> factors = numbersOf(factor, columns);
  std::vector<float> scaled;
  scaled.reserve(offsets.size());
  for (auto [i, offset] : llvm::enumerate(offsets))
    scaled.push_back(data[offset] * factors[i % columns]);
  return constant(weight, constantOf(weight->data, {rows, columns}, scaled));
}

Value Raiser::vector(Node *column, int64_t width, float fallback, Node *factor,
                     float scale, float shift) {
  bool isChanged = factor || scale != 1 || shift != 0;
  if (!isChanged && column && column->is(NodeKind::Column))
    return constant(column, gathered(column->data, {width},
                                     llvm::to_vector(column->columnOffsets)));
  SmallVector<float> values =
      column ? numbersOf(column, width) : SmallVector<float>(width, fallback);
  if (factor)
    for (auto [value, each] : llvm::zip_equal(values, numbersOf(factor, width)))
      value *= each;
  for (float &value : values)
    value = value * scale + shift;
  auto type = RankedTensorType::get({width}, builder.getF32Type());
  auto attr = llvm::all_equal(values)
                  ? DenseElementsAttr::get(type, values.front())
                  : DenseElementsAttr::get(type, ArrayRef(values));
  if (column && column->is(NodeKind::Column))
    return constant(column, attr);
  return arith::ConstantOp::create(builder, function.getLoc(), attr);
}
