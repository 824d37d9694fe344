//===- FoldTest.cpp - Functions of constants ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Fold.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace fact;
using namespace fact::numerics;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

/// Against a C library's long double, which has 11 bits more than it needs.
TEST(FoldTest, RoundedToTheNearest) {
  struct Case {
    const char *name;
    float (*ours)(float);
    long double (*exact)(long double);
    float from, to;
  };
  const Case cases[] = {
      {"exp", fold::exp, std::exp, -90, 89},
      {"log", fold::log, std::log, 1e-30f, 1e30f},
      {"tanh", fold::tanh, std::tanh, -10, 10},
      {"erf", fold::erf, std::erf, -4, 4},
      {"sin", fold::sin, std::sin, -1000, 1000},
      {"cos", fold::cos, std::cos, -1000, 1000},
  };
  for (const Case &c : cases) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> values(c.from, c.to);
    for (int i = 0; i < 5000; ++i) {
      float x = values(random);
      ASSERT_EQ(c.ours(x), static_cast<float>(c.exact(x)))
          << c.name << ' ' << x;
    }
  }
  std::mt19937 random(1);
  std::uniform_real_distribution<float> bases(0.01f, 30), powers(-9, 9);
  for (int i = 0; i < 5000; ++i) {
    float x = bases(random), y = powers(random);
    ASSERT_EQ(fold::pow(x, y),
              static_cast<float>(std::pow(static_cast<long double>(x), y)))
        << x << ' ' << y;
    ASSERT_EQ(
        fold::sigmoid(y),
        static_cast<float>(1 / (1 + std::exp(-static_cast<long double>(y)))))
        << y;
  }
}

TEST(FoldTest, SpecialCases) {
  EXPECT_EQ(fold::exp(0), 1);
  EXPECT_EQ(fold::exp(-inf), 0);
  EXPECT_EQ(fold::exp(89), inf);
  EXPECT_EQ(fold::exp(-100), 0x1.bp-145f); // denormal in f32
  EXPECT_EQ(fold::exp(-1e9f), 0);
  EXPECT_EQ(fold::log(0), -inf);
  EXPECT_TRUE(std::isnan(fold::log(-1)));
  EXPECT_EQ(fold::pow(2, 10), 1024);
  EXPECT_EQ(fold::pow(-2, 3), -8);
  EXPECT_EQ(fold::pow(0, -1), inf);
  EXPECT_EQ(fold::pow(0, 0), 1);
  EXPECT_TRUE(std::isnan(fold::pow(-8, 0.5f)));
  EXPECT_EQ(fold::tanh(inf), 1);
  EXPECT_TRUE(std::signbit(fold::tanh(-0.0f)));
  EXPECT_EQ(fold::erf(-inf), -1);
  EXPECT_TRUE(std::isnan(fold::sin(inf)));
  EXPECT_EQ(fold::cos(0), 1);
  EXPECT_EQ(fold::sigmoid(0), 0.5f);
  EXPECT_EQ(fold::sigmoid(-inf), 0);
  EXPECT_EQ(fold::sigmoid(inf), 1);
  for (auto function : {fold::exp, fold::log, fold::tanh, fold::erf, fold::sin,
                        fold::cos, fold::sigmoid})
    EXPECT_TRUE(std::isnan(function(nan)));
}

} // namespace
