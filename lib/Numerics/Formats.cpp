//===- Formats.cpp - INT8 and INT4 rows and weights -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Formats.h"

#include "Vectorize.h"
#include "fact/Numerics/FloatRules.h"

#include <limits>

namespace fact::numerics {

FACT_VECTORIZE float largestMagnitude(const float *x, int64_t n) {
  // Magnitudes order like their bits, and an integer maximum is a reduction
  // that compilers vectorise without leave to reorder floats. NaN is
  // larger than all: inputs are checked (findUnusable), but sums of rows may
  // overflow.
  int32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    int32_t bits = bitsOf(x[i]) & std::numeric_limits<int32_t>::max();
    largest = bits > largest ? bits : largest;
  }
  return floatOf(largest);
}

FACT_VECTORIZE float quantizeRow(const float *FACT_RESTRICT x, int64_t n,
                                 float largest, bool toInt4,
                                 int8_t *FACT_RESTRICT q) {
  if (toInt4) {
    float inverse = int4Inverse(largest);
    for (int64_t i = 0; i < n; ++i)
      q[i] = toInt8(quantizeInt4(x[i], inverse));
    return int4Scale(largest);
  }
  float e = rowExponent(largest);
  for (int64_t i = 0; i < n; ++i)
    q[i] = toInt8(quantizeInt8(x[i], e));
  return rowScale(e);
}

float quantizeRowInt8(const float *x, int64_t n, int8_t *q) {
  return quantizeRow(x, n, largestMagnitude(x, n), /*toInt4=*/false, q);
}

float quantizeRowInt4(const float *x, int64_t n, int8_t *q) {
  return quantizeRow(x, n, largestMagnitude(x, n), /*toInt4=*/true, q);
}

void quantizeHeadsInt8(const float *x, int64_t n, int64_t headSize, int8_t *q,
                       float *scales) {
  for (int64_t begin = 0; begin < n; begin += headSize)
    *scales++ = quantizeRowInt8(x + begin, headSize, q + begin);
}

void dequantizeRow(const int8_t *FACT_RESTRICT q, int64_t n, float scale,
                   float *FACT_RESTRICT y) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(q[i]) * scale;
}

void quantizeWeights(const float *weights, int64_t in, int64_t out, int8_t *w,
                     float *scales) {
  for (int64_t j = 0; j < out; ++j)
    scales[j] = 0;
  for (int64_t i = 0; i < in; ++i)
    for (int64_t j = 0; j < out; ++j)
      scales[j] = maximum(scales[j], absolute(weights[i * out + j]));
  for (int64_t j = 0; j < out; ++j)
    scales[j] = weightScale(scales[j], weightLimit);
  for (int64_t i = 0; i < in; ++i)
    for (int64_t j = 0; j < out; ++j)
      w[i * out + j] =
          toInt8(quantizeWeight(weights[i * out + j], scales[j], weightLimit));
}

float quantizePredictorWeights(const float *weights, int64_t n, int8_t *w) {
  float scale = weightScale(largestMagnitude(weights, n), predictorWeightLimit);
  for (int64_t i = 0; i < n; ++i)
    w[i] = toInt8(quantizeWeight(weights[i], scale, predictorWeightLimit));
  return scale;
}

void splitPlanes(const int8_t *w, int64_t n, int8_t *high, int8_t *low) {
  for (int64_t i = 0; i < n; ++i) {
    int8_t code = w[i];
    high[i] = highPlane(code);
    if (low)
      low[i] = lowPlane(code);
  }
}

bool packPlanes(const int8_t *w, int64_t n, uint8_t *high, uint8_t *low) {
  constexpr int limit = static_cast<int>(weightLimit);
  bool fits = true;
  for (int64_t i = 0; i < n; i += 2) {
    int8_t second = i + 1 < n ? w[i + 1] : int8_t(0);
    auto pack = [](int8_t a, int8_t b) {
      return static_cast<uint8_t>((a & 15) | (b & 15) << 4);
    };
    high[i / 2] = pack(highPlane(w[i]), highPlane(second));
    low[i / 2] = pack(lowPlane(w[i]), lowPlane(second));
    for (int8_t code : {w[i], second})
      fits &= code >= -limit && code <= limit;
  }
  return fits;
}

/// The signed values of a byte's halves.
static int8_t firstNibble(uint8_t byte) {
  return static_cast<int8_t>(((byte & 15) ^ 8) - 8);
}
static int8_t secondNibble(uint8_t byte) {
  return firstNibble(static_cast<uint8_t>(byte >> 4));
}

FACT_VECTORIZE static void unpackPairs(const uint8_t *FACT_RESTRICT high,
                                       const uint8_t *FACT_RESTRICT low,
                                       int64_t pairs, int8_t *FACT_RESTRICT w) {
  for (int64_t i = 0; i < pairs; ++i) {
    w[2 * i] = static_cast<int8_t>(16 * firstNibble(high[i]) +
                                   (low ? firstNibble(low[i]) : 0));
    w[2 * i + 1] = static_cast<int8_t>(16 * secondNibble(high[i]) +
                                       (low ? secondNibble(low[i]) : 0));
  }
}

void unpackPlanes(const uint8_t *high, const uint8_t *low, int64_t n,
                  int8_t *w) {
  unpackPairs(high, low, n / 2, w);
  if (n % 2 == 0)
    return;
  int8_t last[2];
  unpackPairs(high + n / 2, low ? low + n / 2 : nullptr, 1, last);
  w[n - 1] = last[0];
}

QuantizedWeights quantizedWeights(const int8_t *codes, const float *scales,
                                  int64_t in, int64_t out) {
  QuantizedWeights result;
  result.in = in;
  result.out = out;
  result.codes.assign(codes, codes + in * out);
  result.high.resize(in * out);
  result.scales.assign(scales, scales + out);
  result.highScales.resize(out);
  splitPlanes(codes, in * out, result.high.data(), nullptr);
  for (int64_t j = 0; j < out; ++j)
    result.highScales[j] = highPlaneScale(scales[j]);
  return result;
}

QuantizedWeights quantizeWeights(const float *weights, int64_t in,
                                 int64_t out) {
  std::vector<int8_t> codes(in * out);
  std::vector<float> scales(out);
  quantizeWeights(weights, in, out, codes.data(), scales.data());
  return quantizedWeights(codes.data(), scales.data(), in, out);
}

int64_t findUnusable(const float *x, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if (!(absolute(x[i]) <= inputLimit))
      return i;
  return -1;
}

int64_t findNotFinite(const float *x, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if (!(absolute(x[i]) <= std::numeric_limits<float>::max()))
      return i;
  return -1;
}

} // namespace fact::numerics
