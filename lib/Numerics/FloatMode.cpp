//===- FloatMode.cpp - The float mode that the rules need -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Out of line: the compiler moves no arithmetic across these calls.
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/FloatMode.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif !defined(__aarch64__)
#error "how is the float mode set on this processor?"
#endif

using namespace fact::numerics;

static uint64_t readMode() {
#if defined(__x86_64__)
  return _mm_getcsr();
#else
  uint64_t mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#endif
}

static void writeMode(uint64_t mode) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<uint32_t>(mode));
#else
  asm volatile("msr fpcr, %0" : : "r"(mode));
#endif
}

FloatMode::FloatMode() : callers(readMode()) {
#if defined(__x86_64__)
  writeMode(contractMxcsr);
#else
  writeMode(contractFpcr);
#endif
}

FloatMode::~FloatMode() { writeMode(callers); }
