//===- DimTest.cpp - Extents in terms of the open dimension ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../lib/Import/ONNX/Dim.h"

#include <gtest/gtest.h>

#include <limits>

using namespace mlir::fact;

static const Dim length(1, 0);
static constexpr int64_t largest = std::numeric_limits<int64_t>::max();
static constexpr int64_t smallest = std::numeric_limits<int64_t>::min();

TEST(Dim, Text) {
  EXPECT_EQ(Dim(64).str(), "64");
  EXPECT_EQ(length.str(), "L");
  EXPECT_EQ(Dim(2, 1).str(), "2*L+1");
  EXPECT_EQ(Dim(1, -1).str(), "L-1");
  EXPECT_EQ(str({Dim(1), length, Dim(64)}), "1xLx64");
  EXPECT_EQ(str({}), "scalar");
}

TEST(Dim, Arithmetic) {
  EXPECT_EQ(*add(length, Dim(1)), Dim(1, 1));
  EXPECT_EQ(*subtract(length, length), Dim(0));
  EXPECT_EQ(*multiply(Dim(2, 1), Dim(3)), Dim(6, 3));
  EXPECT_EQ(*divide(Dim(6, 3), Dim(3)), Dim(2, 1));
  EXPECT_EQ(*divide(Dim(6, 3), Dim(2, 1)), Dim(3));
}

TEST(Dim, WhatHasNoSuchForm) {
  EXPECT_FALSE(multiply(length, length));
  EXPECT_FALSE(divide(length, Dim(2)));
  EXPECT_FALSE(divide(Dim(6), length));
  EXPECT_FALSE(divide(Dim(2, 2), length));
  EXPECT_FALSE(divide(length, Dim(0)));
}

TEST(Dim, OverflowIsNoNumber) {
  EXPECT_FALSE(add(Dim(largest), Dim(1)));
  EXPECT_FALSE(multiply(Dim(largest, 0), Dim(2)));
  EXPECT_FALSE(subtract(Dim(0), Dim(smallest)));
  EXPECT_FALSE(divide(Dim(smallest), Dim(-1)));
}

TEST(Dim, NonNegativeForEveryLength) {
  EXPECT_TRUE(Dim(1, -1).isNonNegative(99));
  EXPECT_FALSE(Dim(1, -2).isNonNegative(99));
  EXPECT_TRUE(Dim(-1, 99).isNonNegative(99));
  EXPECT_FALSE(Dim(-1, 99).isNonNegative(100));
}

// The one division of integers that overflows.
TEST(Dim, TheLeastNumberHasNoNegative) {
  int64_t least = std::numeric_limits<int64_t>::min();
  EXPECT_FALSE(divide(Dim(least), Dim(-1)));
  EXPECT_FALSE(divide(Dim(least, 0), Dim(-1, 0)));
  EXPECT_EQ(*divide(Dim(6, -4), Dim(-1)), Dim(-6, 4));
  Product a, b;
  EXPECT_TRUE(a.multiply(Dim(least)));
  EXPECT_TRUE(b.multiply(Dim(-1)));
  EXPECT_FALSE(a.divide(b));
}

TEST(Product, ComparesWhereSeveralExtentsAreOpen) {
  Product a, b;
  for (Dim dim : {Dim(8), length, length})
    EXPECT_TRUE(a.multiply(dim));
  for (Dim dim : {Dim(2, 0), Dim(4, 0)})
    EXPECT_TRUE(b.multiply(dim));
  EXPECT_TRUE(a == b);
  EXPECT_FALSE(a.asDim());
  Product factor;
  EXPECT_TRUE(factor.multiply(Dim(4, 0)));
  EXPECT_TRUE(a.divide(factor));
  EXPECT_EQ(*a.asDim(), Dim(2, 0));
}

TEST(Product, LeavesNoRemainder) {
  Product a, b;
  EXPECT_TRUE(a.multiply(Dim(6)));
  EXPECT_TRUE(b.multiply(Dim(4)));
  EXPECT_FALSE(a.divide(b));
  Product open;
  EXPECT_TRUE(open.multiply(length));
  EXPECT_FALSE(a.divide(open));
}
