//===- Fuzz.h - What the fuzzers share ------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fuzzer is a libFuzzer target: LLVMFuzzerTestOneInput gets any bytes. Code
// that reads them accepts them or throws a fact::Error; all else (a signal, a
// report of a sanitizer, another exception, a rule below that is broken) is a
// finding.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_FUZZ_FUZZ_H
#define FACT_FUZZ_FUZZ_H

#include "fact/Support/Error.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace fact::fuzz {

inline std::string_view textOf(const uint8_t *data, size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

#ifdef __cpp_exceptions // Not for fuzzers over MLIR.
/// Whether `body` ended without a fact::Error.
template <typename Body> bool accepts(const Body &body) {
  try {
    body();
    return true;
  } catch (const Error &) {
    return false;
  }
}
#endif

/// Ends the run with a finding unless `holds`.
inline void require(bool holds, const char *rule) {
  if (holds)
    return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

} // namespace fact::fuzz

#endif // FACT_FUZZ_FUZZ_H
