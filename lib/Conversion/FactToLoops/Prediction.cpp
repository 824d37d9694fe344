//===- Prediction.cpp - Eager prediction: codes, shifts, scores -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gemm.h"
#include "Lowerings.h"
#include "Rules.h"
#include "Selection.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

LogicalResult loops::lower(EncodeOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  numerics::PredictorCode code = numerics::codeOf(numericsOf(op.getPredictor()),
                                                  numericsOf(op.getOperand()));
  Value x = e.buffer(op.getInput());
  SmallVector<Value> open(
      cast<ShapedType>(op.getResult().getType()).isDynamicDim(0), e.dim(x, 0));
  Value y = e.allocResult(op.getResult(), open);
  e.forRange(e.dim(x, 0), [&](Value row) {
    e.forChunks(*width, [&](Value offset, int64_t chunk) {
      e.storeChunk(encode(e, code, e.loadChunk(x, {row, offset}, chunk)), y,
                   {row, offset}, chunk);
    });
  });
  results.push_back(y);
  return success();
}

LogicalResult loops::lower(NormalizeHeadsOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getInput());
  Value length = e.dim(x, 0);
  SmallVector<Value> openRows(
      cast<ShapedType>(op.getResult().getType()).isDynamicDim(0), length);
  SmallVector<Value> openColumns(
      cast<ShapedType>(op.getScale().getType()).isDynamicDim(1), length);
  Value y = e.allocResult(op.getResult(), openRows),
        scale = e.allocResult(op.getScale(), openColumns);
  int64_t heads = op.getHeads(), headSize = *width / heads;
  VectorType vector = e.vectorOf(e.i32);
  Value zeros = e.integer(vector, 0);
  auto split = [&](Value h) -> std::pair<Value, Value> { // sign and magnitude
    Value negative = e.compare(arith::CmpIPredicate::slt, h, zeros);
    Value opposite = arith::SubIOp::create(e.b, zeros, h);
    return {negative, arith::SelectOp::create(e.b, negative, opposite, h)};
  };
  e.forRange(length, [&](Value row) {
    e.forRange(e.index(heads), [&](Value head) {
      Value column = e.mul(head, headSize);
      auto load = [&](Value offset, int64_t chunk) {
        return e.loadChunk(x, {row, e.add(column, offset)}, chunk);
      };
      Value largest = e.reduceMax(
          e.reduceChunks(headSize, zeros,
                         [&](Value offset, int64_t chunk, ValueRange carried) {
                           Value magnitude = split(load(offset, chunk)).second;
                           return SmallVector<Value>{arith::MaxSIOp::create(
                               e.b, magnitude, carried[0])};
                         })[0]);
      // floor(log2 m) = 31 - leading zeros; 0 has 32 of them and ends at shift
      // 0.
      Value leading = math::CountLeadingZerosOp::create(e.b, largest);
      Value above =
          arith::SubIOp::create(e.b, e.integer(e.i32, 31 - 6), leading);
      Value shift = arith::MaxSIOp::create(e.b, above, e.integer(e.i32, 0));
      Value bits =
          arith::ShLIOp::create(e.b, e.add(shift, 127), e.integer(e.i32, 23));
      e.store(arith::BitcastOp::create(e.b, e.f32Type, bits), scale,
              {head, row});
      Value shifts = e.splatValue(shift);
      e.forChunks(headSize, [&](Value offset, int64_t chunk) {
        auto [negative, magnitude] = split(load(offset, chunk));
        Value shifted = arith::ShRUIOp::create(e.b, magnitude, shifts);
        Value opposite = arith::SubIOp::create(e.b, zeros, shifted);
        Value code = arith::SelectOp::create(e.b, negative, opposite, shifted);
        e.storeChunk(arith::TruncIOp::create(e.b, e.vectorOf(e.i8), code), y,
                     {row, e.add(column, offset)}, chunk);
      });
    });
  });
  results.append({y, scale});
  return success();
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {

/// Emits the units and, row by row, the scores: `row` gets a function that
/// loads 16 scores of a padded row. `begin` and `end` stand around each head.
struct ScoreLoops {
  PredictOp op;
  Emitter &e;
  Value unit;

  LogicalResult emit(llvm::function_ref<void(Value head, Value row,
                                             llvm::function_ref<Real(Value)>)>
                         use) {
    FailureOr<int64_t> width = knownWidth(op, op.getQuery());
    if (failed(width))
      return failure();
    Value query = e.buffer(op.getQuery()),
          queryScale = e.buffer(op.getQueryScale());
    Value key = e.buffer(op.getKey()), keyScale = e.buffer(op.getKeyScale());
    Value rowScale = e.buffer(op.getScale());
    Value scaleQuery = e.buffer(op.getQueryWeightScale()),
          scaleKey = e.buffer(op.getKeyWeightScale());
    Value length = e.dim(query, 0), padded = e.roundUp(length, lanes),
          tiles = e.ceilDiv(length, lanes);
    int64_t heads = op.getHeads(), headSize = *width / heads,
            pairs = (headSize + 1) / 2;
    SmallVector<Value> open(
        cast<ShapedType>(op.getUnit().getType()).isDynamicDim(1), length);
    unit = e.allocResult(op.getUnit(), open);
    Value a = e.scratch(e.i16, e.index(panelRows * 2 * pairs + lanes));
    Value packed = e.scratch(e.i16, e.mul(padded, 2 * pairs));
    Value sums = e.scratch(e.i32, e.mul(padded, panelRows));
    Value columnScale = e.scratch(e.f32Type, padded);
    Real scale = e.f32(op.getAttentionScale().convertToFloat());
    e.fill(columnScale, padded, e.f32(0.0f));

    auto beginGroup = [&](Value group) {
      packTransposed(e, key, length, e.mul(group, headSize), headSize, packed);
      e.forRange(length, [&](Value row) {
        Real ofKey = e.loadScalar(keyScale, {group, row});
        if (rowScale) // 2^sk * 2^e, exact.
          ofKey = ofKey * e.loadScalar(rowScale, row);
        e.store(ofKey, columnScale, row);
      });
    };
    forEachGroup(e, heads, op.getGroups(), beginGroup, [&](Value head) {
      e.forRange(length, [&](Value row) {
        Real ofQuery = e.loadScalar(queryScale, {head, row});
        e.store(rowScale ? numerics::predictorUnit(
                               ofQuery, e.loadScalar(rowScale, row),
                               e.loadScalar(scaleQuery, {}),
                               e.loadScalar(scaleKey, {}), scale)
                         : numerics::queryFactor(ofQuery, scale),
                unit, {head, row});
      });
      e.forRange(e.index(0), length, panelRows, [&](Value panel) {
        Value m = e.min(e.sub(length, panel), e.index(panelRows));
        e.forRange(m, [&](Value i) {
          widenRow(e, query, e.add(panel, i), e.mul(head, headSize), headSize,
                   a, e.mul(i, 2 * pairs));
          if (headSize % 2)
            e.store(e.integer(e.i16, 0), a,
                    e.add(e.mul(i, 2 * pairs), headSize));
        });
        callGemm(e, a, packed, sums, m, e.index(pairs), tiles);
        e.forRange(m, [&](Value i) {
          Value base = e.mul(i, padded);
          use(head, e.add(panel, i), [&](Value offset) {
            Real acc =
                fromInteger(e.real, e.loadChunk(sums, e.add(base, offset)));
            return numerics::predictedScore(acc,
                                            e.loadReal(columnScale, offset));
          });
        });
      });
    });
    return success();
  }
};

} // namespace

LogicalResult loops::lower(PredictOp op, Emitter &e, Results &results) {
  Value length = e.dim(e.buffer(op.getQuery()), 0);
  auto type = cast<ShapedType>(op.getScores().getType());
  SmallVector<Value> open(
      llvm::count_if(type.getShape(), ShapedType::isDynamic), length);
  Value scores = e.allocResult(op.getScores(), open);
  ScoreLoops loops{op, e, {}};
  Value padded = e.roundUp(length, lanes),
        rowMemory = e.scratch(e.f32Type, padded);
  if (failed(loops.emit(
          [&](Value head, Value row, llvm::function_ref<Real(Value)> load) {
            e.forPadded(padded, [&](Value offset) {
              e.storeChunk(load(offset), rowMemory, offset);
            });
            e.forRange(length, [&](Value column) {
              e.store(e.load(rowMemory, column), scores, {head, row, column});
            });
          })))
    return failure();
  results.append({scores, loops.unit});
  return success();
}

SelectOp loops::fusedSelect(PredictOp op) {
  if (!op.getScores().hasOneUse())
    return {};
  auto select = dyn_cast<SelectOp>(*op.getScores().getUsers().begin());
  return select && select.getUnit() == op.getUnit() &&
                 select->getBlock() == op->getBlock()
             ? select
             : SelectOp();
}

LogicalResult loops::lowerFused(PredictOp predict, SelectOp select, Emitter &e,
                                Results &unit, Results &selected) {
  Value length = e.dim(e.buffer(predict.getQuery()), 0);
  ScoreLoops loops{predict, e, {}};
  SelectionLoops selection(select, e, length);
  if (failed(loops.emit(
          [&](Value head, Value row, llvm::function_ref<Real(Value)> load) {
            selection.row(head, row, e.load(loops.unit, {head, row}), load);
          })))
    return failure();
  selection.finish(selected);
  unit.push_back(loops.unit);
  return success();
}
