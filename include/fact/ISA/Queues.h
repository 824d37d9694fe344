//===- Queues.h - What the engines of a machine may do next ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_QUEUES_H
#define FACT_ISA_QUEUES_H

#include "fact/ISA/Walker.h"

#include <array>
#include <deque>
#include <optional>
#include <string>

namespace fact::isa {

/// A run without time and data: the control processor, which dispatches in
/// program order, the engines' queues, and the counters of tokens. Whoever runs
/// the program says who makes the next step; every choice is one that the
/// machine may make.
class Queues {
public:
  /// `length` is that of the run. Refers to `code`.
  Queues(const Code &code, int64_t length);
  Queues(const Queues &) = delete;
  Queues &operator=(const Queues &) = delete;

  /// Whether an engine has an instruction that need not wait. The control
  /// processor's next one needs a place in its engine's queue.
  bool canStep(Engine engine) const;

  /// An instruction with the registers that it was dispatched with.
  struct Entry {
    size_t index;
    std::array<int64_t, numRegisters> registers;
  };
  /// Takes that instruction; it takes and gives its tokens. The control
  /// processor only dispatches those that are not its own.
  Entry step(Engine engine);

  /// Whether the program ended and all queues are empty.
  bool isDone() const;
  /// Where nobody can step and it is not done: who waits at what.
  std::string blockedSet() const;

private:
  const Code &code;
  std::array<int64_t, numRegisters> registers{};
  Walker walker;
  size_t depth;
  /// By engine that signals and engine that waits.
  std::array<std::array<int64_t, numEngines>, numEngines> tokens{};
  std::array<std::deque<Entry>, numEngines> queues;
  size_t upcoming = 0; ///< What the control processor does next, if anything.
  bool more = false;
};

/// The blocked set of a run that does not end. Where the engines block each
/// other they do so in every order, because a step of one never takes away
/// another's chance: each counter has one engine that waits.
std::optional<std::string> findDeadlock(const Code &code, int64_t length);

} // namespace fact::isa

#endif // FACT_ISA_QUEUES_H
