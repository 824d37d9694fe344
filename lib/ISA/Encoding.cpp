//===- Encoding.cpp - Instructions to words and back ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionTables.h"

#include "fact/Support/Error.h"

#include <cstring>

using namespace fact;
using namespace fact::isa;

namespace {
/// Appends fields bit by bit, least significant first.
class BitWriter {
public:
  explicit BitWriter(std::vector<uint64_t> &words) : words(words) {}

  void put(uint64_t value, unsigned bits) {
    // A field may go on in the next word.
    while (bits != 0) {
      if (used == 64) {
        words.push_back(0);
        used = 0;
      }
      unsigned count = std::min(bits, 64 - used);
      uint64_t part =
          count == 64 ? value : value & ((uint64_t(1) << count) - 1);
      words.back() |= part << used;
      value = count == 64 ? 0 : value >> count;
      used += count;
      bits -= count;
    }
  }

  void operator()(const FieldInfo &, const SramRef &ref) {
    put(ref.offset, sramBits);
    put(ref.reg, registerBits);
    put(ref.present, 1);
  }
  void operator()(const FieldInfo &, const DramRef &ref) {
    put(ref.offset, dramBits);
    put(ref.reg, registerBits);
  }
  void operator()(const FieldInfo &, const ScalarRef &ref) {
    put(ref.value, scalarBits);
    put(ref.reg, registerBits);
  }
  void operator()(const FieldInfo &field, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    put(bits, field.bits);
  }
  void operator()(const FieldInfo &field, EngineSet engines) {
    put(engines.asBits(), field.bits);
  }
  template <typename T> void operator()(const FieldInfo &field, T value) {
    put(static_cast<uint64_t>(value), field.bits);
  }

private:
  std::vector<uint64_t> &words;
  unsigned used = 64;
};

/// Reads fields; the caller has made sure that there are enough words.
class BitReader {
public:
  explicit BitReader(const uint64_t *words) : words(words) {}

  uint64_t get(unsigned bits) {
    uint64_t value = 0;
    for (unsigned done = 0; done < bits;) {
      unsigned offset = position % 64;
      unsigned count = std::min(bits - done, 64 - offset);
      uint64_t part = words[position / 64] >> offset;
      if (count < 64)
        part &= (uint64_t(1) << count) - 1;
      value |= part << done;
      done += count;
      position += count;
    }
    return value;
  }

  void operator()(const FieldInfo &, SramRef &ref) {
    ref.offset = static_cast<uint32_t>(get(sramBits));
    ref.reg = static_cast<uint8_t>(get(registerBits));
    ref.present = get(1) != 0;
  }
  void operator()(const FieldInfo &, DramRef &ref) {
    ref.offset = get(dramBits);
    ref.reg = static_cast<uint8_t>(get(registerBits));
  }
  void operator()(const FieldInfo &, ScalarRef &ref) {
    ref.value = static_cast<uint32_t>(get(scalarBits));
    ref.reg = static_cast<uint8_t>(get(registerBits));
  }
  void operator()(const FieldInfo &field, float &value) {
    uint32_t bits = static_cast<uint32_t>(get(field.bits));
    std::memcpy(&value, &bits, sizeof(bits));
  }
  void operator()(const FieldInfo &field, int64_t &value) {
    uint64_t bits = get(field.bits);
    uint64_t sign = uint64_t(1) << (field.bits - 1);
    value = static_cast<int64_t>((bits ^ sign) - sign);
  }
  void operator()(const FieldInfo &field, EngineSet &engines) {
    engines = EngineSet(static_cast<unsigned>(get(field.bits)));
  }
  template <typename T> void operator()(const FieldInfo &field, T &value) {
    value = static_cast<T>(get(field.bits));
  }

private:
  const uint64_t *words;
  unsigned position = 0;
};
} // namespace

void isa::encode(const Instruction &instruction, std::vector<uint64_t> &words) {
  check(instruction);
  BitWriter writer(words);
  writer.put(static_cast<uint8_t>(opcodeOf(instruction)), 8);
  forEachField(instruction, writer);
}

std::vector<uint64_t>
isa::encode(const std::vector<Instruction> &instructions) {
  std::vector<uint64_t> words;
  for (size_t i = 0; i < instructions.size(); ++i) {
    try {
      encode(instructions[i], words);
    } catch (const Error &error) {
      throw Error("instruction " + std::to_string(i) + ": " + error.what());
    }
  }
  return words;
}

Instruction isa::decode(const uint64_t *words, size_t numWords,
                        size_t &position, size_t index) {
  auto fail = [&](const std::string &reason) {
    return Error("instruction " + std::to_string(index) + ": " + reason);
  };
  if (position >= numWords)
    throw fail("code is cut off");
  uint8_t opcode = static_cast<uint8_t>(words[position] & 0xff);
  Instruction instruction;
  if (!makeDefault(opcode, instruction))
    throw fail("unknown opcode " + std::to_string(opcode));
  const InstructionInfo &known = info(instruction);
  if (numWords - position < known.words())
    throw fail("'" + std::string(known.mnemonic) + "' is cut off");
  BitReader reader(words + position);
  reader.get(8);
  forEachField(instruction, reader);
  if (unsigned rest = known.words() * 64 - known.bits; reader.get(rest) != 0)
    throw fail("'" + std::string(known.mnemonic) + "': padding is not zero");
  try {
    check(instruction);
  } catch (const Error &error) {
    throw fail(error.what());
  }
  position += known.words();
  return instruction;
}

std::vector<Instruction> isa::decode(const std::vector<uint64_t> &words) {
  std::vector<Instruction> instructions;
  for (size_t position = 0; position < words.size();)
    instructions.push_back(
        decode(words.data(), words.size(), position, instructions.size()));
  return instructions;
}
