//===- LayerPolicies.h - Layers with policies of their own ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_LAYERPOLICIES_H
#define FACT_DIALECT_FACT_TRANSFORMS_LAYERPOLICIES_H

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::fact {

/// The policies of the attentions of a function and of what it calls, in the
/// order in which they run.
SmallVector<PolicyAttr> layerPolicies(func::FuncOp main);

/// Gives the layers of a function, numbered in that order, the policies that
/// hold for it with `overrides` on top, the later ones over the earlier.
/// Attentions and calls get a `fact.policy`; a function that several layers
/// share and that must do different things for them is copied. Fails, with an
/// error, where a layer is named that is not there.
LogicalResult
setLayerPolicies(func::FuncOp main,
                 ArrayRef<::fact::numerics::LayerPolicy> overrides);

/// Numbers of policies as ops take them: literals, or, in a function whose
/// calls have policies with other numbers, arguments.
class PolicyNumbers {
public:
  explicit PolicyNumbers(ModuleOp module) : module(module) {}

  /// Whether every call with a policy is of a function with one attention; an
  /// error if not.
  LogicalResult verifyCalls();
  /// Whether calls of the function around `op` have policies that hold for
  /// `op` too; an error if not.
  LogicalResult verify(Operation *op);

  /// `keep` (i64 literal or tensor<i32>), `dominance` (f32) and `importance`
  /// (as keep) of the policy that holds for `op`.
  OpFoldResult keep(Operation *op);
  OpFoldResult dominance(Operation *op);
  OpFoldResult importance(Operation *op);

private:
  enum class Field { Keep, Dominance, Importance };
  OpFoldResult number(Operation *op, Field field);
  /// The calls of the function around `op`, with the policy that holds for `op`
  /// in each.
  SmallVector<std::pair<func::CallOp, PolicyAttr>>
  policiesOfCalls(Operation *op);

  ModuleOp module;
  DenseMap<std::pair<Operation *, int>, Value> arguments;
};

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_TRANSFORMS_LAYERPOLICIES_H
