//===- AnyIteration.h - What an op is in all iterations alike -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_DIALECT_FACTISA_TRANSFORMS_ANYITERATION_H
#define FACT_LIB_DIALECT_FACTISA_TRANSFORMS_ANYITERATION_H

#include "fact/ISA/Instructions.h"

#include "mlir/IR/Operation.h"

namespace mlir::factisa {

/// What is the same in all iterations of a number or an address, in bytes from
/// the beginning of its buffer; the rest is another one in each iteration.
int64_t constantPart(Value value);

/// An op's instruction with addresses from the beginning of their buffers and
/// the first row 0, as far as these are the same in all iterations.
::fact::isa::Instruction inAnyIteration(Operation *op);

} // namespace mlir::factisa

#endif // FACT_LIB_DIALECT_FACTISA_TRANSFORMS_ANYITERATION_H
