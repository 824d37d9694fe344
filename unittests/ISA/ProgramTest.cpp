//===- ProgramTest.cpp - Program files: round trip, all kinds of damage ---===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../lib/ISA/ProgramFormat.h"

#include "SampleProgram.h"

#include "fact/ISA/Program.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>
#include <random>

using namespace fact;
using namespace fact::isa;

namespace {
std::string parseError(const std::string &bytes) {
  return catchError(
             [&] { Program::parse(InputFile::fromBytes(bytes, "p.fact")); })
      .value_or("");
}

std::string writeError(const Program &program) {
  return catchError([&] { program.toBytes(); }).value_or("");
}

TEST(Program, RoundTrips) {
  std::string bytes = sampleProgram().toBytes();
  EXPECT_EQ(bytes, sampleProgram().toBytes());
  EXPECT_EQ(bytes.size() % 64, 0u);
  Program again = Program::parse(InputFile::fromBytes(bytes, "p.fact"));
  EXPECT_EQ(again.machine, Machine::defaultMachine());
  EXPECT_TRUE(again.instructions == sampleProgram().instructions);
  EXPECT_EQ(again.dramBytes, uint64_t(1) << 20);
  EXPECT_EQ(again.inputs.at(0).name, "x");
  EXPECT_EQ(again.inputs.at(0).shape, (std::vector<int64_t>{1, -1, 64}));
  EXPECT_EQ(again.inputs.at(0).bound, 99);
  EXPECT_EQ(again.inputs.at(0).byteSize(), 99u * 64 * 4);
  EXPECT_EQ(again.inputs.at(1).byteSize(), 4u);
  EXPECT_EQ(again.outputs.at(0).address, 65536u);
  EXPECT_EQ(again.outputs.at(0).rowElementBytes(), 240u);
  EXPECT_EQ(again.sources, (std::vector<std::string>{"", "Add_4", "MatMul_3"}));
  EXPECT_EQ(again.sourceOf, sampleProgram().sourceOf);
  EXPECT_EQ(again.metadata, sampleProgram().metadata);
  EXPECT_EQ(again.mlir, "module {}\n");
  ASSERT_EQ(again.constantsSize(), 1000u);
  EXPECT_EQ(again.constants()[999], 'w');
  EXPECT_EQ(reinterpret_cast<uintptr_t>(again.constants()) % 64, 0u);
  EXPECT_EQ(again.toBytes(), bytes);
}

TEST(Program, ASmallestProgramRoundTrips) {
  Program program;
  program.machine = Machine::defaultMachine();
  program.append(Halt(), "");
  std::string bytes = program.toBytes();
  Program again = Program::parse(InputFile::fromBytes(bytes, "p.fact"));
  EXPECT_FALSE(again.mlir);
  EXPECT_EQ(again.toBytes(), bytes);
}

TEST(Program, CopiesKeepTheConstantsAlive) {
  Program copy;
  {
    Program program = sampleProgram();
    copy = program;
  }
  EXPECT_EQ(copy.constants()[0], 'w');
}

TEST(Program, EveryBitFlipIsAnError) {
  std::string good = sampleProgram().toBytes();
  for (size_t byte = 0; byte < good.size(); ++byte) {
    std::string bad = good;
    bad[byte] ^= static_cast<char>(1 << byte % 8);
    EXPECT_NE(parseError(bad), "") << "byte " << byte;
  }
}

TEST(Program, TwoThousandRandomDamagesAreErrors) {
  std::string good = sampleProgram().toBytes();
  std::mt19937 random(1);
  for (unsigned i = 0; i < 2000; ++i) {
    std::string bad = good;
    switch (random() % 4) {
    case 0:
      bad.resize(random() % good.size());
      break;
    case 1:
      bad.insert(random() % good.size(), 1 + random() % 100, '\0');
      break;
    case 2:
      for (unsigned k = 0; k < 8; ++k)
        bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
      break;
    default:
      bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    }
    if (bad == good)
      continue;
    std::string error = parseError(bad);
    EXPECT_NE(error.find("'p.fact'"), std::string::npos) << error;
  }
}

/// Makes the checksums of a damaged file right again, so that what stands
/// behind them is tried, too.
void repair(std::string &bytes) {
  FileHeader header;
  if (bytes.size() < sizeof(header))
    return;
  std::memcpy(&header, bytes.data(), sizeof(header));
  size_t tableBytes = header.sections * sizeof(SectionEntry);
  if (header.sections <= numSections &&
      sizeof(header) + tableBytes <= bytes.size()) {
    for (size_t i = 0; i < header.sections; ++i) {
      SectionEntry entry;
      char *at = &bytes[sizeof(header) + i * sizeof(entry)];
      std::memcpy(&entry, at, sizeof(entry));
      if (entry.offset > bytes.size() ||
          entry.bytes > bytes.size() - entry.offset)
        continue;
      entry.checksum = checksum(bytes.data() + entry.offset, entry.bytes);
      std::memcpy(at, &entry, sizeof(entry));
    }
    header.tableChecksum = checksum(bytes.data() + sizeof(header), tableBytes);
  }
  header.fileBytes = bytes.size();
  header.headerChecksum =
      checksum(&header, offsetof(FileHeader, headerChecksum));
  std::memcpy(&bytes[0], &header, sizeof(header));
}

TEST(Program, DamageUnderRightChecksumsIsAnErrorOrAProgram) {
  std::string good = sampleProgram().toBytes();
  std::mt19937 random(1);
  unsigned errors = 0;
  for (unsigned i = 0; i < 6000; ++i) {
    std::string bad = good;
    for (unsigned k = 0; k <= random() % 3; ++k) {
      size_t at = random() % bad.size();
      if (random() % 2)
        bad[at] = static_cast<char>(random());
      else // numbers are where large values hurt
        for (size_t j = at; j < std::min(at + 4, bad.size()); ++j)
          bad[j] = '\xff';
    }
    if (random() % 8 == 0)
      bad.resize(random() % bad.size() / 64 * 64);
    repair(bad);
    std::string error =
        catchError([&] {
          Program program = Program::parse(InputFile::fromBytes(bad, "p.fact"));
          // What is accepted is written back as it was.
          EXPECT_TRUE(program.toBytes() == bad);
        }).value_or("");
    errors += !error.empty();
  }
  EXPECT_GT(errors, 3000u);
}

TEST(Program, OtherVersionsAreNamed) {
  std::string bytes = sampleProgram().toBytes();
  bytes[8] = 9;
  repair(bytes);
  EXPECT_EQ(parseError(bytes), "'p.fact' is not a valid program: format "
                               "version must be 1 (was 9)");
  EXPECT_EQ(parseError("#!/bin/sh"),
            "'p.fact' is not a valid program: wrong magic");
  EXPECT_EQ(parseError(""), "'p.fact' is not a valid program: wrong magic");
}

TEST(Program, InvalidProgramsAreNotWritten) {
  Program program = sampleProgram();
  program.inputs[0].bound = 0;
  EXPECT_EQ(writeError(program), "input 'x': dimension out of range (was 0)");
  program = sampleProgram();
  program.inputs[1].name = "x";
  EXPECT_EQ(writeError(program), "input 'x': name is used twice");
  program = sampleProgram();
  program.outputs[0].shape = {-1, -1};
  EXPECT_EQ(writeError(program), "output 'y': more than one open dimension");
  program = sampleProgram();
  program.outputs[0].address = 3;
  EXPECT_EQ(writeError(program),
            "output 'y': DRAM address must be a multiple of 64 (was 3)");
  program = sampleProgram();
  program.outputs[0].rowBytes = 239;
  EXPECT_EQ(writeError(program), "output 'y': bytes per row must be in the "
                                 "range 240 to 4294967295 (was 239)");
  program = sampleProgram();
  program.outputs[0].address = (1 << 20) - 64;
  EXPECT_EQ(writeError(program), "output 'y': must lie between the constants "
                                 "and the end of DRAM (was at 1048512)");
  program.outputs[0].address = 960;
  EXPECT_EQ(writeError(program), "output 'y': must lie between the constants "
                                 "and the end of DRAM (was at 960)");
  program = sampleProgram();
  program.dramBytes = 999;
  EXPECT_EQ(writeError(program), "bytes of DRAM must be in the range 1000 "
                                 "(constants) to 2^40 (was 999)");
  program = sampleProgram();
  program.sourceOf.pop_back();
  EXPECT_EQ(writeError(program), "every instruction must have a source (25 "
                                 "instructions, 24 sources)");
  program = sampleProgram();
  program.sources.push_back("unused");
  EXPECT_EQ(writeError(program), "source 'unused' is not used");
  program = sampleProgram();
  program.metadata = "[]";
  EXPECT_EQ(writeError(program), "metadata must be a JSON object");
  program.metadata = "{";
  EXPECT_EQ(writeError(program).rfind("metadata is not valid JSON: ", 0), 0u);
}

TEST(Program, CodeMustBeAProgram) {
  auto error = [](std::vector<Instruction> instructions) {
    Program program;
    program.machine = Machine::load(std::string(FACT_SOURCE_DIR) +
                                    "/machines/fact-28nm.json");
    program.machine.control.registers = 8;
    for (const Instruction &instruction : instructions)
      program.append(instruction, "");
    return writeError(program);
  };
  EXPECT_EQ(error({Loop{7, 8, 4, 0, true}, MulAdd{6, 7, 0, -1, 2}, EndLoop(),
                   signalTo(EngineId::PE, Engine::APU),
                   waitFor(EngineId::APU, Engine::PE), Halt()}),
            "");
  EXPECT_EQ(error({}), "the last instruction must be 'halt'");
  EXPECT_EQ(error({EpBias()}), "the last instruction must be 'halt'");
  EXPECT_EQ(error({Halt(), Halt()}),
            "instruction 0: 'halt' must be the last instruction");
  EXPECT_EQ(error({Loop{1, 8, 4, 0, true}, Halt()}),
            "instruction 0: 'loop' has no 'endloop'");
  EXPECT_EQ(error({EndLoop(), Halt()}),
            "instruction 0: 'endloop' without 'loop'");
  EXPECT_EQ(error({Loop{1, 8, 0, 0, true}, EndLoop(), Halt()}),
            "instruction 0: 'loop': step must be positive (was 0)");
  EXPECT_EQ(error({Loop{0, 8, 1, 0, true}, EndLoop(), Halt()}),
            "instruction 0: 'loop' must not write r0");
  EXPECT_EQ(error({Loop{1, 8, 1, 0, true}, Loop{1, 8, 1, 0, true}, EndLoop(),
                   EndLoop(), Halt()}),
            "instruction 1: 'loop' must not write the register of a loop "
            "around it (was r1)");
  EXPECT_EQ(
      error({Loop{1, 8, 1, 0, true}, MulAdd{1, 0, 0, 0, 0}, EndLoop(), Halt()}),
      "instruction 1: 'muladd' must not write the register of a loop "
      "around it (was r1)");
  EXPECT_EQ(error({Loop{8, 8, 1, 0, true}, EndLoop(), Halt()}),
            "instruction 0: 'loop': the machine has 8 registers (was r8)");
  PeGemm gemm;
  gemm.low = {0, 9, true};
  EXPECT_EQ(error({gemm, Halt()}),
            "instruction 0: 'pe.gemm': the machine has 8 registers (was r9)");
  EXPECT_EQ(error({signalTo(EngineId::PE, Engine::PE), Halt()}),
            "instruction 0: 'sync': field 'signal' must not name its own "
            "engine PE");
  EXPECT_EQ(error({waiting(ApuMean(), Engine::APU), Halt()}),
            "instruction 0: 'apu.mean': field 'wait' must not name its own "
            "engine APU");
  EXPECT_EQ(error({signalTo(EngineId::PE, Engine::APU, 0), Halt()}),
            "instruction 0: 'sync': times must be positive (was 0)");
  std::vector<Instruction> deep;
  for (unsigned i = 1; i <= 17; ++i)
    deep.push_back(Loop{i % 7 + 1, 1, 1, 0, true});
  EXPECT_NE(error(deep), "");
}

/// A file that version 1 of the format wrote stays readable, and stays what is
/// written for its program. Only a change before the first release may replace
/// it (FACT_UPDATE_FIXTURES).
TEST(Program, FormatVersion1StaysReadable) {
  std::string path =
      std::string(FACT_SOURCE_DIR) + "/unittests/ISA/Inputs/format-1.fact";
  Program program;
  program.machine =
      Machine::load(std::string(FACT_SOURCE_DIR) + "/machines/fact-28nm.json");
  program.append(Loop{1, 512, 64, 0, true}, "/layers.0/Add");
  program.append(waitFor(EngineId::APU, Engine::LOAD), "/layers.0/Add");
  program.append(
      Sync{EngineId::APU, 2, setOf({Engine::PE}), setOf({Engine::STORE})},
      "/layers.0/Add");
  program.append(EndLoop(), "/layers.0/Add");
  program.append(Halt(), "end");
  program.setConstants("abc");
  program.dramBytes = 1 << 17;
  program.inputs = {{"x", {1, -1, 64}, ElementType::Float32, 99, 64, 256}};
  program.outputs = {{"y", {1, -1, 64}, ElementType::Float32, 99, 65536, 256}};
  program.metadata = "{\"policy\": \"dense\"}";
  program.mlir = "module {}\n";
  if (std::getenv("FACT_UPDATE_FIXTURES"))
    program.write(path);
  Program fixture = Program::read(path);
  EXPECT_TRUE(fixture.instructions == program.instructions);
  EXPECT_EQ(fixture.sources, program.sources);
  EXPECT_EQ(fixture.metadata, program.metadata);
  EXPECT_EQ(fixture.mlir, program.mlir);
  EXPECT_EQ(fixture.inputs.at(0).name, "x");
  EXPECT_EQ(fixture.constants()[2], 'c');
  EXPECT_TRUE(fixture.toBytes() == InputFile::open(path).text());
}
} // namespace
