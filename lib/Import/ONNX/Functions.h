//===- Functions.h - A model's own functions ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_FUNCTIONS_H
#define FACT_LIB_IMPORT_ONNX_FUNCTIONS_H

#include <onnx/onnx_pb.h>

namespace fact::onnx {

/// Puts the nodes of the model's own functions in the place of the nodes that
/// call them; tensors inside get the calling node's name in front. Throws
/// std::runtime_error for functions that call themselves.
void inlineFunctions(::onnx::ModelProto &model);

} // namespace fact::onnx

#endif // FACT_LIB_IMPORT_ONNX_FUNCTIONS_H
