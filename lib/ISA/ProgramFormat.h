//===- ProgramFormat.h - Layout of program files --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// header | section table | section | zeros | section | zeros ...
//
// The header ends with a checksum of itself and holds the one of the table; the
// table holds the sections' ones. Sections start at multiples of 64 bytes in
// the order of their kinds, and the bytes between them are zero: so every byte
// of a file is either under a checksum or known. All numbers are little endian.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_PROGRAMFORMAT_H
#define FACT_LIB_ISA_PROGRAMFORMAT_H

#include "fact/ISA/Program.h"

#include <cstddef>
#include <cstdint>

namespace fact::isa {

enum class Section : uint32_t {
  Machine = 1, ///< JSON text
  Code,        ///< 64-bit words
  Constants,   ///< bytes
  Memory,      ///< bytes of DRAM; inputs, then outputs
  Sources,     ///< texts, then an index per instruction
  Metadata,    ///< JSON text
  Mlir,        ///< text; optional
};
constexpr uint32_t numSections = 7;
const char *sectionName(Section section);

constexpr char programMagic[8] = {'F', 'A', 'C', 'T', 'P', 'R', 'O', 'G'};
constexpr size_t programAlignment = 64;

struct FileHeader {
  char magic[8];
  uint32_t formatVersion;
  uint32_t isaVersion;
  uint64_t fileBytes;
  uint32_t sections;
  uint32_t zero0;
  uint64_t tableChecksum;
  uint64_t zero1[2];
  uint64_t headerChecksum; ///< Of the bytes before it.
};
static_assert(sizeof(FileHeader) == 64 &&
              offsetof(FileHeader, headerChecksum) == 56);

struct SectionEntry {
  uint32_t kind;
  uint32_t zero;
  uint64_t offset;
  uint64_t bytes;
  uint64_t checksum;
};
static_assert(sizeof(SectionEntry) == 32);

inline uint64_t alignUp(uint64_t offset) {
  return (offset + programAlignment - 1) / programAlignment * programAlignment;
}

/// XXH3, 64 bits, no seed.
uint64_t checksum(const void *data, size_t size);

// Limits that keep a damaged count from being believed.
constexpr uint32_t maximumRank = 8;
constexpr uint32_t maximumPorts = 1024;
constexpr uint32_t maximumTextBytes = 1 << 16;

/// Throws unless the instructions are a program of the machine.
void validateCode(const std::vector<Instruction> &instructions,
                  const Machine &machine);

} // namespace fact::isa

#endif // FACT_LIB_ISA_PROGRAMFORMAT_H
