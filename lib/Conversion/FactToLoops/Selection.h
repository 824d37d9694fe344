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

namespace mlir::fact::loops {

/// Emits section 5 for the rows of a select op: buffers of the results in
/// front, `begin` first, then `row` in the body of whatever loops, then
/// `finish`.
class SelectionLoops {
public:
  SelectionLoops(SelectOp op, Emitter &e, Value length);

  void begin();
  /// In front of the rows of a head; different heads may be worked on at once.
  void beginHead(Value head);
  /// One row of one head. `load` gives a chunk of the row's scores, as many as
  /// the tier works on at once; those outside of the row's window may be
  /// anything.
  void row(Value head, Value number, Value unit,
           llvm::function_ref<Real(Value)> load);
  /// After at most 255 rows of a head.
  void endBlock();

  void finish();

private:
  struct Row {
    ColumnRange columns; ///< that are allowed
    Value words;         ///< where its mask begins
  };
  /// Of the allowed scores of a row.
  struct Spread {
    Value largest, second, smallest;
    Real mean, deviation;
  };
  struct Threshold {
    Value score;
    Value reached; ///< How many scores are not below it.
    Value ties; ///< If not just as many as wanted: how many equal ones count.
  };

  int64_t heads();
  SmallVector<Value> reduceColumns(
      const ColumnRange &columns, int64_t n, ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, ValueRange, bool)> body);
  Real scoresAt(Value chunk, int64_t n);
  Spread spread(const ColumnRange &columns,
                llvm::function_ref<Real(Value)> load);
  Value countAtLeast(const ColumnRange &columns, Value threshold);
  std::pair<Value, Value> between(const ColumnRange &columns, Value low,
                                  Value high);
  Threshold findThreshold(const ColumnRange &columns, Value wanted,
                          const Spread &row);
  void keepAbove(const Row &row, const Threshold &threshold, Value wanted);
  void keepChunk(const Row &row, Value chunk, Value keep);
  Value findLargest(const ColumnRange &columns, Value largest);
  Value toI32(Value bits);

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
  /// Of a head: scores of a row; where the last threshold was, in deviations
  /// from the mean; a row's mask if there is no other; counts of a block's
  /// rows.
  Value scores, position, ownWords, recent;
  Value counts;       ///< scratch: counts of 32 bits of each head
  Value countsOfHead; ///< where those of a head begin
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_SELECTION_H
