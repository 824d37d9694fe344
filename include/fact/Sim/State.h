//===- State.h - Everything that a machine remembers ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_STATE_H
#define FACT_SIM_STATE_H

#include "fact/ISA/Program.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace fact::sim {

/// Zeroed bytes, aligned to 64; pages that nobody touches cost nothing.
class Memory {
public:
  /// fact::Error if there is not that much.
  Memory(uint64_t bytes, const char *what);

  uint8_t *data() { return bytes.get(); }
  const uint8_t *data() const { return bytes.get(); }
  uint64_t size() const { return length; }

private:
  struct Unmap {
    uint64_t length;
    void operator()(uint8_t *bytes) const;
  };
  std::unique_ptr<uint8_t, Unmap> bytes;
  uint64_t length;
};

/// The architectural state of one machine during a run.
struct State {
  /// Zeros everywhere. `dramBytes` is the size of DRAM.
  State(const isa::Machine &machine, uint64_t dramBytes);

  /// The scratchpad: token, weight, temp and index buffer, one after the other.
  Memory sram;
  Memory dram;
  int64_t registers[isa::numRegisters] = {};
  /// LEN, the length of this run's sequence.
  int64_t length = 0;

  /// Bytes of DRAM that a program must not write: constants and inputs.
  std::vector<isa::ReadOnlyRange> readOnly;

  /// Where each buffer ends in the scratchpad.
  uint64_t bufferEnd[isa::numBuffers];
  /// The buffer of a scratchpad address inside of it.
  isa::Buffer bufferOf(uint64_t address) const;

  isa::Resolver resolver() const { return {registers, length}; }

  /// Writes pseudo-random bytes over scratchpad and DRAM: what no program may
  /// rely on. Floats among them include NaN and infinity.
  void fillUndefined(uint64_t seed);
};

} // namespace fact::sim

#endif // FACT_SIM_STATE_H
