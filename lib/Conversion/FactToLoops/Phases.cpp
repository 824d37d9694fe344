//===- Phases.cpp - Which ops go over a panel of rows together ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Phases.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

bool loops::isRowOp(Operation *op) {
  return isa<NormOp, RotateOp, ActivationOp, AddOp, MultiplyOp, QuantizeRowsOp,
             QuantizeHeadsOp, QuantizedLinearOp, EncodeOp, LogMatmulOp,
             NormalizeHeadsOp, RescaleOp, QuantizedAttentionOp>(op);
}

bool loops::readsByRow(OpOperand &operand) {
  auto isNot = [&](MutableOperandRange whole) {
    return llvm::none_of(whole, [&](OpOperand &each) {
      return each.getOperandNumber() == operand.getOperandNumber();
    });
  };
  return llvm::TypeSwitch<Operation *, bool>(operand.getOwner())
      .Case([&](NormOp op) {
        return isNot(op.getGammaMutable()) && isNot(op.getBetaMutable());
      })
      .Case([&](RotateOp op) {
        return isNot(op.getCosMutable()) && isNot(op.getSinMutable());
      })
      .Case([&](QuantizedLinearOp op) {
        return isNot(op.getWeightMutable()) &&
               isNot(op.getWeightScaleMutable()) && isNot(op.getBiasMutable());
      })
      .Case([&](LogMatmulOp op) {
        return isNot(op.getWeightMutable()) && isNot(op.getBiasMutable());
      })
      .Case([&](RescaleOp op) {
        return isNot(op.getWeightScaleMutable()) && isNot(op.getBiasMutable());
      })
      .Case([&](QuantizedAttentionOp op) {
        return isNot(op.getKeyMutable()) && isNot(op.getKeyScaleMutable()) &&
               isNot(op.getValueMutable()) &&
               isNot(op.getValueScaleMutable()) &&
               isNot(op.getTailKeyMutable()) &&
               isNot(op.getTailKeyScaleMutable()) &&
               isNot(op.getTailValueMutable()) &&
               isNot(op.getTailValueScaleMutable());
      })
      .Case<ActivationOp, AddOp, MultiplyOp, QuantizeRowsOp, QuantizeHeadsOp,
            EncodeOp, NormalizeHeadsOp>([](Operation *) { return true; })
      .Default([](Operation *) { return false; });
}

namespace {

/// The ops of a block as a graph.
class BlockGraph {
public:
  explicit BlockGraph(Block &block) : block(block) {
    Operation *lastEffect = nullptr;
    for (Operation &op : block) {
      SmallVector<Operation *> &before = predecessors[&op];
      auto add = [&](Value value) {
        Operation *source = value.getDefiningOp();
        source = source ? block.findAncestorOpInBlock(*source) : nullptr;
        if (source && source != &op)
          before.push_back(source);
      };
      op.walk([&](Operation *inside) {
        for (Value operand : inside->getOperands())
          add(operand);
      });
      if (!isMemoryEffectFree(&op)) {
        if (lastEffect)
          before.push_back(lastEffect);
        lastEffect = &op;
      }
    }
  }

  /// Unites row ops that are linked by rows, but for those between which
  /// something else stands.
  llvm::EquivalenceClasses<Operation *> unite() {
    DenseMap<Operation *, int64_t> levels;
    for (Operation &op : block) {
      int64_t level = 0;
      for (Operation *before : predecessors[&op])
        level = std::max(level, levels[before] + (isLink(before, &op) ? 0 : 1));
      levels[&op] = level;
    }
    llvm::EquivalenceClasses<Operation *> classes;
    DenseMap<std::pair<Value, int64_t>, Operation *> readers;
    for (Operation &op : block) {
      if (!isRowOp(&op))
        continue;
      classes.insert(&op);
      for (OpOperand &operand : op.getOpOperands()) {
        if (!readsByRow(operand))
          continue;
        Operation *source = operand.get().getDefiningOp();
        if (source && source->getBlock() == &block && isRowOp(source) &&
            levels[source] == levels[&op])
          classes.unionSets(source, &op);
        // Readers of the same rows.
        auto [first, isNew] =
            readers.try_emplace({operand.get(), levels[&op]}, &op);
        if (!isNew)
          classes.unionSets(first->second, &op);
      }
    }
    return classes;
  }

  const SmallVector<Operation *> &before(Operation *op) {
    return predecessors[op];
  }

private:
  static bool isLink(Operation *source, Operation *op) {
    if (!isRowOp(source) || !isRowOp(op))
      return false;
    return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
      return operand.get().getDefiningOp() != source || readsByRow(operand);
    });
  }

  Block &block;
  DenseMap<Operation *, SmallVector<Operation *>> predecessors;
};

} // namespace

SmallVector<Phase> loops::formPhases(Block &block) {
  BlockGraph graph(block);
  llvm::EquivalenceClasses<Operation *> classes = graph.unite();
  DenseMap<Operation *, SmallVector<Operation *>> members; // by leader
  for (Operation &op : block)
    if (isRowOp(&op))
      members[classes.getLeaderValue(&op)].push_back(&op);
  // Each op when what it needs is there, in the order of the block otherwise;
  // those of a phase all at once.
  SmallVector<Operation *> order;
  SmallVector<Phase> phases;
  DenseSet<Operation *> done;
  std::function<void(Operation *)> place = [&](Operation *op) {
    if (done.contains(op))
      return;
    ArrayRef<Operation *> all = op;
    if (isRowOp(op))
      all = members[classes.getLeaderValue(op)];
    done.insert(all.begin(), all.end());
    for (Operation *each : all)
      for (Operation *before : graph.before(each))
        place(before);
    if (isRowOp(op))
      phases.emplace_back(all);
    order.append(all.begin(), all.end());
  };
  if (members.empty())
    return phases;
  SmallVector<Operation *> before;
  for (Operation &op : block)
    before.push_back(&op);
  for (Operation *op : before)
    place(op);
  for (Operation *op : order)
    op->moveBefore(&block, block.end());
  return phases;
}
