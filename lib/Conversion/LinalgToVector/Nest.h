//===- Nest.h - A linalg operation as loops over flat memory ----*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In this form a convolution, a matrix product, a pool and a transposition only
// differ in how far each operand moves with each loop.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOVECTOR_NEST_H
#define FACT_LIB_CONVERSION_LINALGTOVECTOR_NEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::fact {

struct Loop {
  Value extent;
  /// Of each operand, in elements.
  SmallVector<Value> strides;

  std::optional<int64_t> staticExtent() const;
  std::optional<int64_t> staticStride(size_t operand) const;
  /// Whether the operand stays where it is.
  bool isFixed(size_t operand) const { return staticStride(operand) == 0; }
};

struct Nest {
  /// In the operation's order, without loops of one iteration; two loops that
  /// are one over all operands' memory are one here.
  SmallVector<Loop> parallel, reductions;
  /// Of each operand: its buffer as a one-dimensional memref, or the scalar.
  SmallVector<Value> memory;
  /// Of each operand: where the first iteration is, in elements.
  SmallVector<Value> offsets;
};

/// Whether `op` has such a form: on buffers with strides, with linear indices,
/// results that are written once, and a body that vectors can have.
bool hasNest(linalg::LinalgOp op);

/// Adds what the nest of `op` is computed from.
Nest makeNest(ImplicitLocOpBuilder &b, linalg::LinalgOp op);

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOVECTOR_NEST_H
