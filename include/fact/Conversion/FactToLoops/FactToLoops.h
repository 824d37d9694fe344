//===- FactToLoops.h - From sparse fact IR to the LLVM dialect ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_FACTTOLOOPS_FACTTOLOOPS_H
#define FACT_CONVERSION_FACTTOLOOPS_FACTTOLOOPS_H

#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::fact {

/// What the CPU pipeline needs to know of its target and its caller.
struct CpuPipelineOptions {
  /// Name of the entry point in the object or JIT module.
  std::string entryPoint = "fact_main";
  /// One array of pointers instead of one argument each.
  bool packed = false;
  /// x86, aarch64 or none.
  std::string floatControl = "x86";
  /// See `--fact-to-loops`.
  bool fillUndefined = false;
  std::string tier = "portable";
  bool emulate = false;
  bool profile = false;
  /// What the entry point refuses to run without.
  std::vector<std::string> requiredFeatures;
  /// See `--fact-linalg-to-vector`.
  int64_t vectorLanes = 16;
  int64_t tileRows = 4;
  int64_t tileVectors = 2;
};

/// The linalg of a model on tensors, as the CPU runs it.
void buildPrepareLinalgPipeline(OpPassManager &pm);
/// From what bufferization leaves to loops, on the target's vectors.
void buildBuffersToLoopsPipeline(OpPassManager &pm,
                                 const CpuPipelineOptions &options);
/// Sparse fact IR on tensors to buffers and loops (the stage `cpu`).
void buildFactToLoopsPipeline(OpPassManager &pm,
                              const CpuPipelineOptions &options);
/// From there to the LLVM dialect (the stage `llvm`).
void buildLoopsToLLVMPipeline(OpPassManager &pm,
                              const CpuPipelineOptions &options);

} // namespace mlir::fact

#endif // FACT_CONVERSION_FACTTOLOOPS_FACTTOLOOPS_H
