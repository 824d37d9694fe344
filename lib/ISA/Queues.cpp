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
      depth(static_cast<size_t>(code.program().machine.control.queueDepth)) {
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
  Tokens needed = tokensOf(code[queue.front().index]);
  bool are = true;
  needed.wait.forEach([&](Engine from) {
    are &= tokens[number(from)][number(engine)] >= needed.times;
  });
  return are;
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
  Tokens moved = tokensOf(code[entry.index]);
  moved.wait.forEach([&](Engine from) {
    tokens[number(from)][number(engine)] -= moved.times;
  });
  moved.signal.forEach(
      [&](Engine to) { tokens[number(engine)][number(to)] += moved.times; });
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

std::optional<std::string> isa::findDeadlock(const Code &code, int64_t length) {
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
