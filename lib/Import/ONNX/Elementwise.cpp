//===- Elementwise.cpp - Operators that work element by element -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One ONNX node is one linalg.generic. Where all inputs are small constants
// the node is evaluated here: exporters compute their scale factors that way.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "fact/Numerics/Fold.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;

namespace {

struct ElementwiseOperator {
  StringRef name;
  /// The operation on MLIR values.
  Value (*build)(OpBuilder &builder, Location loc, ValueRange elements);
  /// The same on numbers, without the C library: see Fold.h.
  float (*evaluate)(llvm::ArrayRef<float> elements);
  /// The same on extents, null where the operator is for floats only.
  std::optional<Dim> (*onDims)(Dim a, Dim b) = nullptr;
};

} // namespace

/// Larger constants are left to run time.
static constexpr int64_t maxFoldedElements = 4096;

template <typename Op>
static Value buildOp(OpBuilder &builder, Location loc, ValueRange elements) {
  return Op::create(builder, loc, elements.front().getType(), elements)
      ->getResult(0);
}

static Value number(OpBuilder &builder, Location loc, float value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(value));
}

static Value buildReciprocal(OpBuilder &builder, Location loc,
                             ValueRange elements) {
  return arith::DivFOp::create(builder, loc, number(builder, loc, 1),
                               elements[0]);
}

static Value buildSigmoid(OpBuilder &builder, Location loc,
                          ValueRange elements) {
  Value negated = arith::NegFOp::create(builder, loc, elements[0]);
  Value power = math::ExpOp::create(builder, loc, negated);
  Value one = number(builder, loc, 1);
  Value sum = arith::AddFOp::create(builder, loc, power, one);
  return arith::DivFOp::create(builder, loc, one, sum);
}

static Value buildRelu(OpBuilder &builder, Location loc, ValueRange elements) {
  return arith::MaximumFOp::create(builder, loc, elements[0],
                                   number(builder, loc, 0));
}

namespace fold = ::fact::numerics::fold;
using Floats = llvm::ArrayRef<float>;

static const ElementwiseOperator elementwise[] = {
    {"Add", buildOp<arith::AddFOp>, [](Floats x) { return x[0] + x[1]; }, add},
    {"Div", buildOp<arith::DivFOp>, [](Floats x) { return x[0] / x[1]; },
     divide},
    {"Erf", buildOp<math::ErfOp>, [](Floats x) { return fold::erf(x[0]); }},
    {"Exp", buildOp<math::ExpOp>, [](Floats x) { return fold::exp(x[0]); }},
    {"Mul", buildOp<arith::MulFOp>, [](Floats x) { return x[0] * x[1]; },
     multiply},
    {"Neg", buildOp<arith::NegFOp>, [](Floats x) { return -x[0]; }},
    {"Pow", buildOp<math::PowFOp>,
     [](Floats x) { return fold::pow(x[0], x[1]); }},
    {"Reciprocal", buildReciprocal, [](Floats x) { return 1 / x[0]; }},
    {"Relu", buildRelu, [](Floats x) { return x[0] < 0 ? 0 : x[0]; }},
    {"Sigmoid", buildSigmoid, [](Floats x) { return fold::sigmoid(x[0]); }},
    {"Sqrt", buildOp<math::SqrtOp>, [](Floats x) { return std::sqrt(x[0]); }},
    {"Sub", buildOp<arith::SubFOp>, [](Floats x) { return x[0] - x[1]; },
     subtract},
    {"Tanh", buildOp<math::TanhOp>, [](Floats x) { return fold::tanh(x[0]); }},
};

/// An exponent of Pow may be an integer beside a float base.
static std::optional<std::vector<float>> floatsOf(const ModelTensor &tensor) {
  if (tensor.isFloats())
    return tensor.floats->floats();
  std::vector<float> elements;
  for (Dim dim : tensor.integers) {
    if (!dim.isConstant())
      return std::nullopt;
    elements.push_back(static_cast<float>(dim.offset));
  }
  return elements;
}

static LogicalResult foldFloats(NodeImport &node, const ElementwiseOperator &op,
                                const Shape &shape) {
  SmallVector<std::vector<float>> operands;
  for (const ModelTensor *input : node.inputs) {
    std::optional<std::vector<float>> elements = floatsOf(*input);
    if (!elements)
      return node.fail("mixes floats and integers");
    operands.push_back(std::move(*elements));
  }
  std::vector<float> result(countOf(shape));
  for (size_t i = 0; i < result.size(); ++i) {
    SmallVector<float, 2> elements;
    for (auto [operand, input] : llvm::zip(operands, node.inputs))
      elements.push_back(operand[broadcastIndex(i, shape, input->shape)]);
    result[i] = op.evaluate(elements);
  }
  SmallVector<int64_t> extents;
  for (Dim dim : shape)
    extents.push_back(dim.offset);
  return node.setResult(0, ModelTensor::constant(extents, std::move(result)));
}

static LogicalResult foldIntegers(NodeImport &node,
                                  const ElementwiseOperator &op,
                                  const Shape &shape) {
  if (!op.onDims)
    return node.fail("is supported on float tensors only");
  if (countOf(shape) > maxFoldedElements)
    return node.fail("computes too many integers: " + str(shape));
  const ModelTensor &a = node.input(0), &b = node.input(1);
  SmallVector<Dim> result;
  for (int64_t i = 0, e = countOf(shape); i < e; ++i) {
    Dim x = a.integers[broadcastIndex(i, shape, a.shape)];
    Dim y = b.integers[broadcastIndex(i, shape, b.shape)];
    std::optional<Dim> dim;
    // The format's integer division truncates.
    if (op.onDims == divide && x.isConstant() && y.isConstant() &&
        y.offset != 0 && y.offset != -1)
      dim = Dim(x.offset / y.offset);
    else
      dim = op.onDims(x, y);
    if (!dim)
      return node.fail("cannot be computed for every sequence length (" +
                       x.str() + " and " + y.str() + ")");
    result.push_back(*dim);
  }
  return node.setResult(0, ModelTensor::numbers(shape, std::move(result)));
}

static LogicalResult importElementwise(NodeImport &node) {
  const auto *op = llvm::find_if(elementwise, [&](const auto &candidate) {
    return candidate.name == node.node.opType;
  });
  Shape shape = node.input(0).shape;
  bool anyRuntime = false, allIntegers = true;
  for (const ModelTensor *input : node.inputs) {
    std::string why;
    std::optional<Shape> both = broadcastShapes(shape, input->shape, why);
    if (!both)
      return node.fail(why);
    shape = *both;
    anyRuntime |= input->isRuntime();
    allIntegers &= input->isIntegers();
  }
  if (allIntegers)
    return foldIntegers(node, *op, shape);
  if (!anyRuntime && countOf(shape) <= maxFoldedElements)
    return foldFloats(node, *op, shape);

  SmallVector<ElementwiseOperand> operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ModelTensor &input = node.input(i);
    ElementwiseOperand operand{nullptr, input.shape};
    if (input.isFloats() && input.floats->numElements() == 1) {
      operand.scalar = input.floats->floats().front();
    } else if (input.isIntegers() && op->name == "Pow" && i == 1 &&
               input.integers.size() == 1 && input.integers[0].isConstant()) {
      operand.scalar = static_cast<float>(input.integers[0].offset);
    } else {
      operand.value = node.value(i);
      if (!operand.value)
        return failure();
    }
    operands.push_back(std::move(operand));
  }
  return node.setResult(
      node.emit.elementwise(node.loc, shape, operands, op->build), shape);
}

llvm::ArrayRef<Operator> mlir::fact::elementwiseOperators() {
  static const Operator operators[] = {
      {"Add", 7, 2, 2, importElementwise},
      {"Div", 7, 2, 2, importElementwise},
      {"Erf", 9, 1, 1, importElementwise},
      {"Exp", 6, 1, 1, importElementwise},
      {"Mul", 7, 2, 2, importElementwise},
      {"Neg", 6, 1, 1, importElementwise},
      {"Pow", 7, 2, 2, importElementwise},
      {"Reciprocal", 6, 1, 1, importElementwise},
      {"Relu", 6, 1, 1, importElementwise},
      {"Sigmoid", 6, 1, 1, importElementwise},
      {"Sqrt", 6, 1, 1, importElementwise},
      {"Sub", 7, 2, 2, importElementwise},
      {"Tanh", 6, 1, 1, importElementwise},
  };
  return operators;
}
