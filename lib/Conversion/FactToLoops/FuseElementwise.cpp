//===- FuseElementwise.cpp - Elementwise ops one pass over memory ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// Nothing is computed twice: the one reader has no reductions and reads it
/// once for each of its elements, as one operand (equal operands become one
/// first).
static bool isWorthFusing(OpOperand *operand) {
  auto reader = cast<linalg::LinalgOp>(operand->getOwner());
  return reader.getNumReductionLoops() == 0 && operand->get().hasOneUse() &&
         reader.getMatchingIndexingMap(operand).isPermutation();
}

namespace {

struct FuseElementwisePass
    : mlir::fact::impl::FuseElementwisePassBase<FuseElementwisePass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, isWorthFusing);
    // Folding is the canonicalizer's business.
    GreedyRewriteConfig config;
    config.enableFolding(false);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
