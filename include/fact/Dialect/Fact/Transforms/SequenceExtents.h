//===- SequenceExtents.h - Extents by the length of the sequence ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An open extent of what a model takes is the length of its sequence. One of
// what it returns need not be: x twice has 2 * length rows.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_SEQUENCEEXTENTS_H
#define FACT_DIALECT_FACT_TRANSFORMS_SEQUENCEEXTENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"

namespace mlir::fact {

/// The extents of an argument, each by the length of the sequence: a constant
/// or the symbol s0.
SmallVector<AffineExpr> argumentExtents(func::FuncOp function, unsigned index);
/// The extents of a result of a function of one block: an expression of s0, a
/// constant where the type knows the extent, null where it follows from
/// something else than the length.
SmallVector<AffineExpr> resultExtents(func::FuncOp function, unsigned index);

/// Whether every open extent of a result is the length itself.
bool isSequenceOrFixed(ArrayRef<AffineExpr> extents);

/// An extent in C, by the variable `length`: "length", "2 * length + 1". "?"
/// for null.
std::string extentText(AffineExpr extent);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_TRANSFORMS_SEQUENCEEXTENTS_H
