//===- Selection.cpp - Top-k, dominance, demand and precision -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selection.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// One row
//===----------------------------------------------------------------------===//

/// The bits of a float as a signed integer that orders as the float does, and
/// back: the magnitude of a negative float is turned around.
static Value orderedKey(Emitter &e, Value bits) {
  Type type = bits.getType();
  Value sign = arith::ShRSIOp::create(e.b, bits, e.integer(type, 31));
  Value turn = arith::AndIOp::create(e.b, sign, e.integer(type, 0x7fffffff));
  return arith::XOrIOp::create(e.b, bits, turn);
}

static Real scoreOfKey(Emitter &e, Value key) {
  return e.f32(arith::BitcastOp::create(e.b, e.f32Type, orderedKey(e, key)));
}

static constexpr int64_t lowestKey = std::numeric_limits<int32_t>::min();
static constexpr int64_t highestKey = std::numeric_limits<int32_t>::max();

SelectionLoops::SelectionLoops(SelectOp op, Emitter &e, Value length)
    : op(op), e(e), length(length) {
  mask = e.allocResult(op.getMask(), length);
  dominated = e.allocResult(op.getDominated(), length);
  argmax = e.allocResult(op.getArgmax(), length);
  count = e.allocResult(op.getCount(), length);
  keepNumber = e.buffer(op.getKeepValue());
  dominanceNumber = e.buffer(op.getDominanceValue());
}

void SelectionLoops::begin() {
  maskBytes = e.asBytes(mask);
  keepShare = keepNumber ? e.toIndex(e.load(keepNumber, {}))
                         : e.index(static_cast<int64_t>(*op.getKeep()));
  dominanceGap = dominanceNumber
                     ? e.load(dominanceNumber, {})
                     : e.f32(op.getDominance()->convertToFloat()).value;
  padded = e.roundUp(length, lanes);
  counts = e.scratch(e.i32, e.mul(padded, heads()));
  e.fill(counts, e.mul(padded, heads()), e.integer(e.i32, 0));
}

int64_t SelectionLoops::heads() {
  return cast<ShapedType>(op.getMask().getType()).getDimSize(0);
}

void SelectionLoops::beginHead(Value head) {
  keys = e.scratch(e.i32, padded);
  kept = e.scratch(e.i8, padded);
  countsOfHead = e.mul(head, padded);
}

Value SelectionLoops::countAtLeast(const ColumnRange &chunks, Value threshold) {
  Value thresholds = e.splatValue(threshold);
  Value sums = e.reducePadded(
      chunks, e.integer(e.vectorOf(e.i32), 0),
      [&](Value offset, ValueRange carried) {
        Value reaches =
            e.compare(Predicate::sge, e.loadChunk(keys, offset), thresholds);
        Value one = arith::ExtUIOp::create(e.b, e.vectorOf(e.i32), reaches);
        return SmallVector<Value>{arith::AddIOp::create(e.b, carried[0], one)};
      })[0];
  return e.reduceAdd(sums);
}

void SelectionLoops::keepThreshold(const ColumnRange &columns, Value wanted,
                                   Value smallest, Value largest) {
  // The threshold t has at least `wanted` keys >= t. Bisect between the row's
  // extremes until exactly `wanted` keys reach it, or until it is a key with
  // ties that cross the border. Borders as i64: largest + 1 may not fit.
  auto wide = [&](Value key) {
    return arith::ExtSIOp::create(e.b, e.i64, key).getResult();
  };
  ColumnRange chunks = e.chunksAround(columns);
  Value allowed = e.sub(columns.end, columns.begin);
  SmallVector<Value> init{wide(smallest), e.add(wide(largest), 1),
                          e.fromIndex(allowed, e.i32), e.integer(e.i32, 0)};
  auto loop = scf::WhileOp::create(
      e.b, TypeRange(ValueRange(init)), init,
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        Value apart = e.compare(Predicate::sgt, e.sub(state[1], state[0]),
                                e.integer(e.i64, 1));
        Value inexact = e.compare(Predicate::ne, state[2], wanted);
        scf::ConditionOp::create(
            e.b, arith::AndIOp::create(e.b, apart, inexact), state);
      },
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        Value middle = arith::ShRSIOp::create(e.b, e.add(state[0], state[1]),
                                              e.integer(e.i64, 1));
        Value reached =
            countAtLeast(chunks, arith::TruncIOp::create(e.b, e.i32, middle));
        Value enough = e.compare(Predicate::sge, reached, wanted);
        auto choose = [&](Value yes, Value no) {
          return arith::SelectOp::create(e.b, enough, yes, no).getResult();
        };
        scf::YieldOp::create(e.b, ValueRange{choose(middle, state[0]),
                                             choose(state[1], middle),
                                             choose(reached, state[2]),
                                             choose(state[3], reached)});
      });
  Value threshold = arith::TruncIOp::create(e.b, e.i32, loop.getResult(0));
  Value exact = e.compare(Predicate::eq, loop.getResult(2), wanted);
  e.ifElse(
      exact,
      [&] {
        Value thresholds = e.splatValue(threshold);
        e.forPadded(chunks, [&](Value offset) {
          Value reaches =
              e.compare(Predicate::sge, e.loadChunk(keys, offset), thresholds);
          e.storeChunk(arith::ExtUIOp::create(e.b, e.vectorOf(e.i8), reaches),
                       kept, offset);
        });
      },
      [&] { keepTies(columns, threshold, e.sub(wanted, loop.getResult(3))); });
}

/// All keys above the threshold and the first `ties` that are equal to it.
void SelectionLoops::keepTies(const ColumnRange &columns, Value threshold,
                              Value ties) {
  e.forReduce(columns.begin, columns.end, 1, ties,
              [&](Value column, ValueRange carried) {
                Value key = e.load(keys, column);
                Value above = e.compare(Predicate::sgt, key, threshold),
                      equal = e.compare(Predicate::eq, key, threshold);
                Value room =
                    e.compare(Predicate::sgt, carried[0], e.integer(e.i32, 0));
                Value taken = arith::AndIOp::create(e.b, equal, room);
                Value keep = arith::OrIOp::create(e.b, above, taken);
                e.store(arith::ExtUIOp::create(e.b, e.i8, keep), kept, column);
                return SmallVector<Value>{e.sub(
                    carried[0], arith::ExtUIOp::create(e.b, e.i32, taken))};
              });
}

void SelectionLoops::row(Value head, Value row, Value unit,
                         llvm::function_ref<Real(Value)> load) {
  ColumnRange columns = e.windowOf(op.getWindowAttr(), row, length);
  Value allowed = e.sub(columns.end, columns.begin);
  ColumnRange chunks = e.chunksAround(columns);
  VectorType vector = e.vectorOf(e.i32);
  Value low = e.integer(vector, lowestKey),
        high = e.integer(vector, highestKey);

  // Keys, and per lane the largest, the second and the smallest of them.
  SmallVector<Value> extremes = e.reducePadded(
      chunks, ValueRange{low, low, high},
      [&](Value offset, ValueRange carried) {
        Real score = load(offset);
        score = score + splat(score, 0.0f); // -0 orders as +0
        Value key =
            orderedKey(e, arith::BitcastOp::create(e.b, vector, score.value));
        Value inside = e.lanesWithin(offset, columns);
        key = arith::SelectOp::create(e.b, inside, key, low);
        e.storeChunk(key, keys, offset);
        Value second = arith::MaxSIOp::create(
            e.b, carried[1], arith::MinSIOp::create(e.b, carried[0], key));
        Value first = arith::MaxSIOp::create(e.b, carried[0], key);
        Value least = arith::MinSIOp::create(
            e.b, carried[2], arith::SelectOp::create(e.b, inside, key, high));
        return SmallVector<Value>{first, second, least};
      });
  Value largest = e.reduceMax(extremes[0]), smallest = e.reduceMin(extremes[2]);
  Value largests = e.splatValue(largest);

  // Column of the largest: the lowest index among the equal ones.
  Value lane = e.laneNumbers();
  Value best = e.reduceMin(
      e.reducePadded(chunks, high, [&](Value offset, ValueRange carried) {
        Value column = arith::AddIOp::create(
            e.b, lane, e.splatValue(e.fromIndex(offset, e.i32)));
        Value equal =
            e.compare(Predicate::eq, e.loadChunk(keys, offset), largests);
        Value candidate = arith::SelectOp::create(e.b, equal, column, high);
        return SmallVector<Value>{
            arith::MinSIOp::create(e.b, carried[0], candidate)};
      })[0]);
  e.store(best, argmax, {head, row});

  // Dominance, from the two largest of all allowed columns.
  bool isOff = op.getDominance() && op.getDominance()->isZero();
  if (!isOff) {
    Value holds = e.compare(Predicate::eq, extremes[0], largests);
    Value holders = e.reduceAdd(arith::ExtUIOp::create(e.b, vector, holds));
    Value others = e.reduceMax(
        arith::SelectOp::create(e.b, holds, extremes[1], extremes[0]));
    Value twice = e.compare(Predicate::sgt, holders, e.integer(e.i32, 1));
    Value second = arith::SelectOp::create(e.b, twice, largest, others);
    Real gain = e.f32(
        numerics::logitGain(numericsOf(op.getPredictor()),
                            static_cast<int>(op.getHeadNorms().value_or(0))));
    Real gap = numerics::dominanceGap(scoreOfKey(e, largest),
                                      scoreOfKey(e, second), e.f32(unit), gain);
    Value wins = lessThan(e.f32(dominanceGap), gap).value;
    if (!op.getDominance()) // 0 = off
      wins = arith::AndIOp::create(
          e.b, wins, lessThan(e.f32(0.0f), e.f32(dominanceGap)).value);
    Value rival = e.compare(Predicate::uge, allowed, e.index(2));
    e.store(arith::AndIOp::create(e.b, wins, rival), dominated, {head, row});
  } else {
    e.store(e.integer(e.i1, 0), dominated, {head, row});
  }

  // The mask. Columns outside of the window are never kept.
  e.fill(kept, padded, e.integer(e.i8, 0));
  if (op.getKeep() && *op.getKeep() >= numerics::keepAll) {
    e.forPadded(chunks, [&](Value offset) {
      e.storeChunk(arith::ExtUIOp::create(e.b, e.vectorOf(e.i8),
                                          e.lanesWithin(offset, columns)),
                   kept, offset);
    });
  } else {
    Value scaled = e.add(e.mul(allowed, keepShare), 1023);
    Value wanted = arith::ShRUIOp::create(e.b, scaled, e.index(10));
    wanted = arith::MaxUIOp::create(e.b, wanted, e.index(1));
    keepThreshold(columns, e.fromIndex(wanted, e.i32), smallest, largest);
  }
  Value whole =
      e.mul(e.b.createOrFold<arith::DivUIOp>(length, e.index(lanes)), lanes);
  auto count16 = [&](Value offset, Value bytes) {
    Value one = arith::ExtUIOp::create(e.b, vector, bytes);
    Value at = e.add(countsOfHead, offset);
    e.storeChunk(arith::AddIOp::create(e.b, e.loadChunk(counts, at), one),
                 counts, at);
  };
  e.forPadded(whole, [&](Value offset) {
    Value bytes = e.loadChunk(kept, offset);
    count16(offset, bytes);
    e.storeChunk(bytes, maskBytes, {head, row, offset});
  });
  e.ifThen(e.compare(Predicate::ult, whole, length), [&] {
    Value bytes = e.loadChunk(kept, whole);
    count16(whole, bytes);
    vector::MaskedStoreOp::create(e.b, maskBytes, ValueRange{head, row, whole},
                                  e.lanesBelow(whole, length), bytes);
  });
}

void SelectionLoops::finish() {
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
  e.part("select", op.getOperation(), [&] {
    selection.begin();
    Value copy = e.scratch(e.f32Type, e.roundUp(length, lanes));
    e.fill(copy, e.roundUp(length, lanes), e.f32(0.0f));
    e.forRange(e.dim(scores, 0), [&](Value head) {
      selection.beginHead(head);
      e.forRange(length, [&](Value row) {
        e.forRange(length, [&](Value column) {
          e.store(e.load(scores, {head, row, column}), copy, column);
        });
        selection.row(head, row, e.load(unit, {head, row}),
                      [&](Value offset) { return e.loadReal(copy, offset); });
      });
    });
    selection.finish();
  });
}

//===----------------------------------------------------------------------===//
// What follows from the mask
//===----------------------------------------------------------------------===//

void loops::loadMaskRow(Emitter &e, Value maskBytes, Value head, Value row,
                        Value length, Value scratch) {
  Value whole =
      e.mul(e.b.createOrFold<arith::DivUIOp>(length, e.index(lanes)), lanes);
  e.forPadded(whole, [&](Value offset) {
    e.storeChunk(e.loadChunk(maskBytes, {head, row, offset}), scratch, offset);
  });
  e.ifThen(e.compare(Predicate::ult, whole, length), [&] {
    VectorType type = e.vectorOf(e.i8);
    Value tail = vector::MaskedLoadOp::create(
        e.b, type, maskBytes, ValueRange{head, row, whole},
        e.lanesBelow(whole, length), e.integer(type, 0));
    e.storeChunk(tail, scratch, whole);
  });
}

/// rows[g][j] = some row i of a head of the group that is not dominated keeps
/// j; then, where `argmax` is given, also the argmax of those that are.
static void demandedRows(Emitter &e, Value mask, Value dominated, Value argmax,
                         Value result) {
  Value maskBytes = e.asBytes(mask);
  Value length = e.dim(mask, 1), padded = e.roundUp(length, lanes);
  Value any, row16;
  int64_t heads = cast<ShapedType>(mask.getType()).getDimSize(0),
          groups = cast<ShapedType>(result.getType()).getDimSize(0);
  auto join = [&](Value head) {
    e.forRange(length, [&](Value row) {
      e.ifElse(
          e.load(dominated, {head, row}),
          [&] {
            if (argmax)
              e.store(e.integer(e.i8, 1), any,
                      e.toIndex(e.load(argmax, {head, row})));
          },
          [&] {
            loadMaskRow(e, maskBytes, head, row, length, row16);
            e.forPadded(padded, [&](Value offset) {
              Value both = arith::OrIOp::create(e.b, e.loadChunk(any, offset),
                                                e.loadChunk(row16, offset));
              e.storeChunk(both, any, offset);
            });
          });
    });
  };
  e.parallelFor("demanded_rows", {}, e.index(groups), [&](Value group) {
    any = e.scratch(e.i8, padded), row16 = e.scratch(e.i8, padded);
    e.fill(any, padded, e.integer(e.i8, 0));
    forEachMember(e, group, heads / groups, join);
    e.forRange(length, [&](Value column) {
      Value set =
          e.compare(Predicate::ne, e.load(any, column), e.integer(e.i8, 0));
      e.store(set, result, {group, column});
    });
  });
}

void loops::lower(KRowsOp op, Emitter &e) {
  Value mask = e.buffer(op.getMask()), dominated = e.buffer(op.getDominated());
  Value rows = e.allocResult(op.getResult(), e.extent(op.getMask(), 1));
  e.part("k_rows", op.getOperation(),
         [&] { demandedRows(e, mask, dominated, {}, rows); });
}

void loops::lower(VRowsOp op, Emitter &e) {
  Value mask = e.buffer(op.getMask()), dominated = e.buffer(op.getDominated()),
        argmax = e.buffer(op.getArgmax());
  Value rows = e.allocResult(op.getResult(), e.extent(op.getMask(), 1));
  e.part("v_rows", op.getOperation(),
         [&] { demandedRows(e, mask, dominated, argmax, rows); });
}

void loops::lower(QRowsOp op, Emitter &e) {
  Value dominated = e.buffer(op.getDominated());
  Value length = e.extent(op.getDominated(), 1);
  Value rows = e.allocResult(op.getResult(), length);
  e.part("q_rows", op.getOperation(), [&] {
    e.forRange(e.dim(dominated, 0), [&](Value head) {
      e.forRange(length, [&](Value row) {
        Value live = arith::XOrIOp::create(e.b, e.load(dominated, {head, row}),
                                           e.integer(e.i1, 1));
        e.store(live, rows, {head, row});
      });
    });
  });
}

/// How many rows have a key in their window.
static Value rowsOf(Emitter &e, WindowAttr window, Value key, Value length) {
  ColumnRange rows =
      e.windowOf(WindowAttr::orNull(e.b.getContext(), windowOf(window).rows()),
                 key, length);
  return e.sub(rows.end, rows.begin);
}

void loops::lower(SelectAllOp op, Emitter &e) {
  Value length = e.extent(op.getInput(), 0);
  Value count = e.allocResult(op.getCount(), length);
  e.part("select_all", op.getOperation(), [&] {
    e.forRange(length, [&](Value column) {
      Value rows = rowsOf(e, op.getWindowAttr(), column, length);
      e.store(
          e.fromIndex(e.mul(rows, static_cast<int64_t>(op.getHeads())), e.i64),
          count, column);
    });
  });
}

void loops::lower(SelectPrecisionOp op, Emitter &e) {
  Value count = e.buffer(op.getCount());
  Value length = e.extent(op.getCount(), 0);
  Value low = e.allocResult(op.getLow(), length);
  Value given = e.buffer(op.getImportanceValue());
  auto rows = [&](Value token) {
    return e.fromIndex(rowsOf(e, op.getWindowAttr(), token, length), e.i64);
  };
  e.part("select_precision", op.getOperation(), [&] {
    Value zero = e.integer(e.i64, 0);
    SmallVector<Value> sums = e.forReduce(
        e.index(0), length, 1, {zero, zero},
        [&](Value token, ValueRange carried) {
          return SmallVector<Value>{e.add(carried[0], e.load(count, token)),
                                    e.add(carried[1], rows(token))};
        });
    Value importance =
        given
            ? arith::ExtSIOp::create(e.b, e.i64, e.load(given, {})).getResult()
            : e.integer(e.i64, static_cast<int64_t>(*op.getImportance()));
    // Below 0 is an importance that rounds to 0.
    importance = arith::MaxSIOp::create(e.b, importance, zero);
    Value limit = e.mul(sums[0], importance), factor = e.mul(sums[1], 256);
    e.forRange(length, [&](Value token) {
      e.store(e.compare(Predicate::sle, e.mul(e.load(count, token), factor),
                        e.mul(rows(token), limit)),
              low, token);
    });
  });
}
