//===- OutlineKernels.cpp - One function per distinct loop nest -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProfileRegions.h"
#include "SharedFunctions.h"

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::fact {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// Values from outside that the operation's body reads; false where one of them
/// is no constant.
static bool findCaptures(linalg::LinalgOp op, SetVector<Value> &captures) {
  getUsedValuesDefinedAbove(op->getRegions(), captures);
  return llvm::all_of(captures, [](Value value) {
    Operation *source = value.getDefiningOp();
    return source && source->hasTrait<OpTrait::ConstantLike>();
  });
}

/// A function with a copy of \p op, whose operands are its arguments.
static func::FuncOp makeKernel(OpBuilder &builder, linalg::LinalgOp op,
                               const SetVector<Value> &captures) {
  auto function = func::FuncOp::create(
      builder, UnknownLoc::get(builder.getContext()), "kernel",
      builder.getFunctionType(op->getOperandTypes(), TypeRange()));
  function.setPrivate();
  // LLVM would inline the pieces back into the large function.
  function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  OpBuilder::InsertionGuard guard(builder);
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  IRMapping mapping;
  for (Value capture : captures)
    mapping.map(capture, builder.clone(*capture.getDefiningOp())->getResult(0));
  mapping.map(op->getOperands(), block->getArguments());
  Operation *copy = builder.clone(*op, mapping);
  // An operand that occurs twice is two arguments.
  copy->setOperands(block->getArguments());
  func::ReturnOp::create(builder, function.getLoc());
  function.walk([&](Operation *each) { each->setLoc(function.getLoc()); });
  return function;
}

namespace {

struct OutlineKernelsPass
    : mlir::fact::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<linalg::LinalgOp> ops;
    module.walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    loops::SharedFunctions kernels(module);
    loops::ProfileRegions regions(module);
    OpBuilder builder(&getContext());
    for (linalg::LinalgOp op : ops) {
      SetVector<Value> captures;
      if (!findCaptures(op, captures))
        continue;
      builder.setInsertionPointToEnd(module.getBody());
      func::FuncOp kernel = makeKernel(builder, op, captures);
      kernel->remove();
      auto [shared, isNew] = kernels.add(kernel);
      numKernels += isNew;
      builder.setInsertionPoint(op);
      if (profile) {
        StringRef name = op->getName().stripDialect();
        regions.enter(builder, op.getLoc(), "kernel", name);
      }
      func::CallOp::create(builder, op.getLoc(), shared, op->getOperands());
      if (profile)
        regions.leave(builder, op.getLoc());
      op->erase();
      ++numCalls;
    }
  }
};

} // namespace
