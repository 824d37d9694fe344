//===- ControlTest.cpp - Loops, LEN, tokens and wrong programs ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

using namespace fact;
using namespace fact::sim;

namespace {
/// Remembers what was executed.
struct Log : Observer {
  void onInstruction(const Executed &executed) override {
    indices.push_back(executed.index);
    if (auto *fill = std::get_if<isa::SelFill>(&executed.instruction))
      rows.push_back(executed.state.resolver().resolve(fill->row0));
  }
  std::vector<size_t> indices;
  std::vector<int64_t> rows;
};

isa::Loop loop(uint32_t rd, uint32_t limit, uint32_t step, bool len = false,
               uint32_t extra = 0) {
  isa::Loop i;
  i.rd = rd;
  i.limit = limit;
  i.step = step;
  i.len = len;
  i.extra = extra;
  return i;
}

isa::SelFill fill(isa::SramRef dst, isa::ScalarRef row0, uint32_t rows,
                  uint32_t width, uint32_t value) {
  isa::SelFill i;
  i.dst = dst;
  i.row0 = row0;
  i.rows = rows;
  i.width = width;
  i.value = value;
  return i;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(Control, LoopsRunToLenInSteps) {
  Bench bench(10);
  auto dst = bench.room<uint8_t>(64);
  Log log;
  bench.run({loop(1, 64, 4, true), fill(dst, {0, 1}, 4, 1, 3), isa::EndLoop(),
             loop(2, 0, 1), fill(dst, {0, 2}, 4, 1, 9), isa::EndLoop(),
             loop(3, 5, 2), loop(4, 2, 1), isa::EndLoop(), isa::EndLoop()},
            {&log});
  EXPECT_EQ(log.rows, (std::vector<int64_t>{0, 4, 8}));
  // LOOP once, its body and end three times; the empty loop's head; the outer
  // loop three times around an inner one of two; halt.
  EXPECT_EQ(log.indices.size(), 1u + 3 * 2 + 1 + 1 + 3 * (1 + 2 + 1) + 1);
}

TEST(Control, ExtraStepsFollowTheWholeOnes) {
  auto firsts = [](int64_t length, const isa::Loop &head) {
    Bench bench(length);
    auto dst = bench.room<uint8_t>(64);
    Log log;
    bench.run({head, fill(dst, {0, 1}, 4, 1, 3), isa::EndLoop()}, {&log});
    return log.rows;
  };
  using Rows = std::vector<int64_t>;
  EXPECT_EQ(firsts(10, loop(1, 64, 4, true, 2)), (Rows{0, 4, 8, 12, 16}));
  EXPECT_EQ(firsts(8, loop(1, 64, 4, true, 2)), (Rows{0, 4, 8, 12}));
  EXPECT_EQ(firsts(99, loop(1, 10, 4, true, 1)), (Rows{0, 4, 8, 12}));
  EXPECT_EQ(firsts(10, loop(1, 2, 1, false, 3)), (Rows{0, 1, 2, 3, 4}));
  // A bound of 0 skips the body all the same.
  EXPECT_EQ(firsts(10, loop(1, 0, 4, false, 2)), Rows());
}

TEST(Control, RowsBeforeTheFirstAreNone) {
  Bench bench(10);
  auto dst = bench.put(std::vector<uint8_t>(64, 1));
  // From row -4 on: no row, though rows 0 to 3 would be among its 8; then
  // row 4.
  isa::MulAdd first;
  first.rd = 5;
  first.addend = -4;
  bench.run({first, fill(dst, {0, 5}, 8, 1, 7), fill(dst, {8, 5}, 1, 1, 9)});
  std::vector<uint8_t> expected(64, 1);
  expected[0] = 9;
  EXPECT_EQ(bench.get<uint8_t>(dst, 64), expected);
}

TEST(Control, RotateGoesRound) {
  Bench bench(10);
  auto dst = bench.room<uint8_t>(64);
  Log log;
  isa::Rotate rotate;
  rotate.rd = 2;
  rotate.step = 2;
  rotate.size = 3;
  bench.run({loop(1, 5, 1), fill(dst, {0, 2}, 1, 1, 3), rotate, isa::EndLoop()},
            {&log});
  EXPECT_EQ(log.rows, (std::vector<int64_t>{0, 2, 1, 0, 2}));
  // Out of the ring, the register comes closer by a round each time.
  isa::MulAdd start;
  start.rd = 2;
  start.addend = 7;
  Log late;
  bench.run({start, loop(1, 4, 1), fill(dst, {0, 2}, 1, 1, 3), rotate,
             isa::EndLoop()},
            {&late});
  EXPECT_EQ(late.rows, (std::vector<int64_t>{7, 6, 5, 4}));
}

TEST(Control, ClipLeavesNoRowsOutOfItsRange) {
  Bench bench(10);
  auto dst = bench.put(std::vector<uint8_t>(64, 1));
  // Of the numbers -1 to 2 two are in a range of two; rows 3 and 4 are there
  // for these.
  isa::MulAdd before;
  before.rd = 2;
  before.rs = 1;
  before.factor = 1;
  before.addend = -1;
  isa::Clip clip;
  clip.rd = 3;
  clip.rs = 2;
  clip.limit = 2;
  isa::SramRef at = dst;
  at.reg = 1;
  Log log;
  bench.run(
      {loop(1, 4, 1), before, clip, fill(at, {3, 3}, 1, 1, 7), isa::EndLoop()},
      {&log});
  constexpr int64_t none = -(int64_t(1) << 30) + 3;
  EXPECT_EQ(log.rows, (std::vector<int64_t>{none, 3, 3, none}));
  std::vector<uint8_t> expected(64, 1);
  expected[1] = expected[2] = 7;
  EXPECT_EQ(bench.get<uint8_t>(dst, 64), expected);
}

TEST(Control, ClampLeavesNothingBelow) {
  Bench bench(10);
  auto dst = bench.put(std::vector<uint8_t>(64, 1));
  isa::MulAdd before;
  before.rd = 2;
  before.rs = 1;
  before.factor = 1;
  before.addend = -2;
  isa::Clamp clamp;
  clamp.rd = 3;
  clamp.rs = 2;
  for (uint32_t least : {0u, 1u}) {
    clamp.least = least;
    Log log;
    bench.run({loop(1, 5, 1), before, clamp, fill(dst, {0, 3}, 1, 1, 7),
               isa::EndLoop()},
              {&log});
    EXPECT_EQ(log.rows, least == 0 ? (std::vector<int64_t>{0, 0, 0, 1, 2})
                                   : (std::vector<int64_t>{1, 1, 1, 1, 2}));
  }
}

TEST(Control, WholeRowsAreThereWhereTheFirstOneIs) {
  Bench bench(3);
  isa::Load load;
  load.dst = bench.room<uint8_t>(64);
  load.src = {100, 0};
  load.rows = 4;
  load.whole = true;
  load.row_bytes = load.dst_stride = load.src_stride = 2;
  isa::MulAdd before;
  before.rd = 1;
  before.addend = -1;
  auto moved = [&](const isa::ScalarRef &row0) {
    load.row0 = row0;
    isa::Store store;
    store.dst = {500, 0};
    store.src = load.dst;
    store.row0 = row0;
    store.rows = load.rows;
    store.whole = true;
    store.row_bytes = store.dst_stride = store.src_stride = 2;
    bench.run({before, load, store});
    EXPECT_EQ(bench.counters.total.dramRead, bench.counters.total.dramWritten);
    return bench.counters.total.dramRead;
  };
  EXPECT_EQ(moved({0, 1}), 0); // row -1
  EXPECT_EQ(moved({1, 1}), 8); // row 0, and 4 rows though there are 3
  EXPECT_EQ(moved({2, 0}), 8);
  EXPECT_EQ(moved({3, 0}), 0);
}

TEST(Control, RowsClampToLen) {
  Bench bench(10);
  auto dst = bench.put(std::vector<uint8_t>(64, 1));
  bench.run({fill(dst, {8, 0}, 16, 2, 7), fill(dst, {10, 0}, 16, 2, 9)});
  std::vector<uint8_t> expected(64, 1);
  std::fill_n(expected.begin(), 4, 7);
  EXPECT_EQ(bench.get<uint8_t>(dst, 64), expected);
}

TEST(Control, RegistersAddToAddresses) {
  Bench bench(4);
  auto dst = bench.put(std::vector<uint8_t>(64, 0));
  isa::MulAdd address;
  address.rd = 5;
  address.rs = 1;
  address.factor = 16;
  address.addend = 2;
  isa::SramRef ref = dst;
  ref.reg = 5;
  bench.run(
      {loop(1, 3, 1), address, fill(ref, {0, 0}, 1, 1, 8), isa::EndLoop()});
  std::vector<uint8_t> expected(64, 0);
  expected[2] = expected[18] = expected[34] = 8;
  EXPECT_EQ(bench.get<uint8_t>(dst, 64), expected);
}

TEST(Control, LoadAndStoreMoveRows) {
  Bench bench(3);
  for (int i = 0; i < 40; ++i)
    bench.state.dram.data()[100 + i] = static_cast<uint8_t>(i);
  isa::Load load;
  load.dst = bench.put(std::vector<uint8_t>(64, 99));
  load.src = {100, 0};
  load.rows = 8;
  load.row_bytes = 4;
  load.dst_stride = 6;
  load.src_stride = 10;
  isa::Store store;
  store.dst = {500, 0};
  store.src = load.dst;
  store.rows = 2;
  store.whole = true;
  store.row0 = {2, 0}; // its rows are not clamped with `whole`
  store.row_bytes = 4;
  store.dst_stride = 4;
  store.src_stride = 6;
  bench.run({load, store});
  EXPECT_EQ(bench.get<uint8_t>(load.dst, 18),
            (std::vector<uint8_t>{0, 1, 2, 3, 99, 99, 10, 11, 12, 13, 99, 99,
                                  20, 21, 22, 23, 99, 99}));
  const uint8_t stored[] = {0, 1, 2, 3, 10, 11, 12, 13};
  EXPECT_EQ(std::memcmp(bench.state.dram.data() + 500, stored, 8), 0);
  EXPECT_EQ(bench.counters.total.dramRead, 12);
  EXPECT_EQ(bench.counters.total.dramWritten, 8);
}

TEST(Control, OutOfBoundsNamesInstructionTextAndSource) {
  Bench bench(4);
  auto size = static_cast<uint32_t>(bench.state.sram.size());
  std::string error = bench.error({fill({size - 3, 0, true}, {0, 0}, 4, 1, 0)});
  EXPECT_TRUE(contains(error, "instruction 0 (node) 'sel.fill")) << error;
  EXPECT_TRUE(contains(error, "outside of the scratchpad")) << error;
  EXPECT_EQ(bench.error({fill({size - 4, 0, true}, {0, 0}, 4, 1, 0)}), "");

  isa::Load load;
  load.dst = {0, 0, true};
  load.src = {(1 << 20) - 7, 0};
  load.rows = 1;
  load.row_bytes = 8;
  EXPECT_TRUE(contains(bench.error({load}), "outside of DRAM"));
}

TEST(Control, ReadOnlyDramIsNotWritten) {
  Bench bench(4);
  bench.state.readOnly.push_back({64, 128, "constants"});
  isa::Store store;
  store.src = {0, 0, true};
  store.rows = 1;
  store.row_bytes = 8;
  store.dst = {120, 0};
  EXPECT_TRUE(contains(bench.error({store}), "'dst' writes constants"));
  store.dst = {128, 0};
  EXPECT_EQ(bench.error({store}), "");
  store.dst = {56, 0};
  EXPECT_EQ(bench.error({store}), "");
  store.dst = {57, 0};
  EXPECT_TRUE(contains(bench.error({store}), "'dst' writes constants"));
}

TEST(Control, MisalignedOperandsAreErrors) {
  Bench bench(4);
  isa::SelCountAll count;
  count.count = {2, 0, true};
  count.rows = 4;
  EXPECT_TRUE(contains(bench.error({count}), "not aligned to 4 bytes"));
}

TEST(Control, WrongProgramsDoNotStart) {
  Bench bench(4);
  EXPECT_NE(bench.error({loop(1, 4, 1)}), "");
  EXPECT_NE(bench.error({isa::EndLoop()}), "");
  EXPECT_NE(bench.error({loop(1, 4, 0), isa::EndLoop()}), "");
}

TEST(Control, TokensCount) {
  Bench bench(4);
  EXPECT_EQ(bench.error({signal(isa::EngineId::LOAD, isa::Engine::PE),
                         signal(isa::EngineId::LOAD, isa::Engine::PE),
                         wait(isa::EngineId::PE, isa::Engine::LOAD),
                         wait(isa::EngineId::PE, isa::Engine::LOAD)}),
            "");
  // By other instructions than `sync`, too, whether they have work or not.
  isa::Load load;
  load.whole = true;
  load.signal = setOf(isa::Engine::SEL);
  isa::SelFill reader = fill(bench.room<uint8_t>(8), {4, 0}, 8, 1, 1);
  reader.wait = setOf(isa::Engine::LOAD);
  EXPECT_EQ(bench.error({load, reader}), "");
  EXPECT_NE(bench.error({load}), "");
  EXPECT_NE(bench.error({reader}), "");
}

TEST(Control, ASignalThatNobodyWaitsForIsAnError) {
  Bench bench(4);
  std::string error = bench.error({signal(isa::EngineId::LOAD, isa::Engine::PE),
                                   signal(isa::EngineId::LOAD, isa::Engine::PE),
                                   wait(isa::EngineId::PE, isa::Engine::LOAD)});
  EXPECT_EQ(error,
            "instruction 3 'halt': tokens of LOAD for PE must be 0 at the end "
            "(was 1)\nnote: instruction 1 (node) 'sync engine=LOAD, times=1, "
            "signal=PE': last signal here");
}

TEST(Control, TokensCountTo10Bits) {
  Bench bench(4);
  std::vector<isa::Instruction> code = {
      loop(1, isa::maximumTokens, 1),
      signal(isa::EngineId::LOAD, isa::Engine::PE), isa::EndLoop(),
      wait(isa::EngineId::PE, isa::Engine::LOAD, isa::maximumTokens)};
  EXPECT_EQ(bench.error(code), "");
  code.insert(code.begin() + 2, signal(isa::EngineId::LOAD, isa::Engine::PE));
  EXPECT_TRUE(contains(bench.error(code), "count to at most 1023 (was 1024)"));
}

TEST(Control, ADeadlockNamesEveryBlockedEngine) {
  Bench bench(4);
  // PE and EP wait for each other; APU is free and not blamed.
  std::string error =
      bench.error({wait(isa::EngineId::PE, isa::Engine::EP),
                   signal(isa::EngineId::PE, isa::Engine::EP),
                   wait(isa::EngineId::EP, isa::Engine::PE),
                   signal(isa::EngineId::EP, isa::Engine::PE),
                   signal(isa::EngineId::APU, isa::Engine::LOAD)});
  EXPECT_TRUE(contains(error, "deadlock: ")) << error;
  EXPECT_TRUE(contains(error, "PE waits at instruction 0 (node)")) << error;
  EXPECT_TRUE(contains(error, "EP waits at instruction 2 (node)")) << error;
  EXPECT_FALSE(contains(error, "APU waits")) << error;
}

TEST(Control, AWaitBeforeItsSignalIsAnErrorOfOrder) {
  Bench bench(4);
  EXPECT_TRUE(contains(
      bench.error({wait(isa::EngineId::PE, isa::Engine::EP),
                   signal(isa::EngineId::EP, isa::Engine::PE)}),
      "waits for tokens of EP for PE that come later in program order"));
}

TEST(Control, AFullQueueCanDeadlock) {
  Bench bench(4);
  std::vector<isa::Instruction> code = {
      wait(isa::EngineId::PE, isa::Engine::EP)};
  for (int i = 0; i < 40; ++i)
    code.push_back(signal(isa::EngineId::PE, isa::Engine::EP));
  code.push_back(signal(isa::EngineId::EP, isa::Engine::PE));
  std::string error = bench.error(code);
  EXPECT_TRUE(contains(error, "deadlock: ")) << error;
  EXPECT_TRUE(contains(error, "the control processor waits for a place in the "
                              "queue of PE"))
      << error;
}
} // namespace
