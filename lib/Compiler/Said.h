//===- Said.h - What is said and made while something is tried ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_SAID_H
#define FACT_LIB_COMPILER_SAID_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::fact {

/// What is said while something is tried, to be repeated if that is taken.
class Said {
public:
  void during(MLIRContext *context, llvm::function_ref<void()> work);
  void repeat(MLIRContext *context);

private:
  std::vector<Diagnostic> diagnostics;
};

/// Resources stay in the context when their module goes. Frees those that an
/// import computed which is not taken.
void freeResources(ModuleOp module);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_SAID_H
