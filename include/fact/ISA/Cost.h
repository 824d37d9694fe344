//===- Cost.h - How long an instruction will take, about ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_COST_H
#define FACT_ISA_COST_H

#include "fact/ISA/Instructions.h"
#include "fact/ISA/Machine.h"

namespace fact::isa {

/// Cycles of its engine that an instruction takes with all of its rows and
/// columns in a sequence of `length`, about: what a schedule is made with. What
/// it does take depends on data; the simulator counts it.
int64_t estimateCycles(const Instruction &instruction, const Machine &machine,
                       int64_t length);

} // namespace fact::isa

#endif // FACT_ISA_COST_H
