//===- Translation.cpp - Planned IR to a program, for fact-translate ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/ISA/Program.h"
#include "fact/Target/EncodeProgram.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;

void factisa::registerToProgramTranslation() {
  static llvm::cl::opt<std::string> machine(
      "factisa-machine",
      llvm::cl::desc("Machine description (JSON file); default: fact-28nm"));
  static TranslateFromMLIRRegistration registration(
      "factisa-to-program", "encode planned factisa ops as a program (.fact)",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        FailureOr<::fact::isa::Machine> loaded =
            loadMachine(machine, module.getLoc());
        if (failed(loaded))
          return failure();
        std::unique_ptr<::fact::isa::Program> program =
            encodeProgram(module, *loaded, {});
        if (!program)
          return failure();
        output << program->toBytes();
        return success();
      },
      [](DialectRegistry &registry) {
        registry
            .insert<FactISADialect, mlir::fact::FactDialect,
                    arith::ArithDialect, func::FuncDialect, scf::SCFDialect>();
      });
}
