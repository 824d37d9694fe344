//===- Passes.h - Passes on the fact dialect ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_PASSES_H
#define FACT_DIALECT_FACT_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::fact {

#define GEN_PASS_DECL
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"

/// From dense `fact` IR with a policy to sparse IR without: quantize, predict,
/// precision, fuse, and the end. Both back ends start there. `oneSequence`: as
/// the pass fact-fix-length has it.
void buildSparsifyPipeline(OpPassManager &pm, bool oneSequence = true);

/// The end of that, for IR that is sparse already: inline-calls, fix-length,
/// hoist-weights, canonicalize, cse, check-sparse.
void buildFinishPipeline(OpPassManager &pm, bool oneSequence = true);

/// Registers `fact-sparsify`.
void registerFactTransformsPipelines();

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_TRANSFORMS_PASSES_H
