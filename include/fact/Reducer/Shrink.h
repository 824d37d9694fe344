//===- Shrink.h - Makes a failing model small -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pass `--fact-shrink` of fact-reduce, which knows what a smaller model is:
// MLIR's own reductions erase ops in ranges, and an op on rows that others read
// cannot be erased.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_REDUCER_SHRINK_H
#define FACT_REDUCER_SHRINK_H

namespace mlir::fact {

/// Registers `--fact-shrink='test=SCRIPT test-arg=ARG... max-tests=N'`. SCRIPT
/// is run with the arguments and the path of a module and exits with 1 where
/// the module still shows what one looks for (as for MLIR's own reductions).
/// The module that is left is legal, and no step that is tried makes it
/// smaller; after `max-tests` runs of the script (0 = as many as it takes) it
/// is what was found until then. A module that SCRIPT does not exit with 1 for
/// is an error.
void registerShrinkPass();

} // namespace mlir::fact

#endif // FACT_REDUCER_SHRINK_H
