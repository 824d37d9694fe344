//===- ReadTensor.h - From TensorProto to Tensor --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to the two files that see protobuf.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_READTENSOR_H
#define FACT_LIB_IMPORT_ONNX_READTENSOR_H

#include "Model.h"

#include <onnx/onnx_pb.h>

namespace fact::onnx {

/// Takes the elements out of \p proto (which loses its raw data) or reads them
/// from the external file that it names, relative to the model's folder.
/// Throws std::runtime_error where sizes do not agree. A tensor of a type that
/// ElementType does not name comes back without data.
std::shared_ptr<Tensor> readTensor(::onnx::TensorProto &proto,
                                   const std::string &modelPath);

} // namespace fact::onnx

#endif // FACT_LIB_IMPORT_ONNX_READTENSOR_H
