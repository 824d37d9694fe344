//===- Area.cpp - How large a machine is ----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Area.h"

#include <algorithm>
#include <cmath>
#include <iterator>

using namespace fact::isa;

namespace {
// Square micrometres. Arithmetic: Horowitz, ISSCC 2014, at 45 nm, scaled by the
// square of 28 / 45.
constexpr double scaled(double at45nm) { return at45nm * 28 * 28 / (45 * 45); }
constexpr double add8 = scaled(36), add32 = scaled(137),
                 floatAdd = scaled(4184), multiply8 = scaled(282),
                 floatMultiply = scaled(7700);
// Ours: a flip-flop of a 28 nm library; placed and routed logic is 1.35 times
// the sum of its cells.
constexpr double flipFlop = 3.0, layout = 1.35;
// Laid out at 28 nm: 4096 shift-adders with 128 leading-zero encoders take
// 0.351 mm2 (SOFA, MICRO 2024).
constexpr double shiftAdder = 0.351e6 / 4096;

/// A memory of so many bytes, by CACTI 7 at 28 nm, low operating power; between
/// its points on a line in logarithms, as is the last one's slope beyond them.
double memory(double bytes) {
  struct Point {
    double kilobytes, squareMillimetres;
  };
  constexpr Point points[] = {{4, .006},   {8, .011},   {16, .021},
                              {32, .040},  {64, .086},  {128, .236},
                              {256, .402}, {512, .869}, {1024, 1.804}};
  double size = bytes / 1024;
  if (size <= points[0].kilobytes)
    return points[0].squareMillimetres * size / points[0].kilobytes * 1e6;
  const Point *above =
      std::find_if(std::begin(points), std::prev(std::end(points)),
                   [&](const Point &point) { return size <= point.kilobytes; });
  const Point &to = *above, &from = *std::prev(above);
  double share =
      std::log(size / from.kilobytes) / std::log(to.kilobytes / from.kilobytes);
  return std::exp(std::log(from.squareMillimetres) * (1 - share) +
                  std::log(to.squareMillimetres) * share) *
         1e6;
}
} // namespace

std::vector<AreaPart> fact::isa::areaOf(const Machine &machine) {
  // An 8 x 8 multiplier that splits into four of 4 x 4, its share of an adder
  // tree of 20 bits, two weights, an activation and a pipeline of 24 bits.
  double multiplier =
      (multiply8 * 1.45 + add32 * 20 / 32 + (16 + 8 + 24) * flipFlop) * layout;
  // Per score a comparison with its prefix, a decoder and 16 population counts
  // for the digits, and registers.
  double score =
      (32 * 1.5 + 16 * 2 + 16 * add8 / 8 * 1.2 + 64 * flipFlop) * layout;
  const Machine::AuxiliaryUnit &apu = machine.apu;
  auto count = [](int64_t number) { return static_cast<double>(number); };
  // Maximum, exponent adders and quantization are in the 1500; registers of
  // twelve values.
  double lane = (count(apu.multiplyUnits) * floatMultiply +
                 count(apu.addUnits) * floatAdd + 1500 + 12 * 32 * flipFlop) *
                layout;
  // The contract's exponential, unrolled: ten multiplications, ten additions,
  // twenty registers and a table.
  double pipeline =
      (10 * floatMultiply + 10 * floatAdd + 20 * 32 * flipFlop + 10000) *
      layout;
  double sram = 0;
  for (const Machine::Sram &buffer : machine.buffers)
    sram += memory(count(buffer.bytes));

  std::vector<AreaPart> parts = {
      {"pe", count(machine.pe.rows * machine.pe.columns) * multiplier},
      {"accumulators", memory(count(machine.pe.accumulatorBytes))},
      {"ep", count(machine.ep.lanes) * shiftAdder},
      {"sel", count(machine.sel.scoresPerCycle) * score},
      {"apu_lanes", count(apu.lanes) * lane},
      {"apu_pipelines", count(apu.pipelines) * pipeline},
      {"sram", sram},
      // Ours: crossbars between banks and engines.
      {"banking", 0.12 * sram},
      // Ours: control processor, queues, DMA, row lists and mask decoders.
      {"control", 0.30e6}};
  for (AreaPart &part : parts)
    part.squareMillimetres /= 1e6;
  return parts;
}

double fact::isa::totalArea(const Machine &machine) {
  double total = 0;
  for (const AreaPart &part : areaOf(machine))
    total += part.squareMillimetres;
  return total;
}
