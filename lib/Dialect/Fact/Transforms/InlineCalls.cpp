//===- InlineCalls.cpp - Calls that are no chain of layers go -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A call is worth keeping where equal layers follow each other: one stream of
// rows goes in and comes out, everything else is a weight. All other calls are
// inlined, so that back ends and analyses meet one form of call only.
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/InlineCalls.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

namespace mlir::fact {
#define GEN_PASS_DEF_INLINECALLSPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

// Ops of a model have no effect but their results; calls do not say so.
bool mlir::fact::isDead(Operation *op) {
  return isOpTriviallyDead(op) || (isa<func::CallOp>(op) && op->use_empty());
}

void mlir::fact::eraseDead(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isDead(&op))
      op.erase();
}

void mlir::fact::inlineCall(func::CallOp call) {
  OpBuilder builder(call);
  IRMapping mapping;
  Block &body = calleeOf(call).getBody().front();
  mapping.map(body.getArguments(), call.getOperands());
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  for (auto [result, returned] :
       llvm::zip_equal(call.getResults(), body.getTerminator()->getOperands()))
    result.replaceAllUsesWith(mapping.lookupOrDefault(returned));
  call.erase();
}

/// Whether a value is rows of the sequence, not the one row of a mean token
/// behind whatever works on rows.
static bool isStream(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.getElementType().isF32() || type.getRank() < 2)
    return false;
  for (;;) {
    value = sourceOf(value);
    type = dyn_cast<RankedTensorType>(value.getType());
    if (!type ||
        (type.getRank() >= 2 && type.getDimSize(sequenceDim(type)) == 1))
      return false;
    Operation *op = value.getDefiningOp();
    if (!op || !isa_and_nonnull<FactDialect>(op->getDialect()) ||
        op->getNumOperands() == 0)
      return true;
    value = op->getOperand(0);
  }
}

std::optional<unsigned> mlir::fact::layerStream(func::CallOp call) {
  func::FuncOp callee = calleeOf(call);
  if (!callee || call.getNumResults() != 1)
    return std::nullopt;
  Block &body = callee.getBody().front();
  Value result = sourceOf(body.getTerminator()->getOperand(0));
  if (isa<BlockArgument>(result) || matchPattern(result, m_Constant()))
    return std::nullopt; // nothing is worked out
  std::optional<unsigned> stream;
  for (auto [i, operand] : llvm::enumerate(call.getOperands())) {
    Attribute constant;
    if (!matchPattern(operand, m_Constant(&constant))) {
      if (stream)
        return std::nullopt;
      stream = i;
      continue;
    }
    auto isWeight = [](OpOperand *use) { return isWeightOperand(*use); };
    if (!isa<ElementsAttr>(constant) ||
        !llvm::all_of(readersOf(body.getArgument(i)), isWeight))
      return std::nullopt;
  }
  if (!stream || !isStream(call.getOperand(*stream)) ||
      !isStream(call.getResult(0)))
    return std::nullopt;
  return stream;
}

static LogicalResult inlineCalls(func::FuncOp function, bool keepLayers,
                                 DenseSet<Operation *> &done) {
  if (!done.insert(function).second)
    return success();
  if (!function.getBody().hasOneBlock())
    return function.emitError()
           << "must have one block: a model has no control flow (was "
           << llvm::range_size(function.getBody()) << " blocks)";
  Block &body = function.getBody().front();
  eraseDead(body);
  for (auto call : llvm::make_early_inc_range(body.getOps<func::CallOp>())) {
    func::FuncOp callee = calleeOf(call);
    if (!callee || callee.isExternal()) {
      InFlightDiagnostic diagnostic = call.emitOpError()
                                      << "calls a function without a body";
      if (callee)
        diagnostic.attachNote(callee.getLoc()) << "declared here";
      return diagnostic;
    }
    // A layer is one function, whatever it is made of.
    if (failed(::inlineCalls(callee, /*keepLayers=*/false, done)))
      return failure();
    if (!keepLayers || !layerStream(call))
      inlineCall(call);
  }
  eraseDead(body);
  return success();
}

LogicalResult mlir::fact::inlineCalls(func::FuncOp function) {
  if (failed(verifyNotRecursive(function)))
    return failure();
  DenseSet<Operation *> done;
  return ::inlineCalls(function, /*keepLayers=*/true, done);
}

namespace {
struct InlineCallsPass
    : mlir::fact::impl::InlineCallsPassBase<InlineCallsPass> {
  using Base::Base;

  /// Erases private functions that nobody calls; says whether there were any.
  bool eraseUncalled() {
    SymbolTableCollection symbols;
    SymbolUserMap users(symbols, getOperation());
    bool erased = false;
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (function.isPrivate() && users.useEmpty(function)) {
        function.erase();
        erased = true;
      }
    return erased;
  }

  void runOnOperation() override {
    auto countCalls = [&] {
      int64_t calls = 0;
      getOperation().walk([&](func::CallOp) { ++calls; });
      return calls;
    };
    int64_t before = countCalls();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal() &&
          failed(inlineCalls(function)))
        return signalPassFailure();
    while (eraseUncalled())
      ;
    int64_t after = countCalls();
    numInlined += std::max<int64_t>(before - after, 0);
    numKept += after;
  }
};
} // namespace
