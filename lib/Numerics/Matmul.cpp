//===- Matmul.cpp - INT8 matrix products ----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both operands are widened to INT16 and laid out in pairs along the reduced
// dimension, so that a multiply, a second one and their addition are a single
// instruction (pmaddwd and its kin, which compilers find by themselves). Sums
// are exact: 2 * 255 * 128 fits in INT32 many times over.
//
//===----------------------------------------------------------------------===//

#include "Vectorize.h"
#include "fact/Numerics/Linear.h"

#include <algorithm>
#include <cstring>
#include <vector>

#define FACT_INLINE static inline __attribute__((always_inline))

namespace fact::numerics {

namespace {

constexpr int64_t panel = 16; // columns of a tile
constexpr int64_t block = 6;  // rows of a tile: 12 of AVX2's 16 registers

// clang-format off
typedef int16_t Pairs __attribute__((vector_size(4 * panel))); // 16 x (2 x 16)
typedef int32_t Wide __attribute__((vector_size(8 * panel)));  // 32 x 32
typedef int32_t Sums __attribute__((vector_size(4 * panel)));  // 16 x 32
// clang-format on

} // namespace

/// a.first * b[j].first + a.second * b[j].second for 16 columns.
FACT_INLINE Sums multiplyPairs(int32_t a, const Pairs &b) {
  Sums broadcast = Sums{} + a;
  Pairs left;
  std::memcpy(&left, &broadcast, sizeof left);
  Wide products =
      __builtin_convertvector(left, Wide) * __builtin_convertvector(b, Wide);
  Sums even = __builtin_shufflevector(products, products, 0, 2, 4, 6, 8, 10, 12,
                                      14, 16, 18, 20, 22, 24, 26, 28, 30);
  Sums odd = __builtin_shufflevector(products, products, 1, 3, 5, 7, 9, 11, 13,
                                     15, 17, 19, 21, 23, 25, 27, 29, 31);
  return even + odd;
}

/// Rows x 16 sums over `pairs` pairs, added to acc[rows, width].
template <int Rows>
FACT_INLINE void multiplyTile(const int32_t *a, int64_t strideA,
                              const int16_t *b, int64_t pairs, int32_t *acc,
                              int64_t strideAcc, int64_t width) {
  Sums sums[Rows] = {};
  for (int64_t l = 0; l < pairs; ++l) {
    Pairs right;
    std::memcpy(&right, b + l * 2 * panel, sizeof right);
    for (int r = 0; r < Rows; ++r)
      sums[r] += multiplyPairs(a[r * strideA + l], right);
  }
  for (int r = 0; r < Rows; ++r) {
    int32_t row[panel];
    std::memcpy(row, &sums[r], sizeof row);
    for (int64_t j = 0; j < width; ++j)
      acc[r * strideAcc + j] += row[j];
  }
}

FACT_VECTORIZE_PRODUCTS static void
multiplyPanel(const int32_t *a, int64_t strideA, const int16_t *b,
              int64_t pairs, int32_t *acc, int64_t strideAcc, int64_t m,
              int64_t width) {
  int64_t i = 0;
  for (; i + block <= m; i += block)
    multiplyTile<block>(a + i * strideA, strideA, b, pairs, acc + i * strideAcc,
                        strideAcc, width);
  if (i + 3 <= m) {
    multiplyTile<3>(a + i * strideA, strideA, b, pairs, acc + i * strideAcc,
                    strideAcc, width);
    i += 3;
  }
  for (; i < m; ++i)
    multiplyTile<1>(a + i * strideA, strideA, b, pairs, acc + i * strideAcc,
                    strideAcc, width);
}

/// Two rows of b, of which the second may be missing, as pairs.
FACT_VECTORIZE static void interleaveRows(const int8_t *FACT_RESTRICT first,
                                          const int8_t *FACT_RESTRICT second,
                                          int64_t width,
                                          int16_t *FACT_RESTRICT pairs) {
  for (int64_t j = 0; j < width; ++j) {
    pairs[2 * j] = first[j];
    pairs[2 * j + 1] = second ? second[j] : int16_t(0);
  }
}

/// A row of a as pairs, the first value of each in the low half.
template <typename A>
FACT_INLINE void widenRow(const A *FACT_RESTRICT a, int64_t k,
                          int16_t *FACT_RESTRICT pairs) {
  for (int64_t l = 0; l < k; ++l)
    pairs[l] = a[l];
}
FACT_VECTORIZE static void widen(const int8_t *a, int64_t k, int16_t *pairs) {
  widenRow(a, k, pairs);
}
FACT_VECTORIZE static void widen(const uint8_t *a, int64_t k, int16_t *pairs) {
  widenRow(a, k, pairs);
}

/// The driver of both products; `pack` fills a panel's pairs for columns
/// [first, first + width), zeros beyond.
template <typename A, typename Pack>
static void multiply(const A *a, int64_t strideA, int32_t *acc,
                     int64_t strideAcc, int64_t m, int64_t n, int64_t k,
                     Pack pack) {
  int64_t pairs = (k + 1) / 2;
  std::vector<int32_t> left(m * pairs); // an odd last value beside a zero
  for (int64_t i = 0; i < m; ++i)
    widen(a + i * strideA, k,
          reinterpret_cast<int16_t *>(left.data() + i * pairs));
  std::vector<int16_t> right(2 * panel * pairs, 0);
  for (int64_t first = 0; first < n; first += panel) {
    int64_t width = std::min(panel, n - first);
    pack(first, width, right.data());
    multiplyPanel(left.data(), pairs, right.data(), pairs, acc + first,
                  strideAcc, m, width);
  }
}

template <typename A>
static void multiplyRowMajor(const A *a, int64_t strideA, const int8_t *b,
                             int64_t strideB, int32_t *acc, int64_t strideAcc,
                             int64_t m, int64_t n, int64_t k) {
  multiply(a, strideA, acc, strideAcc, m, n, k,
           [&](int64_t first, int64_t width, int16_t *pairs) {
             for (int64_t l = 0; l < k; l += 2) {
               const int8_t *row = b + l * strideB + first;
               interleaveRows(row, l + 1 < k ? row + strideB : nullptr, width,
                              pairs + l * panel);
             }
           });
}

/// One row: packing would cost as much as the product.
FACT_VECTORIZE static void
multiplyRow(const int8_t *a, const int8_t *FACT_RESTRICT b, int64_t strideB,
            int32_t *FACT_RESTRICT acc, int64_t n, int64_t k) {
  for (int64_t l = 0; l < k; ++l) {
    const int8_t *FACT_RESTRICT row = b + l * strideB;
    int32_t value = a[l];
    for (int64_t j = 0; j < n; ++j)
      acc[j] += value * row[j];
  }
}

void matmulInt8(const int8_t *a, int64_t strideA, const int8_t *b,
                int64_t strideB, int32_t *acc, int64_t strideAcc, int64_t m,
                int64_t n, int64_t k) {
  if (m > 2)
    return multiplyRowMajor(a, strideA, b, strideB, acc, strideAcc, m, n, k);
  for (int64_t i = 0; i < m; ++i)
    multiplyRow(a + i * strideA, b, strideB, acc + i * strideAcc, n, k);
}

void matmulUInt8Int8(const uint8_t *a, int64_t strideA, const int8_t *b,
                     int64_t strideB, int32_t *acc, int64_t strideAcc,
                     int64_t m, int64_t n, int64_t k) {
  multiplyRowMajor(a, strideA, b, strideB, acc, strideAcc, m, n, k);
}

void matmulInt8Transposed(const int8_t *a, int64_t strideA, const int8_t *b,
                          int64_t strideB, int32_t *acc, int64_t strideAcc,
                          int64_t m, int64_t n, int64_t k) {
  if (m <= 2) {
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        acc[i * strideAcc + j] += dotInt8(a + i * strideA, b + j * strideB, k);
    return;
  }
  multiply(a, strideA, acc, strideAcc, m, n, k,
           [&](int64_t first, int64_t width, int16_t *pairs) {
             for (int64_t j = 0; j < width; ++j) {
               const int8_t *row = b + (first + j) * strideB;
               for (int64_t l = 0; l < k; ++l)
                 pairs[(l / 2) * 2 * panel + 2 * j + l % 2] = row[l];
             }
           });
}

} // namespace fact::numerics
