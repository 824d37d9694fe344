//===- Pipeline.cpp - From sparse fact IR to the LLVM dialect -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/FactToLoops/FactToLoops.h"

#include "fact/Conversion/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mlir::fact::buildPrepareLinalgPipeline(OpPassManager &pm) {
  pm.addPass(createPrepareLinalgPass());
  pm.addNestedPass<func::FuncOp>(createFuseElementwisePass());
}

void mlir::fact::buildBuffersToLoopsPipeline(
    OpPassManager &pm, const CpuPipelineOptions &options) {
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addNestedPass<func::FuncOp>(createFreeEarlyPass());
  pm.addPass(createCopiesToLoopsPass());
  pm.addPass(createFlattenConstantsPass());
  OutlineKernelsPassOptions kernels;
  kernels.profile = options.profile;
  pm.addPass(createOutlineKernelsPass(kernels));
  LinalgToVectorPassOptions tiles;
  tiles.lanes = options.vectorLanes;
  tiles.rows = options.tileRows;
  tiles.vectors = options.tileVectors;
  pm.addNestedPass<func::FuncOp>(createLinalgToVectorPass(tiles));
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
}

void mlir::fact::buildFactToLoopsPipeline(OpPassManager &pm,
                                          const CpuPipelineOptions &options) {
  FactToLoopsPassOptions loops;
  loops.fillUndefined = options.fillUndefined;
  loops.tier = options.tier;
  loops.emulate = options.emulate;
  loops.profile = options.profile;
  buildPrepareLinalgPipeline(pm);
  pm.addPass(createFactToLoopsPass(loops));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  buildBuffersToLoopsPipeline(pm, options);
  ParallelLoopsPassOptions parallel;
  parallel.floatControl = options.floatControl;
  pm.addPass(createParallelLoopsPass(parallel));
  EntryPointPassOptions entry;
  entry.name = options.entryPoint;
  entry.packed = options.packed;
  entry.floatControl = options.floatControl;
  entry.required = llvm::to_vector(options.requiredFeatures);
  pm.addPass(createEntryPointPass(entry));
  pm.addPass(createSymbolDCEPass());
}

void mlir::fact::buildLoopsToLLVMPipeline(OpPassManager &pm,
                                          const CpuPipelineOptions &) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  // Math of what was not raised: an intrinsic where LLVM has one, which is a
  // call of the C library's function as well, else (erf) that call, element by
  // element.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.amx = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}
