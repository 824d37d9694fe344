//===- MatMul.cpp - Matrix products ---------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product with a matrix is one linalg.matmul whatever the leading dimensions
// of its left side; a product of two stacks of matrices is one
// linalg.batch_matmul.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"
#include "Transpose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::fact;

/// The leading dimensions as one; absent where their product is no extent.
static std::optional<Dim> flatten(llvm::ArrayRef<Dim> dims) {
  Product product;
  for (Dim dim : dims)
    if (!product.multiply(dim))
      return std::nullopt;
  return product.asDim();
}

/// [.., m, k] x [k, n].
static Value multiplyByMatrix(NodeImport &node, Value lhs, const Shape &left,
                              Value rhs, const Shape &right,
                              llvm::ArrayRef<Dim> result) {
  std::optional<Dim> rows = flatten(ArrayRef(left).drop_back());
  if (!rows)
    return nullptr;
  Dim flat[] = {*rows, left.back()}, flatResult[] = {*rows, right.back()};
  Value collapsed = node.emit.reshape(node.loc, lhs, left, flat);
  Value product = node.emit.matmul(node.loc, collapsed, rhs, flatResult);
  return node.emit.reshape(node.loc, product, flatResult, result);
}

/// [.., m, k] x [.., k, n] with \p batch leading dimensions in the result.
static Value multiplyStacks(NodeImport &node, Value lhs, const Shape &left,
                            Value rhs, const Shape &right,
                            llvm::ArrayRef<Dim> batch,
                            llvm::ArrayRef<Dim> result) {
  std::optional<Dim> count = flatten(batch);
  if (!count)
    return nullptr;
  auto flatten = [&](Value value, const Shape &shape) {
    Dim rows = shape[shape.size() - 2], columns = shape.back();
    Shape full(batch.begin(), batch.end());
    full.append({rows, columns});
    value = node.emit.broadcast(node.loc, value, shape, full);
    return node.emit.reshape(node.loc, value, full, {*count, rows, columns});
  };
  Dim flatResult[] = {*count, left[left.size() - 2], right.back()};
  Value product = node.emit.matmul(node.loc, flatten(lhs, left),
                                   flatten(rhs, right), flatResult);
  return node.emit.reshape(node.loc, product, flatResult, result);
}

/// The product of two constants [.., m, k] and [.., k, n] as \p result: sums in
/// double, rounded once. Fails where that would take minutes.
static FailureOr<ModelTensor>
multiplyConstants(NodeImport &node, const ModelTensor &lhs, const Shape &left,
                  const ModelTensor &rhs, const Shape &right,
                  llvm::ArrayRef<Dim> batch, llvm::ArrayRef<Dim> result) {
  constexpr int64_t most = int64_t(1) << 33;
  if (!lhs.isFloats() || !rhs.isFloats())
    return node.fail("multiplies two constants that are not both floats");
  int64_t m = left[left.size() - 2].offset, k = left.back().offset,
          n = right.back().offset, stacks = countOf(batch), work;
  if (failed(node.checkSize(batch, "result")) ||
      failed(node.checkSize({Dim(stacks), Dim(m), Dim(n)}, "result")))
    return failure();
  if (llvm::MulOverflow(stacks * m * n, k, work) || work > most)
    return node.fail("multiplies two constants that are too large, " +
                     str(left) + " and " + str(right));
  std::vector<float> a = lhs.data->floats(), b = rhs.data->floats(), product;
  std::vector<double> row(n);
  product.reserve(stacks * m * n);
  for (int64_t stack = 0; stack < stacks; ++stack) {
    size_t inA = broadcastIndex(stack, batch, ArrayRef(left).drop_back(2)),
           inB = broadcastIndex(stack, batch, ArrayRef(right).drop_back(2));
    for (int64_t i = 0; i < m; ++i) {
      std::fill(row.begin(), row.end(), 0.0);
      for (int64_t t = 0; t < k; ++t)
        for (int64_t j = 0; j < n; ++j)
          row[j] += static_cast<double>(a[(inA * m + i) * k + t]) *
                    b[(inB * k + t) * n + j];
      product.insert(product.end(), row.begin(), row.end());
    }
  }
  SmallVector<int64_t> shape;
  for (Dim dim : result)
    shape.push_back(dim.offset);
  return ModelTensor::constant(shape, std::move(product));
}

static LogicalResult importMatMul(NodeImport &node) {
  Shape left = node.input(0).shape, right = node.input(1).shape;
  if (left.empty() || right.empty())
    return node.fail("inputs must have at least one dimension");
  // A vector is a matrix of one row or column that vanishes from the result.
  bool leftVector = left.size() == 1, rightVector = right.size() == 1;
  if (leftVector)
    left = {Dim(1), left[0]};
  if (rightVector)
    right = {right[0], Dim(1)};
  if (left.back() != right[right.size() - 2])
    return node.fail("shapes " + str(left) + " and " + str(right) +
                     " do not multiply");
  std::string why;
  std::optional<Shape> batch = broadcastShapes(
      ArrayRef(left).drop_back(2), ArrayRef(right).drop_back(2), why);
  if (!batch)
    return node.fail(why);
  Shape result = *batch, squeezed = *batch;
  result.append({left[left.size() - 2], right.back()});
  if (!leftVector)
    squeezed.push_back(left[left.size() - 2]);
  if (!rightVector)
    squeezed.push_back(right.back());
  if (!node.input(0).isRuntime() && !node.input(1).isRuntime()) {
    FailureOr<ModelTensor> product = multiplyConstants(
        node, node.input(0), left, node.input(1), right, *batch, squeezed);
    if (failed(product))
      return failure();
    return node.setResult(0, std::move(*product));
  }
  Value lhs = node.value(0), rhs = node.value(1);
  if (!lhs || !rhs)
    return failure();
  lhs = node.emit.reshape(node.loc, lhs, node.input(0).shape, left);
  rhs = node.emit.reshape(node.loc, rhs, node.input(1).shape, right);

  // A constant stack of one matrix is that matrix; one that is computed (the
  // keys of the only head) stays a stack.
  bool oneMatrix = llvm::all_of(ArrayRef(right).drop_back(2),
                                [](Dim dim) { return dim.isConstant(1); });
  if (oneMatrix && !node.input(1).isRuntime()) {
    Shape matrix(right.end() - 2, right.end());
    rhs = node.emit.reshape(node.loc, rhs, right, matrix);
    right = matrix;
  }
  bool byMatrix = right.size() == 2;
  Value product =
      byMatrix ? multiplyByMatrix(node, lhs, left, rhs, right, result)
               : multiplyStacks(node, lhs, left, rhs, right, *batch, result);
  if (!product)
    return node.fail("stack of matrices is too large: " + str(result));

  return node.setResult(node.emit.reshape(node.loc, product, result, squeezed),
                        squeezed);
}

/// alpha * A' * B' + beta * C, where ' transposes by an attribute. With alpha
/// and beta 1 (always, in what exporters write) no scaling is emitted.
static LogicalResult importGemm(NodeImport &node) {
  FailureOr<float> alpha = node.floatAttribute("alpha", 1);
  FailureOr<float> beta = node.floatAttribute("beta", 1);
  FailureOr<int64_t> transA = node.intAttribute("transA", 0);
  FailureOr<int64_t> transB = node.intAttribute("transB", 0);
  if (failed(alpha) || failed(beta) || failed(transA) || failed(transB))
    return failure();
  ModelTensor a = node.input(0), b = node.input(1);
  if (a.rank() != 2 || b.rank() != 2)
    return node.fail("inputs must be matrices (are " + str(a.shape) + " and " +
                     str(b.shape) + ")");
  if ((*transA && failed(transpose(node, a, {1, 0}))) ||
      (*transB && failed(transpose(node, b, {1, 0}))))
    return failure();
  if (a.shape[1] != b.shape[0])
    return node.fail("shapes " + str(a.shape) + " and " + str(b.shape) +
                     " do not multiply");
  Shape shape{a.shape[0], b.shape[1]};
  Value product;
  if (!a.isRuntime() && !b.isRuntime()) {
    FailureOr<ModelTensor> folded =
        multiplyConstants(node, a, a.shape, b, b.shape, {}, shape);
    product = failed(folded) ? nullptr : node.value(*folded);
  } else if (Value lhs = node.value(a), rhs = node.value(b); lhs && rhs) {
    product = node.emit.matmul(node.loc, lhs, rhs, shape);
  }
  if (!product)
    return failure();

  auto scale = [&](Value value, const Shape &shape, float factor) {
    ElementwiseOperand operand{value, shape}, scalar;
    scalar.scalar = factor;
    return node.emit.elementwise(
        node.loc, shape, {operand, scalar},
        [](OpBuilder &builder, Location loc, ValueRange elements) -> Value {
          return arith::MulFOp::create(builder, loc, elements[0], elements[1]);
        });
  };
  if (*alpha != 1)
    product = scale(product, shape, *alpha);
  if (node.hasInput(2) && *beta != 0) {
    const Shape &biasShape = node.input(2).shape;
    std::string why;
    std::optional<Shape> both = broadcastShapes(shape, biasShape, why);
    if (!both || *both != shape)
      return node.fail("bias of shape " + str(biasShape) +
                       " does not fit the product, " + str(shape));
    Value bias = node.value(2);
    if (!bias)
      return failure();
    if (*beta != 1)
      bias = scale(bias, biasShape, *beta);
    ElementwiseOperand sum{product, shape}, summand{bias, biasShape};
    product = node.emit.elementwise(
        node.loc, shape, {sum, summand},
        [](OpBuilder &builder, Location loc, ValueRange elements) -> Value {
          return arith::AddFOp::create(builder, loc, elements[0], elements[1]);
        });
  }
  return node.setResult(product, shape);
}

llvm::ArrayRef<Operator> mlir::fact::matmulOperators() {
  static const Operator operators[] = {
      {"Gemm", 7, 2, 3, importGemm},
      {"MatMul", 1, 2, 2, importMatMul},
  };
  return operators;
}
