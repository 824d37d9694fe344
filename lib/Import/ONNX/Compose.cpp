//===- Compose.cpp - Fused operators as the plain ones they stand for -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using ::fact::onnx::NodeAttribute;
using Tensor = Composition::Tensor;

/// Axes are inputs, of all operators that have some.
static constexpr int64_t innerOpset = 18;

InnerAttribute::InnerAttribute(StringRef name, int64_t number) : name(name) {
  value.kind = NodeAttribute::Kind::Int;
  value.i = number;
}

InnerAttribute::InnerAttribute(StringRef name, llvm::ArrayRef<int64_t> numbers)
    : name(name) {
  value.kind = NodeAttribute::Kind::Ints;
  value.ints.assign(numbers.begin(), numbers.end());
}

InnerAttribute::InnerAttribute(StringRef name,
                               std::shared_ptr<::fact::onnx::Tensor> tensor)
    : name(name) {
  value.kind = NodeAttribute::Kind::Tensor;
  value.tensor = std::move(tensor);
}

Tensor Composition::operator()(StringRef type, llvm::ArrayRef<Tensor> inputs,
                               llvm::ArrayRef<InnerAttribute> attributes) {
  if (hasFailed)
    return nullptr;
  ::fact::onnx::Node inner;
  inner.name = node.node.name;
  inner.opType = type.str();
  inner.opset = innerOpset;
  inner.outputs = {node.node.outputs.empty() ? "" : node.node.outputs.front()};
  for (const InnerAttribute &attribute : attributes)
    inner.attributes[attribute.name.str()] = attribute.value;
  // What the fused node reads keeps its name, for errors.
  for (Tensor input : inputs) {
    const auto *own = llvm::find(node.inputs, input);
    bool isOwn = input && own != node.inputs.end();
    inner.inputs.push_back(isOwn ? node.node.inputs[own - node.inputs.begin()]
                                 : names[input]);
  }
  NodeImport import(inner, innerOpset, node.bound, node.emit, node.loc);
  import.fixedLength = node.fixedLength;
  import.inputs.assign(inputs.begin(), inputs.end());
  if (mlir::failed(findOperator("", type)->build(import))) {
    node.lowerBound = import.lowerBound;
    return fail("its " + type + ": " + import.reason);
  }
  Tensor result = keep(std::move(*import.results.front()));
  names[result] = ("result of its " + type).str();
  return result;
}

Tensor Composition::integers(llvm::ArrayRef<Dim> values) {
  return keep(ModelTensor::numbers({Dim(static_cast<int64_t>(values.size()))},
                                   SmallVector<Dim>(values)));
}

Tensor Composition::transpose(Tensor a, llvm::ArrayRef<int64_t> permutation) {
  if (llvm::is_sorted(permutation))
    return a;
  return (*this)("Transpose", {a}, {{"perm", permutation}});
}

Tensor Composition::slice(Tensor a, int64_t axis, Dim begin, Dim end,
                          int64_t step) {
  return (*this)("Slice", {a, integers({begin}), integers({end}),
                           integers({Dim(axis)}), integers({Dim(step)})});
}

Tensor Composition::fail(const Twine &reason) {
  (void)node.fail(reason);
  hasFailed = true;
  return nullptr;
}

LogicalResult Composition::setResult(Tensor tensor, size_t i) {
  if (hasFailed || !tensor)
    return failure();
  return node.setResult(i, *tensor);
}

Tensor mlir::fact::asFloats(Composition &op, Tensor x) {
  if (op.failed() || x->isFloat())
    return x;
  if (x->isRuntime())
    return op.cast(x, ElementType::Float);
  std::vector<float> values;
  if (x->isConstant())
    values = x->data->floats();
  for (Dim each : x->integers) {
    if (!each.isConstant())
      return op.fail("reads integers that depend on the sequence length");
    values.push_back(static_cast<float>(each.offset));
  }
  SmallVector<int64_t> extents;
  for (Dim dim : x->shape)
    extents.push_back(dim.offset);
  return op.keep(ModelTensor::constant(extents, std::move(values)));
}
