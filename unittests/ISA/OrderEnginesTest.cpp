//===- OrderEnginesTest.cpp - Tokens that order a program's engines -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleProgram.h"

#include "fact/ISA/CheckOrder.h"
#include "fact/ISA/CheckProgram.h"
#include "fact/ISA/OrderEngines.h"
#include "fact/ISA/TokenCounters.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <random>

using namespace fact;
using namespace fact::isa;

namespace {
//===----------------------------------------------------------------------===//
// Programs: y = x or so, at most 9 rows of 16 bytes, 2 in a block
//===----------------------------------------------------------------------===//

// Places in the scratchpad.
constexpr uint32_t first = 0, second = 1024, third = 2048;

// What registers hold: a loop's row, and its place in bytes.
constexpr uint32_t row = 1, place = 2;

Loop loopOverRows(uint32_t step = 2, uint32_t extra = 0, uint32_t rd = row) {
  return {rd, 9, step, extra, true};
}
MulAdd placeOfRow(uint32_t rd = place, uint32_t rs = row, int64_t rows = 0) {
  return {rd, rs, 0, 16, rows * 16};
}

/// A block of rows from DRAM to a buffer of its size.
Load loadBlock(uint32_t to, uint32_t rows = 2) {
  Load i = copyLoad();
  i.dst.offset = to;
  i.src.reg = place;
  i.row0.reg = row;
  i.rows = rows;
  return i;
}
Store storeBlock(uint32_t from, uint32_t rows = 2) {
  Store i = copyStore();
  i.src.offset = from;
  i.dst.reg = place;
  i.row0.reg = row;
  i.rows = rows;
  return i;
}
ApuAdd addBlock(uint32_t to, uint32_t a, uint32_t b) {
  ApuAdd i;
  i.y.offset = to;
  i.a.offset = a;
  i.b.offset = b;
  i.row0.reg = row;
  i.rows = 2;
  i.n = 4;
  i.y_stride = i.a_stride = i.b_stride = 16;
  return i;
}
/// The first byte of each row times the first four of the first one.
PeGemm gemmBlock(uint32_t to, uint32_t from) {
  PeGemm i;
  i.acc.offset = to;
  i.x.offset = i.w.offset = from;
  i.row0.reg = row;
  i.rows = 2;
  i.k = 1;
  i.n = 4;
  i.acc_stride = i.x_stride = i.w_stride = 16;
  return i;
}

/// Through one buffer.
Program throughOneBuffer() {
  return copyProgram({loopOverRows(), placeOfRow(), loadBlock(first),
                      storeBlock(first), EndLoop()});
}

/// LOAD -> PE -> APU -> STORE; the APU also reads what was loaded.
Program chain() {
  return copyProgram({loopOverRows(), placeOfRow(), loadBlock(first),
                      gemmBlock(second, first), addBlock(third, second, first),
                      storeBlock(third), EndLoop()});
}

/// Every row has its place; what is stored was loaded two iterations before.
Program pipelined() {
  constexpr uint32_t storedRow = 3, storedPlace = 4;
  Load load = loadBlock(first);
  load.dst.reg = place;
  Store store = storeBlock(first);
  store.row0.reg = storedRow;
  store.src.reg = store.dst.reg = storedPlace;
  return copyProgram({loopOverRows(2, /*extra=*/2), placeOfRow(),
                      MulAdd{storedRow, row, 0, 1, -4},
                      placeOfRow(storedPlace, storedRow), load, store,
                      EndLoop()});
}

/// Four rows in an outer iteration, two in an inner one; the outer loop has no
/// instruction of an engine.
Program nest() {
  constexpr uint32_t outer = 5, inner = 6;
  return copyProgram({loopOverRows(4, 0, outer), Loop{inner, 4, 2, 0, false},
                      MulAdd{row, inner, outer, 1, 0}, placeOfRow(),
                      loadBlock(first), storeBlock(first), EndLoop(),
                      EndLoop()});
}

/// The outer loop loads and stores four rows; the inner one makes two of them
/// by `work`, which leaves them in the third place.
Program workInBothLoops(const std::vector<Instruction> &work) {
  constexpr uint32_t outer = 5, inner = 6, outerPlace = 7;
  Load load = loadBlock(first, 4);
  Store store = storeBlock(third, 4);
  load.row0.reg = store.row0.reg = outer;
  load.src.reg = store.dst.reg = outerPlace;
  std::vector<Instruction> all = {loopOverRows(4, 0, outer),
                                  placeOfRow(outerPlace, outer),
                                  load,
                                  Loop{inner, 4, 2, 0, false},
                                  MulAdd{row, inner, outer, 1, 0},
                                  placeOfRow(place, inner)};
  all.insert(all.end(), work.begin(), work.end());
  all.insert(all.end(), {EndLoop(), store, EndLoop()});
  return copyProgram(all);
}

Program oneEngineInside() {
  ApuAdd add = addBlock(third, first, first);
  add.y.reg = add.a.reg = add.b.reg = place;
  return workInBothLoops({add});
}

Program twoEnginesInside() {
  PeGemm gemm = gemmBlock(second, first);
  gemm.x.reg = gemm.w.reg = place;
  ApuAdd add = addBlock(third, second, second);
  add.y.reg = place;
  return workInBothLoops({gemm, add});
}

/// What is loaded before a loop is stored after it; the loop loads and stores,
/// too.
Program aroundALoop() {
  Load early = copyLoad();
  early.dst.offset = second;
  Store late = copyStore();
  late.src.offset = second;
  return copyProgram({early, loopOverRows(), placeOfRow(), loadBlock(first),
                      storeBlock(first), EndLoop(), late});
}

/// What is loaded in one iteration is stored in the next one, behind a loop
/// that loads and stores.
Program aroundALoopLater() {
  constexpr uint32_t outer = 5, inner = 6, outerPlace = 7, before = 8,
                     beforePlace = 9;
  Load load = loadBlock(second, 4);
  load.row0.reg = outer;
  load.src.reg = load.dst.reg = outerPlace;
  Store store = storeBlock(second, 4);
  store.row0.reg = before;
  store.src.reg = store.dst.reg = beforePlace;
  return copyProgram(
      {loopOverRows(4, /*extra=*/1, outer), placeOfRow(outerPlace, outer),
       MulAdd{before, outer, 0, 1, -4}, placeOfRow(beforePlace, before),
       Loop{inner, 4, 2, 0, false}, MulAdd{row, inner, outer, 1, 0},
       placeOfRow(), loadBlock(first), storeBlock(first), EndLoop(), load,
       store, EndLoop()});
}

//===----------------------------------------------------------------------===//
// Orders
//===----------------------------------------------------------------------===//

EngineOrder orderOf(const Program &program) {
  return orderEngines(Code(program));
}

/// The program with the tokens of its order.
Program ordered(const Program &program) {
  Code code(program);
  EngineOrder order = orderEngines(code);
  EXPECT_EQ(order.tokens.size(), code.size());
  Program result = program;
  result.instructions.clear();
  result.sources.clear();
  result.sourceOf.clear();
  auto appendSyncs = [&](size_t loop, bool after) {
    for (const EngineOrder::LoopSync &each : order.syncs)
      if (each.loop == loop && each.after == after)
        result.append(each.sync, "");
  };
  for (size_t i = 0; i < code.size(); ++i) {
    if (std::holds_alternative<Loop>(code[i]))
      appendSyncs(i, /*after=*/false);
    Instruction instruction = code[i];
    setTokens(instruction, order.tokens[i].wait, order.tokens[i].signal);
    result.append(instruction, "");
    if (std::holds_alternative<EndLoop>(code[i]))
      appendSyncs(code.partner(i), /*after=*/true);
  }
  return result;
}

/// What a check of a program and a length finds for the first length that it
/// finds something for, or "".
template <typename Check>
std::string firstFault(const Program &program, Check check) {
  Code code(program);
  Sequence sequence = sequenceBound(program);
  for (sequence.length = 1; sequence.length <= sequence.rows; ++sequence.length)
    if (std::optional<Fault> found = check(code, sequence))
      return found->text(code) + " (length " + std::to_string(sequence.length) +
             ")";
  return "";
}

/// What is wrong with a program for some length.
std::string fault(const Program &program) {
  return firstFault(program, [](const Code &code, const Sequence &sequence) {
    std::optional<Fault> found = checkProgram(code, sequence);
    return found ? found : checkOrder(code, sequence);
  });
}

/// The same of a program that may read what nothing wrote.
std::string faultOfOrder(const Program &program) {
  return firstFault(program, [](const Code &code, const Sequence &sequence) {
    std::optional<Fault> found = checkOrder(code, sequence);
    int64_t registers[numRegisters] = {};
    Walker walker(code, registers, sequence.length);
    TokenCounters tokens(code, sequence.length);
    for (size_t index; !found && walker.next(index);)
      found = std::holds_alternative<Halt>(code[index]) ? tokens.halt(index)
                                                        : tokens.step(index);
    return found;
  });
}

using Lines = std::vector<std::string>;

/// The loops of a program in its order, and the instructions of engines: what
/// they are and their tokens.
Lines tokensOfAll(const Program &program) {
  Lines lines;
  for (const Instruction &instruction : ordered(program).instructions) {
    if (std::holds_alternative<Sync>(instruction)) {
      lines.push_back(print(instruction));
    } else if (std::holds_alternative<Loop>(instruction) ||
               std::holds_alternative<EndLoop>(instruction)) {
      lines.push_back(mnemonic(instruction));
    } else if (engineOf(instruction) != Engine::CTRL) {
      std::string text = print(instruction);
      size_t tokens =
          std::min({text.find(", wait="), text.find(", signal="), text.size()});
      lines.push_back(mnemonic(instruction) + text.substr(tokens));
    }
  }
  return lines;
}

TEST(OrderEngines, AStoreWaitsForItsLoad) {
  EngineOrder order = orderOf(copyProgram());
  EXPECT_EQ(order.dependences, 1);
  EXPECT_EQ(order.pairs, 1);
  EXPECT_EQ(order.carried, 0);
  EXPECT_TRUE(order.syncs.empty());
  EXPECT_EQ(tokensOfAll(copyProgram()),
            (Lines{"load, signal=STORE", "store, wait=LOAD"}));
  EXPECT_EQ(fault(ordered(copyProgram())), "");
}

TEST(OrderEngines, ALoopWithOneBufferHasAPairEitherWay) {
  EngineOrder order = orderOf(throughOneBuffer());
  EXPECT_EQ(order.dependences, 2);
  EXPECT_EQ(order.pairs, 2);
  EXPECT_EQ(order.carried, 1);
  // The first iteration finds STORE's token; the last one leaves one.
  EXPECT_EQ(
      tokensOfAll(throughOneBuffer()),
      (Lines{"sync engine=STORE, times=1, signal=LOAD", "loop",
             "load, wait=STORE, signal=STORE", "store, wait=LOAD, signal=LOAD",
             "endloop", "sync engine=LOAD, times=1, wait=STORE"}));
  EXPECT_EQ(fault(ordered(throughOneBuffer())), "");
}

TEST(OrderEngines, WhatIsNeededLaterIsWaitedForLater) {
  EngineOrder order = orderOf(pipelined());
  EXPECT_EQ(order.pairs, 1);
  EXPECT_EQ(order.carried, 1);
  EXPECT_EQ(tokensOfAll(pipelined()),
            (Lines{"sync engine=LOAD, times=2, signal=STORE", "loop",
                   "load, signal=STORE", "store, wait=LOAD", "endloop",
                   "sync engine=STORE, times=2, wait=LOAD"}));
  EXPECT_EQ(fault(ordered(pipelined())), "");
}

TEST(OrderEngines, ABufferThatNobodySharesHasNoTokens) {
  SelFill fill;
  fill.dst.offset = second;
  fill.rows = fill.width = 9;
  Program program = copyProgram({fill, copyLoad(), fill, copyStore(), fill});
  EXPECT_EQ(orderOf(program).dependences, 1);
  EXPECT_EQ(tokensOfAll(program),
            (Lines{"sel.fill", "load, signal=STORE", "sel.fill",
                   "store, wait=LOAD", "sel.fill"}));
  EXPECT_EQ(fault(ordered(program)), "");
}

TEST(OrderEngines, TwoReadersNeedNoOrder) {
  ApuAdd add = addBlock(second, first, first);
  add.row0 = {};
  Program program = copyProgram({copyLoad(), copyStore(), add});
  EXPECT_EQ(tokensOfAll(program),
            (Lines{"load, signal=STORE+APU", "store, wait=LOAD",
                   "apu.add, wait=LOAD"}));
  EXPECT_EQ(fault(ordered(program)), "");
}

TEST(OrderEngines, GapsBetweenRowsAreNotShared) {
  Load load = copyLoad(), between = copyLoad();
  Store store = copyStore();
  load.dst_stride = store.src_stride = between.dst_stride = 32;
  between.dst.offset = 16;
  Program program = copyProgram({load, between, store});
  EXPECT_EQ(tokensOfAll(program),
            (Lines{"load, signal=STORE", "load", "store, wait=LOAD"}));
  EXPECT_EQ(fault(ordered(program)), "");
}

TEST(OrderEngines, OneSignalIsEnoughForTwoLoads) {
  Load load = copyLoad(), more = copyLoad();
  load.rows = 4;
  more.rows = 5;
  more.row0.value = 4;
  more.dst.offset = more.src.offset = 4 * 16;
  Program program = copyProgram({load, more, copyStore(), copyStore()});
  EXPECT_EQ(orderOf(program).dependences, 4);
  EXPECT_EQ(tokensOfAll(program),
            (Lines{"load", "load, signal=STORE", "store, wait=LOAD", "store"}));
  EXPECT_EQ(fault(ordered(program)), "");
}

TEST(OrderEngines, WhatOthersImplyHasNoPair) {
  // The APU needs LOAD, which PE has waited for. The next iteration's LOAD
  // needs PE and the APU, which has waited for PE; and the next iteration's PE
  // needs the APU, which LOAD has waited for.
  EngineOrder order = orderOf(chain());
  EXPECT_EQ(order.dependences, 8);
  EXPECT_EQ(order.pairs, 5);
  EXPECT_EQ(order.carried, 2);
  EXPECT_EQ(
      tokensOfAll(chain()),
      (Lines{"sync engine=APU, times=1, signal=LOAD",
             "sync engine=STORE, times=1, signal=APU", "loop",
             "load, wait=APU, signal=PE", "pe.gemm, wait=LOAD, signal=APU",
             "apu.add, wait=STORE+PE, signal=LOAD+STORE",
             "store, wait=APU, signal=APU", "endloop",
             "sync engine=APU, times=1, wait=STORE",
             "sync engine=LOAD, times=1, wait=APU"}));
  EXPECT_EQ(fault(ordered(chain())), "");
}

TEST(OrderEngines, ANestOfOneLoopIsOneLoop) {
  // The tokens that it begins with are given once.
  EXPECT_EQ(
      tokensOfAll(nest()),
      (Lines{"sync engine=STORE, times=1, signal=LOAD", "loop", "loop",
             "load, wait=STORE, signal=STORE", "store, wait=LOAD, signal=LOAD",
             "endloop", "endloop", "sync engine=LOAD, times=1, wait=STORE"}));
  EXPECT_EQ(fault(ordered(nest())), "");
}

TEST(OrderEngines, ALoopInALoopIsOneInstruction) {
  EXPECT_EQ(
      tokensOfAll(oneEngineInside()),
      (Lines{"sync engine=APU, times=1, signal=LOAD",
             "sync engine=STORE, times=1, signal=APU", "loop",
             "load, wait=APU, signal=APU",
             "sync engine=APU, times=1, wait=LOAD+STORE", "loop", "apu.add",
             "endloop", "sync engine=APU, times=1, signal=LOAD+STORE",
             "store, wait=APU, signal=APU", "endloop",
             "sync engine=APU, times=1, wait=STORE",
             "sync engine=LOAD, times=1, wait=APU"}));
  EXPECT_EQ(fault(ordered(oneEngineInside())), "");
}

TEST(OrderEngines, ALoopInALoopHasPairsOfItsOwn) {
  // They stand inside of those that the outer loop has with it.
  Lines lines = tokensOfAll(twoEnginesInside());
  Lines inner = {"sync engine=APU, times=1, signal=PE",
                 "sync engine=APU, times=1, wait=STORE",
                 "sync engine=PE, times=1, wait=LOAD+APU",
                 "loop",
                 "pe.gemm, wait=APU, signal=APU",
                 "apu.add, wait=PE, signal=PE",
                 "endloop",
                 "sync engine=PE, times=1, signal=LOAD",
                 "sync engine=APU, times=1, signal=STORE+PE",
                 "sync engine=PE, times=1, wait=APU"};
  EXPECT_NE(std::search(lines.begin(), lines.end(), inner.begin(), inner.end()),
            lines.end())
      << testing::PrintToString(lines);
  EXPECT_EQ(fault(ordered(twoEnginesInside())), "");
}

TEST(OrderEngines, ASignalCrossesNoLoopWithTokensOfItsPair) {
  // The late store needs the early load; in the loop its token would be the
  // first store's.
  EXPECT_EQ(
      tokensOfAll(aroundALoop()),
      (Lines{"load, signal=STORE", "sync engine=STORE, times=1, signal=LOAD",
             "sync engine=STORE, times=1, wait=LOAD", "loop",
             "load, wait=STORE, signal=STORE", "store, wait=LOAD, signal=LOAD",
             "endloop", "sync engine=LOAD, times=1, wait=STORE", "store"}));
  EXPECT_EQ(fault(ordered(aroundALoop())), "");
  // Here it is the next iteration's loop: one token is given before all.
  Lines lines = tokensOfAll(aroundALoopLater());
  Lines inner = {"sync engine=STORE, times=1, signal=LOAD",
                 "sync engine=STORE, times=1, wait=LOAD",
                 "sync engine=LOAD, times=1, wait=STORE",
                 "loop",
                 "load, wait=STORE, signal=STORE",
                 "store, wait=LOAD, signal=LOAD",
                 "endloop",
                 "sync engine=STORE, times=1, signal=LOAD",
                 "sync engine=LOAD, times=1, wait=STORE",
                 "load, signal=STORE",
                 "store",
                 "endloop",
                 "sync engine=STORE, times=1, wait=LOAD"};
  EXPECT_NE(std::search(lines.begin(), lines.end(), inner.begin(), inner.end()),
            lines.end())
      << testing::PrintToString(lines);
  EXPECT_EQ(fault(ordered(aroundALoopLater())), "");
}

TEST(OrderEngines, LoopsOneAfterTheOtherAreTwoInstructions) {
  Program program =
      copyProgram({loopOverRows(), placeOfRow(), loadBlock(first),
                   storeBlock(first), EndLoop(), loopOverRows(), placeOfRow(),
                   loadBlock(first), storeBlock(first), EndLoop()});
  EXPECT_EQ(orderOf(program).carried, 2);
  EXPECT_EQ(fault(ordered(program)), "");
}

TEST(OrderEngines, ShortSequencesMayHaveTheShortestWay) {
  // The inner loop makes one iteration more for every other token. In its
  // second one the APU reads a row that LOAD writes from 6 tokens on: for 6
  // that is four iterations later, and for longer sequences more.
  constexpr uint32_t outer = 5, late = 3;
  Load load = loadBlock(first, 3);
  load.src.reg = 0;
  load.row0.reg = late;
  ApuAdd add = addBlock(second, first + 32, first + 32);
  add.row0.reg = late;
  Program program = copyProgram(
      {Loop{outer, 2, 1, 0, false}, loopOverRows(2, /*extra=*/1),
       MulAdd{late, row, row, 1, -1}, load, add, EndLoop(), EndLoop()});
  EXPECT_EQ(orderOf(program).carried, 1);
  EXPECT_EQ(orderOf(program).syncs.at(0).sync.times, 4u);
  EXPECT_EQ(faultOfOrder(ordered(program)), "");
}

TEST(OrderEngines, ACounterIsNotTooSmall) {
  // Of 1100 iterations each needs the one 1023 (1024) before it.
  auto programOf = [](int64_t distance) {
    Load load = loadBlock(first, 1);
    load.dst.reg = place;
    Store store = storeBlock(first, 1);
    store.row0.reg = 3;
    store.src.reg = store.dst.reg = 4;
    store.dst.offset = 1 << 15;
    Program program = copyProgram({Loop{row, 1100, 1, 0, true}, placeOfRow(),
                                   MulAdd{3, row, 0, 1, -distance},
                                   placeOfRow(4, 3), load, store, EndLoop()});
    program.dramBytes = 1 << 16;
    program.inputs[0].bound = program.outputs[0].bound = 1100;
    program.outputs[0].address = 1 << 15;
    return program;
  };
  EngineOrder order = orderOf(programOf(maximumTokens));
  ASSERT_EQ(order.syncs.size(), 2u);
  EXPECT_EQ(order.syncs[0].sync.times, maximumTokens);
  std::string error =
      catchError([&] { orderOf(programOf(maximumTokens + 1)); }).value_or("");
  EXPECT_TRUE(contains(error, "instruction 0 'loop ")) << error;
  EXPECT_TRUE(
      contains(error, ": needs 1024 tokens of a pair of engines (of 1023)"))
      << error;
}

/// No token is there for nothing: without a signal and a wait for it something
/// is wrong. But two `sync` around a loop: without them engines wait for later
/// tokens than they need.
TEST(OrderEngines, EveryPairIsNeeded) {
  unsigned tried = 0;
  for (const Program &plain : {copyProgram(), throughOneBuffer(), chain(),
                               pipelined(), nest(), oneEngineInside()}) {
    Program program = ordered(plain);
    ASSERT_EQ(fault(program), "");
    auto &code = program.instructions;
    auto without = [](EngineSet set, Engine engine) {
      return EngineSet(set.asBits() & ~setOf({engine}).asBits());
    };
    for (size_t i = 0; i < code.size(); ++i)
      for (size_t j = 0; j < code.size(); ++j) {
        Engine from = engineOf(code[i]), to = engineOf(code[j]);
        Tokens given = tokensOf(code[i]), taken = tokensOf(code[j]);
        if (from == Engine::CTRL || to == Engine::CTRL ||
            !given.signal.contains(to) || !taken.wait.contains(from) ||
            (std::holds_alternative<Sync>(code[i]) &&
             std::holds_alternative<Sync>(code[j])))
          continue;
        Program mutated = program;
        setTokens(mutated.instructions[i], given.wait,
                  without(given.signal, to));
        setTokens(mutated.instructions[j], without(taken.wait, from),
                  taken.signal);
        EXPECT_NE(fault(mutated), "")
            << "without the signal of " << print(code[i]) << " and the wait of "
            << print(code[j]);
        ++tried;
      }
  }
  EXPECT_GT(tried, 20u);
}

//===----------------------------------------------------------------------===//
// Random programs
//===----------------------------------------------------------------------===//

/// Loops in loops around instructions of five engines, which meet in a few
/// places. They need not make sense: what is read may be what nothing wrote.
class RandomProgram {
public:
  explicit RandomProgram(unsigned seed) : random(seed) {}

  Program make() {
    addBody(/*depth=*/0);
    return copyProgram(code);
  }

private:
  uint32_t below(uint32_t count) {
    return static_cast<uint32_t>(random() % count);
  }

  // In a loop of depth d register 3 d is its own, 3 d + 1 a row from some loop,
  // and 3 d + 2 that row's place.
  void addBody(uint32_t depth) {
    for (uint32_t i = 1 + below(4); i > 0; --i)
      if (depth < 3 && below(3) == 0)
        addLoop(depth + 1);
      else
        addInstruction(depth);
  }

  void addLoop(uint32_t depth) {
    bool len = below(3) != 0;
    code.push_back(
        Loop{3 * depth, len ? 9 : 1 + below(4), 1 + below(4), below(3), len});
    uint32_t from = 3 * (1 + below(depth)), rows = 3 * depth + 1;
    code.push_back(MulAdd{rows, 3 * depth, below(2) ? from : 0, 1,
                          -static_cast<int64_t>(below(3))});
    code.push_back(MulAdd{rows + 1, rows, 0, 16, 3 * 16});
    addBody(depth);
    code.push_back(EndLoop());
  }

  uint8_t rowsOf(uint32_t depth) {
    return static_cast<uint8_t>(depth == 0 ? 0 : 3 * (1 + below(depth)) + 1);
  }

  void addInstruction(uint32_t depth) {
    uint8_t row = rowsOf(depth);
    auto setPlace = [&](auto &ref) {
      ref.offset = 32 * below(6);
      ref.reg = depth > 0 && below(2) ? static_cast<uint8_t>(rowsOf(depth) + 1)
                                      : uint8_t(0);
    };
    uint32_t rows = 1 + below(3);
    switch (below(5)) {
    case 0: {
      Load i = loadBlock(0, rows);
      i.row0.reg = row;
      setPlace(i.dst);
      setPlace(i.src);
      code.push_back(i);
      break;
    }
    case 1: {
      Store i = storeBlock(0, rows);
      i.row0.reg = row;
      setPlace(i.dst);
      setPlace(i.src);
      code.push_back(i);
      break;
    }
    case 2: {
      SelFill i;
      i.row0.reg = row;
      i.rows = rows;
      i.width = 16;
      setPlace(i.dst);
      code.push_back(i);
      break;
    }
    case 3: {
      PeGemm i = gemmBlock(0, 0);
      i.row0.reg = row;
      i.rows = rows;
      i.accumulate = below(2);
      setPlace(i.acc);
      setPlace(i.x);
      setPlace(i.w);
      code.push_back(i);
      break;
    }
    default: {
      ApuAdd i = addBlock(0, 0, 0);
      i.row0.reg = row;
      i.rows = rows;
      setPlace(i.y);
      setPlace(i.a);
      setPlace(i.b);
      code.push_back(i);
      break;
    }
    }
  }

  std::mt19937 random;
  std::vector<Instruction> code;
};

TEST(OrderEngines, RandomProgramsAreOrdered) {
  int64_t pairs = 0, carried = 0;
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    Program program = RandomProgram(seed).make();
    EngineOrder order = orderOf(program);
    pairs += order.pairs;
    carried += order.carried;
    ASSERT_EQ(faultOfOrder(ordered(program)), "") << "seed " << seed;
  }
  EXPECT_GT(pairs, 1000);
  EXPECT_GT(carried, 300);
}
} // namespace
