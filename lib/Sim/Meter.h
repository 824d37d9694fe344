//===- Meter.h - From what was done to engine cycles ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Semantic functions report here what they did, in the terms of their engine;
// the machine description turns it into Work. docs/simulator.md explains the
// model of each engine.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_METER_H
#define FACT_LIB_SIM_METER_H

#include "fact/ISA/Instructions.h"
#include "fact/ISA/Machine.h"
#include "fact/Sim/Work.h"

#include <vector>

namespace fact::sim {

/// How a two-dimensional operand lies in its buffer's banks.
struct BankedRows {
  isa::Buffer buffer;
  int64_t address; ///< of the operand
  int64_t stride;  ///< bytes from a row to the next
};

class Meter {
public:
  explicit Meter(const isa::Machine &machine);

  /// Starts an instruction.
  void begin() { work = Work(); }
  /// Ends it: pipeline fill.
  void end(isa::Engine engine);

  Work work;

  //===--------------------------------------------------------------------===//
  // PE
  //===--------------------------------------------------------------------===//

  /// A weight tile [k, n] in `weights`, held in the array while rows of
  /// activations stream past: `rows` INT8 rows and `lowRows` rows of `lowKind`.
  /// Returns how often each row streams past.
  int64_t gemm(int64_t rows, int64_t lowRows, MacKind lowKind, int64_t k,
               int64_t n, const BankedRows &weights);

  /// One row of dot mode: products of n terms with the rows
  /// `columns[0, count)` of `keys`.
  void dotRow(const int32_t *columns, int64_t count, int64_t n,
              const BankedRows &keys);

  /// One row of axpy mode: a sum of n channels over the rows
  /// `columns[0, count)` of `values`.
  void axpyRow(const int32_t *columns, int64_t count, int64_t n,
               const BankedRows &values);

  //===--------------------------------------------------------------------===//
  // EP, SEL
  //===--------------------------------------------------------------------===//

  /// A product [rows, k] x [k, n] of codes, each product worth some lane steps;
  /// those of [k, n] have so many bits.
  void products(int64_t rows, int64_t k, int64_t n, isa::Predictor predictor,
                int64_t codeBits);
  /// Lane steps that are no products of codes.
  void laneSteps(int64_t steps);
  /// One row of scores through the radix selection.
  void topKRow(int64_t scores);
  /// Flags or counts that pass the selection unit once.
  void select(int64_t scores);
  /// Bytes that the selection unit writes in whole words.
  void fill(int64_t bytes);

  //===--------------------------------------------------------------------===//
  // APU, DMA
  //===--------------------------------------------------------------------===//

  void sweep(const isa::Sweep &sweep);
  void sweep(const isa::Sweeps &sweeps);

  /// `bytes` contiguous bytes of DRAM from `address` on, in whole bursts.
  void transfer(int64_t address, int64_t bytes);

private:
  /// Both modes take pe.rows gathered rows and pe.columns of their elements per
  /// step; they differ in the direction of the sum.
  void gatherRow(const int32_t *columns, int64_t count, int64_t n,
                 const BankedRows &operand);
  /// Cycles in which the banks give `width` bytes at `offset` of each of the
  /// rows, in any order.
  int64_t bankCycles(const int32_t *rows, int64_t count, int64_t offset,
                     int64_t width, const BankedRows &operand);
  void countMacs(MacKind kind, int64_t count);

  const isa::Machine &machine;
  std::array<int64_t, numMacKinds> rates;
  /// A number of bytes or banks: quotients by it are shifts where it is a power
  /// of two.
  struct Divisor {
    int64_t value = 1;
    int shift = -1;
    int64_t quotient(int64_t a) const {
      return shift >= 0 ? a >> shift : a / value;
    }
  };
  static Divisor divisor(int64_t value);
  std::array<Divisor, isa::numBuffers> words, banks;
  std::vector<int32_t> bankLoad; ///< scratch, one entry per bank
  std::vector<int32_t> iota;     ///< 0, 1, 2, ...
};

} // namespace fact::sim

#endif // FACT_LIB_SIM_METER_H
