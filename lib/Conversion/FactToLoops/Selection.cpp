//===- Selection.cpp - Top-k, dominance, demand and precision -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selection.h"

#include "Masks.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

SelectionLoops::SelectionLoops(SelectOp op, Emitter &e, Value length)
    : op(op), e(e), length(length), wide(e.options.tier->floats),
      scores(e, op.getWindowAttr(), length), search(e, scores) {
  // A mask in bytes for whoever is no lowering of ours.
  UnrealizedConversionCastOp pack = packOf(op.getMask());
  if (!pack || !op.getMask().hasOneUse())
    mask = e.allocResult(op.getMask(), length);
  rowWords = wordsOfRow(e, length);
  if (pack)
    words = allocWords(e, pack.getResult(0), heads(), length);
  dominated = e.allocResult(op.getDominated(), length);
  argmax = e.allocResult(op.getArgmax(), length);
  count = e.allocResult(op.getCount(), length);
  isCounted = !op.getCount().use_empty();
  keepNumber = e.buffer(op.getKeepValue());
  dominanceNumber = e.buffer(op.getDominanceValue());
}

void SelectionLoops::begin() {
  keepShare = keepNumber ? e.toIndex(e.load(keepNumber, {}))
                         : e.index(static_cast<int64_t>(*op.getKeep()));
  dominanceGap = dominanceNumber
                     ? e.load(dominanceNumber, {})
                     : e.f32(op.getDominance()->convertToFloat()).value;
  padded = e.roundUp(length, 64);
  if (!isCounted)
    return;
  counts = e.scratch(e.i32, e.mul(padded, heads()));
  e.fill(counts, e.mul(padded, heads()), e.integer(e.i32, 0));
}

int64_t SelectionLoops::heads() {
  return cast<ShapedType>(op.getMask().getType()).getDimSize(0);
}

void SelectionLoops::beginHead(Value head) {
  scores.allocate();
  if (!keepsAll())
    search.beginHead();
  if (!words)
    ownWords = e.scratch(e.i16, rowWords);
  if (!isCounted)
    return;
  recent = e.scratch(e.i8, padded);
  e.fill(recent, padded, e.integer(e.i8, 0));
  countsOfHead = e.mul(head, padded);
}

void SelectionLoops::endBlock() {
  if (!isCounted)
    return;
  e.forPadded(padded, [&](Value offset) {
    Value at = e.add(countsOfHead, offset);
    Value more = arith::ExtUIOp::create(e.b, e.vectorOf(e.i32),
                                        e.loadChunk(recent, offset));
    e.storeChunk(e.add(e.loadChunk(counts, at), more), counts, at);
    e.storeChunk(e.integer(e.vectorOf(e.i8), 0), recent, offset);
  });
}

/// The lowest `count` ones of an integer.
static Value lowestOnes(Emitter &e, Value bits, Value count) {
  Value one = e.integer(bits.getType(), 1);
  Value rest = e.forReduce(
      e.index(0), e.toIndex(count), 1, bits, [&](Value, ValueRange carried) {
        return SmallVector<Value>{
            arith::AndIOp::create(e.b, carried[0], e.sub(carried[0], one))};
      })[0];
  return arith::XOrIOp::create(e.b, bits, rest);
}

void SelectionLoops::keepChunk(const Row &row, Value chunk, Value keep) {
  Value memory = words ? words : ownWords;
  int64_t n = wide / lanes;
  e.storeChunk(vector::BitCastOp::create(e.b, e.vectorOf(e.i16, n), keep),
               memory, e.add(row.words, e.mul(chunk, n)), n);
  if (!isCounted)
    return;
  Value at = e.mul(chunk, wide);
  Value one = arith::ExtUIOp::create(e.b, e.vectorOf(e.i8, wide), keep);
  e.storeChunk(e.add(e.loadLanes(recent, at, wide, wide), one), recent, at,
               wide);
}

void SelectionLoops::keepAbove(const Row &row,
                               const ThresholdSearch::Threshold &threshold) {
  Value thresholds = e.splatValue(threshold.score, wide);
  auto compare = [&](arith::CmpFPredicate predicate, Value chunk) -> Value {
    return arith::CmpFOp::create(e.b, predicate, scores.at(row.i, chunk, wide),
                                 thresholds);
  };
  auto within = [&](Value chunk, Value keep, bool isChecked) -> Value {
    if (!isChecked)
      return keep;
    return arith::AndIOp::create(
        e.b, keep, e.lanesWithin(e.mul(chunk, wide), row.columns, wide));
  };
  e.ifElse(
      e.compare(Predicate::eq, threshold.reached, threshold.wanted),
      [&] {
        scores.reduceColumns(
            row.columns, wide, {},
            [&](Value chunk, ValueRange, bool isChecked) {
              Value keep = compare(arith::CmpFPredicate::OGE, chunk);
              keepChunk(row, chunk, within(chunk, keep, isChecked));
              return SmallVector<Value>();
            });
      },
      [&] {
        // All above, and the first of those that are equal.
        scores.reduceColumns(
            row.columns, wide, threshold.ties,
            [&](Value chunk, ValueRange carried, bool isChecked) {
              Value equal = e.toBits(within(
                  chunk, compare(arith::CmpFPredicate::OEQ, chunk), isChecked));
              Value above = e.toBits(compare(arith::CmpFPredicate::OGT, chunk));
              Value ones = e.toI32(math::CtPopOp::create(e.b, equal));
              Value taken = arith::MinSIOp::create(e.b, ones, carried[0]);
              Value isCut = e.compare(Predicate::slt, taken, ones);
              equal = e.select(
                  isCut,
                  [&] {
                    return SmallVector<Value>{lowestOnes(e, equal, taken)};
                  },
                  [&] { return SmallVector<Value>{equal}; })[0];
              keepChunk(row, chunk,
                        e.fromBits(arith::OrIOp::create(e.b, above, equal)));
              return SmallVector<Value>{e.sub(carried[0], taken)};
            });
      });
}

void SelectionLoops::rows(Value head, Value first, Value count,
                          llvm::function_ref<Value(Value)> unitOf, Load load) {
  e.forRange(e.index(0), count, scores.capacity(), [&](Value done) {
    Value batch = e.min(e.sub(count, done), scores.capacity());
    auto row = [&](Value i) {
      Value number = e.add(first, e.add(done, i));
      Value firstWord =
          words ? e.mul(e.add(e.mul(head, length), number), rowWords)
                : e.index(0);
      return Row{head, number, i, scores.columnsOf(number), firstWord};
    };
    e.forRange(batch, [&](Value i) {
      Row each = row(i);
      gather(each, unitOf(each.number),
             [&](Value chunk) { return load(e.add(done, i), chunk); });
    });
    if (!keepsAll())
      search.find(batch, [&](Value i) { return row(i).columns; });
    e.forRange(batch, [&](Value i) { keep(row(i)); });
  });
}

bool SelectionLoops::keepsAll() {
  return op.getKeep() && *op.getKeep() >= numerics::keepAll;
}

/// Reads the scores of a row.
void SelectionLoops::gather(const Row &row, Value unit,
                            llvm::function_ref<Real(Value)> load) {
  RowScores::Spread spread = scores.fill(row.i, row.columns, load);
  e.store(op.getArgmax().use_empty()
              ? e.integer(e.i32, 0)
              : scores.findLargest(row.i, row.columns, spread.largest),
          argmax, {row.head, row.number});
  dominance(row, spread, unit);
  if (keepsAll())
    return;
  Value allowed = e.sub(row.columns.end, row.columns.begin);
  Value scaled = e.add(e.mul(allowed, keepShare), 1023);
  Value wanted = arith::ShRUIOp::create(e.b, scaled, e.index(10));
  wanted = arith::MaxUIOp::create(e.b, wanted, e.index(1));
  search.setRow(row.i, spread, e.fromIndex(allowed, e.i32),
                e.fromIndex(wanted, e.i32));
}

/// From the two largest scores of all allowed columns.
void SelectionLoops::dominance(const Row &row, const RowScores::Spread &spread,
                               Value unit) {
  Value result = e.integer(e.i1, 0);
  bool isOff = op.getDominance() && op.getDominance()->isZero();
  if (!isOff) {
    Real gain = e.f32(
        numerics::logitGain(numericsOf(op.getPredictor()),
                            static_cast<int>(op.getHeadNorms().value_or(0))));
    Real gap = numerics::dominanceGap(e.f32(spread.largest),
                                      e.f32(spread.second), e.f32(unit), gain);
    result = lessThan(e.f32(dominanceGap), gap).value;
    if (!op.getDominance()) // 0 = off
      result = arith::AndIOp::create(
          e.b, result, lessThan(e.f32(0.0f), e.f32(dominanceGap)).value);
    Value allowed = e.sub(row.columns.end, row.columns.begin),
          rival = e.compare(Predicate::uge, allowed, e.index(2));
    result = arith::AndIOp::create(e.b, result, rival);
  }
  e.store(result, dominated, {row.head, row.number});
}

/// The mask of a row. Columns outside of the window are never kept.
void SelectionLoops::keep(const Row &row) {
  Value memory = words ? words : ownWords;
  e.forPadded(rowWords, [&](Value at) {
    e.storeChunk(e.integer(e.vectorOf(e.i16), 0), memory, e.add(row.words, at));
  });
  if (keepsAll()) {
    scores.reduceColumns(
        row.columns, wide, {}, [&](Value chunk, ValueRange, bool) {
          Value keep = e.lanesWithin(e.mul(chunk, wide), row.columns, wide);
          keepChunk(row, chunk, keep);
          return SmallVector<Value>();
        });
  } else {
    keepAbove(row, search.of(row.i));
  }
  if (mask)
    e.forRange(length, [&](Value column) {
      e.store(bitOf(e, memory, row.words, column), mask,
              {row.head, row.number, column});
    });
}

void SelectionLoops::finish() {
  if (!isCounted)
    return;
  e.forRange(length, [&](Value column) {
    Value all = e.forReduce(
        e.index(0), e.index(heads()), 1, e.integer(e.i64, 0),
        [&](Value head, ValueRange carried) {
          Value ofHead = e.load(counts, e.add(e.mul(head, padded), column));
          return SmallVector<Value>{
              e.add(carried[0], arith::ExtUIOp::create(e.b, e.i64, ofHead))};
        })[0];
    e.store(all, count, column);
  });
}

void loops::lower(SelectOp op, Emitter &e) {
  Value length = e.extent(op.getScores(), 1);
  Value scores = e.buffer(op.getScores()), unit = e.buffer(op.getUnit());
  SelectionLoops selection(op, e, length);
  int64_t wide = e.options.tier->floats;
  e.part("select", op.getOperation(), [&] {
    selection.begin();
    constexpr int64_t together = lanes;
    Value padded = e.roundUp(length, wide), size = e.mul(padded, together),
          copy = e.scratch(e.f32Type, size);
    e.fill(copy, size, e.f32(0.0f));
    e.forRange(e.dim(scores, 0), [&](Value head) {
      selection.beginHead(head);
      e.forRange(e.index(0), length, together, [&](Value first) {
        Value count = e.min(e.sub(length, first), e.index(together));
        e.forRange(count, [&](Value i) {
          e.forRange(length, [&](Value column) {
            e.store(e.load(scores, {head, e.add(first, i), column}), copy,
                    e.add(e.mul(i, padded), column));
          });
        });
        selection.rows(
            head, first, count,
            [&](Value row) { return e.load(unit, {head, row}); },
            [&](Value i, Value chunk) {
              Value at = e.add(e.mul(i, padded), e.mul(chunk, wide));
              return e.f32(e.loadLanes(copy, at, wide, wide));
            });
        selection.endBlock();
      });
    });
    selection.finish();
  });
}
