//===- Linear.cpp - INT matrix products and linear layers -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Linear.h"

#include "Vectorize.h"
#include "fact/Numerics/FloatRules.h"

#include <vector>

namespace fact::numerics {

FACT_VECTORIZE int32_t dotInt8(const int8_t *FACT_RESTRICT a,
                               const int8_t *FACT_RESTRICT b, int64_t n) {
  int32_t sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum += static_cast<int32_t>(a[i]) * b[i];
  return sum;
}

FACT_VECTORIZE void matmulInt8(const int8_t *a, int64_t strideA,
                               const int8_t *b, int64_t strideB, int32_t *acc,
                               int64_t strideAcc, int64_t m, int64_t n,
                               int64_t k) {
  // Four rows share each widened row of b; columns in chunks that stay in the
  // first-level cache together with their accumulators.
  constexpr int64_t chunk = 512;
  for (int64_t first = 0; first < n; first += chunk) {
    int64_t width = n - first < chunk ? n - first : chunk;
    int64_t i = 0;
    for (; i + 4 <= m; i += 4) {
      int32_t *FACT_RESTRICT acc0 = acc + i * strideAcc + first;
      int32_t *FACT_RESTRICT acc1 = acc0 + strideAcc;
      int32_t *FACT_RESTRICT acc2 = acc1 + strideAcc;
      int32_t *FACT_RESTRICT acc3 = acc2 + strideAcc;
      const int8_t *rows = a + i * strideA;
      for (int64_t l = 0; l < k; ++l) {
        const int8_t *FACT_RESTRICT w = b + l * strideB + first;
        int32_t a0 = rows[l], a1 = rows[strideA + l];
        int32_t a2 = rows[2 * strideA + l], a3 = rows[3 * strideA + l];
        for (int64_t j = 0; j < width; ++j) {
          int32_t value = w[j];
          acc0[j] += a0 * value;
          acc1[j] += a1 * value;
          acc2[j] += a2 * value;
          acc3[j] += a3 * value;
        }
      }
    }
    for (; i < m; ++i) {
      int32_t *FACT_RESTRICT acc0 = acc + i * strideAcc + first;
      for (int64_t l = 0; l < k; ++l) {
        const int8_t *FACT_RESTRICT w = b + l * strideB + first;
        int32_t a0 = a[i * strideA + l];
        for (int64_t j = 0; j < width; ++j)
          acc0[j] += a0 * w[j];
      }
    }
  }
}

FACT_VECTORIZE void matmulInt8Transposed(const int8_t *a, int64_t strideA,
                                         const int8_t *b, int64_t strideB,
                                         int32_t *acc, int64_t strideAcc,
                                         int64_t m, int64_t n, int64_t k) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const int8_t *FACT_RESTRICT left = a + i * strideA;
      const int8_t *FACT_RESTRICT right = b + j * strideB;
      int32_t sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += static_cast<int32_t>(left[l]) * right[l];
      acc[i * strideAcc + j] += sum;
    }
}

FACT_VECTORIZE void accumulateValues(const uint8_t *p, const int8_t *v,
                                     int64_t strideV,
                                     int32_t *FACT_RESTRICT acc, int64_t count,
                                     int64_t n) {
  for (int64_t j = 0; j < count; ++j) {
    const int8_t *FACT_RESTRICT row = v + j * strideV;
    int32_t weight = p[j];
    if (weight == 0)
      continue;
    for (int64_t c = 0; c < n; ++c)
      acc[c] += weight * row[c];
  }
}

FACT_VECTORIZE void rescaleRow(const int32_t *FACT_RESTRICT acc,
                               const float *FACT_RESTRICT channelScales,
                               float rowScale, const float *FACT_RESTRICT bias,
                               int64_t n, float *FACT_RESTRICT y) {
  if (!bias) {
    for (int64_t c = 0; c < n; ++c)
      y[c] = rescale(static_cast<float>(acc[c]), channelScales[c], rowScale);
    return;
  }
  for (int64_t c = 0; c < n; ++c)
    y[c] = rescale(static_cast<float>(acc[c]), channelScales[c], rowScale) +
           bias[c];
}

QuantizedRows quantizeRows(const float *x, int64_t rows, int64_t in,
                           const uint8_t *low) {
  QuantizedRows result;
  result.in = in;
  result.codes.resize(rows * in);
  result.scales.resize(rows);
  result.low.assign(rows, 0);
  for (int64_t i = 0; i < rows; ++i) {
    int8_t *codes = result.codes.data() + i * in;
    result.low[i] = low && low[i];
    result.scales[i] = result.low[i] ? quantizeRowInt4(x + i * in, in, codes)
                                     : quantizeRowInt8(x + i * in, in, codes);
  }
  return result;
}

void linearRows(const QuantizedWeights &w, const float *bias,
                LowPrecision lowPrecision, const QuantizedRows &x,
                const uint8_t *wanted, int64_t first, int64_t count, float *y,
                int64_t strideY) {
  int64_t rows = static_cast<int64_t>(x.scales.size());
  for (uint8_t low : {0, 1}) {
    std::vector<int64_t> indices;
    std::vector<int8_t> gathered;
    for (int64_t i = 0; i < rows; ++i)
      if (x.low[i] == low && (!wanted || wanted[i])) {
        indices.push_back(i);
        const int8_t *codes = x.codes.data() + i * x.in;
        gathered.insert(gathered.end(), codes, codes + x.in);
      }
    int64_t n = static_cast<int64_t>(indices.size());
    if (n == 0)
      continue;
    bool highOnly = low && lowPrecision == LowPrecision::A4W4;
    const std::vector<int8_t> &codes = highOnly ? w.high : w.codes;
    const std::vector<float> &scales = highOnly ? w.highScales : w.scales;
    std::vector<int32_t> acc(n * count, 0);
    matmulInt8(gathered.data(), x.in, codes.data() + first, w.out, acc.data(),
               count, n, count, x.in);
    for (int64_t i = 0; i < n; ++i)
      rescaleRow(acc.data() + i * count, scales.data() + first,
                 x.scales[indices[i]], bias ? bias + first : nullptr, count,
                 y + indices[i] * strideY);
  }
}

void linearRow(const QuantizedWeights &w, const float *bias,
               const LowPrecision *low, const float *x, float *y) {
  uint8_t isLow = low != nullptr;
  linearRows(w, bias, low ? *low : LowPrecision::A4W4,
             quantizeRows(x, 1, w.in, &isLow), nullptr, 0, w.out, y, w.out);
}

} // namespace fact::numerics
