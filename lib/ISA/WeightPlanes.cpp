//===- WeightPlanes.cpp - Weights in DRAM as two planes of nibbles --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/WeightPlanes.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Prediction.h"

#include <algorithm>
#include <cassert>

namespace fact::isa {

WeightPlanes::Part WeightPlanes::part(int64_t row, int64_t column) const {
  int64_t tile = column / tileColumns, first = tile * tileColumns;
  assert((column - first) % 2 == 0 && "a byte has two columns");
  int64_t stride = rowBytes(std::min(tileColumns, columns - first));
  int64_t high = tile * tileBytes() + row * stride + (column - first) / 2;
  return {high, high + rows * stride, stride};
}

bool WeightPlanes::pack(const int8_t *weights, uint8_t *to) const {
  bool fits = true;
  for (int64_t first = 0; first < columns; first += tileColumns)
    for (int64_t row = 0; row < rows; ++row) {
      Part at = part(row, first);
      const int8_t *from = weights + row * columns + first;
      int64_t count = std::min(tileColumns, columns - first);
      fits &=
          areCodes()
              ? numerics::packCodes(numerics::PredictorCode::LeadingOne, from,
                                    count, to + at.high)
              : numerics::packPlanes(from, count, to + at.high, to + at.low);
    }
  return fits;
}

} // namespace fact::isa
