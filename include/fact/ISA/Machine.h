//===- Machine.h - The machine that programs are compiled for and run on --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_MACHINE_H
#define FACT_ISA_MACHINE_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fact::isa {

/// The four SRAM buffers.
enum class Buffer : uint8_t { Token, Weight, Temp, Index };
constexpr unsigned numBuffers = 4;

/// "token", "weight", "temp", "index".
const char *bufferName(Buffer buffer);

/// An entry of the energy table: its value and where that comes from.
struct Energy {
  double value = 0;
  std::string source;
};

/// The machine description: read by compiler and simulator alike and embedded
/// in every program. All fields are set in a Machine that came from a function
/// below; ranges are those of docs/machine.schema.json.
struct Machine {
  std::string name;
  double clockMHz = 0;

  /// The multiplier array. Dot mode does `rows` products of `columns` terms per
  /// cycle, axpy mode adds `rows` terms to `columns` sums per cycle.
  struct ProcessingElements {
    int64_t rows = 0, columns = 0;
    /// Multiplications of a multiplier per cycle: INT8 x INT8, INT4 activations
    /// x INT8 weights, INT4 x INT4.
    int64_t rateA8W8 = 0, rateA4W8 = 0, rateA4W4 = 0;
    int64_t fillCycles = 0; ///< From the first operand to the first result.
    /// Gathered rows are taken in the order of their indices; else those of all
    /// banks at once, as sums need no order.
    bool gatherInOrder = false;
    int64_t accumulatorBytes = 0; ///< Partial sums beside the array.
  } pe;

  /// The eager prediction unit: an array of shift-adders, 64 along one side.
  struct EagerPrediction {
    int64_t lanes = 0; ///< Adds per cycle.
    /// Adds (lane steps) per product of each predictor.
    int64_t addsLeadingOne = 0, addsLeadingTwo = 0, addsOneSided = 0,
            addsExact = 0;
    int64_t fillCycles = 0;
  } ep;

  /// Top-k, column masks, dominance, importance. Top-k of 32-bit keys is a
  /// radix selection: a counting pass per digit, and one that marks.
  struct Selection {
    int64_t scoresPerCycle = 0; ///< Of one pass.
    int64_t digitBits = 0;
    int64_t fillCycles = 0;
    int64_t topKPasses() const { return (32 + digitBits - 1) / digitBits + 1; }
  } sel;

  /// The auxiliary processing unit: float32 lanes with units of their own, and
  /// pipelines that all lanes share.
  struct AuxiliaryUnit {
    int64_t lanes = 0;
    /// Units of a lane, each with one step per cycle; `scale` multiplies by a
    /// power of two (an addition of exponents).
    int64_t addUnits = 0, multiplyUnits = 0, maxUnits = 0, scaleUnits = 0,
            quantizeUnits = 0;
    /// Pipelines of special functions, and how often an element passes one.
    int64_t pipelines = 0;
    int64_t expPasses = 0, erfPasses = 0, dividePasses = 0,
            squareRootPasses = 0;
    int64_t fillCycles = 0;
  } apu;

  /// One SRAM buffer: `banks` banks that each give one word per cycle.
  struct Sram {
    int64_t bytes = 0, banks = 0, wordBytes = 0;
  };
  std::array<Sram, numBuffers> buffers;
  const Sram &buffer(Buffer which) const {
    return buffers[static_cast<unsigned>(which)];
  }

  /// The scratchpad is one address space: the buffers one after the other, in
  /// Buffer's order. First byte of a buffer, and bytes of all of them (at most
  /// 2^24, which is what instructions can address).
  int64_t bufferBase(Buffer which) const {
    int64_t base = 0;
    for (unsigned i = 0; i < static_cast<unsigned>(which); ++i)
      base += buffers[i].bytes;
    return base;
  }
  int64_t scratchpadBytes() const {
    return bufferBase(Buffer::Index) + buffer(Buffer::Index).bytes;
  }

  /// A word at address a (in words) is in bank (a + a / banks) mod banks; if
  /// off, in bank a mod banks.
  bool diagonalStorage = false;

  struct Dram {
    double gigabytesPerSecond = 0; ///< 1e9 bytes per second.
    double latencyNanoseconds = 0;
    int64_t burstBytes = 0; ///< What it moves at once, a power of two.
    double efficiency = 0;  ///< Share of the time that it can move bytes.
  } dram;

  /// The control processor and what engines share.
  struct Control {
    int64_t queueDepth = 0;     ///< Instructions that wait before each engine.
    int64_t registers = 0;      ///< Scalar registers.
    int64_t dispatchCycles = 0; ///< Per instruction.
  } control;

  /// Picojoules per event, static power in milliwatts.
  struct EnergyTable {
    Energy macA8W8, macA4W8, macA4W4;
    Energy peSlot;       ///< Registers and clock of a multiplier, per cycle.
    Energy predictorAdd; ///< One EP lane step.
    Energy selectScore;  ///< One score through the selection unit.
    Energy floatAdd, floatMultiply, floatMax, floatExp, floatErf, floatDivide,
        floatQuantize;
    std::array<Energy, numBuffers> sramReadByte, sramWriteByte;
    Energy accumulatorByte; ///< To or from the accumulators beside the array.
    Energy latchByte;
    Energy dramBit;
    Energy staticMilliwatts;
  } energy;

  /// Bytes that DRAM moves per clock cycle.
  double dramBytesPerCycle() const {
    return dram.gigabytesPerSecond * dram.efficiency * 1e3 / clockMHz;
  }

  /// Reads a description; strict. A syntax error (with line and column), an
  /// unknown, missing or repeated field, a wrong type or a value out of range
  /// is a fact::Error that names the file (`name`), the field and the value.
  static Machine fromJson(std::string_view text, const std::string &name);
  static Machine load(const std::string &path);

  /// The machine fact-28nm, compiled into the library.
  static const Machine &defaultMachine();

  /// Canonical text: equal machines give equal texts, and fromJson(toJson())
  /// is the same machine. This is what programs embed.
  std::string toJson() const;

  /// The JSON schema of descriptions (docs/machine.schema.json).
  static std::string schema();
};

inline bool operator==(const Machine &a, const Machine &b) {
  return a.toJson() == b.toJson();
}
inline bool operator!=(const Machine &a, const Machine &b) { return !(a == b); }

} // namespace fact::isa

#endif // FACT_ISA_MACHINE_H
