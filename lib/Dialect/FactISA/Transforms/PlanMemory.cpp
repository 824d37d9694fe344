//===- PlanMemory.cpp - Addresses of buffers ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/ISA/Machine.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;

namespace {

/// A buffer and when it lives, in positions of a walk over the program.
struct Interval {
  SramBufferOp buffer;
  int64_t begin = 0, end = 0;
  int64_t address = -1;

  int64_t bytes() const { return SramBufferOp(buffer).getBytes(); }
  bool alive(const Interval &other) const {
    return begin <= other.end && other.begin <= end;
  }
  bool overlaps(int64_t from, int64_t size) const {
    return address < from + size && from < address + bytes();
  }
};

/// A memory's range in the one scratchpad address space.
struct Range {
  int64_t begin, end;
};

class ScratchpadPlanner {
public:
  ScratchpadPlanner(func::FuncOp program, const ::fact::isa::Machine &machine) {
    int64_t base = 0;
    for (unsigned i = 0; i < ::fact::isa::numBuffers; ++i) {
      memories.push_back({base, base + machine.buffers[i].bytes});
      base += machine.buffers[i].bytes;
    }
    number(program);
    collect(program);
  }

  /// Places every buffer, the largest first. Returns the one that finds no
  /// place.
  Interval *place() {
    // By size, then in program order: the same program gives the same plan.
    llvm::sort(intervals, [](const Interval &a, const Interval &b) {
      return std::make_tuple(-a.bytes(), a.begin) <
             std::make_tuple(-b.bytes(), b.begin);
    });
    for (Interval &interval : intervals) {
      auto own = static_cast<unsigned>(interval.buffer.getMemory());
      std::array<unsigned, 5> order = {own, 2, 0, 1, 3};
      for (unsigned memory : order)
        if (interval.address < 0)
          interval.address = firstFit(interval, memories[memory]);
      if (interval.address < 0)
        return &interval;
      const Range &preferred = memories[own];
      if (interval.address < preferred.begin ||
          interval.address >= preferred.end)
        ++plan.elsewhere;
      plan.peakBytes =
          std::max(plan.peakBytes, interval.address + interval.bytes());
    }
    plan.buffers = intervals.size();
    return nullptr;
  }

  void commit() {
    for (Interval &interval : intervals)
      interval.buffer.setAddress(interval.address);
  }

  void explain(const Interval &failed) {
    SramBufferOp buffer = failed.buffer;
    InFlightDiagnostic diagnostic = emitError(buffer.getLoc())
                                    << "no room in the scratchpad for buffer '"
                                    << buffer.getLabel() << "' of "
                                    << failed.bytes() << " bytes";
    std::string map = "memory map of what lives beside it:";
    SmallVector<const Interval *> beside;
    for (const Interval &other : intervals)
      if (other.address >= 0 && other.alive(failed))
        beside.push_back(&other);
    llvm::sort(beside, [](const Interval *a, const Interval *b) {
      return a->address < b->address;
    });
    llvm::raw_string_ostream os(map);
    for (unsigned i = 0; i < memories.size(); ++i)
      os << "\n  " << stringifyMemory(static_cast<Memory>(i)) << " memory ["
         << memories[i].begin << ", " << memories[i].end << ")";
    for (const Interval *other : beside) {
      SramBufferOp op = other->buffer;
      os << "\n  [" << other->address << ", " << other->address + other->bytes()
         << ") " << other->bytes() << " bytes '" << op.getLabel() << "' for "
         << op.getLoc();
    }
    diagnostic.attachNote() << map;
    diagnostic.attachNote() << "compile for a machine with larger buffers, or "
                               "for a shorter sequence (--shape)";
  }

  MemoryPlan plan;

private:
  void number(func::FuncOp program) {
    int64_t next = 0;
    std::function<void(Operation *)> visit = [&](Operation *op) {
      begin[op] = next++;
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Operation &inner : block)
            visit(&inner);
      end[op] = next++;
    };
    visit(program);
  }

  void collect(func::FuncOp program) {
    program.walk([&](SramBufferOp buffer) {
      Interval interval;
      interval.buffer = buffer;
      interval.begin = interval.end = begin[buffer];
      extend(interval, buffer, buffer->getBlock());
      intervals.push_back(interval);
    });
  }

  void extend(Interval &interval, Value value, Block *home) {
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = home->findAncestorOpInBlock(*user);
      interval.end = std::max(interval.end, end[ancestor]);
      if (auto view = dyn_cast<ViewOp>(user))
        extend(interval, view.getResult(), home);
    }
  }

  int64_t firstFit(const Interval &interval, const Range &memory) {
    int64_t address = memory.begin;
    bool moved = true;
    while (moved && address + interval.bytes() <= memory.end) {
      moved = false;
      for (const Interval &other : intervals) {
        if (other.address < 0 || !other.alive(interval) ||
            !other.overlaps(address, interval.bytes()))
          continue;
        address = llvm::alignTo(other.address + other.bytes(), 64);
        moved = true;
      }
    }
    return address + interval.bytes() <= memory.end ? address : -1;
  }

  std::vector<Range> memories;
  std::vector<Interval> intervals;
  DenseMap<Operation *, int64_t> begin, end;
};

/// Constants first, from address 0: they are the image that a program carries.
LogicalResult planDram(func::FuncOp program) {
  int64_t address = 0;
  for (DramKind kind : {DramKind::Constant, DramKind::Input, DramKind::Output,
                        DramKind::Scratch})
    program.walk([&](DramBufferOp op) {
      if (op.getKind() != kind || op.getPlace())
        return;
      op.setAddress(address);
      address += llvm::alignTo(op.getBytes(), 64);
    });
  program.walk([](DramBufferOp op) {
    if (op.getPlace())
      op.setAddress(*op.getPlace().getDefiningOp<DramBufferOp>().getAddress());
  });
  if (address >> 40)
    return program.emitError() << "needs more DRAM than 40 address bits reach ("
                               << address << " bytes)";
  return success();
}

/// What lifetimes rely on: one block, in it loops, and buffers that only views
/// and instructions take.
LogicalResult checkUses(func::FuncOp program) {
  if (!program.getBody().hasOneBlock())
    return program.emitError()
           << "must have one block: a program's loops are 'scf.for'";
  WalkResult result =
      program.walk<WalkOrder::PreOrder>([](Operation *op) {
        if (isa<FactISADialect>(op->getDialect()))
          return WalkResult::advance();
        for (Value operand : op->getOperands())
          if (isa<SramType, DramType>(operand.getType())) {
            op->emitOpError()
                << "takes a buffer: only instructions and 'factisa.view' do";
            return WalkResult::interrupt();
          }
        return WalkResult::advance();
      });
  return failure(result.wasInterrupted());
}

/// Says which memory could not hold the buffers that wanted to be there.
void remarkElsewhere(func::FuncOp program,
                     const ::fact::isa::Machine &machine) {
  struct Crowd {
    int64_t buffers = 0, elsewhere = 0;
    SramBufferOp largest;
  };
  std::array<Crowd, ::fact::isa::numBuffers> crowds;
  program.walk([&](SramBufferOp buffer) {
    int64_t base = 0;
    for (unsigned i = 0; i < static_cast<unsigned>(buffer.getMemory()); ++i)
      base += machine.buffers[i].bytes;
    Crowd &crowd = crowds[static_cast<unsigned>(buffer.getMemory())];
    ++crowd.buffers;
    int64_t address = *buffer.getAddress();
    if (base <= address &&
        address <
            base + machine.buffers[static_cast<unsigned>(buffer.getMemory())]
                       .bytes)
      return;
    ++crowd.elsewhere;
    if (!crowd.largest || crowd.largest.getBytes() < buffer.getBytes())
      crowd.largest = buffer;
  });
  for (auto [i, crowd] : llvm::enumerate(crowds))
    if (crowd.elsewhere)
      remark::missed(crowd.largest.getLoc(),
                     remark::RemarkOpts::name("BuffersElsewhere")
                         .category("factisa-plan-memory")
                         .function(program.getName()))
          << remark::reason("{0} of {1} buffers for the {2} memory do not fit "
                            "there and lie in another one, the largest "
                            "is '{3}' of {4} bytes",
                            crowd.elsewhere, crowd.buffers,
                            stringifyMemory(static_cast<Memory>(i)),
                            crowd.largest.getLabel(), crowd.largest.getBytes())
          << remark::suggest("they use banks of that memory: a machine with a "
                             "larger {0} buffer has no such conflicts",
                             stringifyMemory(static_cast<Memory>(i)));
}

struct PlanMemoryPass
    : public factisa::impl::PlanMemoryPassBase<PlanMemoryPass> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    FailureOr<::fact::isa::Machine> loaded =
        loadMachine(machine, getOperation().getLoc());
    if (failed(loaded) || failed(checkUses(getOperation())))
      return signalPassFailure();
    FailureOr<MemoryPlan> plan =
        planMemory(getOperation(), *loaded, /*explain=*/true);
    if (failed(plan))
      return signalPassFailure();
    remarkElsewhere(getOperation(), *loaded);
    numBuffers += plan->buffers;
    numElsewhere += plan->elsewhere;
    peakBytes += plan->peakBytes;
  }
};

} // namespace

FailureOr<MemoryPlan> factisa::planMemory(func::FuncOp program,
                                          const ::fact::isa::Machine &machine,
                                          bool explain) {
  ScratchpadPlanner planner(program, machine);
  if (Interval *failed = planner.place()) {
    if (explain)
      planner.explain(*failed);
    return failure();
  }
  if (failed(planDram(program)))
    return failure();
  planner.commit();
  return planner.plan;
}
