//===- TokenNumbersTest.cpp - Inputs with a number for each token ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/TokenNumbers.h"

#include "fact/Support/Error.h"

#include "gtest/gtest.h"

using namespace fact;

namespace {

template <typename T> NpyArray mask(std::vector<T> values) {
  return NpyArray::from<T>({1, static_cast<int64_t>(values.size())},
                           values.data());
}

template <typename T>
std::string errorOf(std::vector<T> values, int64_t padValue = 0) {
  std::optional<std::string> error =
      catchError([&] { countRealTokens(mask(values), padValue, "m"); });
  return error.value_or("");
}

TEST(Padding, CountsRealTokensOfEachType) {
  EXPECT_EQ(countRealTokens(mask<int64_t>({1, 1, 0, 0}), 0, "m"), 2);
  EXPECT_EQ(countRealTokens(mask<int32_t>({0, 0, 0, 1}), 1, "m"), 3);
  EXPECT_EQ(countRealTokens(mask<float>({1, 1}), 0, "m"), 2);
  EXPECT_EQ(countRealTokens({"|b1", {2}, {1, 0}}, 0, "m"), 1);
}

TEST(Padding, NamesTheTokenThatIsWrong) {
  EXPECT_EQ(errorOf<int64_t>({1, 0, 0, 1}),
            "padding mask 'm': token 3 is real, but token 1 before it is "
            "padding: real tokens must come first");
  EXPECT_EQ(errorOf<float>({1, 0.5f, 0}),
            "padding mask 'm': token 1 must be 0 or 1 (was 0.5)");
  EXPECT_EQ(errorOf<int64_t>({0, 0}), "padding mask 'm' has no real token");
  EXPECT_EQ(errorOf<int64_t>({1, 1}, 1), "padding mask 'm' has no real token");
  EXPECT_EQ(errorOf<int8_t>({1}),
            "padding mask 'm' must hold float32, int32, int64 or bool (was "
            "'|i1')");
}

TEST(Positions, CountTheTokens) {
  auto errorOf = [](const NpyArray &positions, int64_t length,
                    int64_t rows = 0) {
    rows = rows ? rows : positions.numElements();
    return catchError([&] { requireCounting(positions, rows, length, "p"); })
        .value_or("");
  };
  EXPECT_EQ(errorOf(mask<int64_t>({0, 1, 2}), 3), "");
  // Those of padding may be any.
  EXPECT_EQ(errorOf(mask<int32_t>({0, 1, 1, 1}), 2), "");
  EXPECT_EQ(errorOf(mask<int32_t>({0, 1, 1, 1}), 3),
            "positions 'p' must count the tokens: that of token 2 must be 2 "
            "(was 1)");
  // Of another extent than the sequence all count.
  EXPECT_EQ(errorOf(mask<int32_t>({0, 1, 1}), 2, 2),
            "positions 'p' must count the tokens: that of token 2 must be 2 "
            "(was 1)");
  EXPECT_EQ(errorOf(mask<int64_t>({-1, 0}), 2),
            "positions 'p' must count the tokens: that of token 0 must be 0 "
            "(was -1)");
  EXPECT_EQ(errorOf(mask<int8_t>({0}), 1),
            "positions 'p' must hold float32, int32, int64 or bool (was "
            "'|i1')");
}
} // namespace
