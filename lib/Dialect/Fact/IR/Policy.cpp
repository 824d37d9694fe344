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

// Both sides list the same cases in the same order, so that a cast converts.
template <typename A, typename B> static constexpr bool same(A a, B b) {
  return static_cast<unsigned>(a) == static_cast<unsigned>(b);
}
static_assert(same(Tail::None, numerics::Tail::None) &&
              same(Tail::Mean, numerics::Tail::Mean));
static_assert(same(LowPrecision::A4W4, numerics::LowPrecision::A4W4) &&
              same(LowPrecision::A4W8, numerics::LowPrecision::A4W8));
static_assert(same(Scope::FFN, numerics::Scope::FFN) &&
              same(Scope::All, numerics::Scope::All));
static_assert(same(Predictor::LeadingOne, numerics::Predictor::LeadingOne) &&
              same(Predictor::LeadingTwo, numerics::Predictor::LeadingTwo) &&
              same(Predictor::OneSided, numerics::Predictor::OneSided) &&
              same(Predictor::Exact, numerics::Predictor::Exact));
static_assert(same(PredictorOperand::Activation,
                   numerics::PredictorOperand::Activation) &&
              same(PredictorOperand::Weight,
                   numerics::PredictorOperand::Weight) &&
              same(PredictorOperand::Query,
                   numerics::PredictorOperand::Query) &&
              same(PredictorOperand::Key, numerics::PredictorOperand::Key));

PolicyAttr mlir::fact::policyFrom(const numerics::Policy &policy,
                                  MLIRContext *context) {
  return PolicyAttr::get(context, policy.keep, static_cast<Tail>(policy.tail),
                         Builder(context).getF64FloatAttr(policy.dominance),
                         policy.importance,
                         static_cast<LowPrecision>(policy.lowPrecision),
                         static_cast<Scope>(policy.scope),
                         static_cast<Predictor>(policy.predictor));
}

numerics::Policy mlir::fact::policyFrom(PolicyAttr attribute) {
  numerics::Policy policy;
  policy.keep = static_cast<int32_t>(attribute.getKeep());
  policy.tail = static_cast<numerics::Tail>(attribute.getTail());
  policy.dominance =
      static_cast<float>(attribute.getDominance().getValueAsDouble());
  policy.importance = static_cast<int32_t>(attribute.getImportance());
  policy.lowPrecision = numericsOf(attribute.getLowPrecision());
  policy.scope = static_cast<numerics::Scope>(attribute.getScope());
  policy.predictor = numericsOf(attribute.getPredictor());
  return policy;
}

PolicyAttr mlir::fact::policyOf(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto policy = op->getAttrOfType<PolicyAttr>(kPolicyAttrName))
      return policy;
  return {};
}

numerics::Predictor mlir::fact::numericsOf(Predictor predictor) {
  return static_cast<numerics::Predictor>(predictor);
}

numerics::PredictorOperand mlir::fact::numericsOf(PredictorOperand operand) {
  return static_cast<numerics::PredictorOperand>(operand);
}

numerics::LowPrecision mlir::fact::numericsOf(LowPrecision precision) {
  return static_cast<numerics::LowPrecision>(precision);
}
