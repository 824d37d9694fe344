//===- CheckOrderTest.cpp - Engines wait for each other -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleProgram.h"

#include "fact/ISA/CheckOrder.h"
#include "fact/ISA/CheckProgram.h"

#include "gtest/gtest.h"

#include <algorithm>

using namespace fact;
using namespace fact::isa;

namespace {
EngineId id(Engine engine) { return static_cast<EngineId>(engine); }

/// copyProgram, twice through the same rows. The instructions that `without`
/// names by their number are left out.
Program copyTwice(std::vector<size_t> without = {}) {
  Instruction load = copyLoad(), store = copyStore();
  Signal signalLoaded{id(Engine::LOAD), 0}, signalStored{id(Engine::STORE), 1};
  Wait loaded{id(Engine::STORE), 0}, stored{id(Engine::LOAD), 1};
  std::vector<Instruction> all = {
      load,   signalLoaded, loaded,       store,  signalStored,
      stored, load,         signalLoaded, loaded, store};
  std::vector<Instruction> kept;
  for (size_t i = 0; i < all.size(); ++i)
    if (std::find(without.begin(), without.end(), i) == without.end())
      kept.push_back(all[i]);
  return copyProgram(kept);
}

std::string check(const Program &program) {
  Code code(program);
  EXPECT_FALSE(checkProgram(code)); // in program order all is well
  std::optional<Fault> fault = checkOrder(code);
  return fault ? fault->text(code) : "";
}

TEST(CheckOrder, SemaphoresPutEnginesInAnOrder) {
  EXPECT_EQ(check(copyTwice()), "");
}

TEST(CheckOrder, AReadNeedsItsWrite) {
  std::string text = check(copyTwice({1, 2}));
  EXPECT_TRUE(contains(text, "instruction 1 'store"));
  EXPECT_TRUE(contains(text, "operand 'src' reads bytes 0 to 143 of the "
                             "scratchpad, which LOAD may not have written yet: "
                             "no semaphore puts one after the other"));
  EXPECT_TRUE(contains(text, "instruction 0 'load"));
}

TEST(CheckOrder, AWriteWaitsForTheReadsBefore) {
  std::string text = check(copyTwice({4, 5}));
  EXPECT_TRUE(contains(text, "instruction 4 'load"));
  EXPECT_TRUE(contains(text, "operand 'dst' writes bytes 0 to 143 of the "
                             "scratchpad, which STORE may still read"));
}

TEST(CheckOrder, ASemaphoreOfBeforeIsNotOneOfNow) {
  // The second read has only the first write's signal.
  EXPECT_TRUE(contains(check(copyTwice({7, 8})),
                       "which LOAD may not have written yet"));
}

TEST(CheckOrder, ShortLengthsAreChecked) {
  // Row 0, then in each iteration a signal and what comes after it. For 9 rows
  // there is a second iteration, whose signal comes after all loads; for 8
  // there is none.
  Load first = copyLoad(), others = copyLoad();
  first.rows = 1;
  others.row0.value = 1;
  others.row0.reg = 1;
  others.rows = 8;
  others.src.offset = others.dst.offset = 16;
  std::string text = check(copyProgram(
      {first, Loop{1, 9, 8, true}, Signal{id(Engine::LOAD), 0},
       Wait{id(Engine::STORE), 0}, others, EndLoop(), copyStore()}));
  EXPECT_TRUE(contains(text, "reads bytes 16 to 127 of the scratchpad, which "
                             "LOAD may not have written yet"))
      << text;
  EXPECT_TRUE(contains(text, "(sequence length 8)")) << text;
}

TEST(CheckOrder, GapsBetweenRowsAreNotTouched) {
  // Rows of 16 bytes, 32 apart, and those between them by another engine.
  Load load = copyLoad();
  Store store = copyStore();
  load.row_bytes = store.row_bytes = 16;
  load.dst_stride = store.src_stride = 32;
  Load between = load;
  between.dst.offset = load.dst.offset + 16;
  store.src.offset = between.dst.offset;
  Signal loaded{id(Engine::LOAD), 0};
  Wait waits{id(Engine::STORE), 0};
  // The store waits for the rows that it reads, and not for the others.
  EXPECT_EQ(check(copyProgram({between, loaded, waits, load, store})), "");
  store.src.offset = load.dst.offset;
  EXPECT_TRUE(
      contains(check(copyProgram({between, loaded, waits, load, store})),
               "reads bytes 0 to 15 of the scratchpad, which LOAD may not have "
               "written"));
}

TEST(CheckOrder, OneEngineIsInOrder) {
  Program program = copyTwice();
  // Two stores of the same bytes, two loads into the same ones.
  program.instructions.insert(program.instructions.begin(),
                              program.instructions[0]);
  program.sourceOf.insert(program.sourceOf.begin(), program.sourceOf[0]);
  EXPECT_EQ(check(program), "");
}
} // namespace
