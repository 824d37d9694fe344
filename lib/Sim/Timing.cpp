//===- Timing.cpp - When everything happens -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Instructions come in program order, and everything that one waits for (its
// signal, a place in the queue, its engine) is earlier in program order. So its
// times follow at once from times that are known, without an event queue.
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Timing.h"

#include <algorithm>
#include <cmath>

namespace fact::sim {

const char *causeName(Cause cause) {
  switch (cause) {
  case Cause::Dram:
    return "dram";
  case Cause::Queue:
    return "queue";
  case Cause::BankConflict:
    return "bank_conflict";
  case Cause::End:
    return "end";
  }
  return isa::engineName(static_cast<isa::Engine>(cause));
}

//===----------------------------------------------------------------------===//
// Channel
//===----------------------------------------------------------------------===//

int64_t Channel::reserve(int64_t ready, int64_t duration) {
  int64_t begin = ready;
  auto next = busy.upper_bound(ready);
  if (next != busy.begin())
    begin = std::max(begin, std::prev(next)->second);
  while (next != busy.end() && next->first < begin + duration) {
    begin = std::max(begin, next->second);
    ++next;
  }
  // Neighbours that touch become one, so that long streams stay one entry.
  int64_t first = begin, last = begin + duration;
  if (next != busy.end() && next->first == last) {
    last = next->second;
    next = busy.erase(next);
  }
  if (next != busy.begin()) {
    auto before = std::prev(next);
    if (before->second == first) {
      before->second = last;
      return begin;
    }
  }
  busy.emplace(first, last);
  return begin;
}

void Channel::forget(int64_t time) {
  while (!busy.empty() && busy.begin()->second <= time)
    busy.erase(busy.begin());
}

//===----------------------------------------------------------------------===//
// Timing
//===----------------------------------------------------------------------===//

TimeObserver::~TimeObserver() = default;

Timing::Timing(const isa::Machine &machine,
               std::vector<TimeObserver *> observers)
    : machine(machine), observers(std::move(observers)),
      latency(static_cast<int64_t>(std::ceil(machine.dram.latencyNanoseconds *
                                             machine.clockMHz / 1000))) {}

/// The control processor puts an instruction into a queue as soon as there is
/// a place. Returns when.
int64_t Timing::dispatch(Engine &engine) {
  control += machine.control.dispatchCycles;
  auto depth = static_cast<size_t>(machine.control.queueDepth);
  if (engine.left.size() == depth) {
    control = std::max(control, engine.left.front());
    engine.left.pop_front();
  }
  return control;
}

/// The engine's next instruction cannot issue before `time`.
void Timing::issueAt(Engine &engine, int64_t time, Cause cause) {
  if (time <= engine.ready)
    return;
  engine.segments.push_back({engine.ready, time, cause});
  engine.ready = time;
}

/// Accounts the time from the engine's line to `time` as waiting: for what kept
/// it from issuing, and for `rest` where nothing did.
void Timing::accountUpTo(unsigned index, int64_t time, Cause rest) {
  Engine &engine = engines[index];
  auto &wait = times[index].wait;
  int64_t explained = 0;
  for (const Segment &segment : engine.segments) {
    int64_t begin = std::max(segment.begin, engine.line);
    int64_t end = std::min(segment.end, time);
    if (begin >= end)
      continue;
    wait[static_cast<unsigned>(segment.cause)] += end - begin;
    explained += end - begin;
  }
  engine.segments.clear();
  if (time <= engine.line)
    return;
  wait[static_cast<unsigned>(rest)] += time - engine.line - explained;
  engine.line = time;
}

Span Timing::compute(unsigned index, const Work &work) {
  Engine &engine = engines[index];
  // A computing engine issues when it is free: nothing is left unexplained.
  accountUpTo(index, engine.ready, Cause::Queue);
  times[index].busy += work.cycles;
  times[index].wait[static_cast<unsigned>(Cause::BankConflict)] +=
      work.conflictCycles;
  int64_t begin = engine.line;
  engine.line += work.cycles + work.conflictCycles;
  engine.done = engine.ready = engine.line;
  return {begin, engine.line};
}

/// LOAD and STORE have several requests under way: the next one may issue while
/// data of the last one is still to come. Data moves in order.
Span Timing::transfer(unsigned index, const Work &work) {
  Engine &engine = engines[index];
  if (work.dramMoved == 0)
    return {engine.ready, engine.ready};
  auto duration = static_cast<int64_t>(std::ceil(
      static_cast<double>(work.dramMoved) / machine.dramBytesPerCycle()));
  bool isLoad = work.dramRead > 0;
  int64_t ready = std::max(engine.ready + (isLoad ? latency : 0), engine.line);
  int64_t begin = channel.reserve(ready, duration);
  accountUpTo(index, begin, Cause::Dram);
  times[index].busy += duration;
  engine.line += duration;
  // What was stored is there one latency later.
  engine.done = engine.line + (isLoad ? 0 : latency);
  return {begin, engine.line};
}

void Timing::notify(const Executed &executed, const Span &span) {
  for (TimeObserver *observer : observers)
    observer->onSpan(executed, span);
}

void Timing::onInstruction(const Executed &executed) {
  isa::Engine which = isa::engineOf(executed.instruction);
  if (which == isa::Engine::CTRL) {
    control += machine.control.dispatchCycles;
    return;
  }
  auto index = static_cast<unsigned>(which);
  Engine &engine = engines[index];
  int64_t dispatched = dispatch(engine);
  issueAt(engine, dispatched, Cause::Queue);
  isa::Tokens tokens = isa::tokensOf(executed.instruction);
  tokens.wait.forEach([&](isa::Engine from) {
    std::deque<int64_t> &given = signals[static_cast<unsigned>(from)][index];
    auto last = given.begin() + (tokens.times - 1);
    issueAt(engine, *last, operandOf(from));
    given.erase(given.begin(), last + 1);
  });
  work(executed, which);
  int64_t time = std::max(engine.ready, engine.done);
  tokens.signal.forEach([&](isa::Engine to) {
    std::deque<int64_t> &given = signals[index][static_cast<unsigned>(to)];
    given.insert(given.end(), static_cast<size_t>(tokens.times), time);
  });
}

/// The engine's next instruction, at the time when it issues.
void Timing::work(const Executed &executed, isa::Engine which) {
  auto index = static_cast<unsigned>(which);
  Engine &engine = engines[index];
  if (std::holds_alternative<isa::Sync>(executed.instruction)) {
    engine.left.push_back(engine.ready);
    notify(executed, {engine.ready, engine.ready});
    return;
  }
  bool isDma = which == isa::Engine::LOAD || which == isa::Engine::STORE;
  int64_t issued = engine.ready;
  if (isDma) {
    channel.forget(std::min(control, engine.ready));
    notify(executed, transfer(index, executed.work));
    // A request holds its place until its data moves: that bounds how many
    // are under way.
    bool moved = executed.work.dramMoved > 0;
    engine.left.push_back(moved ? std::max(issued, engine.line) : issued);
  } else {
    notify(executed, compute(index, executed.work));
    engine.left.push_back(issued);
  }
}

void Timing::onEnd() {
  total = control;
  for (const Engine &engine : engines)
    total = std::max({total, engine.done, engine.ready});
  for (unsigned index = 1; index < isa::numEngines; ++index) {
    Engine &engine = engines[index];
    accountUpTo(index, std::max(engine.done, engine.ready), Cause::Dram);
    accountUpTo(index, total, Cause::End);
  }
  for (TimeObserver *observer : observers)
    observer->onEnd(total);
}

} // namespace fact::sim
