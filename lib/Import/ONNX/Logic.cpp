//===- Logic.cpp - Operators of shape arithmetic only ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What exporters write around Expand to find out which extents to keep.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::NodeAttribute;

/// Whether two numbers are equal; absent where that depends on the length.
static std::optional<bool> areEqual(Dim a, Dim b, int64_t bound) {
  if (a == b)
    return true;
  std::optional<Dim> difference = subtract(a, b), above, below;
  if (difference) {
    above = subtract(*difference, Dim(1));
    below = subtract(Dim(-1), *difference);
  }
  if ((above && above->isNonNegative(bound)) ||
      (below && below->isNonNegative(bound)))
    return false;
  return std::nullopt;
}

/// The shape of all inputs together; fails where one does not hold integers.
static FailureOr<Shape> integerShape(NodeImport &node) {
  Shape shape;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (failed(node.numbers(i)))
      return failure();
    std::string why;
    std::optional<Shape> both =
        broadcastShapes(shape, node.input(i).shape, why);
    if (!both)
      return node.fail(why);
    shape = *both;
  }
  if (countOf(shape) > maxIntegers)
    return node.fail("computes too many integers: " + str(shape));
  return shape;
}

static LogicalResult importEqual(NodeImport &node) {
  FailureOr<Shape> shape = integerShape(node);
  if (failed(shape))
    return failure();
  const ModelTensor &a = node.input(0), &b = node.input(1);
  SmallVector<Dim> result;
  for (int64_t i = 0, e = countOf(*shape); i < e; ++i) {
    Dim x = a.integers[broadcastIndex(i, *shape, a.shape)];
    Dim y = b.integers[broadcastIndex(i, *shape, b.shape)];
    std::optional<bool> equal = areEqual(x, y, node.bound);
    if (!equal)
      return node.fail("compares " + x.str() + " and " + y.str());
    result.push_back(Dim(*equal));
  }
  return node.setResult(0, ModelTensor::numbers(*shape, std::move(result)));
}

static LogicalResult importWhere(NodeImport &node) {
  FailureOr<Shape> shape = integerShape(node);
  if (failed(shape))
    return failure();
  FailureOr<SmallVector<int64_t>> condition = node.integers(0);
  if (failed(condition))
    return failure();
  SmallVector<Dim> result;
  for (int64_t i = 0, e = countOf(*shape); i < e; ++i) {
    bool first = (*condition)[broadcastIndex(i, *shape, node.input(0).shape)];
    const ModelTensor &chosen = node.input(first ? 1 : 2);
    result.push_back(chosen.integers[broadcastIndex(i, *shape, chosen.shape)]);
  }
  return node.setResult(0, ModelTensor::numbers(*shape, std::move(result)));
}

static LogicalResult importConstantOfShape(NodeImport &node) {
  FailureOr<SmallVector<int64_t>> extents = node.integers(0);
  if (failed(extents))
    return failure();
  int64_t count = 1;
  for (int64_t extent : *extents)
    if (extent < 1 || llvm::MulOverflow(count, extent, count) ||
        count > maxIntegers)
      return node.fail("makes a constant of extent " + Twine(extent));
  ModelTensor value = ModelTensor::constant({}, {0.0f});
  if (const NodeAttribute *given = node.attribute("value")) {
    if (given->kind != NodeAttribute::Kind::Tensor)
      return node.fail("attribute 'value' must be a tensor");
    std::string why;
    FailureOr<ModelTensor> tensor = importConstant(given->tensor, why);
    if (failed(tensor))
      return node.fail(why);
    value = *tensor;
  }
  if (countOf(value.shape) != 1)
    return node.fail("attribute 'value' must have one element");
  // One element, again and again.
  Shape shape(extents->begin(), extents->end());
  SmallVector<int64_t> steps(shape.size(), 0);
  return node.setResult(0, pick(value, shape, 0, steps));
}

llvm::ArrayRef<Operator> mlir::fact::logicOperators() {
  static const Operator operators[] = {
      {"ConstantOfShape", 9, 1, 1, importConstantOfShape},
      {"Equal", 7, 2, 2, importEqual},
      {"Where", 9, 3, 3, importWhere},
  };
  return operators;
}
