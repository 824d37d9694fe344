//===- Expression.cpp - The normal form that raising matches on -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "ConstantData.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::fact;

Offsets::Offsets(ArrayRef<int64_t> offsets)
    : first(offsets.empty() ? 0 : offsets.front()),
      count(static_cast<int64_t>(offsets.size())) {
  if (!llvm::equal(offsets, llvm::seq(first, first + count)))
    list.assign(offsets.begin(), offsets.end());
}

void Offsets::profile(llvm::FoldingSetNodeID &id) const {
  id.AddInteger(first);
  id.AddInteger(count);
  for (int64_t offset : list)
    id.AddInteger(offset);
}

void Node::Profile(llvm::FoldingSetNodeID &profile) const {
  profile.AddInteger(static_cast<unsigned>(kind));
  for (Node *operand : operands)
    profile.AddPointer(operand);
  profile.AddInteger(llvm::bit_cast<uint32_t>(scalar));
  profile.AddPointer(data ? Attribute(data).getAsOpaquePointer() : nullptr);
  rowOffsets.profile(profile);
  columnOffsets.profile(profile);
  profile.AddPointer(leaf.getAsOpaquePointer());
  profile.AddInteger(part);
  profile.AddInteger(first);
  profile.AddBoolean(interleaved);
  // Operands decide these for all other nodes.
  if (kind == NodeKind::Leaf || kind == NodeKind::TokenIndex ||
      kind == NodeKind::KeyIndex || kind == NodeKind::Scores ||
      kind == NodeKind::Table || kind == NodeKind::PositionTable ||
      kind == NodeKind::Tokens) {
    profile.AddInteger(sequence);
    profile.AddInteger(heads);
  }
}

ExpressionPool::~ExpressionPool() {
  nodes.clear();
  for (Node *node : owned)
    delete node;
}

Node *ExpressionPool::unique(Node &&prototype) {
  llvm::FoldingSetNodeID profile;
  prototype.Profile(profile);
  void *position = nullptr;
  if (Node *found = nodes.FindNodeOrInsertPos(profile, position))
    return found;
  Node *node = new Node(std::move(prototype));
  node->id = owned.size();
  node->op = source;
  node->before = insertBefore;
  owned.push_back(node);
  nodes.InsertNode(node, position);
  return node;
}

/// A node that depends on whatever its operands depend on.
static Node prototype(NodeKind kind, ArrayRef<Node *> operands) {
  Node node;
  node.kind = kind;
  node.operands.assign(operands.begin(), operands.end());
  for (Node *operand : operands) {
    node.width = std::max(node.width, operand->width);
    node.heads = std::max(node.heads, operand->heads);
    node.sequence = std::max(node.sequence, operand->sequence);
    node.pair |= operand->pair;
  }
  return node;
}

Node *ExpressionPool::make(NodeKind kind, ArrayRef<Node *> operands) {
  return unique(prototype(kind, operands));
}

Node *ExpressionPool::leaf(Value value, int64_t width, int sequence) {
  Node node = prototype(NodeKind::Leaf, {});
  node.leaf = value;
  node.width = width;
  node.sequence = sequence;
  return unique(std::move(node));
}

Node *ExpressionPool::scalar(float value) {
  Node node = prototype(NodeKind::Scalar, {});
  node.scalar = value;
  return unique(std::move(node));
}

Node *ExpressionPool::column(ElementsAttr data, Offsets offsets) {
  Node node = prototype(NodeKind::Column, {});
  node.data = data;
  node.width = offsets.size();
  node.columnOffsets = std::move(offsets);
  return unique(std::move(node));
}

Node *ExpressionPool::weight(ElementsAttr data, Offsets rowOffsets,
                             Offsets columnOffsets) {
  Node node = prototype(NodeKind::Weight, {});
  node.data = data;
  node.width = columnOffsets.size();
  node.rowOffsets = std::move(rowOffsets);
  node.columnOffsets = std::move(columnOffsets);
  return unique(std::move(node));
}

/// Rows times a weight, and times a factor for each feature if there is one.
static bool isProduct(Node *node) {
  if (node->is(NodeKind::Mul))
    for (unsigned i : {0, 1})
      if (node->operand(i)->is(NodeKind::Linear))
        return node->operand(1 - i)->is(NodeKind::Column) ||
               node->operand(1 - i)->is(NodeKind::Scalar);
  return node->is(NodeKind::Linear);
}

Node *ExpressionPool::add(Node *a, Node *b) {
  if (a->is(NodeKind::Scalar) && b->is(NodeKind::Scalar))
    return scalar(a->scalar + b->scalar);
  if (a->isScalar(0))
    return b;
  if (b->isScalar(0))
    return a;
  // The bias of a linear layer may stand behind a residual.
  for (auto [rest, bias] : {std::pair(a, b), std::pair(b, a)})
    if (bias->is(NodeKind::Column) && rest->is(NodeKind::Add))
      for (unsigned i : {0, 1})
        if (isProduct(rest->operand(i)) && rest->operand(1 - i)->isRows())
          return add(add(rest->operand(i), bias), rest->operand(1 - i));
  if (a->id > b->id) // commutative: one order
    std::swap(a, b);
  return make(NodeKind::Add, {a, b});
}

Node *ExpressionPool::mul(Node *a, Node *b) {
  if (a->is(NodeKind::Scalar) && b->is(NodeKind::Scalar))
    return scalar(a->scalar * b->scalar);
  if (a->isScalar(1))
    return b;
  if (b->isScalar(1))
    return a;
  // A softmax in steps may multiply by the reciprocal of the sum.
  for (auto [x, inverse] : {std::pair(a, b), std::pair(b, a)})
    if (inverse->is(NodeKind::Div) && inverse->operand(0)->isScalar(1) &&
        inverse->operand(1)->is(NodeKind::KeySum) &&
        inverse->operand(1)->operand(0) == x)
      return div(x, inverse->operand(1));
  if (a->id > b->id)
    std::swap(a, b);
  return make(NodeKind::Mul, {a, b});
}

/// The x of x - max(x), the maximum over the keys, which no softmax sees.
static Node *withoutMax(Node *x) {
  if (x->is(NodeKind::Add))
    for (unsigned i : {0, 1}) {
      Node *rest = x->operand(1 - i), *minus = x->operand(i);
      if (!minus->is(NodeKind::Mul))
        continue;
      for (unsigned j : {0, 1})
        if (minus->operand(j)->isScalar(-1) &&
            minus->operand(1 - j)->is(NodeKind::KeyMax) &&
            minus->operand(1 - j)->operand(0) == rest)
          return rest;
    }
  return x;
}

Node *ExpressionPool::div(Node *a, Node *b) {
  // A softmax in steps.
  if (b->is(NodeKind::KeySum) && b->operand(0) == a && a->heads > 0 &&
      a->is(NodeKind::Exp))
    return softmax(a->operand(0));
  if (b->is(NodeKind::Scalar) && b->scalar != 0) {
    if (a->is(NodeKind::Scalar))
      return scalar(a->scalar / b->scalar);
    return mul(a, scalar(1.0f / b->scalar));
  }
  return make(NodeKind::Div, {a, b});
}

Node *ExpressionPool::pow(Node *base, Node *exponent) {
  if (exponent->isScalar(1))
    return base;
  if (exponent->isScalar(2))
    return mul(base, base);
  if (exponent->isScalar(3))
    return mul(mul(base, base), base);
  if (exponent->isScalar(0.5))
    return unary(NodeKind::Sqrt, base);
  if (exponent->isScalar(-0.5))
    return div(scalar(1), unary(NodeKind::Sqrt, base));
  if (exponent->isScalar(-1))
    return div(scalar(1), base);
  return nullptr;
}

Node *ExpressionPool::max(Node *a, Node *b) {
  if (a->is(NodeKind::Scalar) && b->is(NodeKind::Scalar))
    return scalar(std::fmax(a->scalar, b->scalar));
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (a->isScalar(-infinity))
    return b;
  if (b->isScalar(-infinity))
    return a;
  if (a->id > b->id)
    std::swap(a, b);
  return make(NodeKind::Max, {a, b});
}

Node *ExpressionPool::unary(NodeKind kind, Node *a) {
  if (kind == NodeKind::Sqrt && a->is(NodeKind::Scalar)) // IEEE: exact anywhere
    return scalar(std::sqrt(a->scalar));
  return make(kind, {a});
}

Node *ExpressionPool::sum(Node *a) {
  Node node = prototype(NodeKind::Sum, {a});
  node.width = 0;
  return unique(std::move(node));
}

Node *ExpressionPool::headSum(Node *a, int64_t part) {
  Node node = prototype(NodeKind::HeadSum, {a});
  node.part = part;
  return unique(std::move(node));
}

Node *ExpressionPool::positionTable(ElementsAttr data, Offsets rowOffsets,
                                    Offsets columnOffsets, int sequence) {
  Node node = prototype(NodeKind::PositionTable, {});
  node.data = data;
  node.width = columnOffsets.size();
  node.rowOffsets = std::move(rowOffsets);
  node.columnOffsets = std::move(columnOffsets);
  node.sequence = sequence;
  return unique(std::move(node));
}

Node *ExpressionPool::rotated(Node *rows, Node *cos, Node *sin, int64_t part,
                              bool interleaved) {
  Node node = prototype(NodeKind::Rotated, {rows, cos, sin});
  node.part = part;
  node.interleaved = interleaved;
  return unique(std::move(node));
}

Node *ExpressionPool::tokens(Node *rows, int64_t first, int sequence) {
  Node node = prototype(NodeKind::Tokens, rows);
  node.first = first;
  node.sequence = sequence;
  return unique(std::move(node));
}

ElementsAttr ExpressionPool::numbers(ElementsAttr like, ArrayRef<int64_t> shape,
                                     ArrayRef<float> elements) {
  uint64_t hash = llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(elements.data()),
               elements.size() * sizeof(float)));
  for (ElementsAttr known : folded[hash]) {
    ConstantData data = *ConstantData::get(known);
    bool isSame = known.getShapedType().getShape() == shape;
    for (size_t i = 0; isSame && i < elements.size(); ++i)
      isSame = llvm::bit_cast<uint32_t>(data[i]) ==
               llvm::bit_cast<uint32_t>(elements[i]);
    if (isSame)
      return known;
  }
  ElementsAttr made = constantOf(like, shape, elements);
  folded[hash].push_back(made);
  return made;
}

Node *ExpressionPool::parts(ArrayRef<Node *> parts, Offsets columns) {
  Node node = prototype(NodeKind::Parts, parts);
  node.width = columns.size();
  node.columnOffsets = std::move(columns);
  return unique(std::move(node));
}

Node *mlir::fact::commonOrigin(ArrayRef<Node *> nodes) {
  auto isFrom = [](Node *node, Node *origin) {
    while (node && node != origin)
      node = node->origin;
    return node != nullptr;
  };
  Node *origin = nodes.empty() ? nullptr : nodes.front();
  while (origin &&
         !llvm::all_of(nodes, [&](Node *node) { return isFrom(node, origin); }))
    origin = origin->origin;
  return origin;
}

SmallVector<int64_t> mlir::fact::columnsOf(Node *node, Node *origin) {
  auto columns = llvm::to_vector(llvm::seq<int64_t>(0, node->width));
  for (; node != origin; node = node->origin)
    for (int64_t &column : columns)
      column = node->chosen[column];
  return columns;
}

Node *ExpressionPool::linear(Node *rows, Node *weight) {
  Node node = prototype(NodeKind::Linear, {rows, weight});
  node.width = weight->width;
  return unique(std::move(node));
}

Node *ExpressionPool::scores(Node *query, Node *key, int64_t heads,
                             int64_t length) {
  Node node = prototype(NodeKind::Scores, {query, key});
  node.width = 0;
  node.heads = heads;
  node.pair = true;
  node.length = length;
  return unique(std::move(node));
}

Node *ExpressionPool::softmax(Node *scores) {
  return make(NodeKind::Softmax, {withoutMax(scores)});
}

Node *ExpressionPool::context(Node *probabilities, Node *value) {
  Node node = prototype(NodeKind::Context, {probabilities, value});
  node.width = value->width;
  node.heads = 0;
  node.pair = false;
  return unique(std::move(node));
}

Node *ExpressionPool::index(Axis axis, int sequence) {
  bool ofKeys = axis == Axis::Key;
  Node node = prototype(ofKeys ? NodeKind::KeyIndex : NodeKind::TokenIndex, {});
  node.sequence = sequence;
  node.pair = ofKeys;
  return unique(std::move(node));
}

Node *ExpressionPool::atKeys(Node *a) {
  if (a->sequence < 0)
    return a;
  if (a->is(NodeKind::TokenIndex))
    return index(Axis::Key, a->sequence);
  Node node = prototype(NodeKind::AtKeys, {a});
  node.pair = true;
  return unique(std::move(node));
}

Node *ExpressionPool::table(ElementsAttr data, Offsets rowOffsets,
                            Offsets columnOffsets, int sequence) {
  Node node = prototype(NodeKind::Table, {});
  node.data = data;
  node.rowOffsets = std::move(rowOffsets);
  node.columnOffsets = std::move(columnOffsets);
  node.sequence = sequence;
  node.pair = true;
  return unique(std::move(node));
}

Node *ExpressionPool::overKeys(NodeKind kind, Node *a) {
  Node node = prototype(kind, {a});
  node.pair = false;
  return unique(std::move(node));
}

Node *ExpressionPool::tokenSum(Node *a) {
  Node node = prototype(NodeKind::TokenSum, {a});
  node.sequence = -1;
  return unique(std::move(node));
}

Node *ExpressionPool::condition(NodeKind kind, Node *a, Node *b) {
  return b ? make(kind, {a, b}) : make(kind, {a});
}

Node *ExpressionPool::exchanged(Node *node) {
  switch (node->kind) {
  case NodeKind::Scalar:
    return node;
  case NodeKind::Scores:
    return scores(node->operand(1), node->operand(0), node->heads,
                  node->length);
  case NodeKind::TokenIndex:
    return index(Axis::Key, node->sequence);
  case NodeKind::KeyIndex:
    return index(Axis::Token, node->sequence);
  case NodeKind::AtKeys:
    return node->operand(0);
  case NodeKind::Table:
    return table(node->data, node->columnOffsets, node->rowOffsets,
                 node->sequence);
  default:
    break;
  }
  if (!node->pair)
    return node->sequence >= 0 && node->heads == 0 ? atKeys(node) : nullptr;
  SmallVector<Node *> operands;
  for (Node *operand : node->operands) {
    operands.push_back(exchanged(operand));
    if (!operands.back())
      return nullptr;
  }
  switch (node->kind) {
  case NodeKind::Add:
    return add(operands[0], operands[1]);
  case NodeKind::Mul:
    return mul(operands[0], operands[1]);
  case NodeKind::Div:
    return div(operands[0], operands[1]);
  case NodeKind::Exp:
    return unary(node->kind, operands[0]);
  case NodeKind::Select:
    return select(operands[0], operands[1], operands[2]);
  case NodeKind::Greater:
  case NodeKind::Equal:
  case NodeKind::And:
  case NodeKind::Or:
  case NodeKind::Not:
    return make(node->kind, operands);
  default:
    return nullptr;
  }
}

Node *ExpressionPool::negation(Node *a) {
  return a->is(NodeKind::Not) ? a->operand(0) : make(NodeKind::Not, {a});
}

Node *ExpressionPool::select(Node *condition, Node *a, Node *b) {
  if (condition->is(NodeKind::Not))
    return select(condition->operand(0), b, a);
  return make(NodeKind::Select, {condition, a, b});
}

/// Heads of `part` features each, with all of their features in order.
static bool areWholeHeads(ArrayRef<int64_t> columns, int64_t part) {
  if (static_cast<int64_t>(columns.size()) % part != 0)
    return false;
  for (auto [i, column] : llvm::enumerate(columns))
    if (column % part != static_cast<int64_t>(i) % part ||
        column / part != columns[i - i % part] / part)
      return false;
  return true;
}

Node *ExpressionPool::columns(Node *node, ArrayRef<int64_t> columns) {
  if (node->width == static_cast<int64_t>(columns.size()) &&
      llvm::equal(columns, llvm::seq<int64_t>(0, node->width)))
    return node;
  Node *result = chooseColumns(node, columns);
  // Only what is newer, so that origins end.
  if (node->isRows() && !result->origin && result->id > node->id) {
    result->origin = node;
    result->chosen = columns;
  }
  return result;
}

Node *ExpressionPool::chooseColumns(Node *node, ArrayRef<int64_t> columns) {
  if (node->width == 0)
    return node;
  // The new nodes are computed where the old ones were.
  Operation *oldSource = source, *oldBefore = insertBefore;
  setSource(node->op, node->before);
  Node *result = nullptr;
  switch (node->kind) {
  case NodeKind::Column:
  case NodeKind::Weight:
  case NodeKind::PositionTable:
  case NodeKind::Columns: {
    SmallVector<int64_t, 0> chosen;
    for (int64_t column : columns)
      chosen.push_back(node->columnOffsets[column]);
    if (node->is(NodeKind::Column))
      result = this->column(node->data, std::move(chosen));
    else if (node->is(NodeKind::Weight))
      result = weight(node->data, node->rowOffsets, std::move(chosen));
    else if (node->is(NodeKind::PositionTable))
      result = positionTable(node->data, node->rowOffsets, std::move(chosen),
                             node->sequence);
    else
      result = this->columns(node->operand(0), chosen);
    break;
  }
  case NodeKind::Linear:
    result = linear(node->operand(0), this->columns(node->operand(1), columns));
    break;
  case NodeKind::Add:
  case NodeKind::Mul:
  case NodeKind::Div:
  case NodeKind::Max:
  case NodeKind::Exp:
  case NodeKind::Erf:
  case NodeKind::Tanh:
  case NodeKind::Sqrt:
  case NodeKind::Select:
  case NodeKind::Greater:
  case NodeKind::Not: {
    // Every operand with features has the same ones.
    SmallVector<Node *> operands;
    for (Node *operand : node->operands)
      operands.push_back(this->columns(operand, columns));
    if (node->is(NodeKind::Add))
      result = add(operands[0], operands[1]);
    else if (node->is(NodeKind::Mul))
      result = mul(operands[0], operands[1]);
    else
      result = make(node->kind, operands);
    break;
  }
  case NodeKind::Parts: {
    SmallVector<int64_t, 0> chosen;
    for (int64_t column : columns)
      chosen.push_back(node->columnOffsets[column]);
    result = parts(node->operands, std::move(chosen));
    break;
  }
  case NodeKind::HeadSum:
  case NodeKind::Rotated:
    if (areWholeHeads(columns, node->part)) {
      Node *rows = this->columns(node->operand(0), columns);
      result = node->is(NodeKind::HeadSum)
                   ? headSum(rows, node->part)
                   : rotated(rows, node->operand(1), node->operand(2),
                             node->part, node->interleaved);
      break;
    }
    [[fallthrough]];
  default: {
    Node chosen = prototype(NodeKind::Columns, {node});
    chosen.width = columns.size();
    chosen.columnOffsets = columns;
    result = unique(std::move(chosen));
    break;
  }
  }
  setSource(oldSource, oldBefore);
  return result;
}
