//===- ApuAttention.cpp - Float32 lanes: softmax and context --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 6.
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/Attention.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Selection.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cstring>

namespace fact::sim {

namespace {
/// What apu.softmax leaves of a row for apu.context.
struct RowStats {
  float largest, denominator, weighted, kept;
};
static_assert(sizeof(RowStats) == 16, "as the instruction set has it");
} // namespace

void execute(const isa::ApuSoftmax &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows),
         tile = frame.extent(i.col0, i.cols);
  auto p = frame.out<uint8_t>("p", i.p_stride);
  auto stats = frame.out<float>("stats", sizeof(RowStats));
  auto score = frame.in<int32_t>("score", i.score_stride);
  auto queryScaleView = frame.in<float>("query_scale");
  auto keyScaleView = frame.in<float>("key_scale");
  auto valueScaleView = frame.in<float>("value_scale");
  if (!p)
    return;
  const float *queryScale = queryScaleView.vector(rows.count);
  const float *keyScale = keyScaleView.vector(tile.count);
  const float *valueScale = valueScaleView.vector(tile.count);

  std::vector<float> keys(tile.count), values(tile.count), e(tile.count);
  numerics::Window window = isa::windowOf(i);
  Columns columns(frame, rows, tile, i.mask_stride, window);
  int64_t done = 0;
  for (int64_t r = 0; r < rows.count; ++r) {
    if (columns.isDominated(r))
      continue;
    requireWindow(window, rows.first + r, frame.length(), tile);
    ++done;
    const std::vector<int32_t> &kept = columns.of(r);
    int64_t n = static_cast<int64_t>(kept.size());
    checkCompact("score", i.mask, n, i.score_stride / 4);
    checkCompact("p", i.mask, n, i.p_stride);
    int64_t place = columns.place(r);
    const int32_t *sums = score.part(r, place, n);
    for (int64_t c = 0; c < n; ++c) {
      keys[c] = keyScale[kept[c]];
      values[c] = valueScale[kept[c]];
    }
    numerics::SoftmaxRow row;
    numerics::scoreRow(sums, keys.data(),
                       numerics::queryFactor(queryScale[r], i.attention_scale),
                       n, e.data());
    numerics::sweepMaximum(row, e.data(), n);
    numerics::sweepExp(row, e.data(), values.data(), n, e.data());
    numerics::sweepProbability(row, e.data(), values.data(), n,
                               p.part(r, place, n));
    RowStats result = {row.largest, numerics::denominatorOfRow(row, nullptr),
                       row.weighted, static_cast<float>(n)};
    std::memcpy(stats.row(r, 4), &result, sizeof result);

    frame.meter.sweep(sweepsOf(i, 1, n, /*finished=*/0));
    score.readAgain(2 * n);
  }
  frame.meter.sweep(sweepsOf(i, 0, 0, done));
}

void execute(const isa::ApuContext &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto context = frame.out<float>("ctx", i.ctx_stride);
  auto num = frame.in<int32_t>("num", i.num_stride);
  auto stats = frame.in<float>("stats", sizeof(RowStats));
  auto queryScale = frame.in<float>("query_scale");
  auto dominatedView = frame.in<uint8_t>("dominated");
  auto tailScore = frame.in<int32_t>("tail_score");
  auto tailKeyScale = frame.in<float>("tail_key_scale");
  auto tailValue = frame.in<int8_t>("tail_value");
  auto tailValueScale = frame.in<float>("tail_value_scale");
  int64_t n = i.n;
  if (!context)
    return;
  bool hasTail = i.tail_score.present;
  if (i.tail_key_scale.present != hasTail || i.tail_value.present != hasTail ||
      i.tail_value_scale.present != hasTail)
    throw Error("a tail has all four operands or none");
  const uint8_t *dominated =
      dominatedView ? dominatedView.vector(rows.count) : nullptr;

  std::vector<float> numerators(n);
  int64_t done = 0, tails = 0;
  for (int64_t r = 0; r < rows.count; ++r) {
    if (dominated && dominated[r])
      continue;
    ++done;
    RowStats row;
    std::memcpy(&row, stats.row(r, 4), sizeof row);
    numerics::SoftmaxRow softmax;
    softmax.largest = row.largest;
    softmax.weighted = row.weighted;
    int64_t allowed = frame.length();
    // A valid program's count is one; anything else must not overflow.
    int64_t kept = row.kept >= 0 && row.kept <= static_cast<float>(allowed)
                       ? static_cast<int64_t>(row.kept)
                       : allowed;
    float denominator = row.denominator;
    numerics::TailRow tail;
    bool withTail = hasTail && kept < allowed;
    if (withTail) {
      ++tails;
      tail = numerics::tailOfRow(
          softmax, *tailScore.part(0, r, 1), *tailKeyScale.vector(1),
          numerics::queryFactor(*queryScale.part(0, r, 1), i.attention_scale),
          allowed - kept, tailValue.vector(n), *tailValueScale.vector(1));
      denominator =
          numerics::denominatorWithTail(denominator, tail.shrink, tail.weight);
    }
    numerics::numeratorRow(softmax, num.row(r, n), withTail ? &tail : nullptr,
                           n, numerators.data());
    float inverse = numerics::inverseDenominator(denominator);
    float *out = context.row(r, n);
    for (int64_t c = 0; c < n; ++c)
      out[c] = numerators[c] * inverse;
  }

  frame.meter.sweep(sweepsOf(i, done, tails));
}

void execute(const isa::ApuCopyDominated &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  Extent columns = frame.extent(i.col0, i.cols);
  auto context = frame.out<float>("ctx", i.ctx_stride);
  auto v = frame.in<int8_t>("v", i.v_stride);
  auto valueScale = frame.in<float>("value_scale");
  auto dominatedView = frame.in<uint8_t>("dominated");
  auto argmaxView = frame.in<int32_t>("argmax");
  int64_t n = i.n;
  if (!context)
    return;
  const uint8_t *dominated = dominatedView.vector(rows.count);
  const int32_t *argmax = argmaxView.vector(rows.count);
  int64_t done = 0;
  for (int64_t r = 0; r < rows.count; ++r) {
    int64_t column = argmax[r] - columns.first;
    if (!dominated[r] || column < 0 || column >= columns.count)
      continue;
    ++done;
    numerics::dominatedContext(v.row(column, n), *valueScale.part(0, column, 1),
                               n, context.row(r, n));
  }
  frame.meter.sweep(sweepsOf(i, done));
}

} // namespace fact::sim
