//===- Gemm.h - Integer matrix products on packed operands ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function of the module, `__fact_gemm`, does every integer product of all
// ops. A is rows of i16, B is tiles of 16 columns whose rows come in pairs:
// element (k, n) of B is at ((n / 16 * pairs + k / 2) * 16 + n % 16) * 2 + k
// % 2. LLVM turns the pair form into vpdpwssd, vpmaddwd, pmaddwd or smlal.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_GEMM_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_GEMM_H

#include "Emitter.h"

namespace mlir::fact::loops {

/// Rows that are multiplied before their sums are used, so that the sums stay
/// in the cache. A multiple of every row block.
inline constexpr int64_t panelRows = 48;

/// Adds the function `__fact_gemm` to a module without one.
void addGemmFunction(ModuleOp module, const LoopOptions &options);

/// The part of a product that is wanted: of its sums those of some tiles, over
/// some pairs.
struct GemmPart {
  ColumnRange tiles, pairs;
};

/// c[m, tiles * 16] = a[m, 2 * pairs] b[2 * pairs, tiles * 16], all flat, or a
/// part of that. `a` and `c` have room for whole panels.
void callGemm(Emitter &e, Value a, Value b, Value c, Value m, Value pairs,
              Value tiles, std::optional<GemmPart> part = std::nullopt);

/// Which rows of the sequence a product works on.
struct RowList {
  Value count;
  Value rows; ///< memref<?xindex>, or null: row m is m
  Value operator()(Emitter &e, Value m) const {
    return rows ? e.load(rows, m) : m;
  }
};

/// The rows below `length` for which `keeps` holds, ascending; into `memory`,
/// memref<?xindex> with room for length + 1.
RowList listRows(Emitter &e, Value memory, Value length,
                 llvm::function_ref<Value(Value)> keeps);

/// Scratch memory for a product of [panel, k] with [k, n], both static.
struct GemmScratch {
  GemmScratch(Emitter &e, int64_t k, int64_t n);
  int64_t k, pairs, n, tiles;
  Value a, b, c;
};

/// Widens `width` codes of a row of i8 from `column` on to `a`[m * stride ...];
/// up to 15 elements past them become zero.
void widenRow(Emitter &e, Value source, Value row, Value column, int64_t width,
              Value a, Value offset);

/// Packs columns [column, column + n) of i8 [k, N]: `map`, where not null,
/// changes each vector of i8 on the way.
void packColumns(Emitter &e, Value source, Value column,
                 const GemmScratch &scratch,
                 llvm::function_ref<Value(Value)> map = nullptr);

/// Packs columns [column, column + n) of i8 [length, d] as B with k = length
/// (rows past it are whatever `packed` holds, where the pair is not begun).
void packSequence(Emitter &e, Value source, Value length, Value column,
                  int64_t n, Value pairs, Value packed);

/// Packs the transpose: B has k = width columns of the source from `column`
/// on, and its n columns are the tokens.
void packTransposed(Emitter &e, Value source, Value length, Value column,
                    int64_t width, Value packed);

/// a product of rows of the sequence (i8 [L, k]) with packed weights, panel by
/// panel; `use` gets row, offset of 16 columns among n, how many of them count,
/// and their sums.
void multiplyRows(
    Emitter &e, Value input, const RowList &list, const GemmScratch &scratch,
    llvm::function_ref<
        void(Value row, llvm::function_ref<void(
                            llvm::function_ref<void(Value offset, int64_t width,
                                                    Value sums)>)>)>
        use);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_GEMM_H
