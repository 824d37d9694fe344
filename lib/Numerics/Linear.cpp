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

FACT_VECTORIZE void dotColumns(const int8_t *FACT_RESTRICT q, const int8_t *k,
                               int64_t strideK, const int32_t *columns,
                               int64_t count, int64_t n,
                               int32_t *FACT_RESTRICT acc) {
  for (int64_t c = 0; c < count; ++c) {
    const int8_t *FACT_RESTRICT row = k + (columns ? columns[c] : c) * strideK;
    int32_t sum = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += static_cast<int32_t>(q[i]) * row[i];
    acc[c] = sum;
  }
}

FACT_VECTORIZE void accumulateValues(const uint8_t *p, const int8_t *v,
                                     int64_t strideV, const int32_t *columns,
                                     int64_t count, int64_t n,
                                     int32_t *FACT_RESTRICT acc) {
  // Four value rows per pass over the sums; the missing ones of the last pass
  // have probability 0.
  for (int64_t first = 0; first < count; first += 4) {
    const int8_t *rows[4];
    int32_t weights[4];
    for (int64_t lane = 0; lane < 4; ++lane) {
      bool there = first + lane < count;
      int64_t c = there ? first + lane : first;
      rows[lane] = v + (columns ? columns[c] : c) * strideV;
      weights[lane] = there ? p[c] : 0;
    }
    const int8_t *FACT_RESTRICT row0 = rows[0], *FACT_RESTRICT row1 = rows[1];
    const int8_t *FACT_RESTRICT row2 = rows[2], *FACT_RESTRICT row3 = rows[3];
    int32_t w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3];
    for (int64_t i = 0; i < n; ++i)
      acc[i] += w0 * row0[i] + w1 * row1[i] + w2 * row2[i] + w3 * row3[i];
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
