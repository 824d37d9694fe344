//===- Energy.h - Where the energy went -----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_ENERGY_H
#define FACT_SIM_ENERGY_H

#include "fact/ISA/Machine.h"
#include "fact/Sim/Work.h"

#include <array>

namespace fact::sim {

/// What uses energy while an instruction runs, in picojoules.
struct EnergyUse {
  double macs = 0;         ///< products and their sums
  double registers = 0;    ///< registers and clock of the array while busy
  double latches = 0;      ///< operands on their way through the array
  double accumulators = 0; ///< partial sums beside the array
  double prediction = 0;   ///< adds of the prediction unit
  double selection = 0;    ///< scores and flags through the selection unit
  double floats = 0;       ///< steps of the float32 lanes
  double sram = 0;         ///< bytes of all buffers
  double dram = 0;         ///< bytes in whole bursts

  double core() const {
    return macs + registers + latches + accumulators + prediction + selection +
           floats + sram;
  }

  EnergyUse &operator+=(const EnergyUse &other);

  /// Every field with its name in reports.
  struct Field {
    const char *name;
    double EnergyUse::*value;
  };
  static const std::array<Field, 9> &fields();
};

/// The energy of some work by the machine's table; what it uses all the time
/// (`static_mw`) is none of it. `arrayCycles` are those of the multiplier array
/// among the work's cycles.
EnergyUse energyOf(const Work &work, int64_t arrayCycles,
                   const isa::Machine &machine);

} // namespace fact::sim

#endif // FACT_SIM_ENERGY_H
