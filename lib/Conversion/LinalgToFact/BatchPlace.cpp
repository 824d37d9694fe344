//===- BatchPlace.cpp - Where the batch is in a tensor --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BatchPlace.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::fact;

Count mlir::fact::countOf(int64_t extent) {
  return ShapedType::isDynamic(extent) ? Count(1, /*isOpen=*/true)
                                       : Count(extent);
}

Count mlir::fact::operator*(Count a, Count b) {
  return {a.factor * b.factor, a.isOpen || b.isOpen};
}

Count mlir::fact::countOf(ArrayRef<int64_t> extents) {
  Count result;
  for (int64_t extent : extents)
    result = result * countOf(extent);
  return result;
}

std::optional<Place> Place::expanded(ArrayRef<int64_t> extents,
                                     ArrayRef<int64_t> group,
                                     int64_t batch) const {
  // From the side whose extents are all known.
  bool fromLeft = !outer.isOpen;
  int64_t rest = (fromLeft ? outer : inner).factor;
  Count other = fromLeft ? inner : outer;
  if ((outer.isOpen && inner.isOpen) || rest == 0)
    return std::nullopt;
  for (size_t n = 0; n < group.size(); ++n) {
    auto at = [&](size_t i) {
      return group[fromLeft ? i : group.size() - 1 - i];
    };
    int64_t extent = extents[at(n)];
    if (ShapedType::isDynamic(extent)) {
      // What follows takes a part of what is on the other side, which must be a
      // multiple of that part.
      Count behind;
      for (size_t later = n + 1; later < group.size(); ++later)
        behind = behind * countOf(extents[at(later)]);
      if (behind.isOpen || behind.factor == 0 ||
          other.factor % behind.factor != 0 ||
          (!other.isOpen && group.size() > 1))
        return std::nullopt;
      other = Count(other.factor / behind.factor, /*isOpen=*/true);
    } else if (extent == 0) {
      return std::nullopt;
    } else if (extent % (rest * batch) == 0) {
      other = extent / (rest * batch);
    } else if (rest % extent == 0) {
      rest /= extent;
      continue;
    } else {
      return std::nullopt; // the batch is cut
    }
    return fromLeft ? Place{at(n), rest, other} : Place{at(n), other, rest};
  }
  return std::nullopt;
}

Place Place::collapsed(ArrayRef<int64_t> extents, ArrayRef<int64_t> group,
                       int64_t newDim) const {
  Place place{newDim, outer, inner};
  for (int64_t i : group)
    if (i < dim)
      place.outer = place.outer * countOf(extents[i]);
    else if (i > dim)
      place.inner = place.inner * countOf(extents[i]);
  return place;
}
