//===- FactToLoops.cpp - The pass, and the interface models behind it -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/FactToLoops/FactToLoops.h"

#include "Gemm.h"
#include "Lowerings.h"
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

namespace mlir::fact {
#define GEN_PASS_DEF_FACTTOLOOPSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;
using bufferization::AnalysisState;
using bufferization::BufferizableOpInterface;
using bufferization::BufferizationOptions;
using bufferization::BufferizationState;

namespace {

/// Every fact op reads its operands and writes fresh buffers.
template <typename OpTy, typename Derived>
struct FreshResults : BufferizableOpInterface::ExternalModel<Derived, OpTy> {
  bool bufferizesToAllocation(Operation *, Value) const { return true; }
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  bufferization::AliasingValueList
  getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const {
    return {};
  }
};

template <typename OpTy> struct Model : FreshResults<OpTy, Model<OpTy>> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    loops::Emitter emitter(rewriter, op, options, state);
    SmallVector<Value> results;
    if (failed(loops::lower(cast<OpTy>(op), emitter, results)))
      return failure();
    bufferization::replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

struct PredictModel : FreshResults<PredictOp, PredictModel> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto predict = cast<PredictOp>(op);
    SelectOp select = loops::fusedSelect(predict);
    if (!select)
      return Model<PredictOp>().bufferize(op, rewriter, options, state);
    loops::Emitter emitter(rewriter, op, options, state);
    SmallVector<Value> unit, selected;
    if (failed(loops::lowerFused(predict, select, emitter, unit, selected)))
      return failure();
    // The select's results are ready where the prediction stood.
    rewriter.setInsertionPoint(select);
    bufferization::replaceOpWithBufferizedValues(rewriter, select, selected);
    rewriter.setInsertionPoint(op);
    Value tensor = bufferization::ToTensorOp::create(
        rewriter, op->getLoc(), predict.getUnit().getType(), unit[0],
        /*restrict=*/true, /*writable=*/false);
    rewriter.replaceAllUsesWith(predict.getUnit(), tensor);
    rewriter.eraseOp(op);
    return success();
  }
};

/// An op that only exists while compiling.
template <typename OpTy>
struct CompileTimeModel : FreshResults<OpTy, CompileTimeModel<OpTy>> {
  LogicalResult bufferize(Operation *op, RewriterBase &,
                          const BufferizationOptions &,
                          BufferizationState &) const {
    InFlightDiagnostic diagnostic = op->emitOpError(
        "is computed while compiling: its operands must be constants");
    for (Value operand : op->getOperands())
      if (!matchPattern(operand, m_Constant()))
        diagnostic.attachNote(operand.getLoc()) << "this one is not";
    return diagnostic;
  }
};

/// A dense op that the CPU back end does not run.
template <typename OpTy>
struct DenseModel : FreshResults<OpTy, DenseModel<OpTy>> {
  LogicalResult bufferize(Operation *op, RewriterBase &,
                          const BufferizationOptions &,
                          BufferizationState &) const {
    return op->emitOpError("must be quantized before it becomes loops");
  }
};

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

/// Row ops become functions that go over panels of rows.
LogicalResult lowerPhases(ModuleOp module, const loops::LoopOptions &options) {
  SmallVector<Block *> blocks;
  module->walk([&](Operation *op) {
    if (loops::isRowOp(op) && !llvm::is_contained(blocks, op->getBlock()))
      blocks.push_back(op->getBlock());
  });
  loops::WeightPacker weights(module, options);
  for (Block *block : blocks)
    for (const loops::Phase &phase : loops::formPhases(*block))
      if (failed(loops::lowerPhase(phase, options, weights)))
        return failure();
  weights.dropUnused();
  loops::outlineParts(module, module);
  return success();
}

struct FactToLoopsPass
    : mlir::fact::impl::FactToLoopsPassBase<FactToLoopsPass> {
  using Base::Base;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<amx::AMXDialect, arith::ArithDialect, bufferization::BufferizationDialect,
                    func::FuncDialect, LLVM::LLVMDialect, linalg::LinalgDialect,
                    math::MathDialect,
                    memref::MemRefDialect, scf::SCFDialect,
                    vector::VectorDialect>();
    registerFactToLoopsInterfaces(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    loops::LoopOptions options{fillUndefined, nativeRound, rowBlock,
                               columnTiles, findTier(tier), emulate};
    if (!options.tier) {
      auto names = llvm::map_range(tiers(), [](const Tier &each) {
        return each.name;
      });
      module.emitError("unknown tier '")
          << tier << "' (there are " << llvm::join(names, ", ") << ")";
      return signalPassFailure();
    }
    if (options.rowBlock < 1 || loops::panelRows % options.rowBlock != 0) {
      module.emitError("row-block must divide ")
          << loops::panelRows << " (was " << options.rowBlock << ")";
      return signalPassFailure();
    }
    if (options.columnTiles < 1) {
      module.emitError("column-tiles must be positive (was ")
          << options.columnTiles << ")";
      return signalPassFailure();
    }
    bool hasFact = module
                       ->walk([](Operation *op) {
                         return isa_and_nonnull<FactDialect>(op->getDialect())
                                    ? WalkResult::interrupt()
                                    : WalkResult::advance();
                       })
                       .wasInterrupted();

    if (failed(renameFunctions(module)))
      return signalPassFailure();
    module->walk([](func::ReturnOp exit) { separateResults(exit); });
    if (failed(lowerPhases(module, options)))
      return signalPassFailure();
    options.attach(module);
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
    module->removeAttr(loops::LoopOptions::attributeName);
    if (failed(result))
      return signalPassFailure();
    if (hasFact)
      loops::addGemmFunction(module, options);
  }
};

} // namespace

void mlir::fact::registerFactToLoopsInterfaces(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, FactDialect *) {
    NormOp::attachInterface<Model<NormOp>>(*context);
    RotateOp::attachInterface<Model<RotateOp>>(*context);
    ActivationOp::attachInterface<Model<ActivationOp>>(*context);
    AddOp::attachInterface<Model<AddOp>>(*context);
    MultiplyOp::attachInterface<Model<MultiplyOp>>(*context);
    MeanTokenOp::attachInterface<Model<MeanTokenOp>>(*context);
    QuantizeRowsOp::attachInterface<Model<QuantizeRowsOp>>(*context);
    QuantizeHeadsOp::attachInterface<Model<QuantizeHeadsOp>>(*context);
    QuantizedLinearOp::attachInterface<Model<QuantizedLinearOp>>(*context);
    EncodeOp::attachInterface<Model<EncodeOp>>(*context);
    LogMatmulOp::attachInterface<Model<LogMatmulOp>>(*context);
    NormalizeHeadsOp::attachInterface<Model<NormalizeHeadsOp>>(*context);
    RescaleOp::attachInterface<Model<RescaleOp>>(*context);
    PredictOp::attachInterface<PredictModel>(*context);
    SelectOp::attachInterface<Model<SelectOp>>(*context);
    SelectAllOp::attachInterface<Model<SelectAllOp>>(*context);
    KRowsOp::attachInterface<Model<KRowsOp>>(*context);
    VRowsOp::attachInterface<Model<VRowsOp>>(*context);
    QRowsOp::attachInterface<Model<QRowsOp>>(*context);
    SelectPrecisionOp::attachInterface<Model<SelectPrecisionOp>>(*context);
    QuantizedAttentionOp::attachInterface<Model<QuantizedAttentionOp>>(
        *context);
    LinearOp::attachInterface<DenseModel<LinearOp>>(*context);
    AttentionOp::attachInterface<DenseModel<AttentionOp>>(*context);
    QuantizeWeightOp::attachInterface<CompileTimeModel<QuantizeWeightOp>>(
        *context);
    QuantizePredictorWeightOp::attachInterface<
        CompileTimeModel<QuantizePredictorWeightOp>>(*context);
    PredictorBiasOp::attachInterface<CompileTimeModel<PredictorBiasOp>>(
        *context);
  });
}
