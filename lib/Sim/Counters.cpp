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

static void add(Work &sum, const Work &other) {
  sum.cycles += other.cycles;
  sum.conflictCycles += other.conflictCycles;
  sum.idealCycles += other.idealCycles;
  addAll(sum.macs, other.macs);
  sum.predictorAdds += other.predictorAdds;
  sum.scores += other.scores;
  sum.floats.accumulate(other.floats, 1);
  addAll(sum.sramRead, other.sramRead);
  addAll(sum.sramWritten, other.sramWritten);
  sum.accumulatorBytes += other.accumulatorBytes;
  sum.dramRead += other.dramRead;
  sum.dramWritten += other.dramWritten;
  sum.dramMoved += other.dramMoved;
}

const char *partName(Part part) {
  switch (part) {
  case Part::Prediction:
    return "prediction";
  case Part::QKV:
    return "qkv";
  case Part::Attention:
    return "attention";
  case Part::Output:
    return "output";
  case Part::FFN:
    return "ffn";
  case Part::OtherLinear:
    return "other_linear";
  case Part::Rows:
    return "rows";
  case Part::Transfer:
    return "transfer";
  }
  return "";
}

static Part partOf(const isa::Instruction &instruction) {
  if (auto *gemm = std::get_if<isa::PeGemm>(&instruction)) {
    switch (gemm->role) {
    case isa::Role::QKV:
      return Part::QKV;
    case isa::Role::Output:
      return Part::Output;
    case isa::Role::FFN:
      return Part::FFN;
    case isa::Role::Other:
      return Part::OtherLinear;
    }
  }
  if (std::holds_alternative<isa::PeQk>(instruction) ||
      std::holds_alternative<isa::PePv>(instruction) ||
      std::holds_alternative<isa::ApuSoftmax>(instruction) ||
      std::holds_alternative<isa::ApuContext>(instruction) ||
      std::holds_alternative<isa::ApuCopyDominated>(instruction))
    return Part::Attention;
  switch (isa::engineOf(instruction)) {
  case isa::Engine::EP:
  case isa::Engine::SEL:
    return Part::Prediction;
  case isa::Engine::LOAD:
  case isa::Engine::STORE:
    return Part::Transfer;
  default:
    return Part::Rows;
  }
}

void Counters::onInstruction(const Executed &executed) {
  ++instructions;
  isa::Engine engine = isa::engineOf(executed.instruction);
  if (engine == isa::Engine::CTRL)
    return;
  const Work &work = executed.work;
  sim::add(total, work);
  PartWork &part = parts[static_cast<unsigned>(partOf(executed.instruction))];
  sim::add(part.work, work);
  if (engine == isa::Engine::PE)
    part.arrayCycles += work.cycles + work.conflictCycles;
  idealCycles[static_cast<unsigned>(engine)] += work.idealCycles;
  if (auto *gemm = std::get_if<isa::PeGemm>(&executed.instruction))
    addAll(linearMacs[static_cast<unsigned>(gemm->role)], work.macs);
  else
    for (int64_t macs : work.macs)
      attentionMacs += macs;
}

void Counters::add(const Counters &other) {
  instructions += other.instructions;
  for (unsigned role = 0; role < numRoles; ++role)
    addAll(linearMacs[role], other.linearMacs[role]);
  attentionMacs += other.attentionMacs;
  sim::add(total, other.total);
  for (unsigned part = 0; part < numParts; ++part) {
    sim::add(parts[part].work, other.parts[part].work);
    parts[part].arrayCycles += other.parts[part].arrayCycles;
  }
  addAll(idealCycles, other.idealCycles);
}

} // namespace fact::sim
