//===- Meter.cpp - From what was done to engine cycles --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Meter.h"

#include "fact/ISA/Cost.h"

#include <algorithm>

namespace fact::sim {

using isa::divideUp;

Meter::Meter(const isa::Machine &machine)
    : machine(machine),
      rates{machine.pe.rateA8W8, machine.pe.rateA4W8, machine.pe.rateA4W4} {
  int64_t most = 0;
  for (const isa::Machine::Sram &buffer : machine.buffers)
    most = std::max(most, buffer.banks);
  bankLoad.resize(most);
  for (unsigned b = 0; b < isa::numBuffers; ++b) {
    words[b] = divisor(machine.buffers[b].wordBytes);
    banks[b] = divisor(machine.buffers[b].banks);
  }
  iota.resize(std::max(machine.pe.rows, machine.pe.columns));
  for (size_t i = 0; i < iota.size(); ++i)
    iota[i] = static_cast<int32_t>(i);
}

Meter::Divisor Meter::divisor(int64_t value) {
  Divisor result{value, -1};
  for (int shift = 0; shift < 62; ++shift)
    if (int64_t(1) << shift == value)
      result.shift = shift;
  return result;
}

void Meter::end(isa::Engine engine) {
  if (work.cycles == 0)
    return;
  switch (engine) {
  case isa::Engine::PE:
    work.cycles += machine.pe.fillCycles;
    return;
  case isa::Engine::EP:
    work.cycles += machine.ep.fillCycles;
    return;
  case isa::Engine::SEL:
    work.cycles += machine.sel.fillCycles;
    return;
  case isa::Engine::APU:
    work.cycles += machine.apu.fillCycles;
    return;
  case isa::Engine::CTRL:
  case isa::Engine::LOAD:
  case isa::Engine::STORE:
    return;
  }
}

//===----------------------------------------------------------------------===//
// PE
//===----------------------------------------------------------------------===//

int64_t Meter::bankCycles(const int32_t *rows, int64_t count, int64_t offset,
                          int64_t width, const BankedRows &operand) {
  if (count == 0 || width == 0)
    return 0;
  Divisor perWord = words[static_cast<unsigned>(operand.buffer)],
          perRound = banks[static_cast<unsigned>(operand.buffer)];
  std::fill(bankLoad.begin(), bankLoad.begin() + perRound.value, 0);
  int32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t begin = operand.address + rows[i] * operand.stride + offset;
    int64_t last = perWord.quotient(begin + width - 1);
    for (int64_t word = perWord.quotient(begin); word <= last; ++word) {
      // Rows that are a multiple of all banks long lie in one bank each step,
      // unless each round of the banks begins with the next bank.
      int64_t shift = machine.diagonalStorage ? perRound.quotient(word) : 0;
      int64_t place = word + shift;
      largest = std::max(
          largest,
          ++bankLoad[place - perRound.quotient(place) * perRound.value]);
    }
  }
  return largest;
}

void Meter::countMacs(MacKind kind, int64_t count) {
  unsigned index = static_cast<unsigned>(kind);
  work.macs[index] += count;
  work.idealCycles +=
      static_cast<double>(count) /
      static_cast<double>(machine.pe.rows * machine.pe.columns * rates[index]);
}

int64_t Meter::gemm(int64_t rows, int64_t lowRows, MacKind lowKind, int64_t k,
                    int64_t n, const BankedRows &weights) {
  if (rows + lowRows == 0)
    return 0;
  countMacs(MacKind::A8W8, rows * k * n);
  countMacs(lowKind, lowRows * k * n);
  // The array reduces along its columns (dot mode) or its rows (axpy mode);
  // the better one for this shape is taken.
  struct Mode {
    int64_t terms, channels; ///< of the tile of weights in the array
  };
  int64_t perTile =
      rows + divideUp(lowRows, rates[static_cast<unsigned>(lowKind)]);
  int64_t best = -1, bestConflicts = 0;
  Mode bestMode{1, 1};
  for (Mode mode : {Mode{machine.pe.columns, machine.pe.rows},
                    Mode{machine.pe.rows, machine.pe.columns}}) {
    int64_t tiles = divideUp(k, mode.terms) * divideUp(n, mode.channels);
    // The next tile's weights come while rows stream past this one; what takes
    // longer than the rows is a conflict.
    int64_t load = bankCycles(iota.data(), std::min(k, mode.terms), 0,
                              std::min(n, mode.channels), weights);
    int64_t cycles = tiles * perTile;
    int64_t conflicts = tiles * std::max<int64_t>(0, load - perTile);
    if (best < 0 || cycles + conflicts < best + bestConflicts) {
      best = cycles;
      bestConflicts = conflicts;
      bestMode = mode;
    }
  }
  work.cycles += best;
  work.conflictCycles += bestConflicts;
  // A partial sum is read and written for each tile of terms.
  work.accumulatorBytes +=
      2 * 4 * (rows + lowRows) * n * divideUp(k, bestMode.terms);
  return divideUp(n, bestMode.channels);
}

void Meter::gatherRow(const int32_t *columns, int64_t count, int64_t n,
                      const BankedRows &operand) {
  countMacs(MacKind::A8W8, count * n);
  // In index order each step waits for its rows; in any order a row's elements
  // take as long as the fullest bank.
  int64_t together = machine.pe.gatherInOrder ? machine.pe.rows : count;
  for (int64_t c = 0; c < n; c += machine.pe.columns) {
    int64_t width = std::min(machine.pe.columns, n - c);
    for (int64_t first = 0; first < count; first += together) {
      int64_t group = std::min(together, count - first);
      int64_t steps = divideUp(group, machine.pe.rows);
      work.cycles += steps;
      work.conflictCycles += std::max<int64_t>(
          0, bankCycles(columns + first, group, c, width, operand) - steps);
    }
  }
}

void Meter::dotRow(const int32_t *columns, int64_t count, int64_t n,
                   const BankedRows &keys) {
  gatherRow(columns, count, n, keys);
  work.accumulatorBytes += 2 * 4 * count * divideUp(n, machine.pe.columns);
}

void Meter::axpyRow(const int32_t *columns, int64_t count, int64_t n,
                    const BankedRows &values) {
  gatherRow(columns, count, n, values);
  work.accumulatorBytes += 2 * 4 * n * divideUp(count, machine.pe.rows);
}

//===----------------------------------------------------------------------===//
// EP, SEL
//===----------------------------------------------------------------------===//

void Meter::products(int64_t rows, int64_t k, int64_t n,
                     isa::Predictor predictor, int64_t codeBits) {
  if (rows * k * n == 0)
    return;
  int64_t perProduct = isa::addsPerProduct(predictor, machine);
  int64_t adds = rows * k * n * perProduct;
  work.predictorAdds += adds;
  work.idealCycles +=
      static_cast<double>(adds) / static_cast<double>(machine.ep.lanes);
  // The next tile's codes come in words of four banks while rows stream past
  // this one.
  const isa::Machine::Sram &buffer = machine.buffer(isa::Buffer::Weight);
  int64_t load =
      divideUp(machine.ep.lanes * codeBits,
               8 * std::min<int64_t>(4, buffer.banks) * buffer.wordBytes);
  work.cycles +=
      isa::codeTiles(k, n, machine) * std::max(rows * perProduct, load);
}

void Meter::laneSteps(int64_t steps) {
  work.cycles += divideUp(steps, machine.ep.lanes);
  work.idealCycles +=
      static_cast<double>(steps) / static_cast<double>(machine.ep.lanes);
}

void Meter::topKRow(int64_t scores) {
  int64_t passes = machine.sel.topKPasses();
  work.scores += scores * passes;
  work.cycles += divideUp(scores, machine.sel.scoresPerCycle) * passes;
  work.idealCycles += static_cast<double>(scores * passes) /
                      static_cast<double>(machine.sel.scoresPerCycle);
}

void Meter::select(int64_t scores) {
  work.scores += scores;
  work.cycles += divideUp(scores, machine.sel.scoresPerCycle);
  work.idealCycles += static_cast<double>(scores) /
                      static_cast<double>(machine.sel.scoresPerCycle);
}

void Meter::fill(int64_t bytes) {
  int64_t word = machine.buffer(isa::Buffer::Index).wordBytes;
  work.cycles += divideUp(bytes, word);
  work.idealCycles += static_cast<double>(bytes) / static_cast<double>(word);
}

//===----------------------------------------------------------------------===//
// APU, DMA
//===----------------------------------------------------------------------===//

void Meter::sweep(const isa::Sweep &sweep) {
  work.floats.accumulate(sweep.perElement, sweep.rows * sweep.elements);
  work.cycles += sweep.cycles(machine);
  work.idealCycles += sweep.idealCycles(machine);
}

void Meter::sweep(const isa::Sweeps &sweeps) {
  for (const isa::Sweep &each : sweeps)
    sweep(each);
}

void Meter::transfer(int64_t address, int64_t bytes) {
  int64_t burst = machine.dram.burstBytes;
  work.dramMoved +=
      (divideUp(address + bytes, burst) - address / burst) * burst;
}

} // namespace fact::sim
