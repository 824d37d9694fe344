//===- InstructionSet.cpp - The instruction set as its records describe it ===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionSet.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/TableGen/Error.h"

#include <algorithm>
#include <map>
#include <set>

using namespace llvm;
using namespace fact::tblgen;

std::string Field::cppType() const {
  switch (kind) {
  case Kind::Sram:
    return "SramRef";
  case Kind::Dram:
    return "DramRef";
  case Kind::Scalar:
    return "ScalarRef";
  case Kind::Imm:
    return bits <= 32 ? "uint32_t" : "uint64_t";
  case Kind::SImm:
    return "int64_t";
  case Kind::Float:
    return "float";
  case Kind::Flag:
    return "bool";
  case Kind::Enum:
    return enumeration;
  case Kind::Engines:
    return "EngineSet";
  }
  llvm_unreachable("unknown kind");
}

const char *Field::kindName() const {
  static const char *const names[] = {
      "Sram",  "Dram", "Scalar", "Immediate", "SignedImmediate",
      "Float", "Flag", "Enum",   "Engines"};
  return names[static_cast<unsigned>(kind)];
}

unsigned Instruction::bits() const {
  unsigned bits = 8;
  for (const Field &field : fields)
    bits += field.bits;
  return bits;
}

const Field *Instruction::find(StringRef name) const {
  for (const Field &field : fields)
    if (field.name == name)
      return &field;
  return nullptr;
}

std::string fact::tblgen::quoted(StringRef text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + "\"";
}

namespace {
Field readField(const Record &instruction, const Init *init, StringRef name) {
  auto *def = dyn_cast<DefInit>(init);
  if (!def || !def->getDef()->isSubClassOf("Field"))
    PrintFatalError(&instruction, "argument '" + name + "' is no field");
  const Record &record = *def->getDef();
  Field field;
  field.name = name.str();
  if (field.name.empty())
    PrintFatalError(&instruction, "an argument has no name");
  field.bits = record.getValueAsInt("width");
  StringRef kind = record.getValueAsString("kind");
  auto known = StringSwitch<std::optional<Kind>>(kind)
                   .Case("sram", Kind::Sram)
                   .Case("dram", Kind::Dram)
                   .Case("scalar", Kind::Scalar)
                   .Case("imm", Kind::Imm)
                   .Case("simm", Kind::SImm)
                   .Case("float", Kind::Float)
                   .Case("flag", Kind::Flag)
                   .Case("enum", Kind::Enum)
                   .Case("engines", Kind::Engines)
                   .Default(std::nullopt);
  if (!known)
    PrintFatalError(&instruction,
                    "field '" + name + "' is of unknown kind '" + kind + "'");
  field.kind = *known;
  if (field.isAddress()) {
    field.access = record.getValueAsString("access").str();
    field.extent = record.getValueAsString("bytes").str();
    if (field.access != "r" && field.access != "w" && field.access != "rw")
      PrintFatalError(&instruction, "access of '" + name +
                                        "' must be r, w or rw (was '" +
                                        field.access + "')");
  }
  if (field.kind == Kind::Sram) {
    field.optional = record.getValueAsBit("optional");
    field.readIf = record.getValueAsString("readIf").str();
    if (!field.readIf.empty() && field.access != "rw")
      PrintFatalError(&instruction, "condition of reads of '" + name +
                                        "' needs access rw (was '" +
                                        field.access + "')");
  }
  if (field.kind == Kind::Enum)
    field.enumeration =
        record.getValueAsDef("enum")->getValueAsString("className").str();
  if (field.kind == Kind::Imm) {
    if (field.bits > 62)
      PrintFatalError(&instruction, "field '" + name + "' is too wide");
    field.maximum = (int64_t(1) << field.bits) - 1;
  }
  if (field.kind == Kind::SImm) {
    field.minimum = -(int64_t(1) << (field.bits - 1));
    field.maximum = -(field.minimum + 1);
  }
  return field;
}

Instruction readInstruction(const Record &record) {
  Instruction result;
  result.record = &record;
  StringRef name = record.getName();
  if (!name.consume_front("ISA_") || !name.consume_back("Op"))
    PrintFatalError(&record,
                    "an instruction's record must be called ISA_...Op");
  result.name = name.str();
  result.mnemonic = record.getValueAsString("opName").str();
  result.engine =
      record.getValueAsDef("engine")->getValueAsString("name").str();
  result.summary = record.getValueAsString("summary").str();
  result.description = record.getValueAsString("description").str();
  int64_t opcode = record.getValueAsInt("opcode");
  if (opcode < 0 || opcode > 255)
    PrintFatalError(&record, "an opcode must be in 0 to 255");
  result.opcode = static_cast<unsigned>(opcode);
  const DagInit *arguments = record.getValueAsDag("arguments");
  std::set<std::string> names;
  for (unsigned i = 0; i < arguments->getNumArgs(); ++i) {
    result.fields.push_back(
        readField(record, arguments->getArg(i), arguments->getArgNameStr(i)));
    if (!names.insert(result.fields.back().name).second)
      PrintFatalError(&record,
                      "field '" + result.fields.back().name + "' occurs twice");
  }
  // R and C are clamped to LEN by these pairs.
  for (auto [first, count] : {std::pair("row0", "rows"), {"col0", "cols"}})
    if (!result.find(first) != !result.find(count))
      PrintFatalError(&record, Twine("fields '") + first + "' and '" + count +
                                   "' go together");
  return result;
}
} // namespace

InstructionSet::InstructionSet(const RecordKeeper &records) {
  for (const Record *record : records.getAllDerivedDefinitions("Engine"))
    engines.push_back({record->getValueAsString("name").str(),
                       record->getValueAsString("text").str(),
                       record->getValueAsInt("id")});
  llvm::sort(engines, [](auto &a, auto &b) { return a.id < b.id; });
  for (size_t i = 0; i < engines.size(); ++i)
    if (engines[i].id != static_cast<int64_t>(i))
      PrintFatalError("engines must be numbered from 0 without gaps");

  std::map<std::string, Enumeration> byName;
  for (const Record *record : records.getAllDerivedDefinitions("EnumField")) {
    const Record *info = record->getValueAsDef("enum");
    Enumeration &enumeration =
        byName[info->getValueAsString("className").str()];
    enumeration.name = info->getValueAsString("className").str();
    enumeration.summary = info->getValueAsString("summary").str();
    enumeration.cases.clear();
    for (const Record *c : info->getValueAsListOfDefs("enumerants"))
      enumeration.cases.push_back({c->getValueAsString("symbol").str(),
                                   c->getValueAsString("str").str(),
                                   c->getValueAsInt("value")});
    for (const EnumCase &c : enumeration.cases)
      if (c.value < 0 || c.value >> record->getValueAsInt("width") != 0)
        PrintFatalError(record, "case '" + c.symbol + "' does not fit");
  }
  for (auto &[name, enumeration] : byName)
    enumerations.push_back(std::move(enumeration));

  for (const Record *record : records.getAllDerivedDefinitions("Instruction"))
    instructions.push_back(readInstruction(*record));
  // The later one of two with the same opcode is the wrong one.
  llvm::sort(instructions, [](auto &a, auto &b) {
    return std::pair(a.opcode, a.record->getID()) <
           std::pair(b.opcode, b.record->getID());
  });
  for (size_t i = 1; i < instructions.size(); ++i)
    if (instructions[i].opcode == instructions[i - 1].opcode)
      PrintFatalError(instructions[i].record,
                      "opcode " + Twine(instructions[i].opcode) +
                          " is used twice");
}
