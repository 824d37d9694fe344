//===- Pipelines.cpp - From linalg to outlined fact IR --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mlir::fact::buildRaisePipeline(OpPassManager &pm) {
  pm.addPass(createSplitBatchPass());
  pm.addNestedPass<func::FuncOp>(createAssumePositionsPass());
  pm.addNestedPass<func::FuncOp>(createRaisePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createOutlinePass());
}

void mlir::fact::registerFactConversionPipelines() {
  PassPipelineRegistration<>("fact-raise-pipeline",
                             "linalg on tensors to dense fact IR: split "
                             "a batch, assume positions, raise, "
                             "canonicalize, cse, outline equal layers",
                             buildRaisePipeline);
}
