//===- ElementRule.h - What is done with each element ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_ELEMENTRULE_H
#define FACT_LIB_IMPORT_ONNX_ELEMENTRULE_H

#include "NodeImport.h"

#include <functional>

namespace mlir::fact {

/// What an operator does with the elements of its inputs at one place: as MLIR,
/// and on what is known when the model is compiled. Each part may be missing.
struct ElementRule {
  using Build = std::function<Value(OpBuilder &, Location, ValueRange)>;
  using Floats = llvm::ArrayRef<float>;
  using Dims = llvm::ArrayRef<Dim>;

  Build onFloats = nullptr;
  Build onIntegers = nullptr; ///< And on truth values.
  /// The same on numbers, without the C library: see Fold.h.
  std::function<float(Floats)> fold = nullptr;
  /// On integers of the import, which may depend on the sequence's length: for
  /// each length from 1 to the bound, or nothing.
  std::function<std::optional<Dim>(Dims, int64_t bound)> foldDims = nullptr;
  bool isTest = false; ///< Whether the result is a truth value.
};

/// Sets result 0 to the rule of the inputs, broadcast to one shape. Inputs have
/// one element type; the first `tests` are truth values whatever that is.
LogicalResult applyRule(NodeImport &node, const ElementRule &rule,
                        size_t tests = 0);
/// The same of other tensors than the node's inputs.
LogicalResult applyRule(NodeImport &node, const ElementRule &rule,
                        llvm::ArrayRef<const ModelTensor *> inputs,
                        size_t tests = 0);

/// A constant of the type of \p like, inside of a body.
Value numberLike(OpBuilder &builder, Location loc, Value like, double value);

template <typename Op>
Value buildOp(OpBuilder &builder, Location loc, ValueRange elements) {
  return Op::create(builder, loc, elements.front().getType(), elements)
      ->getResult(0);
}

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_ELEMENTRULE_H
