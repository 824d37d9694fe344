//===- ByteSetTest.cpp - A set of bytes of a memory -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../lib/ISA/ByteSet.h"

#include "gtest/gtest.h"

#include <random>
#include <set>

using namespace fact::isa;

namespace {
TEST(ByteSet, IsASetOfBytes) {
  // Around the edges of words and pages.
  std::mt19937 random(5);
  constexpr uint64_t size = 600000;
  ByteSet set(size);
  std::set<uint64_t> expected;
  for (int i = 0; i < 400; ++i) {
    uint64_t around = random() % 3 * 262144 + random() % 200;
    uint64_t begin = around < 100 ? around : around - 100;
    uint64_t end = begin + random() % 150;
    if (random() % 3) {
      set.insert(begin, end);
      for (uint64_t b = begin; b < end; ++b)
        expected.insert(b);
    } else {
      set.erase(begin, end);
      for (uint64_t b = begin; b < end; ++b)
        expected.erase(b);
    }
    uint64_t from = begin < 40 ? 0 : begin - 40, to = end + 40;
    uint64_t in = from, out = from;
    while (in < to && !expected.count(in))
      ++in;
    while (out < to && expected.count(out))
      ++out;
    ASSERT_EQ(set.find(true, from, to), in);
    ASSERT_EQ(set.find(false, from, to), out);
  }
  EXPECT_EQ(set.find(true, 7, 7), 7u);
}

TEST(ByteSet, IsEmptyAtFirstAndNamesTheEnd) {
  ByteSet set(1000);
  EXPECT_EQ(set.find(true, 0, 1000), 1000u);
  EXPECT_EQ(set.find(false, 3, 1000), 3u);
  set.erase(0, 1000); // of a page that does not exist
  EXPECT_EQ(set.find(true, 0, 1000), 1000u);
  set.insert(0, 1000);
  EXPECT_EQ(set.find(false, 0, 1000), 1000u);
  set.erase(64, 65);
  EXPECT_EQ(set.find(false, 0, 1000), 64u);
}
} // namespace
