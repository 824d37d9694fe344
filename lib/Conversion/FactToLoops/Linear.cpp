//===- Linear.cpp - Linear layers on quantized rows -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gemm.h"
#include "Lowerings.h"

#include "fact/Numerics/FloatRules.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

/// (w + 8) >> 4. A weight is at most 119, so that i8 is enough.
static Value highPlane(Emitter &e, Value codes) {
  Value rounded =
      arith::AddIOp::create(e.b, codes, e.integer(codes.getType(), 8));
  return arith::ShRSIOp::create(e.b, rounded, e.integer(codes.getType(), 4));
}

LogicalResult loops::lower(QuantizedLinearOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> k = knownWidth(op, op.getInput()),
                     n = knownWidth(op, op.getWeight());
  if (failed(k) || failed(n))
    return failure();
  Value x = e.buffer(op.getInput()), scale = e.buffer(op.getScale()),
        weight = e.buffer(op.getWeight());
  Value weightScale = e.buffer(op.getWeightScale()),
        bias = e.buffer(op.getBias());
  Value low = e.buffer(op.getLow()), rows = e.buffer(op.getRows());
  Value length = e.dim(x, 0);
  SmallVector<Value> open(
      cast<ShapedType>(op.getResult().getType()).isDynamicDim(0), length);
  Value y = e.allocResult(op.getResult(), open);

  bool split = low && *op.getPrecision() == LowPrecision::A4W4;
  int64_t segments =
              rows ? cast<ShapedType>(op.getRows().getType()).getDimSize(0) : 1,
          segment = *n / segments;
  GemmScratch scratch(e, *k, segment);
  Value memory = rows || split
                     ? e.alloc(e.b.getIndexType(), {ShapedType::kDynamic},
                               e.add(length, 1))
                     : Value();

  // One pass over the rows that use one plane of the weights.
  auto product = [&](Value head, bool high) {
    RowList list{length, {}};
    if (memory)
      list = listRows(e, memory, length, [&](Value row) {
        Value keeps = rows ? e.load(rows, {head, row}) : e.integer(e.i1, 1);
        if (!split)
          return keeps;
        Value wanted =
            arith::CmpIOp::create(e.b, arith::CmpIPredicate::eq,
                                  e.load(low, row), e.integer(e.i1, high));
        return arith::AndIOp::create(e.b, keeps, wanted).getResult();
      });
    e.ifThen(e.compare(arith::CmpIPredicate::ugt, list.count, e.index(0)), [&] {
      Value column = e.mul(head, segment);
      if (high)
        packColumns(e, weight, column, scratch,
                    [&](Value codes) { return highPlane(e, codes); });
      else
        packColumns(e, weight, column, scratch);
      multiplyRows(e, x, list, scratch, [&](Value row, auto forSums) {
        Real rowScale = e.splatReal(e.load(scale, row));
        forSums([&](Value offset, int64_t width, Value sums) {
          Value at = e.add(column, offset);
          Real channelScale = e.loadReal(weightScale, at, width);
          if (high)
            channelScale = splat(channelScale, 16.0f) * channelScale;
          Real result = numerics::rescale(fromInteger(e.real, sums),
                                          channelScale, rowScale);
          if (bias)
            result = result + e.loadReal(bias, at, width);
          e.storeChunk(result, y, {row, at}, width);
        });
      });
    });
  };
  e.forRange(e.index(segments), [&](Value head) {
    product(head, false);
    if (split)
      product(head, true);
  });
  results.push_back(y);
  return success();
}

LogicalResult loops::lower(LogMatmulOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> k = knownWidth(op, op.getInput()),
                     n = knownWidth(op, op.getWeight());
  if (failed(k) || failed(n))
    return failure();
  Value x = e.buffer(op.getInput()), weight = e.buffer(op.getWeight());
  Value bias = e.buffer(op.getBias()), scale = e.buffer(op.getScale());
  Value length = e.dim(x, 0);
  SmallVector<Value> open(
      cast<ShapedType>(op.getResult().getType()).isDynamicDim(0), length);
  Value y = e.allocResult(op.getResult(), open);
  GemmScratch scratch(e, *k, *n);
  packColumns(e, weight, e.index(0), scratch);
  // Signed powers of two are ordinary integers to a multiplier.
  multiplyRows(
      e, x, RowList{length, {}}, scratch, [&](Value row, auto forSums) {
        Real rowScale = bias ? e.splatReal(e.load(scale, row)) : Real{};
        forSums([&](Value offset, int64_t width, Value sums) {
          if (bias) {
            // Lanes past the row divide 0, not garbage.
            Real term = numerics::predictorBiasOfRow(
                e.loadReal(bias, offset, width), rowScale);
            sums = arith::AddIOp::create(e.b, sums, toInteger(term, e.i32));
          }
          e.storeChunk(sums, y, {row, offset}, width);
        });
      });
  results.push_back(y);
  return success();
}
