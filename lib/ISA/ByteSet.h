//===- ByteSet.h - A set of bytes of a memory -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_BYTESET_H
#define FACT_LIB_ISA_BYTESET_H

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace fact::isa {

/// Some of the bytes 0 .. size - 1: one bit each, in pages that exist only
/// where something was inserted. All ranges are [begin, end) inside of the
/// memory; a range costs a step for 64 bytes.
class ByteSet {
public:
  explicit ByteSet(uint64_t size) : pages((size + pageBytes - 1) / pageBytes) {}

  void insert(uint64_t begin, uint64_t end) {
    forEachWord(begin, end, [&](uint64_t word, uint64_t mask) {
      std::unique_ptr<uint64_t[]> &page = pages[word / pageWords];
      if (!page)
        page = std::make_unique<uint64_t[]>(pageWords);
      page[word % pageWords] |= mask;
      return true;
    });
  }
  void erase(uint64_t begin, uint64_t end) {
    forEachWord(begin, end, [&](uint64_t word, uint64_t mask) {
      if (std::unique_ptr<uint64_t[]> &page = pages[word / pageWords])
        page[word % pageWords] &= ~mask;
      return true;
    });
  }
  /// The first byte of a range that is in the set (`inside`) or is not; `end`
  /// where there is none.
  uint64_t find(bool inside, uint64_t begin, uint64_t end) const {
    uint64_t found = end;
    forEachWord(begin, end, [&](uint64_t word, uint64_t mask) {
      const std::unique_ptr<uint64_t[]> &page = pages[word / pageWords];
      uint64_t bits = page ? page[word % pageWords] : 0;
      bits = (inside ? bits : ~bits) & mask;
      if (bits != 0)
        found = word * 64 + static_cast<uint64_t>(__builtin_ctzll(bits));
      return bits == 0;
    });
    return found;
  }

private:
  static constexpr uint64_t pageWords = 4096, pageBytes = 64 * pageWords;

  /// Calls body(word, its bits in the range) until that returns false.
  template <typename Body>
  static void forEachWord(uint64_t begin, uint64_t end, Body &&body) {
    while (begin < end) {
      uint64_t word = begin / 64, first = begin % 64;
      uint64_t count = std::min(64 - first, end - begin);
      uint64_t mask = (count == 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1)
                      << first;
      if (!body(word, mask))
        return;
      begin += count;
    }
  }

  std::vector<std::unique_ptr<uint64_t[]>> pages;
};

} // namespace fact::isa

#endif // FACT_LIB_ISA_BYTESET_H
