//===- FloatRules.cpp - Python bindings of the float functions ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/FloatRules.h"
#include "Arrays.h"
#include "fact/Numerics/Fold.h"
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

py::array_t<float> norm(n::Norm kind, const Array<float> &x,
                        const Array<float> &gamma,
                        const std::optional<Array<float>> &beta, float eps) {
  Rows<float> rows = rowsOf("x", x);
  requireShape("gamma", gamma, {rows.length});
  if (beta)
    requireShape("beta", *beta, {rows.length});
  py::array_t<float> y(shapeOf(x));
  for (int64_t i = 0; i < rows.count; ++i)
    n::normRow(kind, rows[i], gamma.data(), beta ? beta->data() : nullptr, eps,
               rows.length, y.mutable_data() + i * rows.length);
  return y;
}

py::array_t<float> rotate(const Array<float> &x, const Array<float> &cos,
                          const Array<float> &sin, const std::string &name) {
  requireRank("x", x, 3);
  requireRank("cos", cos, 2);
  requireShape("sin", sin, shapeOf(cos));
  std::optional<n::RotaryStyle> style = n::parseRotaryStyle(name);
  if (!style)
    throw fact::Error("style must be 'half' or 'interleaved' (was '" + name +
                      "')");
  int64_t tokens = x.shape(1), size = x.shape(2), pairs = cos.shape(1);
  if (cos.shape(0) < tokens || 2 * pairs > size)
    throw fact::Error("tables must have at least " + std::to_string(tokens) +
                      " positions and at most " + std::to_string(size / 2) +
                      " pairs (was " + print(shapeOf(cos)) + ")");
  py::array_t<float> y(shapeOf(x));
  for (int64_t row = 0; row < x.shape(0) * tokens; ++row)
    n::rotateRow(*style, cos.data() + row % tokens * pairs,
                 sin.data() + row % tokens * pairs, pairs,
                 x.data() + row * size, size, y.mutable_data() + row * size);
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
      m, "quick_gelu", [](float x) { return n::quickGelu(x); },
      "quick_gelu(x): x / (1 + exp(-1.702 x)) of every element.\n\n"
      "x: float32, any shape; returns the same shape. Section 10.");
  addElementwise(
      m, "swish", [](float x) { return n::swish(x); },
      "swish(x): x / (1 + exp(-x)) of every element.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");
  addElementwise(
      m, "relu", [](float x) { return n::relu(x); },
      "relu(x): x where x > 0, else +0.\n\n"
      "x: float32, any shape; returns the same shape. Section 2.");

  addElementwise(
      m, "fold_cos", [](float x) { return n::fold::cos(x); },
      "fold_cos(x): the cosine of every element, of a model's constants.\n\n"
      "x: float32, any shape; returns the same shape. Section 10.");
  addElementwise(
      m, "fold_sin", [](float x) { return n::fold::sin(x); },
      "fold_sin(x): the sine of every element, of a model's constants.\n\n"
      "x: float32, any shape; returns the same shape. Section 10.");
  m.def(
      "fold_pow",
      [](float base, const Array<float> &exponents) {
        py::array_t<float> y(shapeOf(exponents));
        for (py::ssize_t i = 0; i < exponents.size(); ++i)
          y.mutable_data()[i] = n::fold::pow(base, exponents.data()[i]);
        return y;
      },
      py::arg("x"), py::arg("y"),
      "fold_pow(x, y): x^y for every element of y, of a model's constants.\n\n"
      "x: a number; y: float32, any shape; returns its shape. Section 10.");

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
  m.def(
      "layer_norm",
      [](const Array<float> &x, const Array<float> &gamma,
         const std::optional<Array<float>> &beta,
         float eps) { return norm(n::Norm::Layer, x, gamma, beta, eps); },
      py::arg("x"), py::arg("gamma"), py::arg("beta"), py::arg("eps"),
      "layer_norm(x, gamma, beta, eps): layer norm of every row.\n\n"
      "x: float32 [..., n]; gamma, beta: [n], beta may be None; returns\n"
      "[..., n]. Section 2. ValueError where gamma or beta has another shape.");
  m.def(
      "rms_norm",
      [](const Array<float> &x, const Array<float> &gamma, float eps) {
        return norm(n::Norm::RMS, x, gamma, std::nullopt, eps);
      },
      py::arg("x"), py::arg("gamma"), py::arg("eps"),
      "rms_norm(x, gamma, eps): RMS norm of every row.\n\n"
      "x: float32 [..., n]; gamma: [n]; returns [..., n]. Section 10.\n"
      "ValueError where gamma has another shape.");
  m.def("rotate", &rotate, py::arg("x"), py::arg("cos"), py::arg("sin"),
        py::arg("style"),
        "rotate(x, cos, sin, style): rotary embedding.\n\n"
        "x: float32 [heads, tokens, features]; cos, sin: [positions, pairs];\n"
        "style: 'half' or 'interleaved'; returns the shape of x. Section 10.");
}
