//===- Constants.cpp - Constants as the import sees them ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"

using namespace mlir;
using namespace mlir::fact;

FailureOr<ModelTensor>
mlir::fact::importConstant(std::shared_ptr<const ::fact::onnx::Tensor> tensor,
                           std::string &why) {
  if (!tensor->isSupported()) {
    why = "tensor '" + tensor->name + "' has element type " +
          ::fact::onnx::elementTypeName(tensor->type) +
          ", which is not supported";
    return failure();
  }
  if (tensor->type == ::fact::onnx::ElementType::Float ||
      tensor->numElements() > maxIntegers)
    return ModelTensor::constant(tensor);
  SmallVector<Dim> integers;
  for (int64_t value : tensor->integers())
    integers.push_back(Dim(value));
  return ModelTensor::numbers(Shape(tensor->shape.begin(), tensor->shape.end()),
                              std::move(integers), tensor->type);
}

size_t mlir::fact::broadcastIndex(size_t index, llvm::ArrayRef<Dim> result,
                                  llvm::ArrayRef<Dim> operand) {
  size_t position = 0, stride = 1;
  for (size_t i = 0; i < result.size(); ++i) {
    size_t extent = result[result.size() - 1 - i].offset;
    size_t coordinate = index % extent;
    index /= extent;
    if (i >= operand.size())
      continue;
    size_t own = operand[operand.size() - 1 - i].offset;
    position += own == 1 ? 0 : coordinate * stride;
    stride *= own;
  }
  return position;
}

int64_t mlir::fact::countOf(llvm::ArrayRef<Dim> shape) {
  int64_t count = 1;
  for (Dim dim : shape)
    count *= dim.offset;
  return count;
}

SmallVector<int64_t> mlir::fact::stridesOf(llvm::ArrayRef<Dim> shape) {
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i].offset;
  }
  return strides;
}

ModelTensor mlir::fact::pick(const ModelTensor &tensor,
                             llvm::ArrayRef<Dim> shape, int64_t start,
                             llvm::ArrayRef<int64_t> steps) {
  int64_t count = 1;
  for (Dim dim : shape)
    count *= dim.offset;
  SmallVector<int64_t> coordinates(shape.size());
  std::vector<size_t> positions;
  positions.reserve(count);
  int64_t position = start;
  for (int64_t n = 0; n < count; ++n) {
    positions.push_back(position);
    for (size_t i = shape.size(); i-- > 0;) {
      position += steps[i];
      if (++coordinates[i] < shape[i].offset)
        break;
      position -= steps[i] * shape[i].offset;
      coordinates[i] = 0;
    }
  }
  if (tensor.isIntegers()) {
    SmallVector<Dim> integers;
    for (size_t from : positions)
      integers.push_back(tensor.integers[from]);
    return ModelTensor::numbers(shape, std::move(integers), tensor.type);
  }
  int64_t size = ::fact::onnx::elementSize(tensor.type);
  auto picked = std::make_shared<::fact::onnx::Tensor>();
  picked->name = tensor.data->name;
  picked->type = tensor.data->type;
  for (Dim dim : shape)
    picked->shape.push_back(dim.offset);
  picked->data.reserve(count * size);
  for (size_t from : positions)
    picked->data.append(tensor.data->data, from * size, size);
  return ModelTensor::constant(std::move(picked));
}
