//===- EnergyTest.cpp - Where the energy went -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Energy.h"

#include "../../lib/Sim/Meter.h"
#include "Bench.h"

using namespace fact;
using namespace fact::sim;

namespace {
const isa::Machine &machine() { return isa::Machine::defaultMachine(); }

TEST(Energy, EachCountHasItsEntry) {
  Work work;
  work.macs = {100, 10, 1};
  work.predictorAdds = 1000;
  work.scores = 100;
  work.floats.add = work.floats.multiply = work.floats.exp = 10;
  work.floats.scale = work.floats.max = 5;
  work.floats.divide = 2;
  work.floats.squareRoot = work.floats.erf = 1;
  work.floats.quantize = 4;
  work.sramRead = {1000, 0, 0, 0};
  work.sramWritten = {0, 0, 0, 1000};
  work.accumulatorBytes = 100;
  work.dramRead = 100; // counts as two bursts
  work.dramMoved = 128;
  EnergyUse use = energyOf(work, 2, machine());
  EXPECT_DOUBLE_EQ(use.macs, 100 * 0.15 + 10 * 0.08 + 0.05);
  EXPECT_DOUBLE_EQ(use.registers, 2 * 512 * 0.23);
  EXPECT_DOUBLE_EQ(use.latches, 2 * 512 * 2.5 * 0.02);
  EXPECT_DOUBLE_EQ(use.accumulators, 20);
  EXPECT_DOUBLE_EQ(use.prediction, 10);
  EXPECT_DOUBLE_EQ(use.selection, 3);
  EXPECT_DOUBLE_EQ(use.floats,
                   10 * (0.46 + 1.9 + 12) + 10 * 0.1 + 3 * 6. + 33.2 + 4 * 0.5);
  EXPECT_DOUBLE_EQ(use.sram, 725 + 590);
  EXPECT_DOUBLE_EQ(use.dram, 128 * 8 * 20);
  EXPECT_DOUBLE_EQ(use.core(), use.macs + use.registers + use.latches +
                                   use.accumulators + use.prediction +
                                   use.selection + use.floats + use.sram);
}

// Rows stream past each tile of channels, partial sums past each of terms.
TEST(Energy, TrafficOfAProduct) {
  Bench bench(64);
  isa::PeGemm i;
  i.acc = bench.room<int32_t>(64 * 64);
  i.x = bench.put(randomValues<int8_t>(64 * 128, -127, 127, 1));
  i.w = bench.put(randomValues<int8_t>(128 * 64, -127, 127, 2));
  i.rows = 64;
  i.k = 128;
  i.n = 64;
  i.acc_stride = 256;
  i.x_stride = 128;
  i.w_stride = 64;
  bench.run({i});
  const Work &work = bench.counters.total;
  int64_t read = 0, written = 0;
  for (unsigned b = 0; b < isa::numBuffers; ++b) {
    read += work.sramRead[b];
    written += work.sramWritten[b];
  }
  EXPECT_EQ(read, 64 * 128 * (64 / 8) + 128 * 64);
  EXPECT_EQ(written, 64 * 64 * 4);
  EXPECT_EQ(work.accumulatorBytes, 2 * 4 * 64 * 64 * (128 / 64));
}

// Dot mode makes a sum per key, axpy mode adds to each channel in each step.
TEST(Energy, TrafficOfScoresAndOfTheirUse) {
  Meter meter(machine());
  std::vector<int32_t> rows(20);
  for (int32_t i = 0; i < 20; ++i)
    rows[i] = i;
  BankedRows operand{isa::Buffer::Temp, 640 * 1024, 128};
  meter.begin();
  meter.dotRow(rows.data(), 20, 128, operand);
  EXPECT_EQ(meter.work.accumulatorBytes, 2 * 4 * 20 * (128 / 64));
  meter.begin();
  meter.axpyRow(rows.data(), 20, 128, operand);
  EXPECT_EQ(meter.work.accumulatorBytes, 2 * 4 * 128 * 3); // 20 rows by 8
}

TEST(Energy, PartsAreTheWhole) {
  Bench bench(64);
  isa::PeGemm gemm;
  gemm.acc = {640 * 1024, 0, true};
  gemm.w = {400 * 1024, 0, true};
  gemm.rows = gemm.k = gemm.n = 64;
  gemm.acc_stride = 256;
  gemm.x_stride = gemm.w_stride = 64;
  gemm.role = isa::Role::FFN;
  isa::SelFill fill;
  fill.dst = {1200 * 1024, 0, true};
  fill.rows = 4;
  fill.width = 64;
  bench.run({gemm, fill});
  auto part = [&](Part which) -> const Counters::PartWork & {
    return bench.counters.parts[static_cast<unsigned>(which)];
  };
  EXPECT_EQ(part(Part::FFN).work.macs, bench.counters.total.macs);
  EXPECT_EQ(part(Part::FFN).arrayCycles, 64 * 8 + machine().pe.fillCycles);
  EXPECT_EQ(part(Part::Prediction).work.cycles, 4 + machine().sel.fillCycles);
  EXPECT_EQ(part(Part::QKV).work.cycles, 0);
  int64_t cycles = 0;
  for (const Counters::PartWork &each : bench.counters.parts)
    cycles += each.work.cycles;
  EXPECT_EQ(cycles, bench.counters.total.cycles);
}
} // namespace
