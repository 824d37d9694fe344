//===- OrderEngines.h - Tokens that order a program's engines -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_ORDERENGINES_H
#define FACT_ISA_ORDERENGINES_H

#include "fact/ISA/Walker.h"

#include <vector>

namespace fact::isa {

/// What engines must wait for, so that the machine may run a program's queues
/// as fast as it can.
struct EngineOrder {
  /// A `sync` at a loop.
  struct LoopSync {
    size_t loop; ///< The `loop` instruction.
    bool after;  ///< Behind its `endloop`; else before it.
    Sync sync;
  };

  /// Of every instruction; empty where it has no tokens.
  std::vector<Tokens> tokens;
  /// In the order in which they stand, where they are at the same place.
  std::vector<LoopSync> syncs;

  int64_t dependences = 0; ///< Pairs of instructions that need an order.
  int64_t pairs = 0;       ///< Of a signal and the wait for it.
  int64_t carried = 0;     ///< Of these, those across iterations.
};

/// Orders the engines of a program without tokens: every two instructions that
/// touch the same byte, one of them writing, for sequences of any length, and
/// no others than needed: what follows from the order of each queue and from
/// other pairs has no pair of its own. (What pairs inside of a loop imply is
/// not used outside of it.)
EngineOrder orderEngines(const Code &code);

} // namespace fact::isa

#endif // FACT_ISA_ORDERENGINES_H
