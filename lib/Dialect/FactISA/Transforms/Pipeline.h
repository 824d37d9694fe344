//===- Pipeline.h - Loops whose iterations overlap ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop body as a graph of instructions (PipelineGraph.cpp), when each of them
// begins (PipelineSchedule.cpp), and where its buffers are (PipelineSlots.cpp).
// One iteration begins every `interval` cycles; what begins at time t belongs
// to stage t / interval: the loop's i-th iteration works on it for iteration i
// - stage.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_DIALECT_FACTISA_TRANSFORMS_PIPELINE_H
#define FACT_LIB_DIALECT_FACTISA_TRANSFORMS_PIPELINE_H

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/ISA/Cost.h"
#include "fact/ISA/Instructions.h"
#include "fact/ISA/Machine.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::factisa {

/// An instruction of a body.
struct Step {
  Operation *op;
  ::fact::isa::Engine engine;
  double cycles;
  SmallVector<unsigned, 4> before, after; ///< Steps of the same iteration.

  double begin = 0, end = 0;
};

/// A buffer of a body that each iteration has for itself.
struct Buffer {
  SramBufferOp op;
  SmallVector<unsigned, 4> writers, users; ///< Steps; writers are users, too.
};

/// What the iterations of a loop do.
struct Body {
  scf::ForOp loop;
  std::vector<Step> steps; ///< In program order.
  std::vector<Buffer> buffers;
  /// Pairs that must stay in this order, and the later one before the earlier
  /// one of the next iteration.
  std::vector<std::pair<unsigned, unsigned>> inOrder;
};

/// Reads the body of an innermost loop.
Body readBody(scf::ForOp loop, const ::fact::isa::Machine &machine,
              const ::fact::isa::Expectation &expected);

/// Where a row is one in a single iteration of a loop alone: that iteration's
/// number, which may be past the last one. Nothing for any other row.
std::optional<int64_t> onlyIteration(Value row, scf::ForOp loop);

/// Says when each step begins; returns the cycles between iterations. Null with
/// a reason where the steps have no such order. `turns`: see placeBuffers.
std::optional<double> schedule(Body &body, int64_t turns, const char *&reason);

/// Where a buffer is: in one storage, in all iterations the same place of it,
/// or one of `slots` that take turns.
struct Place {
  int64_t slots = 1;
  unsigned storage = 0; ///< Which of the storages.
};

/// Storages of the buffers of a body.
struct Places {
  std::vector<Place> ofBuffer; ///< By buffer.
  struct Storage {
    Memory memory;
    int64_t bytes; ///< Of all its slots.
    std::string label;
    Location loc;
  };
  std::vector<Storage> storages;
};

/// Steps in the order of a body of interval `interval`.
std::vector<unsigned> orderOf(const Body &body, double interval);
int64_t stageOf(const Step &step, double interval);

/// Gives every buffer its place, each for as long as an iteration uses it.
/// Buffers of the same size take turns, at least `turns` of them where there
/// are so many.
Places placeBuffers(const Body &body, ArrayRef<unsigned> order, double interval,
                    int64_t turns);

} // namespace mlir::factisa

#endif // FACT_LIB_DIALECT_FACTISA_TRANSFORMS_PIPELINE_H
