//===- RowScores.h - Scores of some rows of a head ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_ROWSCORES_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_ROWSCORES_H

#include "Emitter.h"

namespace mlir::fact::loops {

/// Scores of up to 16 rows of a head in scratch memory, as many as a nearest
/// cache holds; those of columns that a row may not keep are -inf.
class RowScores {
public:
  RowScores(Emitter &e, WindowAttr window, Value length);
  /// Allocates here.
  void allocate();
  /// How many rows there is room for, an index.
  Value capacity() const { return rows; }

  ColumnRange columnsOf(Value number) {
    return e.windowOf(window, number, length);
  }

  /// Of the allowed scores of a row.
  struct Spread {
    Value largest, second, smallest, sum, sumOfSquares;
  };
  /// Brings the scores of row `number` of a sequence, of which `load` gives a
  /// chunk, together as row i.
  Spread fill(Value i, const ColumnRange &columns,
              llvm::function_ref<Real(Value)> load);
  /// How many scores of row i are not below a threshold.
  Value countAtLeast(Value i, const ColumnRange &columns, Value threshold);
  /// The smallest score of row i that is not below `low`, and the largest below
  /// `high`.
  std::pair<Value, Value> between(Value i, const ColumnRange &columns,
                                  Value low, Value high);
  /// The first column that holds the largest score (of NaN, the first of all).
  Value findLargest(Value i, const ColumnRange &columns, Value largest);

  /// Over chunks of `n` lanes that hold allowed columns: those which hold
  /// others too are checked.
  SmallVector<Value> reduceColumns(
      const ColumnRange &columns, int64_t n, ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, ValueRange, bool)> body);
  /// A chunk of row i.
  Real at(Value i, Value chunk, int64_t n);

private:
  /// A chunk's lanes.
  int64_t wide() const { return e.options.tier->floats; }

  Emitter &e;
  WindowAttr window;
  Value length, padded, rows, memory;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_ROWSCORES_H
