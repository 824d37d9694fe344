//===- Timing.h - When everything happens ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_TIMING_H
#define FACT_SIM_TIMING_H

#include "fact/Sim/Observer.h"

#include <array>
#include <deque>
#include <map>
#include <vector>

namespace fact::sim {

/// Why an engine does not work. The first isa::numEngines causes are operands
/// (or free buffers) of that engine.
enum class Cause : uint8_t {
  Dram = isa::numEngines, ///< latency, or the channel is busy
  Queue,                  ///< the control processor has not got there yet
  BankConflict,
  End, ///< nothing left to do
};
constexpr unsigned numCauses = isa::numEngines + 4;

inline Cause operandOf(isa::Engine engine) {
  return static_cast<Cause>(engine);
}

/// "LOAD", ..., "APU", "dram", "queue", "bank_conflict", "end".
const char *causeName(Cause cause);

/// Cycles of one engine; busy and all waits are the run's cycles.
struct EngineTime {
  int64_t busy = 0;
  std::array<int64_t, numCauses> wait{};
};

/// The DRAM channel, shared by LOAD and STORE: who is ready first gets the
/// first gap that is long enough.
class Channel {
public:
  /// Reserves `duration` cycles, not before `ready`; returns the first one.
  int64_t reserve(int64_t ready, int64_t duration);
  /// Nobody will ask for a time before `time` any more.
  void forget(int64_t time);

private:
  std::map<int64_t, int64_t> busy; ///< begin -> end, disjoint
};

/// When an engine was busy with an instruction, in cycles: [begin, end). For
/// nothing to do, and for `sync`, both are the time when it passed.
struct Span {
  int64_t begin, end;
};

/// Who wants to know times.
class TimeObserver {
public:
  virtual ~TimeObserver();
  /// In program order, for every instruction that is not the control
  /// processor's.
  virtual void onSpan(const Executed &executed, const Span &span) = 0;
  /// After `halt`, with the run's cycles.
  virtual void onEnd(int64_t cycles) = 0;
};

/// Computes start and end of every instruction, one event each: dispatch by the
/// control processor into in-order queues of finite depth, tokens, engine
/// cycles from Work, and the DRAM channel.
class Timing : public Observer {
public:
  /// `observers` live at least as long.
  explicit Timing(const isa::Machine &machine,
                  std::vector<TimeObserver *> observers = {});

  void onInstruction(const Executed &executed) override;
  void onEnd() override;

  /// After the run.
  int64_t cycles() const { return total; }
  const EngineTime &engine(isa::Engine engine) const {
    return times[static_cast<unsigned>(engine)];
  }

private:
  /// A time up to which an engine could not issue, and why.
  struct Segment {
    int64_t begin, end;
    Cause cause;
  };
  struct Engine {
    int64_t ready = 0; ///< The next instruction may issue.
    int64_t line = 0;  ///< Accounted up to here.
    int64_t done = 0;  ///< All earlier instructions have taken effect.
    std::vector<Segment> segments;
    std::deque<int64_t> left; ///< When queued instructions left the queue.
  };
  int64_t dispatch(Engine &engine);
  void issueAt(Engine &engine, int64_t time, Cause cause);
  void work(const Executed &executed, isa::Engine which);
  void accountUpTo(unsigned engine, int64_t time, Cause rest);
  Span compute(unsigned engine, const Work &work);
  Span transfer(unsigned engine, const Work &work);
  void notify(const Executed &executed, const Span &span);

  const isa::Machine &machine;
  std::vector<TimeObserver *> observers;
  std::array<Engine, isa::numEngines> engines;
  std::array<EngineTime, isa::numEngines> times;
  /// When tokens were given, by engine that signals and engine that waits.
  std::array<std::array<std::deque<int64_t>, isa::numEngines>, isa::numEngines>
      signals;
  Channel channel;
  int64_t control = 0; ///< The control processor's clock.
  int64_t latency;
  int64_t total = 0;
};

} // namespace fact::sim

#endif // FACT_SIM_TIMING_H
