//===- Values.h - Where a value comes from and who reads it ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cast, and a reshape that only adds or drops dimensions of one, leave the
// rows of a tensor where they are. Whoever asks what a value is made of, or
// who reads it, asks here, so that no such op ever hides an answer.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_VALUES_H
#define FACT_DIALECT_FACT_IR_VALUES_H

#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Value.h"
#include "mlir/Support/LLVM.h"

namespace mlir::fact {

/// Whether an op gives its operand's elements, in their order, another type.
bool isReshape(Operation *op);

/// The value behind all casts and reshapes.
Value sourceOf(Value value);

/// The rows behind norms, rotary embeddings, casts and reshapes; `dressing`
/// gets the norms and rotary embeddings, the first one that works on them
/// first.
Value undressed(Value rows, SmallVectorImpl<Operation *> &dressing);

/// The op behind all casts and reshapes, if it is an `Op`; null for null.
template <typename Op> Op definingOp(Value value) {
  return value ? sourceOf(value).getDefiningOp<Op>() : Op();
}

/// Every use of a value, with those behind casts and reshapes in place of the
/// casts and reshapes themselves.
SmallVector<OpOperand *> readersOf(Value value);

/// `value`, whose dimensions `dims` are tokens, with as many of them as `rows`
/// [L, d] says, open or fixed: itself, or a cast behind it. What one part of a
/// model decides may have another type than where it counts, if a cast lies
/// between.
Value castTokens(Value value, ArrayRef<unsigned> dims, Value rows);

/// Whether a value is worked out from a result of `op`.
bool dependsOn(Value value, Operation *op);

/// What a value may be, across calls: an argument of a private function is what
/// its callers pass, a result of a call is what the callee returns. The order
/// is that of the calls in the module; no value comes twice.
SmallVector<Value> sourcesAcrossCalls(Value value, const SymbolUserMap &users);

/// Whether a `fact` op takes this operand for a weight: a parameter of the
/// model, not rows of a sequence.
bool isWeightOperand(OpOperand &operand);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_VALUES_H
