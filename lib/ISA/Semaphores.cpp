//===- Semaphores.cpp - Counts of signals and waits -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Semaphores.h"

#include "fact/ISA/Queues.h"

using namespace fact;
using namespace fact::isa;

/// Runs the engines as far as the semaphores let them. Where they block each
/// other they do so in every schedule, because a step of one engine never takes
/// away another's chance: each semaphore has one waiting engine.
static std::optional<std::string> findDeadlock(const Code &code,
                                               int64_t length) {
  Queues queues(code, length);
  for (bool moved = true; moved;) {
    moved = false;
    for (unsigned engine = 0; engine < numEngines; ++engine)
      while (queues.canStep(static_cast<Engine>(engine))) {
        queues.step(static_cast<Engine>(engine));
        moved = true;
      }
  }
  if (queues.isDone())
    return std::nullopt;
  return queues.blockedSet();
}

Semaphores::Semaphores(const Code &code, int64_t length)
    : code(code), length(length),
      semaphores(code.program().machine.control.semaphores) {}

std::optional<Fault> Semaphores::wait(size_t index) {
  Semaphore &semaphore = semaphores[std::get<Wait>(code[index]).semaphore];
  if (semaphore.count > 0) {
    --semaphore.count;
    return std::nullopt;
  }
  Fault fault;
  if (std::optional<std::string> blocked = findDeadlock(code, length)) {
    fault.reason = "deadlock: " + *blocked;
    return fault;
  }
  fault.instruction = index;
  fault.reason = "the wait comes before its signal in program order";
  return fault;
}

std::optional<Fault> Semaphores::signal(size_t index) {
  uint32_t number = std::get<Signal>(code[index]).semaphore;
  Semaphore &semaphore = semaphores[number];
  semaphore.lastSignal = index;
  if (semaphore.count < maximumSemaphoreCount) {
    ++semaphore.count;
    return std::nullopt;
  }
  Fault fault;
  fault.instruction = index;
  fault.reason = "semaphore " + std::to_string(number) + " counts to at most " +
                 std::to_string(maximumSemaphoreCount) + " (was " +
                 std::to_string(semaphore.count + 1) + ")";
  return fault;
}

std::optional<Fault> Semaphores::halt(size_t index) const {
  for (size_t number = 0; number < semaphores.size(); ++number) {
    const Semaphore &semaphore = semaphores[number];
    if (semaphore.count == 0)
      continue;
    Fault fault;
    fault.instruction = index;
    fault.reason = "semaphore " + std::to_string(number) +
                   " must be 0 at the end (was " +
                   std::to_string(semaphore.count) + ")";
    fault.other = semaphore.lastSignal;
    fault.note = "last signal here";
    return fault;
  }
  return std::nullopt;
}
