//===- Passes.td - Passes on the fact dialect -*- tablegen -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_PASSES_TD
#define FACT_DIALECT_FACT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // FACT_DIALECT_FACT_TRANSFORMS_PASSES_TD
