//===- Weights.h - Constants of weights as plain arrays -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_WEIGHTS_H
#define FACT_DIALECT_FACT_IR_WEIGHTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>
#include <optional>
#include <vector>

namespace mlir::fact {

/// The elements of a constant tensor, `dense` or `dense_resource`, as an array
/// of `T` (float or int8_t) in row-major order. Borrows the attribute's data
/// where it can.
template <typename T> class ConstantElements {
public:
  /// Empty where `attribute` is no constant of `T`, or its resource has no data
  /// of the right size.
  static std::optional<ConstantElements> of(Attribute attribute) {
    auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
    if (!elements || !elements.getElementType().isIntOrFloat() ||
        !isElement(elements.getElementType()))
      return std::nullopt;
    ConstantElements result;
    size_t size = static_cast<size_t>(elements.getNumElements());
    if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
      ArrayRef<char> raw = dense.getRawData();
      if (dense.isSplat()) {
        result.copy.assign(size, *reinterpret_cast<const T *>(raw.data()));
        return result;
      }
      result.elements =
          ArrayRef<T>(reinterpret_cast<const T *>(raw.data()), size);
      return result;
    }
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
      AsmResourceBlob *blob = resource.getRawHandle().getBlob();
      if (!blob || blob->getData().size() != size * sizeof(T))
        return std::nullopt;
      const char *data = blob->getData().data();
      if (reinterpret_cast<uintptr_t>(data) % alignof(T) == 0) {
        result.elements = ArrayRef<T>(reinterpret_cast<const T *>(data), size);
      } else {
        result.copy.resize(size);
        std::memcpy(result.copy.data(), data, size * sizeof(T));
      }
      result.name = resource.getRawHandle().getKey();
      return result;
    }
    return std::nullopt;
  }

  const T *data() const { return copy.empty() ? elements.data() : copy.data(); }
  int64_t size() const { return copy.empty() ? elements.size() : copy.size(); }
  const T &operator[](int64_t index) const { return data()[index]; }
  /// Key of the resource that holds the data; empty for `dense`.
  StringRef key() const { return name; }

private:
  static bool isElement(Type type) {
    if constexpr (std::is_same_v<T, float>)
      return type.isF32();
    else
      return type.isInteger(8 * sizeof(T));
  }

  ArrayRef<T> elements;
  std::vector<T> copy; ///< of a splat, or of a resource that is not aligned
  StringRef name;
};

/// A constant tensor of `type` with `values` in row-major order: `dense`, or
/// `dense_resource` called `key` + `suffix` where it is large.
ElementsAttr constantOf(RankedTensorType type, ArrayRef<float> values,
                        StringRef key, StringRef suffix);
ElementsAttr constantOf(RankedTensorType type, ArrayRef<int8_t> values,
                        StringRef key, StringRef suffix);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_WEIGHTS_H
