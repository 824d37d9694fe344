//===- ConstantData.h - Float constants, element by element ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_CONSTANTDATA_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_CONSTANTDATA_H

#include "mlir/IR/BuiltinAttributes.h"

#include <optional>

namespace mlir::fact {

/// Read access to a constant in memory order, dense or a dense resource:
/// float32, or integers and truth values as float32.
class ConstantData {
public:
  /// Null for other element types and for a resource without its data.
  static std::optional<ConstantData> get(Attribute attr);

  float operator[](int64_t index) const {
    if (splat)
      return *splat;
    return integers ? numberAt(index) : elements[index];
  }
  /// The one value that all elements have, where there is one.
  std::optional<float> splatValue() const;
  int64_t size() const { return type.getNumElements(); }

private:
  float numberAt(int64_t index) const;

  ShapedType type;
  DenseIntElementsAttr integers; ///< Null for floats.
  std::optional<float> splat;
  ArrayRef<float> elements;
};

/// A float32 constant of `shape` whose elements are those of `attr` at
/// `offsets`; the attribute itself where it already is that. `shape` has as
/// many elements as there are offsets.
ElementsAttr gathered(ElementsAttr attr, ArrayRef<int64_t> shape,
                      ArrayRef<int64_t> offsets);

/// A float32 constant with its own elements, called as `like` is.
ElementsAttr constantOf(ElementsAttr like, ArrayRef<int64_t> shape,
                        ArrayRef<float> elements);

/// The first element that no weight may be (not finite, or beyond 2^50, see
/// docs/numerics.md section 2); null where all are fine.
std::optional<int64_t> firstBadWeight(ElementsAttr attr);

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_CONSTANTDATA_H
