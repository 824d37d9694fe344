//===- Jit.h - A module of the LLVM dialect in this process ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_EXECUTION_JIT_H
#define FACT_EXECUTION_JIT_H

#include "fact/Conversion/FactToLoops/FactToLoops.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir {
class ExecutionEngine;
} // namespace mlir

namespace mlir::fact {

/// The target machine of this process's processor, of a processor `cpu` of the
/// same architecture, or of a tier, on Linux if it is of another. Never fuses a
/// multiplication with an addition.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const std::string &cpu = "native");

/// What the CPU pipeline should know of a target.
CpuPipelineOptions pipelineOptionsFor(const llvm::TargetMachine &machine);

/// Functions of this process that a module calls: names and addresses.
using JitSymbols = std::vector<std::pair<llvm::StringRef, void *>>;

/// A module compiled into this process.
class Jit {
public:
  /// `module` is in the LLVM dialect.
  static llvm::Expected<std::unique_ptr<Jit>>
  compile(ModuleOp module, const std::string &function,
          const std::string &cpu = "native", const JitSymbols &symbols = {},
          bool keepObject = false);
  ~Jit();

  void *address() const { return address_; }
  /// The object file that was loaded, if it was to be kept.
  llvm::Expected<std::string> object() const;

private:
  Jit();
  std::unique_ptr<ExecutionEngine> engine;
  void *address_ = nullptr;
};

/// The bytes of an object file of a module in the LLVM dialect; position
/// independent, with no symbol but `keep` and its form in threads visible.
llvm::Expected<std::string> emitObject(ModuleOp module,
                                       llvm::TargetMachine &machine,
                                       const std::string &keep);

} // namespace mlir::fact

#endif // FACT_EXECUTION_JIT_H
