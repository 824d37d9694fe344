//===- PipelineGraph.cpp - What the steps of a body need ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AnyIteration.h"
#include "Pipeline.h"

#include "fact/Dialect/FactISA/IR/Instructions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>

using namespace mlir;
using namespace mlir::factisa;
namespace target = ::fact::isa;

namespace {
/// What a step touches of a buffer.
struct Touch {
  unsigned step;
  bool write;
  int64_t begin;
  target::Rows rows;
  PhaseOp slot;    ///< Of a ring; null if there is none.
  int64_t advance; ///< Bytes from an iteration's place to the next one's.

  int64_t end() const { return begin + rows.span(); }
};

/// Whether one iteration's touch may meet another one's: not where each has its
/// own rows.
bool meetLater(const Touch &a, const Touch &b) {
  return a.advance != b.advance ||
         std::max(a.end(), b.end()) - std::min(a.begin, b.begin) > a.advance;
}

/// Whether two touches may meet in a byte.
bool meet(Touch a, Touch b) {
  if (a.slot && b.slot && a.slot.getCounter() == b.slot.getCounter() &&
      a.slot.getSlots() == b.slot.getSlots() &&
      (a.slot.getDelay() - b.slot.getDelay()) % a.slot.getSlots() != 0)
    return false;
  if (a.end() <= b.begin || b.end() <= a.begin)
    return false;
  // Columns of the same rows.
  int64_t stride = a.rows.stride;
  bool areColumns =
      stride == b.rows.stride && a.rows.bytes < stride && b.rows.bytes < stride;
  if (!areColumns)
    return true;
  int64_t columnA = a.begin % stride, columnB = b.begin % stride;
  return columnA < columnB + b.rows.bytes && columnB < columnA + a.rows.bytes;
}

class GraphReader {
public:
  GraphReader(scf::ForOp loop, const target::Machine &machine,
              const target::Expectation &expected)
      : machine(machine), expected(expected) {
    body.loop = loop;
  }

  Body read() {
    for (Operation &op : body.loop.getBody()->without_terminator())
      if (instructionOf(&op))
        add(op);
    for (auto &[buffer, touches] : touched)
      connect(buffer, touches);
    for (Step &step : body.steps)
      for (auto *list : {&step.before, &step.after}) {
        llvm::sort(*list);
        list->erase(llvm::unique(*list), list->end());
      }
    return std::move(body);
  }

private:
  bool isCounter(Value index) {
    if (auto sum = index.getDefiningOp<arith::AddIOp>())
      return isCounter(sum.getLhs()) || isCounter(sum.getRhs());
    return index == body.loop.getInductionVar();
  }

  int64_t advanceOf(Value address) {
    APInt step;
    if (!matchPattern(body.loop.getStep(), m_ConstantInt(&step)))
      return 0;
    int64_t advance = 0;
    for (; auto view = address.getDefiningOp<ViewOp>();
         address = view.getBase())
      for (auto [index, stride] :
           llvm::zip(view.getIndices(), view.getStrides()))
        if (isCounter(index))
          advance += stride * step.getSExtValue();
    return advance;
  }

  /// Whether a row is one in some iterations only, the first one mostly.
  bool isForFew(Value row) {
    if (auto sum = row.getDefiningOp<arith::AddIOp>())
      return isForFew(sum.getLhs()) || isForFew(sum.getRhs());
    auto range = row.getDefiningOp<InRangeOp>();
    return range && isCounter(range.getIndex()) &&
           static_cast<int64_t>(range.getLimit()) < expected.length;
  }

  bool isForFew(Operation *op) {
    return llvm::any_of(op->getOperands(),
                        [&](Value value) { return isForFew(value); });
  }

  using Buffers = llvm::SmallDenseSet<Value>;

  /// Whether an instruction takes one of these buffers.
  static bool takes(Operation &op, const Buffers &buffers) {
    return llvm::any_of(op.getOperands(), [&](Value value) {
      return !isa<IndexType>(value.getType()) &&
             !value.getDefiningOp<NullOp>() &&
             buffers.contains(bufferOf(value));
    });
  }

  /// Whether an instruction works on rows that a list names in this iteration
  /// and in no other.
  bool isOfNewRows(Operation &op) const {
    return !isa<SelListNewOp>(op) && takes(op, newLists);
  }

  double iterations() {
    APInt step;
    if (!matchPattern(body.loop.getStep(), m_ConstantInt(&step)))
      return 1;
    return std::ceil(static_cast<double>(expected.length) /
                     static_cast<double>(step.getSExtValue()));
  }

  static PhaseOp slotOf(Value address) {
    for (; auto view = address.getDefiningOp<ViewOp>();
         address = view.getBase())
      for (Value index : view.getIndices())
        if (auto phase = index.getDefiningOp<PhaseOp>())
          return phase;
    return {};
  }

  void add(Operation &op) {
    auto number = static_cast<unsigned>(body.steps.size());
    target::Instruction instruction = inAnyIteration(&op);
    Step step;
    step.op = &op;
    step.engine = target::engineOf(instruction);
    step.cycles = static_cast<double>(
        target::estimateCycles(instruction, machine, expected));
    bool isNew = isOfNewRows(op);
    if (isForFew(&op) || isNew)
      step.cycles /= iterations();
    if (isNew)
      ofNewRows.insert(number);
    // Rows that are named unless they are at low precision.
    auto named = dyn_cast<SelListOp>(op);
    if (!named && takes(op, preciseLists))
      step.cycles *= 1 - expected.low;
    if (named && !named.getUnless().getDefiningOp<NullOp>())
      preciseLists.insert(bufferOf(named.getList()));
    if (auto list = dyn_cast<SelListNewOp>(op))
      newLists.insert(bufferOf(list.getList()));
    body.steps.push_back(std::move(step));

    int64_t registers[target::numRegisters] = {};
    target::AccessList accesses =
        target::accesses(instruction, {registers, expected.length});
    size_t next = 0;
    for (Value operand : op.getOperands()) {
      if (isa<IndexType>(operand.getType()))
        continue;
      const target::Access &access = accesses[next++];
      if (access.bytes > 0)
        touched[bufferOf(operand)].push_back(
            {number, access.write, access.address, access.rows, slotOf(operand),
             advanceOf(operand)});
    }
  }

  void connect(Value buffer, ArrayRef<Touch> touches) {
    auto own = buffer.getDefiningOp<SramBufferOp>();
    bool isOwn = own && own->getBlock() == body.loop.getBody();
    // Iterations meet in what is in the scratchpad before the loop only.
    bool isShared = own && !isOwn;
    if (isOwn) {
      Buffer result;
      result.op = own;
      for (const Touch &touch : touches) {
        result.users.push_back(touch.step);
        if (touch.write)
          result.writers.push_back(touch.step);
      }
      body.buffers.push_back(std::move(result));
    }
    for (size_t j = 0; j < touches.size(); ++j)
      for (size_t i = 0; i <= j; ++i) {
        const Touch &a = touches[i], &b = touches[j];
        if ((!a.write && !b.write) || !meet(a, b))
          continue;
        // The next iteration does not touch what the first one alone does.
        // Nor does it write rows that this one reads where they are new then.
        auto writesNew = [&](const Touch &touch) {
          return touch.write && ofNewRows.contains(touch.step);
        };
        if (isShared && !isForFew(body.steps[a.step].op) && meetLater(a, b) &&
            !writesNew(a) && !writesNew(b))
          body.inOrder.push_back({a.step, b.step});
        if (a.step == b.step)
          continue;
        body.steps[a.step].after.push_back(b.step);
        body.steps[b.step].before.push_back(a.step);
      }
  }

  const target::Machine &machine;
  target::Expectation expected;
  Body body;
  llvm::MapVector<Value, SmallVector<Touch>> touched;
  llvm::SmallDenseSet<unsigned> ofNewRows; ///< Steps.
  Buffers newLists;                        ///< Of lists of new rows.
  Buffers preciseLists; ///< Of lists without rows at low precision.
};
} // namespace

std::optional<int64_t> factisa::onlyIteration(Value row, scf::ForOp loop) {
  if (auto sum = row.getDefiningOp<arith::AddIOp>()) {
    std::optional<int64_t> left = onlyIteration(sum.getLhs(), loop);
    return left ? left : onlyIteration(sum.getRhs(), loop);
  }
  auto range = row.getDefiningOp<InRangeOp>();
  APInt step;
  if (!range || !matchPattern(loop.getStep(), m_ConstantInt(&step)) ||
      static_cast<int64_t>(range.getLimit()) > step.getSExtValue())
    return std::nullopt;
  // The loop's counter, less so many rows.
  if (range.getIndex() == loop.getInductionVar())
    return 0;
  auto from = range.getIndex().getDefiningOp<arith::AddIOp>();
  for (unsigned i = 0; from && i < 2; ++i) {
    APInt offset;
    if (from->getOperand(i) == loop.getInductionVar() &&
        matchPattern(from->getOperand(1 - i), m_ConstantInt(&offset)))
      return llvm::divideCeil(std::max<int64_t>(-offset.getSExtValue(), 0),
                              step.getSExtValue());
  }
  return std::nullopt;
}

Body factisa::readBody(scf::ForOp loop, const target::Machine &machine,
                       const target::Expectation &expected) {
  return GraphReader(loop, machine, expected).read();
}
