//===- PartitionTarget.h - Programs and the model around them -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_PARTITIONTARGET_H
#define FACT_LIB_COMPILER_PARTITIONTARGET_H

#include <optional>
#include <string>

namespace fact {
struct ObjectOptions;
} // namespace fact

namespace mlir::fact {

/// Writes a program for each encoder stack of options.model, an ONNX file, and
/// to the folder options.partition what lies before and behind them, as ONNX
/// files. All of these meet in tensors of the model: the raised model says
/// which, and the programs are compiled from the file between them, as with
/// --from and --to. Returns the error that it ended with; then no output file
/// was touched.
std::optional<std::string>
compilePartition(const ::fact::ObjectOptions &options);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_PARTITIONTARGET_H
