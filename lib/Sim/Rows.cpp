//===- Rows.cpp - Which rows and columns an instruction works on ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Support/Error.h"

#include <algorithm>
#include <numeric>

namespace fact::sim {

std::vector<int32_t> listedRows(Frame &frame, const Extent &rows,
                                const char *operand) {
  std::vector<int32_t> result;
  auto list = frame.in<uint32_t>(operand);
  if (!list) {
    result.resize(rows.count);
    for (int64_t r = 0; r < rows.count; ++r)
      result[r] = static_cast<int32_t>(r);
    return result;
  }
  int64_t count = *list.vector(1);
  if (count > rows.count)
    throw Error("row list '" + std::string(operand) + "' has more than " +
                std::to_string(rows.count) + " rows (was " +
                std::to_string(count) + ")");
  const uint32_t *indices = list.vector(1 + count) + 1;
  result.reserve(count);
  for (int64_t k = 0; k < count; ++k) {
    // Rising order is what sel.list writes; it also rules out a row that comes
    // twice, which would be accumulated twice.
    if (indices[k] >= rows.count || (k > 0 && indices[k] <= indices[k - 1]))
      throw Error("row list '" + std::string(operand) +
                  "' is not rising or leaves its " +
                  std::to_string(rows.count) + " rows (entry " +
                  std::to_string(k) + " was " + std::to_string(indices[k]) +
                  ")");
    result.push_back(static_cast<int32_t>(indices[k]));
  }
  return result;
}

void requireWindow(const numerics::Window &window, int64_t row, int64_t length,
                   const Extent &columns) {
  int64_t first = window.first(row), end = window.end(row, length);
  if (first < columns.first || end > columns.first + columns.count)
    throw Error("scores must be of all columns that row " +
                std::to_string(row) + " sees, " + std::to_string(first) +
                " to " + std::to_string(end) + " (were " +
                std::to_string(columns.first) + " to " +
                std::to_string(columns.first + columns.count) + ")");
}

/// Whether a mask row keeps a column.
static bool isSet(const uint8_t *bits, int64_t column) {
  return bits[column >> 3] >> (column & 7) & 1;
}

Columns::Columns(Frame &frame, const Extent &rows, const Extent &columns,
                 int64_t maskStride, const numerics::Window &window)
    : frame(frame), rows(rows), columns(columns), window(window),
      mask(frame.in<uint8_t>("mask", maskStride)) {
  if (auto flags = frame.in<uint8_t>("dominated"))
    dominated = flags.vector(rows.count);
}

bool Columns::isDominated(int64_t r) const {
  return dominated && dominated[r] != 0;
}

std::pair<int64_t, int64_t> Columns::allowed(int64_t r) const {
  int64_t row = rows.first + r, first = columns.first;
  int64_t begin = std::max<int64_t>(window.first(row) - first, 0),
          end =
              std::min(window.end(row, frame.length()) - first, columns.count);
  return {begin, std::max(begin, end)};
}

const std::vector<int32_t> &Columns::of(int64_t r) {
  auto [begin, end] = allowed(r);
  if (!mask) {
    if (cached != std::pair(begin, end)) {
      indices.resize(end - begin);
      std::iota(indices.begin(), indices.end(), static_cast<int32_t>(begin));
      cached = {begin, end};
    }
    return indices;
  }
  indices.clear();
  if (begin == end)
    return indices;
  const uint8_t *bits = mask.row(r, (frame.length() + 7) / 8);
  for (int64_t j = begin; j < end; ++j)
    if (isSet(bits, columns.first + j))
      indices.push_back(static_cast<int32_t>(j));
  return indices;
}

int64_t Columns::place(int64_t r) const {
  if (!mask)
    return allowed(r).first;
  int64_t row = rows.first + r;
  int64_t begin = window.first(row),
          end = std::min(columns.first, window.end(row, frame.length()));
  if (begin >= end)
    return 0;
  const uint8_t *bits = mask.row(r, (end + 7) / 8);
  int64_t count = 0;
  for (int64_t j = begin; j < end; ++j)
    count += isSet(bits, j);
  return count;
}

void checkCompact(const char *operand, const isa::SramRef &mask, int64_t count,
                  int64_t room) {
  if (mask.present && count > room)
    throw Error("a row of '" + std::string(operand) + "' has room for " +
                std::to_string(room) + " kept columns (was " +
                std::to_string(count) + ")");
}

} // namespace fact::sim
