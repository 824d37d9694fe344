//===- FactISA.h - The factisa dialect ------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Instructions of a FACT accelerator as ops on SSA buffers. The instruction ops
// come from fact/ISA/Instructions.td, the same records as the binary encoding.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACTISA_IR_FACTISA_H
#define FACT_DIALECT_FACTISA_IR_FACTISA_H

#include "fact/ISA/WeightPlanes.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fact/Dialect/FactISA/IR/FactISADialect.h.inc"

#include "fact/Dialect/FactISA/IR/FactISAEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "fact/Dialect/FactISA/IR/FactISATypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "fact/Dialect/FactISA/IR/FactISAAttributes.h.inc"

#define GET_OP_CLASSES
#include "fact/Dialect/FactISA/IR/FactISAOps.h.inc"

namespace mlir::factisa {

/// On the program's function: JSON text of what observers and reports need.
inline constexpr llvm::StringLiteral kMetadataAttrName = "factisa.metadata";
/// On the program's function: upper bound of the sequence length.
inline constexpr llvm::StringLiteral kBoundAttrName = "factisa.bound";
/// On a selection: the share of the keys that it is expected to keep, or of the
/// rows to be low, for what estimates work (a float; all where there is none).
inline constexpr llvm::StringLiteral kExpectedAttrName = "factisa.expected";
/// On a loop: iterations behind its last one, for what is delayed in it, or
/// happens in an iteration that a short sequence has not (an integer).
inline constexpr llvm::StringLiteral kExtraAttrName = "factisa.extra";
/// On a loop: its iterations may be worked on in turn, op by op. What they
/// write does not overlap, or it adds up and keeps its order. An integer: how
/// many buffers of one size take turns at least.
inline constexpr llvm::StringLiteral kIndependentAttrName =
    "factisa.independent";
/// Bytes of a buffer up to which it gets more slots than the order of a loop
/// needs, so that the next iterations' loads, and who writes them, need not
/// wait.
inline constexpr int64_t kMostBytesInTurns = 65536;

} // namespace mlir::factisa

#endif // FACT_DIALECT_FACTISA_IR_FACTISA_H
