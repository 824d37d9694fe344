//===- Policy.h - The policy attribute and Numerics::Policy ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The presets and flags of a policy are defined once, in Numerics; the
// attribute
// `#fact.policy` carries one through the IR.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_POLICY_H
#define FACT_DIALECT_FACT_IR_POLICY_H

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Numerics/Policy.h"
#include "fact/Numerics/Prediction.h"

namespace mlir::fact {

/// The attribute that says what `policy` says. Every policy that Numerics'
/// parser accepts has one.
PolicyAttr policyFrom(const ::fact::numerics::Policy &policy,
                      MLIRContext *context);
/// The inverse; `dominance` is rounded to f32, in which it is compared.
::fact::numerics::Policy policyFrom(PolicyAttr attribute);

/// The policy that holds for `op`: its own, or that of the closest function or
/// module around it that has one; null where none has.
PolicyAttr policyOf(Operation *op);

/// A number of a policy, a literal of an op or what its operand may be, is in
/// the range of its kind; else an error at the op.
LogicalResult checkKeep(Operation *op, int64_t keep);
LogicalResult checkDominance(Operation *op, float dominance);
LogicalResult checkImportance(Operation *op, int64_t importance);

/// The same predictor, operand, format and function in Numerics' enumerations.
::fact::numerics::Predictor numericsOf(Predictor predictor);
::fact::numerics::PredictorOperand numericsOf(PredictorOperand operand);
::fact::numerics::LowPrecision numericsOf(LowPrecision precision);
::fact::numerics::Activation numericsOf(Activation activation);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_POLICY_H
