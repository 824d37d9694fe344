//===- Passes.h - Conversions between dialects ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_PASSES_H
#define FACT_CONVERSION_PASSES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::fact {

/// What overlaps in a program for the accelerator (docs/schedule.md).
enum class Schedule { Overlap, Differential, InOrder };

#define GEN_PASS_DECL
#include "fact/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "fact/Conversion/Passes.h.inc"

/// From linalg on tensors to dense `fact` IR, one private function for equal
/// encoder layers: raise, canonicalize, cse, outline.
void buildRaisePipeline(OpPassManager &pm);

/// Registers `fact-raise-pipeline`.
void registerFactConversionPipelines();

} // namespace mlir::fact

#endif // FACT_CONVERSION_PASSES_H
