//===- Prepare.cpp - Calls that are no chain of layers go -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program has one function. A call is worth keeping where equal layers follow
// each other: one stream of rows goes in and comes out, everything else is a
// weight. All other calls are inlined before anything is lowered, so that the
// lowering meets one form of call only, and no op whose result nobody reads.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/IR/Values.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::factisa;

static func::FuncOp calleeOf(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
}

/// Ops of `fact` IR have no effect but their results.
static void eraseDead(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op) || (isa<func::CallOp>(op) && op.use_empty()))
      op.erase();
}

static void inlineCall(func::CallOp call, func::FuncOp callee) {
  OpBuilder builder(call);
  IRMapping mapping;
  Block &body = callee.getBody().front();
  mapping.map(body.getArguments(), call.getOperands());
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  for (auto [result, returned] :
       llvm::zip_equal(call.getResults(), body.getTerminator()->getOperands()))
    result.replaceAllUsesWith(mapping.lookupOrDefault(returned));
  call.erase();
}

std::optional<unsigned> factisa::layerStream(func::CallOp call) {
  func::FuncOp callee = calleeOf(call);
  if (!callee || call.getNumResults() != 1)
    return std::nullopt;
  Block &body = callee.getBody().front();
  Value result = fact::sourceOf(body.getTerminator()->getOperand(0));
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
    auto isWeight = [](OpOperand *use) { return fact::isWeightOperand(*use); };
    if (!isa<ElementsAttr>(constant) ||
        !llvm::all_of(fact::readersOf(body.getArgument(i)), isWeight))
      return std::nullopt;
  }
  // The stream is rows of the sequence, not the one row of a mean token.
  auto isStream = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isF32() && tensor.getRank() >= 2 &&
           tensor.getDimSize(tensor.getRank() - 2) != 1;
  };
  if (!stream || !isStream(call.getOperand(*stream).getType()) ||
      !isStream(call.getResult(0).getType()))
    return std::nullopt;
  return stream;
}

/// Inlines the calls in `function`, and in what it calls, that `keep` does not
/// want.
static LogicalResult inlineCalls(func::FuncOp function, bool isMain,
                                 DenseSet<Operation *> &done) {
  if (!done.insert(function).second)
    return success();
  if (!function.getBody().hasOneBlock())
    return function.emitError() << "must have one block: lower to instructions "
                                   "before lowering control flow";
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
    if (failed(inlineCalls(callee, /*isMain=*/false, done)))
      return failure();
    if (!isMain || !layerStream(call))
      inlineCall(call, callee);
  }
  eraseDead(body);
  return success();
}

LogicalResult factisa::prepare(func::FuncOp source) {
  if (func::CallOp call = fact::recursiveCall(source)) {
    InFlightDiagnostic diagnostic =
        source.emitError() << "calls itself: a program is as deep as it is";
    diagnostic.attachNote(call.getLoc()) << "by this call";
    return diagnostic;
  }
  DenseSet<Operation *> done;
  return inlineCalls(source, /*isMain=*/true, done);
}
