//===- ProfileRegions.h - Calls that say where time goes ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_PROFILEREGIONS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_PROFILEREGIONS_H

#include "fact/Conversion/FactToLoops/Profile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::fact::loops {

/// Emits what Profile.h describes.
class ProfileRegions {
public:
  explicit ProfileRegions(ModuleOp module) : module(module) {}

  /// Both where the builder is.
  void enter(OpBuilder &b, Location source, StringRef name,
             ArrayRef<StringRef> ops);
  void leave(OpBuilder &b, Location loc);
  void work(OpBuilder &b, Location loc, Value multiplications, Value bytes);

private:
  void call(OpBuilder &b, Location loc, StringRef name, ValueRange arguments);

  ModuleOp module;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PROFILEREGIONS_H
