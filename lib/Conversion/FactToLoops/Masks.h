//===- Masks.h - Masks of attention in bits -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask [h, L, L] is a byte for each of its elements to everyone else; here it
// is words of 16 columns, from bit 0 on, with zeros behind the last column.
// Each row begins at a multiple of 16 words.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_MASKS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_MASKS_H

#include "Emitter.h"

namespace mlir::fact::loops {

/// Makes every mask that a fact op reads a tensor of words, which a cast makes
/// of it until someone lowers that.
void packMasks(ModuleOp module);
/// What is left of that when all is lowered.
void dropMaskCasts(ModuleOp module);

/// The words of a mask that an op reads; null for null.
Value wordsOfMask(Value mask);
/// The cast that makes words of a selection's mask, if anyone reads them.
UnrealizedConversionCastOp packOf(Value mask);
/// Whether a cast is one of these.
bool isPack(Operation *op);
/// The words of a mask that is there in bytes, of what is inside the window of
/// who reads it.
void lowerPack(UnrealizedConversionCastOp pack, Emitter &e);

/// Memory for the words of all rows.
Value allocWords(Emitter &e, Value words, int64_t heads, Value length);
Value wordsOfRow(Emitter &e, Value length);
/// One of a row that begins at `firstWord`, as i1.
Value bitOf(Emitter &e, Value words, Value firstWord, Value column);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_MASKS_H
