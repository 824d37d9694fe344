//===- Compose.h - Fused operators as the plain ones they stand for -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fused node is imported by the builders of the nodes that an exporter would
// have written in its place, so that later passes know one form only.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_COMPOSE_H
#define FACT_LIB_IMPORT_ONNX_COMPOSE_H

#include "NodeImport.h"

#include "llvm/ADT/DenseMap.h"

#include <deque>

namespace mlir::fact {

/// An attribute of a node inside of a fused one.
struct InnerAttribute {
  StringRef name;
  ::fact::onnx::NodeAttribute value;

  InnerAttribute(StringRef name, int64_t number);
  InnerAttribute(StringRef name, llvm::ArrayRef<int64_t> numbers);
  InnerAttribute(StringRef name, std::shared_ptr<::fact::onnx::Tensor> tensor);
};

/// The nodes inside of a fused one. After the first that fails all others do
/// nothing and give null; the fused node then has the reason. A caller that
/// looks at a shape of a result asks for null first.
class Composition {
public:
  using Tensor = const ModelTensor *;

  explicit Composition(NodeImport &node) : node(node) {}
  Composition(const Composition &) = delete;
  Composition &operator=(const Composition &) = delete;

  /// Result 0 of operator \p type of the default domain, in the meaning of a
  /// recent operator set. A null input is one that is left out.
  Tensor operator()(StringRef type, llvm::ArrayRef<Tensor> inputs,
                    llvm::ArrayRef<InnerAttribute> attributes = {});

  /// Input \p i of the fused node, null where it is left out.
  Tensor input(size_t i) const {
    return node.hasInput(i) ? &node.input(i) : nullptr;
  }

  /// Tensors that the import knows.
  Tensor keep(ModelTensor tensor) {
    return &tensors.emplace_back(std::move(tensor));
  }
  Tensor number(float value) {
    return keep(ModelTensor::constant({}, {value}));
  }
  Tensor integers(llvm::ArrayRef<Dim> values);

  Tensor add(Tensor a, Tensor b) { return (*this)("Add", {a, b}); }
  Tensor subtract(Tensor a, Tensor b) { return (*this)("Sub", {a, b}); }
  Tensor multiply(Tensor a, Tensor b) { return (*this)("Mul", {a, b}); }
  Tensor divide(Tensor a, Tensor b) { return (*this)("Div", {a, b}); }
  Tensor matmul(Tensor a, Tensor b) { return (*this)("MatMul", {a, b}); }
  Tensor multiply(Tensor a, float factor) {
    return factor == 1 ? a : multiply(a, number(factor));
  }
  Tensor cast(Tensor a, ModelTensor::ElementType type) {
    return (*this)("Cast", {a}, {{"to", static_cast<int64_t>(type)}});
  }
  Tensor reshape(Tensor a, llvm::ArrayRef<Dim> shape) {
    return (*this)("Reshape", {a, integers(shape)});
  }
  Tensor transpose(Tensor a, llvm::ArrayRef<int64_t> permutation);
  Tensor unsqueeze(Tensor a, llvm::ArrayRef<Dim> axes) {
    return (*this)("Unsqueeze", {a, integers(axes)});
  }
  Tensor slice(Tensor a, int64_t axis, Dim begin, Dim end, int64_t step = 1);
  Tensor concat(llvm::ArrayRef<Tensor> parts, int64_t axis) {
    return (*this)("Concat", parts, {{"axis", axis}});
  }
  /// Over one axis, which stays with extent 1.
  Tensor reduce(StringRef type, Tensor a, int64_t axis) {
    return (*this)(type, {a, integers({Dim(axis)})});
  }

  bool failed() const { return hasFailed; }
  /// Fails the fused node for a reason of its own.
  Tensor fail(const Twine &reason);
  LogicalResult setResult(Tensor tensor, size_t i = 0);

  NodeImport &node;

private:
  /// Addresses stay valid.
  std::deque<ModelTensor> tensors;
  /// What an error calls results of inner nodes.
  llvm::DenseMap<Tensor, std::string> names;
  bool hasFailed = false;
};

/// x as floats: a constant of integers by its values, what is computed by Cast.
/// Null after a failure.
Composition::Tensor asFloats(Composition &op, Composition::Tensor x);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_COMPOSE_H
