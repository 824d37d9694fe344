//===- Lowerings.h - How each fact op becomes loops -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One overload per op: it emits loops over the operands' buffers and returns
// the buffers of the results. Section numbers are those of docs/numerics.md.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_LOWERINGS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_LOWERINGS_H

#include "Emitter.h"

#include "fact/Dialect/Fact/IR/Fact.h"

namespace mlir::fact::loops {

using Results = SmallVectorImpl<Value>;

/// The features of `value` [L, d]; an error of `op` where they are not known.
FailureOr<int64_t> knownWidth(Operation *op, Value value);

/// Calls body(row, head) for the heads of each row, or for those that `rows`
/// [h, L] names where it is not null.
void forEachSlice(Emitter &e, Value length, int64_t heads, Value rows,
                  llvm::function_ref<void(Value, Value)> body);

/// Calls body(head) for the heads of a group, of so many.
void forEachMember(Emitter &e, Value group, int64_t members,
                   llvm::function_ref<void(Value)> body);

/// Calls body(head) for all heads, group by group; `begin` starts a
/// group, of heads / groups heads that read the same head of K and V.
void forEachGroup(Emitter &e, int64_t heads, int64_t groups,
                  llvm::function_ref<void(Value)> begin,
                  llvm::function_ref<void(Value)> body);

LogicalResult lower(NormOp op, Emitter &e, Results &results);
LogicalResult lower(RotateOp op, Emitter &e, Results &results);
LogicalResult lower(ActivationOp op, Emitter &e, Results &results);
LogicalResult lower(AddOp op, Emitter &e, Results &results);
LogicalResult lower(MultiplyOp op, Emitter &e, Results &results);
LogicalResult lower(MeanTokenOp op, Emitter &e, Results &results);
LogicalResult lower(QuantizeRowsOp op, Emitter &e, Results &results);
LogicalResult lower(QuantizeHeadsOp op, Emitter &e, Results &results);
LogicalResult lower(QuantizedLinearOp op, Emitter &e, Results &results);
LogicalResult lower(EncodeOp op, Emitter &e, Results &results);
LogicalResult lower(LogMatmulOp op, Emitter &e, Results &results);
LogicalResult lower(NormalizeHeadsOp op, Emitter &e, Results &results);
LogicalResult lower(RescaleOp op, Emitter &e, Results &results);
LogicalResult lower(PredictOp op, Emitter &e, Results &results);
LogicalResult lower(SelectOp op, Emitter &e, Results &results);
LogicalResult lower(SelectAllOp op, Emitter &e, Results &results);
LogicalResult lower(KRowsOp op, Emitter &e, Results &results);
LogicalResult lower(VRowsOp op, Emitter &e, Results &results);
LogicalResult lower(QRowsOp op, Emitter &e, Results &results);
LogicalResult lower(SelectPrecisionOp op, Emitter &e, Results &results);
LogicalResult lower(QuantizedAttentionOp op, Emitter &e, Results &results);

/// The only user of `op`'s scores, if that is a select: both are lowered
/// together then, row by row, and the scores never exist as a whole.
SelectOp fusedSelect(PredictOp op);
LogicalResult lowerFused(PredictOp predict, SelectOp select, Emitter &e,
                         Results &unit, Results &selected);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_LOWERINGS_H
