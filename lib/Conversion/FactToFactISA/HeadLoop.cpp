//===- HeadLoop.cpp - One loop over the heads of a layer ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"

#include "Codes.h"

#include "fact/Numerics/Prediction.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::factisa;

HeadLoop::HeadLoop(Lowering &lowering, const HeadNest &nest)
    : lowering(lowering), builder(lowering.builder), nest(nest) {
  fact::QuantizedAttentionOp op = this->nest.attention;
  heads = nest.getHeads();
  Value rowsOfHeads =
      op ? op.getQuery() : fact::PredictOp(nest.predict).getQuery();
  if (this->nest.speculation)
    speculated = lowering.speculationOf(this->nest.speculation->select);
  tiling = op && speculated && lowering.tiling.readers.rows > 0
               ? lowering.tiling.readers
               : lowering.tiling.heads;
  rows = std::min(tiling.rows, lowering.paddedRows);
  features = cast<ShapedType>(rowsOfHeads.getType()).getDimSize(1);
  n = features / heads;
  padded = lowering.paddedRows;
  key.tail = nest.tailKey;
  key.tailRow = &tailKeyRow;
  key.tailScale = &tailKeyScaleRow;
  value.tail = nest.tailValue;
  value.tailRow = &tailValueRow;
  value.tailScale = &tailValueScaleRow;
  if (op) {
    causal = op.getCausal();
    hasMask = bool(op.getMask());
    hasDominated = bool(op.getDominated());
    hasTail = bool(op.getTailKey());
  }
  int64_t part = 0;
  if (nest.queryCode.normalize)
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
// Places
//===----------------------------------------------------------------------===//

HeadRows HeadLoop::makeRows(int64_t count, int64_t rowBytes, int64_t slots,
                            Memory memory, StringRef label) {
  HeadRows result;
  result.rowBytes = rowBytes;
  result.slotBytes = llvm::alignTo(count * rowBytes, 64);
  result.slots = slots;
  result.buffer = lowering.sram(memory, result.slotBytes * slots, label);
  return result;
}

HeadRows HeadLoop::makeStored(int64_t rowBytes, StringRef label) {
  HeadRows result;
  result.rowBytes = rowBytes;
  result.isStored = true;
  result.storage = lowering.allocateStorage(
      Layout{heads, rowBytes, /*single=*/false}, label);
  return result;
}

HeadRows HeadLoop::makeBlocks(int64_t rowBytes, int64_t slots,
                              StringRef label) {
  if (tiling.stored == 0)
    return makeRows(padded, rowBytes, slots, Memory::Temp, label);
  return makeStored(rowBytes, label);
}

HeadRows HeadLoop::makeKeys(int64_t rowBytes, int64_t slots, StringRef label) {
  if (tiling.stored < 2)
    return makeRows(padded, rowBytes, slots, Memory::Temp, label);
  HeadRows result = makeStored(rowBytes, label);
  result.buffer =
      makeRows(padded, rowBytes, /*slots=*/1, Memory::Temp, label).buffer;
  return result;
}

FailureOr<HeadLoop::Weights> HeadLoop::makeWeights(Value weight,
                                                   StringRef label) {
  Weights result;
  FailureOr<Weight> found = lowering.weightOf(weight);
  if (failed(found))
    return failure();
  result.of = *found;
  result.k = found->k;
  result.tile = makeRows(result.k, n, /*slots=*/2, Memory::Weight, label);
  return result;
}

Value HeadLoop::sum(Value a, Value b) {
  if (matchPattern(a, m_Zero()))
    return b;
  if (matchPattern(b, m_Zero()))
    return a;
  return arith::AddIOp::create(builder, lowering.loc, a, b);
}

Value HeadLoop::head(int64_t part) {
  return part == 0 ? counter : sum(counter, lowering.index(-part));
}

Value HeadLoop::inHeads(int64_t part) {
  return InRangeOp::create(builder, lowering.loc, head(part),
                           static_cast<uint64_t>(heads));
}

Value HeadLoop::anyRow(int64_t firstPart, int64_t lastPart) {
  Value exists =
      InRangeOp::create(builder, lowering.loc, head(firstPart),
                        static_cast<uint64_t>(heads + lastPart - firstPart));
  return sum(block, exists);
}

Value HeadLoop::first(int64_t part, int64_t iteration) {
  if (matchPattern(block, m_Zero()))
    return inHeads(part);
  return sum(inHeads(part),
             InRangeOp::create(builder, lowering.loc,
                               sum(block, lowering.index(-iteration * rows)),
                               1));
}

Value HeadLoop::allOf(const HeadRows &rows, int64_t part) {
  if (rows.slots == 1)
    return rows.buffer;
  // The slot of a head to come is that of one so many before it.
  int64_t delay = part < 0 ? part + rows.slots : part;
  Value phase = PhaseOp::create(builder, lowering.loc, counter, delay,
                                static_cast<uint64_t>(rows.slots));
  return lowering.view(rows.buffer, 0, {{phase, rows.slotBytes}});
}

Value HeadLoop::blockOf(const HeadRows &rows, int64_t part) {
  return lowering.view(allOf(rows, part), 0, {{block, rows.rowBytes}});
}

Value HeadLoop::making(const HeadRows &rows, int64_t part) {
  if (!rows.isStored)
    return blockOf(rows, part);
  return lowering.sram(Memory::Temp, this->rows * rows.rowBytes, "made");
}

void HeadLoop::done(const HeadRows &rows, Value made, int64_t part) {
  if (rows.isStored)
    storeBlock(rows.storage, made, part, row(part));
}

Value HeadLoop::readBlock(const HeadRows &rows, int64_t part) {
  if (!rows.isStored)
    return blockOf(rows, part);
  return loadBlock(rows.storage, part, row(part), Memory::Temp, "read");
}

Value HeadLoop::readAll(const HeadRows &rows, int64_t part) {
  if (rows.isStored)
    lowering.loadRows(rows.buffer, rows.storage, head(part), zero, padded,
                      first(part));
  return allOf(rows, part);
}

Value HeadLoop::loadBlock(const Storage &from, int64_t part, Value at,
                          Memory memory, StringRef label) {
  Value buffer = lowering.sram(memory, rows * from.layout.rowBytes, label);
  lowering.loadRows(buffer, from, head(part), block, rows, at);
  return buffer;
}

void HeadLoop::storeBlock(const Storage &to, Value made, int64_t part,
                          Value at) {
  lowering.storeRows(to, made, head(part), block, rows, at);
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
    dominatedRows = makeRows(padded, 1, 3, Memory::Index, "dominated");
    argmaxRows = makeRows(padded, 4, 3, Memory::Index, "argmax");
  }
  FailureOr<Value> scales = lowering.loadWeightScales(nest.predict);
  if (failed(scales) || failed(stored(nest.select.getMask(), false, mask)))
    return failure();
  predictorScales = *scales;
  counts = lowering.clearedCounts();
  if (!nest.queryCode.normalize) {
    if (failed(stored(nest.predict.getQuery(), false, queryCodes)) ||
        failed(stored(nest.predict.getKey(), false, keyCodes)) ||
        failed(stored(nest.predict.getQueryScale(), true, queryScales)) ||
        failed(stored(nest.predict.getKeyScale(), true, keyScales)))
      return failure();
    keyCodeRows = makeRows(padded, n, 2, Memory::Temp, "key_codes");
    keyScaleRows = makeRows(padded, 4, 2, Memory::Index, "key_code_scales");
  }
  if (nest.attention)
    return success();
  // Other loops read what it selects.
  if (failed(stored(nest.select.getDominated(), false, dominated)) ||
      failed(stored(nest.select.getArgmax(), true, argmax)))
    return failure();
  lowering.allocateFlags(nest.select, heads, kStorage, vStorage);
  return success();
}

LogicalResult HeadLoop::prepareSide(Side &side, const HeadPrediction &of,
                                    StringRef label) {
  side.op = of;
  if (!of.normalize)
    return success();
  fact::LogMatmulOp matmul = side.op.matmul;
  FailureOr<Weights> weights = makeWeights(matmul.getWeight(), label);
  if (failed(weights))
    return failure();
  side.weights = *weights;
  loadFirstWeights(side.weights, projecting, none);
  if (matmul.getBias()) {
    FailureOr<Value> bias = lowering.loadConstant(
        matmul.getBias(), Memory::Weight, "predictor_bias");
    if (failed(bias))
      return failure();
    side.bias = *bias;
  }
  side.codes = &side == &keyCode ? makeKeys(n, 2, "key_codes")
                                 : makeBlocks(n, 1, "query_codes");
  side.scales = makeRows(padded, 4, 2, Memory::Index, "code_scales");
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
  if (nest.tailKey.linear)
    return prepareMadeTail();
  fact::QuantizedAttentionOp op = nest.attention;
  return failure(failed(stored(op.getTailKey(), false, tailKey)) ||
                 failed(stored(op.getTailKeyScale(), true, tailKeyScale)) ||
                 failed(stored(op.getTailValue(), false, tailValue)) ||
                 failed(stored(op.getTailValueScale(), true, tailValueScale)));
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
  FailureOr<Weights> weights = makeWeights(linear.getWeight(), label);
  FailureOr<Value> scale = lowering.loadConstant(
      linear.getWeightScale(), Memory::Weight, "weight_scale");
  if (failed(weights) || failed(scale))
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
        &each == &query ? std::pair(&speculated->query, &speculated->queryScale)
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
    each.rows = makeRows(padded, n, slots, Memory::Temp, label);
  else
    each.rows = &each == &query
                    ? makeBlocks(n, slots - tiling.hasQueriesInPlace, label)
                    : makeKeys(n, slots, label);
  each.scales = makeRows(padded, 4, slots, Memory::Index, label);
  Value flags = linear.getRows();
  if (!flags)
    return success();
  Lowering::NamedRows named = lowering.namedRows(flags);
  each.inverted = named.inverted;
  if (nest.isDifferential && &each != &query)
    each.named = lowering.sram(Memory::Index, padded, "named_rows");
  if (nest.select) {
    each.hasFlags = true;
    each.flags = &each == &query ? &dominatedRows
                 : &each == &key ? &kFlags
                                 : &vFlags;
    return success();
  }
  if (!named.flags)
    return success();
  each.hasFlags = true;
  return stored(named.flags, /*headMajor=*/true, each.storedFlags);
}

//===----------------------------------------------------------------------===//
// The parts
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

/// The next head's columns of a weight: they come while this head is worked on,
/// one weight in each of a few iterations, so that rows come in between.
void HeadLoop::loadWeights(const Weights &weights, int64_t part, Value needed) {
  lowering.loadWeight(allOf(weights.tile, part - 1), weights.of, 0, weights.k,
                      0, head(part - 1), n, n,
                      first(part - 1, weightLoads++ % weightIterations), needed,
                      /*onlyExact=*/part == generating && speculated);
}

/// Those of the first head, before the loop, where the first part needs them.
void HeadLoop::loadFirstWeights(const Weights &weights, int64_t part,
                                Value needed) {
  if (part == 0)
    lowering.loadWeight(weights.tile.buffer, weights.of, 0, weights.k, 0, zero,
                        n, n, zero, needed,
                        /*onlyExact=*/part == generating && speculated);
}

/// Who multiplies the high plane alone at low precision, and has no row of the
/// mean token, which never is.
Value HeadLoop::exactFor(const Generated &each) {
  return lowPrecisionOf(each.op.linear) == Precision::A4W4 && !each.tail.linear
             ? exact
             : none;
}

void HeadLoop::project(Side &side) {
  lowering.loc = side.op.matmul->getLoc();
  loadWeights(side.weights, projecting, none);
  Value acc = lowering.sram(Memory::Temp, rows * n * 4, "code_accumulators");
  Value at = row(projecting);
  EpProjectOp::create(builder, lowering.loc, acc, tokenRows,
                      allOf(side.weights.tile, projecting), at, rows,
                      side.weights.k, n, n * 4, tokens.layout.rowBytes, n,
                      projectionOf(side.op.matmul).second,
                      /*accumulate=*/false);
  if (side.bias)
    EpBiasOp::create(builder, lowering.loc, acc,
                     lowering.view(side.bias, 0, {{head(projecting), n * 4}}),
                     lowering.view(tokenScale, 0, {{block, 4}}), at, rows, n,
                     n * 4);
  auto [predictor, operand] = normalizationFor(side.op.encode);
  Value codes = making(side.codes, projecting);
  EpNormalizeOp::create(builder, side.op.normalize->getLoc(), codes,
                        blockOf(side.scales, projecting), acc, at, rows, n, n,
                        n * 4, predictor, operand);
  done(side.codes, codes, projecting);
}

void HeadLoop::predict() {
  fact::SelectOp select = nest.select;
  fact::PredictOp predict = nest.predict;
  lowering.loc = select.getLoc();
  Value at = row(predicting), once = first(predicting);
  for (const HeadRows *flags : {&kFlags, &vFlags})
    SelFillOp::create(builder, lowering.loc, allOf(*flags, predicting), once,
                      padded, 1, 0);
  Value queries, queryScale, keys, keyScale;
  if (projecting >= 0) {
    queries = readBlock(queryCode.codes, predicting);
    queryScale = blockOf(queryCode.scales, predicting);
    keys = readAll(keyCode.codes, predicting);
    keyScale = allOf(keyCode.scales, predicting);
  } else {
    queries = lowering.sram(Memory::Token, rows * n, "query_codes");
    lowering.loadHead(queries, queryCodes, head(predicting), n, block, rows,
                      at);
    queryScale =
        loadBlock(queryScales, predicting, at, Memory::Index, "query_scales");
    keys = allOf(keyCodeRows, predicting);
    keyScale = allOf(keyScaleRows, predicting);
    lowering.loadHead(keys, keyCodes, head(predicting), n, zero, padded, once);
    lowering.loadRows(keyScale, keyScales, head(predicting), zero, padded,
                      once);
  }
  Value masks =
      lowering.sram(Memory::Index, rows * lowering.maskStride(), "masks");
  auto made = [&](const HeadRows &ofHead, int64_t rowBytes, StringRef label) {
    return nest.attention
               ? blockOf(ofHead, predicting)
               : lowering.sram(Memory::Index, rows * rowBytes, label);
  };
  Value flags = made(dominatedRows, 1, "dominated"),
        largest = made(argmaxRows, 4, "argmax");
  // Scores that do not take turns have one buffer: in halves, the one is
  // selected from while the other one is predicted.
  int64_t count =
      rows * padded * 4 >= factisa::kMostBytesInTurns && rows % 2 == 0
          ? rows / 2
          : rows;
  for (int64_t from = 0; from < rows; from += count) {
    auto piece = [&](Value block, int64_t rowBytes) {
      return lowering.view(block, from * rowBytes);
    };
    Value begin = sum(at, lowering.index(from)),
          predicted =
              lowering.sram(Memory::Temp, count * padded * 4, "predicted");
    EpScoreOp::create(builder, predict.getLoc(), predicted, piece(queries, n),
                      keys, keyScale, tokenScale, begin, count, zero, padded, n,
                      padded * 4, n, n, scorePredictorOf(predict));
    SelTopKOp::create(
        builder, lowering.loc, piece(masks, lowering.maskStride()),
        piece(flags, 1), piece(largest, 4), allOf(kFlags, predicting),
        allOf(vFlags, predicting), counts, predicted, piece(queryScale, 4),
        lowering.view(tokenScale, from * 4, {{block, 4}}), predictorScales,
        begin, count, lowering.maskStride(), padded * 4, select.getKeep(),
        select.getDominance(), predict.getAttentionScale(),
        ::fact::numerics::asPredictor<Predictor>(select.getPredictor()),
        select.getCausal(), lowering.layerOf(select), head(predicting));
  }
  selectedMask = masks;
  storeBlock(mask, masks, predicting, at);
  if (!nest.attention)
    storeSelection(flags, largest);
}

/// What loops that follow read, beside the mask: rows of the block, and which
/// rows of K and V are read, when all of the head's blocks have said so.
void HeadLoop::storeSelection(Value flags, Value largest) {
  storeBlock(dominated, flags, predicting, row(predicting));
  storeBlock(argmax, largest, predicting, row(predicting));
  int64_t after = predicting + 1;
  for (auto [to, from] :
       {std::pair(&kStorage, &kFlags), std::pair(&vStorage, &vFlags)})
    lowering.storeRows(*to, allOf(*from, after), head(after), zero, padded,
                       first(after));
}

void HeadLoop::generate(Generated &each, int64_t part) {
  fact::QuantizedLinearOp linear = each.op.linear;
  lowering.loc = linear.getLoc();
  loadWeights(each.weights, part, exactFor(each));
  Value at = row(part);
  Value list = none, lowFlags = low;
  if (nest.query.linear.getLow())
    lowFlags = lowering.view(low, 0, {{block, 1}});
  // Rows at low precision that are there already are made no second time.
  Value there = speculated ? std::exchange(lowFlags, none) : none;
  if (each.hasFlags || speculated) {
    Value flags = !each.hasFlags ? there
                  : each.flags   ? blockOf(*each.flags, part)
                                 : loadBlock(each.storedFlags, part, at,
                                             Memory::Index, "rows_wanted");
    list = lowering.sram(Memory::Index, 4 + 4 * rows, "list");
    SelListOp::create(builder, lowering.loc, list, flags,
                      each.hasFlags ? there : none, at, rows,
                      each.hasFlags ? each.inverted : true);
  }
  Value made = making(each.rows, part);
  if (speculated) {
    lowering.loadRows(made, *each.low, head(part), block, rows, at);
    lowering.loadRows(blockOf(each.scales, part), *each.lowScale, head(part),
                      block, rows, at);
  }
  generateRows(each, each.op,
               {tokenRows, lowering.view(tokenScale, 0, {{block, 4}}), at, list,
                lowFlags, rows},
               part, made, blockOf(each.scales, part));
  done(each.rows, made, part);
  generateTail(each, part);
}

/// Rows of K or V that this block of queries wants and none before it did: any
/// rows of the sequence, listed piece by piece, so that one piece is rescaled
/// while the next one is multiplied.
void HeadLoop::generateNew(Generated &each) {
  lowering.loc = each.op.linear.getLoc();
  assert(!each.inverted && "rows of K and V are those that have a flag");
  loadWeights(each.weights, generating, none);
  SelFillOp::create(builder, lowering.loc, each.named, first(generating),
                    padded, 1, 0);
  // Flags are this head's when the head and the block exist.
  Value exists = sum(inHeads(generating),
                     InRangeOp::create(builder, lowering.loc, block,
                                       static_cast<uint64_t>(padded)));
  int64_t count =
      std::max<int64_t>(pieceRows, llvm::divideCeil(padded, mostPieces));
  count = std::min(padded, std::max(rows, count));
  for (int64_t from = 0; from < padded; from += count) {
    auto piece = [&](Value whole, int64_t rowBytes) {
      return lowering.view(whole, from * rowBytes);
    };
    int64_t size = std::min(count, padded - from);
    Value at = sum(exists, lowering.index(from));
    Value list = lowering.sram(Memory::Index, 4 + 4 * size, "list");
    SelListNewOp::create(builder, lowering.loc, list,
                         piece(allOf(*each.flags, generating), 1),
                         piece(each.named, 1), at, size);
    generateRows(each, each.op,
                 {piece(allTokens, tokens.layout.rowBytes),
                  piece(tokenScale, 4), at, list, none, size},
                 generating,
                 piece(allOf(each.rows, generating), each.rows.rowBytes),
                 piece(allOf(each.scales, generating), each.scales.rowBytes));
  }
  generateTail(each, generating);
}

/// K or V of the mean token, with the head's weights that are there.
void HeadLoop::generateTail(Generated &each, int64_t part) {
  if (!each.tail.linear)
    return;
  lowering.loc = each.tail.linear->getLoc();
  Value once = first(part), made = allOf(*each.tailRow, part),
        scale = allOf(*each.tailScale, part);
  generateRows(each, each.tail, {meanRow, meanScale, once, none, none, 1}, part,
               made, scale);
  if (nest.attention)
    return;
  bool isKey = &each == &key;
  lowering.storeHead(isKey ? tailKey : tailValue, made, head(part), n, zero, 1,
                     once);
  lowering.storeRows(isKey ? tailKeyScale : tailValueScale, scale, head(part),
                     zero, 1, once);
}

void HeadLoop::generateRows(const Generated &each, HeadProjection op,
                            const Tokens &x, int64_t part, Value made,
                            Value scales) {
  auto ofHead = [&](Value vector) {
    return lowering.view(vector, 0, {{head(part), n * 4}});
  };
  Location loc = op.linear.getLoc();
  Precision precision = lowPrecisionOf(op.linear);
  Value acc = lowering.sram(Memory::Temp, x.count * n * 4, "accumulators"),
        rescaled = lowering.sram(Memory::Temp, x.count * n * 4, "tile"),
        maximum = lowering.sram(Memory::Index, x.count * 4, "row_maximum");
  PeGemmOp::create(builder, loc, acc, x.rows, allOf(each.weights.tile, part),
                   x.list, x.low, x.at, x.count, each.weights.k, n, n * 4,
                   each.weights.k, n, precision,
                   lowering.numbers.roles.lookup(op.linear),
                   /*accumulate=*/false);
  ApuRescaleOp::create(builder, loc, rescaled, acc, ofHead(each.weightScale),
                       x.scales, op.linear.getBias() ? ofHead(each.bias) : none,
                       /*residual=*/none, x.list, x.low, maximum, x.at, x.count,
                       n, n * 4, n * 4, /*residual_stride=*/0, precision,
                       OptActivation::None, /*accumulate=*/false);
  ApuQuantizeOp::create(builder, op.quantize.getLoc(), made, scales, rescaled,
                        x.list, /*low=*/none, maximum, x.at, x.count, n, n,
                        n * 4);
}

/// Up to the softmax, and what the rest needs.
void HeadLoop::attendScores() {
  fact::QuantizedAttentionOp op = nest.attention;
  lowering.loc = op.getLoc();
  Value at = row(attending);
  maskRows = attendedFlags = attendedArgmax = none;
  if (nest.isDifferential)
    maskRows = selectedMask;
  else if (hasMask)
    maskRows = loadBlock(mask, attending, at, Memory::Index, "mask");
  if (hasDominated && nest.select) {
    attendedFlags = blockOf(dominatedRows, attending);
    attendedArgmax = blockOf(argmaxRows, attending);
  } else if (hasDominated) {
    attendedFlags =
        loadBlock(dominated, attending, at, Memory::Index, "dominated");
    attendedArgmax = loadBlock(argmax, attending, at, Memory::Index, "argmax");
  }
  if (hasTail && !nest.tailKey.linear) {
    Value of = head(attending), once = first(attending);
    for (auto [to, from] : {std::pair(&tailKeyRow, &tailKey),
                            std::pair(&tailValueRow, &tailValue)})
      lowering.loadHead(allOf(*to, attending), *from, of, n, zero, 1, once);
    for (auto [to, from] : {std::pair(&tailKeyScaleRow, &tailKeyScale),
                            std::pair(&tailValueScaleRow, &tailValueScale)})
      lowering.loadRows(allOf(*to, attending), *from, of, zero, 1, once);
  }
  int64_t width = lowering.scoreColumns(op);
  scores = lowering.sram(Memory::Temp, rows * width * 4, "scores");
  probabilities = lowering.sram(Memory::Temp, rows * width, "probabilities");
  stats = lowering.sram(Memory::Index, rows * 16, "softmax_stats");
  Value queries = readBlock(query.rows, attending),
        keys = readAll(key.rows, attending);
  attendedValues = readAll(value.rows, attending);
  int64_t maskBytes = hasMask ? lowering.maskStride() : 0;
  PeQkOp::create(builder, lowering.loc, scores, queries, keys, maskRows,
                 attendedFlags, at, rows, zero, padded, n, width * 4, n, n,
                 maskBytes, causal,
                 /*tail=*/false);
  tailScores = none;
  if (hasTail) {
    tailScores = lowering.sram(Memory::Index, rows * 4, "mean_scores");
    PeQkOp::create(builder, lowering.loc, tailScores, queries,
                   allOf(tailKeyRow, attending), none, attendedFlags, at, rows,
                   zero, 1, n, 4, n, n, 0, /*causal=*/false, /*tail=*/true);
  }
  ApuSoftmaxOp::create(
      builder, lowering.loc, probabilities, stats, scores,
      blockOf(query.scales, attending), allOf(key.scales, attending),
      allOf(value.scales, attending), maskRows, attendedFlags, at, rows, width,
      width * 4, maskBytes, op.getScale(), causal);
}

void HeadLoop::attendValues() {
  fact::QuantizedAttentionOp op = nest.attention;
  lowering.loc = op.getLoc();
  Value at = row(attending), values = attendedValues;
  Value sums = lowering.sram(Memory::Temp, rows * n * 4, "weighted_sums"),
        out = lowering.sram(Memory::Token, rows * n * 4, "context");
  int64_t maskBytes = hasMask ? lowering.maskStride() : 0;
  PePvOp::create(builder, lowering.loc, sums, probabilities, values, maskRows,
                 attendedFlags, at, rows, zero, padded, n, n * 4,
                 lowering.scoreColumns(op), n, maskBytes, causal,
                 /*accumulate=*/false);
  if (hasDominated)
    ApuCopyDominatedOp::create(
        builder, lowering.loc, out, values, allOf(value.scales, attending),
        attendedFlags, attendedArgmax, at, rows, zero, padded, n, n * 4, n);
  ApuContextOp::create(builder, lowering.loc, out, sums, stats,
                       blockOf(query.scales, attending), attendedFlags,
                       tailScores,
                       hasTail ? allOf(tailKeyScaleRow, attending) : none,
                       hasTail ? allOf(tailValueRow, attending) : none,
                       hasTail ? allOf(tailValueScaleRow, attending) : none, at,
                       rows, n, n * 4, n * 4, op.getScale(), causal);
  lowering.storeHead(context, out, head(attending), n * 4, block, rows, at);
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
  lowering.loop(Over::Parts, heads + last, 1, [&](Value iteration) {
    counter = iteration;
    scf::ForOp loop =
        lowering.loop(Over::Rows, lowering.bound, rows, [&](Value first) {
          block = first;
          lowerBlock();
        });
    // A sequence of one block has these iterations, too.
    if (loop)
      loop->setAttr(kExtraAttrName,
                    builder.getI64IntegerAttr(weightIterations - 1));
  });
  lowering.loopTurns = turns;
  return finish();
}

void HeadLoop::lowerBlock() {
  weightLoads = 0;
  loadTokens();
  if (nest.isDifferential) {
    predict();
    generateNew(key);
    generateNew(value);
    generate(query, querying);
    attendScores();
    attendValues();
  } else {
    lowerParts();
  }
  if (projecting >= 0) {
    project(keyCode);
    project(queryCode);
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
    speculate(query, speculatingQuery);
  }
  if (nest.attention) {
    generate(query, querying);
    attendValues();
  }
}
