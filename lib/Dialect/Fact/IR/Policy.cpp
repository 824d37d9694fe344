//===- Policy.cpp - The policy attribute and Numerics::Policy -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Policy.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;

PolicyAttr mlir::fact::policyFrom(const numerics::Policy &policy,
                                  MLIRContext *context) {
  return PolicyAttr::get(
      context, policy.keep, numerics::asTail<Tail>(policy.tail),
      Builder(context).getF64FloatAttr(policy.dominance), policy.importance,
      numerics::asLowPrecision<LowPrecision>(policy.lowPrecision),
      numerics::asScope<Scope>(policy.scope),
      numerics::asPredictor<Predictor>(policy.predictor));
}

numerics::Policy mlir::fact::policyFrom(PolicyAttr attribute) {
  numerics::Policy policy;
  policy.keep = static_cast<int32_t>(attribute.getKeep());
  policy.tail = numerics::asTail<numerics::Tail>(attribute.getTail());
  policy.dominance =
      static_cast<float>(attribute.getDominance().getValueAsDouble());
  policy.importance = static_cast<int32_t>(attribute.getImportance());
  policy.lowPrecision = numericsOf(attribute.getLowPrecision());
  policy.scope = numerics::asScope<numerics::Scope>(attribute.getScope());
  policy.predictor = numericsOf(attribute.getPredictor());
  return policy;
}

PolicyAttr mlir::fact::policyOf(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto policy = op->getAttrOfType<PolicyAttr>(kPolicyAttrName))
      return policy;
  return {};
}

LogicalResult mlir::fact::checkKeep(Operation *op, int64_t keep) {
  if (numerics::isKeep(keep))
    return success();
  return op->emitOpError() << "keep must be in 0.." << numerics::keepAll
                           << " (was " << keep << ")";
}

LogicalResult mlir::fact::checkDominance(Operation *op, float dominance) {
  if (numerics::isDominance(dominance))
    return success();
  SmallString<32> text;
  APFloat(dominance).toString(text);
  return op->emitOpError() << "dominance must be in 0..1e30 (was " << text
                           << ")";
}

LogicalResult mlir::fact::checkImportance(Operation *op, int64_t importance) {
  if (importance != 0 && numerics::isImportance256(importance))
    return success();
  return op->emitOpError() << "importance must be in 1.."
                           << numerics::largestImportance256 << ", or "
                           << numerics::keptByNone << " (was " << importance
                           << ")";
}

numerics::Predictor mlir::fact::numericsOf(Predictor predictor) {
  return numerics::asPredictor<numerics::Predictor>(predictor);
}

numerics::PredictorOperand mlir::fact::numericsOf(PredictorOperand operand) {
  return numerics::asPredictorOperand<numerics::PredictorOperand>(operand);
}

numerics::LowPrecision mlir::fact::numericsOf(LowPrecision precision) {
  return numerics::asLowPrecision<numerics::LowPrecision>(precision);
}

numerics::Activation mlir::fact::numericsOf(Activation activation) {
  return numerics::asActivation<numerics::Activation>(activation);
}
