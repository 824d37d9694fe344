//===- Assembly.cpp - Instructions to text and back -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionTables.h"

#include "fact/Support/Error.h"

#include <charconv>
#include <cstdio>
#include <limits>
#include <map>

using namespace fact;
using namespace fact::isa;

namespace {
std::string hexadecimal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

/// Prints fields.
class Printer {
public:
  explicit Printer(std::string text) : text(std::move(text)) {}

  template <typename T>
  void operator()(const FieldInfo &field, const T &value) {
    if constexpr (std::is_same_v<T, EngineSet>)
      if (value.empty())
        return;
    text += first ? " " : ", ";
    first = false;
    text += field.name;
    text += '=';
    put(field, value);
  }

  std::string text;

private:
  void putRegister(uint8_t reg) {
    if (reg != 0)
      text += "+r" + std::to_string(reg);
  }

  void put(const FieldInfo &, const SramRef &ref) {
    if (!ref.present) {
      text += '-';
      return;
    }
    text += "[" + hexadecimal(ref.offset);
    putRegister(ref.reg);
    text += ']';
  }
  void put(const FieldInfo &, const DramRef &ref) {
    text += "dram[" + hexadecimal(ref.offset);
    putRegister(ref.reg);
    text += ']';
  }
  void put(const FieldInfo &, const ScalarRef &ref) {
    text += std::to_string(ref.value);
    putRegister(ref.reg);
  }
  void put(const FieldInfo &, EngineSet engines) { text += textOf(engines); }
  void put(const FieldInfo &, bool value) { text += value ? "true" : "false"; }
  void put(const FieldInfo &, float value) {
    char digits[64]; // The shortest text that reads back as the same bits.
    auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    text.append(digits, end);
  }
  template <typename T> void put(const FieldInfo &field, T value) {
    if constexpr (std::is_enum<T>::value) {
      for (unsigned i = 0; i < field.numCases; ++i)
        if (field.cases[i].value == static_cast<int64_t>(value))
          text += field.cases[i].text;
    } else {
      text += std::to_string(value);
    }
  }

  bool first = true;
};

std::string_view trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Parses fields out of `name=value` parts.
class Parser {
public:
  Parser(std::string_view mnemonic, std::string_view rest)
      : mnemonic(mnemonic) {
    while (!rest.empty()) {
      size_t comma = rest.find(',');
      std::string_view part = trimmed(rest.substr(0, comma));
      if (comma != std::string_view::npos &&
          trimmed(rest.substr(comma + 1)).empty())
        throw Error("'" + std::string(mnemonic) +
                    "': expected a field after the last ','");
      rest = comma == std::string_view::npos ? std::string_view()
                                             : rest.substr(comma + 1);
      size_t equals = part.find('=');
      if (equals == std::string_view::npos)
        throw Error("'" + std::string(mnemonic) +
                    "': expected 'field=value' (was '" + std::string(part) +
                    "')");
      std::string name(trimmed(part.substr(0, equals)));
      if (!values.emplace(name, trimmed(part.substr(equals + 1))).second)
        throw Error("'" + std::string(mnemonic) + "': field '" + name +
                    "' occurs twice");
    }
  }

  template <typename T> void operator()(const FieldInfo &field, T &value) {
    auto found = values.find(field.name);
    if (found == values.end() && field.kind == FieldKind::Engines)
      return;
    if (found == values.end())
      throw Error("'" + std::string(mnemonic) + "': field '" + field.name +
                  "' is missing");
    rest = found->second;
    current = &field;
    get(value);
    if (!rest.empty())
      fail();
    values.erase(found);
  }

  void finish() const {
    if (!values.empty())
      throw Error("'" + std::string(mnemonic) + "': there is no field '" +
                  values.begin()->first + "'");
  }

private:
  [[noreturn]] void fail() {
    static const char *const expected[] = {"a scratchpad address",
                                           "a DRAM address",
                                           "a number",
                                           "a number",
                                           "a number",
                                           "a float",
                                           "true or false",
                                           "a choice",
                                           "engines like LOAD+PE"};
    throw Error("'" + std::string(mnemonic) + "': field '" + current->name +
                "' must be " + expected[static_cast<unsigned>(current->kind)] +
                " (was '" + values.find(current->name)->second + "')");
  }

  bool accept(std::string_view prefix) {
    if (rest.substr(0, prefix.size()) != prefix)
      return false;
    rest.remove_prefix(prefix.size());
    return true;
  }
  void expect(std::string_view prefix) {
    if (!accept(prefix))
      fail();
  }

  template <typename T> T number() {
    int base = accept("0x") ? 16 : 10;
    T value;
    auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
    if (error != std::errc())
      fail();
    rest.remove_prefix(end - rest.data());
    return value;
  }

  uint8_t registerNumber() { return accept("+r") ? number<uint8_t>() : 0; }

  void get(SramRef &ref) {
    ref = SramRef();
    if (accept("-")) {
      ref.present = false;
      return;
    }
    expect("[");
    ref.offset = number<uint32_t>();
    ref.reg = registerNumber();
    expect("]");
  }
  void get(DramRef &ref) {
    expect("dram[");
    ref.offset = number<uint64_t>();
    ref.reg = registerNumber();
    expect("]");
  }
  void get(ScalarRef &ref) {
    ref.value = number<uint32_t>();
    ref.reg = registerNumber();
  }
  void get(EngineSet &engines) {
    do {
      std::string_view name = rest.substr(0, rest.find('+'));
      std::optional<Engine> engine = engineNamed(name);
      if (!engine || engines.contains(*engine))
        fail();
      engines.insert(*engine);
      rest.remove_prefix(name.size());
    } while (accept("+"));
  }
  void get(bool &value) {
    value = accept("true");
    if (!value)
      expect("false");
  }
  void get(float &value) {
    auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc())
      fail();
    rest.remove_prefix(end - rest.data());
  }
  template <typename T> void get(T &value) {
    if constexpr (std::is_enum<T>::value) {
      for (unsigned i = 0; i < current->numCases; ++i)
        if (rest == current->cases[i].text) {
          value = static_cast<T>(current->cases[i].value);
          rest = {};
          return;
        }
      fail();
    } else {
      value = number<T>();
    }
  }

  std::string_view mnemonic;
  std::map<std::string, std::string, std::less<>> values;
  std::string_view rest;
  const FieldInfo *current = nullptr;
};
} // namespace

std::string isa::print(const Instruction &instruction) {
  check(instruction);
  Printer printer(mnemonic(instruction));
  forEachField(instruction, printer);
  return std::move(printer.text);
}

Instruction isa::parse(std::string_view line) {
  line = trimmed(line);
  size_t end = std::min(line.find_first_of(" \t"), line.size());
  std::string_view name = line.substr(0, end);
  static const auto opcodes = [] {
    std::map<std::string, uint8_t, std::less<>> opcodes;
    for (const InstructionInfo &info : instructionInfos())
      opcodes[info.mnemonic] = static_cast<uint8_t>(info.opcode);
    return opcodes;
  }();
  auto found = opcodes.find(name);
  if (found == opcodes.end())
    throw Error("unknown instruction '" + std::string(name) + "'");
  Instruction instruction;
  makeDefault(found->second, instruction);
  Parser parser(name, trimmed(line.substr(end)));
  forEachField(instruction, parser);
  parser.finish();
  check(instruction);
  return instruction;
}
