//===- QueuesTest.cpp - What the engines may do next ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleProgram.h"

#include "fact/ISA/Queues.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
TEST(Queues, EnginesGoOnWhereTheyNeedNotWait) {
  Program program =
      copyProgram({copyLoad(), signalTo(EngineId::LOAD, Engine::STORE),
                   waiting(copyStore(), Engine::LOAD)});
  Code code(program);
  Queues queues(code, 4);
  EXPECT_FALSE(queues.canStep(Engine::LOAD)); // nothing is dispatched
  std::vector<size_t> dispatched;
  while (queues.canStep(Engine::CTRL))
    dispatched.push_back(queues.step(Engine::CTRL).index);
  EXPECT_EQ(dispatched, (std::vector<size_t>{0, 1, 2, 3}));
  EXPECT_FALSE(queues.isDone());
  EXPECT_FALSE(queues.canStep(Engine::STORE)); // it has no token
  EXPECT_FALSE(queues.canStep(Engine::PE));
  EXPECT_EQ(queues.step(Engine::LOAD).index, 0u);
  EXPECT_FALSE(queues.canStep(Engine::STORE));
  EXPECT_EQ(queues.step(Engine::LOAD).index, 1u);
  EXPECT_EQ(queues.step(Engine::STORE).index, 2u);
  EXPECT_TRUE(queues.isDone());
}

TEST(Queues, ASyncMovesAllItsTokensAtOnce) {
  Program program = copyProgram({signalling(copyLoad(), Engine::STORE),
                                 signalling(copyLoad(), Engine::STORE),
                                 waitFor(EngineId::STORE, Engine::LOAD, 2)});
  Code code(program);
  Queues queues(code, 4);
  while (queues.canStep(Engine::CTRL))
    queues.step(Engine::CTRL);
  queues.step(Engine::LOAD);
  EXPECT_FALSE(queues.canStep(Engine::STORE)); // one of two
  queues.step(Engine::LOAD);
  queues.step(Engine::STORE);
  EXPECT_TRUE(queues.isDone());
}

TEST(Queues, AFullQueueHoldsTheControlProcessor) {
  Program program = copyProgram({copyLoad(), copyLoad(), copyStore()});
  program.machine.control.queueDepth = 1;
  Code code(program);
  Queues queues(code, 4);
  queues.step(Engine::CTRL);
  // The second load has no place, so the store is not reached either.
  EXPECT_FALSE(queues.canStep(Engine::CTRL));
  EXPECT_FALSE(queues.canStep(Engine::STORE));
  queues.step(Engine::LOAD);
  EXPECT_TRUE(queues.canStep(Engine::CTRL));
}

TEST(Queues, InstructionsKeepTheRegistersOfTheirDispatch) {
  Program program = copyProgram(
      {Loop{1, 3, 1, 0, false}, copyLoad(), EndLoop(), copyStore()});
  Code code(program);
  Queues queues(code, 4);
  while (queues.canStep(Engine::CTRL))
    queues.step(Engine::CTRL);
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(queues.step(Engine::LOAD).registers[1], i);
  EXPECT_FALSE(queues.canStep(Engine::LOAD));
}

TEST(Queues, WhoIsBlocked) {
  Program program =
      copyProgram({waiting(copyLoad(), Engine::STORE), copyLoad(), copyLoad(),
                   signalTo(EngineId::STORE, Engine::LOAD)});
  program.machine.control.queueDepth = 2;
  Code code(program);
  Queues queues(code, 4);
  while (queues.canStep(Engine::CTRL))
    queues.step(Engine::CTRL);
  EXPECT_FALSE(queues.isDone());
  std::string blocked = queues.blockedSet();
  EXPECT_TRUE(contains(blocked, "LOAD waits at instruction 0 'load"))
      << blocked;
  EXPECT_TRUE(contains(blocked, "the control processor waits for a place in "
                                "the queue of LOAD at instruction 2 'load"))
      << blocked;
}
} // namespace
