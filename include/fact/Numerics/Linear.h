//===- Linear.h - INT matrix products and linear layers -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 3. Integer sums are exact, so every order of the
// loops below gives the same result.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_LINEAR_H
#define FACT_NUMERICS_LINEAR_H

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Policy.h"

#include <cstdint>
#include <vector>

namespace fact::numerics {

/// Sum of a[i] * b[i].
int32_t dotInt8(const int8_t *a, const int8_t *b, int64_t n);

/// acc[m, n] += a[m, k] b[k, n]; strides in elements from row to row.
void matmulInt8(const int8_t *a, int64_t strideA, const int8_t *b,
                int64_t strideB, int32_t *acc, int64_t strideAcc, int64_t m,
                int64_t n, int64_t k);

/// acc[m, n] += a[m, k] b[n, k]^T (queries times keys).
void matmulInt8Transposed(const int8_t *a, int64_t strideA, const int8_t *b,
                          int64_t strideB, int32_t *acc, int64_t strideAcc,
                          int64_t m, int64_t n, int64_t k);

/// acc[m, n] += a[m, k] b[k, n] with unsigned a (probabilities times values).
void matmulUInt8Int8(const uint8_t *a, int64_t strideA, const int8_t *b,
                     int64_t strideB, int32_t *acc, int64_t strideAcc,
                     int64_t m, int64_t n, int64_t k);

/// acc[c] = q . k[columns[c]] over `n` elements for `count` columns of a list
/// (null: columns 0, 1, ...). One query over its kept keys.
void dotColumns(const int8_t *q, const int8_t *k, int64_t strideK,
                const int32_t *columns, int64_t count, int64_t n, int32_t *acc);

/// acc[n] += sum over c of p[c] * v[columns[c], n] (null: rows 0, 1, ...). The
/// probabilities of one row over its kept values.
void accumulateValues(const uint8_t *p, const int8_t *v, int64_t strideV,
                      const int32_t *columns, int64_t count, int64_t n,
                      int32_t *acc);

/// One output row of a linear layer from its INT sums: `channelScales` are s_w
/// per channel (16 * s for the high plane), `bias` may be null.
void rescaleRow(const int32_t *acc, const float *channelScales, float rowScale,
                const float *bias, int64_t n, float *y);

/// One whole row of a linear layer: quantizes x[w.in] to INT8, or to the
/// formats of `low` where that is not null, multiplies and rescales into
/// y[w.out].
void linearRow(const QuantizedWeights &w, const float *bias,
               const LowPrecision *low, const float *x, float *y);

/// The input rows of a linear layer, each quantized to its own precision.
struct QuantizedRows {
  int64_t in = 0;
  std::vector<int8_t> codes; ///< [rows, in]
  std::vector<float> scales; ///< [rows]
  std::vector<uint8_t> low;  ///< [rows], 1 = INT4
};

/// `low` has one byte per row, or is null (all INT8).
QuantizedRows quantizeRows(const float *x, int64_t rows, int64_t in,
                           const uint8_t *low);

/// Columns [first, first + count) of a linear layer for the rows where
/// `wanted` is set (null: all); `bias` is the whole layer's, or null. Row i of
/// the result is at y + i * strideY; rows that are not wanted are not touched.
void linearRows(const QuantizedWeights &w, const float *bias,
                LowPrecision lowPrecision, const QuantizedRows &x,
                const uint8_t *wanted, int64_t first, int64_t count, float *y,
                int64_t strideY);

} // namespace fact::numerics

#endif // FACT_NUMERICS_LINEAR_H
