//===- Said.cpp - What is said and made while something is tried ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Said.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::fact;

void Said::during(MLIRContext *context, llvm::function_ref<void()> work) {
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    diagnostics.push_back(std::move(diagnostic));
    return success();
  });
  work();
}

void Said::repeat(MLIRContext *context) {
  for (Diagnostic &diagnostic : diagnostics)
    context->getDiagEngine().emit(std::move(diagnostic));
  diagnostics.clear();
}

void mlir::fact::freeResources(ModuleOp module) {
  module.walk([](arith::ConstantOp op) {
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue()))
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
        *blob = AsmResourceBlob();
  });
}
