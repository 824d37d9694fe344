//===- Elementwise.cpp - Operators that work element by element -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "ElementRule.h"

#include "fact/Numerics/Fold.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <list>

using namespace mlir;
using namespace mlir::fact;
namespace fold = ::fact::numerics::fold;
using ::fact::onnx::ElementType;
using Floats = ElementRule::Floats;
using Dims = ElementRule::Dims;

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

static Value one(OpBuilder &builder, Location loc, Value like) {
  return numberLike(builder, loc, like, 1);
}

static Value buildReciprocal(OpBuilder &builder, Location loc,
                             ValueRange elements) {
  return arith::DivFOp::create(builder, loc, one(builder, loc, elements[0]),
                               elements[0]);
}

static Value buildSigmoid(OpBuilder &builder, Location loc,
                          ValueRange elements) {
  Value negated = arith::NegFOp::create(builder, loc, elements[0]);
  Value power = math::ExpOp::create(builder, loc, negated);
  Value first = one(builder, loc, elements[0]);
  Value sum = arith::AddFOp::create(builder, loc, power, first);
  return arith::DivFOp::create(builder, loc, first, sum);
}

static Value buildRelu(OpBuilder &builder, Location loc, ValueRange elements) {
  return arith::MaximumFOp::create(builder, loc, elements[0],
                                   numberLike(builder, loc, elements[0], 0));
}

static Value buildSign(OpBuilder &builder, Location loc, ValueRange elements) {
  Value x = elements[0], zero = numberLike(builder, loc, x, 0);
  auto test = [&](arith::CmpFPredicate predicate, double value, Value other) {
    return arith::SelectOp::create(
        builder, loc, arith::CmpFOp::create(builder, loc, predicate, x, zero),
        numberLike(builder, loc, x, value), other);
  };
  // What is not a number stays so.
  return test(arith::CmpFPredicate::OGT, 1,
              test(arith::CmpFPredicate::OLT, -1, x));
}

/// log(1 + exp(x)), which is x where exp(x) is large.
static Value buildSoftplus(OpBuilder &builder, Location loc,
                           ValueRange elements) {
  Value x = elements[0], zero = numberLike(builder, loc, x, 0);
  Value positive = arith::MaximumFOp::create(builder, loc, x, zero);
  Value away = math::AbsFOp::create(builder, loc, x);
  Value power = math::ExpOp::create(
      builder, loc, arith::NegFOp::create(builder, loc, away).getResult());
  Value rest = math::Log1pOp::create(builder, loc, power);
  return arith::AddFOp::create(builder, loc, positive, rest);
}

/// x / (1 + |x|).
static Value buildSoftsign(OpBuilder &builder, Location loc,
                           ValueRange elements) {
  Value x = elements[0];
  Value sum =
      arith::AddFOp::create(builder, loc, one(builder, loc, x),
                            math::AbsFOp::create(builder, loc, x).getResult());
  return arith::DivFOp::create(builder, loc, x, sum);
}

/// x * tanh(softplus(x)).
static Value buildMish(OpBuilder &builder, Location loc, ValueRange elements) {
  Value soft = buildSoftplus(builder, loc, elements);
  return arith::MulFOp::create(
      builder, loc, elements[0],
      math::TanhOp::create(builder, loc, soft).getResult());
}

/// Least or largest of all, and NaN if one is.
template <typename Op>
static Value buildAll(OpBuilder &builder, Location loc, ValueRange elements) {
  Value result = elements.front();
  for (Value each : elements.drop_front())
    result = Op::create(builder, loc, result, each);
  return result;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// The format's integer division truncates.
static std::optional<Dim> divideDims(Dims x, int64_t) {
  if (x[0].isConstant() && x[1].isConstant() && x[1].offset != 0 &&
      x[1].offset != -1)
    return Dim(x[0].offset / x[1].offset);
  return divide(x[0], x[1]);
}

/// The larger one, where that is the same one for every length.
static std::optional<Dim> maxOfDims(Dims x, int64_t bound) {
  Dim largest = x.front();
  for (Dim each : x.drop_front()) {
    std::optional<Dim> difference = subtract(each, largest);
    if (!difference)
      return std::nullopt;
    if (difference->isNonNegative(bound)) {
      largest = each;
      continue;
    }
    std::optional<Dim> negated = multiply(*difference, Dim(-1));
    if (!negated || !negated->isNonNegative(bound))
      return std::nullopt;
  }
  return largest;
}

static std::optional<Dim> minOfDims(Dims x, int64_t bound) {
  SmallVector<Dim> negated;
  for (Dim each : x) {
    std::optional<Dim> minus = multiply(each, Dim(-1));
    if (!minus)
      return std::nullopt;
    negated.push_back(*minus);
  }
  std::optional<Dim> largest = maxOfDims(negated, bound);
  return largest ? multiply(*largest, Dim(-1)) : std::nullopt;
}

template <std::optional<Dim> (*Rule)(Dim, Dim)>
static std::optional<Dim> onTwo(Dims x, int64_t) {
  return Rule(x[0], x[1]);
}

/// max and min as the operators have them: of something that is not a number it
/// is not a number.
static float largest(Floats x) {
  float result = x.front();
  for (float each : x.drop_front())
    result = std::isnan(result) || each < result ? result : each;
  return result;
}
static float least(Floats x) {
  float result = x.front();
  for (float each : x.drop_front())
    result = std::isnan(result) || each > result ? result : each;
  return result;
}
static float total(Floats x) {
  float sum = x.front();
  for (float each : x.drop_front())
    sum += each;
  return sum;
}

static const llvm::StringMap<ElementRule> &rules() {
  static const llvm::StringMap<ElementRule> table = [] {
    llvm::StringMap<ElementRule> t;
    t["Abs"] = {buildOp<math::AbsFOp>, buildOp<math::AbsIOp>,
                [](Floats x) { return std::fabs(x[0]); }};
    t["Add"] = {buildOp<arith::AddFOp>, buildOp<arith::AddIOp>, total,
                onTwo<add>};
    t["Ceil"] = {buildOp<math::CeilOp>, nullptr,
                 [](Floats x) { return std::ceil(x[0]); }};
    t["Cos"] = {buildOp<math::CosOp>, nullptr,
                [](Floats x) { return fold::cos(x[0]); }};
    t["Div"] = {buildOp<arith::DivFOp>, buildOp<arith::DivSIOp>,
                [](Floats x) { return x[0] / x[1]; }, divideDims};
    t["Erf"] = {buildOp<math::ErfOp>, nullptr,
                [](Floats x) { return fold::erf(x[0]); }};
    t["Exp"] = {buildOp<math::ExpOp>, nullptr,
                [](Floats x) { return fold::exp(x[0]); }};
    t["Floor"] = {buildOp<math::FloorOp>, nullptr,
                  [](Floats x) { return std::floor(x[0]); }};
    t["Log"] = {buildOp<math::LogOp>, nullptr,
                [](Floats x) { return fold::log(x[0]); }};
    t["Max"] = {buildAll<arith::MaximumFOp>, buildAll<arith::MaxSIOp>, largest,
                maxOfDims};
    t["Min"] = {buildAll<arith::MinimumFOp>, buildAll<arith::MinSIOp>, least,
                minOfDims};
    t["Mish"] = {buildMish};
    t["Mul"] = {buildOp<arith::MulFOp>, buildOp<arith::MulIOp>,
                [](Floats x) { return x[0] * x[1]; }, onTwo<multiply>};
    t["Neg"] = {buildOp<arith::NegFOp>,
                [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
                  Value zero = numberLike(builder, loc, x[0], 0);
                  return arith::SubIOp::create(builder, loc, zero, x[0]);
                },
                [](Floats x) { return -x[0]; },
                [](Dims x, int64_t) { return multiply(x[0], Dim(-1)); }};
    t["Reciprocal"] = {buildReciprocal, nullptr,
                       [](Floats x) { return 1 / x[0]; }};
    t["Relu"] = {buildRelu, nullptr,
                 [](Floats x) { return x[0] < 0 ? 0 : x[0]; }};
    t["Round"] = {buildOp<math::RoundEvenOp>, nullptr,
                  [](Floats x) { return std::nearbyint(x[0]); }};
    t["Sigmoid"] = {buildSigmoid, nullptr,
                    [](Floats x) { return fold::sigmoid(x[0]); }};
    t["Sign"] = {buildSign, nullptr, [](Floats x) -> float {
                   return x[0] > 0 ? 1 : x[0] < 0 ? -1 : x[0];
                 }};
    t["Sin"] = {buildOp<math::SinOp>, nullptr,
                [](Floats x) { return fold::sin(x[0]); }};
    t["Softplus"] = {buildSoftplus};
    t["Softsign"] = {buildSoftsign};
    t["Sqrt"] = {buildOp<math::SqrtOp>, nullptr,
                 [](Floats x) { return std::sqrt(x[0]); }};
    t["Sub"] = {buildOp<arith::SubFOp>, buildOp<arith::SubIOp>,
                [](Floats x) { return x[0] - x[1]; }, onTwo<subtract>};
    t["Sum"] = {buildAll<arith::AddFOp>, nullptr, total};
    t["Tanh"] = {buildOp<math::TanhOp>, nullptr,
                 [](Floats x) { return fold::tanh(x[0]); }};
    return t;
  }();
  return table;
}

static LogicalResult importElementwise(NodeImport &node) {
  return applyRule(node, rules().find(node.node.opType)->second);
}

//===----------------------------------------------------------------------===//
// Operators with something of their own
//===----------------------------------------------------------------------===//

/// Integer inputs as floats; of the run time only what holds floats.
static FailureOr<ModelTensor> asFloats(NodeImport &node, size_t i) {
  const ModelTensor &input = node.input(i);
  if (!input.isIntegers())
    return input;
  FailureOr<SmallVector<int64_t>> values = node.integers(i);
  if (failed(values))
    return failure();
  SmallVector<int64_t> extents;
  for (Dim dim : input.shape)
    extents.push_back(dim.offset);
  return ModelTensor::constant(
      extents, std::vector<float>(values->begin(), values->end()));
}

/// The exponent may be an integer.
static LogicalResult importPow(NodeImport &node) {
  ElementRule rule{buildOp<math::PowFOp>, nullptr,
                   [](Floats x) { return fold::pow(x[0], x[1]); }};
  if (!node.input(0).isFloat())
    return node.fail("is supported on floats only");
  FailureOr<ModelTensor> exponent = asFloats(node, 1);
  if (failed(exponent))
    return failure();
  return applyRule(node, rule, {&node.input(0), &*exponent});
}

/// Of integers the result has the sign of the divisor, with `fmod` and of
/// floats that of the dividend.
static LogicalResult importMod(NodeImport &node) {
  FailureOr<int64_t> fmod = node.intAttribute("fmod", 0);
  if (failed(fmod))
    return failure();
  if (node.input(0).isFloat() && *fmod == 0)
    return node.fail("of floats needs 'fmod'");
  ElementRule rule;
  rule.onFloats = buildOp<arith::RemFOp>;
  bool truncates = *fmod != 0;
  rule.onIntegers = [truncates](OpBuilder &builder, Location loc,
                                ValueRange x) -> Value {
    Value rest = arith::RemSIOp::create(builder, loc, x[0], x[1]);
    if (truncates)
      return rest;
    Value sum = arith::AddIOp::create(builder, loc, rest, x[1]);
    return arith::RemSIOp::create(builder, loc, sum, x[1]);
  };
  rule.foldDims = [truncates](Dims x, int64_t) -> std::optional<Dim> {
    if (!x[0].isConstant() || !x[1].isConstant() || x[1].offset == 0 ||
        x[1].offset == -1)
      return std::nullopt;
    int64_t rest = x[0].offset % x[1].offset;
    if (!truncates && rest != 0 && (rest < 0) != (x[1].offset < 0))
      rest += x[1].offset;
    return Dim(rest);
  };
  return applyRule(node, rule);
}

/// The mean of several tensors.
static LogicalResult importMean(NodeImport &node) {
  auto count = static_cast<double>(node.inputs.size());
  ElementRule rule;
  rule.onFloats = [count](OpBuilder &builder, Location loc, ValueRange x) {
    Value sum = buildAll<arith::AddFOp>(builder, loc, x);
    return Value(arith::DivFOp::create(builder, loc, sum,
                                       numberLike(builder, loc, sum, count)));
  };
  return applyRule(node, rule);
}

/// Limits are attributes until operator set 10, then optional inputs.
static LogicalResult importClip(NodeImport &node) {
  SmallVector<const ModelTensor *> inputs{&node.input(0)};
  std::list<ModelTensor> own;
  bool hasLow, hasHigh;
  if (node.opset < 11) {
    hasLow = node.hasAttribute("min"), hasHigh = node.hasAttribute("max");
    for (StringRef name : {"min", "max"}) {
      FailureOr<float> limit = node.floatAttribute(name, 0);
      if (failed(limit))
        return failure();
      if (node.hasAttribute(name))
        inputs.push_back(
            &own.emplace_back(ModelTensor::constant({}, {*limit})));
    }
  } else {
    hasLow = node.hasInput(1), hasHigh = node.hasInput(2);
    for (size_t i : {1, 2})
      if (node.hasInput(i))
        inputs.push_back(&node.input(i));
  }
  if (!hasLow && !hasHigh)
    return node.setResult(0, node.input(0));
  auto clip = [hasLow, hasHigh](auto raise, auto lower, auto x) {
    auto result = x[0];
    if (hasLow)
      result = raise(result, x[1]);
    if (hasHigh)
      result = lower(result, x[hasLow ? 2 : 1]);
    return result;
  };
  ElementRule rule;
  rule.onFloats = [clip](OpBuilder &builder, Location loc,
                         ValueRange x) -> Value {
    return clip(
        [&](Value a, Value b) -> Value {
          return arith::MaximumFOp::create(builder, loc, a, b);
        },
        [&](Value a, Value b) -> Value {
          return arith::MinimumFOp::create(builder, loc, a, b);
        },
        x);
  };
  rule.onIntegers = [clip](OpBuilder &builder, Location loc,
                           ValueRange x) -> Value {
    return clip(
        [&](Value a, Value b) -> Value {
          return arith::MaxSIOp::create(builder, loc, a, b);
        },
        [&](Value a, Value b) -> Value {
          return arith::MinSIOp::create(builder, loc, a, b);
        },
        x);
  };
  rule.fold = [clip](Floats x) {
    return clip([](float a, float b) { return largest({a, b}); },
                [](float a, float b) { return least({a, b}); }, x);
  };
  return applyRule(node, rule, inputs);
}

/// x where it is positive, else something of x and the attributes.
static LogicalResult
importPiecewise(NodeImport &node,
                const std::function<Value(OpBuilder &, Location, Value)> &low,
                float scale = 1) {
  ElementRule rule;
  rule.onFloats = [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
    Value zero = numberLike(builder, loc, x[0], 0);
    Value isHigh = arith::CmpFOp::create(builder, loc,
                                         arith::CmpFPredicate::OGE, x[0], zero);
    Value high = x[0];
    if (scale != 1)
      high = arith::MulFOp::create(builder, loc, high,
                                   numberLike(builder, loc, high, scale));
    return arith::SelectOp::create(builder, loc, isHigh, high,
                                   low(builder, loc, x[0]));
  };
  return applyRule(node, rule);
}

static LogicalResult importLeakyRelu(NodeImport &node) {
  FailureOr<float> alpha = node.floatAttribute("alpha", 0.01f);
  if (failed(alpha))
    return failure();
  return importPiecewise(
      node, [&](OpBuilder &builder, Location loc, Value x) -> Value {
        return arith::MulFOp::create(builder, loc, x,
                                     numberLike(builder, loc, x, *alpha));
      });
}

/// alpha * (exp(x) - 1) below zero; Selu scales all of it.
static LogicalResult importElu(NodeImport &node) {
  bool isSelu = node.node.opType == "Selu";
  FailureOr<float> alpha =
      node.floatAttribute("alpha", isSelu ? 1.67326319217681884765625f : 1);
  FailureOr<float> gamma =
      isSelu ? node.floatAttribute("gamma", 1.05070102214813232421875f)
             : FailureOr<float>(1.0f);
  if (failed(alpha) || failed(gamma))
    return failure();
  float factor = *alpha * *gamma;
  return importPiecewise(
      node,
      [&](OpBuilder &builder, Location loc, Value x) -> Value {
        Value power = math::ExpM1Op::create(builder, loc, x);
        return arith::MulFOp::create(builder, loc, power,
                                     numberLike(builder, loc, x, factor));
      },
      *gamma);
}

static LogicalResult importPRelu(NodeImport &node) {
  ElementRule rule;
  rule.onFloats = [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
    Value isHigh =
        arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, x[0],
                              numberLike(builder, loc, x[0], 0));
    Value low = arith::MulFOp::create(builder, loc, x[0], x[1]);
    return arith::SelectOp::create(builder, loc, isHigh, x[0], low);
  };
  return applyRule(node, rule);
}

/// max(0, min(1, alpha * x + beta)); HardSwish multiplies x by it.
static LogicalResult importHardSigmoid(NodeImport &node) {
  bool isSwish = node.node.opType == "HardSwish";
  FailureOr<float> alpha =
      isSwish ? FailureOr<float>(1.0f / 6) : node.floatAttribute("alpha", 0.2f);
  FailureOr<float> beta =
      isSwish ? FailureOr<float>(0.5f) : node.floatAttribute("beta", 0.5f);
  if (failed(alpha) || failed(beta))
    return failure();
  ElementRule rule;
  rule.onFloats = [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
    auto number = [&](double value) {
      return numberLike(builder, loc, x[0], value);
    };
    Value line = arith::MulFOp::create(builder, loc, x[0], number(*alpha));
    line = arith::AddFOp::create(builder, loc, line, number(*beta));
    line = arith::MinimumFOp::create(builder, loc, line, number(1));
    line = arith::MaximumFOp::create(builder, loc, line, number(0));
    if (isSwish)
      line = arith::MulFOp::create(builder, loc, x[0], line);
    return line;
  };
  return applyRule(node, rule);
}

llvm::ArrayRef<Operator> mlir::fact::elementwiseOperators() {
  constexpr size_t any = std::numeric_limits<size_t>::max();
  static const Operator operators[] = {
      {"Abs", 6, 1, 1, importElementwise},
      {"Add", 7, 2, 2, importElementwise},
      {"Ceil", 6, 1, 1, importElementwise},
      {"Clip", 6, 1, 3, importClip},
      {"Cos", 7, 1, 1, importElementwise},
      {"Div", 7, 2, 2, importElementwise},
      {"Elu", 6, 1, 1, importElu},
      {"Erf", 9, 1, 1, importElementwise},
      {"Exp", 6, 1, 1, importElementwise},
      {"Floor", 6, 1, 1, importElementwise},
      {"HardSigmoid", 6, 1, 1, importHardSigmoid},
      {"HardSwish", 14, 1, 1, importHardSigmoid},
      {"LeakyRelu", 6, 1, 1, importLeakyRelu},
      {"Log", 6, 1, 1, importElementwise},
      {"Max", 6, 1, any, importElementwise},
      {"Mean", 6, 1, any, importMean},
      {"Min", 6, 1, any, importElementwise},
      {"Mish", 18, 1, 1, importElementwise},
      {"Mod", 10, 2, 2, importMod},
      {"Mul", 7, 2, 2, importElementwise},
      {"Neg", 6, 1, 1, importElementwise},
      {"PRelu", 7, 2, 2, importPRelu},
      {"Pow", 7, 2, 2, importPow},
      {"Reciprocal", 6, 1, 1, importElementwise},
      {"Relu", 6, 1, 1, importElementwise},
      {"Round", 11, 1, 1, importElementwise},
      {"Selu", 6, 1, 1, importElu},
      {"Sigmoid", 6, 1, 1, importElementwise},
      {"Sign", 9, 1, 1, importElementwise},
      {"Sin", 7, 1, 1, importElementwise},
      {"Softplus", 1, 1, 1, importElementwise},
      {"Softsign", 1, 1, 1, importElementwise},
      {"Sqrt", 6, 1, 1, importElementwise},
      {"Sub", 7, 2, 2, importElementwise},
      {"Sum", 6, 1, any, importElementwise},
      {"Tanh", 6, 1, 1, importElementwise},
  };
  return operators;
}
