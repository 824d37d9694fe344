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

using namespace fact;
using namespace fact::isa;

namespace {
/// copyProgram, twice through the same rows; each instruction has a token for
/// the next one. That of instruction `without` is left out.
Program copyTwice(size_t without = 3) {
  std::vector<Instruction> all = {copyLoad(), copyStore(), copyLoad(),
                                  copyStore()};
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    if (i == without)
      continue;
    EngineSet wait = tokensOf(all[i]).wait;
    setTokens(all[i], wait, setOf({engineOf(all[i + 1])}));
    setTokens(all[i + 1], setOf({engineOf(all[i])}), EngineSet());
  }
  return copyProgram(all);
}

std::string check(const Program &program) {
  Code code(program);
  EXPECT_FALSE(checkProgram(code)); // in program order all is well
  std::optional<Fault> fault = checkOrder(code);
  return fault ? fault->text(code) : "";
}

TEST(CheckOrder, TokensPutEnginesInAnOrder) {
  EXPECT_EQ(check(copyTwice()), "");
}

TEST(CheckOrder, AReadNeedsItsWrite) {
  std::string text = check(copyTwice(0));
  EXPECT_TRUE(contains(text, "instruction 1 'store"));
  EXPECT_TRUE(contains(text, "operand 'src' reads bytes 0 to 143 of the "
                             "scratchpad, which LOAD may not have written yet: "
                             "no token puts one after the other"));
  EXPECT_TRUE(contains(text, "instruction 0 'load"));
}

TEST(CheckOrder, AWriteWaitsForTheReadsBefore) {
  std::string text = check(copyTwice(1));
  EXPECT_TRUE(contains(text, "instruction 2 'load"));
  EXPECT_TRUE(contains(text, "operand 'dst' writes bytes 0 to 143 of the "
                             "scratchpad, which STORE may still read"));
}

TEST(CheckOrder, ATokenOfBeforeIsNotOneOfNow) {
  // The second read has only the first write's signal.
  EXPECT_TRUE(
      contains(check(copyTwice(2)), "which LOAD may not have written yet"));
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
  std::string text = check(copyProgram({first, Loop{1, 9, 8, 0, true},
                                        signalTo(EngineId::LOAD, Engine::STORE),
                                        waitFor(EngineId::STORE, Engine::LOAD),
                                        others, EndLoop(), copyStore()}));
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
  between = signalling(between, Engine::STORE);
  Sync waits = waitFor(EngineId::STORE, Engine::LOAD);
  // The store waits for the rows that it reads, and not for the others.
  EXPECT_EQ(check(copyProgram({between, waits, load, store})), "");
  store.src.offset = load.dst.offset;
  EXPECT_TRUE(
      contains(check(copyProgram({between, waits, load, store})),
               "reads bytes 0 to 15 of the scratchpad, which LOAD may not have "
               "written"));
}

TEST(CheckOrder, OneEngineIsInOrder) {
  Program program = copyTwice();
  // Two loads into the same bytes.
  program.instructions.insert(program.instructions.begin(), copyLoad());
  program.sourceOf.insert(program.sourceOf.begin(), program.sourceOf[0]);
  EXPECT_EQ(check(program), "");
}
} // namespace
