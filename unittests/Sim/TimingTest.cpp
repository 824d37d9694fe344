//===- TimingTest.cpp - What must hold of all times -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../lib/Sim/Meter.h"
#include "Bench.h"

#include <numeric>

using namespace fact;
using namespace fact::sim;

namespace {
const isa::Machine &machine() { return isa::Machine::defaultMachine(); }

isa::Load load(uint32_t bytes) {
  isa::Load i;
  i.rows = 1;
  i.whole = true;
  i.row_bytes = bytes;
  return i;
}

isa::Store store(uint32_t bytes) {
  isa::Store i;
  i.dst = {1 << 19, 0};
  i.rows = 1;
  i.whole = true;
  i.row_bytes = bytes;
  return i;
}

isa::PeGemm gemm(uint32_t rows, uint32_t k, uint32_t n) {
  isa::PeGemm i;
  i.acc = {640 * 1024, 0, true};
  i.w = {400 * 1024, 0, true};
  i.rows = rows;
  i.k = k;
  i.n = n;
  i.acc_stride = n * 4;
  i.x_stride = k;
  i.w_stride = n;
  return i;
}

/// Runs code with times; every engine's cycles must add up.
Timing timed(const std::vector<isa::Instruction> &code, int64_t length = 64,
             const isa::Machine &machine = isa::Machine::defaultMachine()) {
  Bench bench(length, machine);
  Timing timing(bench.program.machine);
  bench.run(code, {&timing});
  for (unsigned e = 1; e < isa::numEngines; ++e) {
    const EngineTime &time = timing.engine(static_cast<isa::Engine>(e));
    EXPECT_EQ(time.busy + std::accumulate(time.wait.begin(), time.wait.end(),
                                          int64_t(0)),
              timing.cycles());
    for (int64_t cycles : time.wait)
      EXPECT_GE(cycles, 0);
  }
  return timing;
}

int64_t waits(const Timing &timing, isa::Engine engine, Cause cause) {
  return timing.engine(engine).wait[static_cast<unsigned>(cause)];
}

TEST(Timing, AnEmptyProgramTakesItsDispatch) {
  EXPECT_EQ(timed({}).cycles(), machine().control.dispatchCycles);
}

TEST(Timing, GemmTakesOneStepPerRowAndTile) {
  // 64 x 64 weights are 8 tiles of 512.
  Timing timing = timed({gemm(64, 64, 64)});
  EXPECT_EQ(timing.engine(isa::Engine::PE).busy,
            64 * 8 + machine().pe.fillCycles);
  EXPECT_EQ(waits(timing, isa::Engine::APU, Cause::End), timing.cycles());
}

TEST(Timing, EmptyExtentsCostNothing) {
  isa::PeGemm past = gemm(64, 64, 64);
  past.row0 = {64, 0};
  EXPECT_EQ(timed({past}).engine(isa::Engine::PE).busy, 0);
  // Half of the rows are past the length.
  EXPECT_EQ(timed({gemm(64, 64, 64)}, 32).engine(isa::Engine::PE).busy,
            32 * 8 + machine().pe.fillCycles);
}

// The first word of no rows of weights was looked for before them.
TEST(Timing, AGemmOfNoTermsReadsNoWeights) {
  Timing timing = timed({gemm(64, 0, 64)});
  EXPECT_EQ(timing.engine(isa::Engine::PE).busy, 0);
  EXPECT_EQ(timed({gemm(64, 64, 0)}).engine(isa::Engine::PE).busy, 0);
}

TEST(Timing, MoreWorkTakesLonger) {
  int64_t last = 0;
  for (uint32_t n = 8; n <= 256; n += 8) {
    int64_t cycles = timed({gemm(16, 64, n)}).cycles();
    EXPECT_GE(cycles, last);
    last = cycles;
  }
  EXPECT_GT(last, timed({gemm(16, 64, 128)}).cycles());
}

TEST(Timing, LowRowsRunAtTheirRates) {
  Bench bench(64);
  isa::PeGemm i = gemm(64, 64, 64);
  i.low = {1150 * 1024, 0, true};
  std::memset(bench.state.sram.data() + i.low.offset, 1, 64);
  bench.run({i});
  EXPECT_EQ(bench.counters.total.cycles, 16 * 8 + machine().pe.fillCycles);
  i.precision = isa::Precision::A4W8;
  bench.run({i});
  EXPECT_EQ(bench.counters.total.cycles, 32 * 8 + machine().pe.fillCycles);
  EXPECT_DOUBLE_EQ(bench.counters.total.idealCycles, 32 * 8);
}

TEST(Timing, DramTakesLatencyAndBandwidth) {
  // 4608 bytes at 51.2 * 0.9 per cycle after 50 cycles; dispatched after one.
  Timing timing = timed({load(4608)});
  EXPECT_EQ(timing.engine(isa::Engine::LOAD).busy, 100);
  EXPECT_EQ(waits(timing, isa::Engine::LOAD, Cause::Dram), 50);
  EXPECT_EQ(timing.cycles(), 1 + 50 + 100);
}

TEST(Timing, DramMovesWholeBursts) {
  // Rows of 100 bytes, 200 apart: two or three bursts each.
  isa::Load i = load(100);
  i.rows = 4;
  i.src_stride = 200;
  i.dst_stride = 128;
  Bench bench(64);
  bench.run({i});
  // Bytes 0-99, 200-299, 400-499, 600-699: 2, 2, 2 and 2 bursts of 64.
  EXPECT_EQ(bench.counters.total.dramRead, 400);
  EXPECT_EQ(bench.counters.total.dramMoved, 8 * 64);
  // Rows that touch are one piece.
  i.src_stride = 100;
  bench.run({i});
  EXPECT_EQ(bench.counters.total.dramMoved, 7 * 64);
}

TEST(Timing, LatencyOfRequestsInARowIsHidden) {
  Timing timing = timed({load(4608), load(4608), load(4608)});
  EXPECT_EQ(timing.cycles(), 1 + 50 + 300);
}

TEST(Timing, LoadAndStoreShareTheChannel) {
  Timing timing = timed({load(46080), store(46080)});
  EXPECT_GE(timing.cycles(), 2000);
  EXPECT_EQ(timing.engine(isa::Engine::LOAD).busy, 1000);
  EXPECT_EQ(timing.engine(isa::Engine::STORE).busy, 1000);
}

TEST(Timing, AChannelGivesTheFirstGap) {
  Channel channel;
  EXPECT_EQ(channel.reserve(10, 5), 10);
  EXPECT_EQ(channel.reserve(30, 10), 30);
  EXPECT_EQ(channel.reserve(0, 10), 0);
  EXPECT_EQ(channel.reserve(5, 16), 40);
  EXPECT_EQ(channel.reserve(5, 15), 15);
  EXPECT_EQ(channel.reserve(0, 1), 56);
}

/// load, gemm and store, each waiting for the one before.
std::vector<isa::Instruction> chain() {
  isa::Load first = load(4608);
  isa::PeGemm second = gemm(8, 64, 64);
  isa::Store third = store(512);
  first.signal = setOf(isa::Engine::PE);
  second.wait = setOf(isa::Engine::LOAD);
  second.signal = setOf(isa::Engine::STORE);
  third.wait = setOf(isa::Engine::PE);
  return {first, second, third};
}

TEST(Timing, AWaitIsForTheEngineThatSignals) {
  Timing timing = timed(chain());
  int64_t loaded = 1 + 50 + 100;
  EXPECT_EQ(waits(timing, isa::Engine::PE, operandOf(isa::Engine::LOAD)),
            loaded - 2);
  EXPECT_EQ(waits(timing, isa::Engine::PE, Cause::Queue), 2);
  int64_t multiplied = loaded + 8 * 8 + machine().pe.fillCycles;
  EXPECT_EQ(waits(timing, isa::Engine::STORE, operandOf(isa::Engine::PE)),
            multiplied - 3);
  EXPECT_EQ(timing.cycles(), multiplied + 12 + 50);
}

TEST(Timing, ASyncTakesItsDispatchAndNothingElse) {
  // The same tokens, by instructions of their own.
  std::vector<isa::Instruction> code = {
      load(4608),
      signal(isa::EngineId::LOAD, isa::Engine::PE),
      wait(isa::EngineId::PE, isa::Engine::LOAD),
      gemm(8, 64, 64),
      signal(isa::EngineId::PE, isa::Engine::STORE),
      wait(isa::EngineId::STORE, isa::Engine::PE),
      store(512)};
  Timing timing = timed(code);
  EXPECT_EQ(timing.cycles(), timed(chain()).cycles());
  EXPECT_EQ(waits(timing, isa::Engine::PE, Cause::Queue), 3);
}

TEST(Timing, AWaitIsForTheLastOfItsTokens) {
  // The APU is dispatched last, and waits until two loads are done.
  isa::Load each = load(4608);
  each.signal = setOf(isa::Engine::APU);
  Timing timing =
      timed({each, each, wait(isa::EngineId::APU, isa::Engine::LOAD, 2)});
  EXPECT_EQ(waits(timing, isa::Engine::APU, operandOf(isa::Engine::LOAD)),
            1 + 50 + 200 - 3);
}

TEST(Timing, AnInstructionWithNothingToDoSignalsAtItsTurn) {
  // Its rows are past the length; what came before it is not done yet.
  isa::PeGemm past = gemm(64, 64, 64);
  past.row0 = {64, 0};
  past.signal = setOf(isa::Engine::APU);
  Timing timing = timed(
      {gemm(64, 64, 64), past, wait(isa::EngineId::APU, isa::Engine::PE)});
  int64_t multiplied = 1 + 64 * 8 + machine().pe.fillCycles;
  EXPECT_EQ(waits(timing, isa::Engine::APU, operandOf(isa::Engine::PE)),
            multiplied - 3);
}

TEST(Timing, EnginesRunBesideEachOther) {
  int64_t one = timed({gemm(64, 64, 64)}).cycles();
  Timing both = timed({gemm(64, 64, 64), load(5120)});
  EXPECT_LT(both.cycles(), one + 100);
}

TEST(Timing, AFullQueueHoldsTheControlProcessor) {
  isa::Machine shallow = machine();
  shallow.control.queueDepth = 1;
  std::vector<isa::Instruction> code(6, gemm(64, 64, 64));
  code.push_back(load(64));
  int64_t deep = waits(timed(code), isa::Engine::LOAD, Cause::Queue);
  int64_t held =
      waits(timed(code, 64, shallow), isa::Engine::LOAD, Cause::Queue);
  EXPECT_EQ(deep, 7);
  EXPECT_GT(held, 4 * 64 * 8);
}

/// Cycles and conflict cycles of one row over gathered rows of 64 bytes.
std::pair<int64_t, int64_t> gathered(const std::vector<int32_t> &rows,
                                     int64_t stride,
                                     const isa::Machine &machine) {
  Meter meter(machine);
  meter.begin();
  meter.dotRow(rows.data(), static_cast<int64_t>(rows.size()), 64,
               {isa::Buffer::Temp, 640 * 1024, stride});
  return {meter.work.cycles, meter.work.conflictCycles};
}

TEST(Timing, GatheredRowsCollideInBanks) {
  using Cycles = std::pair<int64_t, int64_t>;
  EXPECT_EQ(gathered({0, 1, 2, 3, 4, 5, 6, 7}, 64, machine()), Cycles(1, 0));
  // Each round begins one bank further: rows 3 and 18 are in one bank, 15 and
  // 30 in another.
  EXPECT_EQ(gathered({0, 3, 15, 18, 30, 34, 36, 37}, 64, machine()),
            Cycles(1, 1));

  // A row of all banks: only diagonal storage tells two of them apart.
  isa::Machine plain = machine();
  plain.diagonalStorage = false;
  EXPECT_EQ(gathered({0, 1, 2, 3, 4, 5, 6, 7}, 1024, machine()), Cycles(1, 0));
  EXPECT_EQ(gathered({0, 1, 2, 3, 4, 5, 6, 7}, 1024, plain), Cycles(1, 7));
}

TEST(Timing, AnyOrderOfAGatherWaitsForTheFullestBankOnly) {
  // Two rows of each bank, those of one bank side by side.
  std::vector<int32_t> rows;
  isa::Machine plain = machine();
  plain.diagonalStorage = false;
  for (int32_t bank = 0; bank < 8; ++bank)
    for (int32_t round = 0; round < 2; ++round)
      rows.push_back(bank + 16 * round);
  EXPECT_EQ(gathered(rows, 64, plain), std::pair(int64_t(2), int64_t(0)));
  plain.pe.gatherInOrder = true;
  EXPECT_EQ(gathered(rows, 64, plain), std::pair(int64_t(2), int64_t(2)));
}

TEST(Timing, PredictionTakesTheBetterDirection) {
  // 2048 lanes are 64 x 32: 128 x 64 codes are 4 tiles either way, 64 x 96 are
  // 3 of 64 terms x 32 columns or 4 of 32 x 64.
  Meter meter(machine());
  meter.begin();
  meter.products(10, 128, 64, isa::Predictor::LeadingOne, 4);
  EXPECT_EQ(meter.work.cycles, 4 * 10);
  meter.begin();
  meter.products(10, 64, 96, isa::Predictor::LeadingOne, 4);
  EXPECT_EQ(meter.work.cycles, 3 * 10);
  EXPECT_DOUBLE_EQ(meter.work.idealCycles, 10. * 64 * 96 / 2048);
  // Each product takes the adds of its predictor.
  meter.begin();
  meter.products(10, 64, 96, isa::Predictor::LeadingTwo, 8);
  EXPECT_EQ(meter.work.cycles, 3 * 40);
  // A row alone waits for the next tile: 1 KB of codes at 256 bytes a cycle, of
  // bytes twice as many.
  meter.begin();
  meter.products(1, 64, 96, isa::Predictor::LeadingOne, 4);
  EXPECT_EQ(meter.work.cycles, 3 * 4);
  meter.begin();
  meter.products(1, 64, 96, isa::Predictor::Exact, 8);
  EXPECT_EQ(meter.work.cycles, 3 * 8);
  meter.begin();
  meter.products(0, 64, 96, isa::Predictor::LeadingOne, 4);
  EXPECT_EQ(meter.work.cycles, 0);
}

TEST(Timing, TopKTakesAPassPerDigitAndOneThatMarks) {
  Meter meter(machine());
  meter.begin();
  meter.topKRow(257);
  EXPECT_EQ(meter.work.cycles, 2 * 9);
  EXPECT_DOUBLE_EQ(meter.work.idealCycles, 9 * 257 / 256.);
  isa::Machine bytes = machine();
  bytes.sel.digitBits = 8;
  Meter fewer(bytes);
  fewer.begin();
  fewer.topKRow(257);
  EXPECT_EQ(fewer.work.cycles, 2 * 5);
}

TEST(Timing, ASweepWaitsForUnitsOrForPipelines) {
  Meter meter(machine());
  auto cycles = [&](const isa::FloatSteps &per) {
    meter.begin();
    meter.sweep(isa::Sweep{3, 33, per});
    return meter.work.cycles;
  };
  isa::FloatSteps per;
  per.add = 1;
  EXPECT_EQ(cycles(per), 3 * 2); // two rounds of 32 lanes
  per.add = 3;
  EXPECT_EQ(cycles(per), 3 * 2 * 2); // two adders
  per.scale = per.max = 2;
  EXPECT_EQ(cycles(per), 3 * 2 * 2);
  per.exp = 1;
  EXPECT_EQ(cycles(per), 3 * 5); // 33 elements through 8 pipelines
  per.erf = 1;
  EXPECT_EQ(cycles(per), 3 * 13); // three passes
}

TEST(Timing, ConflictsAreWaitsOfTheirOwn) {
  isa::Machine plain = machine();
  plain.diagonalStorage = false;
  // One row per tile: the next tile's eight rows, in one bank, take longer.
  isa::PeGemm i = gemm(1, 64, 64);
  i.w_stride = 1024;
  Timing timing = timed({i}, 64, plain);
  EXPECT_EQ(timing.engine(isa::Engine::PE).busy, 8 + machine().pe.fillCycles);
  EXPECT_EQ(waits(timing, isa::Engine::PE, Cause::BankConflict), 8 * 7);
}

TEST(Timing, FunctionalWorkIsTheSame) {
  Bench first(64), second(64);
  Timing timing(machine());
  first.run({gemm(64, 64, 64)});
  second.run({gemm(64, 64, 64)}, {&timing});
  EXPECT_EQ(std::memcmp(first.state.sram.data(), second.state.sram.data(),
                        first.state.sram.size()),
            0);
}
} // namespace
