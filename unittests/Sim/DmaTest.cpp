//===- DmaTest.cpp - Transfers of weights and of listed rows --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "fact/ISA/WeightPlanes.h"
#include "fact/Numerics/Formats.h"

using namespace fact;
using namespace fact::sim;

namespace {
constexpr int64_t k = 12, columns = 32, tile = 16;

struct Weights {
  std::vector<int8_t> codes =
      randomValues<int8_t>(k * columns, -119, 119, /*seed=*/1);
  isa::WeightPlanes planes{k, columns, tile};

  /// Loads the second tile but its first row.
  isa::LoadWeight load(Bench &bench) const {
    EXPECT_TRUE(planes.pack(codes.data(), bench.state.dram.data() + 64));
    isa::WeightPlanes::Part at = planes.part(1, tile);
    isa::LoadWeight i;
    i.dst = bench.put(std::vector<int8_t>(k * 20, 77));
    i.high = {static_cast<uint64_t>(64 + at.high), 0};
    i.low = {static_cast<uint64_t>(64 + at.low), 0};
    i.exact = isa::SramRef::absent();
    i.rows = k - 1;
    i.n = tile;
    i.dst_stride = 20;
    i.src_stride = static_cast<uint32_t>(at.stride);
    i.whole = true;
    return i;
  }
  std::vector<int8_t> expected(bool exact) const {
    std::vector<int8_t> result(k * 20, 77);
    for (int64_t r = 1; r < k; ++r)
      for (int64_t c = 0; c < tile; ++c) {
        int8_t code = codes[r * columns + tile + c];
        result[(r - 1) * 20 + c] =
            exact ? code : static_cast<int8_t>(16 * numerics::highPlane(code));
      }
    return result;
  }
};

TEST(Dma, WeightsOfBothPlanes) {
  Bench bench(4);
  Weights weights;
  isa::LoadWeight i = weights.load(bench);
  bench.run({i});
  EXPECT_EQ(bench.get<int8_t>(i.dst, k * 20), weights.expected(true));
  EXPECT_EQ(bench.counters.total.dramRead, (k - 1) * tile);
}

TEST(Dma, WeightsOfTheHighPlaneWhereNoRowNeedsTheOther) {
  for (uint32_t exact : {0, 1, 5}) {
    Bench bench(4);
    Weights weights;
    isa::LoadWeight i = weights.load(bench);
    i.exact = bench.put(std::vector<uint32_t>{exact});
    bench.run({i});
    EXPECT_EQ(bench.get<int8_t>(i.dst, k * 20), weights.expected(exact != 0));
    EXPECT_EQ(bench.counters.total.dramRead,
              (k - 1) * tile / (exact != 0 ? 1 : 2));
  }
}

TEST(Dma, NoWeightsWhereNoRowNeedsThem) {
  for (uint32_t exact : {0, 3}) {
    Bench bench(4);
    Weights weights;
    isa::LoadWeight i = weights.load(bench);
    i.exact = bench.put(std::vector<uint32_t>{exact});
    i.only_exact = true;
    bench.run({i});
    EXPECT_EQ(bench.get<int8_t>(i.dst, k * 20),
              exact != 0 ? weights.expected(true)
                         : std::vector<int8_t>(k * 20, 77));
    EXPECT_EQ(bench.counters.total.dramRead, exact != 0 ? (k - 1) * tile : 0);
  }
}

TEST(Dma, NoWeightsForABlockThatIsNone) {
  for (uint32_t row0 : {4u, 1u << 23}) {
    Bench bench(4);
    isa::LoadWeight i = Weights().load(bench);
    i.row0 = {row0, 0};
    i.exact = {0xffffffu, 0, true}; // not looked at
    bench.run({i});
    EXPECT_EQ(bench.get<int8_t>(i.dst, k * 20),
              std::vector<int8_t>(k * 20, 77));
    EXPECT_EQ(bench.counters.total.dramRead, 0);
  }
}

TEST(Dma, ListedRowsKeepTheirPlaces) {
  Bench bench(6);
  for (int i = 0; i < 8 * 32; ++i)
    bench.state.dram.data()[64 + i] = static_cast<uint8_t>(i);
  isa::LoadListed i;
  i.dst = bench.put(std::vector<uint8_t>(4 * 10, 200));
  i.src = {64 + 2 * 32, 0};
  i.list = bench.put(std::vector<uint32_t>{2, 0, 3});
  i.row0 = {2, 0};
  i.rows = 5; // four of them are rows of the sequence
  i.row_bytes = 8;
  i.dst_stride = 10;
  i.src_stride = 32;
  bench.run({i});
  std::vector<uint8_t> expected(4 * 10, 200);
  for (int r : {0, 3})
    for (int b = 0; b < 8; ++b)
      expected[r * 10 + b] = static_cast<uint8_t>((2 + r) * 32 + b);
  EXPECT_EQ(bench.get<uint8_t>(i.dst, 4 * 10), expected);
  EXPECT_EQ(bench.counters.total.dramRead, 16);
  // Each row is a burst of its own.
  EXPECT_EQ(bench.counters.total.dramMoved, 2 * 64);

  i.list = bench.put(std::vector<uint32_t>{1, 4});
  EXPECT_NE(bench.error({i}), "");
}
} // namespace
