//===- Attention.cpp - One row of attention, step by step -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Attention.h"

#include "Vectorize.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Linear.h"

#include <cstring>
#include <vector>

namespace fact::numerics {

FACT_VECTORIZE void scoreRow(const int32_t *FACT_RESTRICT acc,
                             const float *FACT_RESTRICT keyScales, float factor,
                             int64_t n, float *FACT_RESTRICT scores) {
  for (int64_t j = 0; j < n; ++j)
    scores[j] = score(static_cast<float>(acc[j]), keyScales[j], factor);
}

/// The order of the maxima of floats must not matter to the compiler either:
/// 16 partial maxima vectorise without leave to reorder (the result is the
/// same but for the sign of a zero, which has no effect).
static inline float largestOf(const float *x, int64_t n, float start) {
  constexpr int lanes = 16;
  float partial[lanes];
  for (int lane = 0; lane < lanes; ++lane)
    partial[lane] = start;
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes)
    for (int lane = 0; lane < lanes; ++lane)
      partial[lane] = maximum(x[j + lane], partial[lane]);
  for (; j < n; ++j)
    partial[0] = maximum(x[j], partial[0]);
  for (int lane = 1; lane < lanes; ++lane)
    partial[0] = maximum(partial[lane], partial[0]);
  return partial[0];
}

FACT_VECTORIZE void sweepMaximum(SoftmaxRow &row, const float *scores,
                                 int64_t n) {
  row.largest = largestOf(scores, n, row.largest);
}

FACT_VECTORIZE void sweepExp(SoftmaxRow &row, const float *scores,
                             const float *valueScales, int64_t n, float *e,
                             int32_t *e16) {
  // Blocks keep the integer sums in 32 bits and the terms in buffers: `e` may
  // be `scores`.
  constexpr int64_t block = 256;
  float terms[block], weighted[block];
  for (int64_t first = 0; first < n; first += block) {
    int64_t width = n - first < block ? n - first : block;
    int32_t sum = 0;
    for (int64_t j = 0; j < width; ++j) {
      float term = softmaxTerm(scores[first + j], row.largest);
      terms[j] = term;
      sum += toInt32(denominatorTerm(term));
      weighted[j] = weightedTerm(term, valueScales[first + j]);
    }
    std::memcpy(e + first, terms, width * sizeof(float));
    row.sum += sum;
    row.weighted = largestOf(weighted, width, row.weighted);
  }
  if (e16)
    for (int64_t j = 0; j < n; ++j)
      e16[j] = toInt32(denominatorTerm(e[j]));
}

FACT_VECTORIZE void sweepProbability(const SoftmaxRow &row,
                                     const float *FACT_RESTRICT e,
                                     const float *FACT_RESTRICT valueScales,
                                     int64_t n, uint8_t *FACT_RESTRICT p8) {
  float factor = probabilityFactor(row.weighted);
  for (int64_t j = 0; j < n; ++j)
    p8[j] = static_cast<uint8_t>(
        toInt32(probability(weightedTerm(e[j], valueScales[j]), factor)));
}

TailRow tailOfRow(const SoftmaxRow &row, int32_t acc, float keyScale,
                  float factor, int64_t missing, const int8_t *values,
                  float valueScale) {
  TailRow tail;
  tail.score = score(static_cast<float>(acc), keyScale, factor);
  tail.shrink = tailShrink(row.largest, tail.score);
  tail.weight =
      tailWeight(row.largest, tail.score, static_cast<float>(missing));
  tail.values = values;
  tail.valueScale = valueScale;
  return tail;
}

float denominatorOfRow(const SoftmaxRow &row, const TailRow *tail) {
  float den = denominator(static_cast<float>(row.sum));
  return tail ? denominatorWithTail(den, tail->shrink, tail->weight) : den;
}

FACT_VECTORIZE void numeratorRow(const SoftmaxRow &row, const int32_t *acc,
                                 const TailRow *tail, int64_t n, float *num) {
  for (int64_t c = 0; c < n; ++c)
    num[c] = numerator(static_cast<float>(acc[c]), row.weighted);
  if (!tail)
    return;
  for (int64_t c = 0; c < n; ++c)
    num[c] = numeratorWithTail(num[c], tail->shrink, tail->weight,
                               static_cast<float>(tail->values[c]) *
                                   tail->valueScale);
}

void contextRow(const SoftmaxRow &row, const int32_t *acc, const TailRow *tail,
                int64_t n, float *context) {
  numeratorRow(row, acc, tail, n, context);
  float inverse = inverseDenominator(denominatorOfRow(row, tail));
  for (int64_t c = 0; c < n; ++c)
    context[c] = context[c] * inverse;
}

void dominatedContext(const int8_t *values, float valueScale, int64_t n,
                      float *context) {
  dequantizeRow(values, n, valueScale, context);
}

void attendRow(const AttentionHead &head, const int8_t *query, float queryScale,
               const uint8_t *mask, int64_t n, float *context,
               AttentionTrace *trace) {
  std::vector<int32_t> columns;
  columns.reserve(n);
  for (int64_t j = 0; j < n; ++j)
    if (mask[j])
      columns.push_back(static_cast<int32_t>(j));
  int64_t kept = static_cast<int64_t>(columns.size());

  std::vector<int32_t> acc(kept);
  std::vector<float> keyScales(kept), valueScales(kept), terms(kept);
  dotColumns(query, head.keys, head.stride, columns.data(), kept, head.headSize,
             acc.data());
  for (int64_t c = 0; c < kept; ++c) {
    keyScales[c] = head.keyScales[columns[c]];
    valueScales[c] = head.valueScales[columns[c]];
  }
  float factor = queryFactor(queryScale, head.scale);
  SoftmaxRow row;
  scoreRow(acc.data(), keyScales.data(), factor, kept, terms.data());
  sweepMaximum(row, terms.data(), kept);
  std::vector<int32_t> e16(trace && trace->e16 ? kept : 0);
  sweepExp(row, terms.data(), valueScales.data(), kept, terms.data(),
           e16.empty() ? nullptr : e16.data());
  std::vector<uint8_t> p8(kept);
  sweepProbability(row, terms.data(), valueScales.data(), kept, p8.data());

  std::vector<int32_t> sums(head.headSize, 0);
  accumulateValues(p8.data(), head.values, head.stride, columns.data(), kept,
                   head.headSize, sums.data());

  TailRow tail;
  bool hasTail = head.tailKey && kept < n;
  if (hasTail)
    tail = tailOfRow(row, dotInt8(query, head.tailKey, head.headSize),
                     head.tailKeyScale, factor, n - kept, head.tailValue,
                     head.tailValueScale);
  const TailRow *tailOrNull = hasTail ? &tail : nullptr;
  contextRow(row, sums.data(), tailOrNull, head.headSize, context);

  if (!trace)
    return;
  trace->largest = row.largest;
  trace->denominator = denominatorOfRow(row, tailOrNull);
  trace->tailScore = tail.score;
  trace->tailWeight = tail.weight;
  if (trace->e16) {
    std::memset(trace->e16, 0, n * sizeof(int32_t));
    for (int64_t c = 0; c < kept; ++c)
      trace->e16[columns[c]] = e16[c];
  }
  if (trace->p8) {
    std::memset(trace->p8, 0, n);
    for (int64_t c = 0; c < kept; ++c)
      trace->p8[columns[c]] = p8[c];
  }
  if (trace->num)
    numeratorRow(row, sums.data(), tailOrNull, head.headSize, trace->num);
}

} // namespace fact::numerics
