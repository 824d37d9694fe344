//===- ByteRanges.h - What is known of the bytes of a memory --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_BYTERANGES_H
#define FACT_LIB_ISA_BYTERANGES_H

#include "CheckSupport.h"

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

namespace fact::isa {

/// What is known of every byte of one memory, by ranges; neighbours may be
/// alike.
template <typename T> class ByteRanges {
public:
  struct Range {
    uint64_t begin, end;
    T known;
  };

  explicit ByteRanges(uint64_t size) { ranges.emplace(0, Range{0, size, T()}); }

  /// The ranges that an operand touches, which are cut out first. A program
  /// touches the same ones again and again: they are looked up no second time
  /// as long as nothing is cut near them.
  const std::vector<Range *> &touchedBy(const Access &access) {
    Touched &touched = known[{access.address, access.rows.count,
                              access.rows.stride, access.rows.bytes}];
    auto begin = static_cast<uint64_t>(access.address);
    uint64_t end = begin + static_cast<uint64_t>(access.bytes);
    // Cuts of its own may be in ranges that were found before: once more.
    while (touched.cuts != cutsIn(begin, end)) {
      touched.cuts = cutsIn(begin, end);
      touched.ranges.clear();
      forEachRange(access, [&](uint64_t begin, uint64_t end) {
        cut(begin);
        cut(end);
        for (auto it = ranges.lower_bound(begin);
             it != ranges.end() && it->first < end; ++it)
          touched.ranges.push_back(&it->second);
        return true;
      });
    }
    return touched.ranges;
  }

private:
  static constexpr uint64_t pageBytes = 1 << 16;

  struct Touched {
    uint64_t cuts = ~uint64_t(0);
    std::vector<Range *> ranges;
  };

  uint64_t cutsIn(uint64_t begin, uint64_t end) const {
    uint64_t sum = 0;
    for (auto page = cuts.lower_bound(begin / pageBytes);
         page != cuts.end() && page->first <= end / pageBytes; ++page)
      sum += page->second;
    return sum;
  }

  void cut(uint64_t at) {
    Range &range = std::prev(ranges.upper_bound(at))->second;
    if (range.begin == at || at >= range.end)
      return;
    ranges.emplace(at, Range{at, range.end, range.known});
    range.end = at;
    ++cuts[at / pageBytes];
  }

  std::map<uint64_t, Range> ranges;  ///< By their beginnings.
  std::map<uint64_t, uint64_t> cuts; ///< How many, by page.
  std::map<std::array<int64_t, 4>, Touched> known;
};

} // namespace fact::isa

#endif // FACT_LIB_ISA_BYTERANGES_H
