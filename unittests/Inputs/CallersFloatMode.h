//===- CallersFloatMode.h - A caller with a float mode of its own ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_INPUTS_CALLERSFLOATMODE_H
#define FACT_UNITTESTS_INPUTS_CALLERSFLOATMODE_H

#include <cfenv>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fact::test {

/// While it lives this thread rounds up and flushes denormals to zero, results
/// and operands.
class CallersFloatMode {
public:
  CallersFloatMode() {
    std::fegetenv(&before);
    std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#else
    uint64_t mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    asm volatile("msr fpcr, %0" : : "r"(mode | 1 << 24));
#endif
  }
  ~CallersFloatMode() { std::fesetenv(&before); }
  CallersFloatMode(const CallersFloatMode &) = delete;

  static uint32_t bitsOf(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
  }

private:
  std::fenv_t before;
};

} // namespace fact::test

#endif // FACT_UNITTESTS_INPUTS_CALLERSFLOATMODE_H
