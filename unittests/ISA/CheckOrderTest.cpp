//===- CheckOrderTest.cpp - Engines wait for each other -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/CheckOrder.h"
#include "fact/ISA/CheckProgram.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
EngineId id(Engine engine) { return static_cast<EngineId>(engine); }

/// y = x, twice through the same rows of the scratchpad. The instructions that
/// `without` names by their number are left out.
Program copyTwice(std::vector<size_t> without = {}) {
  Load load;
  load.rows = 9;
  load.row_bytes = load.src_stride = load.dst_stride = 16;
  Store store;
  store.dst.offset = 1024;
  store.rows = 9;
  store.row_bytes = store.src_stride = store.dst_stride = 16;
  Wait loaded, stored;
  loaded.engine = id(Engine::STORE), loaded.semaphore = 0;
  stored.engine = id(Engine::LOAD), stored.semaphore = 1;
  Signal signalLoaded, signalStored;
  signalLoaded.engine = id(Engine::LOAD), signalLoaded.semaphore = 0;
  signalStored.engine = id(Engine::STORE), signalStored.semaphore = 1;
  Program program;
  program.machine = Machine::defaultMachine();
  program.dramBytes = 4096;
  program.inputs = {{"x", {-1, 4}, ElementType::Float32, 9, 0, 16}};
  program.outputs = {{"y", {-1, 4}, ElementType::Float32, 9, 1024, 16}};
  std::vector<Instruction> all = {
      load,   signalLoaded, loaded,       store,  signalStored,
      stored, load,         signalLoaded, loaded, store};
  for (size_t i = 0; i < all.size(); ++i)
    if (std::find(without.begin(), without.end(), i) == without.end())
      program.append(all[i], "");
  program.append(Halt(), "");
  return program;
}

std::string check(const Program &program) {
  Code code(program);
  EXPECT_FALSE(checkProgram(code)); // in program order all is well
  std::optional<Fault> fault = checkOrder(code);
  return fault ? fault->text(code) : "";
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
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

TEST(CheckOrder, OneEngineIsInOrder) {
  Program program = copyTwice();
  // Two stores of the same bytes, two loads into the same ones.
  program.instructions.insert(program.instructions.begin(),
                              program.instructions[0]);
  program.sourceOf.insert(program.sourceOf.begin(), program.sourceOf[0]);
  EXPECT_EQ(check(program), "");
}
} // namespace
