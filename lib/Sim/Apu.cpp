//===- Apu.cpp - Float32 lanes: rows of linear layers and norms -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, sections 1 to 3. Every instruction tells the meter its
// sweeps: how often the lanes pass over a row, and which of their units an
// element needs in each pass.
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/RowOps.h"

#include <algorithm>

namespace fact::sim {

void execute(const isa::ApuLayerNorm &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto x = frame.in<float>("x", i.x_stride);
  auto gammaView = frame.in<float>("gamma");
  auto betaView = frame.in<float>("beta");
  int64_t n = i.n;
  if (!y)
    return;
  const float *gamma = gammaView.vector(n), *beta = betaView.vector(n);
  for (int64_t r = 0; r < rows.count; ++r)
    numerics::layerNormRow(x.row(r, n), gamma, beta, i.eps, n, y.row(r, n));

  FloatSteps sum, squares, perRow, result;
  sum.add = 1;
  squares.add = 2; // x - mu, sum
  squares.multiply = 1;
  perRow.divide = 3;
  perRow.squareRoot = perRow.add = 1;
  result.add = 2;
  result.multiply = 2;
  frame.meter.sweep(rows.count, n, sum);
  frame.meter.sweep(rows.count, n, squares);
  frame.meter.sweep(1, rows.count, perRow);
  frame.meter.sweep(rows.count, n, result);
  x.readAgain(2 * rows.count * n);
}

void execute(const isa::ApuQuantize &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto q = frame.out<int8_t>("q", i.q_stride);
  auto scale = frame.out<float>("scale");
  auto x = frame.in<float>("x", i.x_stride);
  auto lowView = frame.in<uint8_t>("low");
  int64_t n = i.n;
  if (rows.count == 0) // rows of no elements have a scale
    return;
  const uint8_t *low = lowView ? lowView.vector(rows.count) : nullptr;
  std::vector<int32_t> listed = listedRows(frame, rows, "list");
  for (int32_t r : listed) {
    const float *in = x.row(r, n);
    int8_t *out = q.row(r, n);
    *scale.part(0, r, 1) = low && low[r]
                               ? numerics::quantizeRowInt4(in, n, out)
                               : numerics::quantizeRowInt8(in, n, out);
  }

  int64_t count = static_cast<int64_t>(listed.size());
  FloatSteps largest, code;
  largest.max = 1;
  code.quantize = 1;
  frame.meter.sweep(count, n, largest);
  frame.meter.sweep(count, n, code);
  x.readAgain(count * n);
}

void execute(const isa::ApuRescale &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto acc = frame.in<int32_t>("acc", i.acc_stride);
  auto channelScaleView = frame.in<float>("w_scale");
  auto scale = frame.in<float>("scale");
  auto biasView = frame.in<float>("bias");
  auto lowView = frame.in<uint8_t>("low");
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
  // The row that is written may be the one that is read.
  std::vector<int32_t> sums(n);
  std::vector<int32_t> listed = listedRows(frame, rows, "list");
  for (int32_t r : listed) {
    const int32_t *in = acc.row(r, n);
    std::copy(in, in + n, sums.data());
    bool high = !highScales.empty() && low[r];
    numerics::rescaleRow(sums.data(), high ? highScales.data() : channelScales,
                         *scale.part(0, r, 1), bias, n, y.row(r, n));
  }

  FloatSteps per;
  per.multiply = 2;
  per.add = bias ? 1 : 0;
  frame.meter.sweep(static_cast<int64_t>(listed.size()), n, per);
}

static FloatSteps stepsOf(isa::Activation kind) {
  FloatSteps per;
  switch (kind) {
  case isa::Activation::Gelu: // (0.5 * x) * (1 + erf(x * c))
    per.multiply = 3;
    per.add = per.erf = 1;
    break;
  case isa::Activation::GeluTanh:
    per.multiply = 4;
    per.add = 2;
    per.exp = per.divide = 1;
    break;
  case isa::Activation::Swish:
    per.add = per.exp = per.divide = 1;
    break;
  case isa::Activation::Relu:
    per.max = 1;
    break;
  }
  return per;
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
  frame.meter.sweep(rows.count, n, stepsOf(i.kind));
}

void execute(const isa::ApuAdd &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto y = frame.out<float>("y", i.y_stride);
  auto a = frame.in<float>("a", i.a_stride);
  auto b = frame.in<float>("b", i.b_stride);
  int64_t n = i.n;
  if (!y)
    return;
  for (int64_t r = 0; r < rows.count; ++r)
    numerics::addRow(a.row(r, n), b.row(r, n), n, y.row(r, n));
  FloatSteps per;
  per.add = 1;
  frame.meter.sweep(rows.count, n, per);
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
  FloatSteps per;
  per.add = 1;
  frame.meter.sweep(rows.count, n, per);
}

void execute(const isa::ApuMean &i, Frame &frame) {
  auto y = frame.out<float>("y");
  auto sum = frame.in<float>("sum");
  int64_t n = i.n;
  if (!y)
    return;
  numerics::columnMeanFinish(sum.vector(n), frame.length(), n, y.vector(n));
  FloatSteps per;
  per.divide = 1;
  frame.meter.sweep(1, n, per);
}

} // namespace fact::sim
