//===- Constants.h - Constants as the import sees them --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Initializers, Constant nodes and what is computed from them at import.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_CONSTANTS_H
#define FACT_LIB_IMPORT_ONNX_CONSTANTS_H

#include "NodeImport.h"

namespace mlir::fact {

/// More integers than any shape arithmetic needs.
inline constexpr int64_t maxIntegers = 1 << 16;

/// A constant of the file as floats or integers; fails with \p why for other
/// element types.
FailureOr<ModelTensor>
importConstant(std::shared_ptr<const ::fact::onnx::Tensor> tensor,
               std::string &why);

/// Number of elements of a constant shape.
int64_t countOf(llvm::ArrayRef<Dim> shape);
/// Row-major strides of a constant shape.
SmallVector<int64_t> stridesOf(llvm::ArrayRef<Dim> shape);

/// Element \p index of a result of shape \p result, counted in row-major order,
/// as index into an operand of shape \p operand that is broadcast to it.
size_t broadcastIndex(size_t index, llvm::ArrayRef<Dim> result,
                      llvm::ArrayRef<Dim> operand);

/// A constant of shape \p shape whose element at coordinates c is \p tensor's
/// element number `start + sum of c[i] * steps[i]`.
ModelTensor pick(const ModelTensor &tensor, llvm::ArrayRef<Dim> shape,
                 int64_t start, llvm::ArrayRef<int64_t> steps);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_CONSTANTS_H
