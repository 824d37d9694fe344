//===- Walker.h - Walks the instruction stream ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_WALKER_H
#define FACT_ISA_WALKER_H

#include "fact/ISA/Program.h"

#include <string>
#include <vector>

namespace fact::isa {

/// The instructions of a valid program, with what loops need.
class Code {
public:
  /// fact::Error if the program is not valid. Refers to `program`.
  explicit Code(const Program &program);

  size_t size() const { return source->instructions.size(); }
  const Instruction &operator[](size_t i) const {
    return source->instructions[i];
  }
  /// The `endloop` of a `loop` and the other way round.
  size_t partner(size_t index) const { return partners[index]; }
  /// "instruction 12 (MatMul_3) 'pe.gemm ...'".
  std::string describe(size_t index) const;
  const Program &program() const { return *source; }

private:
  const Program *source;
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

/// What is wrong with a program at one of its instructions.
struct Fault {
  /// The instruction; none for what the host finds after `halt`.
  std::optional<size_t> instruction;
  std::string reason;
  /// The output that the host finds it in, as an index.
  std::optional<size_t> output;
  /// The operand, as an index among the instruction's fields.
  std::optional<unsigned> field;
  /// The other place, and what is there.
  std::optional<size_t> other;
  std::string note;

  /// "instruction 12 (MatMul_3) '...': reason", and the note in a line of its
  /// own.
  std::string text(const Code &code) const;
};

} // namespace fact::isa

#endif // FACT_ISA_WALKER_H
