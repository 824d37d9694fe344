//===- OutlineKernels.h - One function per distinct loop nest -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_EXECUTION_OUTLINEKERNELS_H
#define FACT_LIB_EXECUTION_OUTLINEKERNELS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::fact {

/// Moves every linalg operation and copy on memrefs into a private function
/// that its equals share. LLVM's time grows faster than a function: twelve
/// equal layers in one function take it forty seconds, their twenty-odd kernels
/// one.
void outlineKernels(ModuleOp module);

} // namespace mlir::fact

#endif // FACT_LIB_EXECUTION_OUTLINEKERNELS_H
