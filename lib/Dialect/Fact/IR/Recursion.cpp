//===- Recursion.cpp - Calls, and functions that call themselves ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Recursion.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::fact;

func::FuncOp mlir::fact::calleeOf(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
}

/// The call by which it does, or null.
static func::CallOp recursiveCall(func::FuncOp function,
                                  DenseSet<Operation *> &active,
                                  DenseSet<Operation *> &done) {
  func::CallOp found;
  active.insert(function);
  function->walk([&](func::CallOp call) {
    func::FuncOp callee = calleeOf(call);
    if (!callee || done.contains(callee))
      return WalkResult::advance();
    found =
        active.contains(callee) ? call : recursiveCall(callee, active, done);
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  active.erase(function);
  done.insert(function);
  return found;
}

LogicalResult mlir::fact::verifyNotRecursive(func::FuncOp function) {
  DenseSet<Operation *> active, done;
  func::CallOp call = recursiveCall(function, active, done);
  if (!call)
    return success();
  InFlightDiagnostic diagnostic =
      function.emitError("calls itself: a model is as deep as it is");
  diagnostic.attachNote(call.getLoc()) << "by this call";
  return diagnostic;
}
