//===- Window.h - Which keys a row may attend to --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_WINDOW_H
#define FACT_NUMERICS_WINDOW_H

#include <algorithm>
#include <cstdint>
#include <string>

namespace fact::numerics {

/// Row i may attend to keys i - left .. i + right of the sequence, so always to
/// itself (docs/numerics.md, section 10).
struct Window {
  static constexpr int64_t unlimited = -1;
  /// So that sums with positions, and the fields of instructions, hold any end.
  static constexpr int64_t largest = (int64_t(1) << 31) - 1;
  int64_t left = unlimited;  ///< 0 to largest, or unlimited
  int64_t right = unlimited; ///< 0 to largest, or unlimited

  static constexpr Window causal() { return {unlimited, 0}; }
  /// Whether every row sees every key, whatever the length.
  constexpr bool seesAll() const {
    return left == unlimited && right == unlimited;
  }

  /// The keys of row `row` among `length` are first(row) .. end(row, length)-1.
  constexpr int64_t first(int64_t row) const {
    return left == unlimited ? 0 : std::max<int64_t>(row - left, 0);
  }
  constexpr int64_t end(int64_t row, int64_t length) const {
    return right == unlimited || right >= length - row ? length
                                                       : row + right + 1;
  }
  /// Whether a row may attend to a key of the sequence.
  constexpr bool sees(int64_t row, int64_t key) const {
    return (left == unlimited || row - key <= left) &&
           (right == unlimited || key - row <= right);
  }
  /// n_i of section 5.
  constexpr int64_t keysOf(int64_t row, int64_t length) const {
    return end(row, length) - first(row);
  }
  /// The rows that may attend to a key, as a window around the key.
  constexpr Window rows() const { return {right, left}; }
  /// m_j of section 5.
  constexpr int64_t rowsOf(int64_t key, int64_t length) const {
    return rows().keysOf(key, length);
  }

  /// All pairs of a row and a key that it may attend to.
  constexpr int64_t pairs(int64_t length) const {
    int64_t sum = 0;
    for (int64_t row = 0; row < length; ++row)
      sum += keysOf(row, length);
    return sum;
  }
  /// "[8, 8]", "[*, 0]": `*` is unlimited.
  std::string text() const {
    auto end = [](int64_t n) {
      return n == unlimited ? std::string("*") : std::to_string(n);
    };
    return "[" + end(left) + ", " + end(right) + "]";
  }

  constexpr bool operator==(const Window &other) const {
    return left == other.left && right == other.right;
  }
  constexpr bool operator!=(const Window &other) const {
    return !(*this == other);
  }
};

} // namespace fact::numerics

#endif // FACT_NUMERICS_WINDOW_H
