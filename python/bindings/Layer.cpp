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

std::vector<float> optionalVector(const Weights &weights,
                                  const std::string &name) {
  const Array<float> *array = find(weights, name);
  return array ? vectorOf(require(weights, name, 1)) : std::vector<float>();
}

n::NormLayer normOf(const Weights &weights, const std::string &name,
                    n::Norm kind, float eps) {
  n::NormLayer layer;
  layer.kind = kind;
  layer.gamma = vectorOf(require(weights, name + ".gamma", 1));
  layer.beta = optionalVector(weights, name + ".beta");
  layer.epsilon = eps;
  return layer;
}

n::Norm normKind(const std::string &text) {
  if (std::optional<n::Norm> kind = n::parseNorm(text))
    return *kind;
  throw fact::Error("norm must be 'layer' or 'rms' (was '" + text + "')");
}

/// Of the heads of Q, of those of K; empty where there is none.
using HeadNorms =
    std::pair<std::optional<std::string>, std::optional<std::string>>;

std::optional<n::NormLayer> headNormOf(const Weights &weights,
                                       const std::string &name,
                                       const std::optional<std::string> &kind,
                                       float eps) {
  if (!kind)
    return std::nullopt;
  return normOf(weights, name, normKind(*kind), eps);
}

n::RotaryEmbedding rotaryOf(const Weights &weights, const std::string &style) {
  std::optional<n::RotaryStyle> parsed = n::parseRotaryStyle(style);
  if (!parsed)
    throw fact::Error("rotary must be 'half' or 'interleaved' (was '" + style +
                      "')");
  const Array<float> &cos = require(weights, "rotary.cos", 2),
                     &sin = require(weights, "rotary.sin", 2);
  n::RotaryEmbedding rotary;
  rotary.style = *parsed;
  rotary.positions = cos.shape(0);
  rotary.pairs = cos.shape(1);
  rotary.cos = vectorOf(cos);
  rotary.sin = vectorOf(sin);
  return rotary;
}

n::Policy policyOf(const std::string &text) {
  n::Policy policy;
  std::string error = n::parsePolicy(text, policy);
  if (!error.empty())
    throw fact::Error(error);
  return policy;
}

py::dict encoderLayer(const Weights &weights, const Array<float> &x,
                      const std::string &policyText, const std::string &place,
                      const std::string &activation, int64_t heads, float eps,
                      float scale, const std::string &norm,
                      const std::optional<int64_t> &keyHeads,
                      const WindowEnds &window, const HeadNorms &headNorm,
                      const std::optional<std::string> &rotary,
                      const std::optional<float> &eps2,
                      const std::optional<float> &epsQuery,
                      const std::optional<float> &epsKey,
                      const std::optional<int64_t> &actualLength) {
  requireRank("x", x, 2);
  int64_t rows = x.shape(0), d = x.shape(1);
  int64_t length = actualLength.value_or(rows);
  if (place != "pre" && place != "post")
    throw fact::Error("place must be 'pre' or 'post' (was '" + place + "')");
  std::string kind = activation == "gelu_erf" ? "gelu" : activation;
  std::optional<n::Activation> function = n::parseActivation(kind);
  if (!function)
    throw fact::Error("activation must be 'gelu_erf', 'gelu_tanh', "
                      "'quick_gelu', 'swish' or 'relu' (was '" +
                      activation + "')");
  n::Layer layer;
  layer.preNorm = place == "pre";
  layer.window = windowOf(window);
  layer.activation = *function;
  layer.heads = heads;
  layer.keyHeads = keyHeads.value_or(heads);
  layer.scale = scale;
  layer.query = linearOf(weights, "q");
  layer.key = linearOf(weights, "k");
  layer.value = linearOf(weights, "v");
  layer.output = linearOf(weights, "o");
  layer.ffn1 = linearOf(weights, "1");
  layer.ffn2 = linearOf(weights, "2");
  if (find(weights, "W3"))
    layer.gate = linearOf(weights, "3");
  layer.norm1 = normOf(weights, "ln1", normKind(norm), eps);
  layer.norm2 = normOf(weights, "ln2", normKind(norm), eps2.value_or(eps));
  layer.queryNorm =
      headNormOf(weights, "q_norm", headNorm.first, epsQuery.value_or(eps));
  layer.keyNorm =
      headNormOf(weights, "k_norm", headNorm.second, epsKey.value_or(eps));
  if (rotary)
    layer.rotary = rotaryOf(weights, *rotary);
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
  result["k_rows"] = arrayOf<bool>({layer.keyHeads, length}, s.kRows);
  result["v_rows"] = arrayOf<bool>({layer.keyHeads, length}, s.vRows);
  result["q_rows"] = arrayOf<bool>({heads, length}, s.qRows);
  result["low"] = arrayOf<bool>({length}, s.low);
  return result;
}

} // namespace

void fact::python::addLayer(py::module_ &m) {
  m.def(
      "encoder_layer", &encoderLayer, py::arg("weights"), py::arg("x"),
      py::arg("policy") = "dense", py::kw_only(), py::arg("place"),
      py::arg("activation"), py::arg("heads"), py::arg("eps"), py::arg("scale"),
      py::arg("norm") = "layer", py::arg("key_heads") = py::none(),
      py::arg("window") = WindowEnds(), py::arg("head_norm") = HeadNorms(),
      py::arg("rotary") = py::none(), py::arg("eps_2") = py::none(),
      py::arg("eps_q") = py::none(), py::arg("eps_k") = py::none(),
      py::arg("length") = py::none(),
      "encoder_layer(weights, x, policy='dense', *, place, activation, heads,\n"
      "eps, scale, norm='layer', key_heads=None, window=(None, None),\n"
      "head_norm=(None, None), rotary=None, eps_2=None, eps_q=None, "
      "eps_k=None,\n"
      "length=None): a whole layer.\n\n"
      "weights: {'Wq', 'Wk', 'Wv', 'Wo', 'W1', 'W2', and 'W3' of a gated FFN:\n"
      "float32 [in, out]; 'bq' .. 'b3' (each may be absent); 'ln1.gamma',\n"
      "'ln2.gamma': [d], 'ln1.beta', 'ln2.beta' (may be absent); 'q_norm.*',\n"
      "'k_norm.*': [head size]; 'rotary.cos', 'rotary.sin': [positions,\n"
      "pairs]}. x: float32 [rows, d], of which `length` count. policy: as\n"
      "'paper keep=0.3' (a preset, fields that override it). place: 'pre' or\n"
      "'post' of the norms; norm: 'layer' or 'rms'; head_norm: of Q's and of\n"
      "K's heads, the same kinds; activation: 'gelu_erf', 'gelu_tanh',\n"
      "'quick_gelu', 'swish', 'relu'; key_heads: of K\n"
      "and V; window: keys before and after its own that a row sees; rotary:\n"
      "'half' or 'interleaved'; eps_2 of ln2, eps_q and eps_k of the head\n"
      "norms, eps where not given. Returns a dict: y float32 [rows, d]; over\n"
      "the actual length mask [heads, L, L], dominated, q_rows [heads, L],\n"
      "k_rows, v_rows [key_heads, L], low [L], all bool. Sections 3 to 7, 10.\n"
      "ValueError for wrong shapes, values and input that is not finite.");
}
