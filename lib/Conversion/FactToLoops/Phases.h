//===- Phases.h - Which ops go over a panel of rows together --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row op makes each row of its results of the same row of some operands, and
// of all of the others. Row ops that are linked by rows are one phase: a loop
// over panels of rows, in which what they pass on stays in the cache. A phase
// ends where all rows of something are needed: keys and values of attention.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_PHASES_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_PHASES_H

#include "fact/Dialect/Fact/IR/Fact.h"

namespace mlir::fact::loops {

/// Whether a phase can have it.
bool isRowOp(Operation *op);

/// Whether row i of the op's results is made of row i of this operand, and of
/// no other.
bool readsByRow(OpOperand &operand);

/// Row ops of one block, in order, with nothing else between them.
using Phase = SmallVector<Operation *>;

/// The phases of a block, whose ops are moved so that each is in one piece.
SmallVector<Phase> formPhases(Block &block);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PHASES_H
