//===- Float16.h - Half precision ------------------------------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_FLOAT16_H
#define FACT_SUPPORT_FLOAT16_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace fact {

/// 1 sign bit, 5 exponent bits and 10 of the fraction; every value is a float.
inline float fromFloat16(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0) {
    float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -value : value;
  }
  uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
  uint32_t word = sign | wide << 23 | fraction << 13;
  float value;
  std::memcpy(&value, &word, sizeof(value));
  return value;
}

} // namespace fact

#endif // FACT_SUPPORT_FLOAT16_H
