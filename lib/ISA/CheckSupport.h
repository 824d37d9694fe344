//===- CheckSupport.h - What the checks of a program share ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_CHECKSUPPORT_H
#define FACT_LIB_ISA_CHECKSUPPORT_H

#include "fact/ISA/PortRows.h"
#include "fact/ISA/Walker.h"

#include <optional>
#include <string>

namespace fact::isa {

/// A range of bytes of one memory, for messages: "bytes 0 to 63 of DRAM".
inline std::string bytesText(bool dram, uint64_t begin, uint64_t end) {
  return "bytes " + std::to_string(begin) + " to " + std::to_string(end - 1) +
         (dram ? " of DRAM" : " of the scratchpad");
}

/// Calls body(begin, end) for the ranges of an operand until it returns false.
template <typename Body> void forEachRange(const Access &access, Body &&body) {
  auto begin = static_cast<uint64_t>(access.address);
  const Rows &rows = access.rows;
  if (rows.stride <= rows.bytes) { // no gaps
    if (access.bytes > 0)
      body(begin, begin + static_cast<uint64_t>(access.bytes));
    return;
  }
  for (int64_t r = 0; r < rows.count; ++r) {
    uint64_t row = begin + static_cast<uint64_t>(r * rows.stride);
    if (!body(row, row + static_cast<uint64_t>(rows.bytes)))
      return;
  }
}

/// Calls body(sequence), which returns a std::optional<Fault>, for the lengths
/// that a program is checked for: its longest sequence, one token less (blocks
/// of rows that are not full) and one token. Returns the first fault, with its
/// length in the reason.
template <typename Body>
std::optional<Fault> forEachCheckedLength(const Program &program, Body &&body) {
  Sequence sequence = sequenceBound(program);
  int64_t last = 0;
  for (int64_t length : {sequence.rows, sequence.rows - 1, int64_t(1)}) {
    if (length < 1 || length == last)
      continue;
    last = sequence.length = length;
    if (std::optional<Fault> fault = body(sequence)) {
      fault->reason += " (sequence length " + std::to_string(length) + ")";
      return fault;
    }
  }
  return std::nullopt;
}

} // namespace fact::isa

#endif // FACT_LIB_ISA_CHECKSUPPORT_H
