//===- Limits.h - Sizes that the contract covers --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// INT32 (INT64 for counts) holds every integer sum of docs/numerics.md up to
// these sizes. The one place that attributes, ops, instructions, flags and
// entry points take their ranges from.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_LIMITS_H
#define FACT_NUMERICS_LIMITS_H

#include <cstdint>

namespace fact::numerics {

/// Tokens of a sequence.
inline constexpr int64_t longestSequence = 32768;
/// Features that one product sums over: d, heads * head size, or the width of
/// a feed-forward network.
inline constexpr int64_t mostFeatures = 8192;
/// `keep` of a policy, in 1024ths: every key.
inline constexpr int64_t keepAll = 1024;
/// `dominance` of a policy, in logits: beyond any gap of scores, and finite.
inline constexpr float largestDominance = 1e30f;
/// `importance` of a policy, and in 256ths.
inline constexpr int32_t largestImportance = 16;
inline constexpr int64_t largestImportance256 = 256 * largestImportance;
/// An importance that is positive but rounds to no 256th: exactly the tokens
/// that nobody keeps are low precision.
inline constexpr int32_t keptByNone = -1;
/// heads * L^3 is below this: 64 bits hold both sides of the comparison.
inline constexpr int64_t mostImportancePairs = int64_t(1) << 51;

/// Whether a number may be a policy's: keep in 1024ths, dominance in logits
/// (no NaN), importance in 256ths or keptByNone.
constexpr bool isKeep(int64_t keep) { return keep >= 0 && keep <= keepAll; }
constexpr bool isDominance(double dominance) {
  return dominance >= 0 && dominance <= largestDominance;
}
constexpr bool isImportance256(int64_t importance) {
  return importance >= keptByNone && importance <= largestImportance256;
}

} // namespace fact::numerics

#endif // FACT_NUMERICS_LIMITS_H
