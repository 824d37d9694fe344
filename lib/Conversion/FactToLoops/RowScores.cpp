//===- RowScores.cpp - Scores of some rows of a head ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowScores.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
using Predicate = arith::CmpIPredicate;

static constexpr float lowest = -std::numeric_limits<float>::infinity();

/// Scores that a nearest cache holds.
static constexpr int64_t cachedScores = 8192;

RowScores::RowScores(Emitter &e, WindowAttr window, Value length)
    : e(e), window(window), length(length), padded(e.roundUp(length, 64)) {
  Value room = e.div(e.index(cachedScores), padded);
  rows = e.max(e.min(room, e.index(lanes)), e.index(1));
}

void RowScores::allocate() {
  Value size = e.mul(padded, rows);
  memory = e.scratch(e.f32Type, size);
  e.fill(memory, size, e.f32(lowest));
}

SmallVector<Value> RowScores::reduceColumns(
    const ColumnRange &columns, int64_t n, ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange, bool)> body) {
  Value begin = e.div(columns.begin, n), end = e.ceilDiv(columns.end, n);
  Value whole = window ? begin : e.div(columns.end, n);
  SmallVector<Value> values(init);
  if (!window)
    values = e.forReduce(begin, whole, 1, values,
                         [&](Value chunk, ValueRange carried) {
                           return body(chunk, carried, false);
                         });
  return e.forReduce(whole, end, 1, values,
                     [&](Value chunk, ValueRange carried) {
                       return body(chunk, carried, true);
                     });
}

Real RowScores::at(Value i, Value chunk, int64_t n) {
  return e.f32(
      e.loadLanes(memory, e.add(e.mul(i, padded), e.mul(chunk, n)), n, n));
}

RowScores::Spread RowScores::fill(Value i, const ColumnRange &columns,
                                  llvm::function_ref<Real(Value)> load) {
  Value row = e.mul(i, padded);
  int64_t wide = this->wide();
  auto all = [&](float value) -> Value {
    return e.splatReal(e.f32(value), wide).value;
  };
  Value low = all(lowest), high = all(-lowest), zero = all(0.0f);
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
        e.storeChunk(score, memory, e.add(row, e.mul(chunk, wide)), wide);
        Real first = e.f32(carried[0]), second = e.f32(carried[1]);
        return SmallVector<Value>{
            maximum(first, score),
            maximum(second, minimum(first, score)),
            minimum(e.f32(carried[2]), upper),
            e.f32(carried[3]) + term,
            multiplyAdd(term, term, e.f32(carried[4])), // for guesses alone
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
    return e.foldAll(
        vector, [&](Value a, Value b) { return (e.f32(a) + e.f32(b)).value; });
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
  result.sum = sum(last[3]);
  result.sumOfSquares = sum(last[4]);
  return result;
}

Value RowScores::countAtLeast(Value i, const ColumnRange &columns,
                              Value threshold) {
  // More registers than a chunk has, where chunks begin at 0.
  int64_t n = window ? wide() : std::max<int64_t>(wide(), 2 * lanes);
  Value begin = e.div(columns.begin, n), end = e.ceilDiv(columns.end, n);
  Value thresholds = e.splatValue(threshold, n);
  auto reaches = [&](Value chunk) -> Value {
    return arith::CmpFOp::create(e.b, arith::CmpFPredicate::OGE,
                                 at(i, chunk, n), thresholds);
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

std::pair<Value, Value> RowScores::between(Value i, const ColumnRange &columns,
                                           Value low, Value high) {
  int64_t wide = this->wide();
  auto all = [&](Value scalar) { return e.splatReal(scalar, wide); };
  Real lows = all(low), highs = all(high);
  Real least = all(e.f32(lowest)), most = all(e.f32(-lowest));
  SmallVector<Value> found = reduceColumns(
      columns, wide, {most, least}, [&](Value chunk, ValueRange carried, bool) {
        Real score = at(i, chunk, wide);
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

Value RowScores::findLargest(Value i, const ColumnRange &columns,
                             Value largest) {
  int64_t wide = this->wide();
  Value thresholds = e.splatValue(largest, wide);
  Type bitsType = e.b.getIntegerType(static_cast<unsigned>(wide));
  Value begin = e.div(columns.begin, wide),
        last = e.sub(e.ceilDiv(columns.end, wide), e.index(1));
  auto isZero = [&](Value bits) {
    return e.compare(Predicate::eq, bits, e.integer(bitsType, 0));
  };
  auto loop = scf::WhileOp::create(
      e.b, TypeRange{begin.getType(), bitsType}, begin,
      [&](OpBuilder &, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToEnd(state[0].getParentBlock());
        Value equal = e.toBits(arith::CmpFOp::create(
            e.b, arith::CmpFPredicate::OEQ, at(i, state[0], wide), thresholds));
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
      e.toI32(math::CountTrailingZerosOp::create(e.b, loop.getResult(1))));
  Value column =
      arith::SelectOp::create(e.b, isZero(loop.getResult(1)), columns.begin,
                              e.add(e.mul(loop.getResult(0), wide), lane));
  return e.fromIndex(column, e.i32);
}
