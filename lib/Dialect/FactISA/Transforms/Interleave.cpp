//===- Interleave.cpp - Two iterations of a loop in turn ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Unroll and jam by two. An iteration is a chain from engine to engine (load,
// normalise, multiply, rescale, ...), and every engine works in program order:
// in one chain all but one engine wait. Two chains in turn keep two engines at
// work.
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/ISA/Instructions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_INTERLEAVEPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;

namespace {

class LoopInterleaver {
public:
  explicit LoopInterleaver(scf::ForOp loop) : loop(loop), builder(loop) {}

  /// Null, or why the loop stays as it is.
  const char *whyNot() {
    APInt lower, stepValue, upper;
    length = loop.getUpperBound().getDefiningOp<LengthOp>();
    if (!loop->hasAttr(kIndependentAttrName))
      return "its iterations may depend on each other: it is not marked "
             "'factisa.independent'";
    if (loop.getNumResults() ||
        !matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
        !lower.isZero() ||
        !matchPattern(loop.getStep(), m_ConstantInt(&stepValue)) ||
        !stepValue.isStrictlyPositive() ||
        (!length && !matchPattern(loop.getUpperBound(), m_ConstantInt(&upper))))
      return "it does not run from 0 to a constant or to factisa.length in "
             "constant steps, without results";
    for (Operation &op : *loop.getBody())
      if (op.getNumRegions())
        return "it is not an innermost loop";
    step = stepValue.getSExtValue();
    limit = length ? length.getBound() : upper.getSExtValue();
    if (limit <= step)
      return "it has one iteration";
    return nullptr;
  }

  void interleave() {
    Value zero = index(0);
    int64_t trips = llvm::divideCeil(limit, step);
    // Rows past the sequence's length are none: an instruction does nothing for
    // them. Other iterations must exist, so that an odd one comes after the
    // loop.
    int64_t pairs = length ? llvm::divideCeil(trips, 2) : trips / 2;
    if (pairs == 1) {
      cloneBody({zero, index(step)});
    } else {
      Value stepValue = index(step);
      Value upper = length ? loop.getUpperBound() : index(pairs * 2 * step);
      auto paired = scf::ForOp::create(builder, loop.getLoc(), zero, upper,
                                       index(2 * step));
      paired->setAttrs(loop->getAttrs());
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(paired.getBody());
      Value first = paired.getInductionVar();
      Value second =
          arith::AddIOp::create(builder, loop.getLoc(), first, stepValue);
      cloneBody({first, second});
    }
    if (!length && trips % 2)
      cloneBody({index((trips - 1) * step)});
    loop.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loop.getLoc(), value);
  }

  /// The value is one and the same in all iterations.
  bool isCommon(Value value) {
    if (value == loop.getInductionVar())
      return false;
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != loop.getBody())
      return true;
    if (auto buffer = dyn_cast<SramBufferOp>(op))
      return isShared(buffer);
    return llvm::all_of(op->getOperands(),
                        [&](Value operand) { return isCommon(operand); });
  }

  /// The buffer is only ever loaded, and with what is the same in all
  /// iterations: a tile of a weight, say. Both read one copy.
  bool isShared(SramBufferOp buffer) {
    auto [it, isNew] = shared.try_emplace(buffer, true);
    if (!isNew)
      return it->second;
    bool result = true;
    SmallVector<Value> addresses = {buffer.getResult()};
    while (!addresses.empty() && result) {
      for (Operation *user : addresses.pop_back_val().getUsers()) {
        if (auto view = dyn_cast<ViewOp>(user))
          addresses.push_back(view.getResult());
        for (const AddressUse &use : addressesOf(user))
          if (use.write && bufferOf(use.address()) == buffer.getResult())
            result &= isa<LoadOp>(user) &&
                      llvm::all_of(user->getOperands(),
                                   [&](Value v) { return isCommon(v); });
      }
    }
    return shared[buffer] = result;
  }

  /// One clone serves all iterations.
  bool needsOne(Operation &op) {
    if (isa<LoadOp>(op)) {
      auto buffer = bufferOf(addressesOf(&op).front().address())
                        .getDefiningOp<SramBufferOp>();
      return buffer && buffer->getBlock() == loop.getBody() && isShared(buffer);
    }
    return !instructionOf(&op) && op.getNumResults() == 1 &&
           isCommon(op.getResult(0));
  }

  /// What one engine does at a stretch, once per iteration. Ops that are no
  /// instructions belong to the instruction that they come before.
  void cloneBody(ArrayRef<Value> iterations) {
    SmallVector<IRMapping, 2> maps(iterations.size());
    for (auto [map, iteration] : llvm::zip(maps, iterations))
      map.map(loop.getInductionVar(), iteration);
    SmallVector<Operation *> run;
    auto cloneRun = [&] {
      DenseMap<Operation *, Operation *> once;
      for (IRMapping &map : maps) {
        for (Operation *op : run) {
          if (Operation *clone = once.lookup(op)) {
            map.map(op->getResults(), clone->getResults());
            continue;
          }
          Operation *clone = builder.clone(*op, map);
          if (needsOne(*op))
            once[op] = clone;
        }
      }
      run.clear();
    };
    std::optional<::fact::isa::Engine> engine;
    size_t ended = 0; // ops of the run up to its last instruction
    for (Operation &op : loop.getBody()->without_terminator()) {
      const ::fact::isa::InstructionInfo *info = instructionOf(&op);
      if (info && engine && *engine != info->engine) {
        SmallVector<Operation *> next(run.begin() + ended, run.end());
        run.truncate(ended);
        cloneRun();
        run = std::move(next);
      }
      run.push_back(&op);
      if (info) {
        engine = info->engine;
        ended = run.size();
      }
    }
    cloneRun();
  }

  scf::ForOp loop;
  OpBuilder builder;
  LengthOp length;
  int64_t step = 0, limit = 0;
  DenseMap<Operation *, bool> shared;
};

struct InterleavePass
    : public factisa::impl::InterleavePassBase<InterleavePass> {
  using Base::Base;

  void runOnOperation() override {
    Interleaving interleaving = interleaveLoops(getOperation());
    remarkMissed(getOperation(), interleaving);
    numInterleaved += interleaving.interleaved;
    numMissed += interleaving.missed.size();
  }
};

} // namespace

Interleaving factisa::interleaveLoops(func::FuncOp program) {
  Interleaving result;
  SmallVector<scf::ForOp> loops;
  program.walk([&](scf::ForOp loop) { loops.push_back(loop); });
  for (scf::ForOp loop : loops) {
    LoopInterleaver interleaver(loop);
    if (const char *reason = interleaver.whyNot()) {
      result.missed.push_back({loop.getLoc(), reason});
      continue;
    }
    interleaver.interleave();
    ++result.interleaved;
  }
  return result;
}

void factisa::remarkMissed(func::FuncOp program,
                           const Interleaving &interleaving) {
  for (auto [loc, reason] : interleaving.missed)
    remark::missed(loc, remark::RemarkOpts::name("NotInterleaved")
                            .category("factisa-interleave")
                            .function(program.getName()))
        << remark::reason("{0}", reason);
}
