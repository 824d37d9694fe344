//===- KeyProduct.cpp - Queries times keys, block by block ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeyProduct.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

KeyProduct::KeyProduct(Emitter &e, int64_t groups, int64_t headSize)
    : e(e), tier(*e.options.tier), groups(groups), headSize(headSize),
      keyCodes(packedCodes(tier.dot, headSize)),
      layout(RowLayout::of(tier.dot, headSize)) {}

void KeyProduct::pack(Value keys, Value length) {
  padded = e.roundUp(length, chunkKeys());
  packed = e.scratch(codeType(e, tier.dot), e.mul(padded, groups * keyCodes));
  Value stride = e.index(groups * headSize);
  e.parallelFor("pack_keys", {}, e.index(groups), [&](Value group) {
    packTokens(e, tier.dot, keys, stride, e.mul(group, headSize), headSize,
               length, e.ceilDiv(padded, groupColumns), tier.offset, packed,
               e.mul(e.mul(group, padded), keyCodes));
  });
}

void KeyProduct::allocate(llvm::function_ref<Value(Type, int64_t)> alloc) {
  queries = alloc(codeType(e, tier.dot), layout.width * blockRows());
  if (tier.offset)
    querySums = alloc(e.i32, blockRows());
  // Of tiles: two blocks.
  sums =
      alloc(e.i32, (tier.dot == Dot::Tile ? 2 : 1) * tier.rows * blockKeys());
}

void KeyProduct::loadQuery(Value memory, Value from, Value i) {
  Value to = layout.row(e, i);
  SmallVector<Value> sum;
  if (tier.offset)
    sum.push_back(e.integer(e.vectorOf(e.i32), 0));
  sum = e.reduceChunks(
      headSize, sum, [&](Value offset, int64_t chunk, ValueRange carried) {
        Value codes = e.loadChunk(memory, e.add(from, offset), chunk);
        SmallVector<Value> next;
        if (tier.offset)
          next.push_back(e.add(carried[0], arith::ExtSIOp::create(
                                               e.b, e.vectorOf(e.i32), codes)));
        if (tier.dot == Dot::Pair)
          codes = arith::ExtSIOp::create(e.b, e.vectorOf(e.i16), codes);
        e.storeChunk(codes, queries, e.add(to, layout.code(e, offset)));
        return next;
      });
  if (tier.offset)
    e.store(e.mul(e.reduceAdd(sum[0]), -128), querySums, i);
}

void KeyProduct::multiplyBlock(Value group, Value key, Value first,
                               int64_t rows, Value place) {
  BlockOperands operands =
      layout.operands(e, tier.dot, queries, rows, e.index(0), keyCodes,
                      [&](int64_t r) { return e.add(first, r); });
  operands.b = packed;
  operands.rowsAreUnsigned = false;
  for (int64_t t = 0; t < tier.tiles; ++t)
    operands.groups.push_back(e.mul(
        e.add(e.add(e.mul(group, padded), key), t * groupColumns), keyCodes));
  SmallVector<Value> begin(rows);
  if (tier.offset)
    for (int64_t r = 0; r < rows; ++r)
      begin[r] = e.splatValue(e.load(querySums, e.add(first, r)));
  loops::multiplyBlock(e, operands, {sums, place, blockKeys()},
                       /*fresh=*/true,
                       [&](int64_t r, int64_t) { return begin[r]; });
}

void KeyProduct::useBlock(Value key, Value first, Value count, Value place,
                          Use use) {
  int64_t n = blockKeys();
  e.forRange(e.min(e.sub(count, first), e.index(tier.rows)), [&](Value i) {
    use(e.add(first, i), key, n,
        e.loadLanes(sums, e.add(place, e.mul(i, n)), n, n));
  });
}

void KeyProduct::multiply(Value group, const ColumnRange &chunks, Value count,
                          Use use) {
  Value begin = e.mul(chunks.begin, chunkKeys()),
        end = e.mul(chunks.end, chunkKeys());
  if (tier.dot != Dot::Tile)
    return e.forRange(begin, end, blockKeys(), [&](Value key) {
      forRowBlocks(e, count, tier.rows, [&](Value first, int64_t rows) {
        multiplyBlock(group, key, first, rows, e.index(0));
        useBlock(key, first, count, e.index(0), use);
      });
    });
  // See Multiplier::columnsInTiles.
  Value blocks = e.ceilDiv(count, tier.rows);
  struct Step {
    Value key, first, place;
  };
  auto stepOf = [&](Value number) {
    return Step{e.add(begin, e.mul(e.div(number, blocks), blockKeys())),
                e.mul(e.rem(number, blocks), tier.rows),
                e.mul(e.rem(number, 2), tier.rows * blockKeys())};
  };
  e.overlap(
      e.mul(e.div(e.sub(end, begin), blockKeys()), blocks),
      [&](Value number) {
        Step step = stepOf(number);
        withBlockRows(e, e.sub(count, step.first), tier.rows, [&](int64_t n) {
          multiplyBlock(group, step.key, step.first, n, step.place);
        });
      },
      [&](Value number) {
        Step step = stepOf(number);
        useBlock(step.key, step.first, count, step.place, use);
      });
}

Value KeyProduct::at(Value chunk, Value i) const {
  return e.mul(e.add(e.mul(chunk, blockRows()), i), chunkKeys());
}

Value KeyProduct::blockSize(Emitter &at) const {
  return at.mul(at.add(padded, mostAhead * chunkKeys()), blockRows());
}

void KeyProduct::prefetchAhead(Value memory, Value at, int64_t n,
                               int64_t chunks) const {
  assert(chunks <= mostAhead);
  e.prefetch(memory, e.add(at, chunks * chunkKeys() * blockRows()), n);
}

Value KeyProduct::keyAt(Value key, Value i) const {
  Value chunk = e.div(key, chunkKeys()), inside = e.rem(key, chunkKeys());
  return e.add(at(chunk, i), inside);
}
