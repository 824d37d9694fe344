//===- ProgramReader.cpp - Reads program files and validates every byte ---===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramFormat.h"

#include "fact/ISA/Program.h"
#include "fact/Support/Error.h"

#include <cstring>

#define XXH_INLINE_ALL
#include "xxhash.h"

using namespace fact;
using namespace fact::isa;

uint64_t isa::checksum(const void *data, size_t size) {
  return XXH3_64bits(data, size);
}

const char *isa::sectionName(Section section) {
  static const char *const names[numSections] = {
      "machine", "code", "constants", "memory", "sources", "metadata", "mlir"};
  return names[static_cast<uint32_t>(section) - 1];
}

namespace fact::isa {
/// Takes one file apart.
class ProgramParser {
public:
  explicit ProgramParser(const InputFile &file) : file(file) {}

  Program parse() {
    readHeader();
    readTable();
    Program program;
    program.machine = Machine::fromJson(text(Section::Machine), file.path());
    // One text per machine: a program that is read and written is the same
    // file.
    if (program.machine.toJson() != text(Section::Machine))
      fail("the machine description is not in canonical form");
    readCode(program);
    program.storage = file;
    program.constantData = file.data() + contents(Section::Constants)->offset;
    program.constantBytes = contents(Section::Constants)->bytes;
    readMemory(program);
    readSources(program);
    program.metadata = text(Section::Metadata);
    if (contents(Section::Mlir))
      program.mlir = text(Section::Mlir);
    if (auto error = catchError([&] { program.validate(); }))
      fail(*error);
    return program;
  }

private:
  [[noreturn]] void fail(const std::string &reason) const {
    throw Error("'" + file.path() + "' is not a valid program: " + reason);
  }

  void readHeader() {
    if (file.size() < sizeof(programMagic) ||
        std::memcmp(file.data(), programMagic, sizeof(programMagic)) != 0)
      fail("wrong magic");
    if (file.size() < sizeof(header))
      fail("header is cut off");
    std::memcpy(&header, file.data(), sizeof(header));
    if (checksum(file.data(), offsetof(FileHeader, headerChecksum)) !=
        header.headerChecksum)
      fail("wrong checksum of the header");
    if (header.formatVersion != programFormatVersion)
      fail("format version must be " + std::to_string(programFormatVersion) +
           " (was " + std::to_string(header.formatVersion) + ")");
    if (header.isaVersion != instructionSetVersion)
      fail("instruction set version must be " +
           std::to_string(instructionSetVersion) + " (was " +
           std::to_string(header.isaVersion) + "): compile the model again");
    if (header.fileBytes != file.size())
      fail("file must have " + std::to_string(header.fileBytes) +
           " bytes (was " + std::to_string(file.size()) + ")");
    if (header.zero0 != 0 || header.zero1[0] != 0 || header.zero1[1] != 0)
      fail("a reserved field of the header is not zero");
    if (header.sections > numSections)
      fail("too many sections (were " + std::to_string(header.sections) + ")");
  }

  void readTable() {
    size_t tableBytes = header.sections * sizeof(SectionEntry);
    uint64_t offset = sizeof(FileHeader) + tableBytes;
    if (offset > file.size())
      fail("section table is cut off");
    const uint8_t *table = file.data() + sizeof(FileHeader);
    if (checksum(table, tableBytes) != header.tableChecksum)
      fail("wrong checksum of the section table");
    uint32_t lastKind = 0;
    for (uint32_t i = 0; i < header.sections; ++i) {
      SectionEntry entry;
      std::memcpy(&entry, table + i * sizeof(entry), sizeof(entry));
      if (entry.kind <= lastKind || entry.kind > numSections || entry.zero)
        fail("unknown, repeated or misplaced section (was " +
             std::to_string(entry.kind) + ")");
      lastKind = entry.kind;
      std::string what = std::string("section '") +
                         sectionName(static_cast<Section>(entry.kind)) + "'";
      offset = readPadding(offset);
      if (entry.offset != offset || entry.bytes > file.size() - offset)
        fail(what + " is not where it must be");
      if (checksum(file.data() + offset, entry.bytes) != entry.checksum)
        fail("wrong checksum of " + what);
      offset += entry.bytes;
      entries[entry.kind - 1] = entry;
      present[entry.kind - 1] = true;
    }
    if (readPadding(offset) != file.size())
      fail("unexpected bytes after the last section");
    for (uint32_t kind = 1; kind <= numSections; ++kind)
      if (!present[kind - 1] && static_cast<Section>(kind) != Section::Mlir)
        fail(std::string("section '") +
             sectionName(static_cast<Section>(kind)) + "' is missing");
  }

  /// The next multiple of the alignment; the bytes in between must be zero.
  uint64_t readPadding(uint64_t offset) const {
    uint64_t end = alignUp(offset);
    if (end > file.size())
      fail("file is cut off");
    for (; offset < end; ++offset)
      if (file.data()[offset] != 0)
        fail("padding is not zero at offset " + std::to_string(offset));
    return end;
  }

  const SectionEntry *contents(Section section) const {
    uint32_t index = static_cast<uint32_t>(section) - 1;
    return present[index] ? &entries[index] : nullptr;
  }

  std::string text(Section section) const {
    const SectionEntry *entry = contents(section);
    return std::string(file.text().substr(entry->offset, entry->bytes));
  }

  /// Reads numbers and counted texts of one section, never past its end.
  class Cursor {
  public:
    Cursor(const ProgramParser &parser, Section section)
        : parser(parser), section(section),
          rest(parser.file.text().substr(parser.contents(section)->offset,
                                         parser.contents(section)->bytes)) {}

    template <typename T> T number() {
      T value;
      require(sizeof(T));
      std::memcpy(&value, rest.data(), sizeof(T));
      rest.remove_prefix(sizeof(T));
      return value;
    }

    /// A count of items that take `bytes` each at least.
    uint32_t count(size_t bytes) {
      uint32_t value = number<uint32_t>();
      require(value * bytes);
      return value;
    }

    std::string text() {
      uint32_t size = count(1);
      std::string value(rest.substr(0, size));
      rest.remove_prefix(size);
      return value;
    }

    void finish() {
      if (!rest.empty())
        fail("unexpected bytes at its end");
    }

    [[noreturn]] void fail(const std::string &reason) {
      parser.fail(std::string("section '") + sectionName(section) +
                  "': " + reason);
    }

  private:
    void require(size_t bytes) {
      if (bytes > rest.size())
        fail("cut off");
    }

    const ProgramParser &parser;
    Section section;
    std::string_view rest;
  };

  void readCode(Program &program) {
    Cursor cursor(*this, Section::Code);
    size_t bytes = contents(Section::Code)->bytes;
    if (bytes % sizeof(uint64_t) != 0)
      cursor.fail("not a whole number of words");
    std::vector<uint64_t> words(bytes / sizeof(uint64_t));
    for (uint64_t &word : words)
      word = cursor.number<uint64_t>();
    if (auto error = catchError([&] { program.instructions = decode(words); }))
      fail(*error);
  }

  void readMemory(Program &program) {
    Cursor cursor(*this, Section::Memory);
    program.dramBytes = cursor.number<uint64_t>();
    for (std::vector<Port> *ports : {&program.inputs, &program.outputs}) {
      for (uint32_t left = cursor.count(36); left != 0; --left) {
        Port port;
        port.name = cursor.text();
        port.type = static_cast<ElementType>(cursor.number<uint32_t>());
        port.bound = cursor.number<int64_t>();
        port.address = cursor.number<uint64_t>();
        port.rowBytes = cursor.number<uint64_t>();
        for (uint32_t rank = cursor.count(8); rank != 0; --rank)
          port.shape.push_back(cursor.number<int64_t>());
        ports->push_back(std::move(port));
      }
    }
    cursor.finish();
  }

  void readSources(Program &program) {
    Cursor cursor(*this, Section::Sources);
    for (uint32_t left = cursor.count(4); left != 0; --left)
      program.sources.push_back(cursor.text());
    for (uint32_t left = cursor.count(4); left != 0; --left)
      program.sourceOf.push_back(cursor.number<uint32_t>());
    cursor.finish();
  }

  const InputFile &file;
  FileHeader header;
  SectionEntry entries[numSections];
  bool present[numSections] = {};
};
} // namespace fact::isa

Program Program::parse(const InputFile &file) {
  return ProgramParser(file).parse();
}

Program Program::read(const std::string &path) {
  return parse(InputFile::open(path));
}
