//===- Apu.cpp - Float32 lanes: rows of linear layers and norms -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, sections 1 to 3.
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/RowOps.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cstring>

namespace fact::sim {

void execute(const isa::ApuNorm &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto x = frame.in<float>("x", i.x_stride);
  auto gammaView = frame.in<float>("gamma");
  auto betaView = frame.in<float>("beta");
  auto maximum = frame.out<float>("maximum");
  int64_t n = i.n;
  if (!y)
    return;
  const float *gamma = gammaView.vector(n),
              *beta = betaView ? betaView.vector(n) : nullptr;
  auto kind = numerics::asNorm<numerics::Norm>(i.kind);
  // The row that is written may be the one that is read.
  std::vector<float> row(n);
  std::vector<int32_t> listed = listedRows(frame, rows, "list");
  for (int32_t r : listed) {
    float *out = y.row(r, n);
    numerics::normRow(kind, x.row(r, n), gamma, beta, i.eps, n, row.data());
    std::copy(row.begin(), row.end(), out);
    if (maximum)
      *maximum.part(0, r, 1) = numerics::largestMagnitude(out, n);
  }
  int64_t count = static_cast<int64_t>(listed.size());
  frame.meter.sweep(sweepsOf(i, count));
  x.readAgain((i.kind == isa::Norm::Layer ? 2 : 1) * count * n);
}

void execute(const isa::ApuRotate &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto x = frame.in<float>("x", i.x_stride);
  auto cos = frame.in<float>("cos", i.cos_stride);
  auto sin = frame.in<float>("sin", i.sin_stride);
  auto maximum = frame.out<float>("maximum");
  int64_t n = i.n, pairs = i.pairs;
  if (2 * pairs > n)
    throw Error("apu.rotate rotates " + std::to_string(n) +
                " features at most (was " + std::to_string(2 * pairs) + ")");
  if (!y)
    return;
  auto style = numerics::asRotaryStyle<numerics::RotaryStyle>(i.style);
  // The row that is written may be the one that is read.
  std::vector<float> row(n);
  std::vector<int32_t> listed = listedRows(frame, rows, "list");
  for (int32_t r : listed) {
    float *out = y.row(r, n);
    numerics::rotateRow(style, cos.row(r, pairs), sin.row(r, pairs), pairs,
                        x.row(r, n), n, row.data());
    std::copy(row.begin(), row.end(), out);
    if (maximum)
      *maximum.part(0, r, 1) = numerics::largestMagnitude(out, n);
  }
  frame.meter.sweep(sweepsOf(i, static_cast<int64_t>(listed.size())));
}

void execute(const isa::ApuQuantize &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto q = frame.out<int8_t>("q", i.q_stride);
  auto scale = frame.out<float>("scale");
  auto x = frame.in<float>("x", i.x_stride);
  auto lowView = frame.in<uint8_t>("low");
  auto maximum = frame.in<float>("maximum");
  int64_t n = i.n;
  if (rows.count == 0) // rows of no elements have a scale
    return;
  const uint8_t *low = lowView ? lowView.vector(rows.count) : nullptr;
  std::vector<int32_t> listed = listedRows(frame, rows, "list");
  for (int32_t r : listed) {
    const float *in = x.row(r, n);
    float largest = numerics::largestMagnitude(in, n);
    if (maximum) {
      // Hardware takes it as it is; a program that gives another one is wrong.
      const float *known = maximum.part(0, r, 1);
      if (std::memcmp(known, &largest, sizeof largest) != 0)
        throw Error("the maximum of row " + std::to_string(rows.first + r) +
                    " must be " + std::to_string(largest) + " (was " +
                    std::to_string(*known) + ")");
    }
    *scale.part(0, r, 1) =
        numerics::quantizeRow(in, n, largest, low && low[r], q.row(r, n));
  }
  int64_t count = static_cast<int64_t>(listed.size());
  frame.meter.sweep(sweepsOf(i, count));
  if (!maximum)
    x.readAgain(count * n);
}

void execute(const isa::ApuRescale &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto acc = frame.in<int32_t>("acc", i.acc_stride);
  auto channelScaleView = frame.in<float>("w_scale");
  auto scale = frame.in<float>("scale");
  auto biasView = frame.in<float>("bias");
  auto residual = frame.in<float>("residual", i.residual_stride);
  auto lowView = frame.in<uint8_t>("low");
  if (i.accumulate && !i.maximum.present)
    throw Error("there is no maximum to accumulate");
  auto maximum = i.accumulate ? frame.inOut<float>("maximum")
                              : frame.out<float>("maximum");
  int64_t n = i.n;
  if (!y)
    return;
  const float *bias = biasView ? biasView.vector(n) : nullptr;
  const uint8_t *low = lowView ? lowView.vector(rows.count) : nullptr;
  const float *channelScales = channelScaleView.vector(n);
  std::vector<float> highScales;
  if (low && i.precision == isa::Precision::A4W4) {
    highScales.resize(n);
    for (int64_t c = 0; c < n; ++c)
      highScales[c] = numerics::highPlaneScale(channelScales[c]);
  }
  std::optional<numerics::Activation> activation =
      numerics::activationOrNone(i.activation);
  // The row that is written may be one that is read.
  std::vector<int32_t> sums(n);
  std::vector<float> result(n);
  std::vector<int32_t> listed = listedRows(frame, rows, "list");
  for (int32_t r : listed) {
    const int32_t *in = acc.row(r, n);
    std::copy(in, in + n, sums.data());
    bool high = !highScales.empty() && low[r];
    numerics::rescaleRow(sums.data(), high ? highScales.data() : channelScales,
                         *scale.part(0, r, 1), bias, n, result.data());
    if (activation)
      numerics::activateRow(*activation, result.data(), n, result.data());
    if (residual)
      numerics::addRow(result.data(), residual.row(r, n), n, result.data());
    std::copy(result.begin(), result.end(), y.row(r, n));
    if (!maximum)
      continue;
    float &ofRow = *maximum.part(0, r, 1);
    float both[] = {numerics::largestMagnitude(result.data(), n),
                    i.accumulate ? ofRow : 0};
    ofRow = numerics::largestMagnitude(both, 2);
  }
  frame.meter.sweep(sweepsOf(i, static_cast<int64_t>(listed.size())));
}

void execute(const isa::ApuActivation &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto x = frame.in<float>("x", i.x_stride);
  int64_t n = i.n;
  if (!y)
    return;
  for (int64_t r = 0; r < rows.count; ++r)
    numerics::activateRow(numerics::asActivation<numerics::Activation>(i.kind),
                          x.row(r, n), n, y.row(r, n));
  frame.meter.sweep(sweepsOf(i, rows.count));
}

/// What two streams of rows make, element by element.
template <typename Instruction>
static void executePair(const Instruction &i, Frame &frame,
                        decltype(numerics::addRow) &of) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto a = frame.in<float>("a", i.a_stride);
  auto b = frame.in<float>("b", i.b_stride);
  int64_t n = i.n;
  if (!y)
    return;
  for (int64_t r = 0; r < rows.count; ++r)
    of(a.row(r, n), b.row(r, n), n, y.row(r, n));
  frame.meter.sweep(sweepsOf(i, rows.count));
}

void execute(const isa::ApuAdd &i, Frame &frame) {
  executePair(i, frame, numerics::addRow);
}

void execute(const isa::ApuMultiply &i, Frame &frame) {
  executePair(i, frame, numerics::multiplyRow);
}

void execute(const isa::ApuColumnSum &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto sumView = frame.inOut<float>("sum");
  auto x = frame.in<float>("x", i.x_stride);
  int64_t n = i.n;
  if (!sumView)
    return;
  float *sum = sumView.vector(n);
  for (int64_t r = 0; r < rows.count; ++r)
    numerics::columnSumAdd(x.row(r, n), rows.first + r == 0, n, sum);
  frame.meter.sweep(sweepsOf(i, rows.count));
}

void execute(const isa::ApuMean &i, Frame &frame) {
  auto y = frame.out<float>("y");
  auto sum = frame.in<float>("sum");
  int64_t n = i.n;
  if (!y)
    return;
  numerics::columnMeanFinish(sum.vector(n), frame.length(), n, y.vector(n));
  frame.meter.sweep(sweepsOf(i));
}

} // namespace fact::sim
