//===- ListingWriter.cpp - Programs to text -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Listing.h"

#include "fact/Support/Base64.h"

#include <algorithm>
#include <cstdio>

using namespace fact;
using namespace fact::isa;

namespace {
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
      result += escaped;
      continue;
    }
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string hexadecimal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

void appendPort(std::string &out, const char *directive, const Port &port) {
  out += std::string(directive) + " " + quoted(port.name) + " " +
         elementTypeName(port.type) + " [";
  for (size_t d = 0; d < port.shape.size(); ++d) {
    out += d ? ", " : "";
    out += port.shape[d] == Port::openDimension ? "?"
                                                : std::to_string(port.shape[d]);
  }
  out += "] bound=" + std::to_string(port.bound) +
         " address=" + hexadecimal(port.address) +
         " row_bytes=" + std::to_string(port.rowBytes) + "\n";
}

/// `.name BYTES`, base64 in lines of 57 bytes, `.end`.
void appendData(std::string &out, const char *name, std::string_view bytes) {
  out += std::string(name) + " " + std::to_string(bytes.size()) + "\n";
  for (size_t i = 0; i < bytes.size(); i += 57)
    out += encodeBase64(bytes.substr(i, 57)) + "\n";
  out += ".end\n";
}

void appendCode(std::string &out, const Program &program) {
  out += ".code\n";
  size_t depth = 1;
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction &instruction = program.instructions[i];
    if (i == 0 || program.sourceOf[i] != program.sourceOf[i - 1])
      out += ".source " + quoted(program.sources[program.sourceOf[i]]) + "\n";
    if (std::holds_alternative<EndLoop>(instruction))
      --depth;
    // The comment repeats the source, so that any line can be read (or searched
    // for) alone.
    out += std::string(2 * depth, ' ') + print(instruction) + " ; " +
           std::to_string(i) + " " +
           quoted(program.sources[program.sourceOf[i]]) + "\n";
    if (std::holds_alternative<Loop>(instruction))
      ++depth;
  }
  out += ".end\n";
}
} // namespace

std::string isa::formatListing(const Program &program, ListingData data) {
  program.validate();
  std::string out =
      "; " + std::to_string(program.instructions.size()) + " instructions in " +
      std::to_string(encode(program.instructions).size()) + " words, " +
      std::to_string(program.constantsSize()) + " bytes of constants\n";
  out += ".program format=" + std::to_string(programFormatVersion) +
         " isa=" + std::to_string(instructionSetVersion) + "\n";
  out += ".machine\n" + program.machine.toJson() + ".end\n";
  out += ".dram " + std::to_string(program.dramBytes) + "\n";
  for (const Port &port : program.inputs)
    appendPort(out, ".input", port);
  for (const Port &port : program.outputs)
    appendPort(out, ".output", port);
  // JSON reads better as it is; a text with line breaks would not be one line.
  bool plain = std::all_of(program.metadata.begin(), program.metadata.end(),
                           [](char c) {
                             return static_cast<unsigned char>(c) >= ' ';
                           }) &&
               program.metadata.front() == '{' &&
               program.metadata.back() == '}';
  if (plain)
    out += ".metadata " + program.metadata + "\n";
  else
    out += ".metadata " + quoted(program.metadata) + "\n";
  appendCode(out, program);
  if (data == ListingData::Omit)
    return out + ".no_data\n";
  appendData(out, ".constants",
             {reinterpret_cast<const char *>(program.constants()),
              program.constantsSize()});
  if (program.mlir)
    appendData(out, ".mlir", *program.mlir);
  return out + ".end_program\n";
}
