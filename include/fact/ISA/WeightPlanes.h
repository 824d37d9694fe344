//===- WeightPlanes.h - Weights in DRAM as two planes of nibbles ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows at low precision multiply the high plane of a weight alone
// (docs/numerics.md, section 1). So that DRAM need not bring the other one, the
// planes lie apart: a weight is stored tile after tile of some columns, and of
// a tile first all high nibbles, row after row, then all low ones.
// `load.weight` puts them together.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_WEIGHTPLANES_H
#define FACT_ISA_WEIGHTPLANES_H

#include <cstdint>

namespace fact::isa {

/// Where the parts of INT8 weights [rows, columns] lie, from the first byte on.
class WeightPlanes {
public:
  WeightPlanes(int64_t rows, int64_t columns, int64_t tileColumns)
      : rows(rows), columns(columns), tileColumns(tileColumns) {}

  /// Columns of a tile, the last one's fewer.
  int64_t getTileColumns() const { return tileColumns; }
  int64_t tileBytes() const { return 2 * rows * packed(tileColumns); }
  int64_t bytes() const {
    int64_t last = columns % tileColumns;
    return columns / tileColumns * tileBytes() + 2 * rows * packed(last);
  }

  /// Row `row` of both planes, from `column` on, which is an even one of its
  /// tile; the next row is `stride` bytes after it.
  struct Part {
    int64_t high, low, stride;
  };
  Part part(int64_t row, int64_t column) const;

  /// Fills bytes() bytes; false where a weight is not in -119..119.
  bool pack(const int8_t *weights, uint8_t *to) const;

private:
  /// Bytes of a row of one plane.
  static int64_t packed(int64_t columns) { return (columns + 1) / 2; }

  int64_t rows, columns, tileColumns;
};

} // namespace fact::isa

#endif // FACT_ISA_WEIGHTPLANES_H
