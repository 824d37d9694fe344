//===- TokenCountersTest.cpp - What engines signal each other -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/TokenCounters.h"

#include "SampleProgram.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
/// A load that a store waits for, and a `halt`.
Program waitingStore() {
  return copyProgram({signalling(copyLoad(), Engine::STORE),
                      waiting(copyStore(), Engine::LOAD)});
}

TEST(TokenCounters, AWaitTakesItsSignal) {
  Program program = waitingStore();
  Code code(program);
  TokenCounters tokens(code, 9);
  EXPECT_FALSE(tokens.step(0));
  EXPECT_FALSE(tokens.step(1));
  EXPECT_FALSE(tokens.halt(2));
}

TEST(TokenCounters, AWaitNeedsAnEarlierSignal) {
  // The engines would get on with it; program order does not.
  Program program = copyProgram({waiting(copyStore(), Engine::LOAD),
                                 signalling(copyLoad(), Engine::STORE)});
  Code code(program);
  TokenCounters tokens(code, 9);
  std::optional<Fault> fault = tokens.step(0);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->instruction, 0u);
  EXPECT_EQ(fault->reason, "waits for tokens of LOAD for STORE that come later "
                           "in program order");
}

TEST(TokenCounters, EveryOrderedPairHasItsOwn) {
  // STORE's token for LOAD is none of PE, and none of LOAD for STORE.
  Program program = copyProgram({signalTo(EngineId::STORE, Engine::LOAD),
                                 waitFor(EngineId::LOAD, Engine::PE),
                                 waitFor(EngineId::STORE, Engine::LOAD),
                                 waitFor(EngineId::LOAD, Engine::STORE)});
  Code code(program);
  for (size_t other : {1, 2}) {
    TokenCounters tokens(code, 9);
    EXPECT_FALSE(tokens.step(0));
    EXPECT_TRUE(tokens.step(other));
  }
  TokenCounters tokens(code, 9);
  EXPECT_FALSE(tokens.step(0));
  EXPECT_FALSE(tokens.step(3));
}

TEST(TokenCounters, ASyncTakesAndGivesItsNumber) {
  Program program = copyProgram({signalTo(EngineId::LOAD, Engine::STORE, 3),
                                 waitFor(EngineId::STORE, Engine::LOAD, 2),
                                 waiting(copyStore(), Engine::LOAD)});
  Code code(program);
  TokenCounters tokens(code, 9);
  for (size_t i : {0, 1, 2})
    EXPECT_FALSE(tokens.step(i));
  EXPECT_FALSE(tokens.halt(3));
  EXPECT_TRUE(tokens.step(1));
}

TEST(TokenCounters, AnInstructionTakesBeforeItGives) {
  // What it gives is not what it takes: that is another pair.
  Program program = copyProgram(
      {withTokens(copyLoad(), setOf({Engine::STORE}), setOf({Engine::STORE})),
       withTokens(copyStore(), setOf({Engine::LOAD}), setOf({Engine::LOAD}))});
  Code code(program);
  TokenCounters tokens(code, 9);
  EXPECT_TRUE(tokens.step(0));
}

TEST(TokenCounters, ADeadlockNamesTheEngines) {
  Program program = copyProgram({waiting(copyLoad(), Engine::STORE)});
  Code code(program);
  TokenCounters tokens(code, 9);
  std::optional<Fault> fault = tokens.step(0);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->reason.rfind("deadlock: ", 0), 0u) << fault->reason;
  EXPECT_TRUE(contains(fault->reason, "LOAD")) << fault->reason;
}

TEST(TokenCounters, CountSoFarAndNoFarther) {
  Program program = waitingStore();
  Code code(program);
  TokenCounters tokens(code, 9);
  for (int64_t i = 0; i < maximumTokens; ++i)
    ASSERT_FALSE(tokens.step(0));
  std::optional<Fault> fault = tokens.step(0);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->instruction, 0u);
  EXPECT_EQ(fault->reason, "tokens of LOAD for STORE count to at most " +
                               std::to_string(maximumTokens) + " (was " +
                               std::to_string(maximumTokens + 1) + ")");
}

TEST(TokenCounters, AreZeroAtTheEnd) {
  Program program = waitingStore();
  Code code(program);
  TokenCounters tokens(code, 9);
  EXPECT_FALSE(tokens.step(0));
  std::optional<Fault> fault = tokens.halt(2);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->instruction, 2u);
  EXPECT_EQ(fault->other, 0u);
  EXPECT_EQ(fault->reason,
            "tokens of LOAD for STORE must be 0 at the end (was 1)");
}
} // namespace
