//===- HeadLoop.cpp - One loop over the heads of a layer ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"

#include "Codes.h"

using namespace mlir;
using namespace mlir::factisa;

HeadLoop::HeadLoop(Lowering &lowering, const HeadNest &nest)
    : lowering(lowering), builder(lowering.builder), nest(nest) {
  fact::QuantizedAttentionOp op = this->nest.attention;
  groups = nest.getGroups();
  members = nest.getHeads() / groups;
  attended.resize(members);
  Value rowsOfHeads =
      op ? op.getQuery() : fact::PredictOp(nest.predict).getQuery();
  if (this->nest.speculation)
    speculated = lowering.speculationOf(this->nest.speculation->select);
  tiling = op && speculated && lowering.tiling.readers.rows > 0
               ? lowering.tiling.readers
               : lowering.tiling.heads;
  rows = std::min(tiling.rows, lowering.paddedRows);
  features = cast<ShapedType>(rowsOfHeads.getType()).getDimSize(1);
  n = features / nest.getHeads();
  padded = lowering.paddedRows;
  if (nest.select) {
    fact::PredictOp predict = nest.predict;
    queryBytes = lowering.codes.bytesOf(predict.getQuery(), n);
    keyBytes = lowering.codes.bytesOf(predict.getKey(), n);
  }
  key.tail = nest.tailKey;
  key.tailRow = &tailKeyRow;
  key.tailScale = &tailKeyScaleRow;
  value.tail = nest.tailValue;
  value.tailRow = &tailValueRow;
  value.tailScale = &tailValueScaleRow;
  if (op) {
    window = WindowFields(op.getWindowAttr());
    hasMask = bool(op.getMask());
    hasDominated = bool(op.getDominated());
    hasTail = bool(op.getTailKey());
  }
  int64_t part = 0;
  if (nest.queryCode.matmul)
    projecting = part++;
  if (nest.select)
    predicting = part++;
  if (!op) {
    if (speculated) {
      // Some products are left for the last head's selection.
      speculating = 0;
      speculatingQuery = predicting;
    }
    last = predicting + 1;
    return;
  }
  if (nest.isDifferential) {
    last = querying = generating = attending = predicting;
    return;
  }
  generating = part++;
  last = attending = part;
  querying = nest.select ? predicting : generating;
}

//===----------------------------------------------------------------------===//
// Before the loop
//===----------------------------------------------------------------------===//

LogicalResult HeadLoop::prepare() {
  zero = lowering.index(0);
  low = exact = none = lowering.null();
  // Weights come first: they need not wait for what the loop before stores.
  return failure(
      failed(prepareSide(keyCode, nest.keyCode, "key_code_weight")) ||
      failed(prepareSide(queryCode, nest.queryCode, "query_code_weight")) ||
      (speculating >= 0 && failed(prepareSpeculation())) ||
      failed(prepareTokens()) || failed(prepareSelection()) ||
      (nest.attention && failed(prepareAttention())));
}

LogicalResult HeadLoop::stored(Value value, bool headMajor, Storage &result) {
  FailureOr<Storage> found =
      headMajor ? lowering.headsOf(value) : lowering.storageOf(value);
  if (succeeded(found))
    result = *found;
  return found;
}

LogicalResult HeadLoop::prepareTokens() {
  if (Value rows = nest.getTokens())
    if (failed(stored(rows, /*headMajor=*/false, tokens)))
      return failure();
  FailureOr<Value> scale =
      lowering.loadVector(nest.getTokenScale(), "row_scales");
  if (failed(scale))
    return failure();
  tokenScale = *scale;
  if (nest.isDifferential) {
    allTokens = lowering.sram(Memory::Token, padded * tokens.layout.rowBytes,
                              "all_rows");
    lowering.loadRows(allTokens, tokens, zero, zero, padded);
  }
  if (!nest.attention)
    return success();
  if (Value flags = nest.query.linear.getLow()) {
    FailureOr<Value> vector = lowering.loadVector(flags, "low");
    if (failed(vector))
      return failure();
    low = *vector;
    exact = lowering.sram(Memory::Index, 4, "exact");
    SelCountOp::create(builder, lowering.loc, exact, low, zero, padded,
                       /*invert=*/true);
    if (speculated) {
      exactLists =
          lowering.sram(Memory::Index, padded * listBytes, "exact_rows");
      lowering.loop(Over::Rows, lowering.bound, rows, [&](Value row0) {
        SelListOp::create(builder, lowering.loc,
                          lowering.view(exactLists, 0, {{row0, listBytes}}),
                          lowering.view(low, 0, {{row0, 1}}), none, row0, rows,
                          /*invert=*/true);
      });
    }
  }
  return success();
}

LogicalResult HeadLoop::prepareSelection() {
  if (!nest.select)
    return success();
  kFlags = makeRows(padded, 1, 2, Memory::Index, "k_rows");
  vFlags = makeRows(padded, 1, 2, Memory::Index, "v_rows");
  if (nest.attention) {
    dominatedRows = makeRows(padded, 1, 3, Memory::Index, "dominated",
                             /*isOfQueries=*/true);
    argmaxRows = makeRows(padded, 4, 3, Memory::Index, "argmax",
                          /*isOfQueries=*/true);
  }
  FailureOr<Value> scales = lowering.loadWeightScales(nest.predict);
  FailureOr<Value> numbers = lowering.loadPolicy(nest.select);
  if (failed(scales) || failed(numbers) ||
      failed(stored(nest.select.getMask(), false, mask)))
    return failure();
  predictorScales = *scales;
  policy = *numbers;
  counts = lowering.clearedCounts();
  if (!nest.queryCode.matmul) {
    if (failed(stored(nest.predict.getQuery(), false, queryCodes)) ||
        failed(stored(nest.predict.getKey(), false, keyCodes)) ||
        failed(stored(nest.predict.getQueryScale(), true, queryScales)) ||
        failed(stored(nest.predict.getKeyScale(), true, keyScales)))
      return failure();
    keyCodeRows = makeRows(padded, keyBytes, 2, Memory::Temp, "key_codes");
    keyScaleRows = makeRows(padded, 4, 2, Memory::Index, "key_code_scales");
  }
  if (nest.attention)
    return success();
  // Other loops read what it selects.
  if (failed(stored(nest.select.getDominated(), false, dominated)) ||
      failed(stored(nest.select.getArgmax(), true, argmax)))
    return failure();
  return lowering.allocateFlags(nest.select, groups, kStorage, vStorage);
}

LogicalResult HeadLoop::prepareSide(Side &side, const HeadPrediction &of,
                                    StringRef label) {
  side.op = of;
  if (!of.matmul)
    return success();
  bool isKey = &side == &keyCode;
  fact::LogMatmulOp matmul = side.op.matmul;
  FailureOr<Weights> weights = makeWeights(matmul.getWeight(), label, !isKey);
  if (failed(weights))
    return failure();
  side.weights = *weights;
  loadFirstWeights(side.weights, projecting, none);
  fact::RescaleOp rescale = side.op.rescale;
  if (Value ofOp = rescale ? rescale.getBias() : matmul.getBias()) {
    FailureOr<Value> bias =
        lowering.loadConstant(ofOp, Memory::Weight, "predictor_bias");
    if (failed(bias))
      return failure();
    side.bias = *bias;
  }
  if (rescale) {
    FailureOr<Value> scale = lowering.loadRepeated(
        rescale.getWeightScale(), n, Memory::Weight, "predictor_scale");
    if (failed(scale) || failed(prepareDressing(side.op.dressing)))
      return failure();
    side.weightScale = *scale;
  }
  side.codes = isKey ? makeKeys(keyBytes, 2, "key_codes")
                     : makeBlocks(queryBytes, 1, "query_codes");
  side.scales = makeRows(padded, 4, 2, Memory::Index, "code_scales", !isKey);
  return success();
}

LogicalResult HeadLoop::prepareDressing(const Dressing &dressing) {
  for (Operation *op : dressing) {
    if (auto rotate = dyn_cast<fact::RotateOp>(op)) {
      if (failed(prepareTable(rotate.getCos())) ||
          failed(prepareTable(rotate.getSin())))
        return failure();
      continue;
    }
    auto norm = cast<fact::NormOp>(op);
    for (Value vector : {norm.getGamma(), norm.getBeta()}) {
      if (!vector || vectors.contains(Lowering::root(vector)))
        continue;
      FailureOr<Value> loaded =
          lowering.loadConstant(vector, Memory::Weight, "head_norm");
      if (failed(loaded))
        return failure();
      vectors[Lowering::root(vector)] = *loaded;
    }
  }
  return success();
}

/// Tables are there as a whole where all rows of a head are; else blocks of
/// their rows come with those of the rows that they rotate.
LogicalResult HeadLoop::prepareTable(Value table) {
  table = Lowering::root(table);
  if (storedTables.contains(table))
    return success();
  FailureOr<Storage> from = lowering.tableOf(table);
  if (failed(from))
    return failure();
  storedTables[table] = *from;
  if (tiling.stored > 0 && !nest.isDifferential)
    return success();
  int64_t bytes = from->layout.rowBytes;
  Value all = lowering.sram(Memory::Token, padded * bytes, "rotary_table");
  lowering.loadRows(all, *from, zero, zero, padded);
  tables[table] = all;
  return success();
}

LogicalResult HeadLoop::prepareAttention() {
  fact::QuantizedAttentionOp op = nest.attention;
  if (failed(stored(op.getResult(), false, context)) ||
      (hasMask && failed(stored(op.getMask(), false, mask))) ||
      (hasDominated && (failed(stored(op.getDominated(), false, dominated)) ||
                        failed(stored(op.getArgmax(), true, argmax)))) ||
      (hasTail && failed(prepareTail())))
    return failure();
  return failure(
      failed(prepareGenerated(key, generating, nest.key, "keys")) ||
      failed(prepareGenerated(value, generating, nest.value, "values")) ||
      failed(prepareGenerated(query, querying, nest.query, "queries")));
}

LogicalResult HeadLoop::prepareTail() {
  tailKeyRow = makeRows(1, n, 2, Memory::Temp, "mean_key");
  tailKeyScaleRow = makeRows(1, 4, 2, Memory::Index, "mean_key_scale");
  tailValueRow = makeRows(1, n, 2, Memory::Temp, "mean_value");
  tailValueScaleRow = makeRows(1, 4, 2, Memory::Index, "mean_value_scale");
  fact::QuantizedLinearOp linear = nest.tailKey.linear;
  if (linear && failed(prepareMadeTail()))
    return failure();
  if (linear && nest.attention)
    return success();
  // One loop makes them, and another one reads them.
  fact::QuantizedAttentionOp op = nest.attention;
  fact::QuantizeHeadsOp keys = nest.tailKey.quantize,
                        values = nest.tailValue.quantize;
  return failure(failed(stored(op ? op.getTailKey() : keys.getQuantized(),
                               false, tailKey)) ||
                 failed(stored(op ? op.getTailKeyScale() : keys.getScale(),
                               true, tailKeyScale)) ||
                 failed(stored(op ? op.getTailValue() : values.getQuantized(),
                               false, tailValue)) ||
                 failed(stored(op ? op.getTailValueScale() : values.getScale(),
                               true, tailValueScale)));
}

LogicalResult HeadLoop::prepareMadeTail() {
  fact::QuantizedLinearOp tail = nest.tailKey.linear;
  FailureOr<Storage> row = lowering.storageOf(tail.getInput()),
                     scale = lowering.storageOf(tail.getScale());
  if (failed(row) || failed(scale))
    return failure();
  meanRow = lowering.sram(Memory::Token, row->layout.rowBytes, "mean_row");
  meanScale = lowering.sram(Memory::Index, 4, "mean_row_scale");
  lowering.loadRows(meanRow, *row, zero, zero, 1);
  lowering.loadRows(meanScale, *scale, zero, zero, 1);
  return success();
}

LogicalResult HeadLoop::prepareGenerated(Generated &each, int64_t part,
                                         const HeadProjection &of,
                                         StringRef label) {
  each.op = of;
  fact::QuantizedLinearOp linear = each.op.linear;
  bool isQuery = &each == &query;
  FailureOr<Weights> weights = makeWeights(linear.getWeight(), label, isQuery);
  FailureOr<Value> scale = lowering.loadConstant(
      linear.getWeightScale(), Memory::Weight, "weight_scale");
  if (failed(weights) || failed(scale) ||
      failed(prepareDressing(each.op.dressing)))
    return failure();
  each.weights = *weights;
  loadFirstWeights(each.weights, part, exactFor(each));
  each.weightScale = *scale;
  each.bias = none;
  if (linear.getBias()) {
    FailureOr<Value> bias =
        lowering.loadConstant(linear.getBias(), Memory::Weight, "bias");
    if (failed(bias))
      return failure();
    each.bias = *bias;
  }
  if (speculated) {
    auto [made, scales] =
        isQuery ? std::pair(&speculated->query, &speculated->queryScale)
        : &each == &key
            ? std::pair(&speculated->key, &speculated->keyScale)
            : std::pair(&speculated->value, &speculated->valueScale);
    each.low = made;
    each.lowScale = scales;
  }
  if (speculating >= 0)
    return success();
  int64_t slots = attending - part + 1;
  if (nest.isDifferential) // What is made is read at once.
    each.rows = makeRows(padded, n, slots, Memory::Temp, label, isQuery);
  else
    each.rows = isQuery ? makeBlocks(n, slots - tiling.hasQueriesInPlace, label)
                        : makeKeys(n, slots, label);
  each.scales = makeRows(padded, 4, slots, Memory::Index, label, isQuery);
  Value flags = linear.getRows();
  if (!flags)
    return success();
  Lowering::NamedRows named = lowering.namedRows(flags);
  each.inverted = named.inverted;
  if (nest.isDifferential && !isQuery)
    each.named = lowering.sram(Memory::Index, padded, "named_rows");
  if (nest.select) {
    each.hasFlags = true;
    each.flags = isQuery ? &dominatedRows : &each == &key ? &kFlags : &vFlags;
    return success();
  }
  if (!named.flags)
    return success();
  each.hasFlags = true;
  return stored(named.flags, /*headMajor=*/true, each.storedFlags);
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// INT8 rows of the block, for stage 1 and generation.
void HeadLoop::loadTokens() {
  int64_t firstPart = last, lastPart = -1;
  for (int64_t part : {projecting, querying, generating})
    if (part >= 0) {
      firstPart = std::min(firstPart, part);
      lastPart = std::max(lastPart, part);
    }
  if (speculating >= 0) {
    lowTokenRows = lowering.sram(
        Memory::Token, rows * speculated->tokens.layout.rowBytes, "low_rows");
    lowering.loadRows(lowTokenRows, speculated->tokens, zero, block, rows,
                      anyRow(speculating, speculatingQuery));
  }
  if (lastPart < 0)
    return;
  int64_t bytes = tokens.layout.rowBytes;
  if (nest.isDifferential) {
    tokenRows = lowering.view(allTokens, 0, {{block, bytes}});
    return;
  }
  Value some = anyRow(firstPart, lastPart);
  tokenRows = lowering.sram(Memory::Token, rows * bytes, "rows");
  if (exactLists) {
    LoadListedOp::create(builder, lowering.loc, tokenRows,
                         lowering.view(tokens.base, 0, {{block, bytes}}),
                         lowering.view(exactLists, 0, {{block, listBytes}}),
                         some, rows, bytes, bytes, bytes);
    return;
  }
  lowering.loadRows(tokenRows, tokens, zero, block, rows, some);
}

/// Whether a weight is for rows alone that were speculated on and are not at
/// low precision.
bool HeadLoop::comesOnlyForExact(int64_t part) const {
  return part == generating && speculated != nullptr;
}

/// A head's columns of a weight: they come while the head before is worked on,
/// if there is room for both, one weight in each of a few iterations, so that
/// rows come in between.
void HeadLoop::loadWeights(const Weights &weights, int64_t part, Value needed) {
  bool isAhead = weights.tile.slots > 1;
  int64_t at = isAhead ? part - 1 : part,
          iteration = isAhead ? weightLoads++ % weightIterations : 0;
  lowering.loadWeight(allOf(weights.tile, at), weights.of, 0, weights.k, 0,
                      headOf(weights.tile, at), n, weights.tile.rowBytes,
                      first(at, iteration), needed, comesOnlyForExact(part));
}

/// Those of the first head, before the loop, where the first part needs them.
void HeadLoop::loadFirstWeights(const Weights &weights, int64_t part,
                                Value needed) {
  if (part != 0 || weights.tile.slots == 1)
    return;
  int64_t heads = weights.tile.isOfQueries ? members : 1;
  for (int64_t head = 0; head < heads; ++head)
    lowering.loadWeight(
        lowering.view(weights.tile.buffer, head * weights.tile.memberBytes),
        weights.of, 0, weights.k, 0, lowering.index(head), n,
        weights.tile.rowBytes, zero, needed, comesOnlyForExact(part));
}

/// Who multiplies the high plane alone at low precision, and has no row of the
/// mean token, which never is.
Value HeadLoop::exactFor(const Generated &each) {
  return lowPrecisionOf(each.op.linear) == Precision::A4W4 && !each.tail.linear
             ? exact
             : none;
}

LogicalResult HeadLoop::finish() {
  if (!nest.select)
    return success();
  FailureOr<Storage> count = lowering.storageOf(nest.select.getCount());
  if (failed(count))
    return failure();
  lowering.storeRows(*count, counts, zero, zero, padded);
  return success();
}

LogicalResult HeadLoop::lower() {
  lowering.loc = nest.ops().back()->getLoc();
  if (failed(prepare()))
    return failure();
  int64_t turns = std::exchange(lowering.loopTurns, tiling.turns);
  lowering.loop(Over::Parts, groups + last, 1, [&](Value iteration) {
    counter = iteration;
    scf::ForOp loop =
        lowering.loop(Over::Rows, lowering.bound, rows, [&](Value first) {
          block = first;
          lowerBlock();
        });
    // A sequence of one block has these iterations, too.
    if (int64_t used = std::min(weightLoads, weightIterations);
        loop && used > 1)
      loop->setAttr(kExtraAttrName, builder.getI64IntegerAttr(used - 1));
  });
  lowering.loopTurns = turns;
  return finish();
}

void HeadLoop::lowerBlock() {
  weightLoads = 0;
  queryHeads.clear();
  tableBlocks.clear();
  loadTokens();
  if (nest.isDifferential) {
    predict();
    generateNew(key);
    generateNew(value);
    forEachMember([&] { generate(query, querying); });
    attendScores();
    attendValues();
  } else {
    lowerParts();
  }
  if (projecting >= 0) {
    project(keyCode);
    forEachMember([&] { project(queryCode); });
  }
}

/// Parts of several heads, in the order in which the multiplier array works: a
/// softmax has the time of a generation.
void HeadLoop::lowerParts() {
  if (nest.attention) {
    attendScores();
    generate(key, generating);
    generate(value, generating);
  }
  if (nest.select)
    predict();
  if (speculating >= 0) {
    speculate(key, speculating);
    speculate(value, speculating);
    forEachMember([&] { speculate(query, speculatingQuery); });
  }
  if (nest.attention) {
    forEachMember([&] { generate(query, querying); });
    attendValues();
  }
}
