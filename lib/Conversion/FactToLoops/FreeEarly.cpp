//===- FreeEarly.cpp - Memory is freed where it was last used -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FREEEARLYPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// Whether the result of an op that uses a buffer may be (in) that buffer.
static bool mayPointTo(Value result) {
  return isa<BaseMemRefType, LLVM::LLVMPointerType>(result.getType()) ||
         isa_and_nonnull<memref::ExtractAlignedPointerAsIndexOp>(
             result.getDefiningOp());
}

/// The last op of the block of `buffer` that uses it or what points to it;
/// null where that is passed on, and nobody knows.
static Operation *lastUser(Value buffer, Operation *dealloc) {
  Block *block = dealloc->getBlock();
  Operation *last = buffer.getDefiningOp();
  SmallVector<Value> pending{buffer};
  DenseSet<Value> seen{buffer};
  while (!pending.empty())
    for (Operation *user : pending.pop_back_val().getUsers()) {
      if (user == dealloc)
        continue;
      Operation *top = block->findAncestorOpInBlock(*user);
      if (!top || top->hasTrait<OpTrait::IsTerminator>())
        return nullptr;
      if (last->isBeforeInBlock(top))
        last = top;
      // What a region yields is a result of the op around it.
      for (Operation *each = user;; each = each->getParentOp()) {
        for (Value result : each->getResults())
          if (mayPointTo(result) && seen.insert(result).second)
            pending.push_back(result);
        if (each == top)
          break;
      }
    }
  return last;
}

namespace {

struct FreeEarlyPass : mlir::fact::impl::FreeEarlyPassBase<FreeEarlyPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](memref::DeallocOp dealloc) {
      Operation *alloc = dealloc.getMemref().getDefiningOp();
      if (!isa_and_nonnull<memref::AllocOp>(alloc) ||
          alloc->getBlock() != dealloc->getBlock())
        return;
      if (Operation *last = lastUser(dealloc.getMemref(), dealloc)) {
        dealloc->moveAfter(last);
        ++numMoved;
      }
    });
  }
};

} // namespace
