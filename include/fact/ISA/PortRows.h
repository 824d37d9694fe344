//===- PortRows.h - The rows of an input or output in one run -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_PORTROWS_H
#define FACT_ISA_PORTROWS_H

#include "fact/ISA/Program.h"

namespace fact::isa {

/// Extents of a run's sequence.
struct Sequence {
  int64_t rows = 1;   ///< of the host's arrays
  int64_t length = 1; ///< rows that count: LEN
  /// No input's dimension is open: the sequence is the last but one dimension
  /// of an output that has as many rows.
  bool fixed = false;
};

/// The longest sequence that a program serves: the smallest bound of an open
/// input; without one the longest last but one dimension of an input.
Sequence sequenceBound(const Program &program);

/// The rows of a port (all indices but the last fixed) that hold values of a
/// run, in the host's array and in DRAM.
class PortRows {
public:
  static PortRows ofInput(const Port &port, const Sequence &sequence) {
    return PortRows(port, sequence, port.openIndex());
  }
  static PortRows ofOutput(const Port &port, const Sequence &sequence);

  int64_t elementBytes() const { return elementTypeBytes(port.type); }
  /// Of the whole array.
  int64_t hostBytes() const {
    return outer * hostRows * inner * hostColumns * elementBytes();
  }
  /// Of a row, those that hold values.
  int64_t columns() const { return columnCount; }
  int64_t columnBytes() const { return columns() * elementBytes(); }

  /// Calls body(offset in the array, address in DRAM, row for messages).
  template <typename Body> void forEach(Body &&body) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < inner; ++i) {
          int64_t host = (o * hostRows + r) * inner + i;
          int64_t dram = (o * dramRows + r) * inner + i;
          body(host * hostColumns * elementBytes(),
               port.address + static_cast<uint64_t>(dram) * port.rowBytes,
               rows > 1 ? r : host);
        }
  }

private:
  PortRows(const Port &port, const Sequence &sequence, int64_t open);

  const Port &port;
  int64_t outer = 1, rows = 1, inner = 1, columnCount = 1;
  int64_t hostRows = 1, dramRows = 1, hostColumns = 1;
};

} // namespace fact::isa

#endif // FACT_ISA_PORTROWS_H
