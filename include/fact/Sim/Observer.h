//===- Observer.h - Who watches the semantic core -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One semantic core executes instructions on State. Timing, counters and masks
// (and energy, traces, hazard checks) are observers: they see every executed
// instruction with its resolved operands and its Work, and change nothing. So
// a functional run and a cycle run cannot compute different results.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_OBSERVER_H
#define FACT_SIM_OBSERVER_H

#include "fact/ISA/Instructions.h"
#include "fact/Sim/State.h"
#include "fact/Sim/Work.h"

namespace fact::sim {

/// One executed instruction as observers see it.
struct Executed {
  size_t index; ///< In the program.
  const isa::Instruction &instruction;
  /// Memory after the instruction, registers as it was dispatched with.
  const State &state;
  /// The bytes that it may have touched, as described in the instruction set.
  const isa::AccessList &accesses;
  const Work &work;

  /// The first byte of a scratchpad operand, or null where it is absent or the
  /// instruction had nothing to do. `operand` is the field's name.
  const uint8_t *operand(const char *operand) const;
};

class Observer {
public:
  virtual ~Observer();

  /// Called for every instruction, control processor included, in the order in
  /// which they run: program order unless the run draws another one. References
  /// are valid during the call.
  virtual void onInstruction(const Executed &executed) = 0;
  /// Called after `halt`.
  virtual void onEnd() {}
};

} // namespace fact::sim

#endif // FACT_SIM_OBSERVER_H
