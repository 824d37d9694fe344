//===- CheckProgram.h - Writers before readers ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_CHECKPROGRAM_H
#define FACT_ISA_CHECKPROGRAM_H

#include "fact/ISA/PortRows.h"
#include "fact/ISA/Walker.h"

#include <optional>
#include <vector>

namespace fact::isa {

/// Why an instruction must not touch these bytes: they are outside of their
/// memory (sizes in bytes), or it writes what is read-only.
std::optional<std::string>
whyNotAllowed(const Access &access, uint64_t scratchpadBytes,
              uint64_t dramBytes, const std::vector<ReadOnlyRange> &readOnly);

/// Scratchpad bytes that hold nothing any more: a buffer begins to live there.
struct BufferStart {
  size_t instruction; ///< Before this one, every time that it comes.
  uint64_t address, bytes;
};

/// What a check looked at, for statistics.
struct CheckCounts {
  uint64_t instructions = 0, reads = 0;
  uint64_t paddedRows = 0; ///< Copied with bytes that nothing wrote.
};

/// Walks a program in program order, without data, for the longest sequence,
/// one token less, and one token, and returns the first thing that is wrong:
///
/// * an operand outside of its memory, or a write to constants or inputs;
/// * a read of a byte that nothing wrote before. The host writes constants and
///   the inputs' rows; a write by a row list or under a mask counts as one of
///   all rows; a load or store copies rows with padding that nothing wrote, and
///   the copy of the padding counts as not written;
/// * an output of which a byte is not written at `halt`;
/// * a wait without an earlier signal, a counter of tokens that goes too far or
///   is not zero at `halt`.
///
/// A legal program has no fault. `starts`, by rising instruction, say where
/// buffers begin to live; without them a byte that an earlier buffer at the
/// same place held counts as written.
std::optional<Fault> checkProgram(const Code &code,
                                  const std::vector<BufferStart> &starts = {},
                                  CheckCounts *counts = nullptr);
/// The same for one run: a length and rows that the program's ports allow.
std::optional<Fault> checkProgram(const Code &code, const Sequence &sequence);

} // namespace fact::isa

#endif // FACT_ISA_CHECKPROGRAM_H
