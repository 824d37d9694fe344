//===- Sequence.h - How long a model's sequence may be --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_SEQUENCE_H
#define FACT_DIALECT_FACT_IR_SEQUENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::fact {

/// Which dimension of rows is the sequence: of [L], [L, d], [.., L, d] or
/// [L, 1, d].
unsigned sequenceDim(ShapedType type);

/// Most tokens of the sequence that an argument of a function is: what its
/// attribute `fact.bound` says, else its sequenceDim(). 0 where that
/// is open, or where there is no such dimension.
int64_t sequenceBound(func::FuncOp function, BlockArgument argument);

/// An error at a function with an argument of more tokens than INT32 sums hold
/// (Numerics' `longestSequence`), with a note at the argument.
LogicalResult verifySequenceLength(func::FuncOp function);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_SEQUENCE_H
