//===- MatmulTest.cpp - Integer products against plain loops --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Golden.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/Selection.h"

#include <algorithm>
#include <numeric>
#include <random>

using namespace fact;
using namespace fact::numerics;

namespace {

class MatmulTest : public testing::Test {
protected:
  /// Bytes with both extremes among them.
  template <typename T> std::vector<T> bytes(int64_t n) {
    std::vector<T> result(n);
    for (T &value : result)
      value = random() % 8 == 0 ? static_cast<T>(0x80)
                                : static_cast<T>(random() & 0xff);
    return result;
  }

  std::mt19937 random{20240501};
};

/// acc[i, j] += sum of a(i, l) * b(l, j).
template <typename A, typename B>
void naive(A a, B b, std::vector<int32_t> &acc, int64_t strideAcc, int64_t m,
           int64_t n, int64_t k) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < k; ++l)
        acc[i * strideAcc + j] += static_cast<int32_t>(a(i, l)) * b(l, j);
}

TEST_F(MatmulTest, ShapesAndStrides) {
  int64_t sizes[] = {1, 2, 3, 5, 6, 7, 8, 15, 16, 17, 31, 33, 64};
  for (int trial = 0; trial < 300; ++trial) {
    auto pick = [&] { return sizes[random() % std::size(sizes)]; };
    int64_t m = pick(), n = pick(), k = pick();
    int64_t strideA = k + random() % 3, strideB = n + random() % 3;
    int64_t strideT = k + random() % 3, strideAcc = n + random() % 3;
    std::vector<int8_t> a = bytes<int8_t>(m * strideA);
    std::vector<uint8_t> p = bytes<uint8_t>(m * strideA);
    std::vector<int8_t> b = bytes<int8_t>(k * strideB);
    std::vector<int8_t> t = bytes<int8_t>(n * strideT);
    auto A = [&](int64_t i, int64_t l) { return a[i * strideA + l]; };
    auto P = [&](int64_t i, int64_t l) { return p[i * strideA + l]; };
    auto B = [&](int64_t l, int64_t j) { return b[l * strideB + j]; };
    auto T = [&](int64_t l, int64_t j) { return t[j * strideT + l]; };
    std::vector<int32_t> start(m * strideAcc);
    for (int32_t &value : start)
      value = static_cast<int32_t>(random() % 1000);
    SCOPED_TRACE(std::to_string(m) + " x " + std::to_string(n) + " x " +
                 std::to_string(k));

    std::vector<int32_t> actual = start, expected = start;
    matmulInt8(a.data(), strideA, b.data(), strideB, actual.data(), strideAcc,
               m, n, k);
    naive(A, B, expected, strideAcc, m, n, k);
    EXPECT_TRUE(sameBits(actual, expected));

    actual = expected = start;
    matmulUInt8Int8(p.data(), strideA, b.data(), strideB, actual.data(),
                    strideAcc, m, n, k);
    naive(P, B, expected, strideAcc, m, n, k);
    EXPECT_TRUE(sameBits(actual, expected));

    actual = expected = start;
    matmulInt8Transposed(a.data(), strideA, t.data(), strideT, actual.data(),
                         strideAcc, m, n, k);
    naive(A, T, expected, strideAcc, m, n, k);
    EXPECT_TRUE(sameBits(actual, expected));
  }
}

TEST_F(MatmulTest, ColumnLists) {
  for (int64_t count : {0, 1, 3, 4, 5, 29}) {
    int64_t n = 37, rows = 40, stride = 41;
    std::vector<int8_t> q = bytes<int8_t>(n), k = bytes<int8_t>(rows * stride);
    std::vector<uint8_t> p = bytes<uint8_t>(count);
    std::vector<int32_t> columns(rows);
    std::iota(columns.begin(), columns.end(), 0);
    for (bool list : {false, true}) {
      if (list)
        std::shuffle(columns.begin(), columns.end(), random);
      std::vector<int32_t> dots(count, 7), sums(n, 7);
      std::vector<int32_t> expectedDots(count, 0), expectedSums(n, 7);
      dotColumns(q.data(), k.data(), stride, list ? columns.data() : nullptr,
                 count, n, dots.data());
      accumulateValues(p.data(), k.data(), stride,
                       list ? columns.data() : nullptr, count, n, sums.data());
      for (int64_t c = 0; c < count; ++c)
        for (int64_t i = 0; i < n; ++i) {
          int32_t value = k[columns[c] * stride + i];
          expectedDots[c] += q[i] * value;
          expectedSums[i] += p[c] * value;
        }
      EXPECT_TRUE(sameBits(dots, expectedDots)) << count;
      EXPECT_TRUE(sameBits(sums, expectedSums)) << count;
    }
  }
}

TEST_F(MatmulTest, TopKAgreesWithSorting) {
  for (int trial = 0; trial < 400; ++trial) {
    int64_t n = 1 + random() % 700, k = 1 + random() % n;
    // Few values, of both signs and both zeros, over many exponents.
    int kinds = 1 + random() % 60;
    std::vector<float> scores(n);
    for (float &score : scores) {
      int kind = random() % kinds;
      score = std::ldexp(static_cast<float>(kind / 2 % 7), kind % 5 * 9);
      score = kind % 2 ? -score : score;
    }
    std::vector<int32_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
    });
    std::vector<uint8_t> mask(n), expected(n, 0);
    for (int64_t c = 0; c < k; ++c)
      expected[order[c]] = 1;
    selectRow(scores.data(), n, k, mask.data());
    EXPECT_TRUE(sameBits(mask, expected)) << n << " " << k;
    TopTwo top = topTwo(scores.data(), n);
    EXPECT_EQ(top.argmax, order[0]);
    if (n > 1) {
      EXPECT_EQ(top.second, scores[order[1]]);
    }
  }
}

TEST_F(MatmulTest, TopKOfNaNKeepsTheCount) {
  std::vector<float> scores(300);
  for (size_t i = 0; i < scores.size(); ++i)
    scores[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? -INFINITY : float(i);
  std::vector<uint8_t> mask(scores.size());
  selectRow(scores.data(), scores.size(), 41, mask.data());
  EXPECT_EQ(std::count(mask.begin(), mask.end(), 1), 41);
}

} // namespace
