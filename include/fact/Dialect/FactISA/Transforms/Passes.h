//===- Passes.h - Passes on the factisa dialect ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACTISA_TRANSFORMS_PASSES_H
#define FACT_DIALECT_FACTISA_TRANSFORMS_PASSES_H

#include "fact/Dialect/FactISA/IR/FactISA.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace fact::isa {
struct Expectation;
struct Machine;
} // namespace fact::isa

namespace mlir::factisa {

#define GEN_PASS_DECL
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"

/// What `pipelineLoops` did.
struct Pipelining {
  int64_t pipelined = 0;
  /// The loops left alone, and why.
  SmallVector<std::pair<Location, const char *>> missed;
};

/// What is expected of the data of a program's selections, the least of them;
/// not how long the sequence is.
::fact::isa::Expectation expectationOf(func::FuncOp program);

/// Overlaps the iterations of the innermost independent loops of a program
/// without addresses.
Pipelining pipelineLoops(func::FuncOp program,
                         const ::fact::isa::Machine &machine);

/// Remarks on the loops left alone: apart, for who tries several programs and
/// keeps one.
void remarkMissed(func::FuncOp program, const Pipelining &pipelining);

/// Tensors between loops that may stay in the scratchpad, those first whose
/// transfers save the most for their size, for sequences of up to `bound` rows.
/// To keep one may take another's blocks, which then has to stay in DRAM.
SmallVector<DramBufferOp> findResidents(func::FuncOp program, int64_t bound);

/// Keeps a tensor in the scratchpad; false where it must go through DRAM.
bool keepInScratchpad(DramBufferOp buffer, int64_t bound);

/// Where the planner has put things, for statistics.
struct MemoryPlan {
  int64_t buffers = 0, elsewhere = 0, peakBytes = 0;
};

/// Plans the memory of a program for a machine. Where a buffer finds no place:
/// a failure, and with `explain` an error with the memory map.
FailureOr<MemoryPlan> planMemory(func::FuncOp program,
                                 const ::fact::isa::Machine &machine,
                                 bool explain);

#define GEN_PASS_REGISTRATION
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"

} // namespace mlir::factisa

#endif // FACT_DIALECT_FACTISA_TRANSFORMS_PASSES_H
