//===- ElementRule.cpp - What is done with each element -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementRule.h"

#include "Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;

/// Constants of more elements than this are computed at run time.
static constexpr int64_t maxFoldedElements = int64_t(1) << 22;

Value mlir::fact::numberLike(OpBuilder &builder, Location loc, Value like,
                             double value) {
  Type type = like.getType();
  TypedAttr number = isa<FloatType>(type)
                         ? cast<TypedAttr>(builder.getFloatAttr(type, value))
                         : cast<TypedAttr>(builder.getIntegerAttr(
                               type, static_cast<int64_t>(value)));
  return arith::ConstantOp::create(builder, loc, number);
}

namespace {

class RuleApplication {
public:
  RuleApplication(NodeImport &node, const ElementRule &rule,
                  llvm::ArrayRef<const ModelTensor *> inputs, size_t tests)
      : node(node), rule(rule), inputs(inputs), tests(tests) {}

  LogicalResult run() {
    if (node.fixedLength > 0)
      openInputs(node, inputs, own);
    for (auto [i, input] : llvm::enumerate(inputs)) {
      std::string why;
      std::optional<Shape> both = broadcastShapes(shape, input->shape, why);
      if (!both)
        return node.fail(why);
      shape = *both;
      if (i < tests && input->type != ElementType::Bool)
        return node.fail("input " + Twine(i) + " must hold truth values");
      if (i >= tests && input->type != inputs.back()->type)
        return node.fail("mixes " + ::fact::onnx::elementTypeName(input->type) +
                         " and " +
                         ::fact::onnx::elementTypeName(inputs.back()->type));
    }
    type = inputs.back()->type;
    if (foldsDims() || foldsFloats())
      return success();
    return emit();
  }

private:
  bool isFixed() const {
    return llvm::all_of(shape, [](Dim dim) { return dim.isConstant(); });
  }

  bool foldsDims() {
    if (!rule.foldDims || !isFixed() || countOf(shape) > maxIntegers ||
        !llvm::all_of(inputs, [](auto *each) { return each->isIntegers(); }))
      return false;
    SmallVector<Dim> result;
    SmallVector<Dim, 3> elements(inputs.size());
    for (int64_t i = 0, e = countOf(shape); i < e; ++i) {
      for (auto [element, input] : llvm::zip(elements, inputs))
        element = input->integers[broadcastIndex(i, shape, input->shape)];
      std::optional<Dim> dim = rule.foldDims(elements, node.bound);
      if (!dim)
        return false;
      result.push_back(*dim);
    }
    return succeeded(node.setResult(
        0, ModelTensor::numbers(shape, std::move(result), resultType())));
  }

  static std::optional<std::vector<float>> floatsOf(const ModelTensor &tensor) {
    if (tensor.isFloats())
      return tensor.data->floats();
    std::vector<float> elements;
    for (Dim dim : tensor.integers) {
      if (!dim.isConstant())
        return std::nullopt;
      elements.push_back(static_cast<float>(dim.offset));
    }
    return elements;
  }

  bool foldsFloats() {
    if (!rule.fold || type != ElementType::Float || !isFixed() ||
        countOf(shape) > maxFoldedElements)
      return false;
    SmallVector<std::vector<float>> operands;
    for (const ModelTensor *input : inputs) {
      std::optional<std::vector<float>> elements;
      if (input->isFloats() || input->isIntegers())
        elements = floatsOf(*input);
      if (!elements)
        return false;
      operands.push_back(std::move(*elements));
    }
    std::vector<float> result(countOf(shape));
    SmallVector<float, 3> elements(inputs.size());
    for (size_t i = 0; i < result.size(); ++i) {
      for (auto [element, operand, input] :
           llvm::zip(elements, operands, inputs))
        element = operand[broadcastIndex(i, shape, input->shape)];
      result[i] = rule.fold(elements);
    }
    if (rule.isTest) {
      SmallVector<Dim> integers;
      for (float each : result)
        integers.push_back(Dim(each != 0));
      return succeeded(node.setResult(
          0, ModelTensor::numbers(shape, integers, ElementType::Bool)));
    }
    SmallVector<int64_t> extents;
    for (Dim dim : shape)
      extents.push_back(dim.offset);
    return succeeded(
        node.setResult(0, ModelTensor::constant(extents, std::move(result))));
  }

  ElementType resultType() const {
    return rule.isTest ? ElementType::Bool : type;
  }

  LogicalResult emit() {
    if (!node.reason.empty())
      return failure();
    const ElementRule::Build &build =
        type == ElementType::Float ? rule.onFloats : rule.onIntegers;
    if (!build)
      return node.fail("is not supported on tensors of " +
                       ::fact::onnx::elementTypeName(type));
    MLIRContext *context = node.loc.getContext();
    SmallVector<ElementwiseOperand> operands;
    for (const ModelTensor *input : inputs) {
      ElementwiseOperand operand{nullptr, input->shape};
      if (input->isFloats() && input->data->numElements() == 1)
        operand.scalar = input->data->floats().front();
      else if (input->isIntegers() && input->integers.size() == 1 &&
               input->integers.front().isConstant())
        operand.number = IntegerAttr::get(mlirType(input->type, context),
                                          input->integers.front().offset);
      else
        operand.value = node.anyValue(*input);
      operands.push_back(std::move(operand));
    }
    Value result = node.emit.elementwise(
        node.loc, shape, operands,
        [&](OpBuilder &builder, Location loc, ValueRange elements) {
          return build(builder, loc, elements);
        },
        mlirType(resultType(), context));
    return node.setResult(result, shape);
  }

  NodeImport &node;
  const ElementRule &rule;
  SmallVector<const ModelTensor *> inputs;
  std::list<ModelTensor> own; ///< Of the inputs.
  size_t tests;
  Shape shape;
  ElementType type = ElementType::Float;
};

} // namespace

LogicalResult mlir::fact::applyRule(NodeImport &node, const ElementRule &rule,
                                    llvm::ArrayRef<const ModelTensor *> inputs,
                                    size_t tests) {
  return RuleApplication(node, rule, inputs, tests).run();
}

LogicalResult mlir::fact::applyRule(NodeImport &node, const ElementRule &rule,
                                    size_t tests) {
  return applyRule(node, rule, node.inputs, tests);
}
