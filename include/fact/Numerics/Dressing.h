//===- Dressing.h - What stands between projection and attention ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 10: head norms and rotary embeddings of Q and K.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_DRESSING_H
#define FACT_NUMERICS_DRESSING_H

#include "fact/Numerics/Enums.h"

#include <cstdint>
#include <vector>

namespace fact::numerics {

/// A norm as the model has it.
struct NormLayer {
  Norm kind = Norm::Layer;
  std::vector<float> gamma; ///< [n]
  std::vector<float> beta;  ///< [n], or empty
  float epsilon = 1e-5f;

  /// y = norm of a row of n floats; y may be x.
  void apply(const float *x, float *y) const;
};

/// Rotates the first 2 * pairs features of a head by the row's position.
struct RotaryEmbedding {
  RotaryStyle style = RotaryStyle::Half;
  int64_t positions = 0;
  int64_t pairs = 0;
  std::vector<float> cos, sin; ///< [positions, pairs]
};

/// What Q or K goes through per head, in this order; either may be null.
struct Dressing {
  const NormLayer *norm = nullptr;
  const RotaryEmbedding *rotary = nullptr;

  /// Dresses one head of row `position` in place.
  void apply(int64_t position, float *head, int64_t headSize) const;
};

} // namespace fact::numerics

#endif // FACT_NUMERICS_DRESSING_H
