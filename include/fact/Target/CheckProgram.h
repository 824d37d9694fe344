//===- CheckProgram.h - Writers before readers, as diagnostics ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_TARGET_CHECKPROGRAM_H
#define FACT_TARGET_CHECKPROGRAM_H

#include "fact/Target/EncodeProgram.h"

namespace mlir::factisa {

/// Checks an encoded program (fact/ISA/CheckProgram.h says what for), with the
/// lives of its scratchpad buffers. What is wrong is an error at the op, with
/// notes at the buffer and at the other instruction. `counts`, where there are
/// some, are filled.
LogicalResult checkProgram(const ::fact::isa::Program &program,
                           const ProgramPlaces &places,
                           ::fact::isa::CheckCounts *counts = nullptr);

} // namespace mlir::factisa

#endif // FACT_TARGET_CHECKPROGRAM_H
