//===- HeadNest.h - What one loop over heads can do -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOFACTISA_HEADNEST_H
#define FACT_LIB_CONVERSION_FACTTOFACTISA_HEADNEST_H

#include "Codes.h"

#include "fact/Dialect/Fact/IR/Fact.h"

#include "llvm/ADT/DenseSet.h"

namespace mlir::factisa {

/// Norms and rotary embeddings that dress rows head by head, in order.
using Dressing = SmallVector<Operation *, 2>;

/// Of Q, K or V: the linear layer of all heads, what dresses its rows, and what
/// makes them INT8.
struct HeadProjection {
  fact::QuantizedLinearOp linear;
  Dressing dressing;
  fact::QuantizeHeadsOp quantize;
};

/// Of Q or K: stage 1 of the prediction. Of dressed rows the sums are rescaled,
/// dressed and made INT8 as those of the projection itself; others are shifted.
struct HeadPrediction {
  fact::LogMatmulOp matmul;
  fact::NormalizeHeadsOp normalize; ///< or:
  fact::RescaleOp rescale;
  Dressing dressing;
  fact::QuantizeHeadsOp quantize;
  fact::EncodeOp encode; ///< Null where the code is the number itself.
  Value rows;            ///< INT8, of which ep.project makes codes,
  Predictor predictor = Predictor::Exact; ///< as this one does.
};

/// A selection of all heads, and an attention that needs it with the precision
/// of its rows. What it does not need before it starts are Q, K and V at low
/// precision, of all rows: most are right, and the array has nothing else to
/// do.
struct SpeculatedHeads {
  fact::SelectOp select;
  fact::QuantizedAttentionOp attention;
  fact::QuantizeRowsOp exact; ///< INT8 rows, which stage 1 reads.
  fact::QuantizeRowsOp mixed; ///< INT8 or INT4 rows, for this attention alone.
  HeadProjection query, key, value;
  /// K and V of the mean token, by the same weights; null where they are made
  /// elsewhere, or there are none.
  HeadProjection tailKey, tailValue;
};

/// An attention with what it needs head by head, so that all of that is one
/// loop over heads, in which heads follow each other: the prediction of one,
/// the generation of the one before, the attention of the one before that.
/// Where rows need the importance of all heads, the selection is a nest of its
/// own, without attention and generation.
struct HeadNest {
  fact::QuantizedAttentionOp attention;
  HeadProjection query, key, value;
  /// K and V of the mean token, by the same weights; null where they are made
  /// elsewhere, or there are none.
  HeadProjection tailKey, tailValue;
  /// The selection, where masks decide which rows are generated; null where
  /// there is none, or where it needs to see all heads first.
  fact::SelectOp select;
  fact::PredictOp predict;
  /// Stage 1 of the selection; null matmuls where it is done elsewhere.
  HeadPrediction queryCode, keyCode;
  /// Of Q, K and V of all rows at low precision, which have time beside a
  /// selection; null where nobody makes them. The attention's loop reads them
  /// and makes those rows again that are not at low precision.
  const SpeculatedHeads *speculation = nullptr;

  /// Whether a block of queries makes those rows of K and V that none before it
  /// wanted, and then its attention.
  bool isDifferential = false;

  int64_t getHeads() const;
  /// Heads of K and V, which the loop counts: each with a group of heads of Q.
  int64_t getGroups() const;
  /// Null, or why K and V cannot be made as far as each block of queries wants
  /// rows that none before it did.
  const char *whyNotDifferential() const;
  /// INT8 rows that stage 1 and generation read, and their scales.
  Value getTokens() const;
  Value getTokenScale() const;

  /// The ops that the loop lowers, the attention or the selection last.
  SmallVector<Operation *> ops() const;
};

/// The nest of an attention, of ops that are all `allowed`, its selection
/// included if it may be; nothing where its operands are not made for it alone.
std::optional<HeadNest> findHeadNest(fact::QuantizedAttentionOp attention,
                                     const DenseSet<Operation *> &allowed,
                                     const PredictorCodes &codes,
                                     bool withSelection = true);

/// The speculations among the ops of a function.
std::vector<SpeculatedHeads> findSpeculations(ArrayRef<Operation *> ops,
                                              const PredictorCodes &codes);

/// The nest of a selection that is in no attention's.
std::optional<HeadNest> findHeadNest(fact::SelectOp select,
                                     const DenseSet<Operation *> &allowed,
                                     const PredictorCodes &codes);

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_HEADNEST_H
