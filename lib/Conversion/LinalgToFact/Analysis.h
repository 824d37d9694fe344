//===- Analysis.h - What each tensor of a function holds ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_ANALYSIS_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_ANALYSIS_H

#include "Expression.h"
#include "Layout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::fact {

/// Why something was looked at and left alone, and what would help.
struct Miss {
  std::string reason, suggestion;
  explicit operator bool() const { return !reason.empty(); }
};

/// The contents of a tensor: an expression, and how it is laid out. A scalar
/// expression has no layout: every element is the scalar.
struct Contents {
  Node *node = nullptr;
  Layout layout;
  explicit operator bool() const { return node; }
};

/// The dimension whose extent the op reads; empty where that is no constant or
/// the tensor has no such dimension (legal: the result is undefined).
std::optional<int64_t> dimensionOf(tensor::DimOp op);

/// The model's node that an op is of; null where it does not say so, or there
/// is no op.
StringAttr nodeName(Operation *op);
/// The same behind a sentence: " ('name')", or nothing.
std::string bracketedNode(Operation *op);

/// The tensor is full of zeros.
bool isZero(const Contents &contents);

/// Reads the body of a function (one block) from top to bottom. A tensor whose
/// op has no rule here is a leaf of the expressions; the reason is kept.
class Analysis {
public:
  explicit Analysis(func::FuncOp function);

  /// Empty where the value is no tensor of rows, scores, masks or constants.
  Contents contents(Value value) const { return tensors.lookup(value); }
  const Miss *miss(Operation *op) const {
    auto it = misses.find(op);
    return it == misses.end() ? nullptr : &it->second;
  }
  /// The op could not be read because an op before it, which has the reason,
  /// could not.
  bool isConsequence(Operation *op) const { return consequences.contains(op); }
  /// What softmax(..) v is computed, in program order.
  ArrayRef<Node *> contexts() const { return allContexts; }
  /// Where the length of a sequence can be read: a tensor and its dimension.
  std::pair<Value, unsigned> sequenceSource(int sequence) const {
    return sequences[sequence];
  }
  /// Most tokens that a sequence may have, 0 if nobody says so.
  int64_t longestOf(int sequence) const;

private:
  void visit(Operation *op);
  void visitConstant(Operation *op);
  bool visitReshape(Operation *op);
  bool visitSlice(tensor::ExtractSliceOp op);
  bool visitInsert(tensor::InsertSliceOp op);
  bool visitSoftmax(linalg::SoftmaxOp op);
  bool visitFill(linalg::FillOp op);
  bool visitLength(tensor::FromElementsOp op);
  /// Reads scores k q^T whose tokens along `dim` are those of the queries as
  /// q k^T: the keys are what a softmax is over. False where there is nothing
  /// to exchange.
  bool readAsKeys(Value scores, unsigned dim);
  bool visitContraction(linalg::LinalgOp op);
  bool visitLinear(linalg::LinalgOp op, struct ContractionSides &sides);
  /// The features of one row, in a tensor [.., tokens, features], are a
  /// sequence from here on: an image behind a dense layer. False where they are
  /// none.
  bool readAsSequence(Value features);
  bool visitScores(linalg::LinalgOp op, struct ContractionSides &sides);
  bool visitContext(linalg::LinalgOp op, struct ContractionSides &sides);
  bool visitElementwise(linalg::LinalgOp op);
  bool visitRepeat(linalg::LinalgOp op);
  bool visitGather(linalg::LinalgOp op);
  /// Works out what is made of constants and positions alone (Fold.cpp).
  bool foldConstants(linalg::LinalgOp op);
  bool foldInsert(tensor::InsertSliceOp op,
                  ArrayRef<tensor::InsertSliceOp> pieces);
  void setFolded(Value result, ElementsAttr data, ArrayRef<int64_t> shape,
                 std::optional<unsigned> tokenDim, Atom sequence);
  /// A constant of which a dimension is the first rows, one for each token, as
  /// rows; empty where it has no such dimension.
  Contents tableOf(const Contents &constant, const Atom &sequence);

  /// Of rows that are put into a tensor of as many tokens, which one that is;
  /// -1 where that is something else.
  int insertedSequence(tensor::InsertSliceOp op);
  /// Rows of which the first tokens are as they were and the others turned: all
  /// are, the first ones by no angle. False where they are something else.
  bool joinTurnedTokens(tensor::InsertSliceOp op,
                        ArrayRef<tensor::InsertSliceOp> pieces);
  /// One attention of heads that were computed each by itself; null where they
  /// are none.
  Node *joinHeads(tensor::InsertSliceOp op, ArrayRef<Node *> parts);

  /// What each loop of an op walks over, from its operands; null and a miss
  /// where they disagree. `columns` are constants that vary along a dimension.
  std::optional<SmallVector<Atoms>> loopAtoms(linalg::LinalgOp op,
                                              ArrayRef<OpOperand *> operands,
                                              SmallVectorImpl<Node *> &nodes);
  /// A constant operand as a node, once the loops are known.
  Node *constantOperand(linalg::LinalgOp op, OpOperand *operand,
                        ArrayRef<Atoms> loops);
  /// The expression of a scalar of a body; `elements` are those known so far.
  Node *evaluate(Value scalar, linalg::LinalgOp op, ArrayRef<Atoms> loops,
                 DenseMap<Value, Node *> &elements);

  void set(Value value, Node *node, Layout layout);
  /// Makes the tensor a leaf: rows, where its type allows that reading.
  void makeLeaf(Value value, int sequence = -1);
  int newSequence(Value value, unsigned dim);
  /// Records a miss; always false.
  bool missed(Operation *op, const Twine &reason, const Twine &suggestion);

  /// A constant that varies from token to token, or with two tokens.
  Node *tableOperand(linalg::LinalgOp op, OpOperand *operand,
                     ArrayRef<Atoms> loops);
  /// A constant that varies from token to token and feature to feature.
  Node *positionOperand(linalg::LinalgOp op, OpOperand *operand,
                        ArrayRef<Atoms> loops);
  /// The rotary embedding that an expression is, or the expression.
  Node *readRotation(Node *node);
  /// The sequence whose length that is.
  std::optional<Atom> sequenceOf(OpFoldResult size);

  ExpressionPool pool;
  int64_t bound = 0; ///< Longest open sequence, 0 if unknown.
  DenseMap<Value, Contents> tensors;
  DenseMap<Operation *, Miss> misses;
  DenseSet<Operation *> consequences;
  SmallVector<std::pair<Value, unsigned>> sequences;
  DenseMap<int64_t, int> staticSequences; // by length
  SmallVector<Node *> allContexts;
  int openSequence = -1; ///< Of all arguments that have a bound.
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_ANALYSIS_H
