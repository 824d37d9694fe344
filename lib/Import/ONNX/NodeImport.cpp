//===- NodeImport.cpp - What an operator's builder sees -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeImport.h"

#include <cstring>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using ::fact::onnx::NodeAttribute;
using ::fact::onnx::Tensor;

ModelTensor ModelTensor::runtime(Value value, llvm::ArrayRef<Dim> shape) {
  ModelTensor tensor;
  tensor.value = value;
  tensor.type = typeOf(cast<ShapedType>(value.getType()).getElementType());
  tensor.shape.assign(shape.begin(), shape.end());
  return tensor;
}

ModelTensor ModelTensor::constant(std::shared_ptr<const Tensor> data) {
  ModelTensor tensor;
  tensor.kind = Kind::Constant;
  tensor.type = data->type;
  tensor.shape.assign(data->shape.begin(), data->shape.end());
  tensor.data = std::move(data);
  return tensor;
}

ModelTensor ModelTensor::constant(llvm::ArrayRef<int64_t> shape,
                                  std::vector<float> elements) {
  auto tensor = std::make_shared<Tensor>();
  tensor->type = ElementType::Float;
  tensor->shape.assign(shape.begin(), shape.end());
  tensor->data.resize(elements.size() * sizeof(float));
  std::memcpy(tensor->data.data(), elements.data(), tensor->data.size());
  return constant(std::move(tensor));
}

ModelTensor ModelTensor::numbers(llvm::ArrayRef<Dim> shape,
                                 SmallVector<Dim> integers, ElementType type) {
  ModelTensor tensor;
  tensor.kind = Kind::Integers;
  tensor.type = type;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.integers = std::move(integers);
  return tensor;
}

LogicalResult NodeImport::fail(const Twine &text) {
  if (reason.empty())
    reason = text.str();
  return failure();
}

Value NodeImport::anyValue(const ModelTensor &tensor) {
  switch (tensor.kind) {
  case ModelTensor::Kind::Runtime:
    return tensor.value;
  case ModelTensor::Kind::Constant: {
    Location constantLoc = loc;
    if (!tensor.data->name.empty())
      constantLoc =
          NameLoc::get(StringAttr::get(loc.getContext(), tensor.data->name));
    return emit.constant(constantLoc, tensor.data);
  }
  case ModelTensor::Kind::Integers:
    return emit.integers(loc, tensor.shape, tensor.type, tensor.integers);
  }
  return nullptr;
}

Value NodeImport::value(const ModelTensor &tensor, size_t i) {
  if (tensor.isFloat())
    return anyValue(tensor);
  (void)fail("input '" + node.inputs[i] + "' holds " +
             ::fact::onnx::elementTypeName(tensor.type) + ", float is needed");
  return nullptr;
}

FailureOr<SmallVector<Dim>> NodeImport::numbers(size_t i) {
  if (!input(i).isIntegers())
    return fail("input '" + node.inputs[i] +
                "' must hold integers that are known at compile time");
  return input(i).integers;
}

FailureOr<SmallVector<int64_t>> NodeImport::integers(size_t i) {
  FailureOr<SmallVector<Dim>> dims = numbers(i);
  if (failed(dims))
    return failure();
  SmallVector<int64_t> values;
  for (Dim dim : *dims) {
    if (!dim.isConstant())
      return fail("input '" + node.inputs[i] +
                  "' depends on the sequence length: " + dim.str());
    values.push_back(dim.offset);
  }
  return values;
}

const NodeAttribute *NodeImport::attribute(StringRef name) {
  seen.insert(name);
  auto found = node.attributes.find(name.str());
  return found == node.attributes.end() ? nullptr : &found->second;
}

bool NodeImport::hasAttribute(StringRef name) {
  return node.attributes.count(name.str()) != 0;
}

FailureOr<int64_t> NodeImport::intAttribute(StringRef name,
                                            std::optional<int64_t> absent) {
  const NodeAttribute *found = attribute(name);
  if (!found && absent)
    return *absent;
  if (!found)
    return fail("attribute '" + name + "' is missing");
  if (found->kind != NodeAttribute::Kind::Int)
    return fail("attribute '" + name + "' must be an integer");
  return found->i;
}

FailureOr<float> NodeImport::floatAttribute(StringRef name, float absent) {
  const NodeAttribute *found = attribute(name);
  if (!found)
    return absent;
  if (found->kind != NodeAttribute::Kind::Float)
    return fail("attribute '" + name + "' must be a float");
  return found->f;
}

FailureOr<StringRef> NodeImport::stringAttribute(StringRef name,
                                                 StringRef absent) {
  const NodeAttribute *found = attribute(name);
  if (!found)
    return absent;
  if (found->kind != NodeAttribute::Kind::String)
    return fail("attribute '" + name + "' must be a string");
  return StringRef(found->s);
}

FailureOr<SmallVector<int64_t>>
NodeImport::intsAttribute(StringRef name,
                          std::optional<SmallVector<int64_t>> absent) {
  const NodeAttribute *found = attribute(name);
  if (!found && absent)
    return *absent;
  if (!found)
    return fail("attribute '" + name + "' is missing");
  if (found->kind != NodeAttribute::Kind::Ints)
    return fail("attribute '" + name + "' must be a list of integers");
  return SmallVector<int64_t>(found->ints.begin(), found->ints.end());
}

FailureOr<int64_t> NodeImport::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return fail("axis must be in [" + Twine(-rank) + ", " + Twine(rank) +
                ") (was " + Twine(axis) + ")");
  return axis < 0 ? axis + rank : axis;
}

FailureOr<int64_t> NodeImport::axisAttribute(std::optional<int64_t> absent,
                                             int64_t rank) {
  FailureOr<int64_t> given = intAttribute("axis", absent);
  if (failed(given))
    return failure();
  return axis(*given, rank);
}

FailureOr<SmallVector<int64_t>>
NodeImport::distinctAxes(llvm::ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<bool> seen(rank);
  SmallVector<int64_t> distinct;
  for (int64_t each : axes) {
    FailureOr<int64_t> counted = axis(each, rank);
    if (failed(counted))
      return failure();
    if (seen[*counted])
      return fail("axis " + Twine(each) + " is named twice");
    seen[*counted] = true;
    distinct.push_back(*counted);
  }
  return distinct;
}

bool NodeImport::readsNothing() const {
  return llvm::any_of(inputs, [](const ModelTensor *input) {
    return input && !input->isIntegers() &&
           llvm::is_contained(input->shape, Dim(0));
  });
}

LogicalResult NodeImport::checkSize(llvm::ArrayRef<Dim> shape, StringRef what) {
  int64_t elements = 1;
  for (Dim dim : shape) {
    // The largest extent that the open dimension gives.
    std::optional<Dim> largest = multiply(Dim(dim.coefficient), Dim(bound));
    if (largest)
      largest = add(*largest, Dim(dim.offset));
    if (!largest || !largest->isNonNegative(1) ||
        llvm::MulOverflow(elements, largest->offset, elements) ||
        elements > maxElements)
      return fail(what + " is too large: " + str(shape));
    // Only a past of no tokens has no elements, and what is made of it: a slice
    // of L - 1 rows may be empty for L = 1 only.
    if (dim.isConstant(0) && !readsNothing())
      return fail(what + " is empty: " + str(shape));
  }
  return success();
}

/// Whether a result has the elements of the first input in their order, in
/// another shape or type, and perhaps again and again.
static bool keepsElements(const NodeImport &node, const ModelTensor &result) {
  if (!result.isRuntime() ||
      (result.type != ElementType::Int64 && result.type != ElementType::Int32))
    return false;
  StringRef type = node.node.opType;
  if (type == "Expand" || type == "Tile") {
    auto shape = llvm::ArrayRef(node.input(0).shape).drop_while([](Dim dim) {
      return dim.isConstant(1);
    });
    return llvm::ArrayRef(result.shape).take_back(shape.size()) == shape;
  }
  return llvm::is_contained(
      {"Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze"}, type);
}

LogicalResult NodeImport::setResult(size_t i, ModelTensor tensor) {
  if (tensor.shape.size() > maxRank)
    return fail("result has more than " + Twine(maxRank) + " dimensions (has " +
                Twine(tensor.shape.size()) + ")");
  // The rest of a shape may be no extent at all.
  bool isEmptyList =
      tensor.isIntegers() && tensor.rank() == 1 && tensor.integers.empty();
  if (!isEmptyList && failed(checkSize(tensor.shape, "result")))
    return failure();
  if (results.size() <= i)
    results.resize(i + 1);
  tensor.ofConstants = llvm::all_of(
      inputs, [](auto *input) { return !input || input->isFixed(); });
  if (keepsElements(*this, tensor))
    tensor.positions = input(0).positions;
  results[i] = std::move(tensor);
  return success();
}

std::optional<Shape> mlir::fact::broadcastShapes(llvm::ArrayRef<Dim> a,
                                                 llvm::ArrayRef<Dim> b,
                                                 std::string &why) {
  if (a.size() < b.size())
    std::swap(a, b);
  Shape result(a.begin(), a.end());
  size_t first = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i) {
    Dim &dim = result[first + i];
    if (dim == b[i] || b[i].isConstant(1))
      continue;
    if (!dim.isConstant(1)) {
      why = "shapes " + str(a) + " and " + str(b) + " do not broadcast";
      return std::nullopt;
    }
    dim = b[i];
  }
  return result;
}
