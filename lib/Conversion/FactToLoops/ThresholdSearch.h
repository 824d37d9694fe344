//===- ThresholdSearch.h - The scores that top-k keeps --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A threshold that as many scores of a row reach as are wanted, or a score
// whose ties cross the border. A try counts the scores that reach a guess; what
// follows from the counts is computed for all rows of a RowScores at once, a
// row in each lane.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_THRESHOLDSEARCH_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_THRESHOLDSEARCH_H

#include "RowScores.h"

namespace mlir::fact::loops {

class ThresholdSearch {
public:
  ThresholdSearch(Emitter &e, RowScores &scores) : e(e), scores(scores) {}
  /// Allocates here, in front of the rows of a head.
  void beginHead();

  /// What is known of row i, and how many scores it keeps (i32).
  void setRow(Value i, const RowScores::Spread &spread, Value allowed,
              Value wanted);
  /// Finds the thresholds of rows below `count`; columnsOf(i) are those that
  /// row i may keep.
  void find(Value count, llvm::function_ref<ColumnRange(Value)> columnsOf);

  struct Threshold {
    Value score, wanted;
    Value reached; ///< How many scores are not below it.
    Value ties; ///< If not just as many as wanted: how many equal ones count.
  };
  Threshold of(Value i);

private:
  struct State;
  Value lanesFrom(Value memory) { return e.loadChunk(memory, e.index(0)); }
  void forRowsIn(Value lanesSet, Value count,
                 llvm::function_ref<void(Value)> body);
  void savePosition(const Real &score, const Real &mean, const Real &deviation,
                    const Real &z, Value inside, Value count);

  Emitter &e;
  RowScores &scores;
  /// Of each row, 16 of each: f32 and i32.
  Value largest, smallest, sums, squares, guesses, leasts, mosts;
  Value allowed, wanted, reached, ties, flags;
  /// Where thresholds were, in deviations from the mean.
  Value position;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_THRESHOLDSEARCH_H
