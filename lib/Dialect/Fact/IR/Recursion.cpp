//===- Recursion.cpp - Functions that call themselves ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Recursion.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

static func::CallOp recursiveCall(func::FuncOp function,
                                  DenseSet<Operation *> &active,
                                  DenseSet<Operation *> &done) {
  func::CallOp found;
  active.insert(function);
  function->walk([&](func::CallOp call) {
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
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

func::CallOp mlir::fact::recursiveCall(func::FuncOp function) {
  DenseSet<Operation *> active, done;
  return ::recursiveCall(function, active, done);
}
