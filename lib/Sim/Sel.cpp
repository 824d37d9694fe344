//===- Sel.cpp - Selection ------------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 5.
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Limits.h"
#include "fact/Numerics/Selection.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cstring>

namespace fact::sim {

void execute(const isa::SelTopK &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows),
         columns = frame.extent(i.col0, i.cols);
  int64_t length = frame.length(), maskBytes = (length + 7) / 8;
  auto maskView = frame.out<uint8_t>("mask", i.mask_stride);
  auto score = frame.in<float>("score", i.score_stride);
  auto dominatedView = frame.out<uint8_t>("dominated");
  auto argmaxView = frame.out<int32_t>("argmax");
  auto kRowsView = frame.inOut<uint8_t>("k_rows");
  auto vRowsView = frame.inOut<uint8_t>("v_rows");
  auto countView = frame.inOut<uint32_t>("count");
  auto queryScaleView = frame.in<float>("query_scale");
  auto scaleView = frame.in<float>("scale");
  auto weightScalesView = frame.in<float>("weight_scales");
  auto policyView = frame.in<uint32_t>("policy");
  if (!maskView)
    return;
  uint8_t *dominated = dominatedView.vector(rows.count);
  int32_t *argmax = argmaxView.vector(rows.count);
  uint8_t *kRows = kRowsView.vector(length);
  uint8_t *vRows = vRowsView.vector(length);
  uint32_t *count = countView.vector(length);
  const float *queryScale = queryScaleView.vector(rows.count);
  if (i.scale.present != i.weight_scales.present)
    throw Error("scale and weight_scales come together");
  if (i.head_norms > 2)
    throw Error("head_norms must be 0 to 2 (was " +
                std::to_string(i.head_norms) + ")");
  const float *scale = scaleView ? scaleView.vector(rows.count) : nullptr;
  const float *weightScales =
      weightScalesView ? weightScalesView.vector(2) : nullptr;

  const uint32_t *numbers = policyView.vector(2);
  if (!numerics::isKeep(numbers[0]))
    throw Error("keep must be in 0.." + std::to_string(numerics::keepAll) +
                " (was " + std::to_string(numbers[0]) + ")");
  numerics::Policy policy;
  policy.keep = static_cast<int32_t>(numbers[0]);
  std::memcpy(&policy.dominance, numbers + 1, sizeof policy.dominance);
  if (!numerics::isDominance(policy.dominance))
    throw Error("dominance must be in 0..1e30 (was " +
                std::to_string(policy.dominance) + ")");
  policy.predictor = numerics::asPredictor<numerics::Predictor>(i.predictor);

  numerics::Window window = isa::windowOf(i);
  float gain =
      numerics::logitGain(policy.predictor, static_cast<int>(i.head_norms));
  std::vector<uint8_t> mask(length);
  for (int64_t r = 0; r < rows.count; ++r) {
    float unit =
        scale
            ? numerics::predictorUnit(queryScale[r], scale[r], weightScales[0],
                                      weightScales[1], i.attention_scale)
            : numerics::queryFactor(queryScale[r], i.attention_scale);
    // Scores outside of the window may be anything.
    int64_t first = window.first(rows.first + r),
            seen = window.keysOf(rows.first + r, length);
    requireWindow(window, rows.first + r, length, columns);
    const float *scores = score.part(r, first - columns.first, seen);
    numerics::RowDecision decision =
        numerics::decideRow(policy, scores - first, window, rows.first + r,
                            length, unit, gain, mask.data());
    dominated[r] = decision.dominated;
    argmax[r] = static_cast<int32_t>(decision.argmax);
    uint8_t *bits = maskView.row(r, maskBytes);
    std::memset(bits, 0, maskBytes);
    for (int64_t j = 0; j < length; ++j) {
      bits[j >> 3] |= static_cast<uint8_t>(mask[j] << (j & 7));
      count[j] += mask[j];
    }
    if (decision.dominated)
      vRows[decision.argmax] = 1;
    else
      for (int64_t j = 0; j < length; ++j) {
        kRows[j] |= mask[j];
        vRows[j] |= mask[j];
      }
    frame.meter.topKRow(seen);
  }
}

void execute(const isa::SelFill &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto dst = frame.out<uint8_t>("dst", i.width);
  if (!dst)
    return;
  for (int64_t r = 0; r < rows.count; ++r)
    std::memset(dst.row(r, i.width), static_cast<int>(i.value), i.width);
  frame.meter.fill(rows.count * static_cast<int64_t>(i.width));
}

void execute(const isa::SelCountAll &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto countView = frame.out<uint32_t>("count");
  if (!countView)
    return;
  uint32_t *count = countView.vector(rows.count);
  int64_t heads = i.heads;
  numerics::Window window = isa::windowOf(i);
  for (int64_t r = 0; r < rows.count; ++r)
    count[r] = static_cast<uint32_t>(
        heads * window.rowsOf(rows.first + r, frame.length()));
  frame.meter.select(rows.count);
}

void execute(const isa::SelPrecision &i, Frame &frame) {
  int64_t length = frame.length();
  auto lowView = frame.out<uint8_t>("low");
  auto countView = frame.in<uint32_t>("count");
  auto importanceView = frame.in<int32_t>("importance");
  if (!lowView)
    return;
  int32_t importance = *importanceView.vector(1);
  if (!numerics::isImportance256(importance))
    throw Error("importance must be in " +
                std::to_string(numerics::keptByNone) + ".." +
                std::to_string(numerics::largestImportance256) + " (was " +
                std::to_string(importance) + ")");
  const uint32_t *count = countView.vector(length);
  std::vector<int64_t> counts(count, count + length);
  numerics::lowPrecisionTokens(counts.data(), isa::windowOf(i), length,
                               importance, lowView.vector(length));
  // One sweep for the sum, one for the comparison.
  frame.meter.select(2 * length);
}

static void writeList(View<uint32_t> &list,
                      const std::vector<uint32_t> &listed) {
  uint32_t *out = list.vector(1 + listed.size());
  *out++ = static_cast<uint32_t>(listed.size());
  std::copy(listed.begin(), listed.end(), out);
}

void execute(const isa::SelList &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto list = frame.out<uint32_t>("list");
  auto flagsView = frame.in<uint8_t>("flags");
  auto unlessView = frame.in<uint8_t>("unless");
  if (!flagsView)
    return;
  const uint8_t *flags = flagsView.vector(rows.count);
  const uint8_t *unless = unlessView ? unlessView.vector(rows.count) : nullptr;
  std::vector<uint32_t> listed;
  for (int64_t r = 0; r < rows.count; ++r)
    if ((flags[r] != 0) != i.invert && !(unless && unless[r]))
      listed.push_back(static_cast<uint32_t>(r));
  writeList(list, listed);
  frame.meter.select(rows.count);
}

void execute(const isa::SelListNew &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto list = frame.out<uint32_t>("list");
  auto flagsView = frame.in<uint8_t>("flags");
  auto namedView = frame.inOut<uint8_t>("named");
  if (!flagsView)
    return;
  const uint8_t *flags = flagsView.vector(rows.count);
  uint8_t *named = namedView.vector(rows.count);
  std::vector<uint32_t> listed;
  for (int64_t r = 0; r < rows.count; ++r)
    if (flags[r] && !named[r]) {
      listed.push_back(static_cast<uint32_t>(r));
      named[r] = 1;
    }
  writeList(list, listed);
  frame.meter.select(rows.count);
}

void execute(const isa::SelCount &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto count = frame.out<uint32_t>("count");
  auto flagsView = frame.in<uint8_t>("flags");
  if (!count)
    return;
  const uint8_t *flags = flagsView.vector(rows.count);
  *count.vector(1) = static_cast<uint32_t>(
      std::count_if(flags, flags + rows.count,
                    [&](uint8_t flag) { return (flag != 0) != i.invert; }));
  frame.meter.select(rows.count);
}

} // namespace fact::sim
