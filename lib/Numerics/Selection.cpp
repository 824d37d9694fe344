//===- Selection.cpp - Top-k, dominance, demand, importance ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Selection.h"

#include "Vectorize.h"
#include "fact/Numerics/FloatRules.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace fact::numerics {

/// An integer that orders as the float does, with both zeros equal. Integers
/// keep the sort well-defined even where an overflow left a NaN.
static inline int32_t orderedKey(float score) {
  int32_t bits = bitsOf(score + 0.0f);
  return bits ^ ((bits >> 31) & std::numeric_limits<int32_t>::max());
}

FACT_VECTORIZE static void orderedKeys(const float *FACT_RESTRICT scores,
                                       int64_t n, int32_t *FACT_RESTRICT keys) {
  for (int64_t j = 0; j < n; ++j)
    keys[j] = orderedKey(scores[j]);
}

namespace {
/// A row is kept where its key is above `key`, and at the first `ties` columns
/// that equal it.
struct Threshold {
  int32_t key;
  int64_t ties;
};
} // namespace

/// The k-th largest of the keys, which are reordered.
static Threshold thresholdOf(int32_t *keys, int64_t n, int64_t k) {
  std::nth_element(keys, keys + (k - 1), keys + n, std::greater<int32_t>());
  int32_t key = keys[k - 1];
  // The first k are the largest; those above the k-th leave the rest to ties.
  int64_t above = std::count_if(keys, keys + k,
                                [key](int32_t other) { return other > key; });
  return {key, k - above};
}

static Threshold thresholdOf(const float *scores, int64_t n, int64_t k) {
  std::vector<int32_t> keys(n);
  orderedKeys(scores, n, keys.data());
  // A short row is partitioned as it is. A long one first by sign, exponent
  // and three bits of mantissa, which leaves few keys to partition.
  constexpr int64_t longRow = 128;
  constexpr int shift = 20, buckets = 1 << (32 - shift);
  if (n < longRow)
    return thresholdOf(keys.data(), n, k);
  auto bucketOf = [](int32_t key) { return (key >> shift) + buckets / 2; };
  std::vector<int32_t> histogram(buckets, 0);
  int32_t largest = std::numeric_limits<int32_t>::min();
  for (int32_t key : keys) {
    ++histogram[bucketOf(key)];
    largest = std::max(largest, key);
  }
  int64_t above = 0;
  int32_t bucket = bucketOf(largest);
  while (above + histogram[bucket] < k)
    above += histogram[bucket--];
  auto end = std::remove_if(keys.begin(), keys.end(), [&](int32_t key) {
    return bucketOf(key) != bucket;
  });
  return thresholdOf(keys.data(), end - keys.begin(), k - above);
}

void selectRow(const float *scores, int64_t n, int64_t k, uint8_t *mask) {
  if (k >= n) {
    std::fill(mask, mask + n, uint8_t(1));
    return;
  }
  Threshold threshold = thresholdOf(scores, n, k);
  for (int64_t j = 0; j < n; ++j) {
    int32_t key = orderedKey(scores[j]);
    bool tie = key == threshold.key && threshold.ties > 0;
    threshold.ties -= tie;
    mask[j] = key > threshold.key || tie;
  }
}

int64_t selectRowIndices(const float *scores, int64_t n, int64_t k,
                         int32_t *indices) {
  if (k >= n) {
    for (int64_t j = 0; j < n; ++j)
      indices[j] = static_cast<int32_t>(j);
    return n;
  }
  Threshold threshold = thresholdOf(scores, n, k);
  int64_t count = 0;
  for (int64_t j = 0; j < n && count < k; ++j) {
    int32_t key = orderedKey(scores[j]);
    bool tie = key == threshold.key && threshold.ties > 0;
    threshold.ties -= tie;
    if (key > threshold.key || tie)
      indices[count++] = static_cast<int32_t>(j);
  }
  return count;
}

TopTwo topTwo(const float *scores, int64_t n) {
  TopTwo top;
  top.first = n > 0 ? scores[0] : -std::numeric_limits<float>::infinity();
  top.second = -std::numeric_limits<float>::infinity();
  for (int64_t j = 1; j < n; ++j) {
    if (scores[j] > top.first) {
      top.second = top.first;
      top.first = scores[j];
      top.argmax = j;
    } else if (scores[j] > top.second) {
      top.second = scores[j];
    }
  }
  return top;
}

bool isDominated(const TopTwo &top, int64_t n, float unit, float gain,
                 float threshold) {
  return threshold > 0 && n >= 2 &&
         dominanceGap(top.first, top.second, unit, gain) > threshold;
}

RowDecision decideRow(const Policy &policy, const float *scores,
                      const Window &window, int64_t row, int64_t length,
                      float unit, float gain, uint8_t *mask) {
  int64_t first = window.first(row), n = window.keysOf(row, length);
  RowDecision decision;
  decision.kept = std::min(keptKeys(policy.keep, n), n);
  std::fill(mask, mask + first, uint8_t(0));
  std::fill(mask + first + n, mask + length, uint8_t(0));
  selectRow(scores + first, n, decision.kept, mask + first);
  if (policy.dominance > 0) {
    TopTwo top = topTwo(scores + first, n);
    decision.argmax = first + top.argmax;
    decision.dominated = isDominated(top, n, unit, gain, policy.dominance);
  }
  return decision;
}

FACT_VECTORIZE void accumulateRow(const Demand &demand,
                                  const uint8_t *FACT_RESTRICT mask, int64_t n,
                                  bool dominated, int64_t argmax) {
  int64_t *FACT_RESTRICT count = demand.count;
  for (int64_t j = 0; j < n; ++j)
    count[j] += mask[j];
  if (dominated) {
    demand.vRows[argmax] = 1;
    return;
  }
  uint8_t *FACT_RESTRICT kRows = demand.kRows;
  uint8_t *FACT_RESTRICT vRows = demand.vRows;
  for (int64_t j = 0; j < n; ++j) {
    kRows[j] |= mask[j];
    vRows[j] |= mask[j];
  }
}

void lowPrecisionTokens(const int64_t *count, const Window &window,
                        int64_t length, int32_t importance256, uint8_t *low) {
  int64_t counts = 0, pairs = 0;
  for (int64_t j = 0; j < length; ++j) {
    counts += count[j];
    pairs += window.rowsOf(j, length);
  }
  int64_t factor = std::max<int64_t>(importance256, 0) * counts;
  for (int64_t j = 0; j < length; ++j)
    low[j] = importance256 != 0 &&
             count[j] * 256 * pairs <= factor * window.rowsOf(j, length);
}

Selection select(const Policy &policy, const Prediction *prediction,
                 int64_t length, const AttentionForm &form) {
  int64_t heads = form.heads;
  Selection result;
  result.length = length;
  result.heads = heads;
  result.keyHeads = form.keyHeads;
  result.mask.assign(heads * length * length, 0);
  result.dominated.assign(heads * length, 0);
  result.argmax.assign(heads * length, 0);
  result.kept.assign(heads * length, 0);
  result.kRows.assign(form.keyHeads * length, 0);
  result.vRows.assign(form.keyHeads * length, 0);
  result.qRows.assign(heads * length, 0);
  result.count.assign(length, 0);
  result.low.assign(length, 0);
  float gain = logitGain(policy.predictor, form.headNorms);
  for (int64_t head = 0; head < heads; ++head) {
    int64_t keys = form.keyHeadOf(head) * length;
    Demand demand = {result.kRows.data() + keys, result.vRows.data() + keys,
                     result.count.data()};
    for (int64_t i = 0; i < length; ++i) {
      int64_t row = head * length + i;
      uint8_t *mask = result.mask.data() + row * length;
      RowDecision decision;
      if (policy.predicts()) {
        decision = decideRow(policy, prediction->scores.data() + row * length,
                             form.window, i, length, prediction->unit[row],
                             gain, mask);
      } else {
        decision.kept = form.window.keysOf(i, length);
        std::fill_n(mask + form.window.first(i), decision.kept, uint8_t(1));
      }
      result.dominated[row] = decision.dominated;
      result.qRows[row] = !decision.dominated;
      result.argmax[row] =
          decision.dominated ? static_cast<int32_t>(decision.argmax) : 0;
      result.kept[row] = static_cast<int32_t>(decision.kept);
      accumulateRow(demand, mask, length, decision.dominated, decision.argmax);
    }
  }
  lowPrecisionTokens(result.count.data(), form.window, length,
                     policy.importance, result.low.data());
  return result;
}

} // namespace fact::numerics
