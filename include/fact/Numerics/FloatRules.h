//===- FloatRules.h - The float rules, once for every value type ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every float32 rule of docs/numerics.md as a template over the value that it
// computes with. The same text serves a float, a vector of floats and a
// compiler's value whose operators build instructions, so that no two back
// ends can drift apart. Each operator is one IEEE-754 binary32 operation,
// rounded to nearest even; compile with -ffp-contract=off.
//
// Concept `Value`: what a type F must offer. Everything but the operators is a
// free function, found by argument-dependent lookup in the namespace of F (the
// float overloads are below). M is whatever lessThan returns for an F.
//
//   F a + b, a - b, a * b, a / b     one rounded operation each
//   F -a                             flips the sign bit
//   F splat(like, float c)           c in the shape (lanes, builder) of `like`
//   F minimum(a, b), maximum(a, b)   valid input brings no NaN here; the sign
//                                    of a zero result has no effect
//   F absolute(a)                    clears the sign bit
//   F sqrt(a)                        correctly rounded
//   F roundToEven(a)                 nearest integer, ties to even; |a| <=
//   2^17;
//                                    the sign of a zero result has no effect
//   F scaleByPowerOfTwo(y, n)        y * 2^n, one rounding; n integral in
//                                    -126..127 (multiply by a float with the
//                                    bits (n + 127) << 23)
//   F floorLog2(a)                   floor(log2 a) of a normal a > 0, that is
//                                    (bits >> 23) - 127, as a value
//   M lessThan(a, b)                 a < b
//   F select(M m, a, b)              m ? a : b
//
// These have a definition in terms of the others, below; a type that can do
// them in fewer instructions overloads them:
//
//   F roundWide(a)                   roundToEven for |a| <= 2^30
//   F subtractExact(x, n, float c)   x - n * c where n * c is exact
//   F scaleNormal(y, n)              y * 2^n where y is in 1/2..2 and the
//   result
//                                    is normal
//   F copySign(y, x)                 -y where x < 0, else y, for y >= 0; the
//   sign
//                                    of a zero result has no effect
//
// Integers enter as values that were converted from INT32 (one rounding), and
// quantized results leave as integral values that convert exactly.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_FLOATRULES_H
#define FACT_NUMERICS_FLOATRULES_H

#include <cstdint>
#include <cstring>

namespace fact::numerics {

//===----------------------------------------------------------------------===//
// The concept for float. These stand before the templates because
// argument-dependent lookup finds nothing for a built-in type.
//===----------------------------------------------------------------------===//

inline int32_t bitsOf(float a) {
  int32_t bits;
  std::memcpy(&bits, &a, sizeof bits);
  return bits;
}

inline float floatOf(int32_t bits) {
  float a;
  std::memcpy(&a, &bits, sizeof a);
  return a;
}

inline float splat(const float &, float c) { return c; }
/// Both return b where an operand is NaN (as minps and maxps do), so that the
/// clamps of the rules drop it.
inline float minimum(float a, float b) { return a < b ? a : b; }
inline float maximum(float a, float b) { return a > b ? a : b; }
inline float absolute(float a) { return floatOf(bitsOf(a) & 0x7fffffff); }
inline float sqrt(float a) { return __builtin_sqrtf(a); }
inline bool lessThan(float a, float b) { return a < b; }
inline float select(bool m, float a, float b) { return m ? a : b; }

/// Adding and taking away 2^23 rounds a smaller magnitude to even without a
/// library call, and in a form that vectorises; from 2^23 on all are integers.
inline float roundToEven(float a) {
  const float limit = 8388608.0f;
  float magnitude = absolute(a);
  float rounded = (magnitude + limit) - limit;
  rounded = magnitude < limit ? rounded : magnitude;
  return floatOf(bitsOf(rounded) | (bitsOf(a) & INT32_MIN));
}

/// 2^n as a float, for n in -126..127.
inline float powerOfTwo(int32_t n) {
  return floatOf(static_cast<int32_t>(static_cast<uint32_t>(n + 127) << 23));
}

inline float scaleByPowerOfTwo(float y, float n) {
  return y * powerOfTwo(static_cast<int32_t>(n));
}

inline float floorLog2(float a) {
  return static_cast<float>((bitsOf(a) >> 23) - 127);
}

/// e of a scale 2^e.
inline int32_t exponentOfScale(float scale) {
  return (bitsOf(scale) >> 23) - 127;
}

//===----------------------------------------------------------------------===//
// What follows from the others.
//===----------------------------------------------------------------------===//

template <typename F> F roundWide(const F &a) { return roundToEven(a); }
template <typename F> F subtractExact(const F &x, const F &n, float c) {
  return x - n * splat(x, c);
}
template <typename F> F scaleNormal(const F &y, const F &n) {
  return scaleByPowerOfTwo(y, n);
}
template <typename F> F copySign(const F &y, const F &x) {
  return select(lessThan(x, splat(x, 0.0f)), -y, y);
}

//===----------------------------------------------------------------------===//
// Functions (section 2)
//===----------------------------------------------------------------------===//

/// Horner's scheme in `x`, highest coefficient first.
template <typename F, int N>
F horner(const F &x, const float (&coefficients)[N]) {
  F p = splat(x, coefficients[0]);
  for (int i = 1; i < N; ++i)
    p = p * x + splat(x, coefficients[i]);
  return p;
}

/// e^x of x in -87..88; never 0. Coefficients: Cephes expf. n * 0.693359375 is
/// exact, and the polynomial is in 0.7..1.5.
template <typename F> F expWithin(const F &x) {
  F n = roundToEven(x * splat(x, 1.44269504f));
  F r = subtractExact(x, n, 0.693359375f);
  r = r - n * splat(x, -2.12194440e-4f);
  F p = horner(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                   4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f});
  F y = p * (r * r);
  y = y + r;
  y = y + splat(x, 1.0f);
  return scaleNormal(y, n);
}

/// The same of x <= 88, clamped to -87.
template <typename F> F expBelow(const F &x) {
  return numerics::expWithin<F>(maximum(x, splat(x, -87.0f)));
}

/// The same of any x, clamped to -87..88.
template <typename F> F exp(const F &x) {
  return numerics::expWithin<F>(
      minimum(maximum(x, splat(x, -87.0f)), splat(x, 88.0f)));
}

/// erf through a minimax polynomial of erfcx (error 2.3e-6), exact at 0. From 4
/// on, where the polynomial is worth nothing, it is 1.
template <typename F> F erf(const F &x) {
  F a = absolute(x);
  F p = horner(a, {0.00125360535f, -0.0142963668f, 0.0717593729f, -0.21555911f,
                   0.451895565f, -0.736792624f, 0.997578084f, -1.12825f, 1.0f});
  F y = splat(x, 1.0f) - p * numerics::expBelow<F>(-(a * a));
  y = select(lessThan(a, splat(x, 4.0f)), y, splat(x, 1.0f));
  return copySign(y, x);
}

/// GELU by erf.
template <typename F> F gelu(const F &x) {
  F half = splat(x, 0.5f) * x;
  return half * (splat(x, 1.0f) + numerics::erf<F>(x * splat(x, 0.70710678f)));
}

/// GELU by its tanh approximation, written as a sigmoid.
template <typename F> F geluTanh(const F &x) {
  F cube = (x * x) * x;
  F t = splat(x, -1.5957691f) * (x + splat(x, 0.044715f) * cube);
  return x / (splat(x, 1.0f) + numerics::exp<F>(t));
}

/// x * sigmoid(x).
template <typename F> F swish(const F &x) {
  return x / (splat(x, 1.0f) + numerics::exp<F>(-x));
}

/// GELU by its cheapest approximation, x * sigmoid(1.702 x).
template <typename F> F quickGelu(const F &x) {
  return x / (splat(x, 1.0f) + numerics::exp<F>(x * splat(x, -1.702f)));
}

/// x where x > 0, else +0.
template <typename F> F relu(const F &x) {
  F zero = splat(x, 0.0f);
  return select(lessThan(zero, x), x, zero);
}

/// Number of lane sums that rsum starts with.
inline constexpr int rsumLanes = 16;

/// Second half of rsum: 16 lane sums to one. Lane i is the sum, started at +0,
/// of elements i, i + 16, i + 32, ... in that order.
template <typename F> F rsumTree(const F (&lanes)[rsumLanes]) {
  F a0 = lanes[0] + lanes[8], a1 = lanes[1] + lanes[9];
  F a2 = lanes[2] + lanes[10], a3 = lanes[3] + lanes[11];
  F a4 = lanes[4] + lanes[12], a5 = lanes[5] + lanes[13];
  F a6 = lanes[6] + lanes[14], a7 = lanes[7] + lanes[15];
  F b0 = a0 + a4, b1 = a1 + a5, b2 = a2 + a6, b3 = a3 + a7;
  F c0 = b0 + b2, c1 = b1 + b3;
  return c0 + c1;
}

/// 1 / sqrt(var + eps), with var = rsum(c * c) / n: c is centred for a layer
/// norm, the element itself for an RMS norm.
template <typename F>
F inverseDeviation(const F &squares, const F &n, const F &epsilon) {
  F variance = squares / n;
  return splat(squares, 1.0f) / sqrt(variance + epsilon);
}

/// Norm of one element c (see above); a beta, if there is one, is added with
/// one more operation.
template <typename F>
F normalize(const F &c, const F &inverse, const F &gamma) {
  return (c * inverse) * gamma;
}

//===----------------------------------------------------------------------===//
// Rotary embedding (section 10)
//===----------------------------------------------------------------------===//

/// The first and the second feature of a rotated pair (a, b).
template <typename F>
F rotatedFirst(const F &a, const F &b, const F &cos, const F &sin) {
  return a * cos - b * sin;
}
template <typename F>
F rotatedSecond(const F &a, const F &b, const F &cos, const F &sin) {
  return b * cos + a * sin;
}

//===----------------------------------------------------------------------===//
// Formats (section 1)
//===----------------------------------------------------------------------===//

inline constexpr float smallestMagnitude = 0x1p-100f;

/// The exponent of an INT8 row from its largest magnitude: the smallest
/// integer e >= -100 with amax <= 127 * 2^e, as a value.
template <typename F> F rowExponent(const F &amax) {
  F e = floorLog2(maximum(amax, splat(amax, smallestMagnitude))) -
        splat(amax, 6.0f);
  F largest = scaleByPowerOfTwo(splat(amax, 127.0f), e);
  e = select(lessThan(largest, amax), e + splat(amax, 1.0f), e);
  return maximum(e, splat(amax, -100.0f));
}

/// The scale 2^e of an exponent as it comes out of rowExponent.
template <typename F> F rowScale(const F &exponent) {
  return scaleByPowerOfTwo(splat(exponent, 1.0f), exponent);
}

/// One element of an INT8 row: rne(y * 2^-e), integral in -127..127.
template <typename F> F quantizeInt8(const F &y, const F &exponent) {
  return roundToEven(scaleByPowerOfTwo(y, -exponent));
}

template <typename F> F clampMagnitude(const F &x, float limit) {
  return minimum(maximum(x, splat(x, -limit)), splat(x, limit));
}

/// amax, or `instead` where it is below 2^-100.
template <typename F> F magnitudeOr(const F &amax, float instead) {
  return select(lessThan(amax, splat(amax, smallestMagnitude)),
                splat(amax, instead), amax);
}

/// Scale s of an INT4 row from its largest magnitude.
template <typename F> F int4Scale(const F &amax) {
  return magnitudeOr(amax, 7.0f) / splat(amax, 7.0f);
}

/// Factor by which the elements of an INT4 row are multiplied before rounding
/// (7 / amax, not 1 / s).
template <typename F> F int4Inverse(const F &amax) {
  return splat(amax, 7.0f) / magnitudeOr(amax, 7.0f);
}

/// One element of an INT4 row, integral in -7..7.
template <typename F> F quantizeInt4(const F &y, const F &inverse) {
  return clampMagnitude(roundToEven(y * inverse), 7.0f);
}

/// Largest code of INT8 weights and of predictor weights.
inline constexpr float weightLimit = 119.0f;
inline constexpr float predictorWeightLimit = 127.0f;

/// Scale of weights with codes up to `limit` from their largest magnitude.
template <typename F> F weightScale(const F &amax, float limit) {
  return magnitudeOr(amax, limit) / splat(amax, limit);
}

/// One weight, integral in -limit..limit.
template <typename F>
F quantizeWeight(const F &w, const F &scale, float limit) {
  return clampMagnitude(roundToEven(w / scale), limit);
}

//===----------------------------------------------------------------------===//
// Linear layers and prediction (sections 3 and 4)
//===----------------------------------------------------------------------===//

/// A linear layer's INT sum as float: (f32(acc) * s_w) * row scale; the bias,
/// if there is one, is added with one more operation. For the high weight
/// plane s_w is 16 * s.
template <typename F>
F rescale(const F &acc, const F &channelScale, const F &scaleOfRow) {
  return (acc * channelScale) * scaleOfRow;
}

/// Bias of one Q channel for the predictor, compile time:
/// (b * bias gain) / scale of Wq's predictor weights.
template <typename F>
F predictorBias(const F &bias, const F &biasGain, const F &scaleOfWeights) {
  return (bias * biasGain) / scaleOfWeights;
}

/// What predictorBias adds to H in a row with scale 2^e, integral.
template <typename F> F predictorBiasOfRow(const F &bias, const F &scaleOfRow) {
  return roundWide(clampMagnitude(bias / scaleOfRow, 0x1p30f));
}

/// A predicted row's bias of one channel where Q or K is dressed (section 10),
/// compile time.
template <typename F> F dressedBias(const F &bias, const F &biasGain) {
  return bias * biasGain;
}

/// Score T of one row and column: f32(A) * 2^(sk_j + e_j).
template <typename F> F predictedScore(const F &acc, const F &scaleOfColumn) {
  return acc * scaleOfColumn;
}

/// The unit of a row of T in logits: (2^sq * 2^e) * ((s_pq * s_pk) * scale).
template <typename F>
F predictorUnit(const F &shiftScale, const F &scaleOfRow, const F &scaleQuery,
                const F &scaleKey, const F &scale) {
  return (shiftScale * scaleOfRow) * ((scaleQuery * scaleKey) * scale);
}

/// Distance of the two largest scores of a row in compensated logits.
template <typename F>
F dominanceGap(const F &first, const F &second, const F &unit,
               const F &logitGain) {
  return ((first - second) * unit) * logitGain;
}

//===----------------------------------------------------------------------===//
// Attention (section 6)
//===----------------------------------------------------------------------===//

/// 2^eq * scale, the factor of a row of scores.
template <typename F> F queryFactor(const F &scaleOfQuery, const F &scale) {
  return scaleOfQuery * scale;
}

/// S of one column: (f32(acc) * 2^ek) * (2^eq * scale).
template <typename F>
F score(const F &acc, const F &scaleOfKey, const F &factorOfQuery) {
  return (acc * scaleOfKey) * factorOfQuery;
}

/// E of one column, in (0, 1], from S - mx.
template <typename F> F softmaxTerm(const F &difference) {
  return numerics::expBelow<F>(difference);
}

/// The same from S and mx.
template <typename F> F softmaxTerm(const F &s, const F &largest) {
  return numerics::softmaxTerm<F>(s - largest);
}

/// What one column adds to the INT sum of the denominator, integral.
template <typename F> F denominatorTerm(const F &e) {
  return roundToEven(e * splat(e, 65535.0f));
}

template <typename F> F denominator(const F &sum) {
  return sum / splat(sum, 65535.0f);
}

/// g of one column.
template <typename F> F weightedTerm(const F &e, const F &scaleOfValue) {
  return e * scaleOfValue;
}

/// 255 / gm, the factor of a row of probabilities.
template <typename F> F probabilityFactor(const F &largest) {
  return splat(largest, 255.0f) / largest;
}

/// p8 of one column, integral in 0..255.
template <typename F> F probability(const F &g, const F &factor) {
  return roundToEven(g * factor);
}

/// num of one channel from its INT sum: f32(acc) * (gm / 255).
template <typename F> F numerator(const F &acc, const F &largest) {
  return acc * (largest / splat(largest, 255.0f));
}

/// r = exp(mx - mt), what the tail multiplies num and den with;
/// mt = max(mx, sb).
template <typename F> F tailShrink(const F &largest, const F &tailScore) {
  return numerics::expBelow<F>(largest - maximum(largest, tailScore));
}

/// w = exp(sb - mt) * f32(miss), the weight of the mean token.
template <typename F>
F tailWeight(const F &largest, const F &tailScore, const F &missing) {
  return numerics::expBelow<F>(tailScore - maximum(largest, tailScore)) *
         missing;
}

/// num of one channel with the tail in; `value` is f32(vb8) * 2^evb.
template <typename F>
F numeratorWithTail(const F &num, const F &shrink, const F &weight,
                    const F &value) {
  return (num * shrink) + (weight * value);
}

template <typename F>
F denominatorWithTail(const F &den, const F &shrink, const F &weight) {
  return (den * shrink) + weight;
}

/// ctx of one channel is num * inverseDenominator(den).
template <typename F> F inverseDenominator(const F &den) {
  return splat(den, 1.0f) / den;
}

} // namespace fact::numerics

#endif // FACT_NUMERICS_FLOATRULES_H
