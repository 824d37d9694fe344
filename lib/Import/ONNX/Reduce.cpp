//===- Reduce.cpp - Reductions and layer normalization --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "Reduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::fact;

template <typename Op>
static Value buildOp(OpBuilder &builder, Location loc, ValueRange elements) {
  return Op::create(builder, loc, elements[0], elements[1]);
}

FailureOr<Reduction> mlir::fact::makeReduction(NodeImport &node,
                                               const Shape &shape,
                                               llvm::ArrayRef<int64_t> axes,
                                               bool keepDims) {
  Reduction reduction;
  reduction.keepDims = keepDims;
  reduction.reduced.assign(shape.size(), false);
  FailureOr<SmallVector<int64_t>> distinct =
      node.distinctAxes(axes, shape.size());
  if (failed(distinct))
    return failure();
  for (int64_t axis : *distinct)
    reduction.reduced[axis] = true;
  for (auto [dim, reduced] : llvm::zip(shape, reduction.reduced)) {
    if (!reduced) {
      reduction.kept.push_back(dim);
      reduction.result.push_back(dim);
      continue;
    }
    if (!reduction.count.multiply(dim))
      return node.fail("reduces too many elements: " + str(shape));
    if (keepDims)
      reduction.result.push_back(Dim(1));
  }
  return reduction;
}

/// The axes of a reduction: an attribute, or (ReduceSum from operator set 13
/// on) an input; all of them where nothing is said.
static FailureOr<Reduction> readReduction(NodeImport &node) {
  const Shape &shape = node.input(0).shape;
  SmallVector<int64_t> all =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  FailureOr<int64_t> keepDims = node.intAttribute("keepdims", 1);
  FailureOr<int64_t> none = node.intAttribute("noop_with_empty_axes", 0);
  if (failed(keepDims) || failed(none))
    return failure();
  bool axesAreInput = node.opset >= (node.node.opType == "ReduceSum" ? 13 : 18);
  SmallVector<int64_t> axes;
  if (axesAreInput) {
    if (node.hasInput(1)) {
      FailureOr<SmallVector<int64_t>> values = node.integers(1);
      if (failed(values))
        return failure();
      axes = *values;
    }
    if (axes.empty() && *none == 0)
      axes = all;
  } else {
    if (node.hasInput(1))
      return node.fail("has its axes as input, which operator set " +
                       Twine(node.opset) + " does not know");
    FailureOr<SmallVector<int64_t>> values = node.intsAttribute("axes", all);
    if (failed(values))
      return failure();
    axes = values->empty() ? all : *values;
  }
  return makeReduction(node, shape, axes, *keepDims != 0);
}

FailureOr<Value> mlir::fact::emitMean(NodeImport &node, Value value,
                                      const Shape &shape,
                                      const Reduction &reduction) {
  if (!reduction.count.asDim())
    return node.fail("takes the mean over several open dimensions");
  Value sum = node.emit.reduce(node.loc, value, shape, reduction.reduced,
                               node.emit.number(0), buildOp<arith::AddFOp>);
  Value mean =
      node.emit.divideByCount(node.loc, sum, reduction.kept, reduction.count);
  return node.emit.reshape(node.loc, mean, reduction.kept, reduction.result);
}

namespace {

/// What a reduction does before, while and after it adds up.
struct ReductionRule {
  Emitter::Body combine, combineIntegers;
  double initial = 0;
  Value (*before)(OpBuilder &, Location, Value) = nullptr;
  Value (*after)(OpBuilder &, Location, Value) = nullptr;
};

} // namespace

static Value square(OpBuilder &builder, Location loc, Value x) {
  return arith::MulFOp::create(builder, loc, x, x);
}
static Value absolute(OpBuilder &builder, Location loc, Value x) {
  return math::AbsFOp::create(builder, loc, x);
}
static Value root(OpBuilder &builder, Location loc, Value x) {
  return math::SqrtOp::create(builder, loc, x);
}
static Value logarithm(OpBuilder &builder, Location loc, Value x) {
  return math::LogOp::create(builder, loc, x);
}

static ReductionRule ruleOf(StringRef name) {
  Emitter::Body add = buildOp<arith::AddFOp>, addI = buildOp<arith::AddIOp>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (name == "ReduceMax")
    return {buildOp<arith::MaximumFOp>, buildOp<arith::MaxSIOp>, -infinity};
  if (name == "ReduceMin")
    return {buildOp<arith::MinimumFOp>, buildOp<arith::MinSIOp>, infinity};
  if (name == "ReduceProd")
    return {buildOp<arith::MulFOp>, buildOp<arith::MulIOp>, 1};
  if (name == "ReduceL1")
    return {add, {}, 0, absolute};
  if (name == "ReduceL2")
    return {add, {}, 0, square, root};
  if (name == "ReduceSumSquare")
    return {add, {}, 0, square};
  if (name == "ReduceLogSum")
    return {add, {}, 0, nullptr, logarithm};
  return {add, addI};
}

/// Extents of a shape and the like.
static std::optional<ModelTensor> reduceDims(const ModelTensor &input,
                                             StringRef name, int64_t bound) {
  Dim result = name == "ReduceProd" ? Dim(1) : Dim(0);
  if (name != "ReduceProd" && name != "ReduceSum")
    return std::nullopt;
  for (Dim each : input.integers) {
    std::optional<Dim> next =
        name == "ReduceProd" ? multiply(result, each) : add(result, each);
    if (!next)
      return std::nullopt;
    result = *next;
  }
  return ModelTensor::numbers({}, {result}, input.type);
}

/// A reduction of a constant: in double, rounded once.
static ModelTensor reduceConstant(const ModelTensor &input, StringRef name,
                                  const Reduction &reduction) {
  bool isMax = name == "ReduceMax", isMin = name == "ReduceMin";
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double initial = isMax                  ? -infinity
                   : isMin                ? infinity
                   : name == "ReduceProd" ? 1
                                          : 0;
  int64_t kept = countOf(reduction.kept), all = countOf(input.shape);
  std::vector<double> results(kept, initial);
  std::vector<float> elements = input.data->floats();
  for (int64_t i = 0; i < all; ++i) {
    // The place among those that are kept.
    int64_t place = 0, stride = 1, rest = i;
    for (size_t d = input.shape.size(); d-- > 0;) {
      int64_t extent = input.shape[d].offset;
      if (!reduction.reduced[d]) {
        place += rest % extent * stride;
        stride *= extent;
      }
      rest /= extent;
    }
    double x = elements[i], &result = results[place];
    if (isMax || isMin)
      result = std::isnan(x) || (isMax ? x > result : x < result) ? x : result;
    else if (name == "ReduceProd")
      result *= x;
    else if (name == "ReduceL1")
      result += std::abs(x);
    else if (name == "ReduceL2" || name == "ReduceSumSquare")
      result += x * x;
    else
      result += x;
  }
  for (double &result : results)
    if (name == "ReduceL2")
      result = std::sqrt(result);
    else if (name == "ReduceLogSum")
      result = std::log(result);
    else if (name == "ReduceMean")
      result /= static_cast<double>(all / kept);
  SmallVector<int64_t> shape;
  for (Dim dim : reduction.result)
    shape.push_back(dim.offset);
  return ModelTensor::constant(
      shape, std::vector<float>(results.begin(), results.end()));
}

static LogicalResult importReduce(NodeImport &node) {
  const ModelTensor &input = node.input(0);
  const Shape &shape = input.shape;
  FailureOr<Reduction> reduction = readReduction(node);
  if (failed(reduction))
    return failure();
  // Nothing to reduce (noop_with_empty_axes).
  if (!llvm::is_contained(reduction->reduced, true))
    return node.setResult(0, input);
  StringRef name = node.node.opType;
  if (input.isIntegers() && reduction->kept.empty())
    if (auto result = reduceDims(input, name, node.bound)) {
      result->shape = reduction->result;
      return node.setResult(0, std::move(*result));
    }
  if (input.isFloats())
    return node.setResult(0, reduceConstant(input, name, *reduction));
  if (name == "ReduceMean") {
    Value value = node.value(0);
    FailureOr<Value> mean = value ? emitMean(node, value, shape, *reduction)
                                  : FailureOr<Value>(failure());
    if (failed(mean))
      return failure();
    return node.setResult(*mean, reduction->result);
  }
  ReductionRule rule = ruleOf(name);
  if (!input.isFloat() && !rule.combineIntegers)
    return node.fail("is supported on floats only");
  Value value = node.anyValue(0);
  auto apply = [&](Value (*change)(OpBuilder &, Location, Value),
                   const Shape &of) {
    if (change)
      value = node.emit.elementwise(
          node.loc, of, ElementwiseOperand{value, of},
          [&](OpBuilder &builder, Location loc, ValueRange x) {
            return change(builder, loc, x[0]);
          });
  };
  apply(rule.before, shape);
  Type element = mlirType(input.type, node.loc.getContext());
  auto limit = static_cast<int64_t>(rule.initial);
  if (std::isinf(rule.initial) && !input.isFloat()) {
    unsigned bits = element.getIntOrFloatBitWidth();
    limit = rule.initial < 0 ? llvm::minIntN(bits) : llvm::maxIntN(bits);
  }
  TypedAttr initial = input.isFloat()
                          ? node.emit.number(static_cast<float>(rule.initial))
                          : cast<TypedAttr>(IntegerAttr::get(element, limit));
  value =
      node.emit.reduce(node.loc, value, shape, reduction->reduced, initial,
                       input.isFloat() ? rule.combine : rule.combineIntegers);
  apply(rule.after, reduction->kept);
  return node.setResult(
      node.emit.reshape(node.loc, value, reduction->kept, reduction->result),
      reduction->result);
}

namespace {

/// Elementwise operations of two operands.
struct Binary {
  NodeImport &node;

  ElementwiseOperand operator()(ElementwiseOperand a, ElementwiseOperand b,
                                const Shape &result, Emitter::Body body) {
    return {node.emit.elementwise(node.loc, result, {a, b}, body), result};
  }
};

} // namespace

FailureOr<Value> mlir::fact::standardize(NodeImport &node, Value value,
                                         const Shape &shape,
                                         const Reduction &reduction,
                                         Epsilon epsilon, Moments *moments) {
  Binary binary{node};
  const Shape &kept = reduction.result;
  ElementwiseOperand x{value, shape}, inside, outside;
  inside.scalar = epsilon.inside;
  outside.scalar = epsilon.outside;
  FailureOr<Value> mean = emitMean(node, value, shape, reduction);
  if (failed(mean))
    return failure();
  ElementwiseOperand centred =
      binary(x, {*mean, kept}, shape, buildOp<arith::SubFOp>);
  ElementwiseOperand squares =
      binary(centred, centred, shape, buildOp<arith::MulFOp>);
  FailureOr<Value> variance = emitMean(node, squares.value, shape, reduction);
  if (failed(variance))
    return failure();
  ElementwiseOperand sum =
      binary({*variance, kept}, inside, kept, buildOp<arith::AddFOp>);
  ElementwiseOperand deviation{
      node.emit.elementwise(
          node.loc, kept, sum,
          [](OpBuilder &builder, Location loc, ValueRange elements) -> Value {
            return math::SqrtOp::create(builder, loc, elements[0]);
          }),
      kept};
  if (moments)
    *moments = {*mean, deviation.value};
  if (epsilon.outside != 0)
    deviation = binary(deviation, outside, kept, buildOp<arith::AddFOp>);
  return binary(centred, deviation, shape, buildOp<arith::DivFOp>).value;
}

/// The norm of each row, times a scale and with a bias.
static LogicalResult importLayerNormalization(NodeImport &node) {
  FailureOr<int64_t> given = node.intAttribute("axis", -1);
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-5f);
  node.ignoreAttribute("stash_type");
  if (failed(given) || failed(epsilon))
    return failure();
  const Shape &shape = node.input(0).shape;
  FailureOr<int64_t> axis = node.axis(*given, shape.size());
  if (failed(axis))
    return failure();
  FailureOr<Reduction> reduction = makeReduction(
      node, shape, llvm::to_vector(llvm::seq<int64_t>(*axis, shape.size())),
      /*keepDims=*/true);
  Value value = node.value(0), scale = node.value(1);
  if (failed(reduction) || !value || !scale)
    return failure();
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    std::string why;
    std::optional<Shape> both =
        node.hasInput(i) ? broadcastShapes(shape, node.input(i).shape, why)
                         : shape;
    if (!both || *both != shape)
      return node.fail("input '" + node.node.inputs[i] + "' of shape " +
                       str(node.input(i).shape) + " does not fit " +
                       str(shape));
  }

  Moments moments;
  FailureOr<Value> normal =
      standardize(node, value, shape, *reduction, {*epsilon}, &moments);
  if (failed(normal))
    return failure();
  if (node.wantsResult(1) &&
      failed(node.setResult(
          1, ModelTensor::runtime(moments.mean, reduction->result))))
    return failure();
  Binary binary{node};
  if (node.wantsResult(2)) {
    ElementwiseOperand one;
    one.scalar = 1;
    ElementwiseOperand inverse =
        binary(one, {moments.deviation, reduction->result}, reduction->result,
               buildOp<arith::DivFOp>);
    if (failed(node.setResult(
            2, ModelTensor::runtime(inverse.value, reduction->result))))
      return failure();
  }
  ElementwiseOperand result =
      binary({*normal, shape}, {scale, node.input(1).shape}, shape,
             buildOp<arith::MulFOp>);
  if (node.hasInput(2)) {
    Value bias = node.value(2);
    if (!bias)
      return failure();
    result = binary(result, {bias, node.input(2).shape}, shape,
                    buildOp<arith::AddFOp>);
  }
  return node.setResult(result.value, shape);
}

llvm::ArrayRef<Operator> mlir::fact::reduceOperators() {
  static const Operator operators[] = {
      {"LayerNormalization", 1, 2, 3, importLayerNormalization},
      {"ReduceL1", 1, 1, 2, importReduce},
      {"ReduceL2", 1, 1, 2, importReduce},
      {"ReduceLogSum", 1, 1, 2, importReduce},
      {"ReduceMax", 1, 1, 2, importReduce},
      {"ReduceMean", 1, 1, 2, importReduce},
      {"ReduceMin", 1, 1, 2, importReduce},
      {"ReduceProd", 1, 1, 2, importReduce},
      {"ReduceSum", 1, 1, 2, importReduce},
      {"ReduceSumSquare", 1, 1, 2, importReduce},
  };
  return operators;
}
