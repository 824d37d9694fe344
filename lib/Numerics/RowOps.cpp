//===- RowOps.cpp - Norms, activations, rotation, column mean -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/RowOps.h"

#include "Named.h"
#include "Vectorize.h"
#include "fact/Numerics/Dressing.h"
#include "fact/Numerics/FloatRules.h"

namespace fact::numerics {

namespace {

constexpr Named<Activation> activations[] = {
    {Activation::Gelu, "gelu"},
    {Activation::GeluTanh, "gelu_tanh"},
    {Activation::QuickGelu, "quick_gelu"},
    {Activation::Swish, "swish"},
    {Activation::Relu, "relu"}};
constexpr Named<Norm> norms[] = {{Norm::Layer, "layer"}, {Norm::RMS, "rms"}};
constexpr Named<RotaryStyle> rotaryStyles[] = {
    {RotaryStyle::Half, "half"}, {RotaryStyle::Interleaved, "interleaved"}};

} // namespace

std::string_view name(Activation activation) {
  return nameIn(activations, activation);
}
std::string_view name(Norm norm) { return nameIn(norms, norm); }
std::string_view name(RotaryStyle style) { return nameIn(rotaryStyles, style); }

std::optional<Activation> parseActivation(std::string_view text) {
  return parseIn(activations, text);
}
std::optional<Norm> parseNorm(std::string_view text) {
  return parseIn(norms, text);
}
std::optional<RotaryStyle> parseRotaryStyle(std::string_view text) {
  return parseIn(rotaryStyles, text);
}

FACT_VECTORIZE float rsum(const float *x, int64_t n) {
  float lanes[rsumLanes] = {};
  int64_t i = 0;
  for (; i + rsumLanes <= n; i += rsumLanes)
    for (int lane = 0; lane < rsumLanes; ++lane)
      lanes[lane] = lanes[lane] + x[i + lane];
  for (int lane = 0; i + lane < n; ++lane)
    lanes[lane] = lanes[lane] + x[i + lane];
  return rsumTree(lanes);
}

FACT_VECTORIZE void normRow(Norm norm, const float *x, const float *gamma,
                            const float *beta, float epsilon, int64_t n,
                            float *y) {
  float size = static_cast<float>(n);
  // An element minus +0 is the element.
  float mu = norm == Norm::Layer ? rsum(x, n) / size : 0.0f;
  float lanes[rsumLanes] = {};
  int64_t i = 0;
  for (; i + rsumLanes <= n; i += rsumLanes)
    for (int lane = 0; lane < rsumLanes; ++lane) {
      float c = x[i + lane] - mu;
      lanes[lane] = lanes[lane] + c * c;
    }
  for (int lane = 0; i + lane < n; ++lane) {
    float c = x[i + lane] - mu;
    lanes[lane] = lanes[lane] + c * c;
  }
  float inverse = inverseDeviation(rsumTree(lanes), size, epsilon);
  if (!beta) {
    for (int64_t c = 0; c < n; ++c)
      y[c] = normalize(x[c] - mu, inverse, gamma[c]);
    return;
  }
  for (int64_t c = 0; c < n; ++c)
    y[c] = normalize(x[c] - mu, inverse, gamma[c]) + beta[c];
}

void rotateRow(RotaryStyle style, const float *cos, const float *sin,
               int64_t pairs, const float *x, int64_t n, float *y) {
  bool half = style == RotaryStyle::Half;
  for (int64_t c = 0; c < pairs; ++c) {
    int64_t first = half ? c : 2 * c, second = half ? c + pairs : 2 * c + 1;
    float a = x[first], b = x[second];
    y[first] = rotatedFirst(a, b, cos[c], sin[c]);
    y[second] = rotatedSecond(a, b, cos[c], sin[c]);
  }
  for (int64_t c = 2 * pairs; c < n; ++c)
    y[c] = x[c];
}

float activate(Activation activation, float x) {
  switch (activation) {
  case Activation::Gelu:
    return gelu(x);
  case Activation::GeluTanh:
    return geluTanh(x);
  case Activation::QuickGelu:
    return quickGelu(x);
  case Activation::Swish:
    return swish(x);
  case Activation::Relu:
    return relu(x);
  }
  return x;
}

FACT_VECTORIZE void activateRow(Activation activation, const float *x,
                                int64_t n, float *y) {
  switch (activation) {
  case Activation::Gelu:
    for (int64_t i = 0; i < n; ++i)
      y[i] = gelu(x[i]);
    return;
  case Activation::GeluTanh:
    for (int64_t i = 0; i < n; ++i)
      y[i] = geluTanh(x[i]);
    return;
  case Activation::QuickGelu:
    for (int64_t i = 0; i < n; ++i)
      y[i] = quickGelu(x[i]);
    return;
  case Activation::Swish:
    for (int64_t i = 0; i < n; ++i)
      y[i] = swish(x[i]);
    return;
  case Activation::Relu:
    for (int64_t i = 0; i < n; ++i)
      y[i] = relu(x[i]);
    return;
  }
}

FACT_VECTORIZE void expRow(const float *x, int64_t n, float *y) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = numerics::exp(x[i]);
}

void addRow(const float *a, const float *b, int64_t n, float *y) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = a[i] + b[i];
}

void NormLayer::apply(const float *x, float *y) const {
  normRow(kind, x, gamma.data(), beta.empty() ? nullptr : beta.data(), epsilon,
          static_cast<int64_t>(gamma.size()), y);
}

void Dressing::apply(int64_t position, float *head, int64_t headSize) const {
  if (norm)
    norm->apply(head, head);
  if (rotary)
    rotateRow(rotary->style, rotary->cos.data() + position * rotary->pairs,
              rotary->sin.data() + position * rotary->pairs, rotary->pairs,
              head, headSize, head);
}

void multiplyRow(const float *a, const float *b, int64_t n, float *y) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = a[i] * b[i];
}

void columnSumAdd(const float *row, bool first, int64_t n, float *sum) {
  for (int64_t i = 0; i < n; ++i)
    sum[i] = first ? row[i] : sum[i] + row[i];
}

void columnMeanFinish(const float *sum, int64_t rows, int64_t n, float *mean) {
  float count = static_cast<float>(rows);
  for (int64_t i = 0; i < n; ++i)
    mean[i] = sum[i] / count;
}

void columnMean(const float *a, int64_t rows, int64_t n, float *mean) {
  for (int64_t i = 0; i < rows; ++i)
    columnSumAdd(a + i * n, i == 0, n, mean);
  columnMeanFinish(mean, rows, n, mean);
}

} // namespace fact::numerics
