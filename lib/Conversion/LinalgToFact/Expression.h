//===- Expression.h - The normal form that raising matches on -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a function computes, as a graph of expressions over rows: a node is a
// function of (token, feature), of (token), of (feature), or, inside of
// attention, of (head, query token, key token), (query token, key token) or
// (head, query token). Equal expressions are one node.
//
// Nodes are built in a normal form, so that matchers see few spellings:
//   a - b = a + (b * -1)           -x = x * -1        x / c = x * (1 / c)
//   x^2 = x * x, x^3 = (x * x) * x  rsqrt(x) = 1 / sqrt(x)       x * 1 = x
//   x + 0 = x      max(x, -inf) = x      (x W + y) + b = (x W + b) + y
// and a choice of columns moves to the weights. The form is only matched on:
// what the raised op computes is the contract of docs/numerics.md.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_EXPRESSION_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_EXPRESSION_H

#include "Layout.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"

#include "llvm/ADT/FoldingSet.h"
#include "llvm/Support/Allocator.h"

namespace mlir::fact {

enum class NodeKind : uint8_t {
  Leaf,   ///< rows that no rule here explains
  Scalar, ///< a number
  Column, ///< a constant for each feature
  Weight, ///< a constant matrix
  Add,
  Mul,
  Div,
  Max,
  Exp,
  Erf,
  Tanh,
  Sqrt,
  Sum,           ///< over the features of a row
  HeadSum,       ///< over those of a head; the same for each of them
  Columns,       ///< some columns of a leaf
  Parts,         ///< columns of several rows, each at its place
  Tokens,        ///< so many tokens of rows, as a sequence of their own
  PositionTable, ///< a constant for each token and feature
  Rotated,       ///< rows, cosines and sines: a rotary embedding
  Linear,        ///< rows, weight
  Scores,        ///< query rows, key rows: products for each head
  Softmax,       ///< of scores, over the keys
  Context,       ///< probabilities, value rows
  Heads,         ///< contexts side by side, then their queries, keys and values
  // Masks. Conditions are 0 or 1, as numbers too.
  TokenIndex,
  KeyIndex,
  AtKeys,   ///< what its operand is at the key token
  TokenSum, ///< of a number for each token
  Table,    ///< a constant for each query and key token
  Greater,  ///< first > second
  Equal,
  And,
  Or,
  Not,
  IsNaN,
  Select, ///< condition, then, else
  // Softmax in steps.
  KeySum, ///< over the keys
  KeyMax,
};

/// Places in a constant's elements. Those that follow each other, as the ones
/// of most weights do, take no room.
class Offsets {
public:
  Offsets() = default;
  Offsets(ArrayRef<int64_t> offsets);
  Offsets(const SmallVectorImpl<int64_t> &offsets)
      : Offsets(ArrayRef<int64_t>(offsets)) {}
  /// 0, 1, ...
  static Offsets upTo(int64_t count) {
    Offsets result;
    result.count = count;
    return result;
  }

  class Iterator : public llvm::iterator_facade_base<
                       Iterator, std::random_access_iterator_tag, int64_t,
                       ptrdiff_t, const int64_t *, int64_t> {
  public:
    Iterator(const Offsets *of, size_t at) : of(of), at(at) {}
    int64_t operator*() const { return (*of)[at]; }
    Iterator &operator+=(ptrdiff_t n) {
      at += n;
      return *this;
    }
    Iterator &operator-=(ptrdiff_t n) {
      at -= n;
      return *this;
    }
    ptrdiff_t operator-(const Iterator &other) const {
      return static_cast<ptrdiff_t>(at - other.at);
    }
    bool operator==(const Iterator &other) const { return at == other.at; }
    bool operator<(const Iterator &other) const { return at < other.at; }

  private:
    const Offsets *of;
    size_t at;
  };

  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  int64_t operator[](size_t i) const {
    return list.empty() ? first + static_cast<int64_t>(i) : list[i];
  }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }
  void profile(llvm::FoldingSetNodeID &id) const;
  bool operator==(const Offsets &other) const {
    return first == other.first && count == other.count && list == other.list;
  }

private:
  int64_t first = 0, count = 0;
  SmallVector<int64_t, 0> list; ///< Where they do not follow each other.
};

struct Node : llvm::FoldingSetNode {
  NodeKind kind;
  unsigned id; ///< in order of creation; operands have lower ones
  SmallVector<Node *, 3> operands;

  float scalar = 0;  ///< Scalar
  ElementsAttr data; ///< Column, Weight, Table
  /// Element (i, j) of a weight is data[rowOffsets[i] + columnOffsets[j]], that
  /// of a table likewise for query i and key j, or token i and feature j; a
  /// Column has columnOffsets only. Columns: the chosen columns; Parts: those
  /// of all operands in a row.
  Offsets rowOffsets, columnOffsets;
  Value leaf; ///< Leaf

  int64_t width = 0;  ///< features, 0 where it does not depend on the feature
  int64_t heads = 0;  ///< in scores, else 0
  int sequence = -1;  ///< of the tokens, -1 where it does not depend on them
  bool pair = false;  ///< depends on the key token
  int64_t length = 0; ///< Scores: most tokens that there may be, 0 if unknown
  int64_t part = 0;   ///< HeadSum, Rotated: features of a head
  int64_t first = 0;  ///< Tokens: which one of the rows' they begin with
  bool interleaved = false; ///< Rotated: neighbours turn together

  /// The op that first computed it (null for a function argument), what is
  /// inserted for it goes before `before`.
  Operation *op = nullptr;
  Operation *before = nullptr;
  /// Rows of which these are some columns, made before; null where nobody said
  /// so. The node itself need not show it: the choice moves to the weights.
  Node *origin = nullptr;
  Offsets chosen;
  /// A tensor that holds it, and how; null for a value inside of a body.
  Value value;
  Layout layout;

  bool is(NodeKind k) const { return kind == k; }
  bool isScalar(double value) const {
    return kind == NodeKind::Scalar && scalar == value;
  }
  Node *operand(unsigned i) const { return operands[i]; }
  /// Depends on token and feature, and nothing else.
  bool isRows() const {
    return width > 0 && sequence >= 0 && heads == 0 && !pair;
  }

  void Profile(llvm::FoldingSetNodeID &id) const;
};

/// The newest rows of which all of `nodes` are columns (or themselves), as they
/// were chosen or by what follows; null where there are none.
Node *commonOrigin(ArrayRef<Node *> nodes);
/// For each of the node's columns, which one of `origin` it is.
SmallVector<int64_t> columnsOf(Node *node, Node *origin);

/// Owns the nodes of a function and builds them in normal form.
class ExpressionPool {
public:
  ~ExpressionPool();

  /// New nodes belong to this op; null while function arguments are read.
  void setSource(Operation *op, Operation *before) {
    source = op;
    insertBefore = before;
  }

  Node *leaf(Value value, int64_t width, int sequence);
  Node *scalar(float value);
  Node *column(ElementsAttr data, Offsets offsets);
  Node *weight(ElementsAttr data, Offsets rowOffsets, Offsets columnOffsets);

  Node *add(Node *a, Node *b);
  Node *sub(Node *a, Node *b) { return add(a, mul(b, scalar(-1))); }
  Node *mul(Node *a, Node *b);
  Node *div(Node *a, Node *b);
  /// Null where the exponent has no rule (only 1, 2, 3, 0.5, -0.5 and -1 do).
  Node *pow(Node *base, Node *exponent);
  Node *max(Node *a, Node *b);
  Node *unary(NodeKind kind, Node *a);
  Node *sum(Node *a);
  /// Over the features of each head, which are `part` in a row.
  Node *headSum(Node *a, int64_t part);
  Node *linear(Node *rows, Node *weight);
  Node *scores(Node *query, Node *key, int64_t heads, int64_t length);
  Node *softmax(Node *scores);
  Node *context(Node *probabilities, Node *value);
  Node *index(Axis axis, int sequence);
  Node *atKeys(Node *a);
  Node *table(ElementsAttr data, Offsets rowOffsets, Offsets columnOffsets,
              int sequence);
  Node *overKeys(NodeKind kind, Node *a);
  Node *tokenSum(Node *a);
  Node *condition(NodeKind kind, Node *a, Node *b);
  Node *greater(Node *a, Node *b) { return condition(NodeKind::Greater, a, b); }
  Node *negation(Node *a);
  Node *select(Node *condition, Node *a, Node *b);
  /// With query and key tokens exchanged; null where it has no such form.
  Node *exchanged(Node *node);

  /// Rows with the features of several (or columns) one after the other, each
  /// of that width; null where that has no form of its own.
  Node *join(ArrayRef<Node *> parts, ArrayRef<int64_t> widths,
             unsigned depth = 0);
  Node *positionTable(ElementsAttr data, Offsets rowOffsets,
                      Offsets columnOffsets, int sequence);
  Node *rotated(Node *rows, Node *cos, Node *sin, int64_t part,
                bool interleaved);
  /// The tokens of rows from \p first on that \p sequence has.
  Node *tokens(Node *rows, int64_t first, int sequence);
  /// A constant of these elements; one for equal ones.
  ElementsAttr numbers(ElementsAttr like, ArrayRef<int64_t> shape,
                       ArrayRef<float> elements);
  /// The chosen columns of several rows, counted through all of them.
  Node *parts(ArrayRef<Node *> parts, Offsets columns);
  /// Contexts one after the other, which are one attention of all heads.
  Node *heads(ArrayRef<Node *> contexts, Node *query, Node *key, Node *value);

  /// The columns of `node` (rows or a column) that `columns` names; rows
  /// remember that.
  Node *columns(Node *node, ArrayRef<int64_t> columns);
  /// Rows with every head of `size` features several times.
  Node *repeated(Node *rows, int64_t size, int64_t times);

private:
  /// The node that is equal to `prototype`, which is added if there is none.
  Node *unique(Node &&prototype);
  Node *make(NodeKind kind, ArrayRef<Node *> operands);
  Node *chooseColumns(Node *node, ArrayRef<int64_t> columns);
  Node *joinColumns(ArrayRef<Node *> parts, ArrayRef<int64_t> widths);
  Node *joinWeights(ArrayRef<Node *> parts);
  Node *joinTables(ArrayRef<Node *> parts);

  llvm::FoldingSet<Node> nodes;
  DenseMap<uint64_t, SmallVector<ElementsAttr, 1>> folded; ///< by hash
  SmallVector<Node *> owned;
  Operation *source = nullptr;
  Operation *insertBefore = nullptr;
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_EXPRESSION_H
