//===- Work.h - What one instruction did, in numbers ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_WORK_H
#define FACT_SIM_WORK_H

#include "fact/ISA/Machine.h"
#include "fact/ISA/Sweeps.h"

#include <array>
#include <cstdint>

namespace fact::sim {

/// Formats of a multiply-accumulate.
enum class MacKind : uint8_t { A8W8, A4W8, A4W4 };
constexpr unsigned numMacKinds = 3;

/// What one executed instruction did. All counts are exact counts of the run's
/// own data: rows that were listed, columns that were kept.
struct Work {
  /// Cycles of its engine, with edge waste and pipeline fill but without bank
  /// conflicts. 0: there was nothing to do. For LOAD and STORE 0: the DRAM
  /// channel decides.
  int64_t cycles = 0;
  /// Cycles that bank conflicts add.
  int64_t conflictCycles = 0;
  /// The work at the engine's full rate: no edges, no fill, no conflicts.
  double idealCycles = 0;

  std::array<int64_t, numMacKinds> macs{};
  int64_t predictorAdds = 0; ///< EP lane steps of code products
  int64_t scores = 0;        ///< through the selection unit
  isa::FloatSteps floats;    ///< on all lanes together
  std::array<int64_t, isa::numBuffers> sramRead{}, sramWritten{}; ///< bytes
  int64_t accumulatorBytes = 0; ///< partial sums, to and from the accumulators
  int64_t dramRead = 0, dramWritten = 0; ///< bytes
  int64_t dramMoved = 0;                 ///< the same in whole bursts
};

} // namespace fact::sim

#endif // FACT_SIM_WORK_H
