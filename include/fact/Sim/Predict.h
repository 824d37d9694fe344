//===- Predict.h - What a program is expected to take ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_PREDICT_H
#define FACT_SIM_PREDICT_H

#include "fact/ISA/Cost.h"
#include "fact/ISA/Program.h"

#include <array>

namespace fact::sim {

/// Cycles of a run that has not happened.
struct PredictedTime {
  int64_t cycles = 0;
  std::array<int64_t, isa::numEngines> busy{}; ///< by engine
};

/// The time of a run on `expected.length` tokens whose instructions take what
/// a schedule is made with (fact/ISA/Cost.h), in the simulator's model of
/// queues, tokens and the DRAM channel. It knows neither data nor bank
/// conflicts: lists of rows that attention reads count as all rows. fact::Error
/// where the program's tokens do not add up.
PredictedTime predictTime(const isa::Program &program,
                          const isa::Expectation &expected);

} // namespace fact::sim

#endif // FACT_SIM_PREDICT_H
