//===- Raiser.h - Builds fact ops for what the matchers recognise ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Works from what a function returns backwards: rows that a matcher recognises
// become fact ops on tensor<?xd>, what it does not stays the op that it was and
// takes the raised rows as operands, brought into its own layout.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_RAISER_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_RAISER_H

#include "Analysis.h"
#include "Match.h"

#include "mlir/IR/Builders.h"

namespace mlir::fact {

class Raiser {
public:
  Raiser(func::FuncOp function, const Analysis &analysis)
      : function(function), analysis(analysis), builder(function.getContext()) {
  }

  /// Raises everything that the function's terminator and its side effects
  /// need. Fails, with a diagnostic, for a weight that the contract excludes.
  LogicalResult run();

  /// Finds out whether masks of the function's attentions say which tokens are
  /// padding, and whether nothing else would see these.
  void findPadding();
  /// Whether padding can be left out, as far as that was looked for.
  bool leavesPadding() const {
    return padding && whyNoPadding.empty() &&
           !cast<RankedTensorType>(padding.getType()).hasStaticShape();
  }

  /// Why the op was left alone, where a matcher looked at it.
  const Miss *miss(Operation *op) const;
  /// The op was left alone because an op that it reads, or that uses it, was,
  /// which has the reason.
  bool isExplained(Operation *op) const {
    return explained.contains(op) || analysis.isConsequence(op);
  }
  /// Whether an activation's constants are rounded to 16 bits in the model.
  bool hasRoundedConstants(Operation *op) const { return rounded.contains(op); }
  /// The ops that were built.
  ArrayRef<Operation *> raised() const { return built; }

private:
  /// The rows as tensor<?xd>: a fact op, or a reshape of the tensor as it was.
  /// Null only for a value inside of a body that no matcher recognises.
  Value rows(Node *node);
  /// The fact op's result; null where no matcher recognises the node.
  Value raise(Node *node);
  Value build(Node *node);
  Value linear(const LinearMatch &match);
  Value norm(Node *node, const NormMatch &match);
  Value activation(Node *node, const ActivationMatch &match);
  Value rotate(Node *node);
  Value attention(Node *node, const AttentionMatch &match);
  Value add(Node *node);
  Value multiply(Node *node);

  /// Keeps an op as it is; its operands, where raised, are replaced.
  void keep(Operation *op);

  /// Goes on before what follows the op that computed `node`, and after the
  /// rows that it is made of: equal expressions may have been computed later.
  void insertAt(Node *node, ValueRange rows);
  Location location(Node *node);
  /// Constants of the model, checked against the contract.
  Value matrix(Node *weight, Node *factor);
  /// `column` of the first features, or `fallback` for each, times `factor` (or
  /// not), times a scale, plus a shift.
  Value vector(Node *column, int64_t width, float fallback,
               Node *factor = nullptr, float scale = 1, float shift = 0);
  Value constant(Node *source, ElementsAttr attr);

  /// Rows from a tensor of that layout, and back.
  Value toRows(Value value, const Layout &layout);
  Value fromRows(Value rows, Type type, const Layout &layout);
  OpFoldResult extent(const Atom &atom, Location loc);
  /// Of a dimension of these parts.
  OpFoldResult extent(ArrayRef<Atom> atoms, Location loc);

  func::FuncOp function;
  const Analysis &analysis;
  OpBuilder builder;
  DenseMap<Node *, Value> raisedRows, plainRows;
  DenseMap<Operation *, Miss> misses;
  llvm::SmallPtrSet<Operation *, 4> rounded;
  DenseSet<Operation *> kept, explained;
  DenseSet<Attribute> checked;
  SmallVector<Operation *> built;
  /// The argument that says which tokens are padding, and how; or why none does
  /// so for the whole function.
  BlockArgument padding;
  int64_t padValue = 0;
  std::string whyNoPadding;
  bool badWeight = false;
  bool explaining = false;
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_RAISER_H
