//===- ImportTrial.cpp - Imports that may not be taken --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportTrial.h"

#include "ImportBatch.h"
#include "Said.h"

#include "fact/Conversion/LinalgToFact/LookAhead.h"
#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::fact;

namespace {

struct Trial {
  Trial(const OnnxFile &file, const OnnxImportOptions &options) {
    said.during(file.getContext(),
                [&] { module = importBatch(file, options); });
  }
  OwningOpRef<ModuleOp> take(MLIRContext *context) {
    said.repeat(context);
    return std::move(module);
  }
  void drop() {
    if (module)
      freeResources(*module);
    module = nullptr;
  }
  func::FuncOp main() const {
    return module ? module.get().lookupSymbol<func::FuncOp>("main") : nullptr;
  }

  OwningOpRef<ModuleOp> module; ///< Null after an error.
  Said said;
};

} // namespace

/// What is recognised in a function, one of a single sequence of it if it has
/// several.
static RaiseOutlook outlookOf(const Trial &trial) {
  OwningOpRef<ModuleOp> copy = trial.module.get().clone();
  Said said;
  RaiseOutlook outlook;
  said.during(copy->getContext(), [&] {
    PassManager pm(copy->getContext());
    pm.addPass(createSplitBatchPass());
    pm.addNestedPass<func::FuncOp>(createAssumePositionsPass());
    if (succeeded(pm.run(*copy)))
      outlook = lookAhead(copy->lookupSymbol<func::FuncOp>("main"));
  });
  return outlook;
}

/// As one op, or in steps.
static bool mayHaveSoftmax(func::FuncOp function) {
  return function
      .walk([](Operation *op) {
        return isa<linalg::SoftmaxOp, math::ExpOp>(op) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether a fixed extent of an argument may count tokens for which another one
/// has a number each, if need be for each sequence of a batch.
static bool mayHaveMask(func::FuncOp main) {
  for (Type type : main.getArgumentTypes())
    if (!cast<RankedTensorType>(type).hasStaticShape())
      return false;
  // Of one sequence, the only extent that is not 1; 0 if there are several.
  auto tokensOf = [](RankedTensorType type, bool isBatch) {
    int64_t tokens = 1;
    for (int64_t extent : type.getShape().drop_front(isBatch ? 1 : 0))
      if (extent != 1)
        tokens = tokens == 1 ? extent : 0;
    return tokens == 1 ? 0 : tokens;
  };
  for (BlockArgument mask : main.getArguments())
    for (BlockArgument rows : main.getArguments()) {
      auto type = cast<RankedTensorType>(mask.getType()),
           rowsType = cast<RankedTensorType>(rows.getType());
      if (mask == rows || type.getRank() == 0 || rowsType.getRank() == 0)
        continue;
      ArrayRef<int64_t> shape = rowsType.getShape();
      bool isBatch = type.getRank() > 1 && type.getDimSize(0) == shape.front();
      if (llvm::is_contained(shape, tokensOf(type, false)) ||
          (isBatch &&
           llvm::is_contained(shape.drop_front(), tokensOf(type, true))))
        return true;
    }
  return false;
}

/// Whether the arguments are of tokens or rows whose first two extents may be
/// length and batch as well as batch and length.
static bool mayBeSequenceFirst(func::FuncOp main) {
  return llvm::all_of(main.getArguments(), [&](BlockArgument argument) {
    auto type = cast<RankedTensorType>(argument.getType());
    bool isTokens = type.getRank() == 2 && type.getElementType().isInteger() &&
                    type.isDynamicDim(1);
    bool isRows = type.getRank() == 3 && type.getElementType().isF32() &&
                  !type.isDynamicDim(2);
    return isTokens || isRows;
  });
}

OwningOpRef<ModuleOp>
mlir::fact::importModel(const OnnxFile &file,
                        const OnnxImportOptions &options) {
  MLIRContext *context = file.getContext();
  Trial plain(file, options);
  func::FuncOp main = plain.main();
  if (!main || !mayHaveSoftmax(main))
    return plain.take(context);
  OnnxImportOptions other = options;
  std::function<bool(const RaiseOutlook &)> isBetter;
  if (mayHaveMask(main)) {
    other.opensLength = true;
    isBetter = [](const RaiseOutlook &found) { return found.leavesPadding; };
  } else if (mayBeSequenceFirst(main) && outlookOf(plain).attentions == 0) {
    other.sequenceFirst = true;
    isBetter = [](const RaiseOutlook &found) { return found.attentions > 0; };
  } else {
    return plain.take(context);
  }
  Trial trial(file, other);
  if (!trial.main() || !isBetter(outlookOf(trial))) {
    trial.drop();
    return plain.take(context);
  }
  plain.drop();
  return trial.take(context);
}
