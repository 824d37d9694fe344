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
// may change while a block that was loaded is in use. `Tensor::canStay` says
// where that makes no difference.
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

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
  bool isLoad = false;
  int64_t rows = 0, rowBytes = 0;
  int64_t stride = 0;       ///< From row to row in the block.
  int64_t tensorStride = 0; ///< From row to row in the tensor.

  SramBufferOp buffer() const { return block.getDefiningOp<SramBufferOp>(); }
};

/// An access to a block's buffer.
struct BlockUse {
  Operation *op;
  bool write;
};

/// Ops of one block of the program, from the first to the last.
struct Span {
  Operation *first = nullptr, *last = nullptr;

  void add(Operation *op) {
    if (!first || op->isBeforeInBlock(first))
      first = op;
    if (!last || last->isBeforeInBlock(op))
      last = op;
  }
  bool meets(const Span &other) const {
    return !last->isBeforeInBlock(other.first) &&
           !other.last->isBeforeInBlock(first);
  }
};

class Tensor {
public:
  explicit Tensor(DramBufferOp tensor) : tensor(tensor) {}

  /// Whether all of its blocks may be places in one buffer.
  bool canStay();
  /// Bytes that its transfers move, about.
  int64_t traffic() const;
  /// Puts it into the scratchpad. It must be one that can stay there.
  void keep();

private:
  bool readTransfers(Value address);
  static SmallVector<BlockUse> usesOf(Value address);
  static bool canHaveStride(const Transfer &transfer);
  static void setStride(OpOperand &operand, int64_t value);
  static std::optional<int64_t> strideOf(OpOperand &operand);
  static StringRef fieldOf(OpOperand &operand);
  bool isSamePlace(const Transfer &a, const Transfer &b) const;
  bool keepsOrder() const;
  /// Where in the block of `of` a transfer changes the tensor: from its block's
  /// first writer to the store. None where it is not in there.
  static std::optional<Span> changes(const Transfer &store, Block *in);
  Value placeIn(Value whole, const Transfer &transfer) const;
  Operation *home() const;

  DramBufferOp tensor;
  SmallVector<Transfer> transfers;
};

} // namespace

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
    if (matchPattern(loop.getStep(), m_ConstantInt(&step)))
      times *= llvm::divideCeil(upper, step.getSExtValue());
    op = loop;
  }
  return times;
}

bool Tensor::readTransfers(Value address) {
  for (OpOperand &use : address.getUses()) {
    Operation *op = use.getOwner();
    if (auto view = dyn_cast<ViewOp>(op)) {
      if (!readTransfers(view.getResult()))
        return false;
      continue;
    }
    Transfer transfer;
    transfer.op = op;
    transfer.address = address;
    auto read = [&](auto of, Value local, int64_t stride,
                    int64_t tensorStride) {
      transfer.block = local;
      transfer.rows = of.getRows();
      transfer.rowBytes = of.getRowBytes();
      transfer.stride = stride;
      transfer.tensorStride = tensorStride;
    };
    if (auto load = dyn_cast<LoadOp>(op)) {
      transfer.isLoad = true;
      read(load, load.getDst(), load.getDstStride(), load.getSrcStride());
    } else if (auto store = dyn_cast<StoreOp>(op)) {
      read(store, store.getSrc(), store.getSrcStride(), store.getDstStride());
    } else {
      return false;
    }
    if (transfer.rows == 1)
      transfer.stride = transfer.tensorStride = transfer.rowBytes;
    // A block is these rows and nothing else, which the tensor may not have.
    SramBufferOp block = transfer.buffer();
    if (!block || block->getBlock() != op->getBlock() ||
        transfer.stride != transfer.rowBytes ||
        static_cast<int64_t>(block.getBytes()) >
            static_cast<int64_t>(
                llvm::alignTo(transfer.rows * transfer.rowBytes, 64)))
      return false;
    transfers.push_back(transfer);
  }
  return true;
}

SmallVector<BlockUse> Tensor::usesOf(Value address) {
  SmallVector<BlockUse> uses;
  for (Operation *user : address.getUsers()) {
    if (auto view = dyn_cast<ViewOp>(user)) {
      llvm::append_range(uses, usesOf(view.getResult()));
      continue;
    }
    BlockUse use{user, false};
    for (const AddressUse &access : addressesOf(user))
      use.write |= access.address() == address && access.write;
    uses.push_back(use);
  }
  return uses;
}

/// The name of the field that an operand is.
StringRef Tensor::fieldOf(OpOperand &operand) {
  const ::fact::isa::InstructionInfo *info = instructionOf(operand.getOwner());
  unsigned number = operand.getOperandNumber();
  for (const auto &field : ArrayRef(info->fields, info->numFields))
    if (::fact::isa::isOperand(field.kind) && number-- == 0)
      return field.name;
  return "";
}

/// An operand `x` has its rows `x_stride` bytes apart.
std::optional<int64_t> Tensor::strideOf(OpOperand &operand) {
  auto attribute = operand.getOwner()->getAttrOfType<IntegerAttr>(
      (fieldOf(operand) + "_stride").str());
  if (!attribute)
    return std::nullopt;
  return attribute.getInt();
}

void Tensor::setStride(OpOperand &operand, int64_t value) {
  Operation *op = operand.getOwner();
  std::string name = (fieldOf(operand) + "_stride").str();
  auto old = op->getAttrOfType<IntegerAttr>(name);
  op->setAttr(name, IntegerAttr::get(old.getType(), value));
}

/// Whether whoever uses the block can do so with the tensor's stride.
bool Tensor::canHaveStride(const Transfer &transfer) {
  if (transfer.stride == transfer.tensorStride)
    return true;
  if (transfer.tensorStride >= 1 << 24)
    return false;
  return llvm::all_of(transfer.block.getUses(), [&](OpOperand &use) {
    Operation *op = use.getOwner();
    return op == transfer.op ||
           (instructionOf(op) && strideOf(use) == transfer.stride);
  });
}

/// Whether two transfers are of the same bytes of the tensor.
bool Tensor::isSamePlace(const Transfer &a, const Transfer &b) const {
  auto same = [&](Value x, Value y) {
    while (x != y) {
      auto viewX = x.getDefiningOp<ViewOp>(), viewY = y.getDefiningOp<ViewOp>();
      if (!viewX || !viewY || viewX.getOffset() != viewY.getOffset() ||
          viewX.getIndices() != viewY.getIndices() ||
          viewX.getStrides() != viewY.getStrides())
        return false;
      x = viewX.getBase();
      y = viewY.getBase();
    }
    return true;
  };
  return same(a.address, b.address) && a.rows == b.rows &&
         a.rowBytes == b.rowBytes && a.tensorStride == b.tensorStride;
}

std::optional<Span> Tensor::changes(const Transfer &store, Block *in) {
  Operation *at = in->findAncestorOpInBlock(*store.op);
  if (!at)
    return std::nullopt;
  Span span;
  span.add(at);
  for (const BlockUse &use : usesOf(store.block))
    if (use.write)
      span.add(in->findAncestorOpInBlock(*use.op));
  return span;
}

/// Whether no block changes while another one, of the same bytes perhaps, is in
/// use, and none changes after it is stored.
bool Tensor::keepsOrder() const {
  for (const Transfer &transfer : transfers) {
    Block *in = transfer.op->getBlock();
    Span inUse; // from the transfer on
    inUse.add(transfer.op);
    SmallVector<BlockUse> uses = usesOf(transfer.block);
    bool isStored = llvm::any_of(transfers, [&](const Transfer &other) {
      return !other.isLoad && other.block == transfer.block;
    });
    for (const BlockUse &use : uses) {
      Operation *at = in->findAncestorOpInBlock(*use.op);
      bool isLater = transfer.op->isBeforeInBlock(at);
      // A block that is loaded is read, or changed and stored again.
      if (use.write && use.op != transfer.op &&
          (transfer.isLoad ? !isStored : isLater))
        return false;
      if (isLater)
        inUse.add(at);
      else if (transfer.isLoad && use.op != transfer.op)
        return false;
    }
    for (const Transfer &other : transfers) {
      if (other.block == transfer.block) {
        if (other.op != transfer.op &&
            (other.isLoad == transfer.isLoad || !isSamePlace(other, transfer)))
          return false;
        continue;
      }
      if (other.isLoad)
        continue;
      std::optional<Span> changed = changes(other, in);
      if (changed && changed->meets(inUse))
        return false;
      // Nor do the changes of two blocks mix.
      if (!transfer.isLoad && changed && changed->meets(*changes(transfer, in)))
        return false;
    }
  }
  return true;
}

bool Tensor::canStay() {
  transfers.clear();
  return tensor.getKind() == DramKind::Scratch &&
         readTransfers(tensor.getResult()) && !transfers.empty() &&
         llvm::all_of(transfers, canHaveStride) && keepsOrder();
}

int64_t Tensor::traffic() const {
  int64_t bytes = 0;
  for (const Transfer &transfer : transfers)
    bytes += transfer.rows * transfer.rowBytes * iterationsAround(transfer.op);
  return bytes;
}

/// The op that the whole tensor's buffer comes before: its first use, outside
/// of the loops that go through it. What a loop over equal layers reads first
/// is of the layer before.
Operation *Tensor::home() const {
  SmallVector<Operation *> ops;
  for (const Transfer &transfer : transfers) {
    ops.append({transfer.op, transfer.buffer().getOperation()});
    for (const BlockUse &use : usesOf(transfer.block))
      ops.push_back(use.op);
  }
  auto program = DramBufferOp(tensor)->getParentOfType<func::FuncOp>();
  Operation *root = &program.getBody().front().front();
  for (Block *block = ops.front()->getBlock();; block = root->getBlock()) {
    root = block->getParentOp();
    bool holdsAll = llvm::all_of(
        ops, [&](Operation *op) { return block->findAncestorOpInBlock(*op); });
    bool isTop = root == program;
    if (!holdsAll && !isTop)
      continue;
    bool isInside = llvm::any_of(transfers, [&](const Transfer &transfer) {
      return transfer.op->getBlock() == block;
    });
    Span span;
    Span stores, loads;
    for (Operation *op : ops)
      span.add(block->findAncestorOpInBlock(*op));
    for (const Transfer &transfer : transfers)
      (transfer.isLoad ? loads : stores)
          .add(block->findAncestorOpInBlock(*transfer.op));
    bool isMadeFirst =
        stores.first &&
        (!loads.first || stores.first->isBeforeInBlock(loads.first));
    if (isTop || (!isInside && isMadeFirst))
      return span.first;
  }
}

/// The place of a transfer's rows in the whole tensor, made where the block's
/// buffer is: what its address is made of may come later, and is made anew.
Value Tensor::placeIn(Value whole, const Transfer &transfer) const {
  SramBufferOp block = transfer.buffer();
  OpBuilder builder(block);
  IRMapping map;
  map.map(DramBufferOp(tensor).getResult(), whole);
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
  DenseSet<Operation *> blocks;
  for (const Transfer &transfer : transfers) {
    if (!blocks.insert(transfer.buffer()).second)
      continue; // loaded and stored again
    if (transfer.stride != transfer.tensorStride)
      for (OpOperand &use : transfer.block.getUses())
        if (use.getOwner() != transfer.op)
          setStride(use, transfer.tensorStride);
    Value place = placeIn(whole, transfer);
    Value(transfer.block).replaceAllUsesWith(place);
  }
  for (const Transfer &transfer : transfers)
    transfer.op->erase();
  for (Operation *block : blocks)
    block->erase();
  transfers.clear();
  std::function<void(Operation *)> eraseViews = [&](Operation *op) {
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      eraseViews(user);
    op->erase();
  };
  eraseViews(tensor);
}

//===----------------------------------------------------------------------===//
// Which tensors, and the pass
//===----------------------------------------------------------------------===//

SmallVector<DramBufferOp> factisa::findResidents(func::FuncOp program) {
  SmallVector<std::pair<double, DramBufferOp>> found;
  program.walk([&](DramBufferOp buffer) {
    Tensor tensor(buffer);
    if (tensor.canStay())
      found.push_back({static_cast<double>(tensor.traffic()) /
                           static_cast<double>(buffer.getBytes()),
                       buffer});
  });
  llvm::stable_sort(
      found, [](const auto &a, const auto &b) { return a.first > b.first; });
  return llvm::map_to_vector(found, [](auto &each) { return each.second; });
}

bool factisa::keepInScratchpad(DramBufferOp buffer) {
  Tensor tensor(buffer);
  if (!tensor.canStay())
    return false;
  tensor.keep();
  return true;
}

namespace {
struct KeepInScratchpadPass
    : public factisa::impl::KeepInScratchpadPassBase<KeepInScratchpadPass> {
  using Base::Base;

  void runOnOperation() override {
    for (DramBufferOp buffer : findResidents(getOperation())) {
      auto bytes = static_cast<int64_t>(buffer.getBytes());
      if (!keepInScratchpad(buffer))
        continue; // another one took its blocks
      ++numTensors;
      numBytes += bytes;
    }
  }
};
} // namespace
