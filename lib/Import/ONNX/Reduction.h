//===- Reduction.h - Which dimensions a node reduces ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_REDUCTION_H
#define FACT_LIB_IMPORT_ONNX_REDUCTION_H

#include "NodeImport.h"

namespace mlir::fact {

/// Which dimensions a node reduces and whether they stay, with extent 1.
struct Reduction {
  SmallVector<bool> reduced;
  bool keepDims = true;
  /// Shape without the reduced dimensions, and as the result has it.
  Shape kept, result;
  Product count;
};

FailureOr<Reduction> makeReduction(NodeImport &node, const Shape &shape,
                                   llvm::ArrayRef<int64_t> axes, bool keepDims);

/// The mean over the reduction's dimensions, in the result's shape.
FailureOr<Value> emitMean(NodeImport &node, Value value, const Shape &shape,
                          const Reduction &reduction);

/// What is added to the divisor of a normalization, before and after the root.
struct Epsilon {
  float inside = 0, outside = 0;
};

/// What a standardization divides by, before what is added to it, and takes
/// off.
struct Moments {
  Value mean, deviation;
};

/// (x - mean) / (sqrt(variance + inside) + outside), over a reduction that
/// keeps its dimensions, in the operations that models without such an operator
/// consist of.
FailureOr<Value> standardize(NodeImport &node, Value value, const Shape &shape,
                             const Reduction &reduction, Epsilon epsilon,
                             Moments *moments = nullptr);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_REDUCTION_H
