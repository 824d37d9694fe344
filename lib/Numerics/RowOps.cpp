//===- RowOps.cpp - Layer norm, activations, column mean ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/RowOps.h"

#include "Vectorize.h"
#include "fact/Numerics/FloatRules.h"

namespace fact::numerics {

std::string_view name(Activation activation) {
  switch (activation) {
  case Activation::Gelu:
    return "gelu";
  case Activation::GeluTanh:
    return "gelu_tanh";
  case Activation::Swish:
    return "swish";
  case Activation::Relu:
    return "relu";
  }
  return "?";
}

std::optional<Activation> parseActivation(std::string_view text) {
  for (Activation activation : {Activation::Gelu, Activation::GeluTanh,
                                Activation::Swish, Activation::Relu})
    if (name(activation) == text)
      return activation;
  return std::nullopt;
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

FACT_VECTORIZE void layerNormRow(const float *x, const float *gamma,
                                 const float *beta, float epsilon, int64_t n,
                                 float *y) {
  float size = static_cast<float>(n);
  float mu = rsum(x, n) / size;
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
  for (int64_t c = 0; c < n; ++c)
    y[c] = normalize(x[c] - mu, inverse, gamma[c], beta[c]);
}

float activate(Activation activation, float x) {
  switch (activation) {
  case Activation::Gelu:
    return gelu(x);
  case Activation::GeluTanh:
    return geluTanh(x);
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
