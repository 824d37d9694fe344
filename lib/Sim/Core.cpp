//===- Core.cpp - Runs the instruction stream -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"

#include "Semantics.h"
#include "fact/ISA/Queues.h"
#include "fact/ISA/TokenCounters.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <random>

namespace fact::sim {

namespace {
/// Draws who goes on. Engines are not alike, and change: one that is drawn
/// seldom for a while lets the others run as far ahead as they ever can.
class RandomChoice {
public:
  explicit RandomChoice(uint64_t seed) : generator(seed) {}

  std::optional<isa::Engine> operator()(const isa::Queues &queues) {
    if (steps++ % stepsBetweenChanges == 0)
      for (uint64_t &weight : weights)
        weight = uint64_t(1) << generator() % 12;
    uint64_t sum = 0;
    std::array<uint64_t, isa::numEngines> upTo;
    for (unsigned e = 0; e < isa::numEngines; ++e)
      upTo[e] = sum +=
          queues.canStep(static_cast<isa::Engine>(e)) ? weights[e] : 0;
    if (sum == 0)
      return std::nullopt;
    auto drawn = std::upper_bound(upTo.begin(), upTo.end(), generator() % sum);
    return static_cast<isa::Engine>(drawn - upTo.begin());
  }

private:
  static constexpr uint64_t stepsBetweenChanges = 100;

  // The same numbers on every host, as no distribution of <random> has.
  std::mt19937_64 generator;
  std::array<uint64_t, isa::numEngines> weights{};
  uint64_t steps = 0;
};

class Executor {
public:
  Executor(const isa::Code &code, State &state,
           const std::vector<Observer *> &observers)
      : code(code), state(state), observers(observers),
        tokens(code, state.length), meter(code.program().machine) {}

  void inProgramOrder() {
    isa::Walker walker(code, state.registers, state.length);
    while (walker.next(index))
      step();
    end();
  }

  void inRandomOrder(uint64_t seed) {
    isa::Queues queues(code, state.length);
    RandomChoice choice(seed);
    while (std::optional<isa::Engine> engine = choice(queues)) {
      isa::Queues::Entry entry = queues.step(*engine);
      if (isa::engineOf(code[entry.index]) != *engine)
        continue; // dispatched
      index = entry.index;
      std::copy(entry.registers.begin(), entry.registers.end(),
                state.registers);
      step();
    }
    if (!queues.isDone())
      throw Error("deadlock: " + queues.blockedSet());
    end();
  }

private:
  void step() {
    require(tokens.step(index));
    std::visit([this](auto &i) { step(i); }, code[index]);
  }

  /// Control instructions: the walker has done them.
  void step(const isa::Halt &) {
    halt = index;
    notifyControl();
  }
  void step(const isa::Loop &) { notifyControl(); }
  void step(const isa::EndLoop &) { notifyControl(); }
  void step(const isa::MulAdd &) { notifyControl(); }
  void step(const isa::Rotate &) { notifyControl(); }
  void step(const isa::Clip &) { notifyControl(); }
  void step(const isa::Clamp &) { notifyControl(); }
  void step(const isa::Sync &) { notifyControl(); }

  template <typename Instruction> void step(const Instruction &i) {
    meter.begin();
    try {
      Frame frame(state, code[index], meter);
      execute(i, frame);
      meter.end(Instruction::engine);
      notify(frame.accesses());
    } catch (const Error &error) {
      throw Error(code.describe(index) + ": " + error.what());
    }
  }

  /// Nobody has anything left to do.
  void end() {
    require(tokens.halt(halt));
    for (Observer *observer : observers)
      observer->onEnd();
  }

  void require(const std::optional<isa::Fault> &fault) const {
    if (fault)
      throw Error(fault->text(code));
  }

  void notifyControl() {
    meter.begin();
    notify(isa::AccessList());
  }

  void notify(const isa::AccessList &accesses) {
    Executed executed = {index, code[index], state, accesses, meter.work};
    for (Observer *observer : observers)
      observer->onInstruction(executed);
  }

  const isa::Code &code;
  State &state;
  const std::vector<Observer *> &observers;
  isa::TokenCounters tokens;
  Meter meter;
  size_t index = 0; ///< of the instruction at hand
  size_t halt = 0;
};
} // namespace

void runProgram(const isa::Code &code, State &state,
                const std::vector<Observer *> &observers,
                std::optional<uint64_t> seed) {
  Executor executor(code, state, observers);
  if (seed)
    executor.inRandomOrder(*seed);
  else
    executor.inProgramOrder();
}

} // namespace fact::sim
