//===- Pipelines.cpp - Pipelines of the passes on the fact dialect --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mlir::fact::buildSparsifyPipeline(OpPassManager &pm, bool oneSequence) {
  pm.addPass(createQuantizePass());
  pm.addPass(createPredictPass());
  pm.addPass(createPrecisionPass());
  pm.addPass(createFusePass());
  buildFinishPipeline(pm, oneSequence);
}

void mlir::fact::buildFinishPipeline(OpPassManager &pm, bool oneSequence) {
  pm.addPass(createInlineCallsPass());
  pm.addPass(createFixLengthPass({oneSequence}));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createHoistWeightsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createCheckSparsePass());
}

void mlir::fact::registerFactTransformsPipelines() {
  PassPipelineRegistration<>(
      "fact-sparsify",
      "dense fact IR to sparse: quantize, predict, "
      "precision, fuse, inline calls, fix the length, "
      "hoist weights and fold them, check",
      [](OpPassManager &pm) { buildSparsifyPipeline(pm); });
}
