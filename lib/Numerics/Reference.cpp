//===- Reference.cpp - One encoder layer, as the contract has it ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Reference.h"

#include "fact/Numerics/Attention.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Linear.h"
#include "fact/Support/Error.h"

#include <algorithm>

namespace fact::numerics {

namespace {

using Floats = std::vector<float>;

/// Names the element of a matrix that a check found.
std::string element(int64_t index, int64_t columns, float value) {
  return " at row " + std::to_string(index / columns) + ", column " +
         std::to_string(index % columns) + " (was " + std::to_string(value) +
         ")";
}

void checkUsable(const Floats &x, int64_t columns, const std::string &what) {
  int64_t bad = findUnusable(x.data(), static_cast<int64_t>(x.size()));
  if (bad >= 0)
    throw Error(what + " is not finite or above 2^50" +
                element(bad, columns, x[bad]));
}

void checkSize(const Floats &x, int64_t size, const std::string &what) {
  if (static_cast<int64_t>(x.size()) != size)
    throw Error(what + " must have " + std::to_string(size) +
                " elements (was " + std::to_string(x.size()) + ")");
}

QuantizedWeights prepare(const LinearLayer &linear, int64_t in, int64_t out,
                         const std::string &name) {
  if (linear.in != in || linear.out != out)
    throw Error("weights of '" + name + "' must be " + std::to_string(in) +
                " x " + std::to_string(out) + " (was " +
                std::to_string(linear.in) + " x " + std::to_string(linear.out) +
                ")");
  checkSize(linear.weights, in * out, "weights of '" + name + "'");
  checkUsable(linear.weights, out, "weight of '" + name + "'");
  if (!linear.bias.empty()) {
    checkSize(linear.bias, out, "bias of '" + name + "'");
    checkUsable(linear.bias, out, "bias of '" + name + "'");
  }
  return quantizeWeights(linear.weights.data(), in, out);
}

void checkNorm(const NormLayer &norm, int64_t n, const std::string &name) {
  checkSize(norm.gamma, n, "gamma of '" + name + "'");
  checkUsable(norm.gamma, n, "gamma of '" + name + "'");
  if (!norm.beta.empty()) {
    checkSize(norm.beta, n, "beta of '" + name + "'");
    checkUsable(norm.beta, n, "beta of '" + name + "'");
  }
  if (!(norm.epsilon > 0))
    throw Error("epsilon of '" + name + "' must be positive (was " +
                std::to_string(norm.epsilon) + ")");
}

void checkRotary(const RotaryEmbedding &rotary, int64_t headSize) {
  if (rotary.pairs < 1 || 2 * rotary.pairs > headSize)
    throw Error("rotary embedding must rotate 2 to " +
                std::to_string(headSize) + " features (was " +
                std::to_string(2 * rotary.pairs) + ")");
  for (auto [table, name] : {std::pair(&rotary.cos, "'rotary.cos'"),
                             std::pair(&rotary.sin, "'rotary.sin'")}) {
    checkSize(*table, rotary.positions * rotary.pairs, name);
    checkUsable(*table, rotary.pairs, name);
  }
}

Floats normalized(const NormLayer &norm, const Floats &x, int64_t d) {
  Floats y(x.size());
  for (size_t i = 0; i < x.size(); i += d)
    norm.apply(x.data() + i, y.data() + i);
  return y;
}

Floats sum(const Floats &a, const Floats &b) {
  Floats y(a.size());
  addRow(a.data(), b.data(), static_cast<int64_t>(a.size()), y.data());
  return y;
}

const float *orNull(const Floats &bias) {
  return bias.empty() ? nullptr : bias.data();
}

} // namespace

AttentionForm Layer::form() const {
  AttentionForm form;
  form.heads = heads;
  form.keyHeads = keyHeads;
  form.window = window;
  form.headNorms = queryNorm.has_value() + keyNorm.has_value();
  form.isDressed = form.headNorms > 0 || rotary;
  return form;
}

/// One of Q, K, V as INT8 rows per head.
struct ReferenceLayer::Heads {
  std::vector<int8_t> codes; ///< [heads, length, headSize]
  Floats scales;             ///< [heads, length]
};

ReferenceLayer::ReferenceLayer(const Layer &given)
    : layer(given), form(given.form()) {
  d = layer.query.in;
  int64_t width = layer.query.out;
  if (d < 1 || width < 1 || layer.heads < 1 || width % layer.heads != 0)
    throw Error("width of the query must be a positive multiple of the " +
                std::to_string(layer.heads) + " heads (was " +
                std::to_string(width) + ")");
  if (layer.keyHeads < 1 || layer.heads % layer.keyHeads != 0)
    throw Error("heads of the key must divide the " +
                std::to_string(layer.heads) + " heads of the query (was " +
                std::to_string(layer.keyHeads) + ")");
  headSize = width / layer.heads;
  int64_t keyWidth = layer.keyHeads * headSize, hidden = layer.ffn1.out;
  query = prepare(layer.query, d, width, "query");
  key = prepare(layer.key, d, keyWidth, "key");
  value = prepare(layer.value, d, keyWidth, "value");
  output = prepare(layer.output, width, d, "output");
  ffn1 = prepare(layer.ffn1, d, hidden, "ffn1");
  ffn2 = prepare(layer.ffn2, hidden, d, "ffn2");
  if (layer.gate)
    gate = prepare(*layer.gate, d, hidden, "gate");
  checkNorm(layer.norm1, d, "norm1");
  checkNorm(layer.norm2, d, "norm2");
  if (layer.queryNorm)
    checkNorm(*layer.queryNorm, headSize, "query norm");
  if (layer.keyNorm)
    checkNorm(*layer.keyNorm, headSize, "key norm");
  if (layer.rotary)
    checkRotary(*layer.rotary, headSize);
}

Dressing
ReferenceLayer::dressingOf(const std::optional<NormLayer> &norm) const {
  return {norm ? &*norm : nullptr, layer.rotary ? &*layer.rotary : nullptr};
}

Floats ReferenceLayer::linear(const LinearLayer &linear,
                              const QuantizedWeights &weights, const Floats &x,
                              int64_t length, LowPrecision lowPrecision,
                              const std::vector<uint8_t> *low) const {
  Floats y(length * weights.out);
  linearRows(
      weights, orNull(linear.bias), lowPrecision,
      quantizeRows(x.data(), length, weights.in, low ? low->data() : nullptr),
      nullptr, 0, weights.out, y.data(), weights.out);
  return y;
}

/// Q, K or V: section 3 for the rows that each head wants, dressed, then INT8
/// per head.
ReferenceLayer::Heads
ReferenceLayer::generate(const Policy &policy, const QuantizedWeights &weights,
                         const Floats &bias, const Floats &a,
                         const std::vector<uint8_t> *low, const uint8_t *wanted,
                         int64_t length, const Dressing &dressing) const {
  QuantizedRows rows =
      quantizeRows(a.data(), length, d, low ? low->data() : nullptr);
  int64_t heads = weights.out / headSize;
  Heads result;
  result.codes.assign(heads * length * headSize, 0);
  result.scales.assign(heads * length, 0);
  Floats y(length * headSize);
  for (int64_t head = 0; head < heads; ++head) {
    const uint8_t *ofHead = wanted ? wanted + head * length : nullptr;
    linearRows(weights, orNull(bias), policy.lowPrecision, rows, ofHead,
               head * headSize, headSize, y.data(), headSize);
    for (int64_t i = 0; i < length; ++i) {
      if (ofHead && !ofHead[i])
        continue;
      int64_t row = head * length + i;
      dressing.apply(i, y.data() + i * headSize, headSize);
      result.scales[row] =
          quantizeRowInt8(y.data() + i * headSize, headSize,
                          result.codes.data() + row * headSize);
    }
  }
  return result;
}

/// Sections 4 to 6: from the rows `a` to ctx of all heads.
Floats ReferenceLayer::attention(const Policy &policy, const Floats &a,
                                 int64_t length, Selection &selection,
                                 LayerTrace *trace) const {
  QuantizedRows x8 = quantizeRows(a.data(), length, d, nullptr);
  Dressing ofQuery = dressingOf(layer.queryNorm),
           ofKey = dressingOf(layer.keyNorm);
  Prediction prediction;
  if (policy.predicts()) {
    // Undressed, K's bias adds the same to all scores of a row.
    const float *keyBias = form.isDressed ? orNull(layer.key.bias) : nullptr;
    prediction =
        predict(policy.predictor,
                predictorWeights(policy.predictor, layer.query.weights.data(),
                                 orNull(layer.query.bias), d, layer.query.out,
                                 form.isDressed),
                predictorWeights(policy.predictor, layer.key.weights.data(),
                                 keyBias, d, layer.key.out, form.isDressed),
                x8.codes.data(), x8.scales.data(), length, form, layer.scale,
                ofQuery, ofKey);
  }
  selection =
      select(policy, policy.predicts() ? &prediction : nullptr, length, form);

  const std::vector<uint8_t> *low =
      policy.scope == Scope::All ? &selection.low : nullptr;
  auto wanted = [&](const std::vector<uint8_t> &rows) {
    return trace ? nullptr : rows.data();
  };
  Heads q = generate(policy, query, layer.query.bias, a, low,
                     wanted(selection.qRows), length, ofQuery);
  Heads k = generate(policy, key, layer.key.bias, a, low,
                     wanted(selection.kRows), length, ofKey);
  Heads v = generate(policy, value, layer.value.bias, a, low,
                     wanted(selection.vRows), length, Dressing());
  Heads meanKey, meanValue;
  bool hasMeanToken = policy.hasMeanToken() && form.canHaveMeanToken();
  if (hasMeanToken) {
    Floats mean(d);
    columnMean(a.data(), length, d, mean.data());
    meanKey = generate(policy, key, layer.key.bias, mean, nullptr, nullptr, 1,
                       Dressing());
    meanValue = generate(policy, value, layer.value.bias, mean, nullptr,
                         nullptr, 1, Dressing());
  }

  int64_t rows = layer.heads * length;
  if (trace) {
    trace->mx.assign(rows, 0);
    trace->den.assign(rows, 0);
    trace->sb.assign(rows, 0);
    trace->w.assign(rows, 0);
    trace->e16.assign(rows * length, 0);
    trace->p8.assign(rows * length, 0);
    trace->num.assign(rows * headSize, 0);
  }
  int64_t width = layer.query.out;
  Floats context(length * width);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t h = row / length, i = row % length, g = form.keyHeadOf(h);
    AttentionHead head;
    head.keys = k.codes.data() + g * length * headSize;
    head.keyScales = k.scales.data() + g * length;
    head.values = v.codes.data() + g * length * headSize;
    head.valueScales = v.scales.data() + g * length;
    head.stride = head.headSize = headSize;
    head.scale = layer.scale;
    if (hasMeanToken) {
      head.tailKey = meanKey.codes.data() + g * headSize;
      head.tailKeyScale = meanKey.scales[g];
      head.tailValue = meanValue.codes.data() + g * headSize;
      head.tailValueScale = meanValue.scales[g];
    }
    float *result = context.data() + i * width + h * headSize;
    if (trace || !selection.dominated[row]) {
      AttentionTrace steps;
      if (trace) {
        steps.e16 = trace->e16.data() + row * length;
        steps.p8 = trace->p8.data() + row * length;
        steps.num = trace->num.data() + row * headSize;
      }
      attendRow(head, q.codes.data() + row * headSize, q.scales[row],
                selection.mask.data() + row * length, length, result,
                trace ? &steps : nullptr);
      if (trace) {
        trace->mx[row] = steps.largest;
        trace->den[row] = steps.denominator;
        trace->sb[row] = steps.tailScore;
        trace->w[row] = steps.tailWeight;
      }
    }
    if (selection.dominated[row]) {
      int64_t j = selection.argmax[row];
      dominatedContext(head.values + j * headSize, head.valueScales[j],
                       headSize, result);
    }
  }

  if (trace) {
    trace->x8 = x8.codes;
    trace->xScale = x8.scales;
    trace->prediction = prediction;
    trace->q8 = q.codes, trace->qs = q.scales;
    trace->k8 = k.codes, trace->ks = k.scales;
    trace->v8 = v.codes, trace->vs = v.scales;
    trace->kb8 = meanKey.codes, trace->kbs = meanKey.scales;
    trace->vb8 = meanValue.codes, trace->vbs = meanValue.scales;
    trace->context = context;
  }
  return context;
}

LayerResult ReferenceLayer::run(const Policy &policy, const float *x,
                                int64_t rows, int64_t length, LayerTrace *trace,
                                const std::string &name) const {
  if (length < 1 || length > rows)
    throw Error("length must be between 1 and " + std::to_string(rows) +
                " (was " + std::to_string(length) + ")");
  if (layer.rotary && layer.rotary->positions < length)
    throw Error("rotary embedding has " +
                std::to_string(layer.rotary->positions) +
                " positions for a sequence of " + std::to_string(length));
  Floats input(x, x + length * d);
  checkUsable(input, d, "input '" + name + "'");

  LayerResult result;
  Floats a = layer.preNorm ? normalized(layer.norm1, input, d) : input;
  Floats context = attention(policy, a, length, result.selection, trace);
  const std::vector<uint8_t> *low = &result.selection.low;
  Floats attended =
      linear(layer.output, output, context, length, policy.lowPrecision,
             policy.scope == Scope::All ? low : nullptr);
  Floats r = sum(input, attended);
  if (!layer.preNorm)
    r = normalized(layer.norm1, r, d);

  Floats t = layer.preNorm ? normalized(layer.norm2, r, d) : r;
  Floats hidden = linear(layer.ffn1, ffn1, t, length, policy.lowPrecision, low);
  activateRow(layer.activation, hidden.data(),
              static_cast<int64_t>(hidden.size()), hidden.data());
  if (layer.gate) {
    Floats factor =
        linear(*layer.gate, gate, t, length, policy.lowPrecision, low);
    multiplyRow(hidden.data(), factor.data(),
                static_cast<int64_t>(hidden.size()), hidden.data());
  }
  Floats y = sum(
      r, linear(layer.ffn2, ffn2, hidden, length, policy.lowPrecision, low));
  if (!layer.preNorm)
    y = normalized(layer.norm2, y, d);

  int64_t bad = findNotFinite(y.data(), static_cast<int64_t>(y.size()));
  if (bad >= 0)
    throw Error("output is not finite" + element(bad, d, y[bad]));
  if (trace) {
    trace->output = attended;
    trace->r = r;
    trace->hidden = hidden;
  }
  y.resize(rows * d, 0.0f);
  result.y = std::move(y);
  return result;
}

LayerResult referenceLayer(const Layer &layer, const Policy &policy,
                           const float *x, int64_t rows, int64_t length,
                           LayerTrace *trace) {
  return ReferenceLayer(layer).run(policy, x, rows, length, trace);
}

} // namespace fact::numerics
