//===- PrintLayers.cpp - Prints the encoder layers of each function -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/EncoderLayers.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

namespace mlir::fact {
#define GEN_PASS_DEF_PRINTLAYERSPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

struct PrintLayersPass
    : mlir::fact::impl::PrintLayersPassBase<PrintLayersPass> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<FunctionOpInterface>())
      if (!function.isExternal())
        EncoderLayers(function).print(llvm::errs());
    markAllAnalysesPreserved();
  }
};

} // namespace
