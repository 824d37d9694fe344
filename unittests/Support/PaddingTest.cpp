//===- PaddingTest.cpp - Which tokens of a sequence are real --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Padding.h"

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
} // namespace
