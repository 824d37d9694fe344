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
    Real count = e.splatReal(fromInteger(e.real, e.fromIndex(length, e.i32)));
    e.forChunks(width, [&](Value offset, int64_t chunk) {
      // Row order: ((a[0] + a[1]) + a[2]) + ...
      Value first = e.loadChunk(x, {e.index(0), offset}, chunk);
      Value sum = e.forReduce(
          e.index(1), length, 1, first, [&](Value row, ValueRange carried) {
            return SmallVector<Value>{
                (e.f32(carried[0]) + e.loadReal(x, {row, offset}, chunk))
                    .value};
          })[0];
      e.storeChunk(e.f32(sum) / count, y, {e.index(0), offset}, chunk);
    });
  });
}
