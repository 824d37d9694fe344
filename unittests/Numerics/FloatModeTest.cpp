//===- FloatModeTest.cpp - The caller's float mode does not matter --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Inputs/CallersFloatMode.h"

#include "fact/Numerics/FloatMode.h"

#include "gtest/gtest.h"

using namespace fact::numerics;
using fact::test::CallersFloatMode;

namespace {
TEST(FloatMode, SetsAndRestores) {
  // Not known to the compiler, which computes by the contract.
  volatile float one = 1, tiny = 1e-10f, least = 1e-45f;
  CallersFloatMode callers;
  ASSERT_GT(one + tiny, 1.0f);
  ASSERT_EQ(CallersFloatMode::bitsOf(least * one), 0u);
  {
    FloatMode contract;
    EXPECT_EQ(one + tiny, 1.0f);
    EXPECT_EQ(CallersFloatMode::bitsOf(least * one), 1u);
  }
  EXPECT_GT(one + tiny, 1.0f);
  EXPECT_EQ(CallersFloatMode::bitsOf(least * one), 0u);
}

TEST(FloatMode, Nests) {
  volatile float one = 1, tiny = 1e-10f;
  CallersFloatMode callers;
  {
    FloatMode outer;
    {
      FloatMode inner;
    }
    EXPECT_EQ(one + tiny, 1.0f);
  }
  EXPECT_GT(one + tiny, 1.0f);
}
} // namespace
