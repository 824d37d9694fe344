//===- Attention.h - One row of attention, step by step -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 6. A row of one head is computed over its kept
// columns, compacted in any order and in as many pieces as one likes: a step
// takes `n` columns and folds them into the row's state. The order is
//
//   scoreRow                       S of all pieces
//   sweepMaximum                   mx, over all pieces
//   sweepExp                       E, the INT sum of the denominator and gm
//   sweepProbability               p8
//   accumulateValues (Linear.h)    INT sums of p8 * v8
//   contextRow                     ctx, with the tail if there is one
//
// and `dominatedContext` alone for a dominated row.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_ATTENTION_H
#define FACT_NUMERICS_ATTENTION_H

#include <cstdint>
#include <limits>

namespace fact::numerics {

/// What the three sweeps of a row remember.
struct SoftmaxRow {
  float largest = -std::numeric_limits<float>::infinity(); ///< mx
  int64_t sum = 0;    ///< INT sum of rne(E * 65535)
  float weighted = 0; ///< gm
};

/// S of `n` columns from their INT sums: (f32(acc) * keyScales[j]) * factor
/// with factor = 2^eq * scale (`queryFactor`).
void scoreRow(const int32_t *acc, const float *keyScales, float factor,
              int64_t n, float *scores);

/// Sweep 1: folds the maximum of `n` scores in.
void sweepMaximum(SoftmaxRow &row, const float *scores, int64_t n);

/// Sweep 2, with the row's maximum known: E of `n` columns (e may be scores),
/// their INT sum and the largest g. `valueScales[j]` is 2^ev_j. `e16`, where
/// not null, receives rne(E * 65535).
void sweepExp(SoftmaxRow &row, const float *scores, const float *valueScales,
              int64_t n, float *e, int32_t *e16 = nullptr);

/// Sweep 3, with the largest g known: probabilities of `n` columns.
void sweepProbability(const SoftmaxRow &row, const float *e,
                      const float *valueScales, int64_t n, uint8_t *p8);

/// The mean token as one row sees it.
struct TailRow {
  float score = 0;                ///< sb
  float shrink = 1;               ///< r
  float weight = 0;               ///< w
  const int8_t *values = nullptr; ///< vb8 of the head, [headSize]
  float valueScale = 1;           ///< 2^evb
};

/// The tail of a row with `missing` > 0 dropped keys, from the INT sum of
/// q8 * kb8 and the row's maximum.
TailRow tailOfRow(const SoftmaxRow &row, int32_t acc, float keyScale,
                  float factor, int64_t missing, const int8_t *values,
                  float valueScale);

/// den of a row, with the tail in where it is not null.
float denominatorOfRow(const SoftmaxRow &row, const TailRow *tail);

/// num of `n` channels from their INT sums, with the tail in where not null.
void numeratorRow(const SoftmaxRow &row, const int32_t *acc,
                  const TailRow *tail, int64_t n, float *num);

/// ctx of `n` channels of one head.
void contextRow(const SoftmaxRow &row, const int32_t *acc, const TailRow *tail,
                int64_t n, float *context);

/// ctx of a dominated row: its argmax's value row.
void dominatedContext(const int8_t *values, float valueScale, int64_t n,
                      float *context);

/// A whole row of one head by a mask. Queries, keys and values are codes of
/// the head; keys and values have `stride` elements from token to token.
struct AttentionHead {
  const int8_t *keys = nullptr;
  const float *keyScales = nullptr; ///< per token, 2^ek
  const int8_t *values = nullptr;
  const float *valueScales = nullptr; ///< per token, 2^ev
  int64_t stride = 0;
  int64_t headSize = 0;
  float scale = 1; ///< of the attention, 1/sqrt(headSize) in most models
  /// The mean token's K and V rows, or null.
  const int8_t *tailKey = nullptr;
  const int8_t *tailValue = nullptr;
  float tailKeyScale = 1;
  float tailValueScale = 1;
};

/// Intermediates of attendRow for who wants to see them.
struct AttentionTrace {
  float largest = 0;      ///< mx
  float denominator = 0;  ///< den, tail in
  float tailScore = 0;    ///< sb
  float tailWeight = 0;   ///< w
  int32_t *e16 = nullptr; ///< [n], 0 where not kept
  uint8_t *p8 = nullptr;  ///< [n], 0 where not kept
  float *num = nullptr;   ///< [headSize], tail in
};

/// ctx[headSize] of one row over the columns of mask[0, n) that are set; at
/// least one is.
void attendRow(const AttentionHead &head, const int8_t *query, float queryScale,
               const uint8_t *mask, int64_t n, float *context,
               AttentionTrace *trace = nullptr);

} // namespace fact::numerics

#endif // FACT_NUMERICS_ATTENTION_H
