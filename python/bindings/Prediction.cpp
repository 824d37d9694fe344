//===- Prediction.cpp - Python bindings of eager prediction ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Prediction.h"
#include "Arrays.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Formats.h"

#include <optional>

using namespace fact::python;
namespace n = fact::numerics;

namespace {

n::Predictor predictorOf(const std::string &kind) {
  if (std::optional<n::Predictor> predictor = n::parsePredictor(kind))
    return *predictor;
  throw fact::Error("predictor must be 'leading-one', 'leading-two', "
                    "'one-sided' or 'exact' (was '" +
                    kind + "')");
}

template <int32_t (*function)(int32_t)>
py::array_t<int32_t> leading(const Array<int32_t> &x) {
  py::array_t<int32_t> y(shapeOf(x));
  for (py::ssize_t i = 0; i < x.size(); ++i)
    y.mutable_data()[i] = function(x.data()[i]);
  return y;
}

float scaleOfExponent(int32_t e) {
  if (e < -126 || e > 127)
    throw fact::Error("exponent must be in -126..127 (was " +
                      std::to_string(e) + ")");
  return n::powerOfTwo(e);
}

py::array_t<int32_t> predictorBias(const Array<float> &b, float s,
                                   const Array<int32_t> &e,
                                   const std::string &kind) {
  requireRank("b", b, 1);
  requireRank("e", e, 1);
  int64_t channels = b.shape(0);
  std::vector<float> biases(channels);
  n::predictorBiases(predictorOf(kind), b.data(), channels, s, biases.data());
  py::array_t<int32_t> h(Shape{e.shape(0), channels});
  std::fill_n(h.mutable_data(), h.size(), 0);
  for (py::ssize_t i = 0; i < e.shape(0); ++i)
    n::addPredictorBias(biases.data(), channels, scaleOfExponent(e.data()[i]),
                        h.mutable_data() + i * channels);
  return h;
}

py::dict predict(const Array<float> &x, const Array<float> &wq,
                 const Array<float> &wk, const std::optional<Array<float>> &bq,
                 int64_t heads, float scale, const std::string &kind) {
  requireRank("x", x, 2);
  requireRank("Wq", wq, 2);
  int64_t length = x.shape(0), in = x.shape(1), d = wq.shape(1);
  requireShape("Wq", wq, {in, d});
  requireShape("Wk", wk, {in, d});
  if (bq)
    requireShape("bq", *bq, {d});
  if (heads < 1 || d % heads != 0)
    throw fact::Error("heads must divide the width " + std::to_string(d) +
                      " (was " + std::to_string(heads) + ")");
  n::Predictor predictor = predictorOf(kind);
  std::vector<int8_t> x8(length * in);
  std::vector<float> scales(length);
  for (int64_t i = 0; i < length; ++i)
    scales[i] = n::quantizeRowInt8(x.data() + i * in, in, x8.data() + i * in);
  n::AttentionForm form;
  form.heads = form.keyHeads = heads;
  n::Prediction p =
      n::predict(predictor,
                 n::predictorWeights(predictor, wq.data(),
                                     bq ? bq->data() : nullptr, in, d),
                 n::predictorWeights(predictor, wk.data(), nullptr, in, d),
                 x8.data(), scales.data(), length, form, scale);
  auto exponents = [](const std::vector<float> &scales) {
    std::vector<int32_t> result(scales.size());
    std::transform(scales.begin(), scales.end(), result.begin(),
                   n::exponentOfScale);
    return result;
  };
  py::dict result;
  result["Hq"] = arrayOf<int32_t>({length, d}, p.query.h);
  result["Hk"] = arrayOf<int32_t>({length, d}, p.key.h);
  result["sq"] = arrayOf<int32_t>({heads, length}, exponents(p.query.scales));
  result["sk"] = arrayOf<int32_t>({heads, length}, exponents(p.key.scales));
  result["T"] = arrayOf<float>({heads, length, length}, p.scores);
  result["unit"] = arrayOf<float>({heads, length}, p.unit);
  return result;
}

py::array_t<float> predictorUnit(const Array<int32_t> &sq,
                                 const Array<int32_t> &e,
                                 const Array<float> &query,
                                 const Array<float> &key,
                                 const Array<float> &scale) {
  Shape shape = shapeOf(sq);
  requireShape("e", e, shape);
  requireShape("s_pq", query, shape);
  requireShape("s_pk", key, shape);
  requireShape("scale", scale, shape);
  py::array_t<float> unit(shape);
  for (py::ssize_t i = 0; i < sq.size(); ++i)
    unit.mutable_data()[i] = n::predictorUnit(
        scaleOfExponent(sq.data()[i]), scaleOfExponent(e.data()[i]),
        query.data()[i], key.data()[i], scale.data()[i]);
  return unit;
}

py::array_t<float> predictedRows(const Array<int32_t> &h, float s,
                                 const Array<int32_t> &e,
                                 const std::optional<Array<float>> &bias,
                                 const std::string &kind) {
  requireRank("H", h, 2);
  int64_t rows = h.shape(0), width = h.shape(1);
  requireShape("e", e, {rows});
  std::vector<float> biases(bias ? width : 0);
  if (bias) {
    requireShape("bias", *bias, {width});
    n::dressedBiases(predictorOf(kind), bias->data(), width, biases.data());
  }
  py::array_t<float> y(shapeOf(h));
  for (int64_t i = 0; i < rows; ++i)
    n::predictedRow(h.data() + i * width, s, scaleOfExponent(e.data()[i]),
                    bias ? biases.data() : nullptr, width,
                    y.mutable_data() + i * width);
  return y;
}

} // namespace

void fact::python::addPrediction(py::module_ &m) {
  m.def("leading_one", &leading<n::leadingOne>, py::arg("x"),
        "leading_one(x): sign(x) * 2^floor(log2 |x|), 0 of 0.\n\n"
        "x: int32, any shape; returns the same shape. Section 4, point 1.");
  m.def("leading_two", &leading<n::leadingTwo>, py::arg("x"),
        "leading_two(x): the two leading ones of |x| with its sign.\n\n"
        "x: int32, any shape; returns the same shape. Section 4, point 6.");
  m.def("predictor_bias", &predictorBias, py::arg("b"), py::arg("s"),
        py::arg("e"), py::arg("predictor") = "leading-one",
        "predictor_bias(b, s, e, predictor): what Q's bias adds to Hq.\n\n"
        "b: float32 [channels]; s: scale of Wq's predictor weights; e: int32\n"
        "[rows], the rows' exponents; returns int32 [rows, channels]. Section\n"
        "4, point 3. ValueError for an unknown predictor.");
  m.def(
      "predict", &predict, py::arg("x"), py::arg("Wq"), py::arg("Wk"),
      py::arg("bq") = py::none(), py::arg("heads") = 1, py::arg("scale") = 1.0f,
      py::arg("predictor") = "leading-one",
      "predict(x, Wq, Wk, bq, heads, scale, predictor): eager prediction.\n\n"
      "x: float32 [L, in]; Wq, Wk: [in, d]; bq: [d] or None; heads divides d.\n"
      "Returns a dict: Hq, Hk int32 [L, d] (bias in, before the shift), sq, "
      "sk\n"
      "int32 [heads, L], T float32 [heads, L, L], unit float32 [heads, L].\n"
      "Section 4. ValueError for other shapes and predictors.");
  m.def("predicted_rows", &predictedRows, py::arg("H"), py::arg("s"),
        py::arg("e"), py::arg("bias"), py::arg("predictor") = "leading-one",
        "predicted_rows(H, s, e, bias, predictor): float32 rows of stage 1,\n"
        "before they are dressed.\n\n"
        "H: int32 [rows, n]; s: scale of the predictor weights; e: int32\n"
        "[rows]; bias: float32 [n] or None; returns [rows, n]. Section 10.");
  m.def("predictor_unit", &predictorUnit, py::arg("sq"), py::arg("e"),
        py::arg("s_pq"), py::arg("s_pk"), py::arg("scale"),
        "predictor_unit(sq, e, s_pq, s_pk, scale): what a row's scores are\n"
        "measured in, (2^sq * 2^e) * ((s_pq * s_pk) * scale).\n\n"
        "Five arrays of one shape; returns float32. Section 4, point 5.");
}
