//===- CodesTest.cpp - Codes of eager prediction in memory ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Prediction.h"

#include "gtest/gtest.h"

#include <vector>

using namespace fact::numerics;

namespace {

constexpr PredictorCode allCodes[] = {
    PredictorCode::LeadingOne, PredictorCode::LeadingTwo, PredictorCode::Exact};

std::vector<int8_t> allBytes() {
  std::vector<int8_t> bytes;
  for (int q = -128; q < 128; ++q)
    bytes.push_back(static_cast<int8_t>(q));
  return bytes;
}

TEST(Codes, WidthIsThatOfTheCode) {
  EXPECT_EQ(storedBits(PredictorCode::LeadingOne), 4);
  EXPECT_EQ(storedBits(PredictorCode::LeadingTwo), 8);
  EXPECT_EQ(storedBits(PredictorCode::Exact), 8);
  for (int64_t n : {0, 1, 2, 7, 64}) {
    EXPECT_EQ(codeBytes(PredictorCode::LeadingOne, n), (n + 1) / 2);
    EXPECT_EQ(codeBytes(PredictorCode::LeadingTwo, n), n);
    EXPECT_EQ(codeBytes(PredictorCode::Exact, n), n);
  }
}

TEST(Codes, WhatIsPackedComesBack) {
  for (PredictorCode code : allCodes)
    for (int64_t n : {0, 1, 2, 15, 255, 256}) {
      std::vector<int8_t> codes = allBytes();
      codes.resize(n);
      encodeRow(code, codes.data(), n, codes.data());
      std::vector<uint8_t> packed(codeBytes(code, n) + 1, 0xa5);
      EXPECT_TRUE(packCodes(code, codes.data(), n, packed.data()));
      EXPECT_EQ(packed.back(), 0xa5);
      std::vector<int8_t> back(n + 1, 99);
      unpackCodes(code, packed.data(), n, back.data());
      EXPECT_EQ(back.back(), 99);
      back.pop_back();
      EXPECT_EQ(back, codes);
    }
}

TEST(Codes, ALeadingOneIsItsSignTimesItsPlaceFromOneOn) {
  std::vector<int8_t> codes = {0, 1, -1, 2, -32, 64, -64};
  std::vector<uint8_t> packed(4);
  ASSERT_TRUE(
      packCodes(PredictorCode::LeadingOne, codes.data(), 7, packed.data()));
  EXPECT_EQ(packed, (std::vector<uint8_t>{0x10, 0x2f, 0x7a, 0x09}));
}

TEST(Codes, OnlyLeadingOnesHaveFourBits) {
  for (int8_t q : allBytes()) {
    bool isCode = q == encode(PredictorCode::LeadingOne, q);
    for (bool isSecond : {false, true}) {
      int8_t codes[] = {isSecond ? int8_t(1) : q, isSecond ? q : int8_t(1)};
      uint8_t packed;
      EXPECT_EQ(packCodes(PredictorCode::LeadingOne, codes, 2, &packed), isCode)
          << int(q);
      EXPECT_TRUE(packCodes(PredictorCode::Exact, codes, 1, &packed));
    }
  }
}

} // namespace
