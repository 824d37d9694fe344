//===- InterpretedTensor.h - A tensor that knows what it holds ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_EXECUTION_INTERPRETEDTENSOR_H
#define FACT_LIB_EXECUTION_INTERPRETEDTENSOR_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstring>
#include <memory>
#include <vector>

namespace mlir::fact {

/// Dense, row-major, in memory; i1 takes a byte, index is 64 bits. A number
/// that is no tensor has rank 0.
struct InterpretedTensor {
  Type element;
  std::vector<int64_t> shape;
  std::vector<char> data;
  /// Per element 1 where it holds no value; empty where all do.
  std::vector<uint8_t> undefined;

  InterpretedTensor() = default;
  /// Zeros.
  InterpretedTensor(Type element, std::vector<int64_t> extents)
      : element(element), shape(std::move(extents)),
        data(size() * elementBytes(element)) {}

  static int64_t elementBytes(Type type) {
    return type.isIndex() ? 8 : (type.getIntOrFloatBitWidth() + 7) / 8;
  }
  int64_t size() const {
    int64_t product = 1;
    for (int64_t extent : shape)
      product *= extent;
    return product;
  }
  int64_t dim(unsigned i) const { return shape[i]; }
  template <typename T> T *as() { return reinterpret_cast<T *>(data.data()); }
  template <typename T> const T *as() const {
    return reinterpret_cast<const T *>(data.data());
  }

  /// Whether all of `n` elements hold a value.
  bool isDefined(int64_t first, int64_t n) const {
    return undefined.empty() ||
           std::memchr(undefined.data() + first, 1, n) == nullptr;
  }
  bool isDefined() const { return isDefined(0, size()); }
  /// Forgets `n` elements: garbage, NaN in float32.
  void forget(int64_t first, int64_t n) {
    undefined.resize(size());
    std::memset(undefined.data() + first, 1, n);
    int64_t bytes = elementBytes(element);
    std::memset(data.data() + first * bytes, 0xFF, n * bytes);
  }
  void forget() { forget(0, size()); }
};

using InterpretedRef = std::shared_ptr<const InterpretedTensor>;

/// Computes the results of an op of the dialect `fact` from its operands'
/// tensors, which `at` gives. Emits an error for an op that is none of sparse
/// IR.
LogicalResult
interpretFactOp(Operation *op,
                llvm::function_ref<const InterpretedTensor &(Value)> at,
                SmallVectorImpl<InterpretedTensor> &results);

} // namespace mlir::fact

#endif // FACT_LIB_EXECUTION_INTERPRETEDTENSOR_H
