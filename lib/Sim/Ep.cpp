//===- Ep.cpp - Eager prediction ------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 4.
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/Prediction.h"

#include <algorithm>

namespace fact::sim {

static numerics::Predictor toNumerics(isa::Predictor predictor) {
  return numerics::asPredictor<numerics::Predictor>(predictor);
}

static numerics::PredictorCode codeOf(isa::Predictor predictor,
                                      numerics::PredictorOperand side) {
  return numerics::codeOf(toNumerics(predictor), side);
}

/// `rows` rows of `n` codes from row `first` on, one to a byte, side by side.
static std::vector<int8_t> unpack(const View<const uint8_t> &packed,
                                  numerics::PredictorCode code, int64_t first,
                                  int64_t rows, int64_t n) {
  std::vector<int8_t> codes(rows * n);
  for (int64_t r = 0; n > 0 && r < rows; ++r)
    numerics::unpackCodes(code,
                          packed.row(first + r, numerics::codeBytes(code, n)),
                          n, codes.data() + r * n);
  return codes;
}

void execute(const isa::EpProject &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto acc = frame.inOut<int32_t>("acc", i.acc_stride);
  auto x = frame.in<int8_t>("x", i.x_stride);
  auto w = frame.in<uint8_t>("w", i.w_stride);
  int64_t k = i.k, n = i.n;
  if (!acc)
    return;
  std::vector<int8_t> codes(rows.count * k);
  for (int64_t r = 0; r < rows.count; ++r) {
    if (k > 0)
      numerics::encodeRow(
          codeOf(i.predictor, numerics::PredictorOperand::Activation),
          x.row(r, k), k, codes.data() + r * k);
    int32_t *sums = acc.row(r, n);
    if (!i.accumulate)
      std::fill(sums, sums + n, 0);
  }
  numerics::PredictorCode weightCode =
      codeOf(i.predictor, numerics::PredictorOperand::Weight);
  std::vector<int8_t> weights = unpack(w, weightCode, 0, k, n);
  if (k > 0)
    numerics::matmulInt8(codes.data(), k, weights.data(), n, acc.row(0, 0),
                         i.acc_stride / 4, rows.count, n, k);
  frame.meter.products(rows.count, k, n, i.predictor,
                       numerics::storedBits(weightCode));
}

void execute(const isa::EpBias &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto acc = frame.inOut<int32_t>("acc", i.acc_stride);
  auto bias = frame.in<float>("bias");
  auto scale = frame.in<float>("scale");
  int64_t n = i.n;
  if (!acc)
    return;
  const float *biases = bias.vector(n);
  const float *scales = scale.vector(rows.count);
  for (int64_t r = 0; r < rows.count; ++r)
    numerics::addPredictorBias(biases, n, scales[r], acc.row(r, n));
  frame.meter.laneSteps(rows.count * n);
}

void execute(const isa::EpNormalize &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto code = frame.out<uint8_t>("code", i.code_stride);
  auto scale = frame.out<float>("scale");
  auto acc = frame.in<int32_t>("acc", i.acc_stride);
  int64_t n = i.n;
  if (rows.count == 0) // rows of no elements have a scale
    return;
  numerics::PredictorCode kind =
      codeOf(i.predictor,
             numerics::asScoreOperand<numerics::PredictorOperand>(i.operand));
  std::vector<int8_t> codes(n);
  float *scales = scale.vector(rows.count);
  for (int64_t r = 0; r < rows.count; ++r) {
    const int32_t *h = acc.row(r, n);
    int32_t shift = numerics::normalizationShift(h, n);
    numerics::shiftAndEncode(h, n, shift, kind, codes.data());
    numerics::packCodes(kind, codes.data(), n,
                        code.row(r, numerics::codeBytes(kind, n)));
    scales[r] = numerics::powerOfTwo(shift);
  }
  // One sweep finds the leading one of all, one shifts and encodes.
  frame.meter.laneSteps(2 * rows.count * n);
}

void execute(const isa::EpEncode &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto code = frame.out<uint8_t>("code", i.code_stride);
  auto x = frame.in<int8_t>("x", i.x_stride);
  int64_t n = i.n;
  if (!code)
    return;
  numerics::PredictorCode kind =
      codeOf(i.predictor,
             numerics::asScoreOperand<numerics::PredictorOperand>(i.operand));
  numerics::PredictorCode stored =
      i.unpacked ? numerics::PredictorCode::Exact : kind;
  std::vector<int8_t> codes(n);
  for (int64_t r = 0; r < rows.count; ++r) {
    numerics::encodeRow(kind, x.row(r, n), n, codes.data());
    numerics::packCodes(stored, codes.data(), n,
                        code.row(r, numerics::codeBytes(stored, n)));
  }
  frame.meter.laneSteps(rows.count * n);
}

void execute(const isa::EpScore &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  Extent columns = frame.extent(i.col0, i.cols);
  auto score = frame.out<float>("score", i.score_stride);
  auto q = frame.in<uint8_t>("q", i.q_stride);
  auto k = frame.in<uint8_t>("k", i.k_stride);
  auto keyScale = frame.in<float>("key_scale");
  auto scale = frame.in<float>("scale");
  int64_t n = i.n;
  if (!score)
    return;
  // The columns of the tile that some row sees.
  numerics::Window window = isa::windowOf(i);
  int64_t first =
      std::max<int64_t>(window.first(rows.first) - columns.first, 0);
  int64_t count =
      std::min(window.end(rows.first + rows.count - 1, frame.length()) -
                   columns.first,
               columns.count) -
      first;
  if (count <= 0)
    return;
  std::vector<float> columnScales(count);
  const float *keyScales = keyScale.part(0, first, count);
  const float *scales = scale ? scale.part(0, first, count) : nullptr;
  for (int64_t j = 0; j < count; ++j)
    columnScales[j] = scales ? keyScales[j] * scales[j] : keyScales[j];

  numerics::PredictorCode keyCode =
      codeOf(i.predictor, numerics::PredictorOperand::Key);
  std::vector<int8_t> queries =
      unpack(q, codeOf(i.predictor, numerics::PredictorOperand::Query), 0,
             rows.count, n);
  std::vector<int8_t> keys = unpack(k, keyCode, first, count, n);
  std::vector<int32_t> sums(rows.count * count);
  if (n > 0)
    numerics::matmulInt8Transposed(queries.data(), n, keys.data(), n,
                                   sums.data(), count, rows.count, count, n);
  for (int64_t r = 0; r < rows.count; ++r)
    numerics::rescaleScoreRow(sums.data() + r * count, columnScales.data(),
                              count, score.part(r, first, count));
  frame.meter.products(rows.count, n, count, i.predictor,
                       numerics::storedBits(keyCode));
}

} // namespace fact::sim
