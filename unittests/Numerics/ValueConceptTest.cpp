//===- ValueConceptTest.cpp - The float rules over other values -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Instantiates every rule of FloatRules.h for a value that offers the concept
// `Value` and nothing else, and compares its bits with the float rules.
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/FloatRules.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace other {

/// Two lanes in a namespace of their own: found by argument-dependent lookup
/// or not at all.
class Lanes {
public:
  explicit Lanes(float a, float b) : lane{a, b} {}
  float operator[](int i) const { return lane[i]; }

private:
  float lane[2];
};

class LaneMask {
public:
  explicit LaneMask(bool a, bool b) : lane{a, b} {}
  bool operator[](int i) const { return lane[i]; }

private:
  bool lane[2];
};

template <typename Function> Lanes map(Function f, const Lanes &a) {
  return Lanes(f(a[0]), f(a[1]));
}
template <typename Function>
Lanes map(Function f, const Lanes &a, const Lanes &b) {
  return Lanes(f(a[0], b[0]), f(a[1], b[1]));
}

Lanes operator+(const Lanes &a, const Lanes &b) {
  return map(std::plus<float>(), a, b);
}
Lanes operator-(const Lanes &a, const Lanes &b) {
  return map(std::minus<float>(), a, b);
}
Lanes operator*(const Lanes &a, const Lanes &b) {
  return map(std::multiplies<float>(), a, b);
}
Lanes operator/(const Lanes &a, const Lanes &b) {
  return map(std::divides<float>(), a, b);
}
Lanes operator-(const Lanes &a) { return map(std::negate<float>(), a); }
Lanes splat(const Lanes &, float c) { return Lanes(c, c); }
Lanes minimum(const Lanes &a, const Lanes &b) {
  return map([](float x, float y) { return std::fmin(x, y); }, a, b);
}
Lanes maximum(const Lanes &a, const Lanes &b) {
  return map([](float x, float y) { return std::fmax(x, y); }, a, b);
}
Lanes absolute(const Lanes &a) {
  return map([](float x) { return std::fabs(x); }, a);
}
Lanes sqrt(const Lanes &a) {
  return map([](float x) { return std::sqrt(x); }, a);
}
Lanes roundToEven(const Lanes &a) {
  return map([](float x) { return std::nearbyint(x); }, a);
}
Lanes scaleByPowerOfTwo(const Lanes &y, const Lanes &n) {
  return map(
      [](float x, float e) { return std::ldexp(x, static_cast<int>(e)); }, y,
      n);
}
Lanes floorLog2(const Lanes &a) {
  return map([](float x) { return static_cast<float>(std::ilogb(x)); }, a);
}
LaneMask lessThan(const Lanes &a, const Lanes &b) {
  return LaneMask(a[0] < b[0], a[1] < b[1]);
}
Lanes select(const LaneMask &m, const Lanes &a, const Lanes &b) {
  return Lanes(m[0] ? a[0] : b[0], m[1] ? a[1] : b[1]);
}

} // namespace other

namespace {

using namespace fact;
using other::Lanes;
// For the float side of the generic lambdas below.
using numerics::absolute;
using numerics::maximum;
using numerics::splat;

void expectSame(const Lanes &actual, float first, float second,
                const char *rule, float a, float b) {
  // Zeros of either sign are one value to the contract.
  auto bits = [](float x) { return numerics::bitsOf(x + 0.0f); };
  EXPECT_EQ(bits(actual[0]), bits(first)) << rule << " of " << a;
  EXPECT_EQ(bits(actual[1]), bits(second)) << rule << " of " << b;
}

/// Calls a generic lambda with a pair of values as floats and as lanes.
#define CHECK_RULE(values, rule)                                               \
  do {                                                                         \
    auto f = [](const auto &x, const auto &y) { return rule; };                \
    for (size_t i = 0; i + 3 < values.size(); ++i)                             \
      expectSame(f(Lanes(values[i], values[i + 1]),                            \
                   Lanes(values[i + 2], values[i + 3])),                       \
                 f(values[i], values[i + 2]), f(values[i + 1], values[i + 3]), \
                 #rule, values[i], values[i + 1]);                             \
  } while (false)

std::vector<float> samples() {
  std::vector<float> result = {0.0f,   -0.0f,     1.0f,     -1.0f,
                               4.0f,   -4.0f,     87.0f,    88.5f,
                               -90.0f, 0x1p-120f, 127.0f,   127.00001f,
                               254.0f, 0x1p50f,   -0x1p50f, 3.99999f};
  std::mt19937 random(7);
  std::uniform_real_distribution<float> mantissa(-2, 2);
  std::uniform_int_distribution<int> exponent(-30, 30);
  for (int i = 0; i < 4000; ++i)
    result.push_back(std::ldexp(mantissa(random), exponent(random)));
  for (int i = 0; i < 4000; ++i)
    result.push_back(8 * mantissa(random));
  return result;
}

TEST(ValueConceptTest, Functions) {
  std::vector<float> v = samples();
  CHECK_RULE(v, (void(y), numerics::exp(x)));
  CHECK_RULE(v, (void(y), numerics::erf(x)));
  CHECK_RULE(v, (void(y), numerics::gelu(x)));
  CHECK_RULE(v, (void(y), numerics::geluTanh(x)));
  CHECK_RULE(v, (void(y), numerics::swish(x)));
  CHECK_RULE(v, (void(y), numerics::relu(x)));
  CHECK_RULE(
      v, numerics::inverseDeviation(x * x, splat(x, 32.0f), splat(y, 1e-5f)));
  CHECK_RULE(v, numerics::normalize(x, y, x));
}

TEST(ValueConceptTest, RsumTree) {
  std::vector<float> v = samples();
  for (size_t i = 0; i + 32 < v.size(); i += 32) {
    float first[16], second[16];
    std::copy_n(v.begin() + i, 16, first);
    std::copy_n(v.begin() + i + 16, 16, second);
#define LANE(k) Lanes(first[k], second[k])
    Lanes both[16] = {LANE(0),  LANE(1),  LANE(2),  LANE(3), LANE(4),  LANE(5),
                      LANE(6),  LANE(7),  LANE(8),  LANE(9), LANE(10), LANE(11),
                      LANE(12), LANE(13), LANE(14), LANE(15)};
#undef LANE
    expectSame(numerics::rsumTree(both), numerics::rsumTree(first),
               numerics::rsumTree(second), "rsumTree", first[0], second[0]);
  }
}

TEST(ValueConceptTest, Formats) {
  std::vector<float> v = samples();
  CHECK_RULE(v, numerics::rowExponent(absolute(x) + absolute(y)));
  CHECK_RULE(v, numerics::rowScale(numerics::rowExponent(absolute(x))));
  CHECK_RULE(v, (void(y), numerics::quantizeInt8(
                              x, numerics::rowExponent(absolute(x)))));
  CHECK_RULE(v, (void(y), numerics::int4Scale(absolute(x))));
  CHECK_RULE(v, (void(y), numerics::int4Inverse(absolute(x))));
  CHECK_RULE(v, numerics::quantizeInt4(x, numerics::int4Inverse(maximum(
                                              absolute(x), absolute(y)))));
  CHECK_RULE(v, (void(y), numerics::weightScale(absolute(x), 119.0f)));
  CHECK_RULE(v, numerics::quantizeWeight(
                    x, numerics::weightScale(absolute(y), 127.0f), 127.0f));
}

TEST(ValueConceptTest, LinearAndPrediction) {
  std::vector<float> v = samples();
  CHECK_RULE(v, numerics::rescale(x, y, x));
  CHECK_RULE(v, numerics::predictorBias(x, y, splat(x, 0.3f)));
  CHECK_RULE(v, (void(y), numerics::predictorBiasOfRow(x, splat(x, 0x1p-6f))));
  CHECK_RULE(v, numerics::predictedScore(x, y));
  CHECK_RULE(v, numerics::predictorUnit(x, y, splat(x, 0.1f), splat(x, 0.3f),
                                        splat(x, 0.25f)));
  CHECK_RULE(v, numerics::dominanceGap(x, y, x, splat(x, 6.4f)));
}

TEST(ValueConceptTest, Attention) {
  std::vector<float> v = samples();
  CHECK_RULE(v, numerics::score(x, y, numerics::queryFactor(x, y)));
  CHECK_RULE(v, numerics::softmaxTerm(x, maximum(x, y)));
  CHECK_RULE(
      v, numerics::denominatorTerm(numerics::softmaxTerm(x, maximum(x, y))));
  CHECK_RULE(v, (void(y), numerics::denominator(x)));
  CHECK_RULE(v, numerics::weightedTerm(x, y));
  CHECK_RULE(v, numerics::probability(absolute(x),
                                      numerics::probabilityFactor(maximum(
                                          splat(x, 0x1p-60f),
                                          maximum(absolute(x), absolute(y))))));
  CHECK_RULE(v, numerics::numerator(x, y));
  CHECK_RULE(v, numerics::tailShrink(x, y));
  CHECK_RULE(v, numerics::tailWeight(x, y, splat(x, 17.0f)));
  CHECK_RULE(v, numerics::numeratorWithTail(x, y, y, x));
  CHECK_RULE(v, numerics::denominatorWithTail(x, y, y));
  CHECK_RULE(
      v, (void(y), numerics::inverseDenominator(absolute(x) + splat(x, 1.0f))));
}

TEST(ValueConceptTest, RoundToEvenAgreesWithTheLibrary) {
  std::mt19937 random(11);
  std::uniform_int_distribution<int32_t> bits(0, 0x4e800000); // up to 2^30
  for (int i = 0; i < 200000; ++i) {
    float x = numerics::floatOf(bits(random));
    EXPECT_EQ(numerics::roundToEven(x), std::nearbyint(x)) << x;
    EXPECT_EQ(numerics::roundToEven(-x), std::nearbyint(-x)) << -x;
  }
  for (int32_t n = -40; n <= 40; ++n) {
    float x = 0.5f * n;
    EXPECT_EQ(numerics::roundToEven(x), std::nearbyint(x)) << x;
    x += 4194304.0f;
    EXPECT_EQ(numerics::roundToEven(x), std::nearbyint(x)) << x;
    x += 4194304.0f;
    EXPECT_EQ(numerics::roundToEven(x), std::nearbyint(x)) << x;
  }
}

TEST(ValueConceptTest, RowExponentIsTheSmallestThatHolds) {
  std::vector<float> v = samples();
  for (float x : v) {
    float amax = std::fabs(x);
    int e = static_cast<int>(numerics::rowExponent(amax));
    EXPECT_GE(e, -100);
    EXPECT_LE(amax, std::ldexp(127.0, e));
    if (e > -100) {
      EXPECT_GT(amax, std::ldexp(127.0, e - 1));
    }
  }
}

TEST(ValueConceptTest, NothingOfWrongInputTraps) {
  float wrong[] = {NAN, -NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 0x1p-149f};
  for (float x : wrong) {
    EXPECT_TRUE(std::isfinite(numerics::exp(x)));
    numerics::gelu(x);
    numerics::swish(x);
    float e = numerics::rowExponent(std::fabs(x));
    EXPECT_TRUE(e >= -100 && e <= 122) << x;
  }
}

} // namespace
