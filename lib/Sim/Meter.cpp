//===- Meter.cpp - From what was done to engine cycles --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Meter.h"

#include <algorithm>

namespace fact::sim {

static int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

Meter::Meter(const isa::Machine &machine)
    : machine(machine),
      rates{machine.pe.rateA8W8, machine.pe.rateA4W8, machine.pe.rateA4W4} {
  int64_t most = 0;
  for (const isa::Machine::Sram &buffer : machine.buffers)
    most = std::max(most, buffer.banks);
  bankLoad.resize(most);
  iota.resize(std::max(machine.pe.rows, machine.pe.columns));
  for (size_t i = 0; i < iota.size(); ++i)
    iota[i] = static_cast<int32_t>(i);
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
  const isa::Machine::Sram &buffer = machine.buffer(operand.buffer);
  // Word j of row i is in bank i + j with diagonal storage, else in bank j:
  // then the same word of several rows is in one bank.
  int64_t begin =
      static_cast<int64_t>(operand.address % buffer.wordBytes) + offset;
  int64_t firstWord = begin / buffer.wordBytes;
  int64_t lastWord = (begin + width - 1) / buffer.wordBytes;
  int64_t words = lastWord - firstWord + 1;
  if (!machine.diagonalStorage)
    return count * divideUp(words, buffer.banks);
  // Consecutive rows of one word each have as many banks.
  if (words == 1 && count <= buffer.banks &&
      rows[count - 1] - rows[0] == count - 1)
    return 1;
  std::fill(bankLoad.begin(), bankLoad.begin() + buffer.banks, 0);
  int32_t largest = 0;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t word = firstWord; word <= lastWord; ++word)
      largest = std::max(largest, ++bankLoad[(rows[i] + word) % buffer.banks]);
  return largest;
}

void Meter::countMacs(MacKind kind, int64_t count) {
  unsigned index = static_cast<unsigned>(kind);
  work.macs[index] += count;
  work.idealCycles +=
      static_cast<double>(count) /
      static_cast<double>(machine.pe.rows * machine.pe.columns * rates[index]);
}

void Meter::gemm(int64_t rows, int64_t lowRows, MacKind lowKind, int64_t k,
                 int64_t n, const BankedRows &weights) {
  if (rows + lowRows == 0)
    return;
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
    }
  }
  work.cycles += best;
  work.conflictCycles += bestConflicts;
}

void Meter::gatherRow(const int32_t *columns, int64_t count, int64_t n,
                      const BankedRows &operand) {
  countMacs(MacKind::A8W8, count * n);
  for (int64_t first = 0; first < count; first += machine.pe.rows) {
    int64_t group = std::min(machine.pe.rows, count - first);
    for (int64_t c = 0; c < n; c += machine.pe.columns) {
      work.cycles += 1;
      work.conflictCycles +=
          bankCycles(columns + first, group, c,
                     std::min(machine.pe.columns, n - c), operand) -
          1;
    }
  }
}

void Meter::dotRow(const int32_t *columns, int64_t count, int64_t n,
                   const BankedRows &keys) {
  gatherRow(columns, count, n, keys);
}

void Meter::axpyRow(const int32_t *columns, int64_t count, int64_t n,
                    const BankedRows &values) {
  // Both modes take pe.rows gathered rows and pe.columns of their elements per
  // step; they differ in the direction of the sum.
  gatherRow(columns, count, n, values);
}

//===----------------------------------------------------------------------===//
// EP, SEL
//===----------------------------------------------------------------------===//

static int64_t addsPerProduct(const isa::Machine &machine,
                              isa::Predictor predictor) {
  switch (predictor) {
  case isa::Predictor::LeadingOne:
    return machine.ep.addsLeadingOne;
  case isa::Predictor::LeadingTwo:
    return machine.ep.addsLeadingTwo;
  case isa::Predictor::OneSided:
    return machine.ep.addsOneSided;
  case isa::Predictor::Exact:
    return machine.ep.addsExact;
  }
  return machine.ep.addsExact;
}

void Meter::products(int64_t products, isa::Predictor predictor) {
  int64_t adds = products * addsPerProduct(machine, predictor);
  work.predictorAdds += adds;
  laneSteps(adds);
}

void Meter::laneSteps(int64_t steps) {
  work.cycles += divideUp(steps, machine.ep.lanes);
  work.idealCycles +=
      static_cast<double>(steps) / static_cast<double>(machine.ep.lanes);
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
// APU
//===----------------------------------------------------------------------===//

int64_t Meter::steps(const FloatSteps &per) const {
  const isa::Machine::AuxiliaryUnit &apu = machine.apu;
  return std::max({int64_t(1), per.add * apu.addCycles,
                   per.multiply * apu.multiplyCycles, per.max * apu.maxCycles,
                   per.exp * apu.expCycles, per.erf * apu.erfCycles,
                   per.divide * apu.divideCycles,
                   per.squareRoot * apu.squareRootCycles,
                   per.quantize * apu.quantizeCycles});
}

void Meter::sweep(int64_t rows, int64_t elements, const FloatSteps &per) {
  int64_t count = rows * elements, cycles = steps(per);
  FloatSteps &sum = work.floats;
  sum.add += count * per.add;
  sum.multiply += count * per.multiply;
  sum.max += count * per.max;
  sum.exp += count * per.exp;
  sum.erf += count * per.erf;
  sum.divide += count * per.divide;
  sum.squareRoot += count * per.squareRoot;
  sum.quantize += count * per.quantize;
  work.cycles += rows * divideUp(elements, machine.apu.lanes) * cycles;
  work.idealCycles += static_cast<double>(count * cycles) /
                      static_cast<double>(machine.apu.lanes);
}

} // namespace fact::sim
