//===- InitAll.cpp - Registers everything that the tools share ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/InitAll.h"

#include "fact/Conversion/FactToLoops/FactToLoops.h"
#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"
#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void mlir::fact::registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<FactDialect, factisa::FactISADialect>();
}

void mlir::fact::registerAllPasses() {
  mlir::registerAllPasses();
  registerFactConversionPasses();
  registerFactTransformsPasses();
  factisa::registerFactISATransformsPasses();
  registerFactConversionPipelines();
  registerFactTransformsPipelines();
}
