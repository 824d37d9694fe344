//===- Formats.cpp - Python bindings of formats and linear layers ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Formats.h"
#include "Arrays.h"
#include "fact/Numerics/Linear.h"

#include <optional>

using namespace fact::python;
namespace n = fact::numerics;

namespace {

/// quantize_rows and quantize_rows4: (codes, scale per row).
template <float (*quantizeRow)(const float *, int64_t, int8_t *)>
py::tuple quantizeRows(const Array<float> &x) {
  Rows<float> rows = rowsOf("x", x);
  py::array_t<int8_t> q(shapeOf(x));
  py::array_t<float> scale(rowShape(x));
  for (int64_t i = 0; i < rows.count; ++i)
    scale.mutable_data()[i] =
        quantizeRow(rows[i], rows.length, q.mutable_data() + i * rows.length);
  return py::make_tuple(q, scale);
}

py::tuple quantizeWeight(const Array<float> &weights) {
  requireRank("W", weights, 2);
  py::array_t<int8_t> w(shapeOf(weights));
  py::array_t<float> scale(Shape{weights.shape(1)});
  n::quantizeWeights(weights.data(), weights.shape(0), weights.shape(1),
                     w.mutable_data(), scale.mutable_data());
  return py::make_tuple(w, scale);
}

py::tuple predictorWeight(const Array<float> &weights) {
  py::array_t<int8_t> w(shapeOf(weights));
  float scale = n::quantizePredictorWeights(weights.data(), weights.size(),
                                            w.mutable_data());
  return py::make_tuple(w, scale);
}

py::array_t<int8_t> highNibble(const Array<int8_t> &w) {
  py::array_t<int8_t> high(shapeOf(w));
  n::splitPlanes(w.data(), w.size(), high.mutable_data(), nullptr);
  return high;
}

py::array_t<float> linear(const Array<float> &x, const Array<float> &weights,
                          const std::optional<Array<float>> &bias,
                          const std::string &precision) {
  requireRank("W", weights, 2);
  Rows<float> rows = rowsOf("x", x);
  int64_t in = weights.shape(0), out = weights.shape(1);
  if (rows.length != in)
    throw fact::Error("'x' must have " + std::to_string(in) +
                      " columns, as 'W' has rows (was " +
                      std::to_string(rows.length) + ")");
  if (bias)
    requireShape("b", *bias, {out});
  std::optional<n::LowPrecision> low;
  if (precision != "int8") {
    low = n::parseLowPrecision(precision);
    if (!low)
      throw fact::Error("precision must be 'int8', 'a4w4' or 'a4w8' (was '" +
                        precision + "')");
  }
  n::QuantizedWeights quantized = n::quantizeWeights(weights.data(), in, out);
  Shape shape = shapeOf(x);
  shape.back() = out;
  py::array_t<float> y(shape);
  for (int64_t i = 0; i < rows.count; ++i)
    n::linearRow(quantized, bias ? bias->data() : nullptr,
                 low ? &*low : nullptr, rows[i], y.mutable_data() + i * out);
  return y;
}

} // namespace

void fact::python::addFormats(py::module_ &m) {
  m.def("quantize_rows", &quantizeRows<n::quantizeRowInt8>, py::arg("x"),
        "quantize_rows(x): INT8 activation rows, (q, scale), x ~ q * scale.\n\n"
        "x: float32 [..., n]; q: int8 [..., n] in -127..127; scale: float32\n"
        "[...], powers of two. Section 1.");
  m.def(
      "quantize_rows4", &quantizeRows<n::quantizeRowInt4>, py::arg("x"),
      "quantize_rows4(x): INT4 activation rows, (q, scale).\n\n"
      "x: float32 [..., n]; q: int8 [..., n] in -7..7; scale: float32 [...].\n"
      "Section 1.");
  m.def("quantize_weight", &quantizeWeight, py::arg("W"),
        "quantize_weight(W): INT8 weights per output channel, (w, scale).\n\n"
        "W: float32 [in, out]; w: int8 in -119..119; scale: [out]. Section 1.");
  m.def(
      "predictor_weight", &predictorWeight, py::arg("W"),
      "predictor_weight(W): weights with one scale for the whole matrix,\n"
      "(w, scale).\n\nW: float32, any shape; w: int8 in -127..127. Section 1.");
  m.def("high_nibble", &highNibble, py::arg("w"),
        "high_nibble(w): the high INT4 plane (w + 8) >> 4 of INT8 weights.\n\n"
        "w: int8, any shape, in -119..119; returns int8 in -7..7. Section 1.");
  m.def(
      "linear", &linear, py::arg("x"), py::arg("W"), py::arg("b") = py::none(),
      py::arg("precision") = "int8",
      "linear(x, W, b=None, precision='int8'): x W + b on quantized rows.\n\n"
      "x: float32 [..., in]; W: [in, out]; b: [out]; returns [..., out].\n"
      "precision: 'int8', or what low tokens use: 'a4w4', 'a4w8'. Sections 3\n"
      "and 7. ValueError for other shapes and precisions.");
}
