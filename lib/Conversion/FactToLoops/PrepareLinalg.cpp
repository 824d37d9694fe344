//===- PrepareLinalg.cpp - What was not raised, ready to become loops -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::fact {
#define GEN_PASS_DEF_PREPARELINALGPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// Puts a maximum that NaN goes through in the place of one that starts from
/// NaN.
static LogicalResult replace(arith::MaxNumFOp maximum, IRRewriter &rewriter) {
  auto loop = dyn_cast<linalg::LinalgOp>(maximum->getParentOp());
  auto fill = loop && loop.getNumDpsInits() == 1
                  ? loop.getDpsInits().front().getDefiningOp<linalg::FillOp>()
                  : nullptr;
  if (!fill)
    return failure();
  auto type = cast<FloatType>(maximum.getType());
  rewriter.setInsertionPoint(fill);
  Value lowest = arith::ConstantOp::create(
      rewriter, fill.getLoc(),
      rewriter.getFloatAttr(
          type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/true)));
  rewriter.modifyOpInPlace(fill, [&] { fill->setOperand(0, lowest); });
  rewriter.setInsertionPoint(maximum);
  rewriter.replaceOpWithNewOp<arith::MaximumFOp>(maximum, maximum.getLhs(),
                                                 maximum.getRhs());
  return success();
}

/// linalg.softmax has no lowering to loops: maximum, exp, sum and division.
/// The maximum is one that NaN goes through, as it does through the others:
/// LLVM 22 leaves elements out where it vectorizes a loop over 'maxnum'.
static LogicalResult decompose(linalg::SoftmaxOp op, IRRewriter &rewriter) {
  rewriter.setInsertionPoint(op);
  Operation *before = op->getPrevNode();
  FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
  if (failed(values))
    return op.emitOpError("cannot be decomposed");
  SmallVector<arith::MaxNumFOp> maxima;
  for (Operation *made = op->getPrevNode(); made != before;
       made = made->getPrevNode())
    made->walk([&](arith::MaxNumFOp each) { maxima.push_back(each); });
  for (arith::MaxNumFOp each : maxima)
    if (failed(replace(each, rewriter)))
      return op.emitOpError("cannot be decomposed");
  rewriter.replaceOp(op, *values);
  return success();
}

/// Puts the summation dimension of a matrix product before the last dimension
/// of the result: the innermost loop runs along rows, which LLVM vectorizes
/// without changing the order of any sum.
static LogicalResult interchange(linalg::LinalgOp op, IRRewriter &rewriter) {
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::GenericOp> generic =
      linalg::generalizeNamedOp(rewriter, op);
  if (failed(generic))
    return op.emitOpError("cannot be generalized");
  SmallVector<unsigned> order =
      llvm::to_vector(llvm::seq<unsigned>(0, generic->getNumLoops()));
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  if (failed(linalg::interchangeGenericOp(rewriter, *generic, order)))
    return generic->emitOpError("cannot be interchanged");
  return success();
}

namespace {

struct PrepareLinalgPass
    : mlir::fact::impl::PrepareLinalgPassBase<PrepareLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::SoftmaxOp> softmaxes;
    SmallVector<linalg::LinalgOp> products;
    getOperation()->walk([&](Operation *op) {
      if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
        softmaxes.push_back(softmax);
      else if (isa<linalg::MatmulOp, linalg::BatchMatmulOp>(op))
        products.push_back(cast<linalg::LinalgOp>(op));
    });
    IRRewriter rewriter(&getContext());
    for (linalg::SoftmaxOp op : softmaxes)
      if (failed(decompose(op, rewriter)))
        return signalPassFailure();
    for (linalg::LinalgOp op : products)
      if (failed(interchange(op, rewriter)))
        return signalPassFailure();
  }
};

} // namespace
