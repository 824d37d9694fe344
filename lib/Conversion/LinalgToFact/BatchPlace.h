//===- BatchPlace.h - Where the batch is in a tensor ------------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor has the batch in one extent, which is `outer * batch * inner` where
// other extents were merged with it (heads of all sequences in a row, say).
// Reshapes move it, and what is merged with it.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_BATCHPLACE_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_BATCHPLACE_H

#include "mlir/IR/BuiltinTypes.h"

#include <optional>

namespace mlir::fact {

/// A number of elements: `factor`, or an unknown multiple of it.
struct Count {
  int64_t factor = 1;
  bool isOpen = false;

  Count() = default;
  Count(int64_t factor, bool isOpen = false) : factor(factor), isOpen(isOpen) {}

  bool isOne() const { return factor == 1 && !isOpen; }
  /// As an extent of a type.
  int64_t extent() const { return isOpen ? ShapedType::kDynamic : factor; }
  /// The same number, or two unknown ones. (Those of operands that are read
  /// along one loop are the same, whatever is known of each.)
  bool operator==(const Count &other) const {
    return isOpen == other.isOpen && (isOpen || factor == other.factor);
  }
};

/// An extent of a type.
Count countOf(int64_t extent);
Count operator*(Count a, Count b);
/// All elements of these extents.
Count countOf(ArrayRef<int64_t> extents);

/// Where the batch is in a value: extent `dim` is outer * batch * inner.
/// `outer` or `inner` may be open, not both.
struct Place {
  int64_t dim = 0;
  Count outer, inner;

  bool operator==(const Place &other) const {
    return dim == other.dim && outer == other.outer && inner == other.inner;
  }
  bool isAlone() const { return outer.isOne() && inner.isOne(); }
  /// The extent for a batch of 1.
  int64_t extent() const { return (outer * inner).extent(); }

  /// The place after the extent became a group of several; none where the batch
  /// may be cut.
  std::optional<Place> expanded(ArrayRef<int64_t> extents,
                                ArrayRef<int64_t> group, int64_t batch) const;
  /// The place after a group of extents became one, `dim`.
  Place collapsed(ArrayRef<int64_t> extents, ArrayRef<int64_t> group,
                  int64_t dim) const;
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_BATCHPLACE_H
