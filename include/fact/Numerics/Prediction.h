//===- Prediction.h - Eager prediction in the log domain ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 4. Stage 1 makes H = encode(x) encode(W), per token
// and head a shift brings H to codes of seven octaves, and stage 2 makes the
// scores T = encode(Hq) encode(Hk). All codes fit in a byte, those of a leading
// one in half of it.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_PREDICTION_H
#define FACT_NUMERICS_PREDICTION_H

#include "fact/Numerics/AttentionForm.h"
#include "fact/Numerics/Dressing.h"
#include "fact/Numerics/Policy.h"

#include <cstdint>
#include <vector>

namespace fact::numerics {

/// How much of an operand is kept.
enum class PredictorCode : uint8_t { LeadingOne, LeadingTwo, Exact };

/// The role table of section 4, point 6.
PredictorCode codeOf(Predictor predictor, PredictorOperand operand);

/// Mean shrink of a product under the predictor, for the Q bias.
float biasGain(Predictor predictor);
/// Compensation of a score difference, for dominance. Each head norm undoes the
/// shrinking of stage 1 on one side.
float logitGain(Predictor predictor, int headNorms = 0);

/// Products per element: additions that one product of codes costs (1 for one
/// leading one, 4 for two, 1 for one-sided and exact).
int64_t additionsPerProduct(Predictor predictor);

/// sign(q) * 2^floor(log2 |q|); 0 of 0.
int32_t leadingOne(int32_t q);
/// The two leading ones of |q| with its sign.
int32_t leadingTwo(int32_t q);

int32_t encode(PredictorCode code, int32_t q);
inline int32_t encode(Predictor predictor, PredictorOperand operand,
                      int32_t q) {
  return encode(codeOf(predictor, operand), q);
}

/// Encodes a row or matrix of `n` codes in -127..127.
void encodeRow(PredictorCode code, const int8_t *q, int64_t n, int8_t *encoded);

/// Bits of a code in memory. A leading one has 15 values.
constexpr int64_t storedBits(PredictorCode code) {
  return code == PredictorCode::LeadingOne ? 4 : 8;
}

/// Bytes of `n` codes side by side.
constexpr int64_t codeBytes(PredictorCode code, int64_t n) {
  return (n * storedBits(code) + 7) / 8;
}

/// Stores `n` codes in codeBytes(code, n) bytes: as they are, or of 4 bits two
/// to a byte, the first one in the lower half, an odd last one beside a zero.
/// sign * 2^e is the 4-bit number sign * (e + 1), zero is 0. False where a
/// value is no such code.
bool packCodes(PredictorCode code, const int8_t *codes, int64_t n,
               uint8_t *packed);

/// The `n` codes that are stored so.
void unpackCodes(PredictorCode code, const uint8_t *packed, int64_t n,
                 int8_t *codes);

/// predictorBias of all `n` channels (compile time), from Wq's predictor scale.
void predictorBiases(Predictor predictor, const float *bias, int64_t n,
                     float scaleOfWeights, float *biases);

/// H[i] += rne(clamp(b / 2^e, +-2^30)) for one row with scale 2^e.
void addPredictorBias(const float *biases, int64_t n, float rowScale,
                      int32_t *h);

/// s = max(0, floor(log2 max|H|) - 6) of one token and head; 0 for zeros.
int32_t normalizationShift(const int32_t *h, int64_t n);

/// Shifts H right by `shift` in sign and magnitude and encodes the result.
void shiftAndEncode(const int32_t *h, int64_t n, int32_t shift,
                    PredictorCode code, int8_t *encoded);

/// Stage 2 row: T[j] = f32(A[j]) * columnScales[j], where columnScales[j] is
/// 2^(sk_j + e_j).
void predictScoreRow(const int8_t *query, const int8_t *keys, int64_t strideKey,
                     const float *columnScales, int64_t headSize, int64_t n,
                     float *scores);

/// The same from INT sums that are there already.
void rescaleScoreRow(const int32_t *acc, const float *columnScales, int64_t n,
                     float *scores);

/// Predictor weights of one projection, encoded for stage 1.
struct PredictorWeights {
  int64_t in = 0;
  int64_t out = 0;
  std::vector<int8_t> codes; ///< [in, out], encoded
  float scale = 1.0f;
  std::vector<float> biases; ///< [out], or empty
};

/// `bias` may be null (and is, for Wk: see section 4, point 3). The biases are
/// predictorBiases, or, where Q or K is dressed, dressedBiases: Wk's too.
PredictorWeights predictorWeights(Predictor predictor, const float *weights,
                                  const float *bias, int64_t in, int64_t out,
                                  bool isDressed = false);

/// dressedBias of all `n` channels (compile time).
void dressedBiases(Predictor predictor, const float *bias, int64_t n,
                   float *biases);

/// A predicted row where Q or K is dressed: (f32(H) * s) * 2^e, + biases where
/// they are not null; s is the scale of the predictor weights.
void predictedRow(const int32_t *h, float scaleOfWeights, float rowScale,
                  const float *biases, int64_t n, float *y);

/// One of Q and K as stage 2 reads it, before the code: the shifted H, or the
/// dressed predicted rows in INT8.
struct PredictedHeads {
  std::vector<int32_t> h;    ///< [length, out], before the shift
  std::vector<int8_t> codes; ///< [heads, length, headSize]
  std::vector<float> scales; ///< [heads, length], 2^shift or 2^e
};

/// What prediction makes of a whole sequence of `length` tokens.
struct Prediction {
  int64_t length = 0;
  PredictedHeads query, key; ///< of `heads` and of `keyHeads` heads
  std::vector<float> scores; ///< [heads, length, length]
  std::vector<float> unit;   ///< [heads, length]
};

/// `x8` is [length, in] with one scale per row. `scale` is the attention's; the
/// dressings count where the form says so.
Prediction predict(Predictor predictor, const PredictorWeights &query,
                   const PredictorWeights &key, const int8_t *x8,
                   const float *rowScales, int64_t length,
                   const AttentionForm &form, float scale,
                   const Dressing &ofQuery = {}, const Dressing &ofKey = {});

} // namespace fact::numerics

#endif // FACT_NUMERICS_PREDICTION_H
