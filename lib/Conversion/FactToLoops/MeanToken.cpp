//===- MeanToken.cpp - The mean of all rows -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

void loops::lower(MeanTokenOp op, Emitter &e) {
  Value x = e.buffer(op.getInput());
  Value length = e.extent(op.getInput(), 0);
  Value y = e.allocResult(op.getResult(), length);
  int64_t width = cast<ShapedType>(op.getInput().getType()).getDimSize(1);
  e.part("mean_token", op.getOperation(), [&] {
    auto sums = [&](Value column, int64_t n, int64_t chunk) {
      return e.f32(e.loadLanes(y, {e.index(0), column}, n, chunk));
    };
    // Rows as they lie in memory: ((a[0] + a[1]) + a[2]) + ...
    auto addRow = [&](Value row, bool isFirst) {
      e.forVectors(width, [&](Value column, int64_t n, int64_t chunk) {
        Real values = e.f32(e.loadLanes(x, {row, column}, n, chunk));
        if (!isFirst)
          values = sums(column, n, chunk) + values;
        e.storeChunk(values, y, {e.index(0), column}, chunk);
      });
    };
    addRow(e.index(0), true);
    e.forRange(e.index(1), length, 1, [&](Value row) { addRow(row, false); });
    Real count = fromInteger(e.real, e.fromIndex(length, e.i32));
    e.forVectors(width, [&](Value column, int64_t n, int64_t chunk) {
      e.storeChunk(sums(column, n, chunk) / e.splatReal(count, n), y,
                   {e.index(0), column}, chunk);
    });
  });
}
