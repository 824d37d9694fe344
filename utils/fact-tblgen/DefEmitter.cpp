//===- DefEmitter.cpp - Tables and extents of instructions ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionSet.h"

#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace fact::tblgen;

static void emitFieldTable(const Instruction &instruction,
                           const InstructionSet &set, raw_ostream &os) {
  if (instruction.fields.empty())
    return;
  os << "const FieldInfo " << instruction.name << "Fields[] = {\n";
  for (const Field &field : instruction.fields) {
    os << "    {" << quoted(field.name) << ", FieldKind::" << field.kindName()
       << ", " << field.bits << ", INT64_C(" << field.minimum << "), INT64_C("
       << field.maximum << "), " << (field.optional ? "true" : "false") << ", "
       << quoted(field.access) << ", " << quoted(field.extent) << ", ";
    if (field.kind == Kind::Enum) {
      unsigned cases = 0;
      for (const Enumeration &enumeration : set.enumerations)
        if (enumeration.name == field.enumeration)
          cases = enumeration.cases.size();
      os << field.enumeration << "Cases, " << cases;
    } else {
      os << "nullptr, 0";
    }
    os << "},\n";
  }
  os << "};\n";
}

/// A function that fills an AccessList. Every field that an extent may name is
/// a local variable, so the extent's text is the code.
static void emitAccesses(const Instruction &instruction, raw_ostream &os) {
  os << "void addAccesses([[maybe_unused]] const " << instruction.name
     << " &i, [[maybe_unused]] const Resolver &resolver, "
        "[[maybe_unused]] AccessList &list) {\n"
     << "  [[maybe_unused]] const int64_t LEN = resolver.length;\n";
  for (const Field &field : instruction.fields) {
    if (field.kind == Kind::Scalar)
      os << "  [[maybe_unused]] const int64_t " << field.name
         << " = resolver.resolve(i." << field.name << ");\n";
    if (field.kind == Kind::Flag)
      os << "  [[maybe_unused]] const bool " << field.name << " = i."
         << field.name << ";\n";
    if (field.kind == Kind::Enum)
      os << "  [[maybe_unused]] const auto " << field.name << " = i."
         << field.name << ";\n";
    if (field.kind == Kind::Imm || field.kind == Kind::SImm)
      os << "  [[maybe_unused]] const int64_t " << field.name
         << " = static_cast<int64_t>(i." << field.name << ");\n";
  }
  std::string active = "true";
  if (instruction.find("rows")) {
    // Rows of a weight are no rows of the sequence.
    os << "  const int64_t R = "
       << (instruction.find("whole")
               ? "i.whole ? resolver.extent(i.row0, 1) * rows : "
               : "")
       << "resolver.extent(i.row0, rows);\n";
    active = "R != 0";
  }
  if (instruction.find("cols")) {
    // The mean token's column is no column of the sequence.
    os << "  const int64_t C = "
       << (instruction.find("tail") ? "i.tail ? 1 : " : "")
       << "resolver.extent(i.col0, cols);\n";
    active += " && C != 0";
  }
  os << "  [[maybe_unused]] const bool active = " << active << ";\n";
  unsigned index = 0;
  for (const Field &field : instruction.fields) {
    if (field.isAddress()) {
      bool reads = StringRef(field.access).contains('r');
      bool writes = StringRef(field.access).contains('w');
      os << "  list.push_back({"
         << (field.kind == Kind::Dram ? "true" : "false") << ", "
         << (!reads                 ? "false"
             : field.readIf.empty() ? "true"
                                    : field.readIf)
         << ", " << (writes ? "true" : "false") << ", resolver.resolve(i."
         << field.name << "), active"
         << (field.optional ? " && i." + field.name + ".present" : "")
         << " ? Rows(" << field.extent << ") : Rows(), " << quoted(field.name)
         << ", " << index << "});\n";
    }
    ++index;
  }
  os << "}\n\n";
}

void fact::tblgen::emitDefinitions(const RecordKeeper &records,
                                   raw_ostream &os) {
  InstructionSet set(records);
  os << "// Generated from Instructions.td by fact-tblgen -gen-isa-defs.\n\n"
     << "namespace {\n";
  size_t mostOperands = 0;
  for (const Instruction &instruction : set.instructions)
    mostOperands = std::max<size_t>(
        mostOperands, llvm::count_if(instruction.fields, [](const Field &f) {
          return f.isAddress();
        }));
  os << "static_assert(AccessList::capacity >= " << mostOperands << ");\n\n";
  for (const Enumeration &enumeration : set.enumerations) {
    os << "const EnumCaseInfo " << enumeration.name << "Cases[] = {\n";
    for (const EnumCase &c : enumeration.cases)
      os << "    {" << c.value << ", " << quoted(c.text) << "},\n";
    os << "};\n";
  }
  for (const Instruction &instruction : set.instructions)
    emitFieldTable(instruction, set, os);
  os << "const std::vector<InstructionInfo> allInfos = {\n";
  for (const Instruction &i : set.instructions)
    os << "    {Opcode::" << i.name << ", Engine::" << i.engine << ", "
       << quoted(i.mnemonic) << ", " << quoted(i.summary) << ", "
       << (i.fields.empty() ? "nullptr" : i.name + "Fields") << ", "
       << i.fields.size() << ", " << i.bits() << "},\n";
  os << "};\n\nconst char *const engineNames[] = {";
  for (const Engine &engine : set.engines)
    os << quoted(engine.name) << ", ";
  os << "};\n\n";
  for (const Instruction &instruction : set.instructions)
    emitAccesses(instruction, os);
  os << "} // namespace\n\n"
     << "bool fact::isa::makeDefault(uint8_t opcode, Instruction &result) {\n"
     << "  switch (opcode) {\n";
  for (const Instruction &i : set.instructions)
    os << "  case " << i.opcode << ":\n    result = " << i.name
       << "();\n    return true;\n";
  os << "  }\n  return false;\n}\n";
}
