//===- DeclEmitter.cpp - Structures and enumerations of instructions ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionSet.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace fact::tblgen;

static void emitStructure(const Instruction &instruction, raw_ostream &os) {
  os << "/// " << instruction.mnemonic << " (" << instruction.engine
     << "): " << instruction.summary << ".\n"
     << "struct " << instruction.name << " {\n"
     << "  static constexpr Opcode opcode = Opcode::" << instruction.name
     << ";\n";
  // `sync` names an engine itself: see engineOf().
  if (!instruction.find("engine"))
    os << "  static constexpr Engine engine = Engine::" << instruction.engine
       << ";\n";
  os << "\n";
  for (const Field &field : instruction.fields) {
    os << "  " << field.cppType() << " " << field.name;
    switch (field.kind) {
    case Kind::Sram:
      os << (field.optional ? " = SramRef::absent()" : "");
      break;
    case Kind::Dram:
    case Kind::Scalar:
    case Kind::Engines:
      break;
    case Kind::Flag:
      os << " = false";
      break;
    case Kind::Enum:
      os << " = " << field.enumeration << "(0)";
      break;
    default:
      os << " = 0";
    }
    os << ";\n";
  }
  os << "\n  /// Calls `visitor` with every field of `self`, in order.\n"
     << "  template <typename Self, typename Visitor>\n"
     << "  static void visit([[maybe_unused]] Self &self, [[maybe_unused]] "
        "Visitor &&visitor) {\n";
  for (const Field &field : instruction.fields)
    os << "    visitor(self." << field.name << ");\n";
  os << "  }\n\n"
     << "  friend bool operator==([[maybe_unused]] const " << instruction.name
     << " &a, [[maybe_unused]] const " << instruction.name
     << " &b) {\n    return ";
  if (instruction.fields.empty())
    os << "true";
  llvm::interleave(
      instruction.fields, os,
      [&](const Field &field) {
        os << "sameField(a." << field.name << ", b." << field.name << ")";
      },
      " &&\n           ");
  os << ";\n  }\n};\n\n";
}

void fact::tblgen::emitDeclarations(const RecordKeeper &records,
                                    raw_ostream &os) {
  InstructionSet set(records);
  os << "// Generated from Instructions.td by fact-tblgen -gen-isa-decls.\n\n"
     << "namespace fact::isa {\n\n"
     << "enum class Engine : uint8_t {\n";
  for (const Engine &engine : set.engines)
    os << "  " << engine.name << " = " << engine.id << ", ///< " << engine.text
       << ".\n";
  os << "};\nconstexpr unsigned numEngines = " << set.engines.size()
     << ";\n\nenum class Opcode : uint8_t {\n";
  for (const Instruction &instruction : set.instructions)
    os << "  " << instruction.name << " = " << instruction.opcode << ", ///< "
       << instruction.mnemonic << "\n";
  os << "};\n\n";
  for (const Enumeration &enumeration : set.enumerations) {
    os << "/// The " << enumeration.summary << ".\nenum class "
       << enumeration.name << " : uint8_t {\n";
    for (const EnumCase &c : enumeration.cases)
      os << "  " << c.symbol << " = " << c.value << ",\n";
    os << "};\n\n";
  }
  for (const Instruction &instruction : set.instructions)
    emitStructure(instruction, os);
  os << "using Instruction = std::variant<";
  llvm::interleaveComma(set.instructions, os, [&](const Instruction &i) {
    os << "\n    " << i.name;
  });
  os << ">;\n\n} // namespace fact::isa\n";
}
