//===- RunSignature.h - What a model takes and returns --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_RUNSIGNATURE_H
#define FACT_LIB_COMPILER_RUNSIGNATURE_H

#include "RunArrays.h"

#include "fact/Support/Batch.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"

#include <optional>

namespace mlir::fact {

/// An argument of main.
struct ModelInput {
  ::fact::TensorSpec spec;
  std::optional<int64_t> padding; ///< What padding has in a padding mask.
  bool isPositions = false;       ///< They must count the tokens.
  ::fact::BatchAxis batch;
  bool isFixed = false;
};

/// A result of main.
struct ModelOutput {
  ::fact::TensorSpec spec;
  SmallVector<AffineExpr> extents; ///< resultExtents()
  ::fact::BatchAxis batch;
};

/// What main takes. Returns what is wrong with an argument, or nothing.
std::string readInputsOf(func::FuncOp main, std::vector<ModelInput> &inputs);

/// What main returns, and, named by `fact.dump`, what is dumped beside it.
/// Returns what is wrong with a result, or nothing.
std::string readOutputsOf(func::FuncOp main, std::vector<ModelOutput> &own,
                          std::vector<ModelOutput> &dumps);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_RUNSIGNATURE_H
