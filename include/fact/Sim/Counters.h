//===- Counters.h - Sums over a whole run ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_COUNTERS_H
#define FACT_SIM_COUNTERS_H

#include "fact/Sim/Observer.h"

#include <array>

namespace fact::sim {

constexpr unsigned numRoles = 4; ///< of isa::Role

/// What a model's instructions are for.
enum class Part : uint8_t {
  Prediction, ///< EP, SEL
  QKV,
  Attention, ///< scores to context
  Output,
  FFN,
  OtherLinear,
  Rows,     ///< norms, activations, sums, formats
  Transfer, ///< LOAD, STORE
};
constexpr unsigned numParts = 8;

/// "prediction", "qkv", ...
const char *partName(Part part);

/// Adds up what all instructions did.
class Counters : public Observer {
public:
  void onInstruction(const Executed &executed) override;
  /// Those of another run.
  void add(const Counters &other);

  int64_t instructions = 0; ///< executed, control processor included
  /// Multiply-accumulates of linear layers, by role and format.
  std::array<std::array<int64_t, numMacKinds>, numRoles> linearMacs{};
  int64_t attentionMacs = 0;
  /// The sum of everything.
  Work total;
  /// The same by part, with the cycles of the multiplier array among them.
  struct PartWork {
    Work work;
    int64_t arrayCycles = 0;
  };
  std::array<PartWork, numParts> parts;
  /// Work of each engine at its full rate, in cycles.
  std::array<double, isa::numEngines> idealCycles{};
};

} // namespace fact::sim

#endif // FACT_SIM_COUNTERS_H
