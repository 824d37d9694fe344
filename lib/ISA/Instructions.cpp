//===- Instructions.cpp - Tables, ranges and extents of instructions ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Instructions.h"

#include "InstructionTables.h"

#include "fact/Numerics/Prediction.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace fact;
using namespace fact::isa;

// The functions that extents name.

/// Bytes of a row of at most `most` that may be compact.
static int64_t rowBytes(int64_t most, int64_t stride) {
  return std::min(most, stride);
}

/// `n` rows of `last` bytes.
static Rows span(int64_t n, int64_t stride, int64_t last) {
  return {n, stride, last};
}

/// Sides that a code may be of.
static constexpr auto weight = numerics::PredictorOperand::Weight;
static constexpr auto query = numerics::PredictorOperand::Query;
static constexpr auto key = numerics::PredictorOperand::Key;

/// `n` codes of a side.
static int64_t codeBytes(Predictor predictor, numerics::PredictorOperand side,
                         int64_t n) {
  return numerics::codeBytes(
      numerics::codeOf(numerics::asPredictor<numerics::Predictor>(predictor),
                       side),
      n);
}
static int64_t codeBytes(Predictor predictor, Operand side, int64_t n) {
  return codeBytes(
      predictor, numerics::asScoreOperand<numerics::PredictorOperand>(side), n);
}

#include "fact/ISA/Instructions.cpp.inc"

bool isa::sameField(float a, float b) {
  return std::memcmp(&a, &b, sizeof(float)) == 0;
}

const std::vector<InstructionInfo> &isa::instructionInfos() { return allInfos; }

const InstructionInfo &isa::info(Opcode opcode) {
  // Opcodes are sparse: a table from opcode to row.
  static const auto rows = [] {
    std::vector<const InstructionInfo *> rows(256, nullptr);
    for (const InstructionInfo &info : allInfos)
      rows[static_cast<uint8_t>(info.opcode)] = &info;
    return rows;
  }();
  return *rows[static_cast<uint8_t>(opcode)];
}

const char *isa::engineName(Engine engine) {
  return engineNames[static_cast<unsigned>(engine)];
}

std::optional<Engine> isa::engineNamed(std::string_view name) {
  for (unsigned e = 1; e < numEngines; ++e)
    if (name == engineNames[e])
      return static_cast<Engine>(e);
  return std::nullopt;
}

std::string isa::textOf(EngineSet engines) {
  std::string text;
  engines.forEach([&](Engine engine) {
    if (!text.empty())
      text += '+';
    text += engineName(engine);
  });
  return text;
}

Engine isa::engineOf(const Instruction &instruction) {
  if (auto *sync = std::get_if<Sync>(&instruction))
    return static_cast<Engine>(sync->engine);
  return info(instruction).engine;
}

namespace {
/// The fields of an instruction that has them.
template <typename I>
auto tokensOf(const I &i, int) -> decltype(i.wait, Tokens()) {
  return {i.wait, i.signal, 1};
}
template <typename I> Tokens tokensOf(const I &, long) { return {}; }
Tokens tokensOf(const Sync &i, int) { return {i.wait, i.signal, i.times}; }

template <typename I>
auto setTokens(I &i, EngineSet wait, EngineSet signal, int)
    -> decltype(i.wait, void()) {
  i.wait = wait;
  i.signal = signal;
}
template <typename I> void setTokens(I &, EngineSet, EngineSet, long) {}
} // namespace

Tokens isa::tokensOf(const Instruction &instruction) {
  return std::visit([](const auto &i) { return ::tokensOf(i, 0); },
                    instruction);
}

void isa::setTokens(Instruction &instruction, EngineSet wait,
                    EngineSet signal) {
  std::visit([&](auto &i) { ::setTokens(i, wait, signal, 0); }, instruction);
}

AccessList isa::accesses(const Instruction &instruction,
                         const Resolver &resolver) {
  AccessList list;
  std::visit([&](auto &i) { addAccesses(i, resolver, list); }, instruction);
  return list;
}

namespace {
/// Finds the field that is out of its range.
class Checker {
public:
  Checker(const char *mnemonic, Engine engine)
      : mnemonic(mnemonic), engine(engine) {}

  void operator()(const FieldInfo &field, const SramRef &ref) const {
    if (!ref.present && !field.optional)
      fail(field, "must be present");
    if (!ref.present && (ref.offset != 0 || ref.reg != 0))
      fail(field, "is absent but has an address");
    inBits(field, "offset", ref.offset, sramBits);
    inBits(field, "register", ref.reg, registerBits);
  }
  void operator()(const FieldInfo &field, const DramRef &ref) const {
    inBits(field, "offset", ref.offset, dramBits);
    inBits(field, "register", ref.reg, registerBits);
  }
  void operator()(const FieldInfo &field, const ScalarRef &ref) const {
    inBits(field, "value", ref.value, scalarBits);
    inBits(field, "register", ref.reg, registerBits);
  }
  void operator()(const FieldInfo &field, uint32_t value) const {
    inRange(field, value);
  }
  void operator()(const FieldInfo &field, uint64_t value) const {
    if (value > INT64_MAX)
      fail(field, "is out of range (was " + std::to_string(value) + ")");
    inRange(field, static_cast<int64_t>(value));
  }
  void operator()(const FieldInfo &field, int64_t value) const {
    inRange(field, value);
  }
  void operator()(const FieldInfo &field, float value) const {
    if (!std::isfinite(value))
      fail(field, "must be finite (was " + std::to_string(value) + ")");
  }
  void operator()(const FieldInfo &, bool) const {}
  void operator()(const FieldInfo &field, EngineSet engines) const {
    if (engines.contains(engine))
      fail(field,
           std::string("must not name its own engine ") + engineName(engine));
  }
  template <typename E, typename = std::enable_if_t<std::is_enum<E>::value>>
  void operator()(const FieldInfo &field, E value) const {
    for (unsigned i = 0; i < field.numCases; ++i)
      if (field.cases[i].value == static_cast<int64_t>(value))
        return;
    fail(field, "has no such choice (was " +
                    std::to_string(static_cast<int64_t>(value)) + ")");
  }

private:
  [[noreturn]] void fail(const FieldInfo &field,
                         const std::string &reason) const {
    throw Error("'" + std::string(mnemonic) + "': field '" + field.name + "' " +
                reason);
  }

  void inBits(const FieldInfo &field, const char *part, uint64_t value,
              unsigned bits) const {
    if (value >> bits != 0)
      fail(field, std::string(part) + " must be in the range 0 to " +
                      std::to_string((uint64_t(1) << bits) - 1) + " (was " +
                      std::to_string(value) + ")");
  }

  void inRange(const FieldInfo &field, int64_t value) const {
    if (value < field.minimum || value > field.maximum)
      fail(field, "must be in the range " + std::to_string(field.minimum) +
                      " to " + std::to_string(field.maximum) + " (was " +
                      std::to_string(value) + ")");
  }

  const char *mnemonic;
  Engine engine;
};
} // namespace

void isa::check(const Instruction &instruction) {
  forEachField(instruction,
               Checker(mnemonic(instruction), engineOf(instruction)));
}
