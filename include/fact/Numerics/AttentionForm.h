//===- AttentionForm.h - What attentions differ in ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_ATTENTIONFORM_H
#define FACT_NUMERICS_ATTENTIONFORM_H

#include "fact/Numerics/Window.h"

#include <cstdint>

namespace fact::numerics {

/// What section 10 lets attentions differ in.
struct AttentionForm {
  int64_t heads = 1;
  int64_t keyHeads = 1; ///< of K and V; divides heads
  Window window;
  bool isDressed = false; ///< head norms or a rotary embedding on Q or K
  int headNorms = 0;      ///< on how many of Q and K

  /// The head of K and V that a head of Q reads.
  int64_t keyHeadOf(int64_t head) const { return head / (heads / keyHeads); }
  /// Whether a mean token may stand for dropped keys: the mean of dressed keys
  /// says nothing, and a window has other keys in every row.
  bool canHaveMeanToken() const { return window.seesAll() && !isDressed; }
};

} // namespace fact::numerics

#endif // FACT_NUMERICS_ATTENTIONFORM_H
