//===- FloatMode.h - The float mode that the rules need -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_FLOATMODE_H
#define FACT_NUMERICS_FLOATMODE_H

#include <cstdint>

namespace fact::numerics {

/// x86's MXCSR: round to nearest even, no exception traps, denormals kept.
constexpr uint32_t contractMxcsr = 0x1f80;
/// The same for aarch64's FPCR.
constexpr uint64_t contractFpcr = 0;

/// While it lives, this thread rounds to nearest even and keeps denormals, as
/// docs/numerics.md has it; then the caller's mode is back. Hosts
/// may run with another one. Everything that computes by the contract on behalf
/// of a caller (the simulator, the Python module) holds one; entry points of
/// the CPU path set the same mode in their own code.
class FloatMode {
public:
  FloatMode();
  ~FloatMode();
  FloatMode(const FloatMode &) = delete;
  FloatMode &operator=(const FloatMode &) = delete;

private:
  uint64_t callers;
};

} // namespace fact::numerics

#endif // FACT_NUMERICS_FLOATMODE_H
