//===- Attention.cpp - Masked attention on quantized heads ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gemm.h"
#include "Lowerings.h"
#include "Selection.h"

#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

namespace {

/// The loops of one attention op, head by head and panel by panel: scores of
/// the keys that the panel's rows see, the three sweeps of section 6 over the
/// kept ones, sums of p8 * v8.
class AttentionLoops {
public:
  AttentionLoops(QuantizedAttentionOp op, Emitter &e, int64_t width);
  Value emit();

private:
  void beginGroup(Value next);
  void attend(Value head);
  void dominatedRows(Value head);
  void panel(Value head, const RowList &list, Value first);
  void probabilities(Value head, Value row, Value i, const ColumnRange &seen);
  void tail(Value head, Value row, Value i, const Real &largest,
            const Real &sum, const Real &factor, Value missing);
  void context(Value head, Value row, Value i);

  QuantizedAttentionOp op;
  Emitter &e;
  int64_t heads, headSize, pairs, valueTiles;
  Value query, queryScale, key, keyScale, value, valueScale, mask, dominated,
      argmax;
  Value tailKey, tailKeyScale, tailValue, tailValueScale, result;
  Value length, padded, tokenTiles;
  Value group; ///< Head of the key and the value that is worked on.
  Value rowMemory, queries, keysPacked, scores, probability, valuesPacked, sums,
      scoreRow, maskRow, keyScales, valueScales;
  /// Per row of a panel: gm, den, r, w, and whether the row has a tail.
  Value weighted, denominators, shrinks, weights, missed;
};

AttentionLoops::AttentionLoops(QuantizedAttentionOp op, Emitter &e,
                               int64_t width)
    : op(op), e(e), heads(op.getHeads()), headSize(width / heads),
      pairs((headSize + 1) / 2), valueTiles((headSize + lanes - 1) / lanes) {
  query = e.buffer(op.getQuery()), queryScale = e.buffer(op.getQueryScale());
  key = e.buffer(op.getKey()), keyScale = e.buffer(op.getKeyScale());
  value = e.buffer(op.getValue()), valueScale = e.buffer(op.getValueScale());
  mask = e.asBytes(e.buffer(op.getMask()));
  dominated = e.buffer(op.getDominated()), argmax = e.buffer(op.getArgmax());
  tailKey = e.buffer(op.getTailKey()),
  tailKeyScale = e.buffer(op.getTailKeyScale());
  tailValue = e.buffer(op.getTailValue()),
  tailValueScale = e.buffer(op.getTailValueScale());
  length = e.dim(query, 0);
  padded = e.roundUp(length, lanes);
  tokenTiles = e.ceilDiv(length, lanes);
  SmallVector<Value> open(
      cast<ShapedType>(op.getResult().getType()).isDynamicDim(0), length);
  result = e.allocResult(op.getResult(), open);

  if (dominated)
    rowMemory =
        e.alloc(e.b.getIndexType(), {ShapedType::kDynamic}, e.add(length, 1));
  queries = e.scratch(e.i16, e.index(panelRows * 2 * pairs + lanes));
  keysPacked = e.scratch(e.i16, e.mul(padded, 2 * pairs));
  scores = e.scratch(e.i32, e.mul(padded, panelRows));
  probability = e.scratch(e.i16, e.mul(padded, panelRows));
  valuesPacked = e.scratch(e.i16, e.mul(padded, valueTiles * lanes));
  sums = e.scratch(e.i32, e.index(panelRows * valueTiles * lanes));
  scoreRow = e.scratch(e.f32Type, padded);
  if (mask)
    maskRow = e.scratch(e.i8, padded);
  keyScales = e.scratch(e.f32Type, padded);
  valueScales = e.scratch(e.f32Type, padded);
  weighted = e.scratch(e.f32Type, e.index(panelRows));
  denominators = e.scratch(e.f32Type, e.index(panelRows));
  if (tailKey) {
    shrinks = e.scratch(e.f32Type, e.index(panelRows));
    weights = e.scratch(e.f32Type, e.index(panelRows));
    missed = e.alloc(e.i1, {ShapedType::kDynamic}, e.index(panelRows));
  }
}

/// A head of K and V in the order of the products; the scales of its tokens
/// padded, so that they load as whole vectors.
void AttentionLoops::beginGroup(Value next) {
  group = next;
  e.forRange(length, [&](Value token) {
    e.store(e.load(keyScale, {group, token}), keyScales, token);
    e.store(e.load(valueScale, {group, token}), valueScales, token);
  });
  Value column = e.mul(group, headSize);
  packTransposed(e, key, length, column, headSize, keysPacked);
  Value tokenPairs = e.b.createOrFold<arith::DivUIOp>(padded, e.index(2));
  packSequence(e, value, length, column, headSize, tokenPairs, valuesPacked);
}

void AttentionLoops::dominatedRows(Value head) {
  e.forRange(length, [&](Value row) {
    e.ifThen(e.load(dominated, {head, row}), [&] {
      Value best = e.toIndex(e.load(argmax, {head, row}));
      Real scale = e.splatReal(e.load(valueScale, {group, best}));
      e.forChunks(headSize, [&](Value offset, int64_t chunk) {
        Value column = e.add(e.mul(head, headSize), offset),
              ofValue = e.add(e.mul(group, headSize), offset);
        Value codes = arith::ExtSIOp::create(
            e.b, e.vectorOf(e.i32), e.loadChunk(value, {best, ofValue}, chunk));
        e.storeChunk(fromInteger(e.real, codes) * scale, result, {row, column},
                     chunk);
      });
    });
  });
}

void AttentionLoops::tail(Value head, Value row, Value i, const Real &largest,
                          const Real &sum, const Real &factor, Value missing) {
  Value column = e.mul(head, headSize), keyColumn = e.mul(group, headSize),
        first = e.index(0);
  VectorType wide = e.vectorOf(e.i32);
  Value products = e.reduceChunks(
      headSize, e.integer(wide, 0),
      [&](Value offset, int64_t chunk, ValueRange carried) {
        Value q = e.loadChunk(query, {row, e.add(column, offset)}, chunk);
        Value k =
            e.loadChunk(tailKey, {first, e.add(keyColumn, offset)}, chunk);
        q = arith::ExtSIOp::create(e.b, wide, q);
        k = arith::ExtSIOp::create(e.b, wide, k);
        return SmallVector<Value>{arith::AddIOp::create(
            e.b, carried[0], arith::MulIOp::create(e.b, q, k))};
      })[0];
  Real acc = fromInteger(e.real, e.reduceAdd(products));
  Real tailScore =
      numerics::score(acc, e.loadScalar(tailKeyScale, {group, first}), factor);
  Real shrink = numerics::tailShrink(largest, tailScore);
  Real weight =
      numerics::tailWeight(largest, tailScore, fromInteger(e.real, missing));
  Real without = numerics::denominator(sum);
  Real with = numerics::denominatorWithTail(without, shrink, weight);
  Value misses = e.compare(Predicate::sgt, missing, e.integer(e.i32, 0));
  e.store(select(RealMask{misses}, with, without), denominators, i);
  e.store(shrink, shrinks, i);
  e.store(weight, weights, i);
  e.store(misses, missed, i);
}

/// The three sweeps over one row of scores; p8 goes to the panel's row i, 0 for
/// keys that other rows of the panel see.
void AttentionLoops::probabilities(Value head, Value row, Value i,
                                   const ColumnRange &seen) {
  ColumnRange columns = e.windowOf(op.getWindowAttr(), row, length),
              chunks = e.chunksAround(columns);
  Value base = e.mul(i, padded);
  Real factor = numerics::queryFactor(e.loadScalar(queryScale, {head, row}),
                                      e.f32(op.getScale().convertToFloat()));
  Real factors = e.splatReal(factor);
  Real none = splat(e.zeros(), -std::numeric_limits<float>::infinity());
  if (mask)
    loadMaskRow(e, mask, head, row, length, maskRow);

  // Columns that are not kept score minus infinity from here on, whatever
  // their undefined K says.
  SmallVector<Value> first = e.reducePadded(
      chunks, ValueRange{none.value, e.integer(e.vectorOf(e.i32), 0)},
      [&](Value offset, ValueRange carried) {
        Real acc =
            fromInteger(e.real, e.loadChunk(scores, e.add(base, offset)));
        Real s = numerics::score(acc, e.loadReal(keyScales, offset), factors);
        Value keep = e.lanesWithin(offset, columns), kept = carried[1];
        if (mask) {
          Value bytes = e.loadChunk(maskRow, offset);
          Value set =
              e.compare(Predicate::ne, bytes, e.integer(bytes.getType(), 0));
          keep = arith::AndIOp::create(e.b, keep, set);
        }
        if (tailKey)
          kept = arith::AddIOp::create(
              e.b, kept, arith::ExtUIOp::create(e.b, kept.getType(), keep));
        s = select(RealMask{keep}, s, none);
        e.storeChunk(s, scoreRow, offset);
        return SmallVector<Value>{maximum(s, e.f32(carried[0])).value, kept};
      });
  auto reduceFloat = [&](Value lanesOf) {
    return e.f32(vector::ReductionOp::create(
        e.b, vector::CombiningKind::MAXNUMF, lanesOf));
  };
  Real largest = reduceFloat(first[0]), largests = e.splatReal(largest);

  SmallVector<Value> second = e.reducePadded(
      chunks, ValueRange{e.integer(e.vectorOf(e.i32), 0), e.zeros().value},
      [&](Value offset, ValueRange carried) {
        Real s = e.loadReal(scoreRow, offset);
        RealMask keep = lessThan(none, s);
        Real term = select(keep, numerics::softmaxTerm(s, largests), e.zeros());
        Value e16 = toInteger(numerics::denominatorTerm(term), e.i32);
        Real g = select(
            keep, numerics::weightedTerm(term, e.loadReal(valueScales, offset)),
            e.zeros());
        e.storeChunk(g, scoreRow, offset);
        return SmallVector<Value>{arith::AddIOp::create(e.b, carried[0], e16),
                                  maximum(g, e.f32(carried[1])).value};
      });
  Real sum = fromInteger(e.real, e.reduceAdd(second[0]));
  Real most = reduceFloat(second[1]),
       scale = e.splatReal(numerics::probabilityFactor(most));
  e.store(most, weighted, i);

  e.forPadded(chunks, [&](Value offset) {
    Real p8 = numerics::probability(e.loadReal(scoreRow, offset), scale);
    e.storeChunk(toInteger(p8, e.i16), probability, e.add(base, offset));
  });
  for (const ColumnRange &outside : {ColumnRange{seen.begin, chunks.begin},
                                     ColumnRange{chunks.end, seen.end}})
    e.forPadded(outside, [&](Value offset) {
      e.storeChunk(e.integer(e.vectorOf(e.i16), 0), probability,
                   e.add(base, offset));
    });
  if (tailKey)
    tail(head, row, i, largest, sum, factor,
         e.sub(e.fromIndex(length, e.i32), e.reduceAdd(first[1])));
  else
    e.store(numerics::denominator(sum), denominators, i);
}

void AttentionLoops::context(Value head, Value row, Value i) {
  Real most = e.splatReal(e.load(weighted, i));
  Real inverse =
      e.splatReal(numerics::inverseDenominator(e.loadScalar(denominators, i)));
  e.forChunks(headSize, [&](Value offset, int64_t chunk) {
    Real acc = fromInteger(
        e.real, e.loadChunk(sums, e.add(e.mul(i, valueTiles * lanes), offset)));
    Real num = numerics::numerator(acc, most);
    Value column = e.add(e.mul(head, headSize), offset);
    if (tailKey) {
      Value ofValue = e.add(e.mul(group, headSize), offset);
      Value codes = e.loadChunk(tailValue, {e.index(0), ofValue}, chunk);
      Real v =
          fromInteger(e.real,
                      arith::ExtSIOp::create(e.b, e.vectorOf(e.i32), codes)) *
          e.splatReal(e.load(tailValueScale, {group, e.index(0)}));
      Real with =
          numerics::numeratorWithTail(num, e.splatReal(e.load(shrinks, i)),
                                      e.splatReal(e.load(weights, i)), v);
      num = select(RealMask{e.splatValue(e.load(missed, i))}, with, num);
    }
    e.storeChunk(num * inverse, result, {row, column}, chunk);
  });
}

void AttentionLoops::panel(Value head, const RowList &list, Value first) {
  Value m = e.min(e.sub(list.count, first), e.index(panelRows));
  e.forRange(m, [&](Value i) {
    widenRow(e, query, list(e, e.add(first, i)), e.mul(head, headSize),
             headSize, queries, e.mul(i, 2 * pairs));
    if (headSize % 2)
      e.store(e.integer(e.i16, 0), queries,
              e.add(e.mul(i, 2 * pairs), headSize));
  });
  // The keys that the panel's rows see, which come in order.
  Value last = e.sub(e.add(first, m), e.index(1));
  WindowAttr window = op.getWindowAttr();
  ColumnRange seen =
      e.chunksAround({e.windowOf(window, list(e, first), length).begin,
                      e.windowOf(window, list(e, last), length).end});
  auto inUnits = [&](int64_t columns) {
    auto divided = [&](Value value) {
      return e.b.createOrFold<arith::DivUIOp>(value, e.index(columns));
    };
    return ColumnRange{divided(seen.begin), divided(seen.end)};
  };
  Value tokenPairs = e.b.createOrFold<arith::DivUIOp>(padded, e.index(2));
  callGemm(e, queries, keysPacked, scores, m, e.index(pairs), tokenTiles,
           GemmPart{inUnits(lanes), {e.index(0), e.index(pairs)}});
  e.forRange(m, [&](Value i) {
    probabilities(head, list(e, e.add(first, i)), i, seen);
  });
  callGemm(e, probability, valuesPacked, sums, m, tokenPairs,
           e.index(valueTiles),
           GemmPart{{e.index(0), e.index(valueTiles)}, inUnits(2)});
  e.forRange(m, [&](Value i) { context(head, list(e, e.add(first, i)), i); });
}

void AttentionLoops::attend(Value head) {
  RowList list{length, {}};
  if (dominated) {
    dominatedRows(head);
    list = listRows(e, rowMemory, length, [&](Value row) {
      return arith::XOrIOp::create(e.b, e.load(dominated, {head, row}),
                                   e.integer(e.i1, 1))
          .getResult();
    });
  }
  e.forRange(e.index(0), list.count, panelRows,
             [&](Value first) { panel(head, list, first); });
}

Value AttentionLoops::emit() {
  forEachGroup(
      e, heads, op.getGroups(), [&](Value next) { beginGroup(next); },
      [&](Value head) { attend(head); });
  return result;
}

} // namespace

LogicalResult loops::lower(QuantizedAttentionOp op, Emitter &e,
                           Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getQuery());
  if (failed(width))
    return failure();
  results.push_back(AttentionLoops(op, e, *width).emit());
  return success();
}
