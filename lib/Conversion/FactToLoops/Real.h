//===- Real.h - A float whose operators build operations ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The value type with which the CPU lowering instantiates the float rules of
// fact/Numerics/FloatRules.h: an f32 or a vector<16xf32> in the IR. Every
// operator is one arith or math operation without fast-math flags.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_REAL_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_REAL_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::fact::loops {

/// A builder, and what the target can do.
struct RealContext {
  ImplicitLocOpBuilder &builder;
  /// Whether a multiplication and an addition with one rounding are one
  /// instruction.
  bool fused;
};

struct Real {
  RealContext *context = nullptr;
  Value value;
  /// Where value was rounded by adding it: value + 1.5 * 2^23, whose bits end
  /// in those of the integer.
  Value shifted = {};
  /// And what it was before.
  Value unrounded = {};

  operator Value() const { return value; }
};

struct RealMask {
  Value value;
};

Real operator+(const Real &a, const Real &b);
Real operator-(const Real &a, const Real &b);
Real operator*(const Real &a, const Real &b);
Real operator/(const Real &a, const Real &b);
Real operator-(const Real &a);

/// The customization points of FloatRules.h.
Real splat(const Real &like, float c);
Real minimum(const Real &a, const Real &b);
Real maximum(const Real &a, const Real &b);
Real absolute(const Real &a);
Real sqrt(const Real &a);
Real roundToEven(const Real &a);
Real scaleByPowerOfTwo(const Real &y, const Real &n);
Real floorLog2(const Real &a);
Real roundWide(const Real &a);
Real subtractExact(const Real &x, const Real &n, float c);
Real scaleNormal(const Real &y, const Real &n);
Real copySign(const Real &y, const Real &x);
RealMask lessThan(const Real &a, const Real &b);
Real select(const RealMask &m, const Real &a, const Real &b);

/// a * b + c; the product may be rounded or not, as is cheaper. No result may
/// depend on that: the product is exact, say.
Real multiplyAdd(const Real &a, const Real &b, const Real &c);

/// The same shape as `like` with another element type.
Type shapedLike(Type like, Type element);

/// A constant of `type` (scalar or vector of integers or floats).
Value integerConstant(ImplicitLocOpBuilder &builder, Type type, int64_t value);

/// From and to integers of 32 bits in the same shape. An integral value within
/// the range of i32 converts exactly.
Real fromInteger(RealContext &context, Value integer);
Value toInteger(const Real &a, Type element);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_REAL_H
