//===- Lowerings.h - How each fact op becomes loops -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops of which each result needs all rows: one overload each, which emits a
// function in the op's place. Section numbers are those of docs/numerics.md.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_LOWERINGS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_LOWERINGS_H

#include "Emitter.h"

#include "fact/Dialect/Fact/IR/Fact.h"

namespace mlir::fact::loops {

/// Calls body(head) for the heads of a group, of so many.
void forEachMember(Emitter &e, Value group, int64_t members,
                   llvm::function_ref<void(Value)> body);

/// Calls body(head, group) for all heads, group by group: heads / groups of
/// them read the same head of K and V.
void forEachHead(Emitter &e, int64_t heads, int64_t groups,
                 llvm::function_ref<void(Value, Value)> body);

void lower(MeanTokenOp op, Emitter &e);
void lower(SelectOp op, Emitter &e);
void lower(SelectAllOp op, Emitter &e);
void lower(KRowsOp op, Emitter &e);
void lower(VRowsOp op, Emitter &e);
void lower(QRowsOp op, Emitter &e);
void lower(SelectPrecisionOp op, Emitter &e);
void lower(PredictOp op, Emitter &e);

/// The only user of `op`'s scores, if that is a select: both are lowered
/// together then, row by row, and the scores never exist as a whole.
SelectOp fusedSelect(PredictOp op);
void lowerFused(PredictOp predict, SelectOp select, Emitter &e);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_LOWERINGS_H
