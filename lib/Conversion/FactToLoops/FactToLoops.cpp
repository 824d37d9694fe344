//===- FactToLoops.cpp - The pass, and the interface models behind it -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/FactToLoops/FactToLoops.h"

#include "Lowerings.h"
#include "Masks.h"
#include "Panels.h"

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FACTTOLOOPSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;
using bufferization::BufferizationState;

namespace {

/// Gives every result of a function memory of its own: its caller frees each.
void separateResults(func::ReturnOp exit) {
  DenseSet<Value> returned;
  for (OpOperand &operand : exit->getOpOperands()) {
    if (!isa<TensorType>(operand.get().getType()))
      continue;
    // Casts, reshapes and slices are views.
    Value memory = operand.get();
    while (isa_and_nonnull<tensor::CastOp, tensor::CollapseShapeOp,
                           tensor::ExpandShapeOp, tensor::ExtractSliceOp>(
        memory.getDefiningOp()))
      memory = memory.getDefiningOp()->getOperand(0);
    if (returned.insert(memory).second)
      continue;
    OpBuilder builder(exit);
    operand.set(bufferization::AllocTensorOp::create(
        builder, exit.getLoc(), cast<RankedTensorType>(operand.get().getType()),
        ValueRange(), /*copy=*/operand.get()));
  }
}

/// Gives the functions that main calls names that no C library and none of our
/// own functions has: `memcpy` is a name like any other in a model.
LogicalResult renameFunctions(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPrivate() || function.isExternal())
      continue;
    auto name =
        StringAttr::get(module.getContext(), "model." + function.getSymName());
    if (failed(SymbolTable::replaceAllSymbolUses(function, name, module)))
      return failure();
    function.setSymNameAttr(name);
  }
  return success();
}

/// What only exists while compiling, dense ops, and widths that are open.
LogicalResult verifyLowerable(ModuleOp module) {
  WalkResult result = module->walk([](Operation *op) {
    if (!isa_and_nonnull<FactDialect>(op->getDialect()))
      return WalkResult::advance();
    if (isa<LinearOp, AttentionOp>(op)) {
      op->emitOpError("must be quantized before it becomes loops");
      return WalkResult::interrupt();
    }
    if (isa<QuantizeWeightOp, QuantizePredictorWeightOp, PredictorBiasOp>(op)) {
      InFlightDiagnostic diagnostic = op->emitOpError(
          "is computed while compiling: its operands must be constants");
      for (Value operand : op->getOperands())
        if (!matchPattern(operand, m_Constant()))
          diagnostic.attachNote(operand.getLoc()) << "this one is not";
      return WalkResult::interrupt();
    }
    if (!loops::isRowOp(op) && !isa<MeanTokenOp, PredictOp>(op))
      return WalkResult::advance();
    // Rows, and weights.
    for (Value value :
         llvm::concat<Value>(op->getOperands(), op->getResults())) {
      auto type = cast<ShapedType>(value.getType());
      bool isRows = type.getRank() == 2 && value == op->getOperand(0);
      bool isWeight = isa<QuantizedLinearOp, LogMatmulOp>(op) &&
                      type.getRank() == 2 && type.getElementType().isInteger(8);
      if ((!isRows && !isWeight) || !type.isDynamicDim(1))
        continue;
      InFlightDiagnostic diagnostic =
          op->emitOpError("needs a known number of features to become loops");
      if (value.getDefiningOp() != op)
        diagnostic.attachNote(value.getLoc())
            << "a value of type " << value.getType() << " comes from here";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Row ops become functions that go over panels of rows, the others one each.
LogicalResult lowerFactOps(ModuleOp module, const loops::LoopOptions &options) {
  if (failed(verifyLowerable(module)))
    return failure();
  SetVector<Block *> blocks;
  module->walk([&](Operation *op) {
    if (loops::isRowOp(op))
      blocks.insert(op->getBlock());
  });
  module->removeAttr(kProfileRegionsAttrName); // of another run
  loops::packMasks(module);
  loops::WeightPacker weights(module, options);
  for (Block *block : blocks)
    for (const loops::Phase &phase : loops::formPhases(*block))
      loops::lowerPhase(phase, options, weights);
  weights.dropUnused();
  SmallVector<Operation *> others;
  module->walk([&](Operation *op) {
    if (!isa_and_nonnull<FactDialect>(op->getDialect())) {
      if (loops::isPack(op) && !op->getOperand(0).getDefiningOp<SelectOp>())
        others.push_back(op);
      return;
    }
    auto predict = dyn_cast<PredictOp>(op);
    if (predict && loops::fusedSelect(predict))
      return; // with its select
    others.push_back(op);
  });
  for (Operation *op : others) {
    loops::Emitter e(op, options);
    PredictOp predict;
    if (auto select = dyn_cast<SelectOp>(op)) {
      predict = select.getScores().getDefiningOp<PredictOp>();
      if (predict && loops::fusedSelect(predict) != select)
        predict = {};
      if (predict)
        loops::lowerFused(predict, select, e);
      else
        loops::lower(select, e);
      if (Operation *pack = loops::packOf(select.getMask()))
        e.replace(pack);
    } else if (auto pack = dyn_cast<UnrealizedConversionCastOp>(op)) {
      loops::lowerPack(pack, e);
    } else {
      llvm::TypeSwitch<Operation *>(op)
          .Case<MeanTokenOp, SelectAllOp, KRowsOp, VRowsOp, QRowsOp,
                SelectPrecisionOp, PredictOp>(
              [&](auto each) { loops::lower(each, e); })
          .Default([](Operation *) { llvm_unreachable("has a lowering"); });
    }
    e.replace(op);
    if (predict)
      e.replace(predict);
  }
  loops::dropMaskCasts(module);
  loops::outlineParts(module, options.profile);
  return success();
}

struct FactToLoopsPass
    : mlir::fact::impl::FactToLoopsPassBase<FactToLoopsPass> {
  using Base::Base;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<amx::AMXDialect, arith::ArithDialect,
                    bufferization::BufferizationDialect, func::FuncDialect,
                    LLVM::LLVMDialect, linalg::LinalgDialect, math::MathDialect,
                    memref::MemRefDialect, scf::SCFDialect,
                    vector::VectorDialect>();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    loops::LoopOptions options{fillUndefined, findTier(tier), emulate, profile};
    if (!options.tier) {
      module.emitError("unknown tier '")
          << tier << "' (there are " << tierNames() << ")";
      return signalPassFailure();
    }
    if (failed(renameFunctions(module)))
      return signalPassFailure();
    module->walk([](func::ReturnOp exit) { separateResults(exit); });
    if (failed(lowerFactOps(module, options)))
      return signalPassFailure();
    bufferization::OneShotBufferizationOptions bufferization;
    bufferization.bufferizeFunctionBoundaries = true;
    bufferization.allowReturnAllocsFromLoops = true;
    bufferization.setFunctionBoundaryTypeConversion(
        bufferization::LayoutMapOption::IdentityLayoutMap);
    // Copies as loops: the library function for strided ones is not ours.
    bufferization.memCpyFn = [](OpBuilder &b, Location loc, Value from,
                                Value to) -> LogicalResult {
      linalg::CopyOp::create(b, loc, from, to);
      return success();
    };
    BufferizationState state;
    LogicalResult result =
        bufferization::runOneShotModuleBufferize(module, bufferization, state);
    if (failed(result))
      return signalPassFailure();
  }
};

} // namespace
