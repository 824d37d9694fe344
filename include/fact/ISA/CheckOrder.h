//===- CheckOrder.h - Engines wait for each other -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_CHECKORDER_H
#define FACT_ISA_CHECKORDER_H

#include "fact/ISA/PortRows.h"
#include "fact/ISA/Walker.h"

#include <optional>

namespace fact::isa {

/// Walks a program without data, for the lengths of checkProgram, and returns
/// the first pair of instructions of two engines that touch the same bytes, one
/// of them writing, and that no tokens put in an order: happens before, by
/// vector clocks, whatever a machine's speed is. The program is one that
/// checkProgram has no fault in.
std::optional<Fault> checkOrder(const Code &code);
/// The same for one run: a length and rows that the program's ports allow.
std::optional<Fault> checkOrder(const Code &code, const Sequence &sequence);

} // namespace fact::isa

#endif // FACT_ISA_CHECKORDER_H
