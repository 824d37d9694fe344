//===- PartFile.h - Writing a part of a model -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to the files that see protobuf. All of this throws.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_PARTFILE_H
#define FACT_LIB_IMPORT_ONNX_PARTFILE_H

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

namespace fact {
class OutputFiles;
} // namespace fact

namespace fact::onnx {

/// The tensors that a node reads: its inputs, and what graphs among its
/// attributes read of the graph around them.
std::vector<std::string> readsOf(const ::onnx::NodeProto &node);

/// Lets the node read \p to wherever it reads \p from.
void renameReads(::onnx::NodeProto &node, const std::string &from,
                 const std::string &to);

/// A folder that is made if it is not there, and removed again unless it is
/// kept.
class NewFolder {
public:
  explicit NewFolder(const std::string &path);
  ~NewFolder();
  NewFolder(const NewFolder &) = delete;
  NewFolder &operator=(const NewFolder &) = delete;
  void keep() { made.clear(); }

private:
  std::string made;
};

/// Writes \p part of the model at \p modelPath as \p path. External data stays
/// where it is if that is the same folder, else what is needed of it is copied
/// to `path`.data.
void writePart(::onnx::ModelProto &part, const std::string &modelPath,
               const std::string &path, OutputFiles &files);

} // namespace fact::onnx

#endif // FACT_LIB_IMPORT_ONNX_PARTFILE_H
