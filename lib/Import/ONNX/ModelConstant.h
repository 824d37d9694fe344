//===- ModelConstant.h - Constants as the import sees them ------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//
//
// Shared by initializers and Constant nodes.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_MODELCONSTANT_H
#define FACT_LIB_IMPORT_ONNX_MODELCONSTANT_H

#include "NodeImport.h"

namespace mlir::fact {

/// More integers than any shape arithmetic needs.
inline constexpr int64_t maxIntegers = 1 << 16;

/// A constant of the file as floats or integers; fails with \p why for other
/// element types.
FailureOr<ModelTensor>
importConstant(std::shared_ptr<const ::fact::onnx::Tensor> tensor,
               std::string &why);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_MODELCONSTANT_H
