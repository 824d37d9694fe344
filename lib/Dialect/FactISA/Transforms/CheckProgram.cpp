//===- CheckProgram.cpp - Writers before readers --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Target/CheckProgram.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/Target/LoadMachine.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_CHECKPROGRAMPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;

namespace {

struct CheckProgramPass
    : public factisa::impl::CheckProgramPassBase<CheckProgramPass> {
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (getOperation().isExternal())
      return;
    FailureOr<::fact::isa::Machine> loaded =
        loadMachine(machine, getOperation().getLoc());
    if (failed(loaded))
      return signalPassFailure();
    ProgramPlaces places;
    std::unique_ptr<::fact::isa::Program> program =
        encodeFunction(getOperation(), *loaded, {}, &places);
    ::fact::isa::CheckCounts counts;
    if (!program || failed(checkProgram(*program, places, &counts)))
      return signalPassFailure();
    numInstructions += counts.instructions;
    numReads += counts.reads;
    numPadded += counts.paddedRows;
  }
};

} // namespace
