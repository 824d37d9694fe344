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
  StringAttr name = nodeName(maker);
  Operation *raised = rows.getDefiningOp();
  if (name && raised && !raised->hasAttr(kTensorAttrName))
    raised->setAttr(kTensorAttrName, name);
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
  else if (node->is(NodeKind::Rotated))
    result = rotate(node);
  else if (explainRotation(node, analysis.longestOf(node->sequence), miss)) {
    if (explaining) // what it is a part of has the reason
      miss = {};
  } else if (auto match = matchAttention(node, miss)) {
    if (match->padding && !whyNoPadding.empty())
      miss = {"the mask hides padding, but padding cannot be left out: " +
                  whyNoPadding,
              "mask all attentions of the sequence by one input [batch, "
              "tokens], or end the subgraph before ('--to')"};
    else
      result = attention(node, *match);
  } else if (auto match = matchNorm(node, miss))
    result = norm(node, *match);
  else if (auto match = matchActivation(node, miss))
    result = activation(node, *match);
  else if (!miss && node->is(NodeKind::Add))
    result = add(node);
  // What an activation is multiplied with is part of no activation.
  if (!result && node->is(NodeKind::Mul))
    result = multiply(node);
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

Value Raiser::norm(Node *node, const NormMatch &match) {
  Value input = rows(match.rows);
  if (!input)
    return nullptr;
  insertAt(node, input);
  int64_t width = match.heads ? node->width / match.heads : node->width;
  Value gamma = vector(match.gamma, width, 1, nullptr, match.factor), beta;
  if (match.beta || match.shift != 0)
    beta = vector(match.beta, width, 0, nullptr, 1, match.shift);
  IntegerAttr heads;
  if (match.heads)
    heads = builder.getI64IntegerAttr(match.heads);
  return NormOp::create(builder, location(node), input.getType(),
                        NormAttr::get(builder.getContext(), match.kind), input,
                        gamma, beta, /*rows=*/Value(), heads,
                        builder.getF32FloatAttr(match.eps));
}

Value Raiser::rotate(Node *node) {
  Value input = rows(node->operand(0));
  if (!input)
    return nullptr;
  insertAt(node, input);
  auto table = [&](Node *angles) {
    return constant(
        angles, gathered(angles->data,
                         {static_cast<int64_t>(angles->rowOffsets.size()),
                          angles->width},
                         llvm::to_vector(llvm::seq<int64_t>(
                             0, angles->rowOffsets.size() * angles->width))));
  };
  Value cos = table(node->operand(1)), sin = table(node->operand(2));
  return RotateOp::create(
      builder, location(node), input.getType(),
      RotaryStyleAttr::get(builder.getContext(), node->interleaved
                                                     ? RotaryStyle::Interleaved
                                                     : RotaryStyle::Half),
      input, cos, sin, /*rows=*/Value(),
      builder.getI64IntegerAttr(node->width / node->part));
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
  if (!match.gated)
    return op;
  Value other = rows(match.gated);
  if (!other || other.getType() != op.getType())
    return nullptr;
  insertAt(node, {op, other});
  return MultiplyOp::create(builder, location(node), op.getType(), op, other);
}

Value Raiser::attention(Node *node, const AttentionMatch &match) {
  Value query = rows(match.query), key = rows(match.key),
        value = rows(match.value);
  if (!query || !key || !value)
    return nullptr;
  insertAt(node, {query, key, value});
  IntegerAttr keyHeads;
  if (match.keyHeads != match.heads)
    keyHeads = builder.getI64IntegerAttr(match.keyHeads);
  return AttentionOp::create(
      builder, location(match.softmax), query.getType(), query, key, value,
      builder.getI64IntegerAttr(match.heads), keyHeads,
      builder.getF32FloatAttr(match.scale),
      WindowAttr::orNull(builder.getContext(), match.window));
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

Value Raiser::multiply(Node *node) {
  Node *lhs = node->operand(0), *rhs = node->operand(1);
  if (lhs == rhs || !lhs->isRows() || !rhs->isRows())
    return nullptr;
  Value left = raise(lhs), right = raise(rhs);
  if (!left || !right || left.getType() != right.getType())
    return nullptr;
  insertAt(node, {left, right});
  return MultiplyOp::create(builder, location(node), left.getType(), left,
                            right);
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

/// The number that a node has for each of the first features.
static SmallVector<float> numbersOf(Node *node, int64_t width) {
  if (node->is(NodeKind::Scalar))
    return SmallVector<float>(width, node->scalar);
  SmallVector<float> numbers;
  ConstantData data = *ConstantData::get(node->data);
  for (int64_t i = 0; i < width; ++i)
    numbers.push_back(data[node->columnOffsets[i]]);
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
    return constant(column,
                    gathered(column->data, {width},
                             llvm::to_vector(llvm::make_range(
                                 column->columnOffsets.begin(),
                                 column->columnOffsets.begin() + width))));
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
