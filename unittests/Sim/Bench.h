//===- Bench.h - Instructions on a bench: memory in, memory out -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_SIM_BENCH_H
#define FACT_UNITTESTS_SIM_BENCH_H

#include "../../lib/Sim/Core.h"

#include "fact/Sim/Counters.h"
#include "fact/Sim/Timing.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

#include <cstring>
#include <random>
#include <vector>

namespace fact::sim {

/// A machine whose scratchpad is full of garbage but for what is put there.
/// `put` hands out places one after the other; `run` executes instructions, a
/// `halt` behind them.
class Bench {
public:
  explicit Bench(int64_t length,
                 const isa::Machine &machine = isa::Machine::defaultMachine())
      : state(machine, 1 << 20) {
    program.machine = machine;
    program.dramBytes = state.dram.size();
    state.length = length;
    state.fillUndefined(7);
  }

  /// Room for `count` elements of T, 64-byte aligned, with guard bytes behind.
  template <typename T> isa::SramRef room(int64_t count) {
    isa::SramRef ref{static_cast<uint32_t>(next), 0, true};
    next += (count * sizeof(T) + 64 + 63) / 64 * 64;
    return ref;
  }
  template <typename T> isa::SramRef put(const std::vector<T> &values) {
    isa::SramRef ref = room<T>(static_cast<int64_t>(values.size()));
    std::memcpy(state.sram.data() + ref.offset, values.data(),
                values.size() * sizeof(T));
    return ref;
  }
  template <typename T>
  std::vector<T> get(const isa::SramRef &ref, int64_t count) const {
    std::vector<T> values(count);
    std::memcpy(values.data(), state.sram.data() + ref.offset,
                values.size() * sizeof(T));
    return values;
  }

  /// The program's instructions are `code` from now on.
  void assemble(const std::vector<isa::Instruction> &code) {
    program.instructions.clear();
    program.sources.clear();
    program.sourceOf.clear();
    for (const isa::Instruction &instruction : code)
      program.append(instruction, "node");
    program.append(isa::Halt(), "");
  }
  void run(const std::vector<isa::Instruction> &code,
           std::vector<Observer *> observers = {}) {
    assemble(code);
    counters = Counters();
    observers.push_back(&counters);
    runProgram(isa::Code(program), state, observers);
  }
  /// The error that `run` ends with, or "".
  std::string error(const std::vector<isa::Instruction> &code) {
    return catchError([&] { run(code); }).value_or("");
  }

  isa::Program program;
  State state;
  Counters counters; ///< of the last run
  uint64_t next = 0;
};

inline isa::EngineSet setOf(isa::Engine engine) {
  isa::EngineSet set;
  set.insert(engine);
  return set;
}

/// `engine` waits for `times` tokens of `from`.
inline isa::Sync wait(isa::EngineId engine, isa::Engine from,
                      uint32_t times = 1) {
  return {engine, times, setOf(from), isa::EngineSet()};
}

/// `engine` gives `times` tokens to `to`.
inline isa::Sync signal(isa::EngineId engine, isa::Engine to,
                        uint32_t times = 1) {
  return {engine, times, isa::EngineSet(), setOf(to)};
}

/// `count` numbers in [low, high], the same for the same seed.
template <typename T>
std::vector<T> randomValues(int64_t count, double low, double high,
                            unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<T> values(count);
  if constexpr (std::is_floating_point<T>::value) {
    std::uniform_real_distribution<T> pick(static_cast<T>(low),
                                           static_cast<T>(high));
    for (T &value : values)
      value = pick(generator);
  } else {
    std::uniform_int_distribution<int64_t> pick(static_cast<int64_t>(low),
                                                static_cast<int64_t>(high));
    for (T &value : values)
      value = static_cast<T>(pick(generator));
  }
  return values;
}

/// Bit for bit: NaN is equal to itself and the zeros differ.
inline void expectSameBits(const std::vector<float> &actual,
                           const std::vector<float> &expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    uint32_t a, b;
    std::memcpy(&a, &actual[i], 4);
    std::memcpy(&b, &expected[i], 4);
    ASSERT_EQ(a, b) << "element " << i << ": " << actual[i] << " and "
                    << expected[i];
  }
}

} // namespace fact::sim

#endif // FACT_UNITTESTS_SIM_BENCH_H
