//===- InsertSemaphores.cpp - Order between engines -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/ISA/Instructions.h"
#include "fact/ISA/Machine.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_INSERTSEMAPHORESPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;
using ::fact::isa::Engine;

namespace {

constexpr unsigned numEngines = 7; // CTRL is never ordered: it dispatches.

/// A range of bytes that an instruction touches.
struct Effect {
  bool dram, write;
  int64_t begin, end;

  bool conflicts(const Effect &other) const {
    return (write || other.write) && dram == other.dram && begin < other.end &&
           other.begin < end;
  }
};

/// An instruction, or a loop seen from outside: what each engine does in it.
struct Node {
  Operation *op;
  std::array<SmallVector<Effect, 2>, numEngines> effects;
  bool uses(unsigned engine) const { return !effects[engine].empty(); }

  bool conflicts(unsigned engine, const Node &other,
                 unsigned otherEngine) const {
    for (const Effect &a : effects[engine])
      for (const Effect &b : other.effects[otherEngine])
        if (a.conflicts(b))
          return true;
    return false;
  }
};

/// Signals of `from` that `to` waits for: (position of the signalling node,
/// position of the waiting node), both rising.
using Pairs = SmallVector<std::pair<size_t, size_t>>;

class SemaphoreInserter {
public:
  LogicalResult run(func::FuncOp program) {
    if (failed(order(program.getBody().front(), /*depth=*/0, nullptr)))
      return failure();
    return number(program);
  }

  int64_t pairs = 0, carriedPairs = 0;

private:
  /// Gives the semaphores the numbers 0, 1, ... in the order of their first
  /// use.
  LogicalResult number(func::FuncOp program) {
    DenseMap<int64_t, int64_t> numbers;
    auto renumber = [&](auto op) {
      auto found = numbers.try_emplace(op.getSemaphore(), numbers.size()).first;
      op.setSemaphore(found->second);
    };
    program.walk([&](Operation *op) {
      llvm::TypeSwitch<Operation *>(op).Case<SignalOp, WaitOp>(renumber);
    });
    // The machine may have fewer; the encoder knows it.
    constexpr int64_t most = 1 << ::fact::isa::semaphoreBits;
    if (static_cast<int64_t>(numbers.size()) > most)
      return program.emitError() << "needs more semaphores than there are ("
                                 << numbers.size() << " of " << most << ")";
    return success();
  }

  FailureOr<Node> describe(Operation *op) {
    Node node;
    node.op = op;
    if (op->getNumRegions() != 0)
      return op->emitOpError() << "is no loop of a program: only 'scf.for' is",
             failure();
    const ::fact::isa::InstructionInfo *info = instructionOf(op);
    if (!info)
      return node; // names memory: no instruction
    for (const AddressUse &use : addressesOf(op)) {
      // An index moves an address within its buffer: the whole buffer counts.
      Value buffer = bufferOf(use.address());
      std::optional<int64_t> address;
      int64_t bytes = 0;
      if (auto sram = buffer.getDefiningOp<SramBufferOp>()) {
        address = sram.getAddress();
        bytes = sram.getBytes();
      } else if (auto dram = buffer.getDefiningOp<DramBufferOp>()) {
        address = dram.getAddress();
        bytes = dram.getBytes();
      }
      if (!address)
        return op->emitOpError() << "has an operand without an address: run "
                                    "--factisa-plan-memory first",
               failure();
      node.effects[static_cast<unsigned>(info->engine)].push_back(
          {use.dram, use.write, *address, *address + bytes});
    }
    return node;
  }

  /// Positions (j, i): what engine `from` does in nodes[j] must be done before
  /// what engine `to` does in nodes[i]. With `carried`, j is in the iteration
  /// before.
  Pairs findPairs(ArrayRef<Node> nodes, ArrayRef<size_t> fromNodes,
                  ArrayRef<size_t> toNodes, unsigned from, unsigned to,
                  bool carried, size_t firstWait) {
    Pairs found;
    int64_t ordered = -1; // the last node of `from` that `to` has waited for
    for (size_t i : toNodes) {
      // Who waits for this iteration's work has waited for the last one's.
      if (carried && i >= firstWait)
        break;
      for (size_t j : llvm::reverse(fromNodes)) {
        if (!carried && j >= i)
          continue;
        if (static_cast<int64_t>(j) <= ordered)
          break;
        if (!nodes[j].conflicts(from, nodes[i], to))
          continue;
        found.push_back({j, i});
        ordered = j;
        break;
      }
    }
    return found;
  }

  void signal(OpBuilder &builder, Location loc, unsigned engine,
              int64_t semaphore) {
    SignalOp::create(builder, loc, static_cast<EngineId>(engine), semaphore);
  }
  void wait(OpBuilder &builder, Location loc, unsigned engine,
            int64_t semaphore) {
    WaitOp::create(builder, loc, static_cast<EngineId>(engine), semaphore);
  }

  /// Orders a block; returns its effects as one node in `summary`.
  LogicalResult order(Block &block, unsigned depth, Node *summary) {
    std::vector<Node> nodes;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      Node node;
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        node.op = loop;
        if (failed(order(*loop.getBody(), depth + 1, &node)))
          return failure();
      } else {
        FailureOr<Node> described = describe(&op);
        if (failed(described))
          return failure();
        node = std::move(*described);
      }
      nodes.push_back(std::move(node));
    }
    std::array<SmallVector<size_t>, numEngines> byEngine;
    for (auto [i, node] : llvm::enumerate(nodes))
      for (unsigned engine = 1; engine < numEngines; ++engine)
        if (node.uses(engine))
          byEngine[engine].push_back(i);
    OpBuilder builder(block.getParentOp()->getContext());
    for (unsigned from = 1; from < numEngines; ++from) {
      for (unsigned to = 1; to < numEngines; ++to) {
        if (from == to)
          continue;
        size_t firstWait = nodes.size();
        for (bool carried : {false, true}) {
          auto loop = dyn_cast<scf::ForOp>(block.getParentOp());
          if (carried && !loop)
            continue;
          Pairs found = findPairs(nodes, byEngine[from], byEngine[to], from, to,
                                  carried, firstWait);
          if (found.empty())
            continue;
          firstWait = found.front().second;
          // Blocks one after the other may share a semaphore: both engines meet
          // their signals and waits in the same order. Nested ones may not.
          int64_t semaphore =
              ((depth * 2 + carried) * numEngines + from) * numEngines + to;
          for (auto [j, i] : found) {
            builder.setInsertionPointAfter(nodes[j].op);
            signal(builder, nodes[j].op->getLoc(), from, semaphore);
            builder.setInsertionPoint(nodes[i].op);
            wait(builder, nodes[i].op->getLoc(), to, semaphore);
            if (carried) {
              builder.setInsertionPoint(loop);
              signal(builder, nodes[j].op->getLoc(), from, semaphore);
              builder.setInsertionPointAfter(loop);
              wait(builder, nodes[i].op->getLoc(), to, semaphore);
            }
          }
          (carried ? carriedPairs : pairs) += found.size();
        }
      }
    }
    if (summary)
      for (const Node &node : nodes)
        for (unsigned engine = 0; engine < numEngines; ++engine)
          merge(summary->effects[engine], node.effects[engine]);
    return success();
  }

  static void merge(SmallVector<Effect, 2> &into, ArrayRef<Effect> from) {
    for (const Effect &effect : from)
      if (llvm::none_of(into, [&](const Effect &other) {
            return other.dram == effect.dram && other.write >= effect.write &&
                   other.begin <= effect.begin && effect.end <= other.end;
          }))
        into.push_back(effect);
  }
};

/// What orders engines already; null where nothing does.
Operation *findSemaphore(func::FuncOp program) {
  Operation *found = nullptr;
  program.walk([&](Operation *op) {
    if (!isa<SignalOp, WaitOp>(op))
      return WalkResult::advance();
    found = op;
    return WalkResult::interrupt();
  });
  return found;
}

struct InsertSemaphoresPass
    : public factisa::impl::InsertSemaphoresPassBase<InsertSemaphoresPass> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    if (!getOperation().getBody().hasOneBlock()) {
      getOperation().emitError()
          << "must have one block: a program's loops are 'scf.for'";
      return signalPassFailure();
    }
    if (Operation *other = findSemaphore(getOperation())) {
      InFlightDiagnostic diagnostic =
          getOperation().emitError()
          << "has semaphores already: --factisa-insert-semaphores runs once";
      diagnostic.attachNote(other->getLoc()) << "the first one is here";
      return signalPassFailure();
    }
    SemaphoreInserter inserter;
    if (failed(inserter.run(getOperation())))
      return signalPassFailure();
    numPairs += inserter.pairs;
    numCarried += inserter.carriedPairs;
  }
};

} // namespace
