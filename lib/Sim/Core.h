//===- Core.h - Runs the instruction stream -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_CORE_H
#define FACT_LIB_SIM_CORE_H

#include "fact/ISA/Walker.h"
#include "fact/Sim/Observer.h"
#include "fact/Sim/State.h"

#include <optional>
#include <vector>

namespace fact::sim {

/// Runs the whole program; at its end no token is left. Without a seed it
/// runs in program order, which is one of the orders that the tokens allow:
/// a wait must find its signal. With one, any engine goes on that can.
/// Everything that goes wrong is a fact::Error that names the instruction, its
/// text and its source.
void runProgram(const isa::Code &code, State &state,
                const std::vector<Observer *> &observers,
                std::optional<uint64_t> seed = std::nullopt);

} // namespace fact::sim

#endif // FACT_LIB_SIM_CORE_H
