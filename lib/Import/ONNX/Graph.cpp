//===- Graph.cpp - Operators that compute nothing -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using ::fact::onnx::NodeAttribute;

static LogicalResult importConstantNode(NodeImport &node) {
  if (node.node.attributes.size() != 1)
    return node.fail("must have one attribute, its value");
  const std::string &name = node.node.attributes.begin()->first;
  const NodeAttribute &value = *node.attribute(name);
  if (name == "value" && value.kind == NodeAttribute::Kind::Tensor) {
    // Exporters often leave the tensor itself without a name.
    if (value.tensor->name.empty())
      value.tensor->name = node.node.outputs.front();
    std::string why;
    FailureOr<ModelTensor> tensor = importConstant(value.tensor, why);
    if (failed(tensor))
      return node.fail(why);
    return node.setResult(0, *tensor);
  }
  if (name == "value_float" && value.kind == NodeAttribute::Kind::Float)
    return node.setResult(0, ModelTensor::constant({}, {value.f}));
  if (name == "value_floats" && value.kind == NodeAttribute::Kind::Floats)
    return node.setResult(
        0, ModelTensor::constant({static_cast<int64_t>(value.floats.size())},
                                 value.floats));
  if (name == "value_int" && value.kind == NodeAttribute::Kind::Int)
    return node.setResult(0, ModelTensor::numbers({}, {Dim(value.i)}));
  if (name == "value_ints" && value.kind == NodeAttribute::Kind::Ints) {
    SmallVector<Dim> integers(value.ints.begin(), value.ints.end());
    return node.setResult(
        0, ModelTensor::numbers({Dim(value.ints.size())}, integers));
  }
  return node.fail("attribute '" + name + "' is no value that is supported");
}

static LogicalResult importIdentity(NodeImport &node) {
  return node.setResult(0, node.input(0));
}

/// Inference: the mask output has no meaning here.
static LogicalResult importDropout(NodeImport &node) {
  node.ignoreAttribute("ratio");
  node.ignoreAttribute("seed");
  if (node.hasInput(2)) {
    FailureOr<SmallVector<int64_t>> training = node.integers(2);
    if (failed(training))
      return failure();
    // Nothing is dropped with ratio 0; without one, it is a half.
    auto isZero = [](float ratio) { return ratio == 0; };
    bool drops = !node.hasInput(1) || !node.input(1).isFloats() ||
                 !llvm::all_of(node.input(1).data->floats(), isZero);
    if (drops &&
        llvm::any_of(*training, [](int64_t flag) { return flag != 0; }))
      return node.fail("is in training mode");
  }
  return node.setResult(0, node.input(0));
}

/// A float becomes an integer towards zero, a truth value where it is not 0.
static Value castElement(OpBuilder &builder, Location loc, Value x, Type to) {
  Type from = x.getType();
  if (to.isInteger(1)) {
    Value zero =
        arith::ConstantOp::create(builder, loc, builder.getZeroAttr(from));
    if (isa<FloatType>(from))
      return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, x,
                                   zero);
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, x,
                                 zero);
  }
  if (isa<FloatType>(from))
    return arith::FPToSIOp::create(builder, loc, to, x);
  if (isa<FloatType>(to))
    return from.isInteger(1)
               ? arith::UIToFPOp::create(builder, loc, to, x).getResult()
               : arith::SIToFPOp::create(builder, loc, to, x).getResult();
  if (from.isInteger(1))
    return arith::ExtUIOp::create(builder, loc, to, x);
  if (from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth())
    return arith::ExtSIOp::create(builder, loc, to, x);
  return arith::TruncIOp::create(builder, loc, to, x);
}

/// Constants of floats that become integers, and the other way.
static std::optional<ModelTensor> castConstant(const ModelTensor &input,
                                               ElementType to) {
  bool isSmall = input.isIntegers() ||
                 (input.isFloats() && input.data->numElements() <= maxIntegers);
  if (!isSmall)
    return std::nullopt;
  if (to == ElementType::Float) {
    std::vector<float> values;
    SmallVector<int64_t> extents;
    for (Dim each : input.integers) {
      if (!each.isConstant())
        return std::nullopt;
      values.push_back(static_cast<float>(each.offset));
    }
    for (Dim dim : input.shape)
      extents.push_back(dim.offset);
    return ModelTensor::constant(extents, std::move(values));
  }
  SmallVector<Dim> integers = input.integers;
  if (input.isFloats())
    for (float value : input.data->floats()) {
      // Also false for what is not a number.
      if (!(std::abs(value) < 9.0e18f) && to != ElementType::Bool)
        return std::nullopt;
      integers.push_back(to == ElementType::Bool
                             ? Dim(value != 0)
                             : Dim(static_cast<int64_t>(value)));
    }
  for (Dim &each : integers)
    if (to == ElementType::Bool && !input.isFloats()) {
      // An extent is never 0, but a difference of two may be.
      if (!each.isConstant())
        return std::nullopt;
      each = Dim(each.offset != 0);
    }
  return ModelTensor::numbers(input.shape, std::move(integers), to);
}

static LogicalResult castTo(NodeImport &node, ElementType to) {
  const ModelTensor &input = node.input(0);
  if (input.type == to)
    return node.setResult(0, input);
  if (std::optional<ModelTensor> constant = castConstant(input, to))
    return node.setResult(0, std::move(*constant));
  Type element = mlirType(to, node.loc.getContext());
  ElementwiseOperand operand{node.anyValue(0), input.shape};
  Value result = node.emit.elementwise(
      node.loc, input.shape, operand,
      [&](OpBuilder &builder, Location loc, ValueRange x) {
        return castElement(builder, loc, x[0], element);
      },
      element);
  return node.setResult(result, input.shape);
}

/// To what is narrower or wider than float32: to that.
static LogicalResult importCast(NodeImport &node) {
  FailureOr<int64_t> to = node.intAttribute("to", std::nullopt);
  node.ignoreAttribute("saturate");
  if (failed(to))
    return failure();
  auto named = static_cast<ElementType>(*to), type = readAs(named);
  if (!llvm::is_contained({ElementType::Float, ElementType::Int32,
                           ElementType::Int64, ElementType::Bool},
                          type))
    return node.fail("casts to " + ::fact::onnx::elementTypeName(named) +
                     ", which is not supported");
  return castTo(node, type);
}

static LogicalResult importCastLike(NodeImport &node) {
  node.ignoreAttribute("saturate");
  return castTo(node, node.input(1).type);
}

llvm::ArrayRef<Operator> mlir::fact::graphOperators() {
  static const Operator operators[] = {
      {"Cast", 6, 1, 1, importCast},
      {"CastLike", 15, 2, 2, importCastLike},
      {"Constant", 1, 0, 0, importConstantNode},
      {"Dropout", 7, 1, 3, importDropout},
      {"Identity", 1, 1, 1, importIdentity},
  };
  return operators;
}
