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
  /// One row of one head. `load` gives 16 scores of the row from an offset on;
  /// those outside of the row's window may be anything.
  void row(Value head, Value row, Value unit,
           llvm::function_ref<Real(Value)> load);

  void finish();

private:
  int64_t heads();
  void keepThreshold(const ColumnRange &columns, Value kept, Value smallest,
                     Value largest);
  void keepTies(const ColumnRange &columns, Value threshold, Value wanted);
  Value countAtLeast(const ColumnRange &chunks, Value threshold);

  SelectOp op;
  Emitter &e;
  Value length, padded;
  Value keepNumber, dominanceNumber; ///< memory of the policy, or null
  Value keepShare, dominanceGap;     ///< index, f32
  Value mask, maskBytes, dominated, argmax, count;
  Value keys;   ///< scratch: scores of the row as integers that order alike
  Value kept;   ///< scratch: the row's mask as bytes
  Value counts; ///< scratch: counts of 32 bits of each head
  Value countsOfHead; ///< where those of a head begin
};

/// mask[head][row] as 16 bytes from `offset` on into scratch memory, padded.
void loadMaskRow(Emitter &e, Value maskBytes, Value head, Value row,
                 Value length, Value scratch);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_SELECTION_H
