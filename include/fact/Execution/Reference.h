//===- Reference.h - Float reference of an imported model -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The model unchanged in float32, at the actual length: what all approximation
// is compared with.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_EXECUTION_REFERENCE_H
#define FACT_EXECUTION_REFERENCE_H

#include "fact/Conversion/FactToLoops/FactToLoops.h"
#include "fact/Execution/JitFunction.h"

namespace mlir::fact {

/// Lowers a module of linalg, tensor, arith, math and func on f32 tensors (what
/// the importers make) to the LLVM dialect, in place. Sums are taken in the
/// order of the index, without reassociation.
LogicalResult lowerReferenceToLLVM(ModuleOp module,
                                   const CpuPipelineOptions &options);

/// Lowers and compiles a copy of \p module; \p function is called afterwards.
/// An error was not yet printed, except for what passes report.
llvm::Expected<std::unique_ptr<JitFunction>>
compileReference(ModuleOp module, StringRef function = "main");

} // namespace mlir::fact

#endif // FACT_EXECUTION_REFERENCE_H
