//===- Quantize.cpp - Rows and heads to integers --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "fact/Numerics/FloatRules.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

namespace {

/// `width` features of one row from a column on, and where their codes go.
struct Slice {
  Value input, quantized, row, column;
  int64_t width;
};

/// Loads each chunk, applies the rule, stores the codes.
void quantizeChunks(Emitter &e, const Slice &slice,
                    llvm::function_ref<Real(const Real &)> rule) {
  e.forChunks(slice.width, [&](Value offset, int64_t chunk) {
    Value column = e.add(slice.column, offset);
    Real codes = rule(e.loadReal(slice.input, {slice.row, column}, chunk));
    e.storeChunk(toInteger(codes, e.i8), slice.quantized, {slice.row, column},
                 chunk);
  });
}

Real magnitudeOf(Emitter &e, const Slice &slice) {
  return e.largestMagnitude(slice.width, [&](Value offset, int64_t chunk) {
    return e.loadReal(slice.input, {slice.row, e.add(slice.column, offset)},
                      chunk);
  });
}

/// Returns the scale of the slice.
Value quantizeInt8(Emitter &e, const Slice &slice, const Real &magnitude) {
  Real exponent = numerics::rowExponent(magnitude);
  Real exponents = e.splatReal(exponent);
  quantizeChunks(e, slice, [&](const Real &y) {
    return numerics::quantizeInt8(y, exponents);
  });
  return numerics::rowScale(exponent);
}

Value quantizeInt4(Emitter &e, const Slice &slice, const Real &magnitude) {
  Real inverse = e.splatReal(numerics::int4Inverse(magnitude));
  quantizeChunks(e, slice, [&](const Real &y) {
    return numerics::quantizeInt4(y, inverse);
  });
  return numerics::int4Scale(magnitude);
}

} // namespace

LogicalResult loops::lower(QuantizeRowsOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getInput()), low = e.buffer(op.getLow());
  Value length = e.dim(x, 0);
  auto isOpen = [](Value tensor) {
    return cast<ShapedType>(tensor.getType()).isDynamicDim(0);
  };
  SmallVector<Value> rows(isOpen(op.getQuantized()), length),
      scales(isOpen(op.getScale()), length);
  Value quantized = e.allocResult(op.getQuantized(), rows),
        scale = e.allocResult(op.getScale(), scales);
  e.forRange(length, [&](Value row) {
    Slice slice{x, quantized, row, e.index(0), *width};
    Real magnitude = magnitudeOf(e, slice);
    auto int8 = [&] {
      return SmallVector<Value>{quantizeInt8(e, slice, magnitude)};
    };
    auto int4 = [&] {
      return SmallVector<Value>{quantizeInt4(e, slice, magnitude)};
    };
    e.store(low ? e.select(e.load(low, row), int4, int8)[0] : int8()[0], scale,
            row);
  });
  results.append({quantized, scale});
  return success();
}

LogicalResult loops::lower(QuantizeHeadsOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getInput()), rows = e.buffer(op.getRows());
  Value length = e.dim(x, 0);
  SmallVector<Value> openRows(
      cast<ShapedType>(op.getQuantized().getType()).isDynamicDim(0), length);
  SmallVector<Value> openColumns(
      cast<ShapedType>(op.getScale().getType()).isDynamicDim(1), length);
  Value quantized = e.allocResult(op.getQuantized(), openRows),
        scale = e.allocResult(op.getScale(), openColumns);
  int64_t heads = op.getHeads(), headSize = *width / heads;
  forEachSlice(e, length, heads, rows, [&](Value row, Value head) {
    Slice slice{x, quantized, row, e.mul(head, headSize), headSize};
    e.store(quantizeInt8(e, slice, magnitudeOf(e, slice)), scale, {head, row});
  });
  results.append({quantized, scale});
  return success();
}
