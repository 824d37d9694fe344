//===- Reduce.cpp - Reductions, softmax and layer normalization -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

template <typename Op>
static Value buildOp(OpBuilder &builder, Location loc, ValueRange elements) {
  return Op::create(builder, loc, elements[0], elements[1]);
}

namespace {

/// Which dimensions a node reduces and whether they stay, with extent 1.
struct Reduction {
  SmallVector<bool> reduced;
  bool keepDims = true;
  /// Shape without the reduced dimensions, and as the result has it.
  Shape kept, result;
  Product count;
};

} // namespace

static FailureOr<Reduction> makeReduction(NodeImport &node, const Shape &shape,
                                          llvm::ArrayRef<int64_t> axes,
                                          bool keepDims) {
  Reduction reduction;
  reduction.keepDims = keepDims;
  reduction.reduced.assign(shape.size(), false);
  for (int64_t each : axes) {
    FailureOr<int64_t> axis = node.axis(each, shape.size());
    if (failed(axis))
      return failure();
    if (reduction.reduced[*axis])
      return node.fail("axis " + Twine(each) + " is named twice");
    reduction.reduced[*axis] = true;
  }
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
  bool axesAreInput = node.node.opType == "ReduceSum" && node.opset >= 13;
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

/// The mean over the reduction's dimensions, in the result's shape.
static FailureOr<Value> emitMean(NodeImport &node, Value value,
                                 const Shape &shape,
                                 const Reduction &reduction) {
  if (!reduction.count.asDim())
    return node.fail("takes the mean over several open dimensions");
  Value sum = node.emit.reduce(node.loc, value, shape, reduction.reduced, 0,
                               buildOp<arith::AddFOp>);
  Value mean =
      node.emit.divideByCount(node.loc, sum, reduction.kept, reduction.count);
  return node.emit.reshape(node.loc, mean, reduction.kept, reduction.result);
}

static LogicalResult importReduce(NodeImport &node) {
  Value value = node.value(0);
  if (!value)
    return failure();
  const Shape &shape = node.input(0).shape;
  FailureOr<Reduction> reduction = readReduction(node);
  if (failed(reduction))
    return failure();
  // Nothing to reduce (noop_with_empty_axes).
  if (!llvm::is_contained(reduction->reduced, true))
    return node.setResult(value, shape);
  if (node.node.opType == "ReduceMean") {
    FailureOr<Value> mean = emitMean(node, value, shape, *reduction);
    if (failed(mean))
      return failure();
    return node.setResult(*mean, reduction->result);
  }
  bool isMax = node.node.opType == "ReduceMax";
  Value reduced =
      node.emit.reduce(node.loc, value, shape, reduction->reduced,
                       isMax ? -std::numeric_limits<float>::infinity() : 0.0f,
                       isMax ? Emitter::Body(buildOp<arith::MaximumFOp>)
                             : Emitter::Body(buildOp<arith::AddFOp>));
  return node.setResult(
      node.emit.reshape(node.loc, reduced, reduction->kept, reduction->result),
      reduction->result);
}

/// From operator set 13 on along one axis. Before, over all dimensions from
/// the axis on together.
static LogicalResult importSoftmax(NodeImport &node) {
  Value value = node.value(0);
  if (!value)
    return failure();
  const Shape &shape = node.input(0).shape;
  if (shape.empty())
    return node.fail("input must have at least one dimension");
  bool flattens = node.opset < 13;
  FailureOr<int64_t> given = node.intAttribute("axis", flattens ? 1 : -1);
  if (failed(given))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, shape.size());
  if (failed(axis))
    return failure();
  // Trailing ones do not count.
  size_t significant = shape.size();
  while (significant > static_cast<size_t>(*axis) + 1 &&
         shape[significant - 1].isConstant(1))
    --significant;
  if (!flattens || significant == static_cast<size_t>(*axis) + 1)
    return node.setResult(node.emit.softmax(node.loc, value, shape, *axis),
                          shape);
  Product outer, inner;
  bool fits = true;
  for (size_t i = 0; i < shape.size(); ++i)
    fits &= (i < static_cast<size_t>(*axis) ? outer : inner).multiply(shape[i]);
  if (!fits || !outer.asDim() || !inner.asDim())
    return node.fail("normalizes over several open dimensions");
  Shape flat{*outer.asDim(), *inner.asDim()};
  Value matrix = node.emit.reshape(node.loc, value, shape, flat);
  matrix = node.emit.softmax(node.loc, matrix, flat, 1);
  return node.setResult(node.emit.reshape(node.loc, matrix, flat, shape),
                        shape);
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias, in the operations that
/// models without this operator consist of.
static LogicalResult importLayerNormalization(NodeImport &node) {
  FailureOr<int64_t> given = node.intAttribute("axis", -1);
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-5f);
  node.ignoreAttribute("stash_type");
  if (failed(given) || failed(epsilon))
    return failure();
  if (node.node.outputs.size() > 1)
    return node.fail("has mean or deviation as further outputs");
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

  auto binary = [&](ElementwiseOperand a, ElementwiseOperand b,
                    llvm::ArrayRef<Dim> result, auto body) {
    return ElementwiseOperand{
        node.emit.elementwise(node.loc, result, {a, b}, body),
        Shape(result.begin(), result.end())};
  };
  ElementwiseOperand x{value, shape}, eps;
  eps.scalar = *epsilon;
  FailureOr<Value> mean = emitMean(node, value, shape, *reduction);
  if (failed(mean))
    return failure();
  ElementwiseOperand centred =
      binary(x, {*mean, reduction->result}, shape, buildOp<arith::SubFOp>);
  ElementwiseOperand squares =
      binary(centred, centred, shape, buildOp<arith::MulFOp>);
  FailureOr<Value> variance = emitMean(node, squares.value, shape, *reduction);
  if (failed(variance))
    return failure();
  ElementwiseOperand sum = binary({*variance, reduction->result}, eps,
                                  reduction->result, buildOp<arith::AddFOp>);
  ElementwiseOperand deviation{
      node.emit.elementwise(
          node.loc, reduction->result, sum,
          [](OpBuilder &builder, Location loc, ValueRange elements) -> Value {
            return math::SqrtOp::create(builder, loc, elements[0]);
          }),
      reduction->result};
  ElementwiseOperand result =
      binary(centred, deviation, shape, buildOp<arith::DivFOp>);
  result = binary(result, {scale, node.input(1).shape}, shape,
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
      {"LayerNormalization", 17, 2, 3, importLayerNormalization},
      {"ReduceMax", 1, 1, 2, importReduce},
      {"ReduceMean", 1, 1, 2, importReduce},
      {"ReduceSum", 1, 1, 2, importReduce},
      {"Softmax", 1, 1, 1, importSoftmax},
  };
  return operators;
}
