//===- Host.h - Arrays in and out of a machine's DRAM ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_HOST_H
#define FACT_LIB_SIM_HOST_H

#include "fact/ISA/Metadata.h"
#include "fact/ISA/PortRows.h"
#include "fact/Sim/State.h"
#include "fact/Support/Npy.h"

#include <optional>
#include <vector>

namespace fact::sim {

/// How many sequences a batch has; 1 where the model has none.
/// Throws where the metadata has another batch than the program's ports.
int64_t countSequences(const isa::Program &program,
                       const isa::Metadata &metadata,
                       const std::vector<NpyArray> &inputs);

/// Takes the model's padding masks and positions out of `inputs`. Returns the
/// length that masks say, which must be `length`, where that is given; `length`
/// where there are none. `rows`: of what was taken, which other inputs must
/// have as well. Positions must count the tokens of that length.
std::optional<int64_t> takeTokenInputs(const isa::Program &program,
                                       const isa::Metadata &metadata,
                                       std::vector<NpyArray> &inputs,
                                       std::optional<int64_t> length,
                                       std::optional<int64_t> &rows);

/// Checks types and shapes of all inputs and the wanted length.
isa::Sequence sequenceOf(const isa::Program &program,
                         const std::vector<NpyArray> &inputs,
                         std::optional<int64_t> length);

/// Writes the rows that count to DRAM, after checking their values.
void writeInput(const isa::Port &port, const NpyArray &array,
                const isa::Sequence &sequence, State &state);

/// Reads the rows that count, zeros past them, and checks that all are finite.
NpyArray readOutput(const isa::Port &port, const isa::Sequence &sequence,
                    const State &state);

} // namespace fact::sim

#endif // FACT_LIB_SIM_HOST_H
