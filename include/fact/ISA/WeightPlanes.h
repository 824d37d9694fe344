//===- WeightPlanes.h - Weights in DRAM as planes of nibbles --------------===//
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

/// Where the parts of weights [rows, columns] lie, from the first byte on.
class WeightPlanes {
public:
  enum class Kind : uint8_t {
    HighAndLow, ///< INT8 weights: two planes.
    Codes,      ///< Codes of a leading one: one plane.
  };

  WeightPlanes(int64_t rows, int64_t columns, int64_t tileColumns,
               Kind kind = Kind::HighAndLow)
      : rows(rows), columns(columns), tileColumns(tileColumns), kind(kind) {}

  bool areCodes() const { return kind == Kind::Codes; }
  /// Columns of a tile, the last one's fewer.
  int64_t getTileColumns() const { return tileColumns; }
  int64_t tileBytes() const { return planes() * rows * rowBytes(tileColumns); }
  int64_t bytes() const {
    int64_t last = columns % tileColumns;
    return columns / tileColumns * tileBytes() +
           planes() * rows * rowBytes(last);
  }

  /// Row `row` of both planes, from `column` on, which is an even one of its
  /// tile; the next row is `stride` bytes after it. The plane of codes is
  /// `high`.
  struct Part {
    int64_t high, low, stride;
  };
  Part part(int64_t row, int64_t column) const;

  /// Fills bytes() bytes; false where a weight is not in -119..119, or no code
  /// of a leading one.
  bool pack(const int8_t *weights, uint8_t *to) const;

  /// Bytes of so many columns of one plane.
  static int64_t rowBytes(int64_t columns) { return (columns + 1) / 2; }

private:
  int64_t planes() const { return areCodes() ? 1 : 2; }

  int64_t rows, columns, tileColumns;
  Kind kind;
};

} // namespace fact::isa

#endif // FACT_ISA_WEIGHTPLANES_H
