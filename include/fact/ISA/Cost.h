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

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Steps of the eager prediction unit's lanes for a product of two codes.
int64_t addsPerProduct(Predictor predictor, const Machine &machine);

/// Tiles of codes [k, n] that the eager prediction unit holds, one after the
/// other, while rows stream past: its lanes are an array, 64 along one side,
/// in the better direction for this shape.
int64_t codeTiles(int64_t k, int64_t n, const Machine &machine);

/// What a schedule expects of data that it does not know.
struct Expectation {
  int64_t length = 1; ///< Of the sequence.
  double kept = 1;    ///< Share of a row's columns that a mask keeps.
  double low = 0;     ///< Share of rows at low precision, where some may be.
};

/// Cycles of its engine that an instruction takes with all of its rows, about:
/// what a schedule is made with. What it does take depends on data; the
/// simulator counts it.
int64_t estimateCycles(const Instruction &instruction, const Machine &machine,
                       const Expectation &expected);

} // namespace fact::isa

#endif // FACT_ISA_COST_H
