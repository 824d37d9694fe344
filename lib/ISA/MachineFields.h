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
              "scores that are read per cycle");
    v.integer("fill_cycles", m.sel.fillCycles, 0, 10000,
              "cycles from the first operand to the first result");
  });

  v.group("apu", "auxiliary processing unit", [&] {
    auto &apu = m.apu;
    v.integer("lanes", apu.lanes, 1, 1 << 16, "float32 lanes");
    v.group("cycles", "cycles of a lane per element, by step", [&] {
      v.integer("add", apu.addCycles, 1, 1000, "addition, subtraction");
      v.integer("multiply", apu.multiplyCycles, 1, 1000, "multiplication");
      v.integer("max", apu.maxCycles, 1, 1000, "maximum, comparison");
      v.integer("exp", apu.expCycles, 1, 1000, "exponential");
      v.integer("erf", apu.erfCycles, 1, 1000, "error function");
      v.integer("divide", apu.divideCycles, 1, 1000, "division");
      v.integer("square_root", apu.squareRootCycles, 1, 1000, "square root");
      v.integer("quantize", apu.quantizeCycles, 1, 1000,
                "rounding and packing of one element");
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
         "word j of row i lies in bank (i + j) mod banks");

  v.group("dram", "external memory", [&] {
    v.number("gigabytes_per_second", m.dram.gigabytesPerSecond, 0.001, 1e6,
             "bandwidth in 1e9 bytes per second");
    v.number("latency_ns", m.dram.latencyNanoseconds, 0, 1e6,
             "latency in nanoseconds");
  });

  v.group("control", "control processor", [&] {
    v.integer("queue_depth", m.control.queueDepth, 1, 1024,
              "instructions that wait before each engine");
    v.integer("registers", m.control.registers, 1, 64, "scalar registers");
    v.integer("semaphores", m.control.semaphores, 1, 1024,
              "counting semaphores");
    v.integer("dispatch_cycles", m.control.dispatchCycles, 1, 1000,
              "cycles to dispatch an instruction");
  });

  v.group("energy_pj", "energy table, in picojoules per event", [&] {
    auto &energy = m.energy;
    v.energy("mac_a8w8", energy.macA8W8, "INT8 x INT8 multiply-accumulate");
    v.energy("mac_a4w8", energy.macA4W8, "INT4 x INT8 multiply-accumulate");
    v.energy("mac_a4w4", energy.macA4W4, "INT4 x INT4 multiply-accumulate");
    v.energy("predictor_add", energy.predictorAdd, "one EP lane step");
    v.energy("select_score", energy.selectScore,
             "one score through the selection unit");
    v.energy("float_add", energy.floatAdd, "float32 addition or comparison");
    v.energy("float_multiply", energy.floatMultiply, "float32 multiplication");
    v.energy("float_exp", energy.floatExp, "float32 exponential");
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
    v.energy("latch_byte", energy.latchByte, "one byte into an operand latch");
    v.energy("dram_bit", energy.dramBit, "one bit to or from DRAM");
    v.energy("static_mw", energy.staticMilliwatts,
             "leakage and clock of the whole core, in mW");
  });
}

} // namespace fact::isa

#endif // FACT_LIB_ISA_MACHINEFIELDS_H
