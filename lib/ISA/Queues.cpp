//===- Queues.cpp - What the engines of a machine may do next -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Queues.h"

using namespace fact;
using namespace fact::isa;

static unsigned number(Engine engine) { return static_cast<unsigned>(engine); }

Queues::Queues(const Code &code, int64_t length)
    : code(code), walker(code, registers.data(), length),
      depth(static_cast<size_t>(code.program().machine.control.queueDepth)),
      semaphores(code.program().machine.control.semaphores) {
  more = walker.next(upcoming);
}

bool Queues::canStep(Engine engine) const {
  if (engine == Engine::CTRL) {
    if (!more)
      return false;
    Engine target = engineOf(code[upcoming]);
    return target == Engine::CTRL || queues[number(target)].size() < depth;
  }
  const std::deque<Entry> &queue = queues[number(engine)];
  if (queue.empty())
    return false;
  const auto *wait = std::get_if<Wait>(&code[queue.front().index]);
  return !wait || semaphores[wait->semaphore] > 0;
}

Queues::Entry Queues::step(Engine engine) {
  Entry entry;
  if (engine == Engine::CTRL) {
    entry = {upcoming, registers};
    if (Engine target = engineOf(code[upcoming]); target != Engine::CTRL)
      queues[number(target)].push_back(entry);
    more = walker.next(upcoming);
    return entry;
  }
  std::deque<Entry> &queue = queues[number(engine)];
  entry = queue.front();
  queue.pop_front();
  if (const auto *wait = std::get_if<Wait>(&code[entry.index]))
    --semaphores[wait->semaphore];
  else if (const auto *signal = std::get_if<Signal>(&code[entry.index]))
    ++semaphores[signal->semaphore];
  return entry;
}

bool Queues::isDone() const {
  for (const std::deque<Entry> &queue : queues)
    if (!queue.empty())
      return false;
  return !more;
}

std::string Queues::blockedSet() const {
  std::string result;
  for (unsigned engine = 0; engine < numEngines; ++engine) {
    if (queues[engine].empty())
      continue;
    result += result.empty() ? "" : "; ";
    result += engineName(static_cast<Engine>(engine));
    result += " waits at " + code.describe(queues[engine].front().index);
  }
  if (more)
    result += "; the control processor waits for a place in the queue of " +
              std::string(engineName(engineOf(code[upcoming]))) + " at " +
              code.describe(upcoming);
  return result;
}
