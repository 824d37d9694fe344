//===- ControlProcessor.h - Walks the instruction stream ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_CONTROLPROCESSOR_H
#define FACT_LIB_SIM_CONTROLPROCESSOR_H

#include "fact/ISA/Instructions.h"
#include "fact/ISA/Program.h"
#include "fact/Sim/Observer.h"
#include "fact/Sim/State.h"

#include <vector>

namespace fact::sim {

/// The instructions of a valid program, with what loops need.
class Code {
public:
  /// fact::Error if the program is not valid. Refers to `program`.
  explicit Code(const isa::Program &program);

  size_t size() const { return source->instructions.size(); }
  const isa::Instruction &operator[](size_t i) const {
    return source->instructions[i];
  }
  /// The `endloop` of a `loop` and the other way round.
  size_t partner(size_t index) const { return partners[index]; }
  /// "instruction 12 (MatMul_3) 'pe.gemm ...'".
  std::string describe(size_t index) const;
  const isa::Program &program() const { return *source; }

private:
  const isa::Program *source;
  std::vector<size_t> partners;
};

/// Control flow: the order in which instructions are dispatched. It depends on
/// registers and LEN alone, never on data.
class Walker {
public:
  /// `registers` are those of the run; the walker writes them.
  Walker(const Code &code, int64_t *registers, int64_t length)
      : code(code), registers(registers), length(length) {}

  /// The next instruction; false after `halt`. A control instruction has taken
  /// effect when the next one is asked for.
  bool next(size_t &index);

private:
  const Code &code;
  int64_t *registers;
  int64_t length;
  size_t position = 0;
  bool halted = false;
};

/// Runs the whole program in program order, which is one of the orders that
/// the semaphores allow: a wait must find its signal. Everything that goes
/// wrong is a fact::Error that names the instruction, its text and its source.
void runProgram(const Code &code, State &state,
                const std::vector<Observer *> &observers);

} // namespace fact::sim

#endif // FACT_LIB_SIM_CONTROLPROCESSOR_H
