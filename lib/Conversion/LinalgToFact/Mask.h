//===- Mask.h - Which keys an attention sees ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between q k^T and the softmax may be spelled in very many ways:
// constants, Trilu, comparisons of positions, numbers that are added or chosen.
// It is not matched but worked out: for each query i and key j what is left is
// a * score + b. A key is visible where b is 0 and a is the scale, hidden where
// b is -1e4 or less, or -1e4 times a scale below 1 and no more than -1e3, for
// all positions up to the largest length, and some shorter lengths where the
// mask depends on them; anything else is no mask. A bound below all scores,
// max(.., -1e4 or less), is nothing.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_MASK_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_MASK_H

#include "Analysis.h"
#include "Expression.h"
#include "fact/Numerics/Window.h"

namespace mlir::fact {

/// Numbers at or below it hide a key: exp of it is 0 beside any score.
inline constexpr double kHiddenScore = -1e4;

struct MaskedScores {
  Node *scores; ///< q k^T
  float scale;
  ::fact::numerics::Window window; ///< the keys that are visible
  Node *padding; ///< numbers of tokens that say which ones are padding, or null
  float padValue; ///< which of 0 and 1 says so
};

/// Reads what a softmax is taken of. Null with a reason where it is no product
/// of queries and keys with a scale and a mask that the dialect has.
std::optional<MaskedScores> readMask(Node *node, Miss &miss);

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_MASK_H
