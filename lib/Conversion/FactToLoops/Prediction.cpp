//===- Prediction.cpp - Predicted scores of queries and keys --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes of predictors are integers like others to a multiplier: scores are made
// as those of attention are, a block of rows at a time.
//
//===----------------------------------------------------------------------===//

#include "KeyProduct.h"
#include "Lowerings.h"
#include "Selection.h"

#include "fact/Numerics/FloatRules.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

void loops::forEachMember(Emitter &e, Value group, int64_t members,
                          llvm::function_ref<void(Value)> body) {
  if (members == 1)
    return body(group);
  e.forRange(e.index(members),
             [&](Value member) { body(e.add(e.mul(group, members), member)); });
}

void loops::forEachHead(Emitter &e, int64_t heads, int64_t groups,
                        llvm::function_ref<void(Value, Value)> body) {
  e.forRange(e.index(groups), [&](Value group) {
    forEachMember(e, group, heads / groups,
                  [&](Value head) { body(head, group); });
  });
}

namespace {

/// Emits units and scores: `use` gets some rows of a head and a function that
/// loads a chunk of the scores of one of them; past the last key it may load
/// anything. `endBlock` comes after that.
class ScoreLoops {
public:
  ScoreLoops(PredictOp op, Emitter &e)
      : op(op), e(e), heads(op.getHeads()), groups(op.getGroups()),
        headSize(cast<ShapedType>(op.getQuery().getType()).getDimSize(1) /
                 heads),
        length(e.extent(op.getQuery(), 0)), keys(e, groups, headSize),
        query(e.flat(op.getQuery())), key(e.flat(op.getKey())),
        queryScale(e.buffer(op.getQueryScale())),
        keyScale(e.buffer(op.getKeyScale())), rowScale(e.buffer(op.getScale())),
        scaleQuery(e.buffer(op.getQueryWeightScale())),
        scaleKey(e.buffer(op.getKeyWeightScale())),
        unit(e.allocResult(op.getUnit(), length)) {}

  using Use = llvm::function_ref<void(Value head, Value first, Value count,
                                      SelectionLoops::Load load)>;
  void emit(llvm::function_ref<void(Value head)> beginHead, Use use,
            llvm::function_ref<void()> endBlock);

private:
  void units();
  void columnScales();
  void ofHead(Value head, Value group,
              llvm::function_ref<void(Value)> beginHead, Use use,
              llvm::function_ref<void()> endBlock);

  PredictOp op;
  Emitter &e;
  int64_t heads, groups, headSize;

public:
  Value length;

private:
  KeyProduct keys;
  Value query, key, queryScale, keyScale, rowScale, scaleQuery, scaleKey;

public:
  Value unit;

private:
  Value scales; ///< of columns, [groups][padded length]
};

void ScoreLoops::units() {
  Real scale = e.f32(op.getAttentionScale().convertToFloat());
  e.part("prediction_units", {}, [&] {
    e.forRange(e.index(heads), [&](Value head) {
      e.forRange(length, [&](Value row) {
        Real ofQuery = e.loadScalar(queryScale, {head, row});
        e.store(rowScale ? numerics::predictorUnit(
                               ofQuery, e.loadScalar(rowScale, row),
                               e.loadScalar(scaleQuery, {}),
                               e.loadScalar(scaleKey, {}), scale)
                         : numerics::queryFactor(ofQuery, scale),
                unit, {head, row});
      });
    });
  });
}

void ScoreLoops::columnScales() {
  Value padded = keys.paddedLength();
  scales = e.scratch(e.f32Type, e.mul(padded, groups));
  e.part("prediction_scales", {}, [&] {
    e.forRange(e.index(groups), [&](Value group) {
      Value first = e.mul(group, padded);
      e.forRange(length, [&](Value row) {
        Real ofKey = e.loadScalar(keyScale, {group, row});
        if (rowScale) // 2^sk * 2^e, exact.
          ofKey = ofKey * e.loadScalar(rowScale, row);
        e.store(ofKey, scales, e.add(first, row));
      });
      e.forRange(length, padded, 1, [&](Value row) {
        e.store(e.f32(0.0f), scales, e.add(first, row));
      });
    });
  });
}

void ScoreLoops::emit(llvm::function_ref<void(Value)> beginHead, Use use,
                      llvm::function_ref<void()> endBlock) {
  units();
  keys.pack(key, length);
  columnScales();
  e.parallelFor(
      "predict_head", op.getOperation(), e.index(heads), [&](Value head) {
        ofHead(head, e.div(head, heads / groups), beginHead, use, endBlock);
      });
}

void ScoreLoops::ofHead(Value head, Value group,
                        llvm::function_ref<void(Value)> beginHead, Use use,
                        llvm::function_ref<void()> endBlock) {
  keys.allocate([&](Type type, int64_t n) { return e.alloc(type, {n}); });
  Value padded = keys.paddedLength(),
        scores = e.scratch(e.f32Type, keys.blockSize(e));
  beginHead(head);
  e.forRange(e.index(0), length, keys.blockRows(), [&](Value first) {
    Value count = e.min(e.sub(length, first), e.index(keys.blockRows()));
    e.countWork([&] { return e.mul(e.mul(count, padded), headSize); },
                [&] { return e.mul(e.add(padded, count), headSize); });
    e.forRange(count, [&](Value i) {
      Value from = e.add(e.mul(e.add(first, i), heads * headSize),
                         e.mul(head, headSize));
      keys.loadQuery(query, from, i);
    });
    ColumnRange all{e.index(0), e.ceilDiv(length, keys.chunkKeys())};
    keys.multiply(
        group, all, count, [&](Value i, Value key, int64_t n, Value sums) {
          Real ofColumns = e.f32(
              e.loadLanes(scales, e.add(e.mul(group, padded), key), n, n));
          Value at = keys.keyAt(key, i);
          keys.prefetchAhead(scores, at, n, 1);
          e.storeChunk(
              numerics::predictedScore(fromInteger(e.real, sums), ofColumns),
              scores, at, n);
        });
    use(head, first, count, [&](Value i, Value chunk) {
      keys.prefetchAhead(scores, keys.at(chunk, i), keys.chunkKeys(), 2);
      return e.f32(e.loadLanes(scores, keys.at(chunk, i), keys.chunkKeys(),
                               keys.chunkKeys()));
    });
    endBlock();
  });
}

} // namespace

void loops::lower(PredictOp op, Emitter &e) {
  ScoreLoops loops(op, e);
  Value scores = e.allocResult(op.getScores(), loops.length);
  e.part("predict", op.getOperation(), [&] {
    int64_t wide = e.options.tier->floats;
    Value padded = e.roundUp(loops.length, wide), memory;
    loops.emit(
        [&](Value) { memory = e.scratch(e.f32Type, padded); },
        [&](Value head, Value first, Value count, SelectionLoops::Load load) {
          e.forRange(count, [&](Value i) {
            e.forRange(e.ceilDiv(loops.length, wide), [&](Value chunk) {
              e.storeChunk(load(i, chunk), memory, e.mul(chunk, wide), wide);
            });
            e.forRange(loops.length, [&](Value column) {
              e.store(e.load(memory, column), scores,
                      {head, e.add(first, i), column});
            });
          });
        },
        [] {});
  });
}

SelectOp loops::fusedSelect(PredictOp op) {
  if (!op.getScores().hasOneUse())
    return {};
  auto select = dyn_cast<SelectOp>(*op.getScores().getUsers().begin());
  return select && select.getUnit() == op.getUnit() &&
                 select->getBlock() == op->getBlock() &&
                 llvm::all_of(op.getUnit().getUsers(),
                              [&](Operation *user) { return user == select; })
             ? select
             : SelectOp();
}

void loops::lowerFused(PredictOp predict, SelectOp select, Emitter &e) {
  ScoreLoops loops(predict, e);
  SelectionLoops selection(select, e, loops.length);
  e.part("predict_and_select", {predict.getOperation(), select.getOperation()},
         [&] {
           selection.begin();
           loops.emit(
               [&](Value head) { selection.beginHead(head); },
               [&](Value head, Value first, Value count,
                   SelectionLoops::Load load) {
                 selection.rows(
                     head, first, count,
                     [&](Value row) { return e.load(loops.unit, {head, row}); },
                     load);
               },
               [&] { selection.endBlock(); });
           selection.finish();
         });
}
