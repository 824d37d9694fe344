//===- Counters.cpp - Sums over a whole run -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Counters.h"

namespace fact::sim {

template <typename Array> static void addAll(Array &sum, const Array &other) {
  for (size_t i = 0; i < sum.size(); ++i)
    sum[i] += other[i];
}

static void add(FloatSteps &sum, const FloatSteps &other) {
  sum.add += other.add;
  sum.multiply += other.multiply;
  sum.max += other.max;
  sum.exp += other.exp;
  sum.erf += other.erf;
  sum.divide += other.divide;
  sum.squareRoot += other.squareRoot;
  sum.quantize += other.quantize;
}

static void add(Work &sum, const Work &other) {
  sum.cycles += other.cycles;
  sum.conflictCycles += other.conflictCycles;
  sum.idealCycles += other.idealCycles;
  addAll(sum.macs, other.macs);
  sum.predictorAdds += other.predictorAdds;
  sum.scores += other.scores;
  add(sum.floats, other.floats);
  addAll(sum.sramRead, other.sramRead);
  addAll(sum.sramWritten, other.sramWritten);
  sum.dramRead += other.dramRead;
  sum.dramWritten += other.dramWritten;
}

void Counters::onInstruction(const Executed &executed) {
  ++instructions;
  isa::Engine engine = isa::engineOf(executed.instruction);
  if (engine == isa::Engine::CTRL)
    return;
  const Work &work = executed.work;
  add(total, work);
  idealCycles[static_cast<unsigned>(engine)] += work.idealCycles;
  if (auto *gemm = std::get_if<isa::PeGemm>(&executed.instruction))
    addAll(linearMacs[static_cast<unsigned>(gemm->role)], work.macs);
  else
    for (int64_t macs : work.macs)
      attentionMacs += macs;
}

} // namespace fact::sim
