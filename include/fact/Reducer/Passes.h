//===- Passes.h - Passes that make a failing model small ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_REDUCER_PASSES_H
#define FACT_REDUCER_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::fact {

#define GEN_PASS_DECL
#include "fact/Reducer/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "fact/Reducer/Passes.h.inc"

} // namespace mlir::fact

#endif // FACT_REDUCER_PASSES_H
