//===- FusedElementwise.cpp - Activations, biases and scaled products -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
using Tensor = Composition::Tensor;

/// x / 2 * (1 + erf(x / sqrt(2))), in the order in which PyTorch exports it.
static Tensor gelu(Composition &op, Tensor x) {
  Tensor error = op("Erf", {op.divide(x, op.number(std::sqrt(2.0f)))});
  Tensor product = op.multiply(x, op.add(error, op.number(1)));
  return op.multiply(product, 0.5f);
}

/// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))).
static Tensor tanhGelu(Composition &op, Tensor x) {
  Tensor cube = op("Pow", {x, op.number(3)});
  Tensor inner = op.add(x, op.multiply(cube, 0.044715f));
  Tensor curve = op("Tanh", {op.multiply(inner, 0.79788456080286535588f)});
  return op.multiply(op.multiply(x, 0.5f), op.add(curve, op.number(1)));
}

/// x * sigmoid(alpha * x).
static Tensor swish(Composition &op, Tensor x, float alpha) {
  return op.multiply(x, op("Sigmoid", {op.multiply(x, alpha)}));
}

static LogicalResult importGelu(NodeImport &node) {
  FailureOr<StringRef> approximate =
      node.stringAttribute("approximate", "none");
  if (failed(approximate))
    return failure();
  Composition op(node);
  if (*approximate == "none")
    return op.setResult(gelu(op, op.input(0)));
  if (*approximate == "tanh")
    return op.setResult(tanhGelu(op, op.input(0)));
  return node.fail("attribute 'approximate' must be 'none' or 'tanh' (was '" +
                   *approximate + "')");
}

/// The input with a bias that is added first, where there is one.
static Tensor biased(Composition &op) {
  return op.input(1) ? op.add(op.input(0), op.input(1)) : op.input(0);
}

static LogicalResult importBiasGelu(NodeImport &node) {
  Composition op(node);
  return op.setResult(gelu(op, biased(op)));
}

static LogicalResult importFastGelu(NodeImport &node) {
  Composition op(node);
  return op.setResult(tanhGelu(op, biased(op)));
}

static LogicalResult importSwish(NodeImport &node) {
  bool isQuick = node.node.opType == "QuickGelu";
  FailureOr<float> alpha = node.floatAttribute("alpha", isQuick ? 1.702f : 1);
  if (failed(alpha))
    return failure();
  Composition op(node);
  return op.setResult(swish(op, op.input(0), *alpha));
}

/// x + bias + skip.
static LogicalResult importBiasAdd(NodeImport &node) {
  Composition op(node);
  return op.setResult(op.add(biased(op), op.input(2)));
}

/// Exchanges the last two dimensions; a vector stays as it is.
static Tensor transposeLast(Composition &op, Tensor x) {
  SmallVector<int64_t> order =
      llvm::to_vector(llvm::seq<int64_t>(0, x->rank()));
  if (x->rank() >= 2)
    std::swap(order[order.size() - 2], order.back());
  return op.transpose(x, order);
}

/// alpha * A' * B', where ' transposes each matrix by an attribute.
static LogicalResult importFusedMatMul(NodeImport &node) {
  FailureOr<float> alpha = node.floatAttribute("alpha", 1);
  FailureOr<int64_t> transA = node.intAttribute("transA", 0),
                     transB = node.intAttribute("transB", 0),
                     batchA = node.intAttribute("transBatchA", 0),
                     batchB = node.intAttribute("transBatchB", 0);
  if (failed(alpha) || failed(transA) || failed(transB) || failed(batchA) ||
      failed(batchB))
    return failure();
  if (*batchA || *batchB)
    return node.fail("moves a batch dimension ('transBatchA', 'transBatchB'), "
                     "which is not supported");
  Composition op(node);
  Tensor a = op.input(0), b = op.input(1);
  if (*transA)
    a = transposeLast(op, a);
  if (*transB)
    b = transposeLast(op, b);
  return op.setResult(op.multiply(op.matmul(a, b), *alpha));
}

llvm::ArrayRef<Operator> mlir::fact::fusedElementwiseOperators() {
  static const Operator operators[] = {
      {"Gelu", 20, 1, 1, importGelu},
      {"Swish", 24, 1, 1, importSwish},
      {"BiasAdd", 1, 3, 3, importBiasAdd, "com.microsoft"},
      {"BiasGelu", 1, 2, 2, importBiasGelu, "com.microsoft"},
      {"FastGelu", 1, 1, 2, importFastGelu, "com.microsoft"},
      {"FusedMatMul", 1, 2, 2, importFusedMatMul, "com.microsoft"},
      {"Gelu", 1, 1, 1, importBiasGelu, "com.microsoft"},
      {"QuickGelu", 1, 1, 1, importSwish, "com.microsoft"},
      {"TransposeMatMul", 1, 2, 2, importFusedMatMul, "com.microsoft"},
  };
  return operators;
}
