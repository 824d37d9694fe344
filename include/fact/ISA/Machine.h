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
  } pe;

  /// The eager prediction unit.
  struct EagerPrediction {
    int64_t lanes = 0; ///< Adds per cycle.
    /// Adds (lane steps) per product of each predictor.
    int64_t addsLeadingOne = 0, addsLeadingTwo = 0, addsOneSided = 0,
            addsExact = 0;
    int64_t fillCycles = 0;
  } ep;

  /// Top-k, column masks, dominance, importance.
  struct Selection {
    int64_t scoresPerCycle = 0;
    int64_t fillCycles = 0;
  } sel;

  /// The auxiliary processing unit: float32 lanes. Cycles of a lane per element
  /// for each kind of step (a unit that is fully pipelined has 1).
  struct AuxiliaryUnit {
    int64_t lanes = 0;
    int64_t addCycles = 0, multiplyCycles = 0, maxCycles = 0, expCycles = 0,
            erfCycles = 0, divideCycles = 0, squareRootCycles = 0,
            quantizeCycles = 0;
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

  /// Word j of row i is in bank (i + j) mod banks; if off, in bank j mod banks
  /// of a row that starts in bank 0.
  bool diagonalStorage = false;

  struct Dram {
    double gigabytesPerSecond = 0; ///< 1e9 bytes per second.
    double latencyNanoseconds = 0;
  } dram;

  /// The control processor and what engines share.
  struct Control {
    int64_t queueDepth = 0; ///< Instructions that wait before each engine.
    int64_t registers = 0;  ///< Scalar registers.
    int64_t semaphores = 0;
    int64_t dispatchCycles = 0; ///< Per instruction.
  } control;

  /// Picojoules per event, static power in milliwatts.
  struct EnergyTable {
    Energy macA8W8, macA4W8, macA4W4;
    Energy predictorAdd; ///< One EP lane step.
    Energy selectScore;  ///< One score through the selection unit.
    Energy floatAdd, floatMultiply, floatExp;
    std::array<Energy, numBuffers> sramReadByte, sramWriteByte;
    Energy latchByte;
    Energy dramBit;
    Energy staticMilliwatts;
  } energy;

  /// Bytes that DRAM moves per clock cycle.
  double dramBytesPerCycle() const {
    return dram.gigabytesPerSecond * 1e3 / clockMHz;
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
