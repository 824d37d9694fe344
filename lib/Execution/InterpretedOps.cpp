//===- InterpretedOps.cpp - What each op of sparse fact IR computes -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No rule is written here: an op gathers its operands and calls Numerics. What
// is written here is which elements of a result hold no value: those that a
// mask does not name, and those that are computed from such an element.
//
//===----------------------------------------------------------------------===//

#include "InterpretedTensor.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Numerics/Attention.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/RowOps.h"
#include "fact/Numerics/Selection.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;
using Tensor = InterpretedTensor;

namespace {

class OpInterpreter {
public:
  OpInterpreter(Operation *op,
                llvm::function_ref<const Tensor &(Value)> operandOf,
                SmallVectorImpl<Tensor> &results)
      : builder(op->getContext()), operandOf(operandOf), results(results) {}

  void run(AddOp op);
  void run(MultiplyOp op);
  void pair(Value lhs, Value rhs, decltype(numerics::addRow) &of);
  void run(ActivationOp op);
  void run(NormOp op);
  void run(RotateOp op);
  void run(MeanTokenOp op);
  void run(QuantizeRowsOp op);
  void run(QuantizeHeadsOp op);
  void run(QuantizedLinearOp op);
  void run(EncodeOp op);
  void run(LogMatmulOp op);
  void run(NormalizeHeadsOp op);
  void run(RescaleOp op);
  void run(PredictOp op);
  void run(SelectOp op);
  void run(SelectAllOp op);
  void run(KRowsOp op);
  void run(VRowsOp op);
  void run(QRowsOp op);
  void run(SelectPrecisionOp op);
  void run(QuantizedAttentionOp op);

private:
  const Tensor &at(Value value) { return operandOf(value); }
  /// Null for an operand that is not there.
  const Tensor *maybe(Value value) { return value ? &at(value) : nullptr; }
  Tensor &result(Type element, std::vector<int64_t> shape) {
    return results.emplace_back(element, std::move(shape));
  }
  Type f32() { return builder.getF32Type(); }
  Type i8() { return builder.getI8Type(); }
  Type i1() { return builder.getI1Type(); }

  /// Calls body(head, row, first element) for the slice of each head of each
  /// row that `rows`, if it is there, names and that x has; other slices of y
  /// are undefined.
  void forEachSlice(const Tensor &x, int64_t heads, const Tensor *rows,
                    Tensor &y,
                    llvm::function_ref<void(int64_t, int64_t, int64_t)> body);
  /// K and V rows that the rows of a mask read; a result is undefined as a
  /// whole where any operand is somewhere.
  void demand(Value mask, Value dominated, Value argmax, Value rows);

  Builder builder;
  llvm::function_ref<const Tensor &(Value)> operandOf;
  SmallVectorImpl<Tensor> &results;
};

//===----------------------------------------------------------------------===//
// Rows in float32
//===----------------------------------------------------------------------===//

void OpInterpreter::run(AddOp op) {
  pair(op.getLhs(), op.getRhs(), numerics::addRow);
}

void OpInterpreter::run(MultiplyOp op) {
  pair(op.getLhs(), op.getRhs(), numerics::multiplyRow);
}

void OpInterpreter::pair(Value lhs, Value rhs, decltype(numerics::addRow) &of) {
  const Tensor &a = at(lhs), &b = at(rhs);
  Tensor &y = result(f32(), a.shape);
  of(a.as<float>(), b.as<float>(), y.size(), y.as<float>());
  for (int64_t i = 0; i < y.size(); ++i)
    if (!a.isDefined(i, 1) || !b.isDefined(i, 1))
      y.forget(i, 1);
}

void OpInterpreter::run(ActivationOp op) {
  const Tensor &x = at(op.getInput());
  Tensor &y = result(f32(), x.shape);
  numerics::activateRow(numericsOf(op.getKind()), x.as<float>(), y.size(),
                        y.as<float>());
  for (int64_t i = 0; i < y.size(); ++i)
    if (!x.isDefined(i, 1))
      y.forget(i, 1);
}

void OpInterpreter::run(NormOp op) {
  const Tensor &x = at(op.getInput()), &gamma = at(op.getGamma());
  const Tensor *beta = maybe(op.getBeta());
  auto kind = numerics::asNorm<numerics::Norm>(op.getKind());
  Tensor &y = result(f32(), x.shape);
  auto heads = static_cast<int64_t>(op.getHeads().value_or(1));
  int64_t n = x.dim(1) / heads;
  forEachSlice(
      x, heads, maybe(op.getRows()), y, [&](int64_t, int64_t, int64_t at) {
        if (gamma.isDefined() && (!beta || beta->isDefined()))
          numerics::normRow(kind, x.as<float>() + at, gamma.as<float>(),
                            beta ? beta->as<float>() : nullptr,
                            op.getEps().convertToFloat(), n,
                            y.as<float>() + at);
        else
          y.forget(at, n);
      });
}

void OpInterpreter::run(RotateOp op) {
  const Tensor &x = at(op.getInput()), &cos = at(op.getCos()),
               &sin = at(op.getSin());
  auto style = numerics::asRotaryStyle<numerics::RotaryStyle>(op.getStyle());
  Tensor &y = result(f32(), x.shape);
  auto heads = static_cast<int64_t>(op.getHeads());
  int64_t n = x.dim(1) / heads, pairs = cos.dim(1);
  forEachSlice(x, heads, maybe(op.getRows()), y,
               [&](int64_t, int64_t position, int64_t at) {
                 int64_t first = position * pairs;
                 if (position < cos.dim(0) && cos.isDefined(first, pairs) &&
                     sin.isDefined(first, pairs))
                   numerics::rotateRow(
                       style, cos.as<float>() + first, sin.as<float>() + first,
                       pairs, x.as<float>() + at, n, y.as<float>() + at);
                 else
                   y.forget(at, n);
               });
}

void OpInterpreter::forEachSlice(
    const Tensor &x, int64_t heads, const Tensor *rows, Tensor &y,
    llvm::function_ref<void(int64_t, int64_t, int64_t)> body) {
  int64_t length = x.dim(0), d = x.dim(1), n = d / heads;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t i = 0; i < length; ++i) {
      int64_t at = i * d + head * n, row = head * length + i;
      bool wanted =
          !rows || (rows->isDefined(row, 1) && rows->as<uint8_t>()[row]);
      if (wanted && x.isDefined(at, n))
        body(head, i, at);
      else
        y.forget(at, n);
    }
}

void OpInterpreter::run(MeanTokenOp op) {
  const Tensor &x = at(op.getInput());
  int64_t d = x.dim(1);
  Tensor &y = result(f32(), {1, d});
  numerics::columnMean(x.as<float>(), x.dim(0), d, y.as<float>());
  for (int64_t i = 0; i < x.size(); ++i)
    if (!x.isDefined(i, 1))
      y.forget(i % d, 1);
}

//===----------------------------------------------------------------------===//
// Quantized rows
//===----------------------------------------------------------------------===//

void OpInterpreter::run(QuantizeRowsOp op) {
  const Tensor &x = at(op.getInput());
  const Tensor *low = maybe(op.getLow());
  int64_t d = x.dim(1);
  results.reserve(2);
  Tensor &q = result(i8(), x.shape), &scale = result(f32(), {x.dim(0)});
  for (int64_t i = 0; i < x.dim(0); ++i) {
    if (!x.isDefined(i * d, d) || (low && !low->isDefined(i, 1))) {
      q.forget(i * d, d);
      scale.forget(i, 1);
      continue;
    }
    auto quantize = low && low->as<uint8_t>()[i] ? numerics::quantizeRowInt4
                                                 : numerics::quantizeRowInt8;
    scale.as<float>()[i] =
        quantize(x.as<float>() + i * d, d, q.as<int8_t>() + i * d);
  }
}

void OpInterpreter::run(QuantizeHeadsOp op) {
  const Tensor &x = at(op.getInput());
  const Tensor *rows = maybe(op.getRows());
  int64_t heads = op.getHeads(), length = x.dim(0), d = x.dim(1),
          size = d / heads;
  results.reserve(2);
  Tensor &q = result(i8(), x.shape), &scale = result(f32(), {heads, length});
  scale.forget();
  forEachSlice(x, heads, rows, q, [&](int64_t head, int64_t i, int64_t slice) {
    int64_t row = head * length + i;
    scale.as<float>()[row] = numerics::quantizeRowInt8(
        x.as<float>() + slice, size, q.as<int8_t>() + slice);
    scale.undefined[row] = 0;
  });
}

void OpInterpreter::run(QuantizedLinearOp op) {
  const Tensor &x = at(op.getInput()), &scale = at(op.getScale()),
               &weight = at(op.getWeight()),
               &weightScale = at(op.getWeightScale());
  const Tensor *bias = maybe(op.getBias()), *low = maybe(op.getLow()),
               *rows = maybe(op.getRows());
  int64_t length = x.dim(0), in = x.dim(1), out = weight.dim(1);
  numerics::QuantizedRows input;
  input.in = in;
  input.codes.assign(x.as<int8_t>(), x.as<int8_t>() + x.size());
  input.scales.assign(scale.as<float>(), scale.as<float>() + length);
  input.low.assign(length, 0);
  std::vector<uint8_t> defined(length);
  for (int64_t i = 0; i < length; ++i) {
    if (low)
      input.low[i] = low->as<uint8_t>()[i] != 0;
    defined[i] = x.isDefined(i * in, in) && scale.isDefined(i, 1) &&
                 (!low || low->isDefined(i, 1));
  }
  Tensor &y = result(f32(), {length, out});
  y.forget();
  if (!weight.isDefined() || !weightScale.isDefined() ||
      (bias && !bias->isDefined()))
    return;
  numerics::QuantizedWeights weights = numerics::quantizedWeights(
      weight.as<int8_t>(), weightScale.as<float>(), in, out);
  numerics::LowPrecision precision = op.getPrecision()
                                         ? numericsOf(*op.getPrecision())
                                         : numerics::LowPrecision::A4W4;
  int64_t heads = rows ? rows->dim(0) : 1, count = out / heads;
  for (int64_t head = 0; head < heads; ++head) {
    std::vector<uint8_t> wanted = defined;
    for (int64_t i = 0; i < length; ++i) {
      int64_t row = head * length + i;
      wanted[i] &=
          !rows || (rows->isDefined(row, 1) && rows->as<uint8_t>()[row]);
      if (wanted[i])
        std::memset(y.undefined.data() + i * out + head * count, 0, count);
    }
    numerics::linearRows(weights, bias ? bias->as<float>() : nullptr, precision,
                         input, wanted.data(), head * count, count,
                         y.as<float>() + head * count, out);
  }
}

//===----------------------------------------------------------------------===//
// Eager prediction
//===----------------------------------------------------------------------===//

void OpInterpreter::run(EncodeOp op) {
  const Tensor &x = at(op.getInput());
  Tensor &y = result(i8(), x.shape);
  numerics::encodeRow(numerics::codeOf(numericsOf(op.getPredictor()),
                                       numericsOf(op.getOperand())),
                      x.as<int8_t>(), x.size(), y.as<int8_t>());
  y.undefined = x.undefined;
}

void OpInterpreter::run(LogMatmulOp op) {
  const Tensor &x = at(op.getInput()), &weight = at(op.getWeight());
  const Tensor *bias = maybe(op.getBias()), *scale = maybe(op.getScale());
  int64_t length = x.dim(0), in = x.dim(1), out = weight.dim(1);
  Tensor &h = result(builder.getI32Type(), {length, out});
  numerics::matmulInt8(x.as<int8_t>(), in, weight.as<int8_t>(), out,
                       h.as<int32_t>(), out, length, out, in);
  for (int64_t i = 0; i < length; ++i) {
    if (!x.isDefined(i * in, in) || !weight.isDefined() ||
        (bias && !(bias->isDefined() && scale->isDefined(i, 1)))) {
      h.forget(i * out, out);
      continue;
    }
    if (bias)
      numerics::addPredictorBias(bias->as<float>(), out, scale->as<float>()[i],
                                 h.as<int32_t>() + i * out);
  }
}

void OpInterpreter::run(NormalizeHeadsOp op) {
  const Tensor &h = at(op.getInput());
  int64_t heads = op.getHeads(), length = h.dim(0), d = h.dim(1),
          size = d / heads;
  results.reserve(2);
  Tensor &y = result(i8(), h.shape), &scale = result(f32(), {heads, length});
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t i = 0; i < length; ++i) {
      int64_t slice = i * d + head * size, row = head * length + i;
      if (!h.isDefined(slice, size)) {
        y.forget(slice, size);
        scale.forget(row, 1);
        continue;
      }
      const int32_t *from = h.as<int32_t>() + slice;
      int32_t shift = numerics::normalizationShift(from, size);
      numerics::shiftAndEncode(from, size, shift,
                               numerics::PredictorCode::Exact,
                               y.as<int8_t>() + slice);
      scale.as<float>()[row] = numerics::powerOfTwo(shift);
    }
}

void OpInterpreter::run(RescaleOp op) {
  const Tensor &h = at(op.getInput()), &scale = at(op.getScale()),
               &weightScale = at(op.getWeightScale());
  const Tensor *bias = maybe(op.getBias());
  int64_t length = h.dim(0), d = h.dim(1);
  Tensor &y = result(f32(), h.shape);
  for (int64_t i = 0; i < length; ++i)
    if (h.isDefined(i * d, d) && scale.isDefined(i, 1) &&
        weightScale.isDefined() && (!bias || bias->isDefined()))
      numerics::predictedRow(h.as<int32_t>() + i * d, *weightScale.as<float>(),
                             scale.as<float>()[i],
                             bias ? bias->as<float>() : nullptr, d,
                             y.as<float>() + i * d);
    else
      y.forget(i * d, d);
}

void OpInterpreter::run(PredictOp op) {
  const Tensor &query = at(op.getQuery()), &key = at(op.getKey()),
               &queryScale = at(op.getQueryScale()),
               &keyScale = at(op.getKeyScale());
  const Tensor *scale = maybe(op.getScale()),
               *queryWeight = maybe(op.getQueryWeightScale()),
               *keyWeight = maybe(op.getKeyWeightScale());
  numerics::AttentionForm form;
  form.heads = op.getHeads();
  form.keyHeads = op.getGroups();
  int64_t heads = form.heads, length = query.dim(0),
          size = query.dim(1) / heads;
  float attentionScale = op.getAttentionScale().convertToFloat();
  results.reserve(2);
  Tensor &scores = result(f32(), {heads, length, length});
  Tensor &unit = result(f32(), {heads, length});
  std::vector<float> columns(length);
  auto isThere = [&](const Tensor &codes, const Tensor &scales, int64_t head,
                     int64_t i) {
    return codes.isDefined(i * codes.dim(1) + head * size, size) &&
           scales.isDefined(head * length + i, 1) &&
           (!scale || scale->isDefined(i, 1));
  };
  for (int64_t head = 0; head < heads; ++head) {
    int64_t group = form.keyHeadOf(head);
    for (int64_t j = 0; j < length; ++j) {
      columns[j] = keyScale.as<float>()[group * length + j];
      if (scale)
        columns[j] = columns[j] * scale->as<float>()[j];
    }
    for (int64_t i = 0; i < length; ++i) {
      int64_t row = head * length + i, slice = i * query.dim(1) + head * size;
      numerics::predictScoreRow(query.as<int8_t>() + slice,
                                key.as<int8_t>() + group * size, key.dim(1),
                                columns.data(), size, length,
                                scores.as<float>() + row * length);
      float ofRow = queryScale.as<float>()[row];
      unit.as<float>()[row] =
          op.isDressed() ? numerics::queryFactor(ofRow, attentionScale)
                         : numerics::predictorUnit(ofRow, scale->as<float>()[i],
                                                   *queryWeight->as<float>(),
                                                   *keyWeight->as<float>(),
                                                   attentionScale);
      // A score does not depend on the query's own scale, which is the unit's.
      if (!isThere(query, queryScale, head, i) ||
          (queryWeight && !queryWeight->isDefined()) ||
          (keyWeight && !keyWeight->isDefined()))
        unit.forget(row, 1);
      for (int64_t j = 0; j < length; ++j)
        if (!query.isDefined(slice, size) || !isThere(key, keyScale, group, j))
          scores.forget(row * length + j, 1);
    }
  }
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

void OpInterpreter::run(SelectOp op) {
  const Tensor &scores = at(op.getScores()), &unit = at(op.getUnit());
  int64_t heads = scores.dim(0), length = scores.dim(1);
  numerics::Policy policy;
  policy.keep = op.getKeep() ? static_cast<int32_t>(*op.getKeep())
                             : at(op.getKeepValue()).as<int32_t>()[0];
  policy.dominance = op.getDominance()
                         ? op.getDominance()->convertToFloat()
                         : at(op.getDominanceValue()).as<float>()[0];
  policy.predictor = numericsOf(op.getPredictor());
  results.reserve(4);
  Tensor &mask = result(i1(), scores.shape);
  Tensor &dominated = result(i1(), {heads, length});
  Tensor &argmax = result(builder.getI32Type(), {heads, length});
  Tensor &count = result(builder.getI64Type(), {length});
  std::vector<uint8_t> demanded(length);
  numerics::Demand counting{demanded.data(), demanded.data(),
                            count.as<int64_t>()};
  bool allDefined = true;
  numerics::Window window = windowOf(op.getWindowAttr());
  float gain = numerics::logitGain(
      policy.predictor, static_cast<int>(op.getHeadNorms().value_or(0)));
  for (int64_t row = 0; row < heads * length; ++row) {
    int64_t first = window.first(row % length),
            n = window.keysOf(row % length, length);
    const float *rowScores = scores.as<float>() + row * length;
    uint8_t *kept = mask.as<uint8_t>() + row * length;
    if (!scores.isDefined(row * length + first, n)) {
      mask.forget(row * length, length);
      dominated.forget(row, 1);
      argmax.forget(row, 1);
      allDefined = false;
      continue;
    }
    numerics::RowDecision decision =
        numerics::decideRow(policy, rowScores, window, row % length, length,
                            unit.as<float>()[row], gain, kept);
    dominated.as<uint8_t>()[row] = decision.dominated;
    // The op's argmax is there with and without a threshold.
    argmax.as<int32_t>()[row] = static_cast<int32_t>(
        first + numerics::topTwo(rowScores + first, n).argmax);
    if (policy.dominance > 0 && n >= 2 && !unit.isDefined(row, 1))
      dominated.forget(row, 1);
    numerics::accumulateRow(counting, kept, length, decision.dominated,
                            argmax.as<int32_t>()[row]);
  }
  if (!allDefined)
    count.forget();
}

void OpInterpreter::run(SelectAllOp op) {
  int64_t length = at(op.getInput()).dim(0);
  numerics::AttentionForm form;
  form.heads = form.keyHeads = static_cast<int64_t>(op.getHeads());
  form.window = windowOf(op.getWindowAttr());
  numerics::Selection all =
      numerics::select(numerics::Policy(), nullptr, length, form);
  Tensor &count = result(builder.getI64Type(), {length});
  std::copy(all.count.begin(), all.count.end(), count.as<int64_t>());
}

void OpInterpreter::demand(Value maskValue, Value dominatedValue,
                           Value argmaxValue, Value resultValue) {
  const Tensor &mask = at(maskValue), &dominated = at(dominatedValue);
  const Tensor *argmax = maybe(argmaxValue);
  numerics::AttentionForm form;
  form.heads = mask.dim(0);
  form.keyHeads = cast<ShapedType>(resultValue.getType()).getDimSize(0);
  int64_t heads = form.heads, length = mask.dim(1);
  Tensor &rows = result(i1(), {form.keyHeads, length});
  bool allDefined = mask.isDefined() && dominated.isDefined();
  std::vector<uint8_t> k(rows.size()), v(rows.size());
  std::vector<int64_t> count(length);
  for (int64_t row = 0; allDefined && row < heads * length; ++row) {
    int64_t keys = form.keyHeadOf(row / length) * length;
    bool isDominated = dominated.as<uint8_t>()[row];
    if (argmax && isDominated && !argmax->isDefined(row, 1)) {
      allDefined = false;
      break;
    }
    numerics::Demand demand{k.data() + keys, v.data() + keys, count.data()};
    numerics::accumulateRow(
        demand, mask.as<uint8_t>() + row * length, length, isDominated,
        argmax && isDominated ? argmax->as<int32_t>()[row] : 0);
  }
  if (!allDefined)
    return rows.forget();
  const std::vector<uint8_t> &wanted = argmax ? v : k;
  std::copy(wanted.begin(), wanted.end(), rows.as<uint8_t>());
}

void OpInterpreter::run(KRowsOp op) {
  demand(op.getMask(), op.getDominated(), Value(), op.getResult());
}

void OpInterpreter::run(VRowsOp op) {
  demand(op.getMask(), op.getDominated(), op.getArgmax(), op.getResult());
}

void OpInterpreter::run(QRowsOp op) {
  const Tensor &dominated = at(op.getDominated());
  Tensor &rows = result(i1(), dominated.shape);
  for (int64_t i = 0; i < rows.size(); ++i)
    rows.as<uint8_t>()[i] = !dominated.as<uint8_t>()[i];
  rows.undefined = dominated.undefined;
}

void OpInterpreter::run(SelectPrecisionOp op) {
  const Tensor &count = at(op.getCount());
  Tensor &low = result(i1(), count.shape);
  if (!count.isDefined())
    return low.forget();
  int32_t importance = op.getImportance()
                           ? static_cast<int32_t>(*op.getImportance())
                           : at(op.getImportanceValue()).as<int32_t>()[0];
  numerics::lowPrecisionTokens(count.as<int64_t>(),
                               windowOf(op.getWindowAttr()), count.dim(0),
                               importance, low.as<uint8_t>());
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

void OpInterpreter::run(QuantizedAttentionOp op) {
  const Tensor &query = at(op.getQuery()), &key = at(op.getKey()),
               &value = at(op.getValue()), &queryScale = at(op.getQueryScale()),
               &keyScale = at(op.getKeyScale()),
               &valueScale = at(op.getValueScale());
  const Tensor *mask = maybe(op.getMask()),
               *dominated = maybe(op.getDominated()),
               *argmax = maybe(op.getArgmax()),
               *tailKey = maybe(op.getTailKey()),
               *tailKeyScale = maybe(op.getTailKeyScale()),
               *tailValue = maybe(op.getTailValue()),
               *tailValueScale = maybe(op.getTailValueScale());
  numerics::AttentionForm form;
  form.heads = op.getHeads();
  form.keyHeads = op.getGroups();
  int64_t heads = form.heads, length = query.dim(0),
          size = query.dim(1) / heads, keyWidth = key.dim(1);
  numerics::Window window = windowOf(op.getWindowAttr());
  Tensor &context = result(f32(), query.shape);
  bool tailDefined = tailKey && tailKey->isDefined() &&
                     tailKeyScale->isDefined() && tailValue->isDefined() &&
                     tailValueScale->isDefined();

  for (int64_t row = 0; row < heads * length; ++row) {
    int64_t h = row / length, i = row % length, g = form.keyHeadOf(h);
    auto isThere = [&](const Tensor &codes, const Tensor &scales, int64_t j) {
      return codes.isDefined(j * keyWidth + g * size, size) &&
             scales.isDefined(g * length + j, 1);
    };
    int64_t slice = i * query.dim(1) + h * size;
    float *to = context.as<float>() + slice;

    if (dominated && !dominated->isDefined(row, 1)) {
      context.forget(slice, size);
      continue;
    }
    if (dominated && dominated->as<uint8_t>()[row]) {
      int64_t j = argmax->as<int32_t>()[row];
      if (argmax->isDefined(row, 1) && j >= 0 && j < length &&
          isThere(value, valueScale, j))
        numerics::dominatedContext(value.as<int8_t>() + j * keyWidth + g * size,
                                   valueScale.as<float>()[g * length + j], size,
                                   to);
      else
        context.forget(slice, size);
      continue;
    }

    int64_t first = window.first(i), end = window.end(i, length), kept = 0;
    std::vector<uint8_t> columns(length, 0);
    std::fill(columns.begin() + first, columns.begin() + end, uint8_t(1));
    bool defined = query.isDefined(slice, size) && queryScale.isDefined(row, 1);
    if (mask) {
      const uint8_t *given = mask->as<uint8_t>() + row * length;
      std::copy(given + first, given + end, columns.begin() + first);
      defined &= mask->isDefined(row * length + first, end - first);
    }
    for (int64_t j = first; defined && j < end; ++j)
      if (columns[j]) {
        ++kept;
        defined = isThere(key, keyScale, j) && isThere(value, valueScale, j);
      }
    if (!defined || kept == 0 || (tailKey && kept < length && !tailDefined)) {
      context.forget(slice, size);
      continue;
    }

    numerics::AttentionHead head;
    head.keys = key.as<int8_t>() + g * size;
    head.keyScales = keyScale.as<float>() + g * length;
    head.values = value.as<int8_t>() + g * size;
    head.valueScales = valueScale.as<float>() + g * length;
    head.stride = keyWidth;
    head.headSize = size;
    head.scale = op.getScale().convertToFloat();
    if (tailKey) {
      head.tailKey = tailKey->as<int8_t>() + g * size;
      head.tailKeyScale = tailKeyScale->as<float>()[g];
      head.tailValue = tailValue->as<int8_t>() + g * size;
      head.tailValueScale = tailValueScale->as<float>()[g];
    }
    numerics::AttentionTrace trace;
    numerics::attendRow(head, query.as<int8_t>() + slice,
                        queryScale.as<float>()[row], columns.data(), length, to,
                        &trace);
    // A maximum that overflowed leaves a result that may look like one.
    if (numerics::findNotFinite(&trace.largest, 1) >= 0)
      context.forget(slice, size);
  }
}

} // namespace

LogicalResult
mlir::fact::interpretFactOp(Operation *op,
                            llvm::function_ref<const Tensor &(Value)> at,
                            SmallVectorImpl<Tensor> &results) {
  OpInterpreter interpreter(op, at, results);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<AddOp, MultiplyOp, ActivationOp, NormOp, RotateOp, RescaleOp,
            MeanTokenOp, QuantizeRowsOp, QuantizeHeadsOp, QuantizedLinearOp,
            EncodeOp, LogMatmulOp, NormalizeHeadsOp, PredictOp, SelectOp,
            SelectAllOp, KRowsOp, VRowsOp, QRowsOp, SelectPrecisionOp,
            QuantizedAttentionOp>([&](auto typed) {
        interpreter.run(typed);
        return success();
      })
      .Case<LinearOp, AttentionOp>([](Operation *dense) {
        return dense->emitOpError("must be quantized before it is interpreted");
      })
      .Default([](Operation *other) {
        return other->emitOpError("cannot be interpreted");
      });
}
