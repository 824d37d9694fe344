//===- KeptKeys.cpp - Softmax of the keys that a row keeps ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores of kept keys are moved together, softmax is of these alone, and their
// probabilities are moved apart.
//
//===----------------------------------------------------------------------===//

#include "Masks.h"
#include "PanelAttention.h"

#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

/// Where a row keeps a share of its keys, or who knows how many, its scores can
/// be moved together, and its probabilities apart: docs/cpu.md has what both
/// ways take.
bool Attention::paysToCompress() {
  if (!op.getMask() || !tier.hasMasks())
    return false;
  Value mask = wordsOfMask(op.getMask())
                   .getDefiningOp<UnrealizedConversionCastOp>()
                   .getOperand(0);
  auto select = mask.getDefiningOp<SelectOp>();
  constexpr int64_t mostKept = 614; // of 1024
  return select && (!select.getKeep() || *select.getKeep() <= mostKept);
}

/// Moves kept scores of row i, and the scales of their values, together; how
/// many there are.
Value Attention::compressRow(const Block &block, Value i) {
  Value first = firstWord(block, i);
  Value scalesOfGroup = e.mul(block.group, padded);
  auto compress = [&](Value vector, Value keep) {
    return e.callIntrinsic("llvm.experimental.vector.compress",
                           vector.getType(), {vector, keep, vector});
  };
  Value count = e.forReduce(
      block.chunks.begin, block.chunks.end, 1, e.index(0),
      [&](Value chunk, ValueRange carried) {
        Value to = carried[0];
        keys.prefetchAhead(memory.scores, keys.at(chunk, i), floats, 2);
        for (int64_t at = 0; at < floats; at += lanes) {
          Value key = e.add(e.mul(chunk, floats), at);
          Value keep = maskLanes(
              first, e.add(e.mul(chunk, floats / lanes), at / lanes), lanes);
          e.storeChunk(
              compress(e.loadChunk(memory.scores, e.add(keys.at(chunk, i), at)),
                       keep),
              memory.keptScores, to);
          e.storeChunk(
              compress(e.loadChunk(valueScales, e.add(scalesOfGroup, key)),
                       keep),
              memory.keptScales, to);
          to = e.add(to, e.countOnes(keep));
        }
        return SmallVector<Value>{to};
      })[0];
  // Neutral lanes behind the last.
  Value low = splat(e.splatReal(e.f32(0.0f), floats), nothing),
        zero = e.splatReal(e.f32(0.0f), floats);
  e.storeChunk(low, memory.keptScores, count, floats);
  e.storeChunk(zero, memory.keptScales, count, floats);
  return count;
}

/// Section 6 of row i, on its kept keys.
void Attention::softmaxOfKept(const Block &block, Value i) {
  Value count = compressRow(block, i), chunks = e.ceilDiv(count, floats);
  auto load = [&](Value memory, Value chunk) {
    return e.f32(e.loadLanes(memory, e.mul(chunk, floats), floats, floats));
  };
  auto larger = [&](Value a, Value b) {
    return maximum(e.f32(a), e.f32(b)).value;
  };
  Real low = splat(e.splatReal(e.f32(0.0f), floats), nothing);
  Value most = e.forReduce(
      e.index(0), chunks, 1, low.value, [&](Value chunk, ValueRange carried) {
        return SmallVector<Value>{
            larger(carried[0], load(memory.keptScores, chunk).value)};
      })[0];
  Real largestOne = e.f32(e.foldAll(most, larger));
  if (isFactorLate)
    largestOne = largestOne * e.f32(e.load(memory.factors, i));
  Real offset = -largestOne;
  VectorType integers = e.vectorOf(e.i32, floats);
  Real none = splat(low, 0.0f);
  SmallVector<Value> sums = e.forReduce(
      e.index(0), chunks, 1, {e.integer(integers, 0), none.value},
      [&](Value chunk, ValueRange carried) {
        Real s = load(memory.keptScores, chunk);
        Real term = this->term(s, i, offset);
        term = select(RealMask{lessThan(low, s)}, term, none);
        Real g = numerics::weightedTerm(term, load(memory.keptScales, chunk));
        e.storeChunk(g, memory.keptScores, e.mul(chunk, floats), floats);
        Value e16 = toInteger(numerics::denominatorTerm(term), e.i32);
        return SmallVector<Value>{e.add(carried[0], e16),
                                  e.largerMagnitudes(carried[1], g)};
      });
  e.storeChunk(
      e.foldLanes(sums[0], [&](Value a, Value b) { return e.add(a, b); }),
      memory.sums, e.mul(i, lanes));
  Real mostWeighted = e.largestOfLanes(e.foldLanes(
      sums[1], [&](Value a, Value b) { return e.largerMagnitudes(a, b); }));
  e.store(mostWeighted, memory.numerators, i);
  e.store(offset, memory.offsets, i);
  if (memory.kept)
    e.store(e.fromIndex(count, e.i32), memory.kept, i);

  Real factor = e.splatReal(numerics::probabilityFactor(mostWeighted), floats);
  Type narrow = cast<MemRefType>(memory.keptCodes.getType()).getElementType();
  e.forRange(chunks, [&](Value chunk) {
    Value codes = e.toCodes(
        numerics::probability(load(memory.keptScores, chunk), factor), narrow,
        /*isUnsigned=*/true);
    e.storeChunk(codes, memory.keptCodes, e.mul(chunk, floats), floats);
  });
  expandRow(block, i);
}

/// Puts probabilities of row i where its keys are, and zeros between them.
void Attention::expandRow(const Block &block, Value i) {
  Value first = firstWord(block, i);
  Type code = codeType(e, tier.probabilityDot),
       narrow = cast<MemRefType>(memory.keptCodes.getType()).getElementType();
  int64_t n = narrow == e.i8 ? floats : lanes;
  e.forReduce(
      block.chunks.begin, block.chunks.end, 1, e.index(0),
      [&](Value chunk, ValueRange carried) {
        Value from = carried[0];
        keys.prefetchAhead(memory.probabilities, keys.at(chunk, i), floats, 2);
        for (int64_t at = 0; at < floats; at += n) {
          Value keep = maskLanes(
              first, e.add(e.mul(chunk, floats / lanes), at / lanes), n);
          VectorType type = e.vectorOf(narrow, n);
          Value codes = vector::ExpandLoadOp::create(
              e.b, type, memory.keptCodes, ValueRange{from}, keep,
              e.integer(type, 0));
          if (narrow != code)
            codes = arith::TruncIOp::create(e.b, e.vectorOf(code, n), codes);
          e.storeChunk(codes, memory.probabilities,
                       e.add(keys.at(chunk, i), at), n);
          from = e.add(from, e.countOnes(keep));
        }
        return SmallVector<Value>{from};
      });
}
