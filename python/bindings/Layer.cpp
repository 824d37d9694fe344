//===- Layer.cpp - Python binding of the reference layer ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "fact/Numerics/Reference.h"

#include <map>

using namespace fact::python;
namespace n = fact::numerics;

namespace {

using Weights = std::map<std::string, Array<float>>;

/// A weight by name, or null where it is not there.
const Array<float> *find(const Weights &weights, const std::string &name) {
  auto it = weights.find(name);
  return it == weights.end() ? nullptr : &it->second;
}

const Array<float> &require(const Weights &weights, const std::string &name,
                            py::ssize_t rank) {
  const Array<float> *array = find(weights, name);
  if (!array)
    throw fact::Error("weight '" + name + "' is missing");
  requireRank(name.c_str(), *array, rank);
  return *array;
}

std::vector<float> vectorOf(const Array<float> &array) {
  return std::vector<float>(array.data(), array.data() + array.size());
}

n::LinearLayer linearOf(const Weights &weights, const std::string &suffix) {
  const Array<float> &w = require(weights, "W" + suffix, 2);
  n::LinearLayer layer;
  layer.in = w.shape(0);
  layer.out = w.shape(1);
  layer.weights = vectorOf(w);
  if (const Array<float> *b = find(weights, "b" + suffix)) {
    requireShape(("b" + suffix).c_str(), *b, {w.shape(1)});
    layer.bias = vectorOf(*b);
  }
  return layer;
}

n::LayerNormLayer normOf(const Weights &weights, const std::string &name,
                         float eps) {
  n::LayerNormLayer layer;
  layer.gamma = vectorOf(require(weights, name + ".gamma", 1));
  layer.beta = vectorOf(require(weights, name + ".beta", 1));
  layer.epsilon = eps;
  return layer;
}

n::Policy policyOf(const std::string &text) {
  n::Policy policy;
  std::string error = n::parsePolicy(text, policy);
  if (!error.empty())
    throw fact::Error(error);
  return policy;
}

py::dict encoderLayer(const Weights &weights, const Array<float> &x,
                      const std::string &policyText, const std::string &norm,
                      const std::string &activation, int64_t heads, float eps,
                      float scale, bool causal,
                      const std::optional<int64_t> &actualLength) {
  requireRank("x", x, 2);
  int64_t rows = x.shape(0), d = x.shape(1);
  int64_t length = actualLength.value_or(rows);
  if (norm != "pre" && norm != "post")
    throw fact::Error("norm must be 'pre' or 'post' (was '" + norm + "')");
  std::string kind = activation == "gelu_erf" ? "gelu" : activation;
  std::optional<n::Activation> function = n::parseActivation(kind);
  if (!function)
    throw fact::Error("activation must be 'gelu_erf', 'gelu_tanh', 'swish' or "
                      "'relu' (was '" +
                      activation + "')");
  n::Layer layer;
  layer.preNorm = norm == "pre";
  layer.causal = causal;
  layer.activation = *function;
  layer.heads = heads;
  layer.scale = scale;
  layer.query = linearOf(weights, "q");
  layer.key = linearOf(weights, "k");
  layer.value = linearOf(weights, "v");
  layer.output = linearOf(weights, "o");
  layer.ffn1 = linearOf(weights, "1");
  layer.ffn2 = linearOf(weights, "2");
  layer.norm1 = normOf(weights, "ln1", eps);
  layer.norm2 = normOf(weights, "ln2", eps);
  if (layer.query.in != d)
    throw fact::Error("'x' must have " + std::to_string(layer.query.in) +
                      " columns, as 'Wq' has rows (was " + std::to_string(d) +
                      ")");
  n::LayerResult r =
      n::referenceLayer(layer, policyOf(policyText), x.data(), rows, length);
  const n::Selection &s = r.selection;
  py::dict result;
  result["y"] = arrayOf<float>({rows, d}, r.y);
  result["mask"] = arrayOf<bool>({heads, length, length}, s.mask);
  result["dominated"] = arrayOf<bool>({heads, length}, s.dominated);
  result["k_rows"] = arrayOf<bool>({heads, length}, s.kRows);
  result["v_rows"] = arrayOf<bool>({heads, length}, s.vRows);
  result["q_rows"] = arrayOf<bool>({heads, length}, s.qRows);
  result["low"] = arrayOf<bool>({length}, s.low);
  return result;
}

} // namespace

void fact::python::addLayer(py::module_ &m) {
  m.def(
      "encoder_layer", &encoderLayer, py::arg("weights"), py::arg("x"),
      py::arg("policy") = "dense", py::kw_only(), py::arg("norm"),
      py::arg("activation"), py::arg("heads"), py::arg("eps"), py::arg("scale"),
      py::arg("causal") = false, py::arg("length") = py::none(),
      "encoder_layer(weights, x, policy='dense', *, norm, activation, heads,\n"
      "eps, scale, causal=False, length=None): a whole encoder layer.\n\n"
      "weights: {'Wq', 'Wk', 'Wv', 'Wo', 'W1', 'W2': float32 [in, out]; 'bq' "
      "..\n"
      "'b2' (each may be absent); 'ln1.gamma', 'ln1.beta', 'ln2.gamma',\n"
      "'ln2.beta': [d]}. x: float32 [rows, d], of which `length` count.\n"
      "policy: as 'paper keep=0.3' (a preset, fields that override it).\n"
      "norm: 'pre', 'post'; activation: 'gelu_erf', 'gelu_tanh', 'swish',\n"
      "'relu'. Returns a dict: y float32 [rows, d]; over the actual length\n"
      "mask [heads, L, L], dominated, k_rows, v_rows, q_rows [heads, L], low\n"
      "[L], all bool. Sections 3 to 7. ValueError for wrong shapes, values\n"
      "and input that is not finite.");
}
