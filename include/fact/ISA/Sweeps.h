//===- Sweeps.h - How the float32 lanes go over rows ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The sweeps of each APU instruction: how often the lanes pass over a row, and
// which of their units an element needs in each pass. The simulator charges
// them with what data says, Cost.h with what a schedule expects.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_SWEEPS_H
#define FACT_ISA_SWEEPS_H

#include "fact/ISA/Instructions.h"
#include "fact/ISA/Machine.h"

#include <array>

namespace fact::isa {

/// Steps of the float32 lanes: of units that each lane has, and of pipelines
/// that all lanes share (exp to squareRoot).
struct FloatSteps {
  int64_t add = 0, multiply = 0, scale = 0, max = 0, quantize = 0;
  int64_t exp = 0, erf = 0, divide = 0, squareRoot = 0;

  /// Adds `count` times the steps of another.
  void accumulate(const FloatSteps &other, int64_t count) {
    for (int64_t FloatSteps::*step :
         {&FloatSteps::add, &FloatSteps::multiply, &FloatSteps::scale,
          &FloatSteps::max, &FloatSteps::quantize, &FloatSteps::exp,
          &FloatSteps::erf, &FloatSteps::divide, &FloatSteps::squareRoot})
      this->*step += count * (other.*step);
  }
};

/// One pass over `elements` elements of each of `rows` rows. A lane takes an
/// element per cycle, or as many cycles as its busiest kind of unit needs; all
/// lanes share the pipelines of special functions.
struct Sweep {
  int64_t rows = 0, elements = 0;
  FloatSteps perElement;

  int64_t cycles(const Machine &machine) const;
  /// Without edges: as if rows filled the lanes.
  double idealCycles(const Machine &machine) const;

private:
  int64_t laneSteps(const Machine &machine) const;
  int64_t pipelinePasses(const Machine &machine) const;
};

/// The sweeps of an instruction, some of which may be over nothing.
using Sweeps = std::array<Sweep, 4>;

/// `rows`: how many it works on, of those that it names.
Sweeps sweepsOf(const ApuNorm &i, int64_t rows);
Sweeps sweepsOf(const ApuRotate &i, int64_t rows);
Sweeps sweepsOf(const ApuQuantize &i, int64_t rows);
Sweeps sweepsOf(const ApuRescale &i, int64_t rows);
Sweeps sweepsOf(const ApuActivation &i, int64_t rows);
Sweeps sweepsOf(const ApuAdd &i, int64_t rows);
Sweeps sweepsOf(const ApuMultiply &i, int64_t rows);
Sweeps sweepsOf(const ApuColumnSum &i, int64_t rows);
Sweeps sweepsOf(const ApuCopyDominated &i, int64_t rows);
Sweeps sweepsOf(const ApuMean &i);
/// Of `rows` that keep so many columns each; `finished`: rows of which that is
/// done.
Sweeps sweepsOf(const ApuSoftmax &i, int64_t rows, int64_t columns,
                int64_t finished);
/// `tails`: rows with the mean token's share.
Sweeps sweepsOf(const ApuContext &i, int64_t rows, int64_t tails);

} // namespace fact::isa

#endif // FACT_ISA_SWEEPS_H
