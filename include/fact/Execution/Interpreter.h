//===- Interpreter.h - Sparse fact IR, op by op ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The third opinion: no lowering, no schedule, no memory plan. Each op is a
// call of the plain functions of the library Numerics on whole tensors.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_EXECUTION_INTERPRETER_H
#define FACT_EXECUTION_INTERPRETER_H

#include "fact/Support/Npy.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::fact {

/// Runs `main`, whose module is sparse `fact` IR (what --fact-fuse leaves:
/// calls, casts and reshapes of tensors and constants beside it), on one array
/// per argument, whose extents are those of this run: an open dimension has the
/// array's extent. `results` receives an array per result.
///
/// Every element knows whether it holds a value. Rows that no mask names do
/// not, and neither does what is computed from them or overflows; whoever reads
/// them gets NaN or garbage. Emits an error and fails on an input element that
/// is not finite or above 2^50, on a result that holds no value somewhere (the
/// program reads what it may not, or computes what the contract leaves open),
/// on extents that do not fit a type, and on ops that it does not know.
LogicalResult interpret(func::FuncOp main, ArrayRef<::fact::NpyArray> inputs,
                        std::vector<::fact::NpyArray> &results);

} // namespace mlir::fact

#endif // FACT_EXECUTION_INTERPRETER_H
