//===- Semaphores.h - Counts of signals and waits -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_SEMAPHORES_H
#define FACT_ISA_SEMAPHORES_H

#include "fact/ISA/Walker.h"

#include <optional>
#include <vector>

namespace fact::isa {

/// The semaphores of a run in program order, which is one of the orders that
/// they allow. `index` is the instruction's in the program; what is wrong with
/// it comes back.
class Semaphores {
public:
  /// `length` is that of the run. Refers to `code`.
  Semaphores(const Code &code, int64_t length);

  /// A wait must find its signal: an earlier one in program order. Where the
  /// engines block each other, the fault names every one of them.
  std::optional<Fault> wait(size_t index);
  /// A semaphore counts to maximumSemaphoreCount.
  std::optional<Fault> signal(size_t index);
  /// At `halt` every signal has been waited for.
  std::optional<Fault> halt(size_t index) const;

private:
  struct Semaphore {
    int64_t count = 0;
    size_t lastSignal = 0;
  };

  const Code &code;
  int64_t length;
  std::vector<Semaphore> semaphores;
};

} // namespace fact::isa

#endif // FACT_ISA_SEMAPHORES_H
