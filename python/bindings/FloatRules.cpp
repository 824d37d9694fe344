//===- FloatRules.cpp - Python bindings of the float functions ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/FloatRules.h"
#include "Arrays.h"
#include "fact/Numerics/RowOps.h"

using namespace fact::python;
namespace n = fact::numerics;

namespace {

/// Defines a function that maps every element of an array.
template <typename Function>
void addElementwise(py::module_ &m, const char *name, Function function,
                    const char *doc) {
  m.def(
      name,
      [function](const Array<float> &x) {
        py::array_t<float> y(shapeOf(x));
        const float *in = x.data();
        float *out = y.mutable_data();
        for (py::ssize_t i = 0; i < x.size(); ++i)
          out[i] = function(in[i]);
        return y;
      },
      py::arg("x"), doc);
}

py::array_t<float> layerNorm(const Array<float> &x, const Array<float> &gamma,
                             const Array<float> &beta, float eps) {
  Rows<float> rows = rowsOf("x", x);
  requireShape("gamma", gamma, {rows.length});
  requireShape("beta", beta, {rows.length});
  py::array_t<float> y(shapeOf(x));
  for (int64_t i = 0; i < rows.count; ++i)
    n::layerNormRow(rows[i], gamma.data(), beta.data(), eps, rows.length,
                    y.mutable_data() + i * rows.length);
  return y;
}

} // namespace

void fact::python::addFloatRules(py::module_ &m) {
  addElementwise(
      m, "exp", [](float x) { return n::exp(x); },
      "exp(x): e^x of every element, clamped to x in -87..88, never 0.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");
  addElementwise(
      m, "erf", [](float x) { return n::erf(x); },
      "erf(x): the error function of every element (error 2.3e-6).\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");
  addElementwise(
      m, "gelu_erf", [](float x) { return n::gelu(x); },
      "gelu_erf(x): (0.5 * x) * (1 + erf(x / sqrt 2)) of every element.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");
  addElementwise(
      m, "gelu_tanh", [](float x) { return n::geluTanh(x); },
      "gelu_tanh(x): GELU by its tanh approximation, of every element.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");
  addElementwise(
      m, "swish", [](float x) { return n::swish(x); },
      "swish(x): x / (1 + exp(-x)) of every element.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");
  addElementwise(
      m, "relu", [](float x) { return n::relu(x); },
      "relu(x): x where x > 0, else +0.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");

  m.def(
      "rsum",
      [](const Array<float> &x) {
        Rows<float> rows = rowsOf("x", x);
        py::array_t<float> y(rowShape(x));
        for (int64_t i = 0; i < rows.count; ++i)
          y.mutable_data()[i] = n::rsum(rows[i], rows.length);
        return y;
      },
      py::arg("x"),
      "rsum(x): the sum of every row in the order of 16 lanes and a tree.\n\n"
      "x: float32 [..., n], n >= 1; returns [...]. Section 2.");
  m.def(
      "column_mean",
      [](const Array<float> &a) {
        requireRank("a", a, 2);
        if (a.shape(0) < 1)
          throw Error("'a' must have at least one row (was 0)");
        py::array_t<float> mean(Shape{a.shape(1)});
        n::columnMean(a.data(), a.shape(0), a.shape(1), mean.mutable_data());
        return mean;
      },
      py::arg("a"),
      "column_mean(a): mean of every column, one row after the other.\n\n"
      "a: float32 [L, n], L >= 1; returns [n]. Section 2.");
  m.def("layer_norm", &layerNorm, py::arg("x"), py::arg("gamma"),
        py::arg("beta"), py::arg("eps"),
        "layer_norm(x, gamma, beta, eps): layer norm of every row.\n\n"
        "x: float32 [..., n]; gamma, beta: [n]; returns [..., n]. Section 2.\n"
        "ValueError where gamma or beta has another shape.");
}
