//===- ProgramTest.cpp - Program files: round trip, and every kind of damage -*-
// C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../lib/ISA/ProgramFormat.h"

#include "fact/ISA/Program.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

#include <cstring>
#include <random>

using namespace fact;
using namespace fact::isa;

namespace {
Program sample() {
  Program program;
  program.machine = Machine::defaultMachine();
  for (unsigned i = 0; i < 20; ++i) {
    program.code.push_back(0);
    program.addSource(i % 3 ? "MatMul_3" : "");
  }
  program.addSource("MatMul_3");
  program.code.push_back(0);
  program.setConstants(std::string(1000, 'w'));
  program.inputs = {{"x", {1, -1, 64}, ElementType::Float32, 99, 1024},
                    {"scale", {}, ElementType::Float32, 0, 128}};
  program.outputs = {{"y", {1, -1, 64}, ElementType::Float32, 99, 65536}};
  program.metadata = "{\"layers\": 12}";
  program.mlir = "module {}\n";
  return program;
}

std::string parseError(const std::string &bytes) {
  return catchError(
             [&] { Program::parse(InputFile::fromBytes(bytes, "p.fact")); })
      .value_or("");
}

std::string writeError(const Program &program) {
  return catchError([&] { program.toBytes(); }).value_or("");
}

TEST(Program, RoundTrips) {
  std::string bytes = sample().toBytes();
  EXPECT_EQ(bytes, sample().toBytes());
  EXPECT_EQ(bytes.size() % 64, 0u);
  Program again = Program::parse(InputFile::fromBytes(bytes, "p.fact"));
  EXPECT_EQ(again.machine, Machine::defaultMachine());
  EXPECT_EQ(again.code, sample().code);
  EXPECT_EQ(again.inputs.at(0).name, "x");
  EXPECT_EQ(again.inputs.at(0).shape, (std::vector<int64_t>{1, -1, 64}));
  EXPECT_EQ(again.inputs.at(0).bound, 99);
  EXPECT_EQ(again.inputs.at(0).byteSize(), 99u * 64 * 4);
  EXPECT_EQ(again.inputs.at(1).byteSize(), 4u);
  EXPECT_EQ(again.outputs.at(0).address, 65536u);
  EXPECT_EQ(again.sources, (std::vector<std::string>{"", "MatMul_3"}));
  EXPECT_EQ(again.sourceOf, sample().sourceOf);
  EXPECT_EQ(again.metadata, sample().metadata);
  EXPECT_EQ(again.mlir, "module {}\n");
  ASSERT_EQ(again.constantsSize(), 1000u);
  EXPECT_EQ(again.constants()[999], 'w');
  EXPECT_EQ(reinterpret_cast<uintptr_t>(again.constants()) % 64, 0u);
  EXPECT_EQ(again.toBytes(), bytes);
}

TEST(Program, AnEmptyProgramRoundTrips) {
  Program program;
  program.machine = Machine::defaultMachine();
  std::string bytes = program.toBytes();
  Program again = Program::parse(InputFile::fromBytes(bytes, "p.fact"));
  EXPECT_FALSE(again.mlir);
  EXPECT_EQ(again.toBytes(), bytes);
}

TEST(Program, CopiesKeepTheConstantsAlive) {
  Program copy;
  {
    Program program = sample();
    copy = program;
  }
  EXPECT_EQ(copy.constants()[0], 'w');
}

TEST(Program, EveryBitFlipIsAnError) {
  std::string good = sample().toBytes();
  for (size_t byte = 0; byte < good.size(); ++byte) {
    std::string bad = good;
    bad[byte] ^= static_cast<char>(1 << byte % 8);
    EXPECT_NE(parseError(bad), "") << "byte " << byte;
  }
}

TEST(Program, TwoThousandRandomDamagesAreErrors) {
  std::string good = sample().toBytes();
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
  std::string good = sample().toBytes();
  std::mt19937 random(1);
  unsigned errors = 0;
  for (unsigned i = 0; i < 20000; ++i) {
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
          // What is accepted can be written again.
          EXPECT_FALSE(program.toBytes().empty());
        }).value_or("");
    errors += !error.empty();
  }
  EXPECT_GT(errors, 10000u);
}

TEST(Program, OtherVersionsAreNamed) {
  std::string bytes = sample().toBytes();
  bytes[8] = 9;
  repair(bytes);
  EXPECT_EQ(parseError(bytes), "'p.fact' is not a valid program: format "
                               "version must be 1 (was 9)");
  EXPECT_EQ(parseError("#!/bin/sh"),
            "'p.fact' is not a valid program: wrong magic");
  EXPECT_EQ(parseError(""), "'p.fact' is not a valid program: wrong magic");
}

TEST(Program, InvalidProgramsAreNotWritten) {
  Program program = sample();
  program.inputs[0].bound = 0;
  EXPECT_EQ(writeError(program), "input 'x': dimension out of range (was 0)");
  program = sample();
  program.inputs[1].name = "x";
  EXPECT_EQ(writeError(program), "input 'x': name is used twice");
  program = sample();
  program.outputs[0].shape = {-1, -1};
  EXPECT_EQ(writeError(program), "output 'y': more than one open dimension");
  program = sample();
  program.outputs[0].address = 3;
  EXPECT_EQ(writeError(program), "output 'y': DRAM address must be a multiple "
                                 "of 64 below 2^48 (was 3)");
  program = sample();
  program.sources.push_back("unused");
  EXPECT_EQ(writeError(program), "source 'unused' is not used");
  program = sample();
  program.metadata = "[]";
  EXPECT_EQ(writeError(program), "metadata must be a JSON object");
  program.metadata = "{";
  EXPECT_EQ(writeError(program).rfind("metadata is not valid JSON: ", 0), 0u);
}
} // namespace
