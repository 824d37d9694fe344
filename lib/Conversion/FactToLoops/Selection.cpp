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
static Value turnNegative(Emitter &e, Value bits) {
  Type type = bits.getType();
  Value sign = arith::ShRSIOp::create(e.b, bits, e.integer(type, 31));
  Value turn = arith::AndIOp::create(e.b, sign, e.integer(type, 0x7fffffff));
  return arith::XOrIOp::create(e.b, bits, turn);
}

static Value keyOf(Emitter &e, Value score) {
  Value sum = e.f32(score) + e.f32(0.0f); // -0 orders as +0
  return turnNegative(e, arith::BitcastOp::create(e.b, e.i32, sum));
}

static Real scoreOfKey(Emitter &e, Value key) {
  return e.f32(arith::BitcastOp::create(e.b, e.f32Type, turnNegative(e, key)));
}

static constexpr float lowestScore = -std::numeric_limits<float>::infinity();

SelectionLoops::SelectionLoops(SelectOp op, Emitter &e, Value length)
    : op(op), e(e), length(length), wide(e.options.tier->floats) {
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
  scores = e.scratch(e.f32Type, padded);
  e.fill(scores, padded, e.f32(lowestScore));
  position = e.alloc(e.f32Type, {1});
  e.store(e.f32(0.0f), position, e.index(0));
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

/// Over chunks of `n` lanes that hold allowed columns: those which hold others
/// too are checked.
SmallVector<Value> SelectionLoops::reduceColumns(
    const ColumnRange &columns, int64_t n, ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange, bool)> body) {
  Value begin = e.b.createOrFold<arith::DivUIOp>(columns.begin, e.index(n)),
        end = e.ceilDiv(columns.end, n);
  Value whole = op.getWindowAttr()
                    ? begin
                    : e.b.createOrFold<arith::DivUIOp>(columns.end, e.index(n));
  SmallVector<Value> values(init);
  if (!op.getWindowAttr())
    values = e.forReduce(begin, whole, 1, values,
                         [&](Value chunk, ValueRange carried) {
                           return body(chunk, carried, false);
                         });
  return e.forReduce(whole, end, 1, values,
                     [&](Value chunk, ValueRange carried) {
                       return body(chunk, carried, true);
                     });
}

Real SelectionLoops::scoresAt(Value chunk, int64_t n) {
  return e.f32(e.loadLanes(scores, e.mul(chunk, n), n, n));
}

/// Brings the row's scores together, -inf where a column is not allowed.
SelectionLoops::Spread
SelectionLoops::spread(const ColumnRange &columns,
                       llvm::function_ref<Real(Value)> load) {
  auto all = [&](float value) -> Value {
    return e.splatReal(e.f32(value), wide).value;
  };
  Value low = all(lowestScore), high = all(-lowestScore), zero = all(0.0f);
  SmallVector<Value> last = reduceColumns(
      columns, wide, {low, low, high, zero, zero},
      [&](Value chunk, ValueRange carried, bool isChecked) {
        Real score = load(chunk), upper = score, term = score;
        if (isChecked) {
          RealMask inside{e.lanesWithin(e.mul(chunk, wide), columns, wide)};
          score = select(inside, score, e.f32(low));
          upper = select(inside, upper, e.f32(high));
          term = select(inside, term, e.f32(zero));
        }
        e.storeChunk(score, scores, e.mul(chunk, wide), wide);
        Real first = e.f32(carried[0]), second = e.f32(carried[1]);
        return SmallVector<Value>{
            maximum(first, score),
            maximum(second, minimum(first, score)),
            minimum(e.f32(carried[2]), upper),
            e.f32(carried[3]) + term,
            e.f32(carried[4]) + term * term,
        };
      });
  // 16 lanes of each.
  Spread result;
  Value second = last[1];
  SmallVector<Value> firsts = e.lanesOf(last[0]), seconds = e.lanesOf(second);
  Real first = e.f32(firsts[0]), next = e.f32(seconds[0]);
  for (size_t i = 1; i < firsts.size(); ++i) {
    Real other = e.f32(firsts[i]);
    next = maximum(maximum(next, e.f32(seconds[i])), minimum(first, other));
    first = maximum(first, other);
  }
  auto largerOf = [&](Value a, Value b) {
    return maximum(e.f32(a), e.f32(b)).value;
  };
  auto sum = [&](Value vector) {
    return e.f32(e.foldAll(
        vector, [&](Value a, Value b) { return (e.f32(a) + e.f32(b)).value; }));
  };
  result.largest = e.foldAll(first, largerOf);
  result.smallest = e.foldAll(last[2], [&](Value a, Value b) {
    return minimum(e.f32(a), e.f32(b)).value;
  });
  // The second of all: where two lanes hold the largest, it once more.
  Value largests = e.splatValue(result.largest);
  Value holds =
      arith::CmpFOp::create(e.b, arith::CmpFPredicate::OEQ, first, largests);
  Value holders =
      e.reduceAdd(arith::ExtUIOp::create(e.b, e.vectorOf(e.i32), holds));
  Value others =
      e.foldAll(arith::SelectOp::create(e.b, holds, next, first), largerOf);
  result.second = arith::SelectOp::create(
      e.b, e.compare(Predicate::sgt, holders, e.integer(e.i32, 1)),
      result.largest, others);
  Real n = fromInteger(e.real,
                       e.fromIndex(e.sub(columns.end, columns.begin), e.i32));
  result.mean = sum(last[3]) / n;
  Real square = sum(last[4]) / n - result.mean * result.mean;
  result.deviation = sqrt(maximum(square, e.f32(0.0f)));
  return result;
}

Value SelectionLoops::countAtLeast(const ColumnRange &columns,
                                   Value threshold) {
  // More registers than a chunk has, where chunks begin at 0.
  int64_t n = op.getWindowAttr() ? wide : std::max<int64_t>(wide, 2 * lanes);
  Value begin = e.b.createOrFold<arith::DivUIOp>(columns.begin, e.index(n)),
        end = e.ceilDiv(columns.end, n);
  Value thresholds = e.splatValue(threshold, n);
  auto reaches = [&](Value chunk) -> Value {
    return arith::CmpFOp::create(e.b, arith::CmpFPredicate::OGE,
                                 scoresAt(chunk, n), thresholds);
  };
  auto sumOver = [&](Value init, llvm::function_ref<Value(Value, Value)> next) {
    return e.forReduce(begin, end, 1, init,
                       [&](Value chunk, ValueRange carried) {
                         return SmallVector<Value>{next(chunk, carried[0])};
                       })[0];
  };
  if (e.options.tier->hasMasks()) {
    // An addition under a mask, which LLVM makes of floats alone: of integers
    // it makes a vector of the mask first. All sums are exact.
    Real zero = e.splatReal(e.f32(0.0f), n), one = e.splatReal(e.f32(1.0f), n),
         nothing = e.splatReal(e.f32(-0.0f), n);
    Value sums = sumOver(zero, [&](Value chunk, Value sum) -> Value {
      return e.f32(sum) + select(RealMask{reaches(chunk)}, one, nothing);
    });
    Value all = e.foldAll(
        sums, [&](Value a, Value b) -> Value { return e.f32(a) + e.f32(b); });
    return arith::FPToSIOp::create(e.b, e.i32, all);
  }
  VectorType type = e.vectorOf(e.i32, n);
  Value sums =
      sumOver(e.integer(type, 0), [&](Value chunk, Value sum) -> Value {
        return e.add(sum, arith::ExtUIOp::create(e.b, type, reaches(chunk)));
      });
  return e.foldAll(sums, [&](Value a, Value b) { return e.add(a, b); });
}

/// The smallest score that is not below `low`, and the largest below `high`.
std::pair<Value, Value> SelectionLoops::between(const ColumnRange &columns,
                                                Value low, Value high) {
  auto all = [&](Value scalar) { return e.splatReal(scalar, wide); };
  Real lows = all(low), highs = all(high);
  Real least = all(e.f32(lowestScore)), most = all(e.f32(-lowestScore));
  SmallVector<Value> found = reduceColumns(
      columns, wide, {most, least}, [&](Value chunk, ValueRange carried, bool) {
        Real score = scoresAt(chunk, wide);
        // The smaller of those that are not below, and so on: lanes of neither
        // keep what they have.
        Real above = select(lessThan(score, lows), most, score),
             below = select(lessThan(score, highs), score, least);
        return SmallVector<Value>{minimum(e.f32(carried[0]), above),
                                  maximum(e.f32(carried[1]), below)};
      });
  return {e.foldAll(found[0],
                    [&](Value a, Value b) {
                      return minimum(e.f32(a), e.f32(b)).value;
                    }),
          e.foldAll(found[1], [&](Value a, Value b) {
            return maximum(e.f32(a), e.f32(b)).value;
          })};
}

/// A threshold that `wanted` scores reach, or a score with ties that cross the
/// border. Rows of a head are alike: the threshold of the last one, in
/// deviations from the mean, is where this one's search begins; the second try
/// is where the density of a normal distribution has it, a little further, so
/// that the two are on either side. From there on between the two sides.
SelectionLoops::Threshold
SelectionLoops::findThreshold(const ColumnRange &columns, Value wanted,
                              const Spread &row) {
  Value one = e.integer(e.i32, 1);
  auto i32 = [&](int64_t value) { return e.integer(e.i32, value); };
  auto toReal = [&](Value integer) { return fromInteger(e.real, integer); };
  auto choose = [&](Value condition, Value yes, Value no) -> Value {
    return arith::SelectOp::create(e.b, condition, yes, no);
  };
  Value allowed = e.fromIndex(e.sub(columns.end, columns.begin), e.i32);
  Real z = e.f32(e.load(position, e.index(0)));
  Real first = row.mean + z * row.deviation;
  // Scores for each unit of score there.
  Real zz = z * z;
  Real series =
      ((zz * e.f32(1.0f / 48) + e.f32(1.0f / 8)) * zz + e.f32(0.5f)) * zz +
      e.f32(1.0f);
  Real density = (toReal(allowed) * e.f32(0.4f)) / (series * row.deviation);
  Real half = e.f32(0.5f), zero = e.f32(0.0f);

  // Keys of the two sides; how many reach them; tries; the last try and what
  // it gave; whether it changed nothing.
  SmallVector<Value> init{keyOf(e, row.smallest),
                          e.add(keyOf(e, row.largest), one),
                          allowed,
                          i32(0),
                          i32(0),
                          zero,
                          i32(0),
                          e.integer(e.i1, 0)};
  auto loop = scf::WhileOp::create(
      e.b, TypeRange(ValueRange(init)), init,
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        Value inexact = e.compare(Predicate::ne, state[2], wanted);
        Value differ =
            e.compare(Predicate::slt, e.add(state[0], one), state[1]);
        scf::ConditionOp::create(
            e.b, arith::AndIOp::create(e.b, differ, inexact), state);
      },
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        Value reachLow = state[2], reachHigh = state[3], tries = state[4];
        Value inside = e.sub(reachLow, reachHigh);
        Value isFew = arith::OrIOp::create(
            e.b, e.compare(Predicate::sle, inside, i32(3)), state[7]);
        // Few: the sides move to scores that are there.
        SmallVector<Value> sides = e.select(
            isFew,
            [&] {
              auto [least, most] = between(columns, scoreOfKey(e, state[0]),
                                           scoreOfKey(e, state[1]));
              return SmallVector<Value>{keyOf(e, least),
                                        e.add(keyOf(e, most), one)};
            },
            [&] { return SmallVector<Value>{state[0], state[1]}; });
        Value low = sides[0], high = sides[1];
        Real lowScore = scoreOfKey(e, low), highScore = scoreOfKey(e, high);
        Real share = (toReal(e.sub(reachLow, wanted)) + half) / toReal(inside);
        share = minimum(maximum(share, e.f32(0.05f)), e.f32(0.95f));
        Real guess = lowScore + (highScore - lowScore) * share;
        Value over = e.sub(state[6], wanted);
        Value margin =
            choose(e.compare(Predicate::sge, over, i32(0)), i32(6), i32(-6));
        Real second = e.f32(state[5]) + toReal(e.add(over, margin)) / density;
        auto isTry = [&](int64_t number) {
          return e.compare(Predicate::eq, tries, i32(number));
        };
        Value isFirst = isTry(0), isSecond = isTry(1);
        guess = select(RealMask{isSecond}, second, guess);
        guess = select(RealMask{isFirst}, first, guess);
        Value key = keyOf(e, guess);
        // The middle of the keys now and then, for scores unlike any other's.
        Value every = e.compare(
            Predicate::eq, arith::AndIOp::create(e.b, tries, i32(3)), i32(3));
        Value middle = arith::AddIOp::create(
            e.b,
            arith::AddIOp::create(e.b, arith::ShRSIOp::create(e.b, low, one),
                                  arith::ShRSIOp::create(e.b, high, one)),
            arith::AndIOp::create(e.b, arith::AndIOp::create(e.b, low, high),
                                  one));
        key = choose(every, middle, key);
        // Three scores are left, or fewer: the largest decides.
        Value last = e.sub(high, one);
        key = choose(arith::AndIOp::create(
                         e.b, isFew, e.compare(Predicate::sle, inside, i32(3))),
                     last, key);
        key = arith::MaxSIOp::create(e.b, key, e.add(low, one));
        key = arith::MinSIOp::create(e.b, key, last);
        Real score = scoreOfKey(e, key);
        Value reached = countAtLeast(columns, score);
        Value enough = e.compare(Predicate::sge, reached, wanted);
        Value isWasted = arith::OrIOp::create(
            e.b, e.compare(Predicate::eq, reached, reachLow),
            e.compare(Predicate::eq, reached, reachHigh));
        scf::YieldOp::create(
            e.b, ValueRange{choose(enough, key, low), choose(enough, high, key),
                            choose(enough, reached, reachLow),
                            choose(enough, reachHigh, reached),
                            e.add(tries, one), score, reached, isWasted});
      });
  Threshold result{scoreOfKey(e, loop.getResult(0)), loop.getResult(2),
                   e.sub(wanted, loop.getResult(3))};
  // Three tenths of the way to where this row has it, if that is a number.
  Real there = (e.f32(result.score) - row.mean) / row.deviation;
  Real next = z + (there - z) * e.f32(0.3f);
  next = select(lessThan(absolute(next), e.f32(16.0f)), next, zero);
  e.store(next, position, e.index(0));
  return result;
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

void SelectionLoops::keepAbove(const Row &row, const Threshold &threshold,
                               Value wanted) {
  Value thresholds = e.splatValue(threshold.score, wide);
  auto compare = [&](arith::CmpFPredicate predicate, Value chunk) -> Value {
    return arith::CmpFOp::create(e.b, predicate, scoresAt(chunk, wide),
                                 thresholds);
  };
  auto within = [&](Value chunk, Value keep, bool isChecked) -> Value {
    if (!isChecked)
      return keep;
    return arith::AndIOp::create(
        e.b, keep, e.lanesWithin(e.mul(chunk, wide), row.columns, wide));
  };
  e.ifElse(
      e.compare(Predicate::eq, threshold.reached, wanted),
      [&] {
        reduceColumns(row.columns, wide, {},
                      [&](Value chunk, ValueRange, bool isChecked) {
                        Value keep = compare(arith::CmpFPredicate::OGE, chunk);
                        keepChunk(row, chunk, within(chunk, keep, isChecked));
                        return SmallVector<Value>();
                      });
      },
      [&] {
        // All above, and the first of those that are equal.
        reduceColumns(
            row.columns, wide, threshold.ties,
            [&](Value chunk, ValueRange carried, bool isChecked) {
              Value equal = e.toBits(within(
                  chunk, compare(arith::CmpFPredicate::OEQ, chunk), isChecked));
              Value above = e.toBits(compare(arith::CmpFPredicate::OGT, chunk));
              Value ones = toI32(math::CtPopOp::create(e.b, equal));
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

Value SelectionLoops::toI32(Value bits) {
  if (bits.getType().getIntOrFloatBitWidth() > 32)
    return arith::TruncIOp::create(e.b, e.i32, bits);
  return arith::ExtUIOp::create(e.b, e.i32, bits);
}

/// The first column that holds the largest score (of NaN, the first of all).
Value SelectionLoops::findLargest(const ColumnRange &columns, Value largest) {
  Value thresholds = e.splatValue(largest, wide);
  Type bitsType = e.b.getIntegerType(static_cast<unsigned>(wide));
  Value begin = e.b.createOrFold<arith::DivUIOp>(columns.begin, e.index(wide)),
        last = e.sub(e.ceilDiv(columns.end, wide), e.index(1));
  auto isZero = [&](Value bits) {
    return e.compare(Predicate::eq, bits, e.integer(bitsType, 0));
  };
  auto loop = scf::WhileOp::create(
      e.b, TypeRange{begin.getType(), bitsType}, begin,
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        Value equal = e.toBits(
            arith::CmpFOp::create(e.b, arith::CmpFPredicate::OEQ,
                                  scoresAt(state[0], wide), thresholds));
        Value isMore = e.compare(Predicate::ult, state[0], last);
        scf::ConditionOp::create(
            e.b, arith::AndIOp::create(e.b, isZero(equal), isMore),
            ValueRange{state[0], equal});
      },
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        scf::YieldOp::create(e.b, e.add(state[0], 1));
      });
  Value lane = e.toIndex(
      toI32(math::CountTrailingZerosOp::create(e.b, loop.getResult(1))));
  Value column =
      arith::SelectOp::create(e.b, isZero(loop.getResult(1)), columns.begin,
                              e.add(e.mul(loop.getResult(0), wide), lane));
  return e.fromIndex(column, e.i32);
}

void SelectionLoops::row(Value head, Value number, Value unit,
                         llvm::function_ref<Real(Value)> load) {
  Row row{e.windowOf(op.getWindowAttr(), number, length),
          words ? e.mul(e.add(e.mul(head, length), number), rowWords)
                : e.index(0)};
  const ColumnRange &columns = row.columns;
  Value allowed = e.sub(columns.end, columns.begin);
  Spread spread = this->spread(columns, load);
  e.store(op.getArgmax().use_empty() ? e.integer(e.i32, 0)
                                     : findLargest(columns, spread.largest),
          argmax, {head, number});

  // Dominance, from the two largest of all allowed columns.
  bool isOff = op.getDominance() && op.getDominance()->isZero();
  if (!isOff) {
    Real gain = e.f32(
        numerics::logitGain(numericsOf(op.getPredictor()),
                            static_cast<int>(op.getHeadNorms().value_or(0))));
    Real gap = numerics::dominanceGap(e.f32(spread.largest),
                                      e.f32(spread.second), e.f32(unit), gain);
    Value wins = lessThan(e.f32(dominanceGap), gap).value;
    if (!op.getDominance()) // 0 = off
      wins = arith::AndIOp::create(
          e.b, wins, lessThan(e.f32(0.0f), e.f32(dominanceGap)).value);
    Value rival = e.compare(Predicate::uge, allowed, e.index(2));
    e.store(arith::AndIOp::create(e.b, wins, rival), dominated, {head, number});
  } else {
    e.store(e.integer(e.i1, 0), dominated, {head, number});
  }

  // The mask. Columns outside of the window are never kept.
  Value memory = words ? words : ownWords;
  e.forPadded(rowWords, [&](Value at) {
    e.storeChunk(e.integer(e.vectorOf(e.i16), 0), memory, e.add(row.words, at));
  });
  if (op.getKeep() && *op.getKeep() >= numerics::keepAll) {
    reduceColumns(columns, wide, {}, [&](Value chunk, ValueRange, bool) {
      Value keep = e.lanesWithin(e.mul(chunk, wide), columns, wide);
      keepChunk(row, chunk, keep);
      return SmallVector<Value>();
    });
  } else {
    Value scaled = e.add(e.mul(allowed, keepShare), 1023);
    Value wanted = arith::ShRUIOp::create(e.b, scaled, e.index(10));
    wanted = arith::MaxUIOp::create(e.b, wanted, e.index(1));
    wanted = e.fromIndex(wanted, e.i32);
    keepAbove(row, findThreshold(columns, wanted, spread), wanted);
  }
  if (mask)
    e.forRange(length, [&](Value column) {
      e.store(bitOf(e, memory, row.words, column), mask,
              {head, number, column});
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
    Value copy = e.scratch(e.f32Type, e.roundUp(length, wide));
    e.fill(copy, e.roundUp(length, wide), e.f32(0.0f));
    e.forRange(e.dim(scores, 0), [&](Value head) {
      selection.beginHead(head);
      e.forRange(length, [&](Value row) {
        e.forRange(length, [&](Value column) {
          e.store(e.load(scores, {head, row, column}), copy, column);
        });
        selection.row(head, row, e.load(unit, {head, row}), [&](Value chunk) {
          return e.f32(e.loadLanes(copy, e.mul(chunk, wide), wide, wide));
        });
        selection.endBlock();
      });
    });
    selection.finish();
  });
}
