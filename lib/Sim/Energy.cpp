//===- Energy.cpp - Where the energy went ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Energy.h"

namespace fact::sim {

static double of(int64_t count, const isa::Energy &each) {
  return static_cast<double>(count) * each.value;
}

const std::array<EnergyUse::Field, 9> &EnergyUse::fields() {
  static constexpr std::array<Field, 9> all = {
      {{"macs", &EnergyUse::macs},
       {"registers", &EnergyUse::registers},
       {"latches", &EnergyUse::latches},
       {"accumulators", &EnergyUse::accumulators},
       {"prediction", &EnergyUse::prediction},
       {"selection", &EnergyUse::selection},
       {"floats", &EnergyUse::floats},
       {"sram", &EnergyUse::sram},
       {"dram", &EnergyUse::dram}}};
  return all;
}

EnergyUse &EnergyUse::operator+=(const EnergyUse &other) {
  for (const Field &field : fields())
    this->*field.value += other.*field.value;
  return *this;
}

EnergyUse energyOf(const Work &work, int64_t arrayCycles,
                   const isa::Machine &machine) {
  const isa::Machine::EnergyTable &table = machine.energy;
  auto macs = [&](MacKind kind) {
    return work.macs[static_cast<unsigned>(kind)];
  };
  EnergyUse use;
  use.macs = of(macs(MacKind::A8W8), table.macA8W8) +
             of(macs(MacKind::A4W8), table.macA4W8) +
             of(macs(MacKind::A4W4), table.macA4W4);
  int64_t slots = arrayCycles * machine.pe.rows * machine.pe.columns;
  use.registers = of(slots, table.peSlot);
  // Per slot and cycle: an activation's byte that reaches it, a byte of the
  // adder tree, and half a byte of the next tile's weights.
  use.latches = 2.5 * of(slots, table.latchByte);
  use.accumulators = of(work.accumulatorBytes, table.accumulatorByte);
  use.prediction = of(work.predictorAdds, table.predictorAdd);
  use.selection = of(work.scores, table.selectScore);
  const isa::FloatSteps &steps = work.floats;
  use.floats = of(steps.add, table.floatAdd) +
               of(steps.multiply, table.floatMultiply) +
               of(steps.max + steps.scale, table.floatMax) +
               of(steps.exp, table.floatExp) + of(steps.erf, table.floatErf) +
               of(steps.divide + steps.squareRoot, table.floatDivide) +
               of(steps.quantize, table.floatQuantize);
  for (unsigned i = 0; i < isa::numBuffers; ++i)
    use.sram += of(work.sramRead[i], table.sramReadByte[i]) +
                of(work.sramWritten[i], table.sramWriteByte[i]);
  use.dram = of(work.dramMoved * 8, table.dramBit);
  return use;
}

} // namespace fact::sim
