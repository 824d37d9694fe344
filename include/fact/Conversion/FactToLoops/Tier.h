//===- Tier.h - What a processor multiplies integers with -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One generator makes the integer products of every processor; this is all that
// it has to know of one. Every tier is exact: no instruction that saturates.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_FACTTOLOOPS_TIER_H
#define FACT_CONVERSION_FACTTOLOOPS_TIER_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::fact {

/// What one step of a product multiplies.
enum class Dot {
  Pair, ///< two i16 with two i16: pmaddwd, smlal, or plain arithmetic
  Quad, ///< four i8 with four i8: vpdpbusd, sdot
  Tile  ///< 16 rows of 64 i8 with 64 rows of 16: tdpbssd
};

struct Tier {
  StringLiteral name;
  /// x86 or aarch64; empty: any.
  StringLiteral architecture;
  /// What LLVM calls that which a processor must have, separated by commas.
  StringLiteral features;
  Dot dot;
  /// The step of probabilities (0..255) with values: where `dot` takes signed
  /// operands alone, pairs.
  Dot probabilityDot;
  /// vpdpbusd takes one unsigned operand: codes of rows are stored as code +
  /// 128, and sums begin at -128 times a column's sum.
  bool offset;
  /// The step of Quad, and how many sums of 32 bits a register holds.
  StringLiteral intrinsic;
  int64_t sums;
  /// Block of sums that stays in registers: rows, groups of 16 columns.
  int64_t rows, tiles;
  /// Steps of an iteration: one where registers are few.
  int64_t unroll;
  /// Rows that attention works on at once: a multiple of `rows`.
  int64_t attentionRows;
  /// Rows that go through a fused region together: a multiple of both.
  int64_t panelRows;
  /// Floats that elementwise rules work on at once.
  int64_t floats;
  /// Whether a multiplication and an addition with one rounding are one
  /// instruction.
  bool fused;
  /// Bits of the smallest lanes that an instruction moves together, or apart,
  /// under a mask; 0 where none does.
  int64_t compressBits;

  /// Whether instructions work under masks.
  bool hasMasks() const { return compressBits != 0; }

  /// The features, one by one.
  SmallVector<StringRef> featureNames() const;

  /// Codes of a step, in the direction of the sum.
  static int64_t step(Dot dot) { return dot == Dot::Pair ? 2 : 4; }
};

/// All tiers, the most capable of a kind of processor first.
ArrayRef<Tier> tiers();
/// Null where no tier has that name.
const Tier *findTier(StringRef name);
/// All names, for a message.
std::string tierNames();

} // namespace mlir::fact

#endif // FACT_CONVERSION_FACTTOLOOPS_TIER_H
