//===- ProgramWriter.cpp - Writes program files ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramFormat.h"

#include "fact/ISA/Program.h"
#include "fact/Support/OutputFile.h"

#include <cstring>

using namespace fact;
using namespace fact::isa;

namespace {
/// Appends little-endian numbers and counted texts.
class Encoder {
public:
  template <typename T> void number(T value) {
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
  void text(const std::string &value) {
    number(static_cast<uint32_t>(value.size()));
    bytes += value;
  }
  std::string bytes;
};

std::string encodeMemory(const Program &program) {
  Encoder encoder;
  encoder.number(program.dramBytes);
  for (const std::vector<Port> *ports : {&program.inputs, &program.outputs}) {
    encoder.number(static_cast<uint32_t>(ports->size()));
    for (const Port &port : *ports) {
      encoder.text(port.name);
      encoder.number(static_cast<uint32_t>(port.type));
      encoder.number(port.bound);
      encoder.number(port.address);
      encoder.number(port.rowBytes);
      encoder.number(static_cast<uint32_t>(port.shape.size()));
      for (int64_t extent : port.shape)
        encoder.number(extent);
    }
  }
  return encoder.bytes;
}

std::string encodeSources(const Program &program) {
  Encoder encoder;
  encoder.number(static_cast<uint32_t>(program.sources.size()));
  for (const std::string &text : program.sources)
    encoder.text(text);
  encoder.number(static_cast<uint32_t>(program.sourceOf.size()));
  for (uint32_t index : program.sourceOf)
    encoder.number(index);
  return encoder.bytes;
}
} // namespace

std::string Program::toBytes() const {
  validate();
  std::string machineText = machine.toJson(), memory = encodeMemory(*this),
              sourceTable = encodeSources(*this), codeBytes;
  {
    Encoder encoder;
    for (uint64_t word : encode(instructions))
      encoder.number(word);
    codeBytes = std::move(encoder.bytes);
  }
  std::vector<std::pair<Section, std::string_view>> sections = {
      {Section::Machine, machineText},
      {Section::Code, codeBytes},
      {Section::Constants,
       {reinterpret_cast<const char *>(constantData), constantBytes}},
      {Section::Memory, memory},
      {Section::Sources, sourceTable},
      {Section::Metadata, metadata}};
  if (mlir)
    sections.push_back({Section::Mlir, *mlir});

  uint64_t offset =
      alignUp(sizeof(FileHeader) + sections.size() * sizeof(SectionEntry));
  Encoder table;
  for (const auto &[kind, contents] : sections) {
    table.number(static_cast<uint32_t>(kind));
    table.number(uint32_t(0));
    table.number(offset);
    table.number(static_cast<uint64_t>(contents.size()));
    table.number(checksum(contents.data(), contents.size()));
    offset = alignUp(offset + contents.size());
  }

  Encoder file;
  file.bytes.reserve(offset);
  file.bytes.append(programMagic, sizeof(programMagic));
  file.number(programFormatVersion);
  file.number(instructionSetVersion);
  file.number(offset);
  file.number(static_cast<uint32_t>(sections.size()));
  file.number(uint32_t(0));
  file.number(checksum(table.bytes.data(), table.bytes.size()));
  file.number(uint64_t(0));
  file.number(uint64_t(0));
  file.number(checksum(file.bytes.data(), file.bytes.size()));
  file.bytes += table.bytes;
  file.bytes.resize(alignUp(file.bytes.size()), '\0');
  for (const auto &[kind, contents] : sections) {
    file.bytes += contents;
    file.bytes.resize(alignUp(file.bytes.size()), '\0');
  }
  return std::move(file.bytes);
}

void Program::write(const std::string &path) const {
  writeFile(path, toBytes());
}
