//===- Values.cpp - Where a value comes from and who reads it -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Values.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;

/// The dimensions that are not one; those that are open count.
static SmallVector<int64_t> dimensions(Type type) {
  return llvm::filter_to_vector(cast<ShapedType>(type).getShape(),
                                [](int64_t size) { return size != 1; });
}

bool mlir::fact::isReshape(Operation *op) {
  if (isa_and_nonnull<tensor::CastOp>(op))
    return isa<RankedTensorType>(op->getOperand(0).getType()) &&
           isa<RankedTensorType>(op->getResult(0).getType());
  return isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op) &&
         dimensions(op->getOperand(0).getType()) ==
             dimensions(op->getResult(0).getType());
}

Value mlir::fact::sourceOf(Value value) {
  while (isReshape(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

Value mlir::fact::undressed(Value rows,
                            SmallVectorImpl<Operation *> &dressing) {
  dressing.clear();
  for (rows = sourceOf(rows);
       isa_and_nonnull<NormOp, RotateOp>(rows.getDefiningOp());
       rows = sourceOf(rows.getDefiningOp()->getOperand(0)))
    dressing.push_back(rows.getDefiningOp());
  std::reverse(dressing.begin(), dressing.end());
  return rows;
}

SmallVector<OpOperand *> mlir::fact::readersOf(Value value) {
  SmallVector<OpOperand *> readers;
  for (OpOperand &use : value.getUses()) {
    if (isReshape(use.getOwner()))
      llvm::append_range(readers, readersOf(use.getOwner()->getResult(0)));
    else
      readers.push_back(&use);
  }
  return readers;
}

Value mlir::fact::castTokens(Value value, ArrayRef<unsigned> dims, Value rows) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  for (unsigned dim : dims)
    shape[dim] = cast<RankedTensorType>(rows.getType()).getDimSize(0);
  if (shape == type.getShape())
    return value;
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  return tensor::CastOp::create(builder, value.getLoc(), type.clone(shape),
                                value);
}

bool mlir::fact::dependsOn(Value value, Operation *op) {
  SmallVector<Operation *> work{value.getDefiningOp()};
  DenseSet<Operation *> seen;
  while (!work.empty()) {
    Operation *next = work.pop_back_val();
    if (next == op)
      return true;
    if (next && seen.insert(next).second)
      for (Value operand : next->getOperands())
        work.push_back(operand.getDefiningOp());
  }
  return false;
}

static void collect(Value value, const SymbolUserMap &users,
                    llvm::SetVector<Value> &seen,
                    SmallVectorImpl<Value> &sources) {
  value = mlir::fact::sourceOf(value);
  if (!seen.insert(value))
    return;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    if (function && function.isPrivate() &&
        argument.getOwner()->isEntryBlock()) {
      SmallVector<func::CallOp> calls;
      for (Operation *user : users.getUsers(function))
        if (auto call = dyn_cast<func::CallOp>(user))
          calls.push_back(call);
      // Users come in no order that two runs share.
      llvm::sort(calls, [](func::CallOp a, func::CallOp b) {
        auto inA = a->getParentOfType<func::FuncOp>(),
             inB = b->getParentOfType<func::FuncOp>();
        if (inA != inB)
          return inA->isBeforeInBlock(inB);
        return a->getBlock() == b->getBlock() && a->isBeforeInBlock(b);
      });
      for (func::CallOp call : calls)
        collect(call.getOperand(argument.getArgNumber()), users, seen, sources);
      return;
    }
  }
  if (auto call = value.getDefiningOp<func::CallOp>()) {
    func::FuncOp callee = calleeOf(call);
    if (callee && !callee.isExternal()) {
      unsigned number = cast<OpResult>(value).getResultNumber();
      callee.walk([&](func::ReturnOp exit) {
        collect(exit.getOperand(number), users, seen, sources);
      });
      return;
    }
  }
  sources.push_back(value);
}

SmallVector<Value> mlir::fact::sourcesAcrossCalls(Value value,
                                                  const SymbolUserMap &users) {
  llvm::SetVector<Value> seen;
  SmallVector<Value> sources;
  collect(value, users, seen, sources);
  return sources;
}

bool mlir::fact::isWeightOperand(OpOperand &operand) {
  unsigned number = operand.getOperandNumber();
  return llvm::TypeSwitch<Operation *, bool>(operand.getOwner())
      .Case([&](LinearOp) { return number > 0; })
      .Case([&](NormOp op) {
        return number == 1 || (number == 2 && op.getBeta());
      })
      .Case([&](RotateOp) { return number == 1 || number == 2; })
      .Case([&](RescaleOp) { return number >= 2; })
      .Case([&](QuantizedLinearOp op) {
        return number == 2 || number == 3 || (number == 4 && op.getBias());
      })
      .Case([&](LogMatmulOp op) {
        return number == 1 || (number == 2 && op.getBias());
      })
      .Case([&](PredictOp) { return number >= 5; })
      .Case([&](SelectOp) { return number >= 2; })
      .Case([&](SelectPrecisionOp) { return number >= 1; })
      .Case([&](EncodeOp op) {
        return op.getOperand() == PredictorOperand::Weight;
      })
      .Case([&](CompileTimeOpInterface) { return true; })
      .Default([](Operation *) { return false; });
}
