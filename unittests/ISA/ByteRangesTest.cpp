//===- ByteRangesTest.cpp - What is known of the bytes of a memory --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../lib/ISA/ByteRanges.h"

#include "gtest/gtest.h"

#include <random>

using namespace fact::isa;

namespace {

Access access(int64_t address, const Rows &rows) {
  Access access = {};
  access.dram = true;
  access.address = address;
  access.rows = rows;
  access.bytes = rows.span();
  return access;
}

/// The same accesses again and again, and others that cut their ranges: what is
/// known of each byte is what was written last.
TEST(ByteRanges, KnowsEachByteHoweverItIsCut) {
  constexpr int64_t size = 3 << 16; // some pages
  std::mt19937 random(1);
  auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  ByteRanges<int> ranges(size);
  std::vector<int> expected(size, 0);
  std::vector<Access> known;
  for (int step = 1; step <= 4000; ++step) {
    Access one = {};
    if (!known.empty() && below(3) != 0) {
      one =
          known[static_cast<size_t>(below(static_cast<int64_t>(known.size())))];
    } else {
      int64_t bytes = 1 + below(200), count = 1 + below(60);
      Rows rows(count, bytes + below(900), bytes);
      one = access(below(size - rows.span()), rows);
      known.push_back(one);
    }
    uint64_t covered = 0;
    for (ByteRanges<int>::Range *range : ranges.touchedBy(one)) {
      for (uint64_t byte = range->begin; byte < range->end; ++byte)
        ASSERT_EQ(range->known, expected[byte]) << "step " << step;
      covered += range->end - range->begin;
      range->known = step;
    }
    uint64_t wanted = 0;
    forEachRange(one, [&](uint64_t begin, uint64_t end) {
      std::fill(expected.begin() + static_cast<int64_t>(begin),
                expected.begin() + static_cast<int64_t>(end), step);
      wanted += end - begin;
      return true;
    });
    ASSERT_EQ(covered, wanted) << "step " << step;
  }
}

/// A wrong program's operands may be anywhere.
TEST(ByteRanges, HasNothingBeyondTheMemory) {
  ByteRanges<int> ranges(100);
  EXPECT_TRUE(ranges.touchedBy(access(1000, Rows(10))).empty());
  EXPECT_TRUE(ranges.touchedBy(access(-1000, Rows(10))).empty());
}

} // namespace
