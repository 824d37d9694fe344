//===- Selection.h - Top-k, dominance and counts, row by row --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_SELECTION_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_SELECTION_H

#include "Lowerings.h"
#include "ThresholdSearch.h"

namespace mlir::fact::loops {

/// Emits section 5 for the rows of a select op: buffers of the results in
/// front, `begin` first, then `rows` in the body of whatever loops, then
/// `finish`.
class SelectionLoops {
public:
  SelectionLoops(SelectOp op, Emitter &e, Value length);

  void begin();
  /// In front of the rows of a head; different heads may be worked on at once.
  void beginHead(Value head);
  /// `count` rows of a head from one on. load(i, chunk) gives a chunk of the
  /// scores of the i-th of them, as many as the tier works on at once; those
  /// outside of the row's window may be anything. unitOf(row) is a row's unit.
  using Load = llvm::function_ref<Real(Value, Value)>;
  void rows(Value head, Value first, Value count,
            llvm::function_ref<Value(Value)> unitOf, Load load);
  /// After at most 255 rows of a head.
  void endBlock();

  void finish();

private:
  struct Row {
    Value head, number;
    Value i;             ///< where its scores are
    ColumnRange columns; ///< that are allowed
    Value words;         ///< where its mask begins
  };

  int64_t heads();
  bool keepsAll();
  void gather(const Row &row, Value unit, llvm::function_ref<Real(Value)> load);
  void dominance(const Row &row, const RowScores::Spread &spread, Value unit);
  void keep(const Row &row);
  void keepAbove(const Row &row, const ThresholdSearch::Threshold &threshold);
  void keepChunk(const Row &row, Value chunk, Value keep);

  SelectOp op;
  Emitter &e;
  Value length, padded;
  int64_t wide;                      ///< Scores that are worked on at once.
  Value keepNumber, dominanceNumber; ///< memory of the policy, or null
  Value keepShare, dominanceGap;     ///< index, f32
  Value mask;                        ///< in bytes, or null
  Value words;                       ///< the mask of all rows in bits, or null
  Value rowWords;                    ///< How many a row has.
  Value dominated, argmax, count;
  bool isCounted = false; ///< Whether anyone reads the counts.
  RowScores scores;
  ThresholdSearch search;
  /// Of a head: a row's mask if there is no other; counts of a block's rows.
  Value ownWords, recent;
  Value counts;       ///< scratch: counts of 32 bits of each head
  Value countsOfHead; ///< where those of a head begin
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_SELECTION_H
