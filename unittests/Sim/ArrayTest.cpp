//===- ArrayTest.cpp - The multiplier array, cycle by cycle ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model of the array that moves data in every cycle and knows none of Meter's
// formulas: it multiplies, so that what it skips or does twice shows in the
// results, and it counts the cycles that it took.
//
//===----------------------------------------------------------------------===//

#include "../../lib/Sim/Meter.h"
#include "Bench.h"

#include <algorithm>
#include <map>

using namespace fact;
using namespace fact::sim;

namespace {
isa::Machine small(int64_t rows, int64_t columns, int64_t banks) {
  isa::Machine machine = isa::Machine::defaultMachine();
  machine.pe.rows = rows;
  machine.pe.columns = columns;
  for (isa::Machine::Sram &buffer : machine.buffers) {
    buffer.banks = banks;
    buffer.wordBytes = columns;
  }
  return machine;
}

/// Which bank has the byte at an address.
int64_t bankOf(const isa::Machine &machine, int64_t address) {
  const isa::Machine::Sram &buffer = machine.buffer(isa::Buffer::Temp);
  int64_t word = address / buffer.wordBytes;
  return (word + (machine.diagonalStorage ? word / buffer.banks : 0)) %
         buffer.banks;
}

/// x [m, k] times w [k, n], weights held in tiles of `terms` x `channels`.
class WeightStationary {
public:
  WeightStationary(const isa::Machine &machine, int64_t terms, int64_t channels,
                   int64_t stride)
      : machine(machine), terms(terms), channels(channels), stride(stride) {}

  int64_t cycles = 0;

  std::vector<int32_t> run(const std::vector<int8_t> &x,
                           const std::vector<int8_t> &w, int64_t m, int64_t k,
                           int64_t n) {
    std::vector<int32_t> y(m * n);
    for (int64_t k0 = 0; k0 < k; k0 += terms)
      for (int64_t n0 = 0; n0 < n; n0 += channels) {
        // Words of a tile's weights that are still to come, each in its bank.
        std::map<int64_t, int64_t> missing;
        int64_t width = std::min(channels, n - n0);
        // All tiles of weights are asked for as the first, largest one is.
        for (int64_t i = 0; i < std::min(terms, k); ++i) {
          int64_t begin = i * stride;
          int64_t end = begin + std::min(channels, n) - 1;
          for (int64_t word = begin / channelsWord();
               word <= end / channelsWord(); ++word)
            ++missing[bankOf(machine, word * channelsWord())];
        }
        for (int64_t row = 0;;) {
          bool isLoading = false;
          for (auto &[bank, words] : missing)
            isLoading |= words > 0;
          if (row == m && !isLoading)
            break;
          ++cycles;
          for (auto &[bank, words] : missing)
            words -= words > 0;
          if (row == m)
            continue;
          for (int64_t c = 0; c < width; ++c)
            for (int64_t i = k0; i < std::min(k0 + terms, k); ++i)
              y[row * n + n0 + c] += x[row * k + i] * w[i * n + n0 + c];
          ++row;
        }
      }
    return y;
  }

private:
  int64_t channelsWord() const {
    return machine.buffer(isa::Buffer::Temp).wordBytes;
  }

  const isa::Machine &machine;
  int64_t terms, channels, stride;
};

TEST(Array, ProductsTakeTheCyclesOfTheBetterDirection) {
  for (auto [rows, columns] : {std::pair(2, 8), std::pair(4, 4)}) {
    isa::Machine machine = small(rows, columns, 4);
    for (int64_t m : {1, 3, 8})
      for (int64_t k : {1, 7, 8, 17})
        for (int64_t n : {1, 4, 9, 16}) {
          std::vector<int8_t> x = randomValues<int8_t>(m * k, -127, 127, 1),
                              w = randomValues<int8_t>(k * n, -127, 127, 2);
          std::vector<int32_t> expected(m * n);
          for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < n; ++j)
              for (int64_t l = 0; l < k; ++l)
                expected[i * n + j] += x[i * k + l] * w[l * n + j];
          WeightStationary dot(machine, columns, rows, n),
              axpy(machine, rows, columns, n);
          EXPECT_EQ(dot.run(x, w, m, k, n), expected);
          EXPECT_EQ(axpy.run(x, w, m, k, n), expected);
          Meter meter(machine);
          meter.begin();
          meter.gemm(m, 0, MacKind::A4W4, k, n, {isa::Buffer::Temp, 0, n});
          EXPECT_EQ(meter.work.cycles + meter.work.conflictCycles,
                    std::min(dot.cycles, axpy.cycles))
              << rows << " x " << columns << ", " << m << " x " << k << " x "
              << n;
        }
  }
}

/// Cycles in which banks give rows to an array that takes so many at once, each
/// bank one word per cycle, the fullest banks first.
int64_t gatherCycles(const isa::Machine &machine,
                     const std::vector<int32_t> &rows, int64_t stride) {
  std::map<int64_t, int64_t> waiting;
  for (int32_t row : rows)
    ++waiting[bankOf(machine, row * stride)];
  int64_t cycles = 0;
  for (size_t left = rows.size(); left > 0; ++cycles) {
    std::vector<std::pair<int64_t, int64_t>> banks;
    for (auto [bank, words] : waiting)
      if (words > 0)
        banks.push_back({-words, bank});
    std::sort(banks.begin(), banks.end());
    banks.resize(std::min<size_t>(banks.size(), machine.pe.rows));
    for (auto [words, bank] : banks)
      --waiting[bank];
    left -= banks.size();
  }
  return cycles;
}

TEST(Array, GathersTakeTheCyclesOfTheFullestBankOrOfTheArray) {
  std::mt19937 generator(3);
  for (bool diagonal : {false, true})
    for (int64_t stride : {8, 24, 64, 72}) {
      isa::Machine machine = small(4, 8, 8);
      machine.diagonalStorage = diagonal;
      for (int64_t count = 0; count < 40; ++count) {
        std::vector<int32_t> rows;
        for (int32_t row = 0;
             row < 100 && static_cast<int64_t>(rows.size()) < count; ++row)
          if (generator() % 3 == 0)
            rows.push_back(row);
        Meter meter(machine);
        meter.begin();
        meter.axpyRow(rows.data(), static_cast<int64_t>(rows.size()), 8,
                      {isa::Buffer::Temp, 0, stride});
        EXPECT_EQ(meter.work.cycles + meter.work.conflictCycles,
                  gatherCycles(machine, rows, stride))
            << rows.size() << " rows " << stride << " apart";
      }
    }
}
} // namespace
