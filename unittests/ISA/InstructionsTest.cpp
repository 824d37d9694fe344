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

  /// Fills all fields.
  void fill(Instruction &instruction) {
    // Of `sync`: the one that its sets must not name.
    forEachField(instruction, [&](const FieldInfo &field, auto &value) {
      if (field.kind == FieldKind::Enum)
        (*this)(field, value);
    });
    engine = engineOf(instruction);
    forEachField(instruction, [&](const FieldInfo &field, auto &value) {
      if (field.kind != FieldKind::Enum)
        (*this)(field, value);
    });
  }

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
  void operator()(const FieldInfo &, EngineSet &engines) {
    engines = EngineSet();
    EngineSet(static_cast<unsigned>(upTo(63))).forEach([&](Engine other) {
      if (other != engine)
        engines.insert(other);
    });
  }
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
  Engine engine = Engine::CTRL; ///< Of the instruction at hand.
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
      randomizer.fill(instruction);
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
      randomizer.fill(instruction);
      std::string text = print(instruction);
      ASSERT_EQ(text.find('\n'), std::string::npos);
      ASSERT_TRUE(parse(text) == instruction) << text;
    }
}

TEST(Instructions, EveryBitOfTheEncodingMatters) {
  Randomizer randomizer(seed());
  for (Instruction instruction : all) {
    randomizer.fill(instruction);
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
  ApuNorm norm;
  norm.eps = std::numeric_limits<float>::infinity();
  EXPECT_EQ(errorOf([&] { check(norm); }),
            "'apu.norm': field 'eps' must be finite (was inf)");
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
            "instruction 0: 'sync': field 'engine' has no such choice (was 7)");
  // STORE waits for itself.
  EXPECT_EQ(errorOf([] { decode({4 | 2 << 8 | 1 << 11 | 2 << 21}); }),
            "instruction 0: 'sync': field 'wait' must not name its own engine "
            "STORE");
}

TEST(Instructions, NoneNamesItsOwnEngine) {
  size_t checked = 0;
  for (Instruction instruction : all) {
    if (auto *sync = std::get_if<Sync>(&instruction))
      sync->engine = EngineId::SEL;
    Engine engine = engineOf(instruction);
    if (engine == Engine::CTRL)
      continue; // has no tokens
    ++checked;
    EngineSet own, others;
    for (unsigned e = 1; e < numEngines; ++e)
      (static_cast<Engine>(e) == engine ? own : others)
          .insert(static_cast<Engine>(e));
    auto errorWith = [&](EngineSet wait, EngineSet signal) {
      setTokens(instruction, wait, signal);
      return errorOf([&] { check(instruction); });
    };
    EXPECT_EQ(errorWith(others, others), "");
    for (const char *field : {"wait", "signal"}) {
      bool isWait = field == std::string("wait");
      EXPECT_EQ(errorWith(isWait ? own : others, isWait ? others : own),
                "'" + std::string(mnemonic(instruction)) + "': field '" +
                    field + "' must not name its own engine " +
                    engineName(engine));
    }
  }
  EXPECT_EQ(checked, all.size() - 7);
}

TEST(Instructions, TextErrorsAreNamed) {
  auto error = [](const char *line) { return errorOf([&] { parse(line); }); };
  EXPECT_EQ(error("nop"), "unknown instruction 'nop'");
  EXPECT_EQ(error(""), "unknown instruction ''");
  EXPECT_EQ(error("halt x=1"), "'halt': there is no field 'x'");
  EXPECT_EQ(error("sync engine=PE"), "'sync': field 'times' is missing");
  EXPECT_EQ(error("sync engine=PE, times=1, times=1"),
            "'sync': field 'times' occurs twice");
  EXPECT_EQ(error("sync engine=CPU, times=1"),
            "'sync': field 'engine' must be a choice (was 'CPU')");
  EXPECT_EQ(error("sync engine=PE, times=-1"),
            "'sync': field 'times' must be a number (was '-1')");
  EXPECT_EQ(error("sync engine=PE, times=1x"),
            "'sync': field 'times' must be a number (was '1x')");
  EXPECT_EQ(error("sync engine=PE, times=1024"),
            "'sync': field 'times' must be in the range 0 to 1023 (was "
            "1024)");
  EXPECT_EQ(error("sync engine=PE times=1"),
            "'sync': field 'engine' must be a choice (was 'PE times=1')");
  EXPECT_EQ(error("sync engine=PE, times=1,"),
            "'sync': expected a field after the last ','");
  EXPECT_EQ(error("sync engine"),
            "'sync': expected 'field=value' (was 'engine')");
  for (const char *engines : {"", "CTRL", "CPU", "LOAD+", "+LOAD", "LOAD+LOAD",
                              "LOAD,PE", "LOADPE", "LOAD + PE", "load", "1"}) {
    std::string line = "sync engine=APU, times=1, wait=" + std::string(engines);
    EXPECT_NE(error(line.c_str()), "") << line;
  }
  EXPECT_EQ(error("sync engine=APU, times=1, wait=LOAD+LOAD"),
            "'sync': field 'wait' must be engines like LOAD+PE (was "
            "'LOAD+LOAD')");
  EXPECT_EQ(error("sync engine=APU, times=1, wait=PE+APU"),
            "'sync': field 'wait' must not name its own engine APU");
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
  EXPECT_TRUE(parse("  sync\ttimes = 3 ,engine=APU ") ==
              Instruction(Sync{EngineId::APU, 3, {}, {}}));
}

TEST(Instructions, SetsOfEnginesInText) {
  auto twice = [](const std::string &text) { return print(parse(text)); };
  // An empty set is left out; engines come by their numbers.
  EXPECT_EQ(twice("sync engine=EP, times=2"), "sync engine=EP, times=2");
  EXPECT_EQ(twice("sync engine=EP, times=2, signal=LOAD"),
            "sync engine=EP, times=2, signal=LOAD");
  EXPECT_EQ(twice("sync signal=APU+STORE, wait=PE+LOAD+SEL, engine=EP, "
                  "times=2"),
            "sync engine=EP, times=2, wait=LOAD+SEL+PE, signal=STORE+APU");
  SelCountAll count;
  EXPECT_EQ(
      print(count),
      "sel.count_all count=[0x0], row0=0, rows=0, heads=0, left=0, right=0");
  for (unsigned bits = 0; bits < 64; ++bits) {
    count.wait = EngineSet(bits & ~8u); // SEL is its own engine
    count.signal = EngineSet(~bits & 63 & ~8u);
    EXPECT_TRUE(parse(print(count)) == Instruction(count)) << print(count);
  }
  EXPECT_NE(print(count).find(", wait=LOAD+STORE+EP+PE+APU"),
            std::string::npos);
}

TEST(Instructions, ALoopHasExtraSteps) {
  Loop loop{1, 100, 16, 3, true};
  EXPECT_EQ(print(loop), "loop rd=1, limit=100, step=16, extra=3, len=true");
  EXPECT_TRUE(parse(print(loop)) == Instruction(loop));
  loop.extra = 256;
  EXPECT_EQ(errorOf([&] { check(loop); }),
            "'loop': field 'extra' must be in the range 0 to 255 (was 256)");
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

/// Codes of a leading one are half bytes, on the sides where a predictor has
/// them.
TEST(Instructions, CodesAreAsWideAsTheirPredictorSays) {
  int64_t registers[numRegisters] = {};
  Resolver resolver{registers, 100};
  struct {
    Predictor predictor;
    int64_t weight, query, key; // bytes of 7
  } cases[] = {{Predictor::LeadingOne, 4, 4, 4},
               {Predictor::LeadingTwo, 7, 7, 7},
               {Predictor::OneSided, 4, 4, 7},
               {Predictor::Exact, 7, 7, 7}};
  for (auto [predictor, weight, query, key] : cases) {
    EpProject project;
    project.rows = 3;
    project.k = 5;
    project.n = 7;
    project.x_stride = 5;
    project.w_stride = 16;
    project.predictor = predictor;
    AccessList list = accesses(project, resolver);
    EXPECT_EQ(list[1].bytes, 2 * 5 + 5); // rows are encoded later
    EXPECT_EQ(list[2].rows.bytes, weight);
    EXPECT_EQ(list[2].bytes, 4 * 16 + weight);
    EpNormalize normalize;
    normalize.rows = 3;
    normalize.n = 7;
    normalize.code_stride = 16;
    normalize.predictor = predictor;
    normalize.operand = Operand::Query;
    EXPECT_EQ(accesses(normalize, resolver)[0].bytes, 2 * 16 + query);
    normalize.operand = Operand::Key;
    EXPECT_EQ(accesses(normalize, resolver)[0].bytes, 2 * 16 + key);
    EpScore score;
    score.rows = 3;
    score.cols = 2;
    score.n = 7;
    score.q_stride = score.k_stride = 16;
    score.predictor = predictor;
    list = accesses(score, resolver);
    EXPECT_EQ(list[1].bytes, 2 * 16 + query);
    EXPECT_EQ(list[2].bytes, 16 + key);
  }
}

/// Iterations before the first row, as those behind the last one, are empty.
TEST(Instructions, RowsBeforeTheFirstAreNone) {
  int64_t registers[numRegisters] = {};
  Resolver resolver{registers, 100};
  PeQk qk;
  qk.row0 = {0, 1};
  qk.col0 = {0, 2};
  qk.rows = qk.cols = 64;
  qk.n = qk.q_stride = qk.k_stride = 8;
  qk.score_stride = 256;
  for (int64_t first : {-1, -63, -64, -1000}) {
    registers[1] = first;
    registers[2] = 0;
    EXPECT_EQ(resolver.extent(qk.row0, 64), 0);
    for (unsigned operand : {0, 1}) // scores, queries
      EXPECT_EQ(accesses(qk, resolver)[operand].bytes, 0);
    registers[1] = 0;
    registers[2] = first; // no keys
    EXPECT_EQ(resolver.extent(qk.col0, 64), 0);
    for (unsigned operand : {0, 2}) // scores, keys
      EXPECT_EQ(accesses(qk, resolver)[operand].bytes, 0);
  }
  // The sum counts, not the register alone.
  registers[1] = -64;
  qk.row0.value = 64;
  EXPECT_EQ(resolver.extent(qk.row0, 64), 64);
  // Rows that are not of the sequence are there where the first one is.
  Load load;
  load.row0 = {0, 1};
  load.rows = 4;
  load.row_bytes = load.src_stride = load.dst_stride = 8;
  for (const Access &access : accesses(load, resolver))
    EXPECT_EQ(access.bytes, 0);
  load.whole = true;
  EXPECT_EQ(accesses(load, resolver)[0].bytes, 0);
  registers[1] = 0;
  EXPECT_EQ(accesses(load, resolver)[0].bytes, 32);
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
      randomizer.fill(instruction);
      for (unsigned r = 1; r < numRegisters; ++r)
        registers[r] = static_cast<int64_t>(random() >> random() % 64);
      Resolver resolver{registers, static_cast<int64_t>(random() % 65536)};
      for (const Access &access : accesses(instruction, resolver))
        EXPECT_GE(access.bytes, 0) << print(instruction);
    }
}

TEST(Instructions, ASyncIsQueuedToItsEngine) {
  EXPECT_EQ(engineOf(Sync{EngineId::APU, 1, {}, {}}), Engine::APU);
  EXPECT_EQ(engineOf(Sync{EngineId::LOAD, 1, {}, {}}), Engine::LOAD);
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
