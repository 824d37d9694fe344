//===- Selection.h - Top-k, dominance, demand, importance -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, section 5, row by row: everything that a row adds to the
// rest of the sequence goes through `accumulateRow`, whose results (bits and
// 64-bit counts) do not depend on the order of the rows.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_SELECTION_H
#define FACT_NUMERICS_SELECTION_H

#include "fact/Numerics/Policy.h"
#include "fact/Numerics/Prediction.h"

#include <cstdint>
#include <vector>

namespace fact::numerics {

/// k = max(1, (keep1024 * n + 1023) >> 10), the keys that a row keeps of n.
inline int64_t keptKeys(int32_t keep1024, int64_t n) {
  int64_t k = (keep1024 * n + 1023) >> 10;
  return k < 1 ? 1 : k;
}

/// Marks the k largest of `n` scores, ties to the lower index: mask[j] is 1 or
/// 0. k >= n keeps all.
void selectRow(const float *scores, int64_t n, int64_t k, uint8_t *mask);

/// The same as ascending indices; returns how many (min(k, n)).
int64_t selectRowIndices(const float *scores, int64_t n, int64_t k,
                         int32_t *indices);

/// The two largest scores of a row and the column of the first one, ties to
/// the lower index. For n = 1 `second` is minus infinity.
struct TopTwo {
  float first = 0;
  float second = 0;
  int64_t argmax = 0;
};
TopTwo topTwo(const float *scores, int64_t n);

/// Whether a row of n >= 2 keys is dominated; threshold 0 = never.
bool isDominated(const TopTwo &top, int64_t n, float unit, float gain,
                 float threshold);

/// Everything that section 5 decides about one row.
struct RowDecision {
  bool dominated = false;
  int64_t argmax = 0;
  int64_t kept = 0;
};

/// Top-k and dominance of row `row` among the `length` scores of one head, of
/// which it looks at those in its window; writes mask[0, length). `gain` is
/// the logit gain.
RowDecision decideRow(const Policy &policy, const float *scores,
                      const Window &window, int64_t row, int64_t length,
                      float unit, float gain, uint8_t *mask);

/// What rows demand of the other tokens. The pointers are one head's rows,
/// except for `count`, which all heads share.
struct Demand {
  uint8_t *kRows = nullptr; ///< [L] K[j] is read by a row that is computed
  uint8_t *vRows = nullptr; ///< [L]
  int64_t *count = nullptr; ///< [L] (head, row) pairs that keep j
};

/// Adds one row with its mask over `n` columns. Start from zeros.
void accumulateRow(const Demand &demand, const uint8_t *mask, int64_t n,
                   bool dominated, int64_t argmax);

/// low[j] of all tokens: count[j] * 256 * (sum of m) <= importance256 * m_j *
/// (sum of counts), where m_j rows may attend to j; importance 0 = none.
void lowPrecisionTokens(const int64_t *count, const Window &window,
                        int64_t length, int32_t importance256, uint8_t *low);

/// The selection of a whole layer.
struct Selection {
  int64_t length = 0;
  int64_t heads = 0;
  int64_t keyHeads = 0;
  std::vector<uint8_t> mask;      ///< [heads, length, length]
  std::vector<uint8_t> dominated; ///< [heads, length]
  std::vector<int32_t> argmax;    ///< [heads, length], 0 where not dominated
  std::vector<int32_t> kept;      ///< [heads, length] columns in the mask
  std::vector<uint8_t> kRows;     ///< [keyHeads, length]
  std::vector<uint8_t> vRows;     ///< [keyHeads, length]
  std::vector<uint8_t> qRows;     ///< [heads, length]
  std::vector<int64_t> count;     ///< [length]
  std::vector<uint8_t> low;       ///< [length]
};

/// Selects for all rows and heads. `prediction` may be null where the policy
/// predicts nothing.
Selection select(const Policy &policy, const Prediction *prediction,
                 int64_t length, const AttentionForm &form);

} // namespace fact::numerics

#endif // FACT_NUMERICS_SELECTION_H
