//===- Program.cpp - What programs are, independent of their file format --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Program.h"

#include "ProgramFormat.h"

#include "fact/Support/Error.h"

#include "nlohmann/json.hpp"

#include <algorithm>
#include <set>

using namespace fact;
using namespace fact::isa;

const char *isa::elementTypeName(ElementType type) {
  static const char *const names[numElementTypes] = {"float32", "int8", "int32",
                                                     "int64", "bool"};
  return names[static_cast<uint32_t>(type)];
}

unsigned isa::elementTypeBytes(ElementType type) {
  static const unsigned bytes[numElementTypes] = {4, 1, 4, 8, 1};
  return bytes[static_cast<uint32_t>(type)];
}

const char *isa::npyType(ElementType type) {
  static const char *const names[numElementTypes] = {"<f4", "|i1", "<i4", "<i8",
                                                     "|b1"};
  return names[static_cast<uint32_t>(type)];
}

int64_t Port::openIndex() const {
  for (size_t d = 0; d < shape.size(); ++d)
    if (shape[d] == openDimension)
      return static_cast<int64_t>(d);
  return -1;
}

uint64_t Port::numRows() const {
  uint64_t rows = 1;
  for (size_t d = 0; d + 1 < shape.size(); ++d)
    rows *= static_cast<uint64_t>(shape[d] == openDimension ? bound : shape[d]);
  return rows;
}

uint64_t Port::rowElementBytes() const {
  int64_t last = shape.empty() ? 1 : shape.back();
  return elementTypeBytes(type) *
         static_cast<uint64_t>(last == openDimension ? bound : last);
}

void Program::setConstants(std::string_view bytes) {
  storage = InputFile::fromBytes(bytes, "constants");
  constantData = storage.data();
  constantBytes = storage.size();
}

std::vector<ReadOnlyRange> Program::readOnly() const {
  std::vector<ReadOnlyRange> ranges;
  if (constantBytes > 0)
    ranges.push_back({0, constantBytes, "constants"});
  for (const Port &port : inputs) {
    bool becomesOutput =
        std::any_of(outputs.begin(), outputs.end(), [&](const Port &output) {
          return output.address == port.address &&
                 output.byteSize() >= port.byteSize();
        });
    if (!becomesOutput)
      ranges.push_back({port.address, port.address + port.byteSize(),
                        "input '" + port.name + "'"});
  }
  return ranges;
}

void Program::append(const Instruction &instruction,
                     const std::string &source) {
  instructions.push_back(instruction);
  addSource(source);
}

void Program::addSource(const std::string &text) {
  // Neighbours mostly share their source.
  if (!sourceOf.empty() && sources[sourceOf.back()] == text) {
    sourceOf.push_back(sourceOf.back());
    return;
  }
  auto found = std::find(sources.begin(), sources.end(), text);
  sourceOf.push_back(static_cast<uint32_t>(found - sources.begin()));
  if (found == sources.end())
    sources.push_back(text);
}

namespace {
void validatePorts(const std::vector<Port> &ports, const char *what,
                   uint64_t constantBytes, uint64_t dramBytes) {
  if (ports.size() > maximumPorts)
    throw Error("more than 1024 " + std::string(what) + "s (were " +
                std::to_string(ports.size()) + ")");
  std::set<std::string> names;
  for (const Port &port : ports) {
    auto fail = [&, what = what](const std::string &reason) {
      return Error(std::string(what) + " '" + port.name + "': " + reason);
    };
    if (port.name.empty() || port.name.size() > maximumTextBytes)
      throw fail("name must have 1 to 65536 bytes");
    if (!names.insert(port.name).second)
      throw fail("name is used twice");
    if (port.shape.size() > maximumRank)
      throw fail("more than 8 dimensions");
    if (static_cast<uint32_t>(port.type) >= numElementTypes)
      throw fail("unknown element type");
    unsigned open = 0;
    // A size below 2^48 bytes, so that no later product overflows.
    uint64_t bytes = elementTypeBytes(port.type);
    for (int64_t extent : port.shape) {
      if (extent == Port::openDimension) {
        ++open;
        extent = port.bound;
      }
      if (extent < 1 || extent > (int64_t(1) << 32) ||
          (bytes *= static_cast<uint64_t>(extent)) >= uint64_t(1) << 48)
        throw fail("dimension out of range (was " + std::to_string(extent) +
                   ")");
    }
    if (open > 1)
      throw fail("more than one open dimension");
    if (open == 0 && port.bound != 0)
      throw fail("a bound without an open dimension (was " +
                 std::to_string(port.bound) + ")");
    if (port.address % programAlignment != 0)
      throw fail("DRAM address must be a multiple of 64 (was " +
                 std::to_string(port.address) + ")");
    if (port.rowBytes < port.rowElementBytes() || port.rowBytes >> 32 != 0)
      throw fail("bytes per row must be in the range " +
                 std::to_string(port.rowElementBytes()) +
                 " to 4294967295 (was " + std::to_string(port.rowBytes) + ")");
    if (port.address < constantBytes || port.address > dramBytes ||
        port.numRows() > (dramBytes - port.address) / port.rowBytes)
      throw fail("must lie between the constants and the end of DRAM (was at " +
                 std::to_string(port.address) + ")");
  }
}

void validateSources(const Program &program) {
  if (program.sourceOf.size() != program.instructions.size())
    throw Error("every instruction must have a source (" +
                std::to_string(program.instructions.size()) +
                " instructions, " + std::to_string(program.sourceOf.size()) +
                " sources)");
  uint32_t used = 0;
  for (uint32_t index : program.sourceOf) {
    if (index > used || index >= program.sources.size())
      throw Error("source index out of order (was " + std::to_string(index) +
                  ")");
    used += index == used;
  }
  if (used != program.sources.size())
    throw Error("source '" + program.sources[used] + "' is not used");
  std::set<std::string> texts;
  for (const std::string &text : program.sources)
    if (text.size() > maximumTextBytes || !texts.insert(text).second)
      throw Error("source is too long or there twice (was '" +
                  text.substr(0, 100) + "')");
}

void validateMetadata(const std::string &text) {
  // A depth that no metadata has; the reader of a JSON value recurses.
  int deepest = 64;
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(
        text, [&](int depth, nlohmann::json::parse_event_t, nlohmann::json &) {
          if (depth > deepest)
            throw Error("metadata is nested too deeply");
          return true;
        });
  } catch (const nlohmann::json::exception &error) {
    throw Error(std::string("metadata is not valid JSON: ") + error.what());
  }
  if (!value.is_object())
    throw Error("metadata must be a JSON object");
}
} // namespace

void Program::validate() const {
  validateCode(instructions, machine);
  if (dramBytes > uint64_t(1) << dramBits || constantBytes > dramBytes)
    throw Error("bytes of DRAM must be in the range " +
                std::to_string(constantBytes) + " (constants) to 2^40 (was " +
                std::to_string(dramBytes) + ")");
  validatePorts(inputs, "input", constantBytes, dramBytes);
  validatePorts(outputs, "output", constantBytes, dramBytes);
  validateSources(*this);
  validateMetadata(metadata);
}
