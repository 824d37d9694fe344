//===- TokenCounters.cpp - What engines signal each other -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/TokenCounters.h"

#include "fact/ISA/Queues.h"

using namespace fact;
using namespace fact::isa;

static std::string pairText(unsigned from, unsigned to) {
  return std::string("tokens of ") + engineName(static_cast<Engine>(from)) +
         " for " + engineName(static_cast<Engine>(to));
}

std::optional<Fault> TokenCounters::step(size_t index) {
  Tokens moved = tokensOf(code[index]);
  auto engine = static_cast<unsigned>(engineOf(code[index]));
  std::optional<Fault> fault;
  moved.wait.forEach([&](Engine from) {
    auto other = static_cast<unsigned>(from);
    Counter &counter = counters[other][engine];
    counter.tokens -= moved.times;
    if (counter.tokens >= 0 || fault)
      return;
    fault.emplace();
    if (std::optional<std::string> blocked = findDeadlock(code, length)) {
      fault->reason = "deadlock: " + *blocked;
      return;
    }
    fault->instruction = index;
    fault->reason = "waits for " + pairText(other, engine) +
                    " that come later in program order";
  });
  moved.signal.forEach([&](Engine to) {
    auto other = static_cast<unsigned>(to);
    Counter &counter = counters[engine][other];
    counter.tokens += moved.times;
    counter.lastSignal = index;
    if (counter.tokens <= maximumTokens || fault)
      return;
    fault.emplace();
    fault->instruction = index;
    fault->reason = pairText(engine, other) + " count to at most " +
                    std::to_string(maximumTokens) + " (was " +
                    std::to_string(counter.tokens) + ")";
  });
  return fault;
}

std::optional<Fault> TokenCounters::halt(size_t index) const {
  for (unsigned from = 0; from < numEngines; ++from)
    for (unsigned to = 0; to < numEngines; ++to) {
      const Counter &counter = counters[from][to];
      if (counter.tokens == 0)
        continue;
      Fault fault;
      fault.instruction = index;
      fault.reason = pairText(from, to) + " must be 0 at the end (was " +
                     std::to_string(counter.tokens) + ")";
      fault.other = counter.lastSignal;
      fault.note = "last signal here";
      return fault;
    }
  return std::nullopt;
}
