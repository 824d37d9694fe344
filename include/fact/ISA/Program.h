//===- Program.h - Compiled programs (.fact files) ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_PROGRAM_H
#define FACT_ISA_PROGRAM_H

#include "fact/ISA/Instructions.h"
#include "fact/ISA/Machine.h"
#include "fact/Support/InputFile.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fact::isa {

/// The version of the instruction set.
constexpr uint32_t instructionSetVersion = 9;

/// The version of the file format that toBytes() writes.
constexpr uint32_t programFormatVersion = 1;

enum class ElementType : uint32_t { Float32, Int8, Int32, Int64, Bool };
constexpr unsigned numElementTypes = 5;

/// "float32", "int8", "int32", "int64", "bool".
const char *elementTypeName(ElementType type);
unsigned elementTypeBytes(ElementType type);
/// The type that NumPy has for it, as in NpyArray: "<f4", "|i1", "<i4", "<i8",
/// "|b1".
const char *npyType(ElementType type);

/// An input or output of a program, a tensor in DRAM in C order.
struct Port {
  std::string name;
  /// At most 8 dimensions; `openDimension` for the sequence length.
  std::vector<int64_t> shape;
  ElementType type = ElementType::Float32;
  /// The largest extent of the open dimension; 0 where no dimension is open.
  int64_t bound = 0;
  /// First byte in DRAM, a multiple of 64.
  uint64_t address = 0;
  /// Bytes from one row (all indices but the last fixed) to the next in DRAM.
  uint64_t rowBytes = 0;

  static constexpr int64_t openDimension = -1;

  /// Which dimension is open; -1 where none is.
  int64_t openIndex() const;
  /// Rows at the largest length; 1 for a scalar.
  uint64_t numRows() const;
  /// Bytes of one row's elements.
  uint64_t rowElementBytes() const;
  /// Bytes of DRAM at the largest length.
  uint64_t byteSize() const { return numRows() * rowBytes; }
};

/// Bytes of DRAM that the host writes and no program may.
struct ReadOnlyRange {
  uint64_t begin, end;
  std::string name; ///< For messages: "constants", "input 'x'".
};

/// Everything that a program file holds.
struct Program {
  Machine machine;
  /// Ends with the only `halt`.
  std::vector<Instruction> instructions;
  /// Bytes of DRAM that the program uses: constants, inputs, outputs, scratch.
  uint64_t dramBytes = 0;
  std::vector<Port> inputs, outputs;
  /// Where instructions come from (an ONNX node or an MLIR line): sources[k]
  /// for k = sourceOf[i] of instruction i. Every text is there once and used,
  /// in the order of first use; addSource() keeps that.
  std::vector<std::string> sources;
  std::vector<uint32_t> sourceOf;
  /// A JSON object: policy, layer counts, bytes of scratch DRAM and the like.
  std::string metadata = "{}";
  /// MLIR of the stage that the program was made from.
  std::optional<std::string> mlir;

  /// Weights and tables: the image of DRAM from address 0 on. Aligned to 64
  /// bytes. For a program that was read from a file these are the file's own
  /// (mapped) bytes.
  const uint8_t *constants() const { return constantData; }
  size_t constantsSize() const { return constantBytes; }
  void setConstants(std::string_view bytes);

  /// Constants, and inputs but for those in whose place an output comes.
  std::vector<ReadOnlyRange> readOnly() const;

  /// Appends an instruction that comes from `source`.
  void append(const Instruction &instruction, const std::string &source);

  /// Appends the source of the next instruction.
  void addSource(const std::string &text);

  /// Reads a file and validates all of it: magic, versions, length, checksums
  /// of every byte, zero padding, every instruction, every table. fact::Error
  /// names the file and the reason.
  static Program read(const std::string &path);
  static Program parse(const InputFile &file);

  /// The file. The same program gives the same bytes. An invalid program (wrong
  /// count of sources, metadata that is no JSON object, ...) is a fact::Error.
  std::string toBytes() const;
  void write(const std::string &path) const;

  /// Checks what toBytes() and parse() require beyond the file format: fields
  /// in range, matched loops, registers that the machine has, no engine that
  /// waits for itself, a source for every instruction, inputs and outputs
  /// inside DRAM and apart from the constants, metadata that is a JSON object.
  void validate() const;

private:
  InputFile storage;
  const uint8_t *constantData = nullptr;
  size_t constantBytes = 0;

  friend class ProgramParser;
};

} // namespace fact::isa

#endif // FACT_ISA_PROGRAM_H
