//===- ThresholdSearch.cpp - The scores that top-k keeps ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows of a head are alike: where the thresholds of the last ones were, in
// deviations from the mean, is where the search begins; the second try is where
// the density of a normal distribution has it, a little further, so that the
// two are on either side. From there on between the two sides.
//
//===----------------------------------------------------------------------===//

#include "ThresholdSearch.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
using Predicate = arith::CmpIPredicate;

/// The bits of a float as a signed integer that orders as the float does, and
/// back: the magnitude of a negative float is turned around.
static Value turnNegative(Emitter &e, Value bits) {
  Type type = bits.getType();
  Value sign = arith::ShRSIOp::create(e.b, bits, e.integer(type, 31));
  Value turn = arith::AndIOp::create(e.b, sign, e.integer(type, 0x7fffffff));
  return arith::XOrIOp::create(e.b, bits, turn);
}

static Value keyOf(Emitter &e, const Real &score) {
  Real sum = score + splat(score, 0.0f); // -0 orders as +0
  return turnNegative(
      e, arith::BitcastOp::create(e.b, shapedLike(score.value.getType(), e.i32),
                                  sum.value));
}

static Real scoreOfKey(Emitter &e, Value key) {
  return e.f32(arith::BitcastOp::create(
      e.b, shapedLike(key.getType(), e.f32Type), turnNegative(e, key)));
}

void ThresholdSearch::beginHead() {
  for (Value *memory :
       {&largest, &smallest, &sums, &squares, &guesses, &leasts, &mosts})
    *memory = e.alloc(e.f32Type, {lanes});
  for (Value *memory : {&allowed, &wanted, &reached, &ties, &flags})
    *memory = e.alloc(e.i32, {lanes});
  position = e.alloc(e.f32Type, {1});
  e.store(e.f32(0.0f), position, e.index(0));
  // Lanes that no row has are computed with, too.
  for (Value memory : {largest, smallest, sums, squares, leasts, mosts})
    e.storeChunk(e.zeros(), memory, e.index(0));
  for (Value memory : {allowed, wanted, reached})
    e.storeChunk(e.integer(e.vectorOf(e.i32), 1), memory, e.index(0));
}

void ThresholdSearch::setRow(Value i, const RowScores::Spread &spread,
                             Value allowedColumns, Value wantedColumns) {
  e.store(spread.largest, largest, i);
  e.store(spread.smallest, smallest, i);
  e.store(spread.sum, sums, i);
  e.store(spread.sumOfSquares, squares, i);
  e.store(allowedColumns, allowed, i);
  e.store(wantedColumns, wanted, i);
}

ThresholdSearch::Threshold ThresholdSearch::of(Value i) {
  return {e.load(guesses, i), e.load(wanted, i), e.load(reached, i),
          e.load(ties, i)};
}

/// body(i) of the rows whose lane is set.
void ThresholdSearch::forRowsIn(Value lanesSet, Value count,
                                llvm::function_ref<void(Value)> body) {
  e.storeChunk(arith::ExtUIOp::create(e.b, e.vectorOf(e.i32), lanesSet), flags,
               e.index(0));
  e.forRange(count, [&](Value i) {
    Value isSet =
        e.compare(Predicate::ne, e.load(flags, i), e.integer(e.i32, 0));
    e.ifThen(isSet, [&] { body(i); });
  });
}

/// What a search knows of each row.
struct ThresholdSearch::State {
  /// Keys of scores that enough reach and too few reach; how many reach them.
  Value low, high, reachLow, reachHigh;
  /// The last guess and what reached it; whether that changed nothing.
  Value guess, reached, isWasted;
  Value tries; ///< of all rows

  SmallVector<Value> values() const {
    return {low, high, reachLow, reachHigh, guess, reached, isWasted, tries};
  }
  static State of(ValueRange v) {
    return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
  }
};

void ThresholdSearch::find(Value count,
                           llvm::function_ref<ColumnRange(Value)> columnsOf) {
  VectorType integers = e.vectorOf(e.i32);
  auto i32 = [&](int64_t value) { return e.integer(integers, value); };
  auto real = [&](float value) { return splat(e.zeros(), value); };
  auto toReal = [&](Value integer) { return fromInteger(e.real, integer); };
  auto choose = [&](Value condition, Value yes, Value no) -> Value {
    return arith::SelectOp::create(e.b, condition, yes, no);
  };
  auto both = [&](Value a, Value b) -> Value {
    return arith::AndIOp::create(e.b, a, b);
  };
  auto either = [&](Value a, Value b) -> Value {
    return arith::OrIOp::create(e.b, a, b);
  };
  Value one = i32(1), want = lanesFrom(wanted), columns = lanesFrom(allowed),
        isRow = e.lanesBelow(e.index(0), count);
  Real n = toReal(columns), mean = e.f32(lanesFrom(sums)) / n,
       square = e.f32(lanesFrom(squares)) / n - mean * mean,
       deviation = sqrt(maximum(square, real(0.0f)));
  Real z = e.splatReal(e.load(position, e.index(0)));
  Real first = mean + z * deviation;
  // Scores for each unit of score there.
  Real zz = z * z;
  Real series =
      ((zz * real(1.0f / 48) + real(1.0f / 8)) * zz + real(0.5f)) * zz +
      real(1.0f);
  Real density = (n * real(0.4f)) / (series * deviation);

  auto isOpen = [&](const State &state) {
    Value inexact = e.compare(Predicate::ne, state.reachLow, want);
    Value differ = e.compare(Predicate::slt, e.add(state.low, one), state.high);
    return both(both(inexact, differ), isRow);
  };
  auto isFew = [&](Value inside) {
    return e.compare(Predicate::sle, inside, i32(3));
  };
  State begin{keyOf(e, e.f32(lanesFrom(smallest))),
              e.add(keyOf(e, e.f32(lanesFrom(largest))), one),
              columns,
              i32(0),
              real(0.0f),
              i32(0),
              e.integer(e.vectorOf(e.i1), 0),
              e.integer(e.i32, 0)};
  SmallVector<Value> init = begin.values();
  auto loop = scf::WhileOp::create(
      e.b, TypeRange(ValueRange(init)), init,
      [&](OpBuilder &, Location, ValueRange values) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(values[0].getParentBlock());
        Value open = e.toBits(isOpen(State::of(values)));
        scf::ConditionOp::create(
            e.b, e.compare(Predicate::ne, open, e.integer(open.getType(), 0)),
            values);
      },
      [&](OpBuilder &, Location, ValueRange values) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(values[0].getParentBlock());
        State state = State::of(values);
        Value open = isOpen(state),
              inside = e.sub(state.reachLow, state.reachHigh);
        // A try changed nothing: the sides move to scores that are there.
        Value moves = both(open, state.isWasted);
        e.storeChunk(scoreOfKey(e, state.low), leasts, e.index(0));
        e.storeChunk(scoreOfKey(e, state.high), mosts, e.index(0));
        Value movesAny = e.toBits(moves);
        e.ifThen(e.compare(Predicate::ne, movesAny,
                           e.integer(movesAny.getType(), 0)),
                 [&] {
                   forRowsIn(moves, count, [&](Value i) {
                     auto [least, most] = scores.between(
                         i, columnsOf(i), e.load(leasts, i), e.load(mosts, i));
                     e.store(least, leasts, i);
                     e.store(most, mosts, i);
                   });
                 });
        // Never outward, where NaN among the scores says so: the search ends.
        Value least = keyOf(e, e.f32(lanesFrom(leasts))),
              most = e.add(keyOf(e, e.f32(lanesFrom(mosts))), one);
        Value low = choose(moves, arith::MaxSIOp::create(e.b, state.low, least),
                           state.low),
              high =
                  choose(moves, arith::MinSIOp::create(e.b, state.high, most),
                         state.high);
        Real lowScore = scoreOfKey(e, low), highScore = scoreOfKey(e, high);
        // Between two of the scores inside, as if they were spread evenly.
        Real share = (toReal(e.sub(state.reachLow, want)) + real(0.5f)) /
                     toReal(e.add(inside, one));
        share = minimum(maximum(share, real(0.05f)), real(0.95f));
        Real guess = lowScore + (highScore - lowScore) * share;
        Value over = e.sub(state.reached, want);
        Value margin =
            choose(e.compare(Predicate::sge, over, i32(0)), i32(6), i32(-6));
        Real second =
            e.f32(state.guess) + toReal(e.add(over, margin)) / density;
        auto isTry = [&](int64_t number) {
          return e.compare(Predicate::eq, state.tries,
                           e.integer(e.i32, number));
        };
        guess = select(RealMask{isTry(1)}, second, guess);
        guess = select(RealMask{isTry(0)}, first, guess);
        Value key = keyOf(e, guess);
        // The middle of the keys now and then, for scores unlike any other's.
        Value number = both(state.tries, e.integer(e.i32, 3)),
              every = e.compare(Predicate::eq, number, e.integer(e.i32, 3));
        Value middle = e.add(e.add(arith::ShRSIOp::create(e.b, low, one),
                                   arith::ShRSIOp::create(e.b, high, one)),
                             both(both(low, high), one));
        key = choose(every, middle, key);
        // Three scores are left after that, or fewer: the largest decides.
        Value last = e.sub(high, one);
        key = choose(both(moves, isFew(inside)), last, key);
        key = arith::MaxSIOp::create(e.b, key, e.add(low, one));
        key = arith::MinSIOp::create(e.b, key, last);
        Real score = scoreOfKey(e, key);
        e.storeChunk(score, guesses, e.index(0));
        forRowsIn(open, count, [&](Value i) {
          e.store(scores.countAtLeast(i, columnsOf(i), e.load(guesses, i)),
                  reached, i);
        });
        Value reach = lanesFrom(reached);
        Value enough = e.compare(Predicate::sge, reach, want);
        Value isWasted =
            either(e.compare(Predicate::eq, reach, state.reachLow),
                   e.compare(Predicate::eq, reach, state.reachHigh));
        auto update = [&](Value yes, Value no, Value before) {
          return choose(open, choose(enough, yes, no), before);
        };
        State next{update(key, low, state.low),
                   update(high, key, state.high),
                   update(reach, state.reachLow, state.reachLow),
                   update(state.reachHigh, reach, state.reachHigh),
                   score,
                   reach,
                   isWasted,
                   e.add(state.tries, e.integer(e.i32, 1))};
        scf::YieldOp::create(e.b, next.values());
      });
  State found = State::of(loop.getResults());
  Real score = scoreOfKey(e, found.low);
  e.storeChunk(score, guesses, e.index(0));
  e.storeChunk(found.reachLow, reached, e.index(0));
  e.storeChunk(e.sub(want, found.reachHigh), ties, e.index(0));
  savePosition(score, mean, deviation, z, isRow, count);
}

/// Half of the way to where these rows have it, if that is a number.
void ThresholdSearch::savePosition(const Real &score, const Real &mean,
                                   const Real &deviation, const Real &z,
                                   Value inside, Value count) {
  Real there = (score - mean) / deviation;
  Real next = z + (there - z) * splat(z, 0.5f);
  Real zero = splat(z, 0.0f);
  next = select(lessThan(absolute(next), splat(z, 16.0f)), next, zero);
  next = select(RealMask{inside}, next, zero);
  Value sum = e.foldAll(
      next, [&](Value a, Value b) { return (e.f32(a) + e.f32(b)).value; });
  Real rows = fromInteger(e.real, e.fromIndex(count, e.i32));
  e.store(e.f32(sum) / rows, position, e.index(0));
}
