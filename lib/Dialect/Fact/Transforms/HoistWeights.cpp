//===- HoistWeights.cpp - Moves ops on weights out of layer functions -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::fact {
#define GEN_PASS_DEF_HOISTWEIGHTSPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// Compile-time ops of one block by name, attributes and operands, so that
/// equal ones are made once.
class SharedOps {
public:
  /// An op that equals `op` on `operands`, right behind the last of them.
  Operation *cloneOrReuse(Operation *op, ArrayRef<Value> operands) {
    SmallVectorImpl<Operation *> &known = byOperand[operands.front()];
    for (Operation *other : known)
      if (other->getName() == op->getName() &&
          other->getAttrDictionary() == op->getAttrDictionary() &&
          llvm::equal(other->getOperands(), operands))
        return other;
    Value last = operands.front();
    for (Value operand : operands.drop_front())
      if (isBehind(operand, last))
        last = operand;
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfterValue(last);
    IRMapping mapping;
    mapping.map(op->getOperands(), operands);
    Operation *clone = builder.clone(*op, mapping);
    known.push_back(clone);
    return clone;
  }

private:
  static bool isBehind(Value a, Value b) {
    Operation *opA = a.getDefiningOp(), *opB = b.getDefiningOp();
    return opA && (!opB || (opA->getBlock() == opB->getBlock() &&
                            opB->isBeforeInBlock(opA)));
  }
  DenseMap<Value, SmallVector<Operation *, 4>> byOperand;
};

struct HoistWeightsPass
    : mlir::fact::impl::HoistWeightsPassBase<HoistWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    // A layer's caller may be such a function itself.
    bool changed = true;
    while (changed) {
      changed = false;
      SymbolTableCollection symbols;
      SymbolUserMap users(symbols, getOperation());
      for (auto function : getOperation().getOps<func::FuncOp>())
        changed |= hoist(function, users);
    }
    getOperation().walk([&](CompileTimeOpInterface op) { reportIfLeft(op); });
  }

private:
  bool hoist(func::FuncOp function, SymbolUserMap &users);
  void reportIfLeft(Operation *op);
};

} // namespace

/// A code of activations, queries or keys is made at run time: that is what the
/// op is for.
static bool isOnWeights(Operation *op) {
  auto encode = dyn_cast<EncodeOp>(op);
  return isa<CompileTimeOpInterface>(op) &&
         (!encode || encode.getOperand() == PredictorOperand::Weight);
}

static bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

/// Compile-time ops of `function` that need nothing but its arguments, and
/// constants beside them, in order.
static void collectHoistable(func::FuncOp function,
                             SetVector<Operation *> &ops) {
  Block &entry = function.getBody().front();
  for (Operation &op : entry) {
    if (!isOnWeights(&op))
      continue;
    if (llvm::all_of(op.getOperands(),
                     [&](Value operand) {
                       return isa<BlockArgument>(operand) ||
                              isConstant(operand) ||
                              ops.contains(operand.getDefiningOp());
                     }) &&
        !llvm::all_of(op.getOperands(), isConstant)) // else it folds
      ops.insert(&op);
  }
}

bool HoistWeightsPass::hoist(func::FuncOp function, SymbolUserMap &users) {
  if (function.isExternal())
    return false;
  SetVector<Operation *> ops;
  collectHoistable(function, ops);
  if (ops.empty() || !function.isPrivate())
    return false;
  SmallVector<func::CallOp> calls;
  for (Operation *user : users.getUsers(function)) {
    auto call = dyn_cast<func::CallOp>(user);
    if (!call || function->isAncestor(call))
      return false; // its signature is not ours to change
    calls.push_back(call);
  }
  if (calls.empty())
    return false;
  // Users come in no order that two runs share.
  llvm::sort(calls, [](func::CallOp a, func::CallOp b) {
    return a->getBlock() == b->getBlock()
               ? a->isBeforeInBlock(b)
               : a->getParentOfType<func::FuncOp>()->isBeforeInBlock(
                     b->getParentOfType<func::FuncOp>());
  });

  // Where each moved result goes: behind the argument that it comes from.
  Block &entry = function.getBody().front();
  DenseMap<Operation *, unsigned> rootOf;
  std::vector<SmallVector<OpResult>> behind(function.getNumArguments());
  for (Operation *op : ops) {
    Value first = *llvm::find_if_not(op->getOperands(), isConstant);
    auto argument = dyn_cast<BlockArgument>(first);
    unsigned root =
        argument ? argument.getArgNumber() : rootOf[first.getDefiningOp()];
    rootOf[op] = root;
    for (OpResult result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !ops.contains(user); }))
        behind[root].push_back(result);
  }
  auto staysUsed = [&](BlockArgument argument) {
    return argument.use_empty() ||
           llvm::any_of(argument.getUsers(),
                        [&](Operation *user) { return !ops.contains(user); });
  };
  llvm::BitVector erased(function.getNumArguments());
  for (BlockArgument argument : entry.getArguments())
    erased[argument.getArgNumber()] = !staysUsed(argument);

  SharedOps shared;
  for (func::CallOp call : calls) {
    IRMapping mapping;
    for (auto [argument, operand] :
         llvm::zip_equal(entry.getArguments(), call.getOperands()))
      mapping.map(argument, operand);
    for (Operation *op : ops) {
      SmallVector<Value> operands;
      for (Value operand : op->getOperands()) {
        if (isConstant(operand) && !mapping.contains(operand)) {
          // Where the operands that it goes with may come from anywhere above.
          OpBuilder builder(op->getContext());
          builder.setInsertionPointToStart(call->getBlock());
          builder.clone(*operand.getDefiningOp(), mapping);
        }
        operands.push_back(mapping.lookup(operand));
      }
      Operation *moved = shared.cloneOrReuse(op, operands);
      mapping.map(op->getResults(), moved->getResults());
    }
    SmallVector<Value> operands;
    for (auto [index, operand] : llvm::enumerate(call.getOperands())) {
      if (!erased[index])
        operands.push_back(operand);
      for (OpResult result : behind[index])
        operands.push_back(mapping.lookup(Value(result)));
    }
    call->setOperands(operands);
  }

  SmallVector<unsigned> positions;
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  SmallVector<Location> locations;
  SmallVector<OpResult> results;
  for (auto [index, list] : llvm::enumerate(behind))
    for (OpResult result : list) {
      positions.push_back(index + 1);
      types.push_back(result.getType());
      attributes.push_back({});
      locations.push_back(result.getLoc());
      results.push_back(result);
    }
  SmallVector<BlockArgument> before(entry.getArguments());
  if (failed(function.insertArguments(positions, types, attributes, locations)))
    return false;
  SmallVector<BlockArgument> fresh;
  DenseSet<Value> old(before.begin(), before.end());
  for (BlockArgument argument : entry.getArguments())
    if (!old.contains(argument))
      fresh.push_back(argument);
  for (auto [result, argument] : llvm::zip_equal(results, fresh))
    Value(result).replaceUsesWithIf(argument, [&](OpOperand &use) {
      return !ops.contains(use.getOwner());
    });
  for (Operation *op : llvm::reverse(ops)) {
    op->erase();
    ++numHoisted;
  }
  llvm::BitVector unused(function.getNumArguments());
  for (BlockArgument argument : before)
    if (erased[llvm::find(before, argument) - before.begin()])
      unused.set(argument.getArgNumber());
  (void)function.eraseArguments(unused);
  return true;
}

/// Ops whose weight is not known while compiling stay: say so.
void HoistWeightsPass::reportIfLeft(Operation *op) {
  if (!isOnWeights(op))
    return;
  // Weights come through constants and other such ops; those report themselves.
  for (Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    if (producer && (producer->hasTrait<OpTrait::ConstantLike>() ||
                     isa<CompileTimeOpInterface>(producer)))
      continue;
    ++missedWeights;
    missed(op, "WeightNotConstant", "fact-hoist-weights")
        << remark::reason(
               "the weight is not a constant: it is quantized at every run")
        << remark::suggest("pass weights as constants to private functions "
                           "that are only called directly");
    return;
  }
}
