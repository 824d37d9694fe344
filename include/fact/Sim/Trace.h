//===- Trace.h - A run to look at -----------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_TRACE_H
#define FACT_SIM_TRACE_H

#include "fact/ISA/Walker.h"
#include "fact/Sim/Timing.h"

#include <deque>
#include <string>
#include <vector>

namespace fact::sim {

/// Writes a run in the Trace Event Format, which Perfetto and Chrome open: a
/// track per engine with its instructions, an arrow from each signal to what
/// waited for it, and two counters, the bytes of the scratchpad that hold
/// something still to be read and the share of DRAM's time that is used.
class Trace : public TimeObserver {
public:
  explicit Trace(const isa::Program &program);

  void onSpan(const Executed &executed, const Span &span) override;
  void onEnd(int64_t cycles) override;

  /// After the run: JSON.
  const std::string &json() const { return text; }

private:
  /// Bytes of the scratchpad that are followed together.
  struct Granule {
    int64_t written = -1, read = -1; ///< Cycles of the last ones.
  };
  /// Where an arrow begins.
  struct Token {
    unsigned engine;
    double time; ///< In cycles; negative where there is no slice.
  };

  void event(const std::string &fields);
  std::string microseconds(double cycles) const;
  void show(const Executed &executed, unsigned engine, const Span &span);
  void slice(const Executed &executed, unsigned engine, const Span &span);
  void arrow(const Token &from, unsigned engine, int64_t time);
  void touch(const Executed &executed, const Span &span);
  void hold(int64_t begin, int64_t end);
  /// How many of the spans there are, times `scale`, on average over each
  /// point's interval.
  void counter(const char *name, const std::vector<Span> &spans, double scale,
               int64_t cycles);

  const isa::Program &program;
  std::string text;
  /// The last slice of each engine, where an arrow can begin.
  std::array<Span, isa::numEngines> last;
  std::array<std::vector<Token>, isa::numEngines> waitedFor;
  /// By engine that signals and engine that waits.
  std::array<std::array<std::deque<Token>, isa::numEngines>, isa::numEngines>
      signals;
  std::vector<Granule> granules;
  std::vector<Span> held, transfers;
  int64_t arrows = 0;
};

} // namespace fact::sim

#endif // FACT_SIM_TRACE_H
