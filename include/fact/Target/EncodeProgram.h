//===- EncodeProgram.h - From planned factisa ops to a program ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_TARGET_ENCODEPROGRAM_H
#define FACT_TARGET_ENCODEPROGRAM_H

#include "fact/ISA/CheckProgram.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>
#include <vector>

namespace mlir::factisa {

struct EncodeOptions {
  /// The policy as a JSON object (fact/ISA/Metadata.h), stored in the program's
  /// metadata; may be missing.
  std::optional<std::string> policyJson;
  /// Embed the module's text.
  bool embedIR = false;
};

/// An address or number: an immediate and a register.
struct Resolved {
  int64_t immediate = 0;
  unsigned reg = 0;
};

/// The instruction of an op, with these operands; none where one is absent.
::fact::isa::Instruction
makeInstruction(Operation *op, ArrayRef<std::optional<Resolved>> operands);

/// Where the parts of a program come from.
struct ProgramPlaces {
  func::FuncOp function;
  /// The op of every instruction.
  std::vector<Operation *> instructions;
  /// The `factisa.dram` ops of the outputs.
  std::vector<Operation *> outputs;
  /// Where scratchpad buffers begin to live.
  std::vector<::fact::isa::BufferStart> starts;
};

/// Encodes the one function of a module, whose memory is planned and whose
/// engines are ordered, for `machine`. The same module gives the same program.
/// Null after an error at the op. `places`, where there is one, is filled.
std::unique_ptr<::fact::isa::Program>
encodeProgram(ModuleOp module, const ::fact::isa::Machine &machine,
              const EncodeOptions &options, ProgramPlaces *places = nullptr);

/// The same for a function that is a program.
std::unique_ptr<::fact::isa::Program>
encodeFunction(func::FuncOp function, const ::fact::isa::Machine &machine,
               const EncodeOptions &options, ProgramPlaces *places = nullptr);

/// Writes a program; an error at `loc` says why not, and leaves no file.
LogicalResult writeProgram(const ::fact::isa::Program &program, StringRef path,
                           Location loc);

/// `fact-translate --factisa-to-program`: planned IR to the bytes of a program.
void registerToProgramTranslation();

/// The text of a source location: a name (an ONNX node's) or file:line:column.
std::string describeSource(Location loc);

} // namespace mlir::factisa

#endif // FACT_TARGET_ENCODEPROGRAM_H
