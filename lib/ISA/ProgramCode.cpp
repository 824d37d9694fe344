//===- ProgramCode.cpp - What a program's instructions must be together ---===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramFormat.h"

#include "fact/Support/Error.h"

#include <algorithm>

using namespace fact;
using namespace fact::isa;

namespace {
constexpr size_t deepestLoops = 16;

class CodeValidator {
public:
  explicit CodeValidator(const Machine &machine) : machine(machine) {}

  void validate(const std::vector<Instruction> &instructions) {
    if (instructions.empty() ||
        !std::holds_alternative<Halt>(instructions.back()))
      throw Error("the last instruction must be 'halt'");
    for (index = 0; index < instructions.size(); ++index) {
      const Instruction &instruction = instructions[index];
      current = &instruction;
      try {
        check(instruction);
      } catch (const Error &error) {
        throw Error("instruction " + std::to_string(index) + ": " +
                    error.what());
      }
      forEachField(instruction, [&](const FieldInfo &, const auto &value) {
        validateRegister(value);
      });
      std::visit([&](const auto &i) { validate(i); }, instruction);
      if (std::holds_alternative<Halt>(instruction) &&
          index + 1 != instructions.size())
        fail("must be the last instruction");
    }
    if (!loops.empty()) {
      index = loops.back().index;
      current = &instructions[index];
      fail("has no 'endloop'");
    }
  }

private:
  [[noreturn]] void fail(const std::string &reason) const {
    throw Error("instruction " + std::to_string(index) + ": '" +
                mnemonic(*current) + "'" + (reason[0] == ':' ? "" : " ") +
                reason);
  }

  void requireRegister(uint32_t reg) const {
    if (reg >= machine.control.registers)
      fail(": the machine has " + std::to_string(machine.control.registers) +
           " registers (was r" + std::to_string(reg) + ")");
  }

  void validateRegister(const SramRef &ref) const { requireRegister(ref.reg); }
  void validateRegister(const DramRef &ref) const { requireRegister(ref.reg); }
  void validateRegister(const ScalarRef &ref) const {
    requireRegister(ref.reg);
  }
  template <typename T> void validateRegister(const T &) const {}

  /// A register that the control processor writes.
  void validateTarget(uint32_t reg) const {
    requireRegister(reg);
    if (reg == 0)
      fail("must not write r0");
    for (const OpenLoop &loop : loops)
      if (loop.reg == reg)
        fail("must not write the register of a loop around it (was r" +
             std::to_string(reg) + ")");
  }

  template <typename T> void validate(const T &) {}

  void validate(const Loop &loop) {
    validateTarget(loop.rd);
    if (loop.step == 0)
      fail(": step must be positive (was 0)");
    if (loops.size() == deepestLoops)
      fail("is nested more than 16 deep");
    loops.push_back({loop.rd, index});
  }
  void validate(const EndLoop &) {
    if (loops.empty())
      fail("without 'loop'");
    loops.pop_back();
  }
  void validate(const MulAdd &muladd) {
    validateTarget(muladd.rd);
    requireRegister(muladd.rs);
    requireRegister(muladd.rt);
  }
  void validate(const Sync &sync) {
    if (sync.times == 0)
      fail(": times must be positive (was 0)");
  }
  void validate(const Rotate &rotate) { validateTarget(rotate.rd); }
  void validate(const Clip &clip) {
    validateTarget(clip.rd);
    requireRegister(clip.rs);
  }
  void validate(const Clamp &clamp) {
    validateTarget(clamp.rd);
    requireRegister(clamp.rs);
  }

  struct OpenLoop {
    uint32_t reg;
    size_t index;
  };

  const Machine &machine;
  size_t index = 0;
  const Instruction *current = nullptr;
  std::vector<OpenLoop> loops;
};
} // namespace

void isa::validateCode(const std::vector<Instruction> &instructions,
                       const Machine &machine) {
  CodeValidator(machine).validate(instructions);
}
