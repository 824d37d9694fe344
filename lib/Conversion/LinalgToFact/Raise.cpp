//===- Raise.cpp - From linalg on tensors to dense fact ops ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raiser.h"

#include "fact/Conversion/LinalgToFact/LookAhead.h"
#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::fact {
#define GEN_PASS_DEF_RAISEPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

RaiseOutlook mlir::fact::lookAhead(func::FuncOp function) {
  RaiseOutlook outlook;
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return outlook;
  Analysis analysis(function);
  for (Node *context : analysis.contexts()) {
    Miss miss;
    outlook.attentions += matchAttention(context, miss).has_value();
  }
  Raiser raiser(function, analysis);
  raiser.findPadding();
  outlook.leavesPadding = raiser.leavesPadding();
  return outlook;
}

namespace {

struct RaisePass : mlir::fact::impl::RaisePassBase<RaisePass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    if (!function.getBody().hasOneBlock()) {
      missed(function, "ControlFlow",
             {"the function has more than one block",
              "raise before lowering control flow"});
      return;
    }
    DenseSet<Operation *> model;
    for (Operation &op : function.getBody().front())
      model.insert(&op);
    Analysis analysis(function);
    Raiser raiser(function, analysis);
    if (failed(raiser.run()))
      return signalPassFailure();
    report(raiser, model);
  }

private:
  remark::RemarkOpts options(StringRef name) {
    return remark::RemarkOpts::name(name)
        .category("fact-raise")
        .function(getOperation().getName());
  }

  void missed(Operation *op, StringRef name, const Miss &miss) {
    remark::missed(op->getLoc(), options(name))
        << remark::reason("{0}", miss.reason)
        << remark::suggest("{0}", miss.suggestion);
  }

  /// Removes what nothing needs any more, counts, and explains what is left of
  /// the model: a transpose between a raised op and one that is not is ours.
  void report(const Raiser &raiser, const DenseSet<Operation *> &model) {
    Block &block = getOperation().getBody().front();
    DenseSet<Operation *> alive;
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      if (isOpTriviallyDead(&op))
        op.erase();
      else
        alive.insert(&op);
    }
    for (Operation *op : raiser.raised())
      if (alive.contains(op))
        count(op, raiser);
    for (Operation &op : block) {
      bool isFloat = llvm::any_of(op.getResultTypes(), [](Type type) {
        return getElementTypeOrSelf(type).isF32();
      });
      // What was moved about only is no op that stays, but may have a reason.
      bool hasReason = isa<tensor::InsertSliceOp, tensor::ExtractSliceOp>(op) &&
                       raiser.miss(&op) != nullptr;
      if ((op.getName().getDialectNamespace() != "linalg" && !hasReason) ||
          isa<linalg::FillOp>(op) || !isFloat || !model.contains(&op))
        continue;
      ++numMissed;
      if (raiser.isExplained(&op))
        continue;
      const Miss *miss = raiser.miss(&op);
      missed(&op, "NotRaised",
             miss ? *miss
                  : Miss{("'" + op.getName().getStringRef() +
                          "' is no part of a layer that the fact dialect has")
                             .str(),
                         "end the subgraph before it ('--to'), or write it as "
                         "one of the forms that raise documents"});
    }
  }

  void count(Operation *op, const Raiser &raiser) {
    auto passed = [&](StringRef name) {
      return remark::passed(op->getLoc(), options(name));
    };
    if (isa<LinearOp>(op))
      ++numLinear;
    else if (isa<AddOp>(op))
      ++numAdd;
    else if (isa<MultiplyOp>(op))
      ++numMultiply;
    else if (auto norm = dyn_cast<NormOp>(op)) {
      ++numNorm;
      passed(norm.getKind() == Norm::RMS ? "RmsNorm" : "LayerNorm")
          << remark::metric("Epsilon", norm.getEpsAttr());
    } else if (auto rotate = dyn_cast<RotateOp>(op)) {
      ++numRotate;
      passed("RotaryEmbedding")
          << remark::metric("Heads", rotate.getHeads())
          << remark::metric("Style",
                            stringifyRotaryStyle(rotate.getStyle()).str());
    } else if (auto activation = dyn_cast<ActivationOp>(op)) {
      ++numActivation;
      auto remark = passed("Activation");
      remark << remark::metric("Kind",
                               stringifyActivation(activation.getKind()).str());
      if (raiser.hasRoundedConstants(activation))
        remark << remark::reason(
            "constants of the model are rounded to 16 bits; those of the "
            "contract are not");
    } else if (auto attention = dyn_cast<AttentionOp>(op)) {
      ++numAttention;
      passed("Attention") << remark::metric("Heads", attention.getHeads())
                          << remark::metric("Scale", attention.getScaleAttr())
                          << remark::metric("Causal",
                                            bool(attention.getWindow()));
    }
  }
};

} // namespace
