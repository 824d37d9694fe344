//===- ProgramFuzzer.cpp - Fuzzes program files and the simulator ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "fact/ISA/Listing.h"
#include "fact/ISA/Program.h"
#include "fact/Sim/Observer.h"
#include "fact/Sim/Simulator.h"

#include "../lib/ISA/ProgramFormat.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

using namespace fact;
using namespace fact::fuzz;

//===----------------------------------------------------------------------===//
// Mutation: the checksums are right, or nothing would get behind them
//===----------------------------------------------------------------------===//

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maximum);

namespace {
struct SectionBytes {
  uint32_t kind;
  std::string bytes;
};
} // namespace

/// The sections of a file whose table can be followed; empty if it cannot.
static std::vector<SectionBytes> sectionsOf(std::string_view file) {
  isa::FileHeader header;
  std::vector<SectionBytes> sections;
  if (file.size() < sizeof(header))
    return {};
  std::memcpy(&header, file.data(), sizeof(header));
  if (header.sections > isa::numSections ||
      sizeof(header) + header.sections * sizeof(isa::SectionEntry) >
          file.size())
    return {};
  for (uint32_t i = 0; i < header.sections; ++i) {
    isa::SectionEntry entry;
    std::memcpy(&entry, file.data() + sizeof(header) + i * sizeof(entry),
                sizeof(entry));
    if (entry.offset > file.size() || entry.bytes > file.size() - entry.offset)
      return {};
    sections.push_back(
        {entry.kind, std::string(file.substr(entry.offset, entry.bytes))});
  }
  return sections;
}

/// A file of these sections whose header, table and padding are right.
static std::string fileOf(const std::vector<SectionBytes> &sections) {
  size_t tableBytes = sections.size() * sizeof(isa::SectionEntry);
  std::string file(isa::alignUp(sizeof(isa::FileHeader) + tableBytes), '\0');
  std::vector<isa::SectionEntry> table;
  for (const SectionBytes &section : sections) {
    table.push_back(
        {section.kind, 0, file.size(), section.bytes.size(),
         isa::checksum(section.bytes.data(), section.bytes.size())});
    file += section.bytes;
    file.resize(isa::alignUp(file.size()), '\0');
  }
  isa::FileHeader header = {};
  std::memcpy(header.magic, isa::programMagic, sizeof(header.magic));
  header.formatVersion = isa::programFormatVersion;
  header.isaVersion = isa::instructionSetVersion;
  header.fileBytes = file.size();
  header.sections = static_cast<uint32_t>(sections.size());
  header.tableChecksum = isa::checksum(table.data(), tableBytes);
  header.headerChecksum =
      isa::checksum(&header, offsetof(isa::FileHeader, headerChecksum));
  std::memcpy(file.data(), &header, sizeof(header));
  if (!table.empty())
    std::memcpy(file.data() + sizeof(header), table.data(), tableBytes);
  return file;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maximum, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<SectionBytes> sections = sectionsOf(textOf(data, size));
  // Now and then the file as it is, checksums and all.
  if (sections.empty() || random() % 16 == 0)
    return LLVMFuzzerMutate(data, size, maximum);
  // Mostly the code; the machine's text is long and strict.
  SectionBytes *section = &sections[random() % sections.size()];
  for (SectionBytes &each : sections)
    if (each.kind == static_cast<uint32_t>(isa::Section::Code) &&
        random() % 2 == 0)
      section = &each;
  std::string &bytes = section->bytes;
  size_t used = bytes.size();
  if (section->kind == static_cast<uint32_t>(isa::Section::Code) &&
      used >= 16 && random() % 4 == 0) {
    // Whole words: an instruction goes, comes twice, or trades places.
    size_t words = used / 8, a = random() % words, b = random() % words;
    std::string word = bytes.substr(8 * a, 8);
    if (random() % 2 == 0)
      bytes.erase(8 * a, 8);
    bytes.insert(std::min(8 * b, bytes.size()), word);
  } else {
    bytes.resize(used + 64);
    bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()),
                                  used, bytes.size()));
  }
  std::string file = fileOf(sections);
  if (file.size() > maximum)
    return LLVMFuzzerMutate(data, size, maximum);
  std::memcpy(data, file.data(), file.size());
  return file.size();
}

//===----------------------------------------------------------------------===//
// Run
//===----------------------------------------------------------------------===//

namespace {
/// Ends a run after so much work: a program may well count to 2^63.
class Limit : public sim::Observer {
public:
  void onInstruction(const sim::Executed &executed) override {
    const sim::Work &work = executed.work;
    spent += 100 + work.predictorAdds + work.scores + work.dramRead +
             work.dramWritten;
    for (int64_t macs : work.macs)
      spent += macs;
    if (spent > 20000000)
      throw Error("long enough");
  }

private:
  uint64_t spent = 0;
};
} // namespace

static NpyArray inputOf(const isa::Port &port) {
  NpyArray array;
  size_t count = 1;
  array.dtype = isa::npyType(port.type);
  for (int64_t extent : port.shape) {
    array.shape.push_back(extent == isa::Port::openDimension
                              ? std::min<int64_t>(port.bound, 5)
                              : extent);
    count *= static_cast<size_t>(array.shape.back());
  }
  array.data.resize(count * isa::elementTypeBytes(port.type));
  if (port.type != isa::ElementType::Float32)
    return array;
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 16;
  return NpyArray::from(array.shape, values.data());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view bytes = textOf(data, size);
  isa::Program program;
  if (!accepts([&] {
        program = isa::Program::parse(InputFile::fromBytes(bytes, "fuzz.fact"));
      }))
    return 0;
  require(program.toBytes() == bytes,
          "a program that is read and written is the same file");
  std::string text = isa::formatListing(program, isa::ListingData::Include);
  require(isa::parseListing(text, "again.s").toBytes() == bytes,
          "a program that is printed and read is the same file");

  // Memory for a simulation is not what is looked for here.
  if (program.dramBytes > uint64_t(64) << 20)
    return 0;
  accepts([&] {
    sim::Simulator simulator(std::move(program));
    std::vector<NpyArray> inputs;
    for (const isa::Port &port : simulator.program().inputs)
      inputs.push_back(inputOf(port));
    for (bool undefined : {false, true}) {
      Limit limit;
      sim::RunOptions options;
      options.masks = true;
      options.observers = {&limit};
      if (undefined)
        options.fillUndefined = 17;
      simulator.run(inputs, options);
    }
  });
  return 0;
}
