//===- KeepInScratchpad.cpp - Tensors that need not go through DRAM -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor between two loops lies in DRAM: blocks of it are made in a buffer
// and stored, or loaded into one and read. If the scratchpad has room for all
// of it, these buffers become places in one large buffer, and its transfers are
// gone.
//
// Bytes then change when the block is written, no longer when it is stored, and
// may change while a block that was loaded is in use. `Tensor::whyOrder` says
// where that makes a difference. It looks at program order; other iterations of
// a loop have other rows, or come before or after in DRAM as well.
//
//===----------------------------------------------------------------------===//

#include "AnyIteration.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_KEEPINSCRATCHPADPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;

namespace {

/// A load from a tensor or a store to it, and the block's own buffer.
struct Transfer {
  Operation *op = nullptr;
  Value address; ///< In DRAM.
  Value block;   ///< Of a factisa.sram.
  Value row0;
  bool isLoad = false, isWhole = false;
  int64_t rows = 0, rowBytes = 0;
  int64_t stride = 0;       ///< From row to row in the block.
  int64_t tensorStride = 0; ///< From row to row in the tensor.

  SramBufferOp buffer() const { return block.getDefiningOp<SramBufferOp>(); }
};

/// Ops of one block of the program, from the first to the last.
struct Span {
  Operation *first = nullptr, *last = nullptr;

  Span(Block *in, ArrayRef<Operation *> ops) {
    for (Operation *op : ops)
      if (Operation *own = in->findAncestorOpInBlock(*op)) {
        if (!first || own->isBeforeInBlock(first))
          first = own;
        if (!last || last->isBeforeInBlock(own))
          last = own;
      }
  }
  bool meets(const Span &other) const {
    return first && other.first && !last->isBeforeInBlock(other.first) &&
           !other.last->isBeforeInBlock(first);
  }
};

class Tensor {
public:
  Tensor(DramBufferOp tensor, int64_t bound) : tensor(tensor), bound(bound) {}

  /// Why its blocks cannot be places in one buffer; null if they can.
  const char *whyNot();
  /// Bytes that its transfers move, about.
  int64_t traffic() const;
  /// Puts it into the scratchpad. It must be one that can stay there.
  void keep();

private:
  const char *readTransfers(Value address);
  const char *whyOrder() const;
  const char *whyOwn(const Transfer &transfer) const;
  const char *whyUsers(const Transfer &transfer) const;
  Operation *home() const;
  bool dependsOnLoopsAround(Block *block) const;

  DramBufferOp tensor;
  int64_t bound;                   ///< Of the sequence.
  SmallVector<Transfer> transfers; ///< In program order.
};

} // namespace

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// The views that an address is made by.
static SmallVector<ViewOp> viewsOf(Value address) {
  SmallVector<ViewOp> views;
  for (auto view = address.getDefiningOp<ViewOp>(); view;
       view = view.getBase().getDefiningOp<ViewOp>())
    views.push_back(view);
  return views;
}

/// The instructions on a buffer, or those that write to it.
static SmallVector<Operation *> usersOf(Value address, bool writersOnly) {
  SmallVector<Operation *> users;
  for (Operation *user : address.getUsers()) {
    if (auto view = dyn_cast<ViewOp>(user)) {
      llvm::append_range(users, usersOf(view.getResult(), writersOnly));
      continue;
    }
    if (!writersOnly ||
        llvm::any_of(addressesOf(user), [&](const AddressUse &use) {
          return use.address() == address && use.write;
        }))
      users.push_back(user);
  }
  return users;
}

/// The stride of an operand's rows: an operand `x` has them `x_stride` bytes
/// apart. Null where a stride says more than that.
static IntegerAttr strideOf(OpOperand &operand) {
  for (const AddressUse &use : addressesOf(operand.getOwner()))
    // Of compact rows it is also the most that a row may have.
    if (use.operand == &operand &&
        !StringRef(use.field->extent).contains("rowBytes"))
      return operand.getOwner()->getAttrOfType<IntegerAttr>(
          (StringRef(use.field->name) + "_stride").str());
  return {};
}

static void setStride(OpOperand &operand, int64_t value) {
  for (const AddressUse &use : addressesOf(operand.getOwner()))
    if (use.operand == &operand)
      operand.getOwner()->setAttr(
          (StringRef(use.field->name) + "_stride").str(),
          IntegerAttr::get(strideOf(operand).getType(), value));
}

/// Whether two numbers are made alike, but for a constant that is added.
static bool isSameIndex(Value a, Value b) {
  auto terms = [](Value value) {
    SmallVector<Value> result, work = {value};
    while (!work.empty()) {
      Value next = work.pop_back_val();
      if (auto sum = next.getDefiningOp<arith::AddIOp>())
        work.append({sum.getLhs(), sum.getRhs()});
      else if (!matchPattern(next, m_Constant()))
        result.push_back(next);
    }
    return result;
  };
  SmallVector<Value> ofA = terms(a), ofB = terms(b);
  if (ofA.size() != ofB.size())
    return false;
  // In any order.
  return llvm::all_of(ofA, [&](Value one) {
    auto found = llvm::find_if(ofB, [&](Value other) {
      auto x = one.getDefiningOp<InRangeOp>(),
           y = other.getDefiningOp<InRangeOp>();
      return one == other ||
             (x && y && x.getLimit() == y.getLimit() &&
              constantPart(x.getIndex()) == constantPart(y.getIndex()) &&
              isSameIndex(x.getIndex(), y.getIndex()));
    });
    if (found == ofB.end())
      return false;
    ofB.erase(found);
    return true;
  });
}

/// The first row that an instruction works on, if it is told one.
static Value firstRowOf(Operation *op) {
  for (Value operand : op->getOperands())
    if (isa<IndexType>(operand.getType()))
      return operand; // `row0` comes before `col0`
  return {};
}

/// Whether the users of a block touch what the transfer moves and nothing else,
/// and can do so with the tensor's stride.
const char *Tensor::whyUsers(const Transfer &transfer) const {
  bool isNewStride = transfer.stride != transfer.tensorStride;
  int64_t bytes = transfer.rows * transfer.rowBytes;
  bool isStored = llvm::any_of(transfers, [&](const Transfer &other) {
    return !other.isLoad && other.block == transfer.block;
  });
  // All rows of the sequence, whoever makes which of them.
  bool storesAll = transfer.isWhole || (matchPattern(transfer.row0, m_Zero()) &&
                                        transfer.rows >= bound);
  for (Operation *user : usersOf(transfer.block, /*writersOnly=*/false)) {
    ::fact::isa::Instruction instruction = inAnyIteration(user);
    int64_t registers[::fact::isa::numRegisters] = {};
    ::fact::isa::AccessList accesses =
        ::fact::isa::accesses(instruction, {registers, bound});
    for (const AddressUse &use : addressesOf(user)) {
      if (bufferOf(use.address()) != transfer.block)
        continue;
      // What reads beyond the block reads nothing that is defined.
      if (llvm::any_of(viewsOf(use.address()), [](ViewOp view) {
            return !view.getIndices().empty();
          })) {
        if (!use.write && !isNewStride)
          continue;
        return "a part of a block is another one in each iteration";
      }
      auto access = llvm::find_if(accesses, [&](const auto &each) {
        return StringRef(each.operand) == use.field->name;
      });
      if (access == accesses.end() || access->bytes == 0)
        continue;
      int64_t offset = constantPart(use.address());
      if (offset < 0 || offset + access->bytes > bytes)
        return "a user of a block touches more than the block";
      if (user == transfer.op || isa<LoadOp, StoreOp>(user))
        continue; // the stride is the transfer's own
      IntegerAttr stride = strideOf(*use.operand);
      bool fits = stride && stride.getInt() == transfer.stride &&
                  access->rows.bytes <= transfer.rowBytes && offset == 0 &&
                  llvm::isUInt<24>(transfer.tensorStride);
      if (isNewStride && !fits)
        return "a user of a block of columns has no stride of its rows";
      // Rows that are made are rows that are stored.
      if (!use.write || !isStored || storesAll)
        continue;
      Value row0 = firstRowOf(user);
      if (!row0 || !isSameIndex(row0, transfer.row0))
        return "other rows of a block are made than are stored";
      int64_t column =
          offset -
          (constantPart(row0) - constantPart(transfer.row0)) * transfer.stride;
      // A number for each row has no stride.
      bool areNumbers = access->rows.count == 1 && column == 0 &&
                        access->bytes % transfer.rowBytes == 0;
      if (!areNumbers &&
          (column < 0 || column + access->rows.bytes > transfer.rowBytes))
        return "other rows of a block are made than are stored";
    }
  }
  return nullptr;
}

/// Whether two transfers are of the same bytes of the tensor.
static bool isSamePlace(const Transfer &a, const Transfer &b) {
  Value x = a.address, y = b.address;
  while (x != y) {
    auto viewX = x.getDefiningOp<ViewOp>(), viewY = y.getDefiningOp<ViewOp>();
    if (!viewX || !viewY || viewX.getOffset() != viewY.getOffset() ||
        viewX.getIndices() != viewY.getIndices() ||
        viewX.getStrides() != viewY.getStrides())
      return false;
    x = viewX.getBase();
    y = viewY.getBase();
  }
  return a.rows == b.rows && a.rowBytes == b.rowBytes &&
         a.tensorStride == b.tensorStride;
}

/// Iterations of the loops around an op, for the longest sequence.
static int64_t iterationsAround(Operation *op) {
  int64_t times = 1;
  while (auto loop = op->getParentOfType<scf::ForOp>()) {
    APInt step, limit;
    int64_t upper = 1;
    if (auto length = loop.getUpperBound().getDefiningOp<LengthOp>())
      upper = static_cast<int64_t>(length.getBound());
    else if (matchPattern(loop.getUpperBound(), m_ConstantInt(&limit)))
      upper = limit.getSExtValue();
    if (matchPattern(loop.getStep(), m_ConstantInt(&step)) &&
        step.isStrictlyPositive() && upper > 0)
      times *= llvm::divideCeil(upper, step.getSExtValue());
    op = loop;
  }
  return times;
}

//===----------------------------------------------------------------------===//
// Which tensors can stay
//===----------------------------------------------------------------------===//

const char *Tensor::readTransfers(Value address) {
  for (Operation *op : address.getUsers()) {
    if (auto view = dyn_cast<ViewOp>(op)) {
      if (const char *reason = readTransfers(view.getResult()))
        return reason;
      continue;
    }
    Transfer transfer;
    transfer.op = op;
    transfer.address = address;
    auto read = [&](auto of, Value local, int64_t stride,
                    int64_t tensorStride) {
      transfer.block = local;
      transfer.row0 = of.getRow0();
      transfer.isWhole = of.getWhole();
      transfer.rows = of.getRows();
      transfer.rowBytes = of.getRowBytes();
      bool isRow = transfer.rows == 1;
      transfer.stride = isRow ? transfer.rowBytes : stride;
      transfer.tensorStride = isRow ? transfer.rowBytes : tensorStride;
    };
    if (auto load = dyn_cast<LoadOp>(op)) {
      transfer.isLoad = true;
      read(load, load.getDst(), load.getDstStride(), load.getSrcStride());
    } else if (auto store = dyn_cast<StoreOp>(op)) {
      read(store, store.getSrc(), store.getSrcStride(), store.getDstStride());
    } else {
      return "its rows are loaded by a list";
    }
    SramBufferOp block = transfer.buffer();
    if (!block || block->getBlock() != op->getBlock())
      return "a block of it is a part of a buffer, or one of another loop";
    auto bytes = llvm::alignTo(
        static_cast<uint64_t>(transfer.rows * transfer.rowBytes), 64);
    if (transfer.stride != transfer.rowBytes || block.getBytes() > bytes)
      return "a buffer has more than a block of it";
    // Blocks begin at multiples of 64, whatever their elements are.
    bool isAligned = transfer.rowBytes % 4 != 0 ||
                     (transfer.tensorStride % 4 == 0 &&
                      llvm::all_of(viewsOf(address), [](ViewOp view) {
                        return view.getOffset() % 4 == 0 &&
                               llvm::all_of(view.getStrides(), [](int64_t s) {
                                 return s % 4 == 0;
                               });
                      }));
    if (transfer.tensorStride < transfer.rowBytes || !isAligned)
      return "its rows lie over each other, or between words";
    transfers.push_back(transfer);
  }
  return nullptr;
}

/// A block that is loaded is read, or changed and stored again to its place;
/// one that is stored does not change afterwards.
const char *Tensor::whyOwn(const Transfer &transfer) const {
  Block *in = transfer.op->getBlock();
  auto other = llvm::find_if(transfers, [&](const Transfer &other) {
    return other.block == transfer.block && other.op != transfer.op;
  });
  bool isLoadedAndStored = other != transfers.end();
  if (isLoadedAndStored &&
      (other->isLoad == transfer.isLoad || !isSamePlace(*other, transfer)))
    return "a block of it has two places in it";
  for (Operation *user : usersOf(transfer.block, /*writersOnly=*/false)) {
    Operation *at = in->findAncestorOpInBlock(*user);
    if (!at || !instructionOf(user))
      return "a block is used by what is no instruction";
    if (transfer.isLoad && user != transfer.op &&
        !transfer.op->isBeforeInBlock(at))
      return "a block is used before it is loaded";
  }
  for (Operation *writer : usersOf(transfer.block, /*writersOnly=*/true)) {
    bool isLater =
        transfer.op->isBeforeInBlock(in->findAncestorOpInBlock(*writer));
    if (writer != transfer.op &&
        (transfer.isLoad ? !isLoadedAndStored : isLater))
      return "a block changes, and the tensor does not";
  }
  return nullptr;
}

const char *Tensor::whyOrder() const {
  for (const Transfer &transfer : transfers)
    if (const char *reason = whyOwn(transfer))
      return reason;
  // No block changes the tensor while another one is in use.
  for (const Transfer &store : transfers) {
    if (store.isLoad)
      continue;
    SmallVector<Operation *> changes =
        usersOf(store.block, /*writersOnly=*/true);
    changes.push_back(store.op);
    for (const Transfer &other : transfers) {
      if (other.block == store.block)
        continue;
      Block *common = store.op->getBlock();
      while (!common->findAncestorOpInBlock(*other.op))
        common = common->getParentOp()->getBlock();
      SmallVector<Operation *> uses =
          usersOf(other.block, /*writersOnly=*/false);
      if (Span(common, changes).meets(Span(common, uses)))
        return "a block changes while another one is in use";
    }
  }
  return nullptr;
}

const char *Tensor::whyNot() {
  transfers.clear();
  if (const char *reason = readTransfers(tensor.getResult()))
    return reason;
  if (transfers.empty())
    return "nothing uses it";
  DenseMap<Operation *, size_t> order;
  tensor->getParentOfType<func::FuncOp>().walk(
      [&](Operation *op) { order.try_emplace(op, order.size()); });
  llvm::sort(transfers, [&](const Transfer &a, const Transfer &b) {
    return order.lookup(a.op) < order.lookup(b.op);
  });
  if (const char *reason = whyOrder())
    return reason;
  for (const Transfer &transfer : transfers)
    if (const char *reason = whyUsers(transfer))
      return reason;
  return nullptr;
}

int64_t Tensor::traffic() const {
  int64_t bytes = 0;
  for (const Transfer &transfer : transfers)
    bytes += transfer.rows * transfer.rowBytes * iterationsAround(transfer.op);
  return bytes;
}

//===----------------------------------------------------------------------===//
// To keep one
//===----------------------------------------------------------------------===//

/// Whether a number or an address is made from another one.
static bool isMadeFrom(Value value, Value from) {
  if (value == from)
    return true;
  Operation *maker = value.getDefiningOp();
  return maker && llvm::any_of(maker->getOperands(), [&](Value operand) {
           return isMadeFrom(operand, from);
         });
}

/// Whether what is transferred is another place, or other rows, in each
/// iteration of the loops around a block: then one may load what another one
/// has stored.
bool Tensor::dependsOnLoopsAround(Block *block) const {
  for (Operation *op = block->getParentOp(); op; op = op->getParentOp())
    if (auto loop = dyn_cast<scf::ForOp>(op))
      for (const Transfer &transfer : transfers)
        if (isMadeFrom(transfer.address, loop.getInductionVar()) ||
            isMadeFrom(transfer.row0, loop.getInductionVar()))
          return true;
  return false;
}

/// The op that the whole tensor's buffer comes before: its first use, outside
/// of the loops that go through it.
Operation *Tensor::home() const {
  SmallVector<Operation *> ops, loads, stores;
  for (const Transfer &transfer : transfers) {
    ops.append({transfer.op, transfer.buffer().getOperation()});
    llvm::append_range(ops, usersOf(transfer.block, /*writersOnly=*/false));
    (transfer.isLoad ? loads : stores).push_back(transfer.op);
  }
  for (Block *block = ops.front()->getBlock();;
       block = block->getParentOp()->getBlock()) {
    bool holdsAll = llvm::all_of(
        ops, [&](Operation *op) { return block->findAncestorOpInBlock(*op); });
    bool isTop = isa<func::FuncOp>(block->getParentOp());
    bool isInLoopThroughIt = llvm::any_of(
        transfers, [&](auto &each) { return each.op->getBlock() == block; });
    // A loop over equal layers that loads it first loads what the layer before
    // has stored: it lives longer than an iteration.
    Span stored(block, stores), loaded(block, loads);
    bool isMadeFirst =
        stored.first &&
        (!loaded.first || stored.first->isBeforeInBlock(loaded.first));
    if (isTop || (holdsAll && !isInLoopThroughIt && isMadeFirst &&
                  !dependsOnLoopsAround(block)))
      return Span(block, ops).first;
  }
}

/// The place of a transfer's rows in the whole tensor, made where the block's
/// buffer is: what its address is made of may come later, and is made anew.
static Value placeIn(Value whole, Value tensor, const Transfer &transfer) {
  SramBufferOp block = transfer.buffer();
  OpBuilder builder(block);
  IRMapping map;
  map.map(tensor, whole);
  std::function<void(Value)> remake = [&](Value value) {
    Operation *op = value.getDefiningOp();
    bool isThere = !isa_and_nonnull<ViewOp>(op) &&
                   (!op || op->getBlock() != block->getBlock() ||
                    op->isBeforeInBlock(block));
    if (map.contains(value) || isThere)
      return;
    for (Value operand : op->getOperands())
      remake(operand);
    Operation *made = builder.clone(*op, map);
    if (auto view = dyn_cast<ViewOp>(made))
      view.getResult().setType(whole.getType());
  };
  remake(transfer.address);
  return map.lookup(transfer.address);
}

static void eraseWithViews(Operation *op) {
  for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
    eraseWithViews(user);
  op->erase();
}

void Tensor::keep() {
  // Where the blocks are that it is made of.
  auto store = llvm::find_if(transfers,
                             [](const Transfer &each) { return !each.isLoad; });
  const Transfer &first = store != transfers.end() ? *store : transfers.front();
  OpBuilder builder(home());
  Value whole = SramBufferOp::create(
      builder, tensor.getLoc(), SramType::get(builder.getContext()),
      first.buffer().getMemory(), tensor.getBytes(), tensor.getLabel(),
      IntegerAttr());
  llvm::SetVector<Operation *> blocks;
  for (const Transfer &transfer : transfers) {
    if (!blocks.insert(transfer.buffer()))
      continue; // loaded and stored again
    if (transfer.stride != transfer.tensorStride)
      for (OpOperand &use : transfer.block.getUses())
        if (use.getOwner() != transfer.op)
          setStride(use, transfer.tensorStride);
    Value place = placeIn(whole, tensor.getResult(), transfer);
    Value(transfer.block).replaceAllUsesWith(place);
  }
  for (const Transfer &transfer : transfers)
    transfer.op->erase();
  for (Operation *block : blocks)
    block->erase();
  transfers.clear();
  eraseWithViews(tensor);
}

//===----------------------------------------------------------------------===//
// All of a program
//===----------------------------------------------------------------------===//

SmallVector<DramBufferOp> factisa::findResidents(func::FuncOp program,
                                                 int64_t bound) {
  SmallVector<std::pair<double, DramBufferOp>> found;
  program.walk([&](DramBufferOp buffer) {
    Tensor tensor(buffer, bound);
    if (buffer.getKind() == DramKind::Scratch && !tensor.whyNot())
      found.push_back({static_cast<double>(tensor.traffic()) /
                           static_cast<double>(buffer.getBytes()),
                       buffer});
  });
  llvm::stable_sort(
      found, [](const auto &a, const auto &b) { return a.first > b.first; });
  return llvm::map_to_vector(found, [](auto &each) { return each.second; });
}

bool factisa::keepInScratchpad(DramBufferOp buffer, int64_t bound) {
  Tensor tensor(buffer, bound);
  if (tensor.whyNot())
    return false;
  tensor.keep();
  return true;
}

namespace {
struct KeepInScratchpadPass
    : public factisa::impl::KeepInScratchpadPassBase<KeepInScratchpadPass> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    int64_t bound = 1;
    if (auto said = getOperation()->getAttrOfType<IntegerAttr>(kBoundAttrName))
      bound = said.getInt();
    for (DramBufferOp buffer : findResidents(getOperation(), bound)) {
      auto bytes = static_cast<int64_t>(buffer.getBytes());
      if (!keepInScratchpad(buffer, bound))
        continue; // another one took its blocks
      ++numTensors;
      numBytes += bytes;
    }
    getOperation().walk([&](DramBufferOp buffer) {
      if (buffer.getKind() != DramKind::Scratch)
        return;
      ++numMissed;
      remark::missed(buffer.getLoc(),
                     remark::RemarkOpts::name("TensorInDram")
                         .category("factisa-keep-in-scratchpad")
                         .function(getOperation().getName()))
          << remark::metric("Tensor", buffer.getLabel())
          << remark::reason("{0}", Tensor(buffer, bound).whyNot());
    });
  }
};
} // namespace
