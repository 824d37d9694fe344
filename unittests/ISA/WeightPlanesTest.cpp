//===- WeightPlanesTest.cpp - Where the planes of weights lie -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/WeightPlanes.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Prediction.h"

#include "gtest/gtest.h"

#include <vector>

using namespace fact;
using namespace fact::isa;

namespace {

std::vector<int8_t> weights(int64_t count) {
  std::vector<int8_t> result(count);
  for (int64_t i = 0; i < count; ++i)
    result[i] = static_cast<int8_t>(i * 37 % 239 - 119);
  return result;
}

TEST(WeightPlanes, EveryPartOfAWeightComesBack) {
  for (int64_t rows : {1, 5})
    for (int64_t columns : {1, 2, 15, 16, 40})
      for (int64_t tile : {1, 2, 15, 16, 64}) {
        SCOPED_TRACE(testing::Message()
                     << rows << "x" << columns << " by " << tile);
        std::vector<int8_t> w = weights(rows * columns);
        WeightPlanes planes(rows, columns, tile);
        std::vector<uint8_t> packed(planes.bytes() + 1, 0xa5);
        EXPECT_TRUE(planes.pack(w.data(), packed.data()));
        EXPECT_EQ(packed.back(), 0xa5);
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t column = 0; column < columns; ++column) {
            if (column % tile % 2 != 0)
              continue; // no byte begins here
            int64_t end = std::min(columns, (column / tile + 1) * tile);
            for (int64_t n : {int64_t(1), end - column}) {
              WeightPlanes::Part at = planes.part(row, column);
              std::vector<int8_t> both(n), high(n);
              numerics::unpackPlanes(&packed[at.high], &packed[at.low], n,
                                     both.data());
              numerics::unpackPlanes(&packed[at.high], nullptr, n, high.data());
              for (int64_t c = 0; c < n; ++c) {
                int8_t code = w[row * columns + column + c];
                EXPECT_EQ(both[c], code);
                // What rows at low precision multiply is the same.
                EXPECT_EQ(high[c], 16 * numerics::highPlane(code));
                EXPECT_EQ(numerics::highPlane(high[c]),
                          numerics::highPlane(code));
              }
            }
            if (row + 1 < rows)
              EXPECT_EQ(planes.part(row + 1, column).high,
                        planes.part(row, column).high +
                            planes.part(row, column).stride);
          }
      }
}

TEST(WeightPlanes, EveryCodeHasTwoNibbles) {
  for (int code = -128; code <= 127; ++code) {
    auto w = static_cast<int8_t>(code);
    uint8_t high = 0, low = 0;
    EXPECT_EQ(numerics::packPlanes(&w, 1, &high, &low),
              code >= -119 && code <= 119)
        << code;
    int8_t back = 0;
    numerics::unpackPlanes(&high, &low, 1, &back);
    if (code >= -119 && code <= 119)
      EXPECT_EQ(back, w);
  }
}

TEST(WeightPlanes, ATileIsTwoPlanesOfWholeRows) {
  WeightPlanes planes(4, 40, 15); // rows of 8 bytes, of 5 in the last tile
  EXPECT_EQ(planes.tileBytes(), 64);
  EXPECT_EQ(planes.bytes(), 64 + 64 + 4 * 5 * 2);
  EXPECT_EQ(planes.part(1, 17).high, 64 + 8 + 1);
  EXPECT_EQ(planes.part(1, 17).low, 64 + 32 + 8 + 1);
  EXPECT_EQ(planes.part(2, 30).stride, 5);
}

TEST(WeightPlanes, CodesAreOnePlane) {
  WeightPlanes codes(4, 40, 15, WeightPlanes::Kind::Codes);
  EXPECT_EQ(codes.tileBytes(), 32);
  EXPECT_EQ(codes.bytes(), 32 + 32 + 4 * 5);
  EXPECT_EQ(codes.part(1, 17).high, 32 + 8 + 1);
  EXPECT_EQ(codes.part(2, 30).stride, 5);
  EXPECT_EQ(codes.rowBytes(15), 8);

  std::vector<int8_t> w = weights(4 * 40);
  constexpr auto one = numerics::PredictorCode::LeadingOne;
  std::vector<uint8_t> packed(codes.bytes() + 1, 0xa5);
  EXPECT_FALSE(codes.pack(w.data(), packed.data()));
  numerics::encodeRow(one, w.data(), 4 * 40, w.data());
  EXPECT_TRUE(codes.pack(w.data(), packed.data()));
  EXPECT_EQ(packed.back(), 0xa5);
  for (int64_t row = 0; row < 4; ++row)
    for (int64_t first = 0; first < 40; first += 15) {
      int64_t n = std::min<int64_t>(15, 40 - first);
      std::vector<int8_t> back(n);
      numerics::unpackCodes(one, &packed[codes.part(row, first).high], n,
                            back.data());
      EXPECT_EQ(back, std::vector<int8_t>(&w[row * 40 + first],
                                          &w[row * 40 + first] + n));
    }
}
} // namespace
