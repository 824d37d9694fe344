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

/// Greedy list scheduling of the ops of one function: all row-local ops whose
/// operands are there form the next group; where there is none, the next other
/// op in program order runs.
class Lowering::Order {
public:
  Order(Lowering &lowering, ArrayRef<Operation *> ops,
        ArrayRef<Operation *> next)
      : lowering(lowering), next(next) {
    for (Operation *op : ops)
      if (!isFree(op, lowering.codes))
        waiting.push_back(op);
    missing.insert(waiting.begin(), waiting.end());
    if (lowering.tiling.heads.rows > 0)
      findNests(ops);
  }

  LogicalResult lower() {
    while (!waiting.empty()) {
      FailureOr<SmallVector<Operation *>> lowered = lowerNext();
      if (failed(lowered))
        return failure();
      for (Operation *op : *lowered)
        missing.erase(op);
      // isAvailable() looks at the first waiting op for the block: keep one.
      DenseSet<Operation *> done(lowered->begin(), lowered->end());
      llvm::erase_if(waiting, [&](Operation *op) { return done.contains(op); });
    }
    return success();
  }

private:
  void findNests(ArrayRef<Operation *> ops);
  void addNest(Operation *op, std::optional<HeadNest> nest);
  bool isAvailable(Value value, Operation *nest) const;
  bool isReady(Operation *op) const;
  SmallVector<Operation *> takeGroup(bool &isSingle);
  FailureOr<SmallVector<Operation *>> lowerNext();
  FailureOr<SmallVector<Operation *>> lowerOne(Operation *op);
  LogicalResult reportStuck() const;

  Lowering &lowering;
  ArrayRef<Operation *> next; ///< of the next layer, appended to a group
  SmallVector<Operation *> waiting;
  DenseSet<Operation *> missing; ///< whose results are not there
  /// What loops over heads do, by the attention or selection of each.
  DenseMap<Operation *, HeadNest> nests;
  DenseMap<Operation *, Operation *> partOf;
};

void Lowering::Order::findNests(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (auto attention = dyn_cast<fact::QuantizedAttentionOp>(op))
      addNest(op, findHeadNest(attention, missing, lowering.codes,
                               !lowering.tiling.heads.selectsApart));
  for (Operation *op : ops)
    if (auto select = dyn_cast<fact::SelectOp>(op);
        select && !partOf.contains(select))
      addNest(op, findHeadNest(select, missing, lowering.codes));
}

/// One head of K and V has no other to be worked on meanwhile, and no nest.
void Lowering::Order::addNest(Operation *op, std::optional<HeadNest> nest) {
  bool isDifferential = lowering.tiling.heads.isDifferential;
  const char *reason =
      nest ? nest->whyNotDifferential()
           : "its Q, K and V are not made for it alone, of the same rows";
  if (isDifferential && reason && isa<fact::QuantizedAttentionOp>(op))
    lowering.notDifferential.push_back({op->getLoc(), reason});
  if (!nest)
    return;
  nest->isDifferential = !reason && isDifferential;
  if (nest->getGroups() == 1 && !nest->isDifferential)
    return;
  if (const SpeculatedRows *rows = lowering.speculationOf(op)) {
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
}

/// Whether a value is there, or is made by what is lowered with `nest`.
bool Lowering::Order::isAvailable(Value value, Operation *nest) const {
  Operation *definer = value.getDefiningOp();
  if (!definer || !definer->getBlock() ||
      definer->getBlock() != waiting.front()->getBlock())
    return true;
  if (isFree(definer, lowering.codes) ||
      (nest && partOf.lookup(definer) == nest))
    return llvm::all_of(definer->getOperands(), [&](Value operand) {
      return isAvailable(operand, nest);
    });
  return !missing.contains(definer);
}

bool Lowering::Order::isReady(Operation *op) const {
  Operation *nest = partOf.lookup(op);
  auto hasOperands = [&](Operation *part) {
    return llvm::all_of(part->getOperands(), [&](Value operand) {
      return isAvailable(operand, nest);
    });
  };
  auto found = nests.find(op);
  return found == nests.end() ? hasOperands(op)
                              : llvm::all_of(found->second.ops(), hasOperands);
}

/// The row-local ops that can be done now, all on rows of the sequence or, with
/// `isSingle`, on rows of their own.
SmallVector<Operation *> Lowering::Order::takeGroup(bool &isSingle) {
  SmallVector<Operation *> group;
  for (Operation *op : waiting) {
    if (!isRowLocal(op) || partOf.contains(op))
      continue;
    bool ofOneRow = lowering.isSingle(op->getOperand(0));
    // The mean of one row that is no row of the sequence has no instruction.
    bool isMeanOfMean = isa<fact::MeanTokenOp>(op) && ofOneRow;
    if (isMeanOfMean || !isReady(op) ||
        (!group.empty() && ofOneRow != isSingle))
      continue;
    isSingle = ofOneRow;
    group.push_back(op);
    // The mean of all rows is there after the group.
    if (!isa<fact::MeanTokenOp>(op))
      missing.erase(op);
  }
  return group;
}

/// Lowers what comes next, and returns it.
FailureOr<SmallVector<Operation *>> Lowering::Order::lowerNext() {
  // What rows wait for, and takes no time, comes first: it cuts no group.
  auto small = llvm::find_if(waiting, [&](Operation *op) {
    return isa<fact::SelectPrecisionOp, fact::SelectAllOp>(op) && isReady(op);
  });
  if (small != waiting.end())
    return lowerOne(*small);
  bool isSingle = false;
  SmallVector<Operation *> group = takeGroup(isSingle);
  if (!group.empty()) {
    ArrayRef<Operation *> appended;
    if (!next.empty() &&
        llvm::is_contained(group, lowering.nextLayer.result.getDefiningOp()))
      appended = next;
    if (failed(RowGroup(lowering, group, isSingle, appended).lower()))
      return failure();
    return group;
  }
  auto other = llvm::find_if(waiting, [&](Operation *op) {
    return (!partOf.contains(op) || nests.count(op)) && isReady(op);
  });
  if (other == waiting.end())
    return reportStuck();
  return lowerOne(*other);
}

FailureOr<SmallVector<Operation *>> Lowering::Order::lowerOne(Operation *op) {
  lowering.loc = op->getLoc();
  if (failed(lowering.checkSequence(op)))
    return failure();
  auto found = nests.find(op);
  if (found == nests.end()) {
    if (failed(lowering.lowerWhole(op)))
      return failure();
    return SmallVector<Operation *>{op};
  }
  if (failed(HeadLoop(lowering, found->second).lower()))
    return failure();
  return found->second.ops();
}

LogicalResult Lowering::Order::reportStuck() const {
  Operation *first = waiting.front();
  InFlightDiagnostic diagnostic =
      first->emitOpError() << "depends on a result that no instruction makes";
  for (Value operand : first->getOperands())
    if (Operation *maker = operand.getDefiningOp();
        maker && llvm::is_contained(waiting, maker))
      diagnostic.attachNote(maker->getLoc()) << "made here";
  return diagnostic;
}

LogicalResult Lowering::lowerOps(ArrayRef<Operation *> ops,
                                 ArrayRef<Operation *> next) {
  return Order(*this, ops, next).lower();
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
