//===- Real.cpp - A float whose operators build operations ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Real.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

namespace {

template <typename Op> Real binary(const Real &a, const Real &b) {
  return {a.context, Op::create(a.context->builder, a.value, b.value)};
}

Value bitsOf(const Real &a) {
  ImplicitLocOpBuilder &b = a.context->builder;
  return arith::BitcastOp::create(
      b, shapedLike(a.value.getType(), b.getI32Type()), a.value);
}

Real floatOf(const Real &like, Value bits) {
  return {like.context, arith::BitcastOp::create(like.context->builder,
                                                 like.value.getType(), bits)};
}

} // namespace

Type loops::shapedLike(Type like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like))
    return vector.clone(element);
  return element;
}

Value loops::integerConstant(ImplicitLocOpBuilder &builder, Type type,
                             int64_t value) {
  TypedAttr attribute =
      builder.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, cast<Attribute>(attribute));
  return arith::ConstantOp::create(builder, attribute);
}

Real loops::operator+(const Real &a, const Real &b) {
  return binary<arith::AddFOp>(a, b);
}
Real loops::operator-(const Real &a, const Real &b) {
  return binary<arith::SubFOp>(a, b);
}
Real loops::operator*(const Real &a, const Real &b) {
  return binary<arith::MulFOp>(a, b);
}
Real loops::operator/(const Real &a, const Real &b) {
  return binary<arith::DivFOp>(a, b);
}
Real loops::operator-(const Real &a) {
  return {a.context, arith::NegFOp::create(a.context->builder, a.value)};
}

Real loops::splat(const Real &like, float c) {
  ImplicitLocOpBuilder &b = like.context->builder;
  TypedAttr attribute = b.getF32FloatAttr(c);
  if (auto vector = dyn_cast<VectorType>(like.value.getType()))
    attribute = DenseElementsAttr::get(vector, cast<Attribute>(attribute));
  return {like.context, arith::ConstantOp::create(b, attribute)};
}

RealMask loops::lessThan(const Real &a, const Real &b) {
  return {arith::CmpFOp::create(a.context->builder, arith::CmpFPredicate::OLT,
                                a.value, b.value)};
}

Real loops::select(const RealMask &m, const Real &a, const Real &b) {
  return {a.context, arith::SelectOp::create(a.context->builder, m.value,
                                             a.value, b.value)};
}

// Compare and select, as the float overloads do it: b where one is NaN. LLVM
// makes minps and maxps of it.
Real loops::minimum(const Real &a, const Real &b) {
  return select(lessThan(a, b), a, b);
}
Real loops::maximum(const Real &a, const Real &b) {
  return select(lessThan(b, a), a, b);
}

Real loops::absolute(const Real &a) {
  return {a.context, math::AbsFOp::create(a.context->builder, a.value)};
}
Real loops::sqrt(const Real &a) {
  return {a.context, math::SqrtOp::create(a.context->builder, a.value)};
}

/// 1.5 * 2^23: the sum with a smaller magnitude than 2^22 is rounded to an
/// integer, ties to even, and its bits are those of this number and the
/// integer's, added.
static constexpr float shiftBias = 12582912.0f;
static constexpr int64_t shiftBits = 0x4b400000;

Real loops::roundToEven(const Real &a) {
  Real shifted = a + splat(a, shiftBias);
  Real rounded = shifted - splat(a, shiftBias);
  rounded.shifted = shifted.value;
  rounded.unrounded = a.value;
  return rounded;
}

Real loops::roundWide(const Real &a) {
  // As the float overload: from 2^23 on every float is an integer.
  Real limit = splat(a, 8388608.0f);
  Real magnitude = absolute(a);
  Real rounded = select(lessThan(magnitude, limit), (magnitude + limit) - limit,
                        magnitude);
  return copySign(rounded, a);
}

Real loops::subtractExact(const Real &x, const Real &n, float c) {
  if (!x.context->fused)
    return x - n * splat(x, c);
  return {x.context, math::FmaOp::create(x.context->builder, (-n).value,
                                         splat(x, c).value, x.value)};
}

Real loops::multiplyAdd(const Real &a, const Real &b, const Real &c) {
  if (!a.context->fused)
    return a * b + c;
  return {a.context,
          math::FmaOp::create(a.context->builder, a.value, b.value, c.value)};
}

/// Adds to the exponent.
Real loops::scaleNormal(const Real &y, const Real &n) {
  ImplicitLocOpBuilder &b = y.context->builder;
  Value integer =
      n.shifted
          ? arith::BitcastOp::create(
                b, shapedLike(n.value.getType(), b.getI32Type()), n.shifted)
                .getResult()
          : toInteger(n, b.getI32Type());
  Value exponent = arith::ShLIOp::create(
      b, integer, integerConstant(b, integer.getType(), 23));
  return floatOf(y, arith::AddIOp::create(b, bitsOf(y), exponent));
}

Real loops::copySign(const Real &y, const Real &x) {
  return {y.context,
          math::CopySignOp::create(y.context->builder, y.value, x.value)};
}

Real loops::scaleByPowerOfTwo(const Real &y, const Real &n) {
  ImplicitLocOpBuilder &b = y.context->builder;
  Value exponent = toInteger(n, b.getI32Type());
  Value biased = arith::AddIOp::create(
      b, exponent, integerConstant(b, exponent.getType(), 127));
  Value bits = arith::ShLIOp::create(
      b, biased, integerConstant(b, exponent.getType(), 23));
  return y * floatOf(y, bits);
}

Real loops::floorLog2(const Real &a) {
  ImplicitLocOpBuilder &b = a.context->builder;
  Value bits = bitsOf(a);
  Value biased =
      arith::ShRUIOp::create(b, bits, integerConstant(b, bits.getType(), 23));
  return fromInteger(*a.context,
                     arith::SubIOp::create(
                         b, biased, integerConstant(b, bits.getType(), 127)));
}

Real loops::fromInteger(RealContext &context, Value integer) {
  ImplicitLocOpBuilder &b = context.builder;
  return {&context,
          arith::SIToFPOp::create(
              b, shapedLike(integer.getType(), b.getF32Type()), integer)};
}

Value loops::toInteger(const Real &a, Type element) {
  ImplicitLocOpBuilder &b = a.context->builder;
  Type words = shapedLike(a.value.getType(), b.getI32Type());
  Value wide;
  if (!a.shifted) {
    // Through i32: an i8 conversion would be scalar on some targets.
    wide = arith::FPToSIOp::create(b, words, a.value);
  } else {
    wide = arith::BitcastOp::create(b, words, a.shifted);
    if (element.isInteger(32))
      return arith::SubIOp::create(b, wide,
                                   integerConstant(b, words, shiftBits));
  }
  if (element.isInteger(32))
    return wide;
  return arith::TruncIOp::create(b, shapedLike(a.value.getType(), element),
                                 wide);
}
