//===- ProgramTarget.h - Compiling for the accelerator --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_PROGRAMTARGET_H
#define FACT_LIB_COMPILER_PROGRAMTARGET_H

#include "mlir/Support/LLVM.h"

namespace fact {
struct ObjectOptions;
} // namespace fact

namespace mlir::fact {

class Compilation;

/// From sparse IR to instructions: the stage `scheduled`; with `plan` also
/// addresses and tokens: the stage `factisa`.
LogicalResult lowerForFact(Compilation &compilation,
                           const ::fact::ObjectOptions &options, bool plan);

/// Writes the program options.output, and the report where one is asked for.
/// The compilation must be at the stage `Raised`.
LogicalResult compileForFact(Compilation &compilation,
                             const ::fact::ObjectOptions &options);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_PROGRAMTARGET_H
