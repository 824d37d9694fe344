//===- CHeader.h - The header of a CPU object -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_CHEADER_H
#define FACT_LIB_COMPILER_CHEADER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace mlir::fact {

/// Declares the entry point `name` of the function `main`, still on tensors.
std::string cHeader(func::FuncOp main, const std::string &name,
                    const std::string &policy);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_CHEADER_H
