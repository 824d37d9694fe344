//===- PanelAttention.h - Attention of the rows of a panel ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_PANELATTENTION_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_PANELATTENTION_H

#include "KeyProduct.h"
#include "Panels.h"

#include <limits>

namespace mlir::fact::loops {

/// Head by head and block by block of a panel's rows: scores of the keys that
/// the rows see, the three sweeps of section 6 over them, sums of p8 * v8.
/// Probabilities lie as scores do, and so are rows of a product.
class Attention {
public:
  Attention(PanelLoops &loops, QuantizedAttentionOp op);

  /// In front of the panels: keys and values in the order of the products.
  void begin();
  void panel();

private:
  /// The score of a key that a row does not keep.
  static constexpr float nothing = -std::numeric_limits<float>::infinity();

  /// A block of rows of a head.
  struct Block {
    Value head, group;
    ListedRows rows; ///< of the panel
    Value first, count;
    ColumnRange chunks; ///< of keys that its rows see
    Value row(Emitter &e, Value i) const { return rows(e, e.add(first, i)); }
  };

  void dominatedRows(Value head, Value group);
  void block(Value head, Value group, const ListedRows &rows, Value first);
  Value keysOf(const Block &block);
  void loadQueries(const Block &block);
  void scores(const Block &block);
  void scoresOf(const Block &block, const ColumnRange &chunks, bool isChecked);
  Value firstWord(const Block &block, Value i);
  ColumnRange seenColumns(const Block &block, Value i);
  Value keptKeys(const Block &block, Value i);
  Value maskLanes(Value firstWord, Value number, int64_t n);
  Value keptLanes(const Block &block, Value i, Value key, int64_t n);
  void terms(const Block &block);
  void termsOfChunk(const Block &block, Value chunk, bool isChecked);
  Real term(const Real &s, Value i, const Real &offset);
  /// What is one number for each row is computed for 16 rows at a time, row i
  /// of the block and those that follow: body(i). Rows behind the block's are
  /// computed, too.
  void forSixteens(const Block &block, llvm::function_ref<void(Value)> body);
  /// 16 lanes of each row in memory, combined to one lane of each.
  Value foldRows(Value memory, Value i,
                 llvm::function_ref<Value(Value, Value)> combine);
  void normalizers(Value i);
  void denominators(const Block &block, Value i);
  Real tail(const Block &block, Value i, const Real &without);
  void multiplyTail(const Block &block, Value i);
  void probabilities(const Block &block, Value chunk);
  bool overlapsProbabilities() const;
  void context(const Block &block);
  /// Calls body(chunks, isChecked): those with columns that a row may not see
  /// are checked.
  void forRanges(const Block &block,
                 llvm::function_ref<void(const ColumnRange &, bool)> body);
  void allocate();

  //===--- Of kept keys alone (KeptKeys.cpp) ------------------------------===//
  bool paysToCompress();
  Value compressRow(const Block &block, Value i);
  void softmaxOfKept(const Block &block, Value i);
  void expandRow(const Block &block, Value i);

  PanelLoops &loops;
  Emitter &e;
  const Tier &tier;
  QuantizedAttentionOp op;
  int64_t heads, groups, headSize, valueGroups, blockRows, floats;
  Value padded; ///< Keys, a multiple of a chunk.
  KeyProduct keys;
  Value valuesPacked, keyScales, valueScales;
  bool isCompressed = false;
  /// The factor of a row's scores is a power of two: they stay without it, and
  /// get it where -mx is added, in one instruction. The same terms: where the
  /// product is not exact, below 2^-126, it is less than half a unit in the
  /// last place of mx, or mx is so small that exp is 1 both ways.
  bool isFactorLate;
  Value maxima; ///< of the panel's rows of the result, if they are asked for
  /// Of a block.
  struct {
    Value factors, offsets, scores, probabilities, products;
    /// 16 lanes a row: largest score, sum of terms, largest weighted term;
    /// products of the query with the mean token's key.
    Value largest, sums, weighted, tailProducts;
    /// gm, 255 / gm and 1 / den; with a tail r, w, and how many keys a row
    /// keeps and misses.
    Value numerators, probabilityFactors, inverses, shrinks, tailWeights, kept,
        missing;
    /// Of a row: scores of kept keys, then their weighted terms; scales of
    /// their values; their probabilities.
    Value keptScores, keptScales, keptCodes;
  } memory;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PANELATTENTION_H
