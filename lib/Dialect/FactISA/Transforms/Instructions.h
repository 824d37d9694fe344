//===- Instructions.h - What an op of a program does to memory ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_DIALECT_FACTISA_TRANSFORMS_INSTRUCTIONS_H
#define FACT_LIB_DIALECT_FACTISA_TRANSFORMS_INSTRUCTIONS_H

#include "mlir/IR/Operation.h"

namespace fact::isa {
struct InstructionInfo;
} // namespace fact::isa

namespace mlir::factisa {

/// The description of an instruction; null for ops that only name memory or
/// numbers, and for those of other dialects.
const ::fact::isa::InstructionInfo *instructionOf(Operation *op);

/// An operand that is an address.
struct AddressUse {
  Value address;
  bool dram, write;
};

/// The addresses of an instruction that are there; none for any other op.
SmallVector<AddressUse> addressesOf(Operation *op);

/// The buffer that an address is in: what the views are of.
Value bufferOf(Value address);

} // namespace mlir::factisa

#endif // FACT_LIB_DIALECT_FACTISA_TRANSFORMS_INSTRUCTIONS_H
