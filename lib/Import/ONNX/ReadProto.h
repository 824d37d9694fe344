//===- ReadProto.h - From protobuf's messages to plain data ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to the files that see protobuf. All of this throws
// std::runtime_error.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_READPROTO_H
#define FACT_LIB_IMPORT_ONNX_READPROTO_H

#include "Model.h"

#include <onnx/onnx_pb.h>

namespace fact::onnx {

/// Parses the whole file.
::onnx::ModelProto parseModel(const std::string &path);

/// Adds what libonnx can infer of types and shapes to value_info.
void inferShapes(::onnx::ModelProto &model);

/// Where the elements of a tensor with external data are.
struct ExternalData {
  std::string file; ///< Its path.
  int64_t offset = 0;
  int64_t bytes = 0;
};

/// Finds the elements of \p proto, a tensor with external data, relative to the
/// model's folder, which the file must not leave.
ExternalData findExternal(const ::onnx::TensorProto &proto,
                          const std::string &modelPath);

/// Takes the elements out of \p proto (which loses its raw data) or reads them
/// from the external file that it names, relative to the model's folder.
/// Throws where sizes do not agree. A tensor of a type that ElementType does
/// not name comes back without data.
std::shared_ptr<Tensor> readTensor(::onnx::TensorProto &proto,
                                   const std::string &modelPath);

} // namespace fact::onnx

#endif // FACT_LIB_IMPORT_ONNX_READPROTO_H
