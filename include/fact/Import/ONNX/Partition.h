//===- Partition.h - The parts of a model around its programs -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes what of an ONNX model lies before and behind the parts that are
// programs, for a runtime of ONNX. No protobuf and no MLIR header here.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_IMPORT_ONNX_PARTITION_H
#define FACT_IMPORT_ONNX_PARTITION_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fact::onnx {

/// A float32 tensor of the model at the border of a program.
struct BorderTensor {
  std::string name;
  /// Its shape for where the model does not tell it; -1: open.
  std::vector<int64_t> shape;
};

/// What to write.
struct Partition {
  std::string model;  ///< Path of the ONNX file.
  std::string folder; ///< Is made if it is not there.
  /// What the programs take of the model, without its padding mask, and make.
  std::vector<BorderTensor> taken, made;
};

/// A file that was written, or that was not because it would have no node.
struct PartOfModel {
  std::string path; ///< Empty: not written.
  std::vector<std::string> inputs, outputs;
};

struct PartsOfModel {
  /// From the model's inputs to what the programs take. What `after` needs of
  /// that is an output, too, as is an output of the model that is ready here.
  PartOfModel before;
  /// From what the programs make, and inputs of the model, to its outputs. An
  /// output that a program makes is none of this file.
  PartOfModel after;
};

/// Writes before.onnx and after.onnx, each with a file of its own for external
/// data unless the folder is the model's, together with \p others (path and
/// contents): all or none. Throws Error where that cannot be done: `after`
/// needs a tensor between what is taken and what is made, a border is not
/// float32, a file cannot be written.
PartsOfModel
writePartition(const Partition &partition,
               const std::vector<std::pair<std::string, std::string>> &others);

} // namespace fact::onnx

#endif // FACT_IMPORT_ONNX_PARTITION_H
