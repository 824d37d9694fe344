//===- ProgramTarget.h - Compiling for the accelerator --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_PROGRAMTARGET_H
#define FACT_LIB_COMPILER_PROGRAMTARGET_H

#include "mlir/Support/LLVM.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fact {
struct ObjectOptions;
namespace isa {
struct Program;
} // namespace isa
} // namespace fact

namespace mlir::fact {

class Compilation;
struct EncoderStack;

/// From sparse IR to instructions: the stage `scheduled`; with `plan` also
/// addresses and tokens: the stage `factisa`.
LogicalResult lowerForFact(Compilation &compilation,
                           const ::fact::ObjectOptions &options, bool plan);

/// The module as it is, raised, as one program, for options' machine and
/// schedule.
LogicalResult makeProgram(Compilation &compilation,
                          const ::fact::ObjectOptions &options,
                          std::unique_ptr<::fact::isa::Program> &program);

/// Adds the files (name and contents) of that: options.output, and the report
/// where one is asked for.
LogicalResult
addProgramFiles(Compilation &compilation, const ::fact::ObjectOptions &options,
                std::vector<std::pair<std::string, std::string>> &files);

/// The name of a file for one of several stacks, counted from 1.
std::string numbered(StringRef path, size_t number);

/// Fails where another op stands between two stacks.
LogicalResult requireApart(ArrayRef<EncoderStack> stacks);

/// Writes the program options.output, and the report where one is asked for.
/// The compilation must be at the stage `Raised`.
LogicalResult compileForFact(Compilation &compilation,
                             const ::fact::ObjectOptions &options);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_PROGRAMTARGET_H
