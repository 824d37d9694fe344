//===- InstructionSet.h - The instruction set as its records describe it --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UTILS_TBLGEN_INSTRUCTIONSET_H
#define FACT_UTILS_TBLGEN_INSTRUCTIONSET_H

#include "llvm/TableGen/Record.h"

#include <string>
#include <vector>

namespace fact::tblgen {

enum class Kind { Sram, Dram, Scalar, Imm, SImm, Float, Flag, Enum, Engines };

/// One entry of an instruction's `arguments`.
struct Field {
  std::string name;
  Kind kind;
  unsigned bits;
  int64_t minimum = 0, maximum = 0; ///< Imm, SImm
  std::string access, extent;       ///< Sram, Dram
  std::string readIf;               ///< Sram; empty: always
  bool optional = false;            ///< Sram
  std::string enumeration;          ///< Enum

  bool isAddress() const { return kind == Kind::Sram || kind == Kind::Dram; }
  /// The member's type in C++.
  std::string cppType() const;
  /// FieldKind's name for it.
  const char *kindName() const;
};

struct Instruction {
  const llvm::Record *record;
  std::string name; ///< Of the structure.
  std::string mnemonic, engine, summary, description;
  unsigned opcode;
  std::vector<Field> fields;

  unsigned bits() const;
  const Field *find(llvm::StringRef name) const;
};

struct EnumCase {
  std::string symbol, text;
  int64_t value;
};

struct Enumeration {
  std::string name, summary;
  std::vector<EnumCase> cases;
};

struct Engine {
  std::string name, text;
  int64_t id;
};

/// Everything, read and checked: a wrong record ends the program with an error
/// at its line.
struct InstructionSet {
  explicit InstructionSet(const llvm::RecordKeeper &records);

  std::vector<Engine> engines;           ///< By number.
  std::vector<Enumeration> enumerations; ///< By name.
  std::vector<Instruction> instructions; ///< By opcode.
};

/// An emitter's text for a C++ string literal.
std::string quoted(llvm::StringRef text);

void emitDeclarations(const llvm::RecordKeeper &records, llvm::raw_ostream &os);
void emitDefinitions(const llvm::RecordKeeper &records, llvm::raw_ostream &os);
void emitManual(const llvm::RecordKeeper &records, llvm::raw_ostream &os);

} // namespace fact::tblgen

#endif // FACT_UTILS_TBLGEN_INSTRUCTIONSET_H
