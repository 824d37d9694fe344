//===- Instructions.h - Instructions: structures, binary and text ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The structures are generated from Instructions.td: one aggregate per
// instruction with a member per field, named as there (`isa::PeGemm::acc`).
//
//   std::visit(overloaded functions, one per structure, instruction)
//
// does not compile when a structure has no function.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_INSTRUCTIONS_H
#define FACT_ISA_INSTRUCTIONS_H

#include "fact/ISA/Operands.h"
#include "fact/Numerics/Window.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// enum class Opcode, Engine and the fields' enumerations; the structures;
// using Instruction = std::variant<...>.
#include "fact/ISA/Instructions.h.inc"

namespace fact::isa {

/// One end of a window as the fields `left` and `right` have it: 0 is no limit.
/// No sequence is as long as the largest number.
inline uint32_t windowField(int64_t end) {
  constexpr int64_t largest = (1 << 16) - 1;
  return static_cast<uint32_t>(
      end == numerics::Window::unlimited ? 0 : std::min(end + 1, largest));
}
/// The window of an instruction that has one.
template <typename T> numerics::Window windowOf(const T &i) {
  return {static_cast<int64_t>(i.left) - 1, static_cast<int64_t>(i.right) - 1};
}

/// What is known of an instruction without its fields' values.
struct InstructionInfo {
  Opcode opcode;
  Engine engine;
  const char *mnemonic;
  const char *summary;
  const FieldInfo *fields;
  unsigned numFields;
  unsigned bits; ///< Of the encoding, opcode included, padding not.

  unsigned words() const { return (bits + 63) / 64; }
};

/// All instructions, by rising opcode.
const std::vector<InstructionInfo> &instructionInfos();
const InstructionInfo &info(Opcode opcode);

inline Opcode opcodeOf(const Instruction &instruction) {
  return std::visit([](auto &i) { return i.opcode; }, instruction);
}
inline const InstructionInfo &info(const Instruction &instruction) {
  return info(opcodeOf(instruction));
}
inline const char *mnemonic(const Instruction &instruction) {
  return info(instruction).mnemonic;
}

/// The engine to whose queue an instruction goes: its own, or for `sync` the
/// one that it names.
Engine engineOf(const Instruction &instruction);
const char *engineName(Engine engine);
/// The engine of that name, of those that do not control others.
std::optional<Engine> engineNamed(std::string_view name);
/// As a listing has it: `LOAD+PE`.
std::string textOf(EngineSet engines);

/// What an instruction takes and gives: `times` tokens of, and for, each
/// engine.
struct Tokens {
  EngineSet wait, signal;
  int64_t times = 0;
};
/// None of an instruction of the control processor.
Tokens tokensOf(const Instruction &instruction);
/// Of an instruction that has them, an engine's or `sync`.
void setTokens(Instruction &instruction, EngineSet wait, EngineSet signal);

/// Calls `visitor(const FieldInfo &, value)` for every field in order; value is
/// a SramRef, DramRef, ScalarRef, uint32_t, uint64_t, int64_t, float, bool, an
/// EngineSet or one of the enumerations.
template <typename InstructionT, typename Visitor>
void forEachField(InstructionT &&instruction, Visitor &&visitor) {
  std::visit(
      [&](auto &i) {
        const FieldInfo *field = info(i.opcode).fields;
        i.visit(i, [&](auto &value) { visitor(*field++, value); });
      },
      instruction);
}

/// The bytes that an instruction may touch, from the extents of its
/// description.
AccessList accesses(const Instruction &instruction, const Resolver &resolver);

/// Throws a fact::Error that names instruction and field unless every field is
/// in its range.
void check(const Instruction &instruction);

//===----------------------------------------------------------------------===//
// Binary: the opcode byte, then the fields bit-packed in order from the least
// significant bit on, zero bits up to a whole word.
//===----------------------------------------------------------------------===//

/// Appends an instruction's words. fact::Error if a field is out of range.
void encode(const Instruction &instruction, std::vector<uint64_t> &words);
std::vector<uint64_t> encode(const std::vector<Instruction> &instructions);

/// Reads the instruction at words[position] and moves position behind it.
/// `index` is its number, for messages. An unknown opcode, a cut off
/// instruction, non-zero padding and a field out of range are fact::Errors.
Instruction decode(const uint64_t *words, size_t numWords, size_t &position,
                   size_t index);
std::vector<Instruction> decode(const std::vector<uint64_t> &words);

//===----------------------------------------------------------------------===//
// Text: `mnemonic field=value, field=value`, every field in order,
// empty sets of engines left out.
//===----------------------------------------------------------------------===//

/// One line without a line break.
std::string print(const Instruction &instruction);

/// Reads what print() writes; fields may be in any order, blanks anywhere
/// between the parts. fact::Error says what is wrong.
Instruction parse(std::string_view line);

} // namespace fact::isa

#endif // FACT_ISA_INSTRUCTIONS_H
