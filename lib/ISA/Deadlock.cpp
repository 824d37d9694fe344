//===- Deadlock.cpp - Why a wait never ends -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Deadlock.h"

#include <array>
#include <deque>

namespace fact::isa {

namespace {
/// Queues and semaphores without time and data: every engine goes on as far as
/// it can. What is left when nobody can is blocked in every schedule, because
/// a step of one engine never takes away another's chance (each semaphore has
/// one waiting engine).
class Tokens {
public:
  Tokens(const Code &code, int64_t length)
      : code(code), walker(code, registers, length),
        depth(static_cast<size_t>(code.program().machine.control.queueDepth)),
        semaphores(code.program().machine.control.semaphores) {
    more = walker.next(upcoming);
  }

  /// Runs until nobody moves; true if the program ended.
  bool run() {
    bool moved = true;
    while (moved) {
      moved = dispatch();
      for (unsigned engine = 0; engine < numEngines; ++engine)
        while (step(queues[engine]))
          moved = true;
    }
    if (more)
      return false;
    for (const std::deque<size_t> &queue : queues)
      if (!queue.empty())
        return false;
    return true;
  }

  std::string blockedSet() const {
    std::string result;
    for (unsigned engine = 0; engine < numEngines; ++engine) {
      if (queues[engine].empty())
        continue;
      result += result.empty() ? "" : "; ";
      result += engineName(static_cast<Engine>(engine));
      result += " waits at " + code.describe(queues[engine].front());
    }
    if (more)
      result += "; the control processor waits for a place in the queue of " +
                std::string(engineName(engineOf(code[upcoming]))) + " at " +
                code.describe(upcoming);
    return result;
  }

private:
  bool dispatch() {
    bool moved = false;
    while (more) {
      auto engine = static_cast<unsigned>(engineOf(code[upcoming]));
      if (engine != static_cast<unsigned>(Engine::CTRL)) {
        if (queues[engine].size() >= depth)
          return moved;
        queues[engine].push_back(upcoming);
      }
      more = walker.next(upcoming);
      moved = true;
    }
    return moved;
  }

  bool step(std::deque<size_t> &queue) {
    if (queue.empty())
      return false;
    const Instruction &instruction = code[queue.front()];
    if (auto *wait = std::get_if<Wait>(&instruction)) {
      if (semaphores[wait->semaphore] == 0)
        return false;
      --semaphores[wait->semaphore];
    } else if (auto *signal = std::get_if<Signal>(&instruction)) {
      ++semaphores[signal->semaphore];
    }
    queue.pop_front();
    return true;
  }

  const Code &code;
  int64_t registers[numRegisters] = {};
  Walker walker;
  size_t depth;
  std::vector<int64_t> semaphores;
  std::array<std::deque<size_t>, numEngines> queues;
  size_t upcoming = 0;
  bool more = false;
};
} // namespace

std::optional<std::string> findDeadlock(const Code &code, int64_t length) {
  Tokens tokens(code, length);
  if (tokens.run())
    return std::nullopt;
  return tokens.blockedSet();
}

} // namespace fact::isa
