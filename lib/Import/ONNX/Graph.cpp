//===- Graph.cpp - Operators that compute nothing -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
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
    if (llvm::any_of(*training, [](int64_t flag) { return flag != 0; }))
      return node.fail("is in training mode");
  }
  return node.setResult(0, node.input(0));
}

/// Between floats, and between integers, nothing changes: computed integers are
/// exact, and floats are f32 already. Between the two only what is constant.
static LogicalResult importCast(NodeImport &node) {
  using ::fact::onnx::ElementType;
  FailureOr<int64_t> to = node.intAttribute("to", std::nullopt);
  node.ignoreAttribute("saturate");
  if (failed(to))
    return failure();
  const ModelTensor &input = node.input(0);
  auto type = static_cast<ElementType>(*to);
  bool toFloat = type == ElementType::Float || type == ElementType::Double;
  bool toInteger = type == ElementType::Int32 || type == ElementType::Int64;
  if (!toFloat && !toInteger)
    return node.fail("casts to " + ::fact::onnx::elementTypeName(type) +
                     ", which is not supported");
  if (type == ElementType::Double && input.isRuntime())
    return node.fail("casts to double, which is not supported");
  if (toFloat != input.isIntegers())
    return node.setResult(0, input);
  if (toFloat) {
    FailureOr<SmallVector<int64_t>> values = node.integers(0);
    if (failed(values))
      return failure();
    SmallVector<int64_t> extents;
    for (Dim dim : input.shape)
      extents.push_back(dim.offset);
    return node.setResult(
        0, ModelTensor::constant(
               extents, std::vector<float>(values->begin(), values->end())));
  }
  if (input.isRuntime() || input.floats->numElements() > maxIntegers)
    return node.fail("casts floats of the run time to integers");
  SmallVector<Dim> integers;
  for (float value : input.floats->floats()) {
    // Also false for what is not a number.
    if (!(std::abs(value) < 9.0e18f))
      return node.fail("casts a float that is no integer: " +
                       std::to_string(value));
    integers.push_back(Dim(static_cast<int64_t>(value)));
  }
  return node.setResult(0, ModelTensor::numbers(input.shape, integers));
}

llvm::ArrayRef<Operator> mlir::fact::graphOperators() {
  static const Operator operators[] = {
      {"Cast", 6, 1, 1, importCast},
      {"Constant", 1, 0, 0, importConstantNode},
      {"Dropout", 7, 1, 3, importDropout},
      {"Identity", 1, 1, 1, importIdentity},
  };
  return operators;
}
