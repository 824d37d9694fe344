//===- Recursion.h - Functions that call themselves -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_RECURSION_H
#define FACT_DIALECT_FACT_IR_RECURSION_H

namespace mlir::func {
class CallOp;
class FuncOp;
} // namespace mlir::func

namespace mlir::fact {

/// The call by which a function, or one that it calls, calls itself, by however
/// many others; null where there is none.
func::CallOp recursiveCall(func::FuncOp function);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_RECURSION_H
