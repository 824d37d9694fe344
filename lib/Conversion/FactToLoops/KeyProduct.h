//===- KeyProduct.h - Queries times keys, block by block ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What attention and prediction share: a block of rows of one head times the
// keys of its group. Scores of a block lie in chunks of keys,
// [keys / floats][rows][floats], so that a chunk of all rows is worked on while
// it is in the nearest cache.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_KEYPRODUCT_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_KEYPRODUCT_H

#include "Kernel.h"

namespace mlir::fact::loops {

class KeyProduct {
public:
  KeyProduct(Emitter &e, int64_t groups, int64_t headSize);

  /// Keys of a chunk, rows of a block.
  int64_t chunkKeys() const { return tier.floats; }
  int64_t blockRows() const { return tier.attentionRows; }

  /// Allocates for `length` keys here, and packs them: codes [L, groups *
  /// headSize], flat.
  void pack(Value keys, Value length);
  /// The keys of all chunks.
  Value paddedLength() const { return padded; }
  /// Memory of a block, from `alloc`(type, elements).
  void allocate(llvm::function_ref<Value(Type, int64_t)> alloc);

  /// Codes of a query from an offset in flat memory on become row i.
  void loadQuery(Value memory, Value from, Value i);

  /// Sums of rows below `count` with `n` keys from `key` on.
  using Use =
      llvm::function_ref<void(Value i, Value key, int64_t n, Value sums)>;
  /// Those of the keys of some chunks, for all rows.
  void multiply(Value group, const ColumnRange &chunks, Value count, Use use);

  /// Where a row's chunk begins in memory of a block.
  Value at(Value chunk, Value i) const;
  /// Where a key of a row is there.
  Value keyAt(Value key, Value i) const;
  /// Asks for `n` elements of what is `chunks` chunks behind an offset there.
  void prefetchAhead(Value memory, Value at, int64_t n, int64_t chunks) const;
  /// Elements of memory of a block of rows, with room for what is asked for
  /// behind the last key.
  Value blockSize(Emitter &at) const;

private:
  static constexpr int64_t mostAhead = 2;
  /// Keys of a block of sums.
  int64_t blockKeys() const { return tier.tiles * groupColumns; }
  void multiplyBlock(Value group, Value key, Value first, int64_t rows,
                     Value place);
  void useBlock(Value key, Value first, Value count, Value place, Use use);

  Emitter &e;
  const Tier &tier;
  int64_t groups, headSize, keyCodes;
  RowLayout layout;
  Value padded, packed, queries, querySums, sums;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_KEYPRODUCT_H
