//===- InlineCalls.h - Calls that are no chain of layers ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_INLINECALLS_H
#define FACT_DIALECT_FACT_TRANSFORMS_INLINECALLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::fact {

/// The operand of a call of a layer that is its stream of rows, all others
/// being constants that the layer takes for weights; empty for a call that is
/// none.
std::optional<unsigned> layerStream(func::CallOp call);

/// Whether nobody reads what an op makes and it has no other effect; a call has
/// none.
bool isDead(Operation *op);

/// Erases the ops of a block that are dead, and those that are so then.
void eraseDead(Block &block);

/// A call becomes the body of its function, which has one block.
void inlineCall(func::CallOp call);

/// Inlines every call in a function, and in what it calls, that is no call of a
/// layer, and erases what nobody reads. Fails, with an error, where a callee
/// has no body or several blocks, or where the function calls itself.
LogicalResult inlineCalls(func::FuncOp function);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_TRANSFORMS_INLINECALLS_H
