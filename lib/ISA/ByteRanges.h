//===- ByteRanges.h - What is known of the bytes of a memory --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_BYTERANGES_H
#define FACT_LIB_ISA_BYTERANGES_H

#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

namespace fact::isa {

/// What is known of every byte of one memory, by ranges; neighbours may be
/// alike.
template <typename T> class ByteRanges {
public:
  explicit ByteRanges(uint64_t size) { ranges[0] = {size, T()}; }

  /// Calls body(begin, end, what is known) for each range in [begin, end),
  /// which are cut out first.
  template <typename Body>
  void forEach(uint64_t begin, uint64_t end, Body &&body) {
    cut(begin);
    cut(end);
    for (auto it = ranges.lower_bound(begin);
         it != ranges.end() && it->first < end; ++it)
      body(it->first, it->second.first, it->second.second);
  }

private:
  void cut(uint64_t at) {
    auto it = std::prev(ranges.upper_bound(at));
    if (it->first == at || at >= it->second.first)
      return;
    auto rest = it->second;
    it->second.first = at;
    ranges.emplace(at, rest);
  }

  std::map<uint64_t, std::pair<uint64_t, T>> ranges;
};

} // namespace fact::isa

#endif // FACT_LIB_ISA_BYTERANGES_H
