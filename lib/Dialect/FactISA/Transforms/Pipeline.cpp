//===- Pipeline.cpp - Iterations of a loop overlap ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Pipeline.h"

#include "fact/Dialect/FactISA/IR/Instructions.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_PIPELINEPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;

namespace {

/// Of a block that is loaded: 8 rows of 768 numbers.
constexpr int64_t kMostBytesOfPiece = 24576;

/// The loop with its steps in their order, each for the iteration of its stage.
class LoopPipeliner {
public:
  LoopPipeliner(scf::ForOp loop, const ::fact::isa::Machine &machine,
                const ::fact::isa::Expectation &expected)
      : loop(loop), machine(machine), expected(expected), builder(loop) {}

  /// Null, or why the loop stays as it is.
  const char *run() {
    if (const char *reason = whyNot())
      return reason;
    expected.length = static_cast<int64_t>(length.getBound());
    for (auto load : llvm::make_early_inc_range(loop.getOps<LoadOp>()))
      split(load);
    body = readBody(loop, machine, expected);
    const char *reason = nullptr;
    std::optional<double> found = schedule(body, turns, reason);
    if (!found)
      return reason;
    interval = *found;
    rebuild();
    return nullptr;
  }

private:
  const char *whyNot() {
    APInt lower, stepValue;
    length = loop.getUpperBound().getDefiningOp<LengthOp>();
    auto independent = loop->getAttrOfType<IntegerAttr>(kIndependentAttrName);
    if (!independent)
      return "its iterations may depend on each other: it is not marked "
             "'factisa.independent'";
    if (loop.getNumResults() || !length ||
        !matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
        !lower.isZero() ||
        !matchPattern(loop.getStep(), m_ConstantInt(&stepValue)) ||
        !stepValue.isStrictlyPositive())
      return "it does not run from 0 to factisa.length in constant steps, "
             "without results";
    for (Operation &op : *loop.getBody())
      if (op.getNumRegions())
        return "it is not an innermost loop";
    step = stepValue.getSExtValue();
    turns = independent.getInt();
    if (static_cast<int64_t>(length.getBound()) <= step)
      return "it has one iteration";
    return nullptr;
  }

  /// Loads a large block piece by piece, so that LOAD can do others in between.
  void split(LoadOp load) {
    auto rows = static_cast<int64_t>(load.getRows()),
         bytes = static_cast<int64_t>(load.getRowBytes());
    int64_t count = std::max<int64_t>(1, kMostBytesOfPiece / bytes);
    if (load.getWhole() || rows <= count || onlyIteration(load.getRow0(), loop))
      return;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(load);
    Location loc = load.getLoc();
    auto piece = [&](Value address, int64_t offset) -> Value {
      return ViewOp::create(builder, loc, address.getType(), address, offset,
                            ValueRange(), ArrayRef<int64_t>());
    };
    for (int64_t first = 0; first < rows; first += count) {
      Value to = piece(load.getDst(), first * load.getDstStride()),
            from = piece(load.getSrc(), first * load.getSrcStride()),
            row0 = arith::AddIOp::create(
                builder, loc, load.getRow0(),
                arith::ConstantIndexOp::create(builder, loc, first));
      auto part = cast<LoadOp>(builder.clone(*load));
      part.getDstMutable().assign(to);
      part.getSrcMutable().assign(from);
      part.getRow0Mutable().assign(row0);
      part.setRows(std::min(count, rows - first));
    }
    load.erase();
  }

  void rebuild() {
    std::vector<unsigned> order = orderOf(body, interval);
    int64_t first = std::numeric_limits<int64_t>::max(),
            last = std::numeric_limits<int64_t>::min(), end = last, known = 0;
    for (const Step &each : body.steps) {
      int64_t stage = stageOf(each, interval), only = 0;
      for (Value operand : each.op->getOperands())
        only = std::max(only, onlyIteration(operand, loop).value_or(0));
      known = std::max(known, only);
      first = std::min(first, stage);
      last = std::max(last, stage);
      end = std::max(end, stage + only);
    }
    // Iterations that the loop has for something else.
    auto own = loop->getAttrOfType<IntegerAttr>(kExtraAttrName);
    if (own && own.getInt() > known)
      end = std::max(end, last + own.getInt());
    Places places = placeBuffers(body, order, interval, turns);
    SmallVector<Value> storages;
    for (const Places::Storage &storage : places.storages)
      storages.push_back(SramBufferOp::create(
          builder, storage.loc, SramType::get(builder.getContext()),
          storage.memory, storage.bytes, storage.label, IntegerAttr()));

    auto result =
        scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(),
                           loop.getUpperBound(), loop.getStep());
    result->setAttr(kExtraAttrName, builder.getI64IntegerAttr(end - first));
    builder.setInsertionPointToStart(result.getBody());
    counter = result.getInductionVar();
    maps.resize(last - first + 1);
    for (auto [stage, map] : llvm::enumerate(maps)) {
      Value row = counter;
      if (stage > 0)
        row = arith::AddIOp::create(builder, loop.getLoc(), counter,
                                    index(-static_cast<int64_t>(stage) * step));
      map.map(loop.getInductionVar(), row);
      for (auto [buffer, place] : llvm::zip(body.buffers, places.ofBuffer))
        map.map(buffer.op.getResult(),
                slot(buffer.op, storages[place.storage], place.slots,
                     static_cast<int64_t>(stage)));
    }
    for (unsigned s : order) {
      IRMapping &map = maps[stageOf(body.steps[s], interval) - first];
      clone(body.steps[s].op, map);
    }
    loop.erase();
  }

  Value index(int64_t value) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(counter.getParentBlock()->getParentOp());
    return arith::ConstantIndexOp::create(builder, loop.getLoc(), value);
  }

  Value slot(SramBufferOp buffer, Value storage, int64_t slots, int64_t stage) {
    if (slots == 1)
      return storage;
    Value phase = PhaseOp::create(builder, buffer.getLoc(), counter, stage,
                                  static_cast<uint64_t>(slots));
    return ViewOp::create(builder, buffer.getLoc(), storage.getType(), storage,
                          0, phase, static_cast<int64_t>(buffer.getBytes()));
  }

  /// An instruction, and before it what its operands are made of.
  void clone(Operation *op, IRMapping &map) {
    for (Value operand : op->getOperands()) {
      Operation *maker = operand.getDefiningOp();
      if (maker && maker->getBlock() == loop.getBody() &&
          !map.contains(operand))
        clone(maker, map);
    }
    Operation *cloned = builder.clone(*op, map);
    // What is loaded as a whole is loaded for an iteration that has rows.
    auto ofIteration = [&](auto load) {
      if (load && load.getWhole() && matchPattern(load.getRow0(), m_Zero()))
        load.getRow0Mutable().assign(map.lookup(loop.getInductionVar()));
    };
    ofIteration(dyn_cast<LoadOp>(cloned));
    ofIteration(dyn_cast<LoadWeightOp>(cloned));
  }

  scf::ForOp loop;
  const ::fact::isa::Machine &machine;
  ::fact::isa::Expectation expected;
  OpBuilder builder;
  LengthOp length;
  int64_t step = 0, turns = 0;
  Body body;
  double interval = 0;
  Value counter;
  SmallVector<IRMapping, 4> maps; ///< By stage.
};

struct PipelinePass : public factisa::impl::PipelinePassBase<PipelinePass> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<::fact::isa::Machine> loaded =
        loadMachine(machine, getOperation().getLoc());
    if (failed(loaded))
      return signalPassFailure();
    Pipelining result = pipelineLoops(getOperation(), *loaded);
    remarkMissed(getOperation(), result);
    numPipelined += result.pipelined;
    numMissed += static_cast<int64_t>(result.missed.size());
  }
};

} // namespace

::fact::isa::Expectation factisa::expectationOf(func::FuncOp program) {
  // Masks that no selection makes may keep everything.
  ::fact::isa::Expectation expected;
  auto shareOf = [](Operation *op) {
    auto share = op->getAttrOfType<FloatAttr>(kExpectedAttrName);
    return share ? share.getValueAsDouble() : 1.0;
  };
  program.walk([&](SelTopKOp op) {
    expected.kept = std::min(expected.kept, shareOf(op));
  });
  bool hasPrecision = false;
  program.walk([&](SelPrecisionOp op) {
    double low = shareOf(op);
    expected.low = hasPrecision ? std::min(expected.low, low) : low;
    hasPrecision = true;
  });
  return expected;
}

Pipelining factisa::pipelineLoops(func::FuncOp program,
                                  const ::fact::isa::Machine &machine) {
  Pipelining result;
  SmallVector<scf::ForOp> loops;
  program.walk([&](scf::ForOp loop) { loops.push_back(loop); });
  const ::fact::isa::Expectation expected = expectationOf(program);
  for (scf::ForOp loop : loops) {
    Location loc = loop.getLoc();
    if (const char *reason = LoopPipeliner(loop, machine, expected).run())
      result.missed.push_back({loc, reason});
    else
      ++result.pipelined;
  }
  return result;
}

void factisa::remarkMissed(func::FuncOp program, const Pipelining &pipelining) {
  for (auto [loc, reason] : pipelining.missed)
    remark::missed(loc, remark::RemarkOpts::name("NotPipelined")
                            .category("factisa-pipeline")
                            .function(program.getName()))
        << remark::reason("{0}", reason);
}
