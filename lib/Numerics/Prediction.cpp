//===- Prediction.cpp - Eager prediction in the log domain ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Prediction.h"

#include "Vectorize.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fact::numerics {

PredictorCode codeOf(Predictor predictor, PredictorOperand operand) {
  switch (predictor) {
  case Predictor::LeadingOne:
    return PredictorCode::LeadingOne;
  case Predictor::LeadingTwo:
    return PredictorCode::LeadingTwo;
  case Predictor::OneSided:
    return operand == PredictorOperand::Weight ||
                   operand == PredictorOperand::Query
               ? PredictorCode::LeadingOne
               : PredictorCode::Exact;
  case Predictor::Exact:
    return PredictorCode::Exact;
  }
  return PredictorCode::Exact;
}

float biasGain(Predictor predictor) {
  switch (predictor) {
  case Predictor::LeadingOne:
    return 0.53f;
  case Predictor::LeadingTwo:
    return 0.83f;
  case Predictor::OneSided:
    return 0.72f;
  case Predictor::Exact:
    return 1.0f;
  }
  return 1.0f;
}

static float logitGainOf(Predictor predictor) {
  switch (predictor) {
  case Predictor::LeadingOne:
    return 6.4f;
  case Predictor::LeadingTwo:
    return 1.74f;
  case Predictor::OneSided:
    return 2.66f;
  case Predictor::Exact:
    return 1.0f;
  }
  return 1.0f;
}

float logitGain(Predictor predictor, int headNorms) {
  float gain = logitGainOf(predictor), one = biasGain(predictor);
  if (headNorms == 0)
    return gain;
  return gain * (headNorms == 1 ? one : one * one);
}

int64_t additionsPerProduct(Predictor predictor) {
  return predictor == Predictor::LeadingTwo ? 4 : 1;
}

static uint32_t magnitudeOf(int32_t q) {
  uint32_t bits = static_cast<uint32_t>(q);
  return q < 0 ? 0 - bits : bits;
}

static int32_t floorLog2(uint32_t magnitude) {
  return 31 - __builtin_clz(magnitude);
}

static int32_t withSign(uint32_t magnitude, int32_t sign) {
  return static_cast<int32_t>(sign < 0 ? 0 - magnitude : magnitude);
}

int32_t leadingOne(int32_t q) {
  if (q == 0)
    return 0;
  return withSign(uint32_t(1) << floorLog2(magnitudeOf(q)), q);
}

int32_t leadingTwo(int32_t q) {
  if (q == 0)
    return 0;
  uint32_t magnitude = magnitudeOf(q);
  uint32_t first = uint32_t(1) << floorLog2(magnitude);
  uint32_t rest = magnitude - first;
  uint32_t second = rest == 0 ? 0 : uint32_t(1) << floorLog2(rest);
  return withSign(first + second, q);
}

int32_t encode(PredictorCode code, int32_t q) {
  switch (code) {
  case PredictorCode::LeadingOne:
    return leadingOne(q);
  case PredictorCode::LeadingTwo:
    return leadingTwo(q);
  case PredictorCode::Exact:
    return q;
  }
  return q;
}

/// encode of every byte, by its bits.
static const std::array<int8_t, 256> &encodeTable(PredictorCode code) {
  static const auto tables = [] {
    std::array<std::array<int8_t, 256>, 3> result{};
    for (int code = 0; code < 3; ++code)
      for (int q = -128; q < 128; ++q)
        result[code][static_cast<uint8_t>(q)] =
            static_cast<int8_t>(encode(static_cast<PredictorCode>(code), q));
    return result;
  }();
  return tables[static_cast<int>(code)];
}

void encodeRow(PredictorCode code, const int8_t *q, int64_t n,
               int8_t *encoded) {
  const std::array<int8_t, 256> &table = encodeTable(code);
  for (int64_t i = 0; i < n; ++i)
    encoded[i] = table[static_cast<uint8_t>(q[i])];
}

/// What a 4-bit number stands for; 2^7 is none, but -2^7 is.
static constexpr int8_t leadingOneOf(int number) {
  return static_cast<int8_t>(number > 0   ? 1 << (number - 1)
                             : number < 0 ? -(1 << (-number - 1))
                                          : 0);
}

/// The 4-bit number of every byte, by its bits, or `noNumber`.
static constexpr uint8_t noNumber = 0x80;
static const std::array<uint8_t, 256> &numberTable() {
  static const auto table = [] {
    std::array<uint8_t, 256> result;
    result.fill(noNumber);
    for (int number = -8; number < 8; ++number)
      result[static_cast<uint8_t>(leadingOneOf(number))] =
          static_cast<uint8_t>(number & 15);
    return result;
  }();
  return table;
}

/// The two codes of every byte.
static const std::array<std::array<int8_t, 2>, 256> &pairTable() {
  static const auto table = [] {
    std::array<std::array<int8_t, 2>, 256> result;
    auto codeOf = [](int nibble) { return leadingOneOf((nibble ^ 8) - 8); };
    for (int byte = 0; byte < 256; ++byte)
      result[byte] = {codeOf(byte & 15), codeOf(byte >> 4)};
    return result;
  }();
  return table;
}

bool packCodes(PredictorCode code, const int8_t *codes, int64_t n,
               uint8_t *packed) {
  if (storedBits(code) == 8) {
    std::copy(codes, codes + n, packed);
    return true;
  }
  const std::array<uint8_t, 256> &table = numberTable();
  uint8_t all = 0;
  for (int64_t i = 0; i < n; i += 2) {
    uint8_t first = table[static_cast<uint8_t>(codes[i])],
            second = i + 1 < n ? table[static_cast<uint8_t>(codes[i + 1])] : 0;
    all |= first | second;
    packed[i / 2] = static_cast<uint8_t>((first & 15) | (second & 15) << 4);
  }
  return (all & noNumber) == 0;
}

void unpackCodes(PredictorCode code, const uint8_t *packed, int64_t n,
                 int8_t *codes) {
  if (storedBits(code) == 8) {
    std::memcpy(codes, packed, n);
    return;
  }
  const std::array<std::array<int8_t, 2>, 256> &table = pairTable();
  for (int64_t i = 0; i + 1 < n; i += 2)
    std::memcpy(codes + i, table[packed[i / 2]].data(), 2);
  if (n % 2 != 0)
    codes[n - 1] = table[packed[n / 2]][0];
}

void predictorBiases(Predictor predictor, const float *bias, int64_t n,
                     float scaleOfWeights, float *biases) {
  float gain = biasGain(predictor);
  for (int64_t i = 0; i < n; ++i)
    biases[i] = predictorBias(bias[i], gain, scaleOfWeights);
}

void dressedBiases(Predictor predictor, const float *bias, int64_t n,
                   float *biases) {
  float gain = biasGain(predictor);
  for (int64_t i = 0; i < n; ++i)
    biases[i] = dressedBias(bias[i], gain);
}

void predictedRow(const int32_t *h, float scaleOfWeights, float rowScale,
                  const float *biases, int64_t n, float *y) {
  for (int64_t i = 0; i < n; ++i) {
    y[i] = rescale(static_cast<float>(h[i]), scaleOfWeights, rowScale);
    if (biases)
      y[i] = y[i] + biases[i];
  }
}

FACT_VECTORIZE void addPredictorBias(const float *biases, int64_t n,
                                     float rowScale, int32_t *h) {
  // Unsigned: operands beyond the contract wrap around.
  for (int64_t i = 0; i < n; ++i)
    h[i] = static_cast<int32_t>(static_cast<uint32_t>(h[i]) +
                                static_cast<uint32_t>(toInt32(
                                    predictorBiasOfRow(biases[i], rowScale))));
}

int32_t normalizationShift(const int32_t *h, int64_t n) {
  uint32_t all = 0;
  // floor(log2) of the maximum is floor(log2) of the union of the bits.
  for (int64_t i = 0; i < n; ++i)
    all |= magnitudeOf(h[i]);
  if (all == 0)
    return 0;
  int32_t shift = floorLog2(all) - 6;
  return shift > 0 ? shift : 0;
}

void shiftAndEncode(const int32_t *h, int64_t n, int32_t shift,
                    PredictorCode code, int8_t *encoded) {
  const std::array<int8_t, 256> &table = encodeTable(code);
  for (int64_t i = 0; i < n; ++i) {
    int32_t shifted = withSign(magnitudeOf(h[i]) >> shift, h[i]);
    encoded[i] = table[static_cast<uint8_t>(shifted)];
  }
}

FACT_VECTORIZE void rescaleScoreRow(const int32_t *FACT_RESTRICT acc,
                                    const float *FACT_RESTRICT columnScales,
                                    int64_t n, float *FACT_RESTRICT scores) {
  for (int64_t j = 0; j < n; ++j)
    scores[j] = predictedScore(static_cast<float>(acc[j]), columnScales[j]);
}

void predictScoreRow(const int8_t *query, const int8_t *keys, int64_t strideKey,
                     const float *columnScales, int64_t headSize, int64_t n,
                     float *scores) {
  for (int64_t j = 0; j < n; ++j)
    scores[j] = predictedScore(
        static_cast<float>(dotInt8(query, keys + j * strideKey, headSize)),
        columnScales[j]);
}

PredictorWeights predictorWeights(Predictor predictor, const float *weights,
                                  const float *bias, int64_t in, int64_t out,
                                  bool isDressed) {
  PredictorWeights result;
  result.in = in;
  result.out = out;
  result.codes.resize(in * out);
  result.scale =
      quantizePredictorWeights(weights, in * out, result.codes.data());
  encodeRow(codeOf(predictor, PredictorOperand::Weight), result.codes.data(),
            in * out, result.codes.data());
  if (bias) {
    result.biases.resize(out);
    if (isDressed)
      dressedBiases(predictor, bias, out, result.biases.data());
    else
      predictorBiases(predictor, bias, out, result.scale, result.biases.data());
  }
  return result;
}

/// Stage 1 of one projection, and what makes it the operand of stage 2.
static PredictedHeads project(const PredictorWeights &weights,
                              const std::vector<int8_t> &x,
                              const float *rowScales, int64_t length,
                              int64_t heads, bool isDressed,
                              const Dressing &dressing) {
  int64_t width = weights.out, headSize = width / heads;
  PredictedHeads result;
  result.h.assign(length * width, 0);
  result.codes.resize(length * width);
  result.scales.resize(heads * length);
  matmulInt8(x.data(), weights.in, weights.codes.data(), width, result.h.data(),
             width, length, width, weights.in);
  const float *biases =
      weights.biases.empty() ? nullptr : weights.biases.data();
  std::vector<float> y(isDressed ? width : 0);
  for (int64_t i = 0; i < length; ++i) {
    int32_t *row = result.h.data() + i * width;
    if (isDressed)
      predictedRow(row, weights.scale, rowScales[i], biases, width, y.data());
    else if (biases)
      addPredictorBias(biases, width, rowScales[i], row);
    for (int64_t head = 0; head < heads; ++head) {
      int64_t out = head * length + i;
      int8_t *codes = result.codes.data() + out * headSize;
      if (isDressed) {
        float *slice = y.data() + head * headSize;
        dressing.apply(i, slice, headSize);
        result.scales[out] = quantizeRowInt8(slice, headSize, codes);
        continue;
      }
      const int32_t *slice = row + head * headSize;
      int32_t shift = normalizationShift(slice, headSize);
      result.scales[out] = powerOfTwo(shift);
      shiftAndEncode(slice, headSize, shift, PredictorCode::Exact, codes);
    }
  }
  return result;
}

Prediction predict(Predictor predictor, const PredictorWeights &query,
                   const PredictorWeights &key, const int8_t *x8,
                   const float *rowScales, int64_t length,
                   const AttentionForm &form, float scale,
                   const Dressing &ofQuery, const Dressing &ofKey) {
  bool isDressed = form.isDressed;
  std::vector<int8_t> x(length * query.in);
  encodeRow(codeOf(predictor, PredictorOperand::Activation), x8,
            length * query.in, x.data());
  Prediction result;
  result.length = length;
  result.query =
      project(query, x, rowScales, length, form.heads, isDressed, ofQuery);
  result.key =
      project(key, x, rowScales, length, form.keyHeads, isDressed, ofKey);

  int64_t headSize = query.out / form.heads;
  auto encoded = [&](const PredictedHeads &heads, PredictorOperand operand) {
    std::vector<int8_t> codes(heads.codes.size());
    encodeRow(codeOf(predictor, operand), heads.codes.data(),
              static_cast<int64_t>(codes.size()), codes.data());
    return codes;
  };
  std::vector<int8_t> q = encoded(result.query, PredictorOperand::Query),
                      k = encoded(result.key, PredictorOperand::Key);
  result.scores.resize(form.heads * length * length);
  result.unit.resize(form.heads * length);
  std::vector<float> columnScales(length);
  for (int64_t head = 0; head < form.heads; ++head) {
    int64_t keys = form.keyHeadOf(head) * length;
    for (int64_t j = 0; j < length; ++j)
      columnScales[j] = isDressed ? result.key.scales[keys + j]
                                  : result.key.scales[keys + j] * rowScales[j];
    for (int64_t i = 0; i < length; ++i) {
      int64_t row = head * length + i;
      predictScoreRow(q.data() + row * headSize, k.data() + keys * headSize,
                      headSize, columnScales.data(), headSize, length,
                      result.scores.data() + row * length);
      float ofRow = result.query.scales[row];
      result.unit[row] = isDressed
                             ? queryFactor(ofRow, scale)
                             : predictorUnit(ofRow, rowScales[i], query.scale,
                                             key.scale, scale);
    }
  }
  return result;
}

} // namespace fact::numerics
