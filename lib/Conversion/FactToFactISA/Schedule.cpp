//===- Schedule.cpp - Order of the work of one function -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"
#include "Lowering.h"
#include "RowGroup.h"

#include "fact/Dialect/Fact/IR/Values.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::factisa;

/// Ops that are nothing by themselves: their users read through them, or
/// another op's lowering makes their results.
static bool isFree(Operation *op, const PredictorCodes &codes) {
  if (auto encode = dyn_cast<mlir::fact::EncodeOp>(op))
    return isIdentity(encode) || !codes.isEncodedAlone(encode);
  return isa<mlir::fact::LogMatmulOp, mlir::fact::KRowsOp, mlir::fact::VRowsOp,
             mlir::fact::QRowsOp, mlir::fact::PredictOp, arith::ConstantOp,
             tensor::DimOp, func::ReturnOp>(op) ||
         mlir::fact::isReshape(op);
}

/// What is not row by row works on the program's sequence.
LogicalResult Lowering::checkSequence(Operation *op) {
  if (!isa<fact::FactDialect>(op->getDialect()) || !op->getNumOperands() ||
      !isSingle(op->getOperand(0)))
    return success();
  InFlightDiagnostic diagnostic =
      op->emitOpError() << "works on a sequence of its own, of one row: a "
                           "program has one sequence of at most "
                        << bound << " tokens";
  diagnostic.attachNote(op->getOperand(0).getLoc())
      << "the row comes from here";
  return diagnostic;
}

LogicalResult Lowering::lowerOps(ArrayRef<Operation *> ops,
                                 ArrayRef<Operation *> next) {
  // Greedy list scheduling: all row-local ops whose operands are there form the
  // next group; where there is none, the next other op in program order runs.
  SmallVector<Operation *> waiting;
  for (Operation *op : ops)
    if (!isFree(op, codes))
      waiting.push_back(op);
  DenseSet<Operation *> missing(waiting.begin(), waiting.end());

  // What loops over heads do, by the attention or selection of each. One head
  // has no other to be worked on meanwhile.
  DenseMap<Operation *, HeadNest> nests;
  DenseMap<Operation *, Operation *> partOf;
  auto add = [&](Operation *op, std::optional<HeadNest> nest) {
    const char *reason =
        nest ? nest->whyNotDifferential()
             : "its Q, K and V are not made for it alone, of the same rows";
    if (tiling.heads.isDifferential && reason &&
        isa<fact::QuantizedAttentionOp>(op))
      notDifferential.push_back({op->getLoc(), reason});
    if (!nest)
      return;
    nest->isDifferential = !reason && tiling.heads.isDifferential;
    if (nest->getHeads() == 1 && !nest->isDifferential)
      return;
    if (const SpeculatedRows *rows = speculationOf(op)) {
      nest->speculation = &rows->of;
      nest->query = rows->of.query;
      nest->key = rows->of.key;
      nest->value = rows->of.value;
      // K and V of the mean token are made with the rows that are all made.
      bool isMaker = isa<fact::SelectOp>(op);
      if (isMaker || rows->of.tailKey.linear) {
        nest->tailKey = isMaker ? rows->of.tailKey : HeadProjection();
        nest->tailValue = isMaker ? rows->of.tailValue : HeadProjection();
      }
    }
    for (Operation *part : nest->ops())
      partOf[part] = op;
    nests.try_emplace(op, std::move(*nest));
  };
  if (tiling.heads.rows > 0) {
    for (Operation *op : ops)
      if (auto attention = dyn_cast<fact::QuantizedAttentionOp>(op))
        add(op, findHeadNest(attention, missing, codes,
                             !tiling.heads.selectsApart));
    for (Operation *op : ops)
      if (auto select = dyn_cast<fact::SelectOp>(op);
          select && !partOf.contains(select))
        add(op, findHeadNest(select, missing, codes));
  }

  Operation *nest = nullptr; // whose parts are lowered with it
  std::function<bool(Value)> available = [&](Value value) {
    Operation *definer = value.getDefiningOp();
    if (!definer || !definer->getBlock() ||
        definer->getBlock() != waiting.front()->getBlock())
      return true;
    if (isFree(definer, codes) || (nest && partOf.lookup(definer) == nest))
      return llvm::all_of(definer->getOperands(), available);
    return !missing.contains(definer);
  };
  auto ready = [&](Operation *op) {
    nest = partOf.lookup(op);
    auto isReady = [&](Operation *part) {
      return llvm::all_of(part->getOperands(), available);
    };
    auto found = nests.find(op);
    return found == nests.end() ? isReady(op)
                                : llvm::all_of(found->second.ops(), isReady);
  };

  while (!waiting.empty()) {
    SmallVector<Operation *> group;
    bool single = false;
    // What rows wait for, and takes no time, comes first: it cuts no group.
    auto small = llvm::find_if(waiting, [&](Operation *op) {
      return isa<mlir::fact::SelectPrecisionOp, mlir::fact::SelectAllOp>(op) &&
             ready(op);
    });
    for (Operation *op : waiting) {
      // The mean of one row that is no row of the sequence has no instruction.
      bool isMeanOfMean =
          isa<mlir::fact::MeanTokenOp>(op) && isSingle(op->getOperand(0));
      if (small != waiting.end() || !isRowLocal(op) || partOf.contains(op) ||
          isMeanOfMean || !ready(op) ||
          (!group.empty() && isSingle(op->getOperand(0)) != single))
        continue;
      if (group.empty())
        single = isSingle(op->getOperand(0));
      group.push_back(op);
      // The mean of all rows is there after the group.
      if (!isa<mlir::fact::MeanTokenOp>(op))
        missing.erase(op);
    }
    if (!group.empty()) {
      ArrayRef<Operation *> appended;
      if (!next.empty() &&
          llvm::is_contained(group, nextLayer.result.getDefiningOp()))
        appended = next;
      if (failed(RowGroup(*this, group, single, appended).lower()))
        return failure();
      for (Operation *op : group)
        missing.erase(op);
    } else {
      auto it = small;
      if (it == waiting.end())
        it = llvm::find_if(waiting, [&](Operation *op) {
          return (!partOf.contains(op) || nests.count(op)) && ready(op);
        });
      if (it == waiting.end()) {
        Operation *first = waiting.front();
        InFlightDiagnostic diagnostic =
            first->emitOpError()
            << "depends on a result that no instruction makes";
        for (Value operand : first->getOperands())
          if (Operation *maker = operand.getDefiningOp();
              maker && llvm::is_contained(waiting, maker))
            diagnostic.attachNote(maker->getLoc()) << "made here";
        return diagnostic;
      }
      loc = (*it)->getLoc();
      if (failed(checkSequence(*it)))
        return failure();
      auto found = nests.find(*it);
      if (found == nests.end()) {
        group.push_back(*it);
        if (failed(lowerWhole(*it)))
          return failure();
      } else {
        group = found->second.ops();
        if (failed(HeadLoop(*this, found->second).lower()))
          return failure();
      }
      for (Operation *op : group)
        missing.erase(op);
    }
    // `available` looks at the first waiting op for the block: keep one.
    DenseSet<Operation *> done(group.begin(), group.end());
    SmallVector<Operation *> rest;
    for (Operation *op : waiting)
      if (!done.contains(op))
        rest.push_back(op);
    waiting = std::move(rest);
  }
  return success();
}

LogicalResult Lowering::lowerWhole(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](fact::SelectOp typed) { return lowerSelect(typed); })
      .Case([&](fact::SelectAllOp typed) { return lowerSelectAll(typed); })
      .Case([&](fact::SelectPrecisionOp typed) {
        return lowerSelectPrecision(typed);
      })
      .Case([&](fact::QuantizedAttentionOp typed) {
        return lowerAttention(typed);
      })
      .Default([](Operation *other) {
        InFlightDiagnostic diagnostic = other->emitOpError()
                                        << "cannot be lowered to instructions";
        diagnostic.attachNote()
            << "the accelerator runs encoder layers: what --fact-raise and "
               "--fact-quantize leave "
               "alone has no instruction; see their remarks";
        return diagnostic;
      });
}
