//===- SplitBatch.cpp - Which functions are of a batch --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BatchSplitter.h"

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/IR/Remarks.h"

namespace mlir::fact {
#define GEN_PASS_DEF_SPLITBATCHPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// What arguments say is the batch of a function; null where none does. An
/// argument of as many rows that does not say so is shared by all sequences.
static std::optional<Batch> saidBatch(func::FuncOp function) {
  std::optional<Batch> batch;
  for (BlockArgument argument : function.getArguments()) {
    unsigned i = argument.getArgNumber();
    auto said = function.getArgAttrOfType<DenseI64ArrayAttr>(i, kBatchAttrName);
    if (!said)
      continue;
    int64_t extent =
        cast<RankedTensorType>(argument.getType()).getDimSize(said[0]);
    if (!batch)
      batch = Batch{{}, extent, said[1] == 0};
    batch->axes.resize(function.getNumArguments());
    batch->axes[i] = said[0];
    if (batch->sequences != extent)
      batch->sequences = 1; // not the same number everywhere
  }
  return batch;
}

/// The arguments with that many sequences along an extent.
static Batch batchAlong(func::FuncOp function, int64_t axis,
                        int64_t sequences) {
  Batch batch{{}, sequences, false};
  for (Type type : function.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    bool fits = tensor && tensor.getRank() > axis &&
                tensor.getDimSize(axis) == sequences;
    batch.axes.push_back(fits ? std::optional(axis) : std::nullopt);
  }
  return batch;
}

/// What may be the batch of a function: what its arguments say it is, else the
/// first extent of tokens [batch, length] or of rows [batch, length, features],
/// then the second one of [length, batch, features]. None below 2, which is
/// split already.
static SmallVector<Batch> batchesOf(func::FuncOp function) {
  if (std::optional<Batch> said = saidBatch(function))
    return said->sequences < 2 ? SmallVector<Batch>()
                               : SmallVector<Batch>{*said};
  SmallVector<Batch> batches;
  for (int64_t axis : {0, 1})
    for (Type type : function.getArgumentTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || tensor.getRank() < 2 || tensor.isDynamicDim(axis) ||
          tensor.getDimSize(axis) < 2)
        continue;
      if (axis == 1 && tensor.getDimSize(0) == 1)
        continue; // rows of one sequence, not a batch of one token each
      bool isTokens = tensor.getElementType().isInteger(),
           isRows = tensor.getRank() >= 3;
      if (axis == 0 ? isTokens || isRows : tensor.getRank() == 3) {
        batches.push_back(batchAlong(function, axis, tensor.getDimSize(axis)));
        break;
      }
    }
  return batches;
}

namespace {
struct SplitBatchPass
    : public mlir::fact::impl::SplitBatchPassBase<SplitBatchPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal() &&
          function.getBody().hasOneBlock() &&
          SymbolTable::symbolKnownUseEmpty(function, getOperation()))
        functions.push_back(function);
    for (func::FuncOp function : functions)
      splitFunction(function);
  }

private:
  void splitFunction(func::FuncOp function) {
    SmallVector<Batch> batches = batchesOf(function);
    std::optional<BatchSplitter> first;
    for (const Batch &batch : batches) {
      BatchSplitter splitter(function, batch);
      if (splitter.run()) {
        remark::passed(function.getLoc(), remark::RemarkOpts::name("BatchSplit")
                                              .category("fact-split-batch")
                                              .function(function.getName()))
            << remark::metric("Sequences", batch.sequences);
        function.erase();
        ++numSplit;
        return;
      }
      if (!first)
        first.emplace(std::move(splitter));
    }
    if (!first)
      return;
    remark::missed(first->failedOp->getLoc(),
                   remark::RemarkOpts::name("BatchNotSplit")
                       .category("fact-split-batch")
                       .function(function.getName()))
        << remark::reason("{0} (of a batch of {1})", first->reason,
                          batches.front().sequences)
        << remark::suggest("a model of one sequence has its layers raised");
    ++numMissed;
  }
};
} // namespace
