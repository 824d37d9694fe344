//===- FactCanonicalize.cpp - Canonical forms of masked ops ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a select's attributes say about its results: operands that cannot matter
// go, so that a back end sees the same IR however a policy was spelled.
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Numerics/Limits.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;

/// Whether `dominated` holds no true: section 5, "threshold 0 = off".
static bool isNeverDominated(Value dominated) {
  auto select = definingOp<SelectOp>(dominated);
  return select && sourceOf(dominated) == select.getDominated() &&
         select.getDominance() && select.getDominance()->isZero();
}

/// Whether the row mask names every row.
static bool namesEveryRow(Value rows) {
  auto queries = definingOp<QRowsOp>(rows);
  return queries && isNeverDominated(queries.getDominated());
}

template <typename Op>
static LogicalResult dropFullRows(Op op, PatternRewriter &rewriter) {
  if (!namesEveryRow(op.getRows()))
    return failure();
  rewriter.modifyOpInPlace(op, [&] { op.getRowsMutable().clear(); });
  return success();
}

LogicalResult NormOp::canonicalize(NormOp op, PatternRewriter &rewriter) {
  return dropFullRows(op, rewriter);
}

LogicalResult RotateOp::canonicalize(RotateOp op, PatternRewriter &rewriter) {
  return dropFullRows(op, rewriter);
}

LogicalResult QuantizeHeadsOp::canonicalize(QuantizeHeadsOp op,
                                            PatternRewriter &rewriter) {
  return dropFullRows(op, rewriter);
}

LogicalResult QuantizedLinearOp::canonicalize(QuantizedLinearOp op,
                                              PatternRewriter &rewriter) {
  return dropFullRows(op, rewriter);
}

/// Where no row is dominated, V is read where K is.
LogicalResult VRowsOp::canonicalize(VRowsOp op, PatternRewriter &rewriter) {
  if (!isNeverDominated(op.getDominated()))
    return failure();
  rewriter.replaceOpWithNewOp<KRowsOp>(op, op.getType(), op.getMask(),
                                       op.getDominated());
  return success();
}

/// Drops `dominated` where no row is, and `tail` where no row drops a key.
LogicalResult QuantizedAttentionOp::canonicalize(QuantizedAttentionOp op,
                                                 PatternRewriter &rewriter) {
  bool noneDominated = isNeverDominated(op.getDominated());
  auto select = definingOp<SelectOp>(op.getMask());
  bool noneDropped = op.getTailKey() && select &&
                     select.getKeep() == uint64_t(numerics::keepAll);
  if (!noneDominated && !noneDropped)
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    if (noneDominated) {
      op.getDominatedMutable().clear();
      op.getArgmaxMutable().clear();
    }
    if (noneDropped) {
      op.getTailKeyMutable().clear();
      op.getTailKeyScaleMutable().clear();
      op.getTailValueMutable().clear();
      op.getTailValueScaleMutable().clear();
    }
  });
  return success();
}

/// The literal of a number of the policy that is an operand and a constant;
/// null where it is neither.
static Attribute literalOf(Value number) {
  DenseElementsAttr elements;
  if (!number || !matchPattern(number, m_Constant(&elements)))
    return {};
  return *elements.getValues<Attribute>().begin();
}

static IntegerAttr integerOf(Value number, PatternRewriter &rewriter) {
  auto literal = dyn_cast_or_null<IntegerAttr>(literalOf(number));
  return literal ? rewriter.getI64IntegerAttr(literal.getInt()) : IntegerAttr();
}

/// Numbers that are known are literals.
LogicalResult SelectOp::canonicalize(SelectOp op, PatternRewriter &rewriter) {
  IntegerAttr keep = integerOf(op.getKeepValue(), rewriter);
  auto dominance =
      dyn_cast_or_null<FloatAttr>(literalOf(op.getDominanceValue()));
  // What is out of range stays where it is reported.
  if (keep && !numerics::isKeep(keep.getInt()))
    keep = {};
  if (dominance && !numerics::isDominance(dominance.getValueAsDouble()))
    dominance = {};
  if (!keep && !dominance)
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    if (keep) {
      op.setKeepAttr(keep);
      op.getKeepValueMutable().clear();
    }
    if (dominance) {
      op.setDominanceAttr(dominance);
      op.getDominanceValueMutable().clear();
    }
  });
  return success();
}

LogicalResult SelectPrecisionOp::canonicalize(SelectPrecisionOp op,
                                              PatternRewriter &rewriter) {
  IntegerAttr importance = integerOf(op.getImportanceValue(), rewriter);
  if (!importance || importance.getInt() == 0 ||
      !numerics::isImportance256(importance.getInt()))
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    op.setImportanceAttr(importance);
    op.getImportanceValueMutable().clear();
  });
  return success();
}
