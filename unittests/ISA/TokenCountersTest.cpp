//===- SemaphoresTest.cpp - Counts of signals and waits -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Semaphores.h"

#include "SampleProgram.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
/// A load that a store waits for, and a `halt`.
Program waitingStore() {
  return copyProgram({copyLoad(), Signal{EngineId::LOAD, 3},
                      Wait{EngineId::STORE, 3}, copyStore()});
}

TEST(Semaphores, AWaitTakesItsSignal) {
  Program program = waitingStore();
  Code code(program);
  Semaphores semaphores(code, 9);
  EXPECT_FALSE(semaphores.signal(1));
  EXPECT_FALSE(semaphores.wait(2));
  EXPECT_FALSE(semaphores.halt(4));
}

TEST(Semaphores, AWaitNeedsAnEarlierSignal) {
  // The engines would get on with it; program order does not.
  Program program = copyProgram({copyLoad(), Wait{EngineId::STORE, 3},
                                 Signal{EngineId::LOAD, 3}, copyStore()});
  Code code(program);
  Semaphores semaphores(code, 9);
  std::optional<Fault> fault = semaphores.wait(1);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->instruction, 1u);
  EXPECT_EQ(fault->reason, "the wait comes before its signal in program order");
}

TEST(Semaphores, ADeadlockNamesTheEngines) {
  Program program = copyProgram({Wait{EngineId::LOAD, 3}, copyLoad()});
  Code code(program);
  Semaphores semaphores(code, 9);
  std::optional<Fault> fault = semaphores.wait(0);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->reason.rfind("deadlock: ", 0), 0u) << fault->reason;
  EXPECT_TRUE(contains(fault->reason, "LOAD")) << fault->reason;
}

TEST(Semaphores, CountSoFarAndNoFarther) {
  Program program = waitingStore();
  Code code(program);
  Semaphores semaphores(code, 9);
  for (int64_t i = 0; i < maximumSemaphoreCount; ++i)
    ASSERT_FALSE(semaphores.signal(1));
  std::optional<Fault> fault = semaphores.signal(1);
  ASSERT_TRUE(fault);
  std::string most = std::to_string(maximumSemaphoreCount);
  EXPECT_EQ(fault->instruction, 1u);
  EXPECT_EQ(fault->reason, "semaphore 3 counts to at most " + most + " (was " +
                               std::to_string(maximumSemaphoreCount + 1) + ")");
}

TEST(Semaphores, AreZeroAtTheEnd) {
  Program program = waitingStore();
  Code code(program);
  Semaphores semaphores(code, 9);
  EXPECT_FALSE(semaphores.signal(1));
  std::optional<Fault> fault = semaphores.halt(4);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->instruction, 4u);
  EXPECT_EQ(fault->other, 1u);
  EXPECT_EQ(fault->reason, "semaphore 3 must be 0 at the end (was 1)");
}
} // namespace
