//===- TokenCounters.h - What engines signal each other -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_TOKENCOUNTERS_H
#define FACT_ISA_TOKENCOUNTERS_H

#include "fact/ISA/Walker.h"

#include <array>
#include <optional>

namespace fact::isa {

/// The counters of tokens of a run in program order, which is one of the orders
/// that they allow. What is wrong with an instruction comes back.
class TokenCounters {
public:
  /// `length` is that of the run. Refers to `code`.
  TokenCounters(const Code &code, int64_t length)
      : code(code), length(length) {}

  /// The instruction takes and gives its tokens. It must find those that it
  /// takes: given by an earlier one in program order. Where the engines block
  /// each other, the fault names every one of them. A counter goes up to
  /// maximumTokens.
  std::optional<Fault> step(size_t index);
  /// At `halt` every token has been taken.
  std::optional<Fault> halt(size_t index) const;

private:
  struct Counter {
    int64_t tokens = 0;
    size_t lastSignal = 0;
  };

  const Code &code;
  int64_t length;
  /// By engine that signals and engine that waits.
  std::array<std::array<Counter, numEngines>, numEngines> counters{};
};

} // namespace fact::isa

#endif // FACT_ISA_TOKENCOUNTERS_H
