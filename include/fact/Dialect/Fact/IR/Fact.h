//===- Fact.h - The fact dialect ------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dialect, attributes, interfaces and ops of `fact`.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_IR_FACT_H
#define FACT_DIALECT_FACT_IR_FACT_H

#include "fact/Numerics/Window.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fact/Dialect/Fact/IR/FactDialect.h.inc"

#include "fact/Dialect/Fact/IR/FactEnums.h.inc"

#include "fact/Dialect/Fact/IR/FactInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "fact/Dialect/Fact/IR/FactAttributes.h.inc"

#define GET_OP_CLASSES
#include "fact/Dialect/Fact/IR/FactOps.h.inc"

namespace mlir::fact {

/// Attribute names that functions, their arguments and results carry.
/// `fact.policy` (attention, call of a layer, function or module): PolicyAttr,
/// read by the passes until fuse; the innermost one holds.
inline constexpr llvm::StringLiteral kPolicyAttrName = "fact.policy";
/// `fact.name` (argument or result): the tensor's name in the source model.
inline constexpr llvm::StringLiteral kNameAttrName = "fact.name";
/// `fact.bound` (argument): upper bound of the open, last-but-one dimension.
inline constexpr llvm::StringLiteral kBoundAttrName = "fact.bound";
/// On an op: the tensor of the model that it makes.
inline constexpr llvm::StringLiteral kTensorAttrName = "tensor";
/// On an argument: numbers, one for each token, that say which tokens are
/// padding, those that have this value (0 or 1). Nothing that was raised reads
/// it: who runs the function gives it the real tokens alone.
inline constexpr llvm::StringLiteral kPaddingAttrName = "fact.padding";
/// `fact.positions` (argument): the positions of the tokens, taken to be 0, 1,
/// .. (`fact-assume-positions`). Nothing reads it: who runs the function checks
/// that they are.
inline constexpr llvm::StringLiteral kPositionsAttrName = "fact.positions";
/// `fact.batch` (argument or result), [dim, sequences]: extent `dim` is the
/// model's batch, of so many sequences (0: any number). After
/// `fact-split-batch` it is 1, and who runs the function does so for each.
inline constexpr llvm::StringLiteral kBatchAttrName = "fact.batch";
/// `fact.dump` (result of main, after --fact-expose-masks): its name in a dump.
inline constexpr llvm::StringLiteral kDumpAttrName = "fact.dump";
/// `fact.layers` (main, likewise): heads, key heads and window of each
/// attention.
inline constexpr llvm::StringLiteral kLayersAttrName = "fact.layers";
/// Of a module whose code is profiled, for each region in the order of their
/// numbers: {name, ops = [...], source = location}.
inline constexpr llvm::StringLiteral kProfileRegionsAttrName =
    "fact.profile_regions";

/// One end of a window as texts have it: a number, or `*` where unlimited.
ParseResult parseWindowEnd(AsmParser &parser, int64_t &end);
void printWindowEnd(AsmPrinter &printer, int64_t end);

/// What an op's window says; without one every key is seen.
::fact::numerics::Window windowOf(WindowAttr window);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_IR_FACT_H
