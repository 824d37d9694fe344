//===- Vectorize.h - How the loops of this library are compiled -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// FACT_VECTORIZE compiles a function for several x86-64 levels; the loader
// picks one. Contraction is off, so that all of them give the same bits.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_NUMERICS_VECTORIZE_H
#define FACT_LIB_NUMERICS_VECTORIZE_H

#include <cstdint>

#define FACT_RESTRICT __restrict

// Resolvers of clones run before a sanitizer is set up.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define FACT_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FACT_SANITIZED 1
#endif

#if defined(__x86_64__) && defined(__linux__) && defined(__clang__) &&         \
    !defined(FACT_SANITIZED)
#define FACT_VECTORIZE                                                         \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
// With a clone for processors that add a product of pairs in one instruction.
#define FACT_VECTORIZE_PRODUCTS                                                \
  __attribute__((target_clones("avx512vnni", "arch=x86-64-v4",                 \
                               "arch=x86-64-v3", "default")))
#else
#define FACT_VECTORIZE
#define FACT_VECTORIZE_PRODUCTS
#endif

namespace fact::numerics {

/// An integral value in -2^31..2^31 - 1 as an integer; anything else (the
/// contract has no result for it) becomes some integer without a trap.
inline int32_t toInt32(float a) {
  return static_cast<int32_t>(a >= -0x1p31f && a < 0x1p31f ? a : 0.0f);
}

/// An integral value in -127..127 as a byte.
inline int8_t toInt8(float a) { return static_cast<int8_t>(toInt32(a)); }

} // namespace fact::numerics

#endif // FACT_LIB_NUMERICS_VECTORIZE_H
