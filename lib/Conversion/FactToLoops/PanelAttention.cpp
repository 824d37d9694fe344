//===- PanelAttention.cpp - Attention of the rows of a panel --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelAttention.h"

#include "Lowerings.h"
#include "Masks.h"

#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

Attention::Attention(PanelLoops &loops, QuantizedAttentionOp op)
    : loops(loops), e(loops.e), tier(loops.tier), op(op), heads(op.getHeads()),
      groups(op.getGroups()),
      headSize(cast<ShapedType>(op.getQuery().getType()).getShape().back() /
               heads),
      valueGroups((headSize + groupColumns - 1) / groupColumns),
      blockRows(tier.attentionRows), floats(tier.floats),
      keys(e, groups, headSize),
      isFactorLate(op.getScale().getExactLog2() != INT_MIN) {}

void Attention::begin() {
  isCompressed = paysToCompress();
  Value length = loops.length;
  keys.pack(e.flat(op.getKey()), length);
  padded = keys.paddedLength();
  int64_t columns = valueGroups * groupColumns;
  valuesPacked = e.scratch(codeType(e, tier.probabilityDot),
                           e.mul(padded, groups * columns));
  keyScales = e.scratch(e.f32Type, e.mul(padded, groups));
  valueScales = e.scratch(e.f32Type, e.mul(padded, groups));
  Value value = e.flat(op.getValue());
  std::pair<Value, Value> scales[] = {
      {e.flat(op.getKeyScale()), keyScales},
      {e.flat(op.getValueScale()), valueScales}};
  Value stride = e.index(groups * headSize);
  e.parallelFor("pack_values", {}, e.index(groups), [&](Value group) {
    packColumnsOfTokens(e, tier.probabilityDot, value, stride,
                        e.mul(group, headSize), headSize, length, padded,
                        valuesPacked, e.mul(e.mul(group, padded), columns));
    for (auto [from, to] : scales) {
      e.forRange(length, [&, from = from, to = to](Value token) {
        // Of tokens that no row keeps they may be anything, but 0 times a scale
        // must be 0.
        Real scale = e.f32(e.load(from, e.add(e.mul(group, length), token)));
        scale = select(lessThan(absolute(scale),
                                e.f32(std::numeric_limits<float>::infinity())),
                       scale, e.f32(0.0f));
        e.store(scale, to, e.add(e.mul(group, padded), token));
      });
      e.forRange(length, padded, 1, [&, to = to](Value token) {
        e.store(e.f32(0.0f), to, e.add(e.mul(group, padded), token));
      });
    }
  });
}

void Attention::panel() {
  maxima = loops.makeMaxima(op.getResult());
  Value size = loops.panelSize;
  loops.clearMaxima(maxima);
  auto ofHead = [&](Value head, Value group) {
    ListedRows rows{size, {}};
    if (op.getDominated()) {
      dominatedRows(head, group);
      RowsAt dominated = loops.headRowsOf(op.getDominated());
      rows = loops.listRows(size, [&](Value row) {
        return arith::XOrIOp::create(
                   e.b, e.load(dominated.memory, dominated.at(e, head, row)),
                   e.integer(e.i1, 1))
            .getResult();
      });
    }
    e.forRange(e.index(0), rows.count, blockRows,
               [&](Value first) { block(head, group, rows, first); });
  };
  forEachHead(e, heads, groups, ofHead);
}

void Attention::dominatedRows(Value head, Value group) {
  RowsAt dominated = loops.headRowsOf(op.getDominated()),
         argmax = loops.headRowsOf(op.getArgmax()),
         y = loops.rowsOf(op.getResult());
  Value value = e.flat(op.getValue());
  e.part("dominated_rows", op.getOperation(), [&] {
    e.forRange(loops.panelSize, [&](Value row) {
      e.ifThen(e.load(dominated.memory, dominated.at(e, head, row)), [&] {
        Value best = e.toIndex(e.load(argmax.memory, argmax.at(e, head, row)));
        Real scale =
            e.splatReal(e.load(valueScales, e.add(e.mul(group, padded), best)));
        Value from =
            e.add(e.mul(best, groups * headSize), e.mul(group, headSize));
        e.forChunks(headSize, [&](Value offset, int64_t chunk) {
          Value codes = arith::ExtSIOp::create(
              e.b, e.vectorOf(e.i32),
              e.loadChunk(value, e.add(from, offset), chunk));
          Real context = fromInteger(e.real, codes) * scale;
          e.storeChunk(
              context, y.memory,
              e.add(e.add(y.at(e, row), e.mul(head, headSize)), offset), chunk);
          loops.raiseMaxima(maxima, row, context, chunk);
        });
      });
    });
  });
}

//===----------------------------------------------------------------------===//
// A block
//===----------------------------------------------------------------------===//

void Attention::allocate() {
  keys.allocate([&](Type type, int64_t n) { return loops.scratch(type, n); });
  auto perRow = [&](Type type, int64_t each) {
    return loops.scratch(type, roundUp(blockRows, lanes) * each);
  };
  memory.factors = perRow(e.f32Type, 1);
  memory.offsets = perRow(e.f32Type, 1);
  memory.sums = perRow(e.i32, lanes);
  memory.numerators = perRow(e.f32Type, 1);
  memory.inverses = perRow(e.f32Type, 1);
  memory.products =
      loops.scratch(e.i32, tier.rows * valueGroups * groupColumns);
  Emitter head(loops.panelHead, e.b.getLoc(), e.options);
  if (isCompressed) {
    Value size = head.add(padded, 2 * floats);
    memory.keptScores = head.scratch(e.f32Type, size);
    memory.keptScales = head.scratch(e.f32Type, size);
    bool inBytes = tier.compressBits == 8 && tier.probabilityDot != Dot::Pair;
    memory.keptCodes = head.scratch(inBytes ? e.i8 : e.i32, size);
  } else {
    memory.largest = perRow(e.f32Type, lanes);
    memory.weighted = perRow(e.f32Type, lanes);
    memory.probabilityFactors = perRow(e.f32Type, 1);
  }
  if (op.getTailKey()) {
    memory.shrinks = perRow(e.f32Type, 1);
    memory.tailWeights = perRow(e.f32Type, 1);
    memory.kept = perRow(e.i32, 1);
    memory.missing = perRow(e.i32, 1);
    memory.tailProducts = perRow(e.i32, lanes);
  }
  Value size = keys.blockSize(head);
  memory.scores = head.scratch(e.f32Type, size);
  memory.probabilities = head.scratch(codeType(e, tier.probabilityDot), size);
}

void Attention::block(Value head, Value group, const ListedRows &rows,
                      Value first) {
  if (!memory.factors)
    allocate();
  Value count = e.min(e.sub(rows.count, first), e.index(blockRows));
  e.part("attention", op.getOperation(), [&] {
    Block block{head, group, rows, first, count, {}};
    // The keys that the block's rows see, which come in order.
    WindowAttr window = op.getWindowAttr();
    auto row = [&](Value i) {
      return e.add(loops.panelBegin, block.row(e, i));
    };
    ColumnRange seen{
        e.windowOf(window, row(e.index(0)), loops.length).begin,
        e.windowOf(window, row(e.sub(count, e.index(1))), loops.length).end};
    block.chunks = {e.div(seen.begin, floats), e.ceilDiv(seen.end, floats)};
    e.countWork(
        [&] { return e.mul(e.mul(count, keysOf(block)), 2 * headSize); },
        [&] {
          return e.add(e.mul(keysOf(block), 2 * headSize + 8),
                       e.mul(count, 5 * headSize));
        });
    loadQueries(block);
    scores(block);
    if (isCompressed) {
      e.forRange(block.count, [&](Value i) { softmaxOfKept(block, i); });
      forSixteens(block, [&](Value i) { denominators(block, i); });
    } else {
      terms(block);
      if (memory.kept)
        e.forRange(block.count, [&](Value i) {
          e.store(keptKeys(block, i), memory.kept, i);
        });
      forSixteens(block, [&](Value i) {
        normalizers(i);
        denominators(block, i);
      });
      if (!overlapsProbabilities())
        e.forRange(block.chunks.begin, block.chunks.end, 1,
                   [&](Value chunk) { probabilities(block, chunk); });
    }
    context(block);
  });
}

/// How many a block works on.
Value Attention::keysOf(const Block &block) {
  return e.mul(e.sub(block.chunks.end, block.chunks.begin), floats);
}

void Attention::loadQueries(const Block &block) {
  RowsAt query = loops.rowsOf(op.getQuery()),
         scale = loops.headRowsOf(op.getQueryScale());
  Real ofAttention = e.f32(op.getScale().convertToFloat());
  e.forRange(block.count, [&](Value i) {
    Value row = block.row(e, i);
    keys.loadQuery(query.memory,
                   e.add(query.at(e, row), e.mul(block.head, headSize)), i);
    Real factor = numerics::queryFactor(
        e.loadScalar(scale.memory, scale.at(e, block.head, row)), ofAttention);
    e.store(factor, memory.factors, i);
    if (op.getTailKey())
      multiplyTail(block, i);
    if (isCompressed)
      return;
    Value at = e.mul(i, lanes);
    e.storeChunk(splat(e.zeros(), nothing), memory.largest, at);
    e.storeChunk(e.integer(e.vectorOf(e.i32), 0), memory.sums, at);
    e.storeChunk(e.zeros(), memory.weighted, at);
  });
}

void Attention::forRanges(
    const Block &block,
    llvm::function_ref<void(const ColumnRange &, bool)> body) {
  if (op.getMask() || op.getWindowAttr())
    return body(block.chunks, true);
  Value whole = e.div(loops.length, floats);
  body({block.chunks.begin, whole}, false);
  e.ifThen(e.compare(Predicate::ult, whole, block.chunks.end),
           [&] { body({whole, block.chunks.end}, true); });
}

/// Where the mask of row i begins.
Value Attention::firstWord(const Block &block, Value i) {
  Value row = e.add(loops.panelBegin, block.row(e, i));
  return e.mul(e.add(e.mul(block.head, loops.length), row),
               wordsOfRow(e, loops.length));
}

/// The columns that row i sees through the window.
ColumnRange Attention::seenColumns(const Block &block, Value i) {
  return e.windowOf(op.getWindowAttr(),
                    e.add(loops.panelBegin, block.row(e, i)), loops.length);
}

/// Which of `n` keys from `key` on row i keeps, as vector<n x i1>.
Value Attention::keptLanes(const Block &block, Value i, Value key, int64_t n) {
  if (!op.getMask())
    return e.lanesWithin(key, seenColumns(block, i), n);
  return maskLanes(firstWord(block, i), e.div(key, lanes), n);
}

/// `n` bits of a row's mask from a word of it on, as vector<n x i1>.
Value Attention::maskLanes(Value firstWord, Value number, int64_t n) {
  Value words = e.flat(wordsOfMask(op.getMask()));
  Value bits =
      e.loadLanes(words, e.add(firstWord, number), n / lanes, n / lanes);
  return vector::BitCastOp::create(e.b, e.vectorOf(e.i1, n), bits);
}

/// How many.
Value Attention::keptKeys(const Block &block, Value i) {
  if (!op.getMask()) {
    ColumnRange columns = seenColumns(block, i);
    return e.fromIndex(e.sub(columns.end, columns.begin), e.i32);
  }
  Value words = e.flat(wordsOfMask(op.getMask()));
  Value first = firstWord(block, i);
  Value ones = e.reducePadded(
      wordsOfRow(e, loops.length), e.integer(e.vectorOf(e.i16), 0),
      [&](Value at, ValueRange carried) {
        Value word = e.loadChunk(words, e.add(first, at));
        return SmallVector<Value>{
            e.add(carried[0], math::CtPopOp::create(e.b, word))};
      })[0];
  return e.reduceAdd(arith::ExtUIOp::create(e.b, e.vectorOf(e.i32), ones));
}

void Attention::scoresOf(const Block &block, const ColumnRange &chunks,
                         bool isChecked) {
  keys.multiply(
      block.group, chunks, block.count,
      [&](Value i, Value key, int64_t n, Value sums) {
        Real scales = e.f32(e.loadLanes(
            keyScales, e.add(e.mul(block.group, padded), key), n, n));
        Real one = e.splatReal(e.f32(1.0f), n),
             factor =
                 isFactorLate ? one : e.splatReal(e.load(memory.factors, i), n);
        Real s = numerics::score(fromInteger(e.real, sums), scales, factor);
        Value ofRow = e.mul(i, lanes), at = keys.keyAt(key, i);
        keys.prefetchAhead(memory.scores, at, n, 1);
        if (isCompressed)
          return e.storeChunk(s, memory.scores, at, n);
        // Columns that are not kept score minus infinity from here on, whatever
        // their undefined K says.
        if (isChecked) {
          Value keep = keptLanes(block, i, key, n);
          s = select(RealMask{keep}, s, splat(s, nothing));
        }
        e.storeChunk(s, memory.scores, at, n);
        Value most = e.foldLanes(s, [&](Value a, Value b) {
          return maximum(e.f32(b), e.f32(a)).value;
        });
        // Not a compare and a select: see Emitter::largerMagnitudes.
        e.storeChunk(arith::MaxNumFOp::create(
                         e.b, e.loadChunk(memory.largest, ofRow), most),
                     memory.largest, ofRow);
      });
}

void Attention::scores(const Block &block) {
  if (isCompressed)
    return scoresOf(block, block.chunks, false);
  forRanges(block, [&](const ColumnRange &chunks, bool isChecked) {
    scoresOf(block, chunks, isChecked);
  });
  forSixteens(block, [&](Value i) {
    Real largest =
        e.f32(foldRows(memory.largest, i, [&](Value a, Value b) -> Value {
          return arith::MaxNumFOp::create(e.b, a, b);
        }));
    if (isFactorLate)
      largest = largest * e.loadReal(memory.factors, i);
    e.storeChunk(-largest, memory.offsets, i);
  });
}

void Attention::forSixteens(const Block &block,
                            llvm::function_ref<void(Value)> body) {
  e.forRange(e.index(0), block.count, lanes, body);
}

Value Attention::foldRows(Value memory, Value i,
                          llvm::function_ref<Value(Value, Value)> combine) {
  SmallVector<Value> rows;
  for (int64_t r = 0; r < lanes; ++r)
    rows.push_back(e.loadChunk(memory, e.mul(e.add(i, r), lanes)));
  return e.foldEach(rows, combine);
}

/// The terms of scores of row i, to which `offset` is added.
Real Attention::term(const Real &s, Value i, const Real &offset) {
  Real offsets = e.splatReal(offset, floats);
  if (!isFactorLate)
    return numerics::softmaxTerm(s + offsets);
  Real factors = e.splatReal(e.load(memory.factors, i), floats);
  return numerics::softmaxTerm(multiplyAdd(s, factors, offsets));
}

void Attention::termsOfChunk(const Block &block, Value chunk, bool isChecked) {
  Real scales = e.f32(e.loadLanes(
      valueScales, e.add(e.mul(block.group, padded), e.mul(chunk, floats)),
      floats, floats));
  e.forRange(block.count, [&](Value i) {
    Value at = keys.at(chunk, i), ofRow = e.mul(i, lanes);
    Real s = e.f32(e.loadLanes(memory.scores, at, floats, floats));
    keys.prefetchAhead(memory.scores, at, floats, 1);
    Real term = this->term(s, i, e.f32(e.load(memory.offsets, i)));
    // Before it is weighted: what is left of a score of -inf times a scale is a
    // denormal, which takes a processor a hundred cycles.
    if (isChecked)
      term = select(RealMask{lessThan(splat(s, nothing), s)}, term,
                    splat(s, 0.0f));
    Real g = numerics::weightedTerm(term, scales);
    Value e16 = toInteger(numerics::denominatorTerm(term), e.i32);
    e.storeChunk(g, memory.scores, at, floats);
    Value sum = e.foldLanes(e16, [&](Value a, Value b) { return e.add(a, b); });
    e.storeChunk(e.add(e.loadChunk(memory.sums, ofRow), sum), memory.sums,
                 ofRow);
    Value most = e.foldLanes(
        g, [&](Value a, Value b) { return e.largerMagnitudes(a, b); });
    e.storeChunk(e.largerMagnitudes(most, e.loadChunk(memory.weighted, ofRow)),
                 memory.weighted, ofRow);
  });
}

void Attention::terms(const Block &block) {
  forRanges(block, [&](const ColumnRange &chunks, bool isChecked) {
    e.forRange(chunks.begin, chunks.end, 1,
               [&](Value chunk) { termsOfChunk(block, chunk, isChecked); });
  });
}

/// What probabilities are made of terms with.
void Attention::normalizers(Value i) {
  Real most = e.f32(foldRows(memory.weighted, i, [&](Value a, Value b) {
    return e.largerMagnitudes(a, b);
  }));
  e.storeChunk(most, memory.numerators, i);
  e.storeChunk(numerics::probabilityFactor(most), memory.probabilityFactors, i);
}

void Attention::denominators(const Block &block, Value i) {
  Value sums =
      foldRows(memory.sums, i, [&](Value a, Value b) { return e.add(a, b); });
  Real result = numerics::denominator(fromInteger(e.real, sums));
  if (op.getTailKey())
    result = tail(block, i, result);
  e.storeChunk(numerics::inverseDenominator(result), memory.inverses, i);
}

/// The mean token's part; returns the denominators with it.
Real Attention::tail(const Block &block, Value i, const Real &without) {
  Value products = foldRows(memory.tailProducts, i,
                            [&](Value a, Value b) { return e.add(a, b); });
  Real largest = -e.loadReal(memory.offsets, i),
       score = numerics::score(
           fromInteger(e.real, products),
           e.splatReal(e.load(e.flat(op.getTailKeyScale()), block.group)),
           e.loadReal(memory.factors, i));
  Value missing = e.sub(e.splatValue(e.fromIndex(loops.length, e.i32)),
                        e.loadChunk(memory.kept, i));
  Real shrink = numerics::tailShrink(largest, score),
       weight =
           numerics::tailWeight(largest, score, fromInteger(e.real, missing));
  e.storeChunk(shrink, memory.shrinks, i);
  e.storeChunk(weight, memory.tailWeights, i);
  e.storeChunk(missing, memory.missing, i);
  Value misses =
      e.compare(Predicate::sgt, missing, e.integer(missing.getType(), 0));
  return select(RealMask{misses},
                numerics::denominatorWithTail(without, shrink, weight),
                without);
}

/// Sums of the products of row i with the mean token's key, in 16 lanes.
void Attention::multiplyTail(const Block &block, Value i) {
  Value row = block.row(e, i);
  RowsAt query = loops.rowsOf(op.getQuery());
  Value tailKey = e.flat(op.getTailKey());
  Value from = e.add(query.at(e, row), e.mul(block.head, headSize)),
        keyColumn = e.mul(block.group, headSize);
  VectorType wide = e.vectorOf(e.i32);
  Value products = e.reduceChunks(
      headSize, e.integer(wide, 0),
      [&](Value offset, int64_t chunk, ValueRange carried) {
        Value q = e.loadChunk(query.memory, e.add(from, offset), chunk);
        Value k = e.loadChunk(tailKey, e.add(keyColumn, offset), chunk);
        q = arith::ExtSIOp::create(e.b, wide, q);
        k = arith::ExtSIOp::create(e.b, wide, k);
        return SmallVector<Value>{
            e.add(carried[0], arith::MulIOp::create(e.b, q, k))};
      })[0];
  e.storeChunk(products, memory.tailProducts, e.mul(i, lanes));
}

void Attention::probabilities(const Block &block, Value chunk) {
  e.forRange(block.count, [&](Value i) {
    Value at = keys.at(chunk, i);
    Real g = e.f32(e.loadLanes(memory.scores, at, floats, floats));
    keys.prefetchAhead(memory.scores, at, floats, 1);
    Real factor = e.splatReal(e.load(memory.probabilityFactors, i), floats);
    Value p8 = e.toCodes(numerics::probability(g, factor),
                         codeType(e, tier.probabilityDot),
                         /*isUnsigned=*/true);
    e.storeChunk(p8, memory.probabilities, at, floats);
  });
}

/// Tiles are multiplied beside the probabilities of the next chunk.
bool Attention::overlapsProbabilities() const {
  return !isCompressed && tier.probabilityDot == Dot::Tile &&
         !e.options.emulate && blockRows == tier.rows;
}

void Attention::context(const Block &block) {
  Dot dot = tier.probabilityDot;
  int64_t columns = valueGroups * groupColumns;
  RowsAt y = loops.rowsOf(op.getResult());
  Value values = e.mul(e.mul(block.group, padded), columns);
  forRowBlocks(e, block.count, tier.rows, [&](Value first, int64_t count) {
    for (int64_t group = 0; group < valueGroups; group += tier.tiles) {
      BlockOperands operands;
      operands.dot = dot;
      operands.a = memory.probabilities;
      operands.b = valuesPacked;
      operands.rowsAreUnsigned = true;
      operands.blocks = block.chunks;
      if (group == 0 && overlapsProbabilities()) {
        probabilities(block, block.chunks.begin);
        operands.beside = [&](Value chunk) {
          Value next = e.add(chunk, 1);
          e.ifThen(e.compare(Predicate::ult, next, block.chunks.end),
                   [&] { probabilities(block, next); });
        };
      }
      operands.steps = floats / Tier::step(dot);
      operands.blockStride = blockRows * floats;
      operands.rowStride = floats;
      int64_t last = std::min(group + tier.tiles, valueGroups);
      for (int64_t g = group; g < last; ++g)
        operands.groups.push_back(
            e.add(values, e.mul(padded, g * groupColumns)));
      for (int64_t r = 0; r < count; r += dot == Dot::Tile ? 16 : 1)
        operands.rows.push_back(e.mul(e.add(first, r), floats));
      multiplyBlock(e, operands,
                    {memory.products, e.index(group * groupColumns), columns},
                    /*fresh=*/true);
    }
    Value tailValue = e.flat(op.getTailValue()),
          tailScale = e.flat(op.getTailValueScale());
    e.forRange(e.min(e.sub(block.count, first), e.index(count)), [&](Value j) {
      Value i = e.add(first, j), row = block.row(e, i);
      Real most = e.splatReal(e.load(memory.numerators, i));
      Real inverse = e.splatReal(e.load(memory.inverses, i));
      e.forChunks(headSize, [&](Value offset, int64_t chunk) {
        Real acc =
            fromInteger(e.real, e.loadChunk(memory.products,
                                            e.add(e.mul(j, columns), offset)));
        Real num = numerics::numerator(acc, most);
        if (tailValue) {
          Value codes = e.loadChunk(
              tailValue, e.add(e.mul(block.group, headSize), offset), chunk);
          Real v = fromInteger(e.real, arith::ExtSIOp::create(
                                           e.b, e.vectorOf(e.i32), codes)) *
                   e.splatReal(e.load(tailScale, block.group));
          Real with = numerics::numeratorWithTail(
              num, e.splatReal(e.load(memory.shrinks, i)),
              e.splatReal(e.load(memory.tailWeights, i)), v);
          Value misses = e.compare(Predicate::sgt, e.load(memory.missing, i),
                                   e.integer(e.i32, 0));
          num = select(RealMask{e.splatValue(misses)}, with, num);
        }
        Real context = num * inverse;
        e.storeChunk(
            context, y.memory,
            e.add(e.add(y.at(e, row), e.mul(block.head, headSize)), offset),
            chunk);
        loops.raiseMaxima(maxima, row, context, chunk);
      });
    });
  });
}
