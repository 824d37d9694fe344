//===- EncodeProgram.h - From planned factisa ops to a program ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_TARGET_ENCODEPROGRAM_H
#define FACT_TARGET_ENCODEPROGRAM_H

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>

namespace fact::isa {
struct Program;
struct Machine;
} // namespace fact::isa

namespace mlir::factisa {

struct EncodeOptions {
  /// The policy as a JSON object, stored in the program's metadata; may be
  /// empty.
  std::string policyJson;
  /// Embed the module's text.
  bool embedIR = false;
};

/// Encodes the one function of a module, whose memory is planned and whose
/// semaphores are in, for `machine`. The same module gives the same program.
/// Null after an error at the op.
std::unique_ptr<::fact::isa::Program>
encodeProgram(ModuleOp module, const ::fact::isa::Machine &machine,
              const EncodeOptions &options);

/// Writes a program; an error at `loc` says why not, and leaves no file.
LogicalResult writeProgram(const ::fact::isa::Program &program, StringRef path,
                           Location loc);

/// `fact-translate --factisa-to-program`: planned IR to the bytes of a program.
void registerToProgramTranslation();

/// The text of a source location: a name (an ONNX node's) or file:line:column.
std::string describeSource(Location loc);

} // namespace mlir::factisa

#endif // FACT_TARGET_ENCODEPROGRAM_H
