//===- FusedNorm.cpp - Root mean square norms, norms of sums --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

using namespace mlir;
using namespace mlir::fact;
using Tensor = Composition::Tensor;

static bool hasShape(Tensor tensor, llvm::ArrayRef<Dim> shape) {
  return !tensor || llvm::equal(tensor->shape, shape);
}

/// x / sqrt(mean(x^2) + epsilon) * scale over the dimensions from \p axis on.
/// Results 1 of the operators is what x is multiplied by.
static Tensor rmsNorm(Composition &op, Tensor x, Tensor scale, int64_t axis,
                      float epsilon) {
  if (op.failed())
    return nullptr;
  std::string why;
  std::optional<Shape> both = broadcastShapes(x->shape, scale->shape, why);
  if (!both || *both != x->shape)
    return op.fail("scale of shape " + str(scale->shape) + " does not fit " +
                   str(x->shape));
  SmallVector<Dim> axes;
  for (int64_t i = axis; i < x->rank(); ++i)
    axes.push_back(Dim(i));
  Tensor mean = op("ReduceMean", {op.multiply(x, x), op.integers(axes)});
  Tensor root = op("Sqrt", {op.add(mean, op.number(epsilon))});
  if (op.node.wantsResult(1))
    (void)op.setResult(op("Reciprocal", {root}), 1);
  return op.multiply(op.divide(x, root), scale);
}

/// RMSNormalization and what ONNX Runtime calls it.
static LogicalResult importRmsNorm(NodeImport &node) {
  FailureOr<int64_t> given = node.intAttribute("axis", -1);
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-5f);
  node.ignoreAttribute("stash_type");
  if (failed(given) || failed(epsilon))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, node.input(0).rank());
  if (failed(axis))
    return failure();
  Composition op(node);
  return op.setResult(rmsNorm(op, op.input(0), op.input(1), *axis, *epsilon));
}

/// Scales and biases of the last dimension of \p x, by inputs from \p first on.
static bool checkVectors(Composition &op, Tensor x, size_t first) {
  if (op.failed())
    return false;
  for (size_t i = first; i < op.node.inputs.size(); ++i)
    if (!hasShape(op.input(i), ArrayRef(x->shape).take_back())) {
      op.fail("input '" + op.node.node.inputs[i] + "' of shape " +
              str(op.input(i)->shape) + " does not fit " + str(x->shape));
      return false;
    }
  return true;
}

static Tensor layerNorm(Composition &op, Tensor x, Tensor gamma, Tensor beta,
                        float epsilon) {
  InnerAttribute attribute("epsilon", 0);
  attribute.value.kind = ::fact::onnx::NodeAttribute::Kind::Float;
  attribute.value.f = epsilon;
  return op("LayerNormalization", {x, gamma, beta}, attribute);
}

/// The norm of input + skip + bias; the sum is result 3.
static LogicalResult importSkipNorm(NodeImport &node) {
  bool isSimplified = node.node.opType == "SkipSimplifiedLayerNormalization";
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-12f);
  if (failed(epsilon))
    return failure();
  Composition op(node);
  Tensor x = op.input(0), bias = op.input(isSimplified ? 3 : 4);
  Tensor sum = op.add(x, op.input(1));
  if (op.failed())
    return failure();
  if (x->shape.empty() || sum->shape != x->shape)
    return node.fail("skip of shape " + str(node.input(1).shape) +
                     " does not fit " + str(x->shape));
  if (!checkVectors(op, x, 2))
    return failure();
  if (bias)
    sum = op.add(sum, bias);
  if (node.wantsResult(3) && failed(op.setResult(sum, 3)))
    return failure();
  return op.setResult(
      isSimplified
          ? rmsNorm(op, sum, op.input(2), node.input(0).rank() - 1, *epsilon)
          : layerNorm(op, sum, op.input(2), op.input(3), *epsilon));
}

/// Result 1: how many tokens of each sequence the mask keeps.
static LogicalResult countKept(Composition &op) {
  Tensor mask = op.input(7);
  if (!mask || mask->rank() != 2)
    return op.node.fail("its result 1 needs a mask that is a matrix");
  return op.setResult(
      op("ReduceSum", {mask, op.integers({Dim(1)})}, {{"keepdims", 0}}), 1);
}

/// The norm of the sum of rows of two or three tables. Inputs: ids, segments,
/// the tables of words, positions and segments, scale, bias, mask, positions.
static LogicalResult importEmbedNorm(NodeImport &node) {
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-12f);
  node.ignoreAttribute("mask_index_type");
  if (failed(epsilon))
    return failure();
  Composition op(node);
  const Shape &ids = node.input(0).shape;
  if (ids.size() != 2)
    return node.fail("ids must be a matrix (are " + str(ids) + ")");
  for (size_t i : {2, 3, 4})
    if (op.input(i) && op.input(i)->rank() != 2)
      return node.fail("input '" + node.node.inputs[i] +
                       "' must be a matrix (is " + str(op.input(i)->shape) +
                       ")");
  for (size_t i : {2, 3, 5, 6})
    if (!op.input(i))
      return node.fail("lacks input " + Twine(i));
  if (!op.input(1) != !op.input(4))
    return node.fail("has only one of segments and their table");
  Tensor positions = op.input(8) ? op("Gather", {op.input(3), op.input(8)})
                                 : op.slice(op.input(3), 0, Dim(0), ids[1]);
  Tensor words = op("Gather", {op.input(2), op.input(0)});
  Tensor sum = op.add(words, positions);
  if (op.input(1))
    sum = op.add(sum, op("Gather", {op.input(4), op.input(1)}));
  if (op.failed())
    return failure();
  if (sum->rank() != 3 || sum->shape != words->shape)
    return node.fail("positions of shape " + str(positions->shape) +
                     " or segments do not fit words of " + str(words->shape));
  for (size_t i : {5, 6})
    if (!hasShape(op.input(i), ArrayRef(sum->shape).take_back()))
      return node.fail("input '" + node.node.inputs[i] + "' of shape " +
                       str(op.input(i)->shape) + " does not fit " +
                       str(sum->shape));
  if (node.wantsResult(1) && failed(countKept(op)))
    return failure();
  if (node.wantsResult(2) && failed(op.setResult(sum, 2)))
    return failure();
  return op.setResult(layerNorm(op, sum, op.input(5), op.input(6), *epsilon));
}

llvm::ArrayRef<Operator> mlir::fact::fusedNormOperators() {
  static const Operator operators[] = {
      {"RMSNormalization", 23, 2, 2, importRmsNorm},
      // ONNX Runtime writes it in the default domain, whatever its version.
      {"SimplifiedLayerNormalization", 1, 2, 2, importRmsNorm},
      {"SimplifiedLayerNormalization", 1, 2, 2, importRmsNorm, "com.microsoft"},
      {"EmbedLayerNormalization", 1, 1, 9, importEmbedNorm, "com.microsoft"},
      {"SkipLayerNormalization", 1, 3, 5, importSkipNorm, "com.microsoft"},
      {"SkipSimplifiedLayerNormalization", 1, 3, 4, importSkipNorm,
       "com.microsoft"},
  };
  return operators;
}
