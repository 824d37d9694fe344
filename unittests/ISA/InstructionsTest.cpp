//===- InstructionsTest.cpp - Instructions: binary, text, extents, damage -===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Instructions.h"
#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/OutputFile.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

using namespace fact;
using namespace fact::isa;

namespace {
/// Fills fields with random values of their ranges, often the ends of these.
class Randomizer {
public:
  explicit Randomizer(unsigned seed) : random(seed) {}

  void operator()(const FieldInfo &field, SramRef &ref) {
    ref = SramRef();
    if (field.optional && random() % 3 == 0)
      ref = SramRef::absent();
    else
      ref = {static_cast<uint32_t>(upTo((1 << sramBits) - 1)),
             static_cast<uint8_t>(upTo(numRegisters - 1)), true};
  }
  void operator()(const FieldInfo &, DramRef &ref) {
    ref = {static_cast<uint64_t>(upTo((int64_t(1) << dramBits) - 1)),
           static_cast<uint8_t>(upTo(numRegisters - 1))};
  }
  void operator()(const FieldInfo &, ScalarRef &ref) {
    ref = {static_cast<uint32_t>(upTo((1 << scalarBits) - 1)),
           static_cast<uint8_t>(upTo(numRegisters - 1))};
  }
  void operator()(const FieldInfo &, float &value) {
    do {
      uint32_t bits = static_cast<uint32_t>(random());
      std::memcpy(&value, &bits, sizeof(bits));
    } while (!std::isfinite(value));
    if (random() % 4 == 0)
      value = random() % 2 ? -0.0f : 1e-45f;
  }
  void operator()(const FieldInfo &, bool &value) { value = random() % 2; }
  template <typename T> void operator()(const FieldInfo &field, T &value) {
    if constexpr (std::is_enum<T>::value)
      value = static_cast<T>(field.cases[random() % field.numCases].value);
    else
      value =
          static_cast<T>(field.minimum + upTo(field.maximum - field.minimum));
  }

private:
  int64_t upTo(int64_t maximum) {
    switch (random() % 4) {
    case 0:
      return 0;
    case 1:
      return maximum;
    default:
      return static_cast<int64_t>(random() %
                                  (static_cast<uint64_t>(maximum) + 1));
    }
  }

  std::mt19937_64 random;
};

template <size_t... indices>
std::vector<Instruction> oneOfEach(std::index_sequence<indices...>) {
  return {std::variant_alternative_t<indices, Instruction>()...};
}
const std::vector<Instruction> all =
    oneOfEach(std::make_index_sequence<std::variant_size_v<Instruction>>());

/// FACT_TEST_SEED repeats a run with another seed.
unsigned seed() {
  const char *text = std::getenv("FACT_TEST_SEED");
  unsigned seed = text ? static_cast<unsigned>(std::atoi(text)) : 1;
  testing::Test::RecordProperty("seed", static_cast<int>(seed));
  return seed;
}

TEST(Instructions, BinaryRoundTrip) {
  Randomizer randomizer(seed());
  for (Instruction instruction : all)
    for (unsigned i = 0; i < 300; ++i) {
      forEachField(instruction, randomizer);
      std::vector<uint64_t> words;
      encode(instruction, words);
      ASSERT_EQ(words.size(), info(instruction).words());
      size_t position = 0;
      Instruction again = decode(words.data(), words.size(), position, 0);
      ASSERT_TRUE(again == instruction) << print(instruction);
      ASSERT_EQ(position, words.size());
      ASSERT_EQ(words[0] & 0xff, static_cast<uint64_t>(opcodeOf(instruction)));
    }
}

TEST(Instructions, TextRoundTrip) {
  Randomizer randomizer(seed());
  for (Instruction instruction : all)
    for (unsigned i = 0; i < 300; ++i) {
      forEachField(instruction, randomizer);
      std::string text = print(instruction);
      ASSERT_EQ(text.find('\n'), std::string::npos);
      ASSERT_TRUE(parse(text) == instruction) << text;
    }
}

TEST(Instructions, EveryBitOfTheEncodingMatters) {
  Randomizer randomizer(seed());
  for (Instruction instruction : all) {
    forEachField(instruction, randomizer);
    std::vector<uint64_t> words;
    encode(instruction, words);
    for (size_t bit = 0; bit < words.size() * 64; ++bit) {
      std::vector<uint64_t> bad = words;
      bad[bit / 64] ^= uint64_t(1) << bit % 64;
      auto error = catchError([&] {
        size_t position = 0;
        Instruction other = decode(bad.data(), bad.size(), position, 7);
        EXPECT_FALSE(other == instruction);
        // What is accepted is canonical.
        std::vector<uint64_t> again;
        encode(other, again);
        again.resize(bad.size()); // another opcode may be shorter
        if (opcodeOf(other) == opcodeOf(instruction)) {
          EXPECT_EQ(again, bad);
        }
      });
      if (error) {
        EXPECT_EQ(error->rfind("instruction 7: ", 0), 0u) << *error;
      } else {
        EXPECT_LT(bit, info(instruction).bits);
      }
    }
  }
}

TEST(Instructions, RandomWordsNeverCrash) {
  std::mt19937_64 random(seed());
  unsigned decoded = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    std::vector<uint64_t> words(1 + random() % 8);
    for (uint64_t &word : words)
      word = random();
    if (i % 2) // a known opcode
      words[0] = (words[0] & ~uint64_t(0xff)) |
                 static_cast<uint8_t>(opcodeOf(all[random() % all.size()]));
    catchError([&] {
      size_t position = 0;
      decode(words.data(), words.size(), position, 0);
      ++decoded;
    });
  }
  EXPECT_GT(decoded, 0u);
}

template <typename T> std::string errorOf(T body) {
  return catchError(body).value_or("");
}

TEST(Instructions, OutOfRangeFieldsAreNamed) {
  PeGemm gemm;
  gemm.rows = 1 << 20;
  std::vector<uint64_t> words;
  EXPECT_EQ(errorOf([&] { encode(Instruction(gemm), words); }),
            "'pe.gemm': field 'rows' must be in the range 0 to 1048575 (was "
            "1048576)");
  EXPECT_EQ(errorOf([&] { encode(std::vector<Instruction>{Halt(), gemm}); }),
            "instruction 1: 'pe.gemm': field 'rows' must be in the range 0 to "
            "1048575 (was 1048576)");
  EXPECT_TRUE(words.empty());
  gemm.rows = 1;
  gemm.x.offset = 1 << 24;
  EXPECT_EQ(errorOf([&] { check(gemm); }),
            "'pe.gemm': field 'x' offset must be in the range 0 to 16777215 "
            "(was 16777216)");
  gemm.x = SramRef::absent();
  EXPECT_EQ(errorOf([&] { check(gemm); }),
            "'pe.gemm': field 'x' must be present");
  ApuLayerNorm norm;
  norm.eps = std::numeric_limits<float>::infinity();
  EXPECT_EQ(errorOf([&] { check(norm); }),
            "'apu.layer_norm': field 'eps' must be finite (was inf)");
  SelTopK topk;
  topk.keep = 1025;
  EXPECT_EQ(errorOf([&] { check(topk); }),
            "'sel.topk': field 'keep' must be in the range 0 to 1024 (was "
            "1025)");
}

TEST(Instructions, DamagedWordsAreNamed) {
  EXPECT_EQ(errorOf([] { decode({255}); }),
            "instruction 0: unknown opcode 255");
  EXPECT_EQ(errorOf([] { decode({0, 64}); }),
            "instruction 1: 'pe.gemm' is cut off");
  EXPECT_EQ(errorOf([] { decode({uint64_t(1) << 63}); }),
            "instruction 0: 'halt': padding is not zero");
  // Engine 7 does not exist.
  EXPECT_EQ(errorOf([] { decode({4 | 7 << 8}); }),
            "instruction 0: 'wait': field 'engine' has no such choice (was 7)");
}

TEST(Instructions, TextErrorsAreNamed) {
  auto error = [](const char *line) { return errorOf([&] { parse(line); }); };
  EXPECT_EQ(error("nop"), "unknown instruction 'nop'");
  EXPECT_EQ(error(""), "unknown instruction ''");
  EXPECT_EQ(error("halt x=1"), "'halt': there is no field 'x'");
  EXPECT_EQ(error("wait engine=PE"), "'wait': field 'semaphore' is missing");
  EXPECT_EQ(error("wait engine=PE, semaphore=1, semaphore=1"),
            "'wait': field 'semaphore' occurs twice");
  EXPECT_EQ(error("wait engine=CPU, semaphore=1"),
            "'wait': field 'engine' must be a choice (was 'CPU')");
  EXPECT_EQ(error("wait engine=PE, semaphore=-1"),
            "'wait': field 'semaphore' must be a number (was '-1')");
  EXPECT_EQ(error("wait engine=PE, semaphore=1x"),
            "'wait': field 'semaphore' must be a number (was '1x')");
  EXPECT_EQ(error("wait engine=PE, semaphore=1024"),
            "'wait': field 'semaphore' must be in the range 0 to 1023 (was "
            "1024)");
  EXPECT_EQ(error("wait engine=PE semaphore=1"),
            "'wait': field 'engine' must be a choice (was 'PE semaphore=1')");
  EXPECT_EQ(error("wait engine=PE, semaphore=1,"),
            "'wait': expected a field after the last ','");
  EXPECT_EQ(error("wait engine"),
            "'wait': expected 'field=value' (was 'engine')");
}

TEST(Instructions, TextIsReadable) {
  ApuActivation activation;
  activation.y = {0x1000, 3, true};
  activation.row0 = {16, 2};
  activation.rows = 64;
  activation.kind = Activation::GeluTanh;
  EXPECT_EQ(print(activation),
            "apu.activation y=[0x1000+r3], x=[0x0], row0=16+r2, rows=64, n=0, "
            "y_stride=0, x_stride=0, kind=gelu_tanh");
  Load load;
  load.src = {0x40000, 1};
  EXPECT_NE(print(load).find(" src=dram[0x40000+r1],"), std::string::npos);
  PeGemm gemm;
  EXPECT_NE(print(gemm).find(" low=-,"), std::string::npos);
  EXPECT_TRUE(parse("  wait\tsemaphore = 3 ,engine=APU ") ==
              Instruction(Wait{EngineId::APU, 3}));
}

TEST(Instructions, AccessesFollowTheExtents) {
  int64_t registers[numRegisters] = {};
  registers[1] = 96;
  Resolver resolver{registers, 100};
  PeGemm gemm;
  gemm.acc.offset = 0x100;
  gemm.x = {0x200, 1, true};
  gemm.row0 = {0, 1};
  gemm.rows = 64;
  gemm.k = 32;
  gemm.n = 16;
  gemm.acc_stride = 64;
  gemm.x_stride = 32;
  gemm.w_stride = 20;
  AccessList list = accesses(gemm, resolver);
  ASSERT_EQ(list.size(), 5u);
  // LEN is 100 and row0 96: four rows.
  EXPECT_EQ(list[0].address, 0x100);
  EXPECT_EQ(list[0].bytes, 3 * 64 + 16 * 4);
  EXPECT_TRUE(!list[0].read && list[0].write && !list[0].dram);
  EXPECT_EQ(list[0].rows.count, 4);
  EXPECT_EQ(list[0].rows.stride, 64);
  EXPECT_EQ(list[0].rows.bytes, 16 * 4);
  EXPECT_EQ(list[1].address, 0x200 + 96);
  EXPECT_EQ(list[1].bytes, 3 * 32 + 32);
  EXPECT_FALSE(list[1].write);
  EXPECT_EQ(list[2].bytes, 31 * 20 + 16);
  EXPECT_STREQ(list[2].operand, "w");
  EXPECT_EQ(list[3].bytes, 0); // absent
  // Accumulators are read where they are added to.
  gemm.accumulate = true;
  EXPECT_TRUE(accesses(gemm, resolver)[0].read);
  // Past the end there is nothing to do.
  registers[1] = 100;
  for (const Access &access : accesses(gemm, resolver))
    EXPECT_EQ(access.bytes, 0);
}

TEST(Instructions, RowsOfAWeightAreNotClamped) {
  int64_t registers[numRegisters] = {};
  Resolver resolver{registers, 10};
  Load load;
  load.rows = 64;
  load.row_bytes = load.src_stride = load.dst_stride = 8;
  EXPECT_EQ(accesses(load, resolver)[0].bytes, 80);
  load.whole = true;
  EXPECT_EQ(accesses(load, resolver)[0].bytes, 512);
}

TEST(Instructions, TheMeanTokenIsOneColumn) {
  int64_t registers[numRegisters] = {};
  Resolver resolver{registers, 10};
  PeQk qk;
  qk.rows = 4;
  qk.n = 8;
  qk.k_stride = 8;
  qk.tail = true;
  EXPECT_EQ(accesses(qk, resolver)[2].bytes, 8);
  qk.tail = false;
  EXPECT_EQ(accesses(qk, resolver)[2].bytes, 0);
}

TEST(Instructions, AccessesOfWildRegistersAreDefined) {
  Randomizer randomizer(seed());
  std::mt19937_64 random(seed());
  int64_t registers[numRegisters] = {};
  for (Instruction instruction : all)
    for (unsigned i = 0; i < 200; ++i) {
      forEachField(instruction, randomizer);
      for (unsigned r = 1; r < numRegisters; ++r)
        registers[r] = static_cast<int64_t>(random() >> random() % 64);
      Resolver resolver{registers, static_cast<int64_t>(random() % 65536)};
      for (const Access &access : accesses(instruction, resolver))
        EXPECT_GE(access.bytes, 0) << print(instruction);
    }
}

TEST(Instructions, SemaphoreInstructionsAreQueuedToTheirEngine) {
  EXPECT_EQ(engineOf(Wait{EngineId::APU, 1}), Engine::APU);
  EXPECT_EQ(engineOf(Signal{EngineId::LOAD, 1}), Engine::LOAD);
  EXPECT_EQ(engineOf(PeGemm()), Engine::PE);
  EXPECT_EQ(engineOf(Halt()), Engine::CTRL);
  EXPECT_STREQ(engineName(Engine::SEL), "SEL");
}

/// Set FACT_UPDATE to write the file instead of comparing it.
TEST(Instructions, ManualIsUpToDate) {
  std::string generated(InputFile::open(FACT_ISA_MANUAL).text());
  std::string path = std::string(FACT_SOURCE_DIR) + "/docs/isa.md";
  if (std::getenv("FACT_UPDATE"))
    writeFile(path, generated);
  EXPECT_TRUE(InputFile::open(path).text() == generated)
      << "docs/isa.md is out of date: ninja update-docs";
  for (const InstructionInfo &info : instructionInfos())
    EXPECT_NE(generated.find("`" + std::string(info.mnemonic) + "`"),
              std::string::npos);
}
} // namespace
