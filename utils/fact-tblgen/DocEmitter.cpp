//===- DocEmitter.cpp - The manual of the instruction set -----------------===//
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

/// The text without the indentation of its lines.
static std::string unindented(StringRef text) {
  std::string result;
  for (StringRef line : llvm::split(text.trim(), '\n'))
    result += line.trim().str() + "\n";
  return result;
}

/// A text inside a table.
static std::string cell(StringRef text) {
  std::string result;
  for (char c : text)
    result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

static std::string range(const Field &field) {
  switch (field.kind) {
  case Kind::Imm:
  case Kind::SImm:
    return std::to_string(field.minimum) + " .. " +
           std::to_string(field.maximum);
  case Kind::Float:
    return "finite float32";
  case Kind::Flag:
    return "true, false";
  case Kind::Enum:
    return "see [" + field.enumeration + "](#" +
           StringRef(field.enumeration).lower() + ")";
  case Kind::Scalar:
    return "24-bit immediate + register";
  case Kind::Sram:
    return std::string("scratchpad address") +
           (field.optional ? ", may be absent" : "");
  case Kind::Dram:
    return "DRAM address";
  case Kind::Engines:
    return "set of engines";
  }
  llvm_unreachable("unknown kind");
}

static void emitInstruction(const Instruction &instruction, raw_ostream &os) {
  os << "#### `" << instruction.mnemonic << "`\n\n"
     << "Opcode " << instruction.opcode << ", " << instruction.bits()
     << " bits in " << (instruction.bits() + 63) / 64
     << (instruction.bits() > 64 ? " words: " : " word: ")
     << instruction.summary << ".\n\n"
     << unindented(instruction.description) << "\n";
  if (instruction.fields.empty())
    return;
  os << "| field | bits | values | access | bytes from there on |\n"
     << "|---|---|---|---|---|\n";
  for (const Field &field : instruction.fields)
    os << "| `" << field.name << "` | " << field.bits << " | " << range(field)
       << " | " << field.access
       << (field.readIf.empty() ? "" : ", read if `" + field.readIf + "`")
       << " | " << (field.extent.empty() ? "" : "`" + cell(field.extent) + "`")
       << " |\n";
  os << "\n";
}

void fact::tblgen::emitManual(const RecordKeeper &records, raw_ostream &os) {
  InstructionSet set(records);
  os << R"(<!-- Generated from include/fact/ISA/Instructions.td by fact-tblgen -gen-isa-docs: do not edit. -->

# The instruction set

## Conventions

* LEN is the length of the sequence of a run. A row operand is a first row `row0` and a largest number `rows`:
  the instruction works on R = clamp(LEN - row0, 0, rows) rows, on none where row0 < 0 (with the flag `whole` R = rows where row0 is a row of the sequence), likewise on
  C = clamp(LEN - col0, 0, cols) columns (C = 1 with the flag `tail`). If R or C is 0, nothing is done and nothing is touched.
* Row r of a two-dimensional operand is `stride` bytes after row r - 1. Vectors over rows, columns or features are
  dense. Operands point at the first row or column of the instruction, not at row 0 of the sequence.
* `list` is a row list of `sel.list`: a u32 count, then u32 indices relative to row0. With a list only these rows are
  worked on; the others keep what they had.
* A row of a mask holds one bit per column of the sequence (bit `j & 7` of byte `j >> 3`), from column 0, also where an
  instruction starts at col0, which then is a multiple of 8.
* A *code* of eager prediction is what a predictor keeps of a number of a *side* (weight, query, key): of all sides a leading
  one with `leading_one`, of weights and queries, not of keys, with `one_sided`, of none with `leading_two` and `exact`.
  Codes of a leading one are i4, two to a byte, the first one in the lower half, an odd last one of a row beside a zero:
  `sign * 2^e` is the number `sign * (e + 1)`, e = 0 .. 6, and 0 is 0. All other codes are i8, the numbers themselves.
* `span(n, stride, last)` is `n ? (n - 1) * stride + last : 0`, `rowBytes(most, stride)` is `min(most, stride)`, and
  `codeBytes(predictor, side, n)` is `(n + 1) / 2` where the codes of the side are leading ones, else `n`.
* The scratchpad is one address space: the token, weight, temp and index buffer of the machine, one after the other.
* Registers hold 64-bit signed numbers; r0 is always 0.
* Extents are upper bounds: an instruction touches no byte outside them.
* Engines are ordered by tokens: there is one counter of 10 bits, 0 at the start and at the end, for each ordered pair
  of engines (one that signals, one that waits). An instruction takes a token of each engine in `wait` before it begins.
  When it and all earlier instructions of its engine are done, it gives one to each engine in `signal`. In program
  order every token is given before it is taken, and a counter goes up to 1023 (queues let it go further by their
  depth). An instruction with nothing to do takes and gives its tokens as all others do.

## Encoding

An instruction is its opcode byte, then its fields in order, bit-packed from the least significant bit of the first
64-bit word on, then zero bits up to a whole word. Words are little endian.

| field | bits, from the least significant on |
|---|---|
| scratchpad address | offset 24, register 6, present 1 (all 0 where absent) |
| DRAM address | offset 40, register 6 |
| scalar | immediate 24, register 6 |
| float | the 32 bits of the number |
| flag | 1 |
| set of engines | 6, bit e - 1 for engine e |
| number, choice | as the instruction says |

## Assembly

One instruction is one line, `mnemonic field=value, field=value`. Addresses are `[offset+rN]` in the scratchpad
(`-` where absent) and `dram[offset+rN]`, scalars `number+rN`; `+r0` is left out. Choices and flags are words,
sets of engines `LOAD+PE`; an empty set is left out.

`fact-objdump` prints a whole program, and `fact-as` reads it back, byte for byte. A line that begins with `;` is a
comment, as is what follows a `;` behind an instruction. In this order:

| directive | what follows |
|---|---|
| `.program format=N isa=N` | versions of file format and instruction set |
| `.machine` ... `.end` | the machine description, JSON |
| `.dram N` | bytes of DRAM |
| `.input "name" type [shape] bound=N address=N row_bytes=N` | an input, `?` for the sequence length; `.output` likewise |
| `.metadata {...}` | JSON object, or a quoted string where it has line breaks |
| `.code` ... `.end` | instructions; `.source "text"` says where the following ones come from |
| `.constants N` ... `.end` | N bytes, base64 |
| `.mlir N` ... `.end` | N bytes of MLIR text, base64; optional |
| `.end_program` | the end; `.no_data` in place of the last three with `fact-objdump --no-data` |

## Engines

| engine | what it does |
|---|---|
)";
  for (const Engine &engine : set.engines)
    os << "| " << engine.name << " | " << cell(engine.text) << " |\n";
  os << "\n## Choices\n\n";
  for (const Enumeration &enumeration : set.enumerations) {
    os << "### " << enumeration.name << "\n\n`" << enumeration.name << "`, "
       << enumeration.summary << ": ";
    llvm::interleaveComma(enumeration.cases, os, [&](const EnumCase &c) {
      os << "`" << c.text << "` = " << c.value;
    });
    os << ".\n\n";
  }
  os << "## Instructions\n\n";
  for (const Engine &engine : set.engines) {
    os << "### " << engine.name << "\n\n";
    for (const Instruction &instruction : set.instructions)
      if (instruction.engine == engine.name)
        emitInstruction(instruction, os);
  }
}
