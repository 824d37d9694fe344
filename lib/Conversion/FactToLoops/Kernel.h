//===- Kernel.h - Integer products of a block of rows and columns ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every integer product of every tier: sums of A, rows of codes, and B, which
// is packed in groups of 16 columns,
//
//   B [columns / 16][K / step][16][step]
//
// so that a step reads 16 columns in a row; a tile of AMX is 16 steps. Codes
// are i8, or i16 where a step is a pair. A is rows of K codes next to each
// other, or blocks of them: for tiles [rows / 32][K / 64][32][64], for
// probabilities [keys / floats][rows][floats].
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_KERNEL_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_KERNEL_H

#include "Emitter.h"

#include "fact/Conversion/FactToLoops/Tier.h"

#include <functional>

namespace mlir::fact::loops {

/// Columns of a group of B.
inline constexpr int64_t groupColumns = 16;

/// Element type of codes that a dot step reads.
Type codeType(Emitter &e, Dot dot);

/// Codes of a row of K that memory has room for.
int64_t paddedCodes(Dot dot, int64_t k);
/// Those that B has: a multiple of a step, or of a tile.
int64_t packedCodes(Dot dot, int64_t k);

/// Which product, and where its operands are.
struct BlockOperands {
  Dot dot;
  Value a, b;
  /// Offsets in a of the rows, in b of the groups of columns.
  SmallVector<Value> rows, groups;
  /// The sums run over blocks begin .. end - 1 of `steps` steps; null: one.
  std::optional<ColumnRange> blocks;
  int64_t steps;
  /// Tiles with `blocks` only: emits what is computed beside their products.
  std::function<void(Value)> beside;
  /// How far apart blocks of A are, in codes.
  int64_t blockStride = 0;
  /// Offset x: A is unsigned and B signed; else B unsigned and A signed.
  bool rowsAreUnsigned = true;
  /// Tiles only: how far apart rows of A are, in codes.
  int64_t rowStride = 0;
  /// Tiles only: where the next codes of B begin, a group each. `sharers`
  /// blocks ask for them together, each for one part of as many, a little at
  /// each step.
  SmallVector<Value> ahead;
  int64_t sharers = 1;
};

/// How rows of codes lie in memory: blocks of rows and of codes of them.
struct RowLayout {
  int64_t width; ///< codes of a row, with padding
  int64_t blockRows, blockCodes;

  static RowLayout of(Dot dot, int64_t k);
  /// Where a row begins.
  Value row(Emitter &e, Value row) const;
  /// How far a code is from there; `code` is a multiple of `lanes` codes that
  /// lie in one block.
  Value code(Emitter &e, Value code) const;
  /// A of a block: `count` rows of memory, of which rowNumber(r) is the r-th
  /// (of tiles: rows that follow it), over codes from .. from + n - 1.
  BlockOperands operands(Emitter &e, Dot dot, Value memory, int64_t count,
                         Value from, int64_t n,
                         llvm::function_ref<Value(int64_t)> rowNumber) const;
};

/// Adds the products to sums that begin as `init` gives them (row, group), 16
/// of i32 each, and hands them to `use`. Vector tiers.
SmallVector<Value> sumBlock(Emitter &e, const BlockOperands &operands,
                            llvm::function_ref<Value(int64_t, int64_t)> init);

/// The same on any tier, from and to memory: c[offset + row * stride + column].
/// The sums begin at what c holds or, if `fresh`, at what `init` gives: without
/// it, or where it gives null, at 0.
struct BlockSums {
  Value memory, offset;
  int64_t stride;
};
void multiplyBlock(Emitter &e, const BlockOperands &operands,
                   const BlockSums &sums, bool fresh,
                   llvm::function_ref<Value(int64_t, int64_t)> init = nullptr);

/// Calls body(rows): a whole block of the tier's rows, or half a block where no
/// more rows are left.
void withBlockRows(Emitter &e, Value left, int64_t rows,
                   llvm::function_ref<void(int64_t)> body);
/// Calls body(first row, rows) for blocks of the tier's rows below `count`, and
/// for half a block where so few are left. Blocks may reach past `count`.
void forRowBlocks(Emitter &e, Value count, int64_t rows,
                  llvm::function_ref<void(Value, int64_t)> body);

/// 16 tokens' codes [L, width] from `column` on as groups of B whose columns
/// are tokens, from `to` on: a transpose. `flip` adds 128 (offset).
void packTokens(Emitter &e, Dot dot, Value source, Value stride, Value column,
                int64_t width, Value length, Value groups, bool flip,
                Value packed, Value to);

/// Codes [L, width] from `column` on as B whose sum runs over the tokens, from
/// `to` on.
void packColumnsOfTokens(Emitter &e, Dot dot, Value source, Value stride,
                         Value column, int64_t width, Value length,
                         Value paddedLength, Value packed, Value to);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_KERNEL_H
