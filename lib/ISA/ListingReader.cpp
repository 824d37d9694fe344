//===- ListingReader.cpp - Programs from text -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Listing.h"

#include "fact/Support/Base64.h"
#include "fact/Support/Error.h"

#include <charconv>

using namespace fact;
using namespace fact::isa;

namespace {
/// Takes a text apart line by line, in the order in which formatListing()
/// writes it.
class ListingParser {
public:
  ListingParser(std::string_view text, const std::string &name)
      : rest(text), name(name) {}

  Program parse() {
    Program program;
    nextDirective(".program");
    if (number("format=") != programFormatVersion)
      fail("format version must be " + std::to_string(programFormatVersion));
    if (number("isa=") != instructionSetVersion)
      fail("instruction set version must be " +
           std::to_string(instructionSetVersion));
    endOfLine();
    parseMachine(program);
    nextDirective(".dram");
    program.dramBytes = number("");
    endOfLine();
    nextLine();
    for (; acceptDirective(".input"); nextLine())
      program.inputs.push_back(parsePort());
    for (; acceptDirective(".output"); nextLine())
      program.outputs.push_back(parsePort());
    expectDirective(".metadata");
    skipBlanks();
    if (line.substr(0, 1) == "\"") {
      program.metadata = parseString();
      endOfLine();
    } else {
      program.metadata = std::string(line);
    }
    parseCode(program);
    nextLine();
    if (acceptDirective(".no_data"))
      fail("the text was made without data (fact-objdump --no-data)");
    expectDirective(".constants");
    program.setConstants(parseData());
    nextLine();
    if (acceptDirective(".mlir")) {
      program.mlir = parseData();
      nextLine();
    }
    expectDirective(".end_program");
    endOfLine();
    while (!rest.empty()) {
      takeLine();
      if (!isComment())
        fail("unexpected text after '.end_program'");
    }
    if (auto error = catchError([&] { program.validate(); }))
      throw Error(name + ": " + *error);
    return program;
  }

private:
  [[noreturn]] void fail(const std::string &reason) const {
    throw Error(name + ":" + std::to_string(lineNumber) + ": " + reason);
  }

  //===--------------------------------------------------------------------===//
  // Lines
  //===--------------------------------------------------------------------===//

  /// The next line as it is, without its line break.
  void takeLine() {
    ++lineNumber;
    size_t end = rest.find('\n');
    line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view()
                                         : rest.substr(end + 1);
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
  }

  bool isComment() const {
    size_t first = line.find_first_not_of(" \t");
    return first == std::string_view::npos || line[first] == ';';
  }

  /// The next line that says something.
  void nextLine() {
    do {
      if (rest.empty()) {
        ++lineNumber;
        fail("unexpected end of the text");
      }
      takeLine();
    } while (isComment());
    skipBlanks();
  }

  bool acceptDirective(std::string_view directive) {
    if (line.substr(0, line.find_first_of(" \t")) != directive)
      return false;
    line.remove_prefix(directive.size());
    return true;
  }
  void expectDirective(const char *directive) {
    if (!acceptDirective(directive))
      fail(std::string("expected '") + directive + "' (was '" +
           std::string(line.substr(0, 60)) + "')");
  }
  void nextDirective(const char *directive) {
    nextLine();
    expectDirective(directive);
  }

  //===--------------------------------------------------------------------===//
  // Parts of a line
  //===--------------------------------------------------------------------===//

  void skipBlanks() {
    size_t first = line.find_first_not_of(" \t");
    line = first == std::string_view::npos ? std::string_view()
                                           : line.substr(first);
  }

  void endOfLine() {
    skipBlanks();
    if (!line.empty())
      fail("unexpected text at the end of the line (was '" +
           std::string(line.substr(0, 60)) + "')");
  }

  bool accept(std::string_view text) {
    skipBlanks();
    if (line.substr(0, text.size()) != text)
      return false;
    line.remove_prefix(text.size());
    return true;
  }

  void expect(const std::string &text) {
    if (!accept(text))
      fail("expected '" + text + "' (was '" + std::string(line.substr(0, 60)) +
           "')");
  }

  uint64_t number(const std::string &prefix) {
    expect(prefix);
    int base = accept("0x") ? 16 : 10;
    uint64_t value = 0;
    auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), value, base);
    if (error != std::errc())
      fail("expected a number (was '" + std::string(line.substr(0, 60)) + "')");
    line.remove_prefix(end - line.data());
    return value;
  }

  std::string parseString() {
    expect("\"");
    std::string result;
    while (true) {
      if (line.empty())
        fail("unterminated string");
      char c = line.front();
      line.remove_prefix(1);
      if (c == '"')
        return result;
      if (c != '\\') {
        result += c;
        continue;
      }
      if (line.substr(0, 1) == "x" && line.size() >= 3) {
        unsigned value = 0;
        auto [end, error] =
            std::from_chars(line.data() + 1, line.data() + 3, value, 16);
        if (error != std::errc() || end != line.data() + 3)
          fail("unknown escape in a string");
        result += static_cast<char>(value);
        line.remove_prefix(3);
      } else if (line.substr(0, 1) == "\"" || line.substr(0, 1) == "\\") {
        result += line.front();
        line.remove_prefix(1);
      } else {
        fail("unknown escape in a string");
      }
    }
  }

  //===--------------------------------------------------------------------===//
  // Sections
  //===--------------------------------------------------------------------===//

  void parseMachine(Program &program) {
    nextDirective(".machine");
    endOfLine();
    size_t begin = lineNumber;
    std::string text;
    while (true) {
      if (rest.empty())
        fail("'.machine' without '.end'");
      takeLine();
      if (line == ".end")
        break;
      text.append(line).append("\n");
    }
    if (auto error = catchError(
            [&] { program.machine = Machine::fromJson(text, name); })) {
      lineNumber = begin;
      fail(*error);
    }
  }

  Port parsePort() {
    Port port;
    skipBlanks();
    port.name = parseString();
    bool known = false;
    for (unsigned i = 0; i < numElementTypes && !known; ++i) {
      port.type = static_cast<ElementType>(i);
      known = accept(std::string(elementTypeName(port.type)) + " ");
    }
    if (!known)
      fail("unknown element type (was '" + std::string(line.substr(0, 60)) +
           "')");
    expect("[");
    if (!accept("]")) {
      do {
        if (accept("?")) {
          port.shape.push_back(Port::openDimension);
          continue;
        }
        uint64_t extent = number("");
        if (extent > INT64_MAX)
          fail("dimension out of range");
        port.shape.push_back(static_cast<int64_t>(extent));
      } while (accept(","));
      expect("]");
    }
    uint64_t bound = number("bound=");
    if (bound > INT64_MAX)
      fail("bound out of range");
    port.bound = static_cast<int64_t>(bound);
    port.address = number("address=");
    port.rowBytes = number("row_bytes=");
    endOfLine();
    return port;
  }

  void parseCode(Program &program) {
    nextDirective(".code");
    endOfLine();
    std::optional<std::string> source;
    for (nextLine(); !acceptDirective(".end"); nextLine()) {
      if (acceptDirective(".source")) {
        skipBlanks();
        source = parseString();
        endOfLine();
        continue;
      }
      if (!source)
        fail("expected '.source' before the first instruction");
      // Instructions contain no ';'.
      std::string_view text = line.substr(0, line.find(';'));
      if (auto error =
              catchError([&] { program.append(isa::parse(text), *source); }))
        fail(*error);
    }
    endOfLine();
  }

  std::string parseData() {
    uint64_t bytes = number("");
    endOfLine();
    size_t begin = lineNumber;
    std::string data;
    while (true) {
      if (rest.empty())
        fail("data without '.end'");
      takeLine();
      if (line == ".end")
        break;
      auto decoded = decodeBase64(line);
      if (!decoded)
        fail("not valid base64");
      data += *decoded;
    }
    if (data.size() != bytes) {
      lineNumber = begin;
      fail("data must have " + std::to_string(bytes) + " bytes (was " +
           std::to_string(data.size()) + ")");
    }
    return data;
  }

  std::string_view rest, line;
  const std::string &name;
  size_t lineNumber = 0;
};
} // namespace

Program isa::parseListing(std::string_view text, const std::string &name) {
  return ListingParser(text, name).parse();
}
