//===- Report.h - The numbers of one run ----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_REPORT_H
#define FACT_SIM_REPORT_H

#include "fact/ISA/Metadata.h"
#include "fact/Sim/Counters.h"
#include "fact/Sim/Selection.h"
#include "fact/Sim/Timing.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace fact::sim {

/// What a dense model of this length would multiply.
struct DenseMacs {
  int64_t qkv = 0, attention = 0, output = 0, ffn = 0;
  int64_t other = 0; ///< Linear layers outside of attention and FFN.
  int64_t total() const { return qkv + attention + output + ffn + other; }
};
DenseMacs denseMacs(const isa::Metadata &metadata, int64_t length);

/// Everything that `fact-sim --report` says. docs/report-schema.json describes
/// the JSON text, docs/simulator.md what the numbers mean.
struct Report {
  std::string program;
  const isa::Machine *machine = nullptr; ///< The program's.
  int64_t length = 0;
  DenseMacs dense;
  std::string policy = "{}"; ///< JSON
  std::vector<LayerShares> layers;
  Counters counters;
  /// Cycles that DRAM needs for the bytes alone.
  double dramBoundCycles = 0;

  /// Of a cycle run; a functional run has no times.
  struct Times {
    int64_t cycles = 0;
    double seconds = 0;
    std::array<EngineTime, isa::numEngines> engines;
  };
  std::optional<Times> times;

  /// Of several sequences, one after the other: each one's own. All else is
  /// their sum then, the length the longest, shares are means.
  std::vector<Report> sequences;

  /// Adds a sequence; to an empty report the first one.
  void add(const Report &sequence);

  /// Dense-equivalent operations (2 per multiply-accumulate) per nanosecond.
  double gops() const;

  /// What fits a screen, of a run with times.
  std::string summary() const;

  /// Indented JSON with a final line break.
  std::string toJson() const;
};

} // namespace fact::sim

#endif // FACT_SIM_REPORT_H
