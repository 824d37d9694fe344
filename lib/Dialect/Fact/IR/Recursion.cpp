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

static bool isRecursive(func::FuncOp function, DenseSet<Operation *> &active,
                        DenseSet<Operation *> &done) {
  if (done.contains(function))
    return false;
  if (!active.insert(function).second)
    return true;
  WalkResult walked = function->walk([&](func::CallOp call) {
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    return callee && isRecursive(callee, active, done) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
  });
  active.erase(function);
  done.insert(function);
  return walked.wasInterrupted();
}

bool mlir::fact::isRecursive(func::FuncOp function) {
  DenseSet<Operation *> active, done;
  return ::isRecursive(function, active, done);
}
