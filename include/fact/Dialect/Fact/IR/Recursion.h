//===- Recursion.h - Calls, and functions that call themselves ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_RECURSION_H
#define FACT_DIALECT_FACT_IR_RECURSION_H

#include "mlir/Support/LLVM.h"

namespace mlir::func {
class CallOp;
class FuncOp;
} // namespace mlir::func

namespace mlir::fact {

/// The function that a call is of; null where there is none of that name.
func::FuncOp calleeOf(func::CallOp call);

/// Fails, with an error and a note at the call, where a function, or one that
/// it calls, calls itself, by however many others.
LogicalResult verifyNotRecursive(func::FuncOp function);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_RECURSION_H
