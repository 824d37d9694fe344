//===- MachineFields.h - Every field of a machine description, once -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading, writing and the schema are three visitors over this one list.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_MACHINEFIELDS_H
#define FACT_LIB_ISA_MACHINEFIELDS_H

#include "fact/ISA/Machine.h"

namespace fact::isa {

/// Calls `v.group(name, text, body)`, `v.text(name, field, text)`,
/// `v.flag(name, field, text)`, `v.integer(name, field, minimum, maximum,
/// text)`, `v.number(name, field, minimum, maximum, text)` and
/// `v.energy(name, field, text)` in the order of the description.
template <typename MachineT, typename Visitor>
void visitFields(MachineT &m, Visitor &v) {
  v.text("name", m.name, "what the machine is called");
  v.number("clock_mhz", m.clockMHz, 1, 1e5, "clock in MHz");

  v.group("pe", "array of multipliers", [&] {
    auto &pe = m.pe;
    v.integer("rows", pe.rows, 1, 1024, "rows of the array");
    v.integer("columns", pe.columns, 1, 1024, "columns of the array");
    v.integer("rate_a8w8", pe.rateA8W8, 1, 16,
              "INT8 x INT8 products of a multiplier per cycle");
    v.integer("rate_a4w8", pe.rateA4W8, 1, 16,
              "INT4 x INT8 products of a multiplier per cycle");
    v.integer("rate_a4w4", pe.rateA4W4, 1, 16,
              "INT4 x INT4 products of a multiplier per cycle");
    v.integer("fill_cycles", pe.fillCycles, 0, 10000,
              "cycles from the first operand to the first result");
    v.flag("gather_in_order", pe.gatherInOrder,
           "gathered rows are taken in the order of their indices; else those "
           "of all banks at once");
    v.integer("accumulator_bytes", pe.accumulatorBytes, 1024, 1 << 24,
              "memory of partial sums beside the array");
  });

  v.group("ep", "eager prediction unit", [&] {
    auto &ep = m.ep;
    v.integer("lanes", ep.lanes, 1, 1 << 20, "adds per cycle");
    v.group("adds_per_product", "lane steps per product, by predictor", [&] {
      v.integer("leading-one", ep.addsLeadingOne, 1, 64, "leading-one");
      v.integer("leading-two", ep.addsLeadingTwo, 1, 64, "leading-two");
      v.integer("one-sided", ep.addsOneSided, 1, 64, "one-sided");
      v.integer("exact", ep.addsExact, 1, 64, "exact");
    });
    v.integer("fill_cycles", ep.fillCycles, 0, 10000,
              "cycles from the first operand to the first result");
  });

  v.group("sel", "selection unit", [&] {
    v.integer("scores_per_cycle", m.sel.scoresPerCycle, 1, 1 << 16,
              "scores that are read per cycle of a pass");
    v.integer("digit_bits", m.sel.digitBits, 1, 8,
              "bits of a digit of the radix selection: top-k takes a pass for "
              "each digit of 32 bits, and one more");
    v.integer("fill_cycles", m.sel.fillCycles, 0, 10000,
              "cycles from the first operand to the first result");
  });

  v.group("apu", "auxiliary processing unit", [&] {
    auto &apu = m.apu;
    v.integer("lanes", apu.lanes, 1, 1 << 16, "float32 lanes");
    v.group("units", "units of a lane, by step", [&] {
      v.integer("add", apu.addUnits, 1, 16, "addition, subtraction");
      v.integer("multiply", apu.multiplyUnits, 1, 16, "multiplication");
      v.integer("max", apu.maxUnits, 1, 16, "maximum, comparison");
      v.integer("scale", apu.scaleUnits, 1, 16,
                "multiplication by a power of two");
      v.integer("quantize", apu.quantizeUnits, 1, 16,
                "rounding and packing of one element");
    });
    v.integer("pipelines", apu.pipelines, 1, 1 << 16,
              "pipelines of special functions that all lanes share");
    v.group("passes", "passes of an element through a pipeline, by step", [&] {
      v.integer("exp", apu.expPasses, 1, 1000, "exponential");
      v.integer("erf", apu.erfPasses, 1, 1000, "error function");
      v.integer("divide", apu.dividePasses, 1, 1000, "division");
      v.integer("square_root", apu.squareRootPasses, 1, 1000, "square root");
    });
    v.integer("fill_cycles", apu.fillCycles, 0, 10000,
              "cycles from the first operand to the first result");
  });

  v.group("buffers", "SRAM buffers", [&] {
    for (unsigned i = 0; i < numBuffers; ++i)
      v.group(bufferName(static_cast<Buffer>(i)), "one buffer", [&] {
        auto &sram = m.buffers[i];
        v.integer("bytes", sram.bytes, 1024, 1 << 24,
                  "size, a multiple of banks * word_bytes");
        v.integer("banks", sram.banks, 1, 256, "banks, a power of two");
        v.integer("word_bytes", sram.wordBytes, 4, 256,
                  "bytes of a bank's word, a power of two");
      });
  });
  v.flag("diagonal_storage", m.diagonalStorage,
         "word a lies in bank (a + a / banks) mod banks, else in a mod banks");

  v.group("dram", "external memory", [&] {
    v.number("gigabytes_per_second", m.dram.gigabytesPerSecond, 0.001, 1e6,
             "bandwidth in 1e9 bytes per second");
    v.number("latency_ns", m.dram.latencyNanoseconds, 0, 1e6,
             "latency in nanoseconds");
    v.integer("burst_bytes", m.dram.burstBytes, 1, 4096,
              "bytes that are moved at once, a power of two");
    v.number("efficiency", m.dram.efficiency, 0.01, 1,
             "share of the time that bytes can move: not in refresh or "
             "turnaround");
  });

  v.group("control", "control processor", [&] {
    v.integer("queue_depth", m.control.queueDepth, 1, 1024,
              "instructions that wait before each engine");
    v.integer("registers", m.control.registers, 1, 64, "scalar registers");
    v.integer("dispatch_cycles", m.control.dispatchCycles, 1, 1000,
              "cycles to dispatch an instruction");
  });

  v.group("energy_pj", "energy table, in picojoules per event", [&] {
    auto &energy = m.energy;
    v.energy("mac_a8w8", energy.macA8W8, "INT8 x INT8 multiply-accumulate");
    v.energy("mac_a4w8", energy.macA4W8, "INT4 x INT8 multiply-accumulate");
    v.energy("mac_a4w4", energy.macA4W4, "INT4 x INT4 multiply-accumulate");
    v.energy("pe_slot", energy.peSlot,
             "registers and clock of a multiplier of a busy array, per cycle");
    v.energy("predictor_add", energy.predictorAdd, "one EP lane step");
    v.energy("select_score", energy.selectScore,
             "one score through the selection unit");
    v.energy("float_add", energy.floatAdd, "float32 addition");
    v.energy("float_multiply", energy.floatMultiply, "float32 multiplication");
    v.energy("float_max", energy.floatMax,
             "float32 comparison, addition of exponents");
    v.energy("float_exp", energy.floatExp, "float32 exponential");
    v.energy("float_erf", energy.floatErf, "float32 error function");
    v.energy("float_divide", energy.floatDivide,
             "float32 division, square root");
    v.energy("float_quantize", energy.floatQuantize,
             "rounding and packing of one element");
    v.group("sram_read_byte", "reading a byte, by buffer", [&] {
      for (unsigned i = 0; i < numBuffers; ++i)
        v.energy(bufferName(static_cast<Buffer>(i)), energy.sramReadByte[i],
                 "reading a byte of this buffer");
    });
    v.group("sram_write_byte", "writing a byte, by buffer", [&] {
      for (unsigned i = 0; i < numBuffers; ++i)
        v.energy(bufferName(static_cast<Buffer>(i)), energy.sramWriteByte[i],
                 "writing a byte of this buffer");
    });
    v.energy("accumulator_byte", energy.accumulatorByte,
             "a byte to or from the accumulators");
    v.energy("latch_byte", energy.latchByte, "one byte into an operand latch");
    v.energy("dram_bit", energy.dramBit, "one bit to or from DRAM");
    v.energy("static_mw", energy.staticMilliwatts,
             "leakage and clock of the whole core, in mW");
  });
}

} // namespace fact::isa

#endif // FACT_LIB_ISA_MACHINEFIELDS_H
