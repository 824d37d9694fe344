//===- HeadLoop.cpp - One loop over the heads of a layer ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"

#include "Codes.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::factisa;

HeadLoop::HeadLoop(Lowering &lowering, const HeadNest &nest)
    : lowering(lowering), builder(lowering.builder), nest(nest) {
  fact::QuantizedAttentionOp op = this->nest.attention;
  heads = nest.getHeads();
  Value rowsOfHeads =
      op ? op.getQuery() : fact::PredictOp(nest.predict).getQuery();
  features = cast<ShapedType>(rowsOfHeads.getType()).getDimSize(1);
  n = features / heads;
  rows = std::min(lowering.tiling.heads.rows, lowering.paddedRows);
  padded = lowering.paddedRows;
  if (op) {
    causal = op.getCausal();
    hasMask = bool(op.getMask());
    hasDominated = bool(op.getDominated());
    hasTail = bool(op.getTailKey());
  }
  // The first iteration loads weights only.
  int64_t part = 1;
  if (nest.queryCode.normalize)
    projecting = part++;
  if (nest.select)
    predicting = part++;
  if (!op) {
    last = predicting + 1;
    return;
  }
  generating = part++;
  last = attending = part;
  querying = nest.select ? predicting : generating;
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

HeadRows HeadLoop::makeRows(int64_t rowBytes, int64_t slots, Memory memory,
                            StringRef label) {
  HeadRows result;
  result.rowBytes = rowBytes;
  result.slots = slots;
  result.buffer = lowering.sram(
      memory, llvm::alignTo(padded * rowBytes, 64) * slots, label);
  return result;
}

HeadRows HeadLoop::makeBlocks(int64_t rowBytes, int64_t slots,
                              StringRef label) {
  if (lowering.tiling.heads.stored == 0)
    return makeRows(rowBytes, slots, Memory::Temp, label);
  HeadRows result;
  result.rowBytes = rowBytes;
  result.isStored = true;
  result.storage = lowering.allocateStorage(
      Layout{heads, rowBytes, /*single=*/false}, label);
  return result;
}

HeadRows HeadLoop::makeKeys(int64_t rowBytes, int64_t slots, StringRef label) {
  if (lowering.tiling.heads.stored < 2)
    return makeRows(rowBytes, slots, Memory::Temp, label);
  HeadRows result = makeRows(rowBytes, 1, Memory::Temp, label);
  result.isStored = true;
  result.storage = lowering.allocateStorage(
      Layout{heads, rowBytes, /*single=*/false}, label);
  return result;
}

FailureOr<HeadLoop::Weights> HeadLoop::makeWeights(Value weight,
                                                   StringRef label) {
  Weights result;
  FailureOr<Value> address = lowering.constantAddress(weight);
  if (failed(address))
    return failure();
  result.address = *address;
  result.k = cast<ShapedType>(Lowering::root(weight).getType()).getDimSize(0);
  result.tile.rowBytes = n;
  result.tile.slots = 2;
  result.tile.buffer =
      lowering.sram(Memory::Weight,
                    llvm::alignTo(result.k * n, 64) * result.tile.slots, label);
  return result;
}

FailureOr<Value> HeadLoop::wholeVector(Value value, StringRef label) {
  FailureOr<Storage> storage = lowering.storageOf(value);
  if (failed(storage))
    return failure();
  Value buffer =
      lowering.sram(Memory::Index, padded * storage->layout.rowBytes, label);
  lowering.loadRows(buffer, *storage, zero, zero, padded);
  return buffer;
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

Value HeadLoop::first(int64_t part) {
  if (matchPattern(block, m_Zero()))
    return inHeads(part);
  return sum(inHeads(part), InRangeOp::create(builder, lowering.loc, block, 1));
}

Value HeadLoop::allOf(const HeadRows &rows, int64_t part) {
  if (rows.slots == 1)
    return rows.buffer;
  Value phase = PhaseOp::create(builder, lowering.loc, counter, part,
                                static_cast<uint64_t>(rows.slots));
  auto bytes = static_cast<int64_t>(
                   rows.buffer.getDefiningOp<SramBufferOp>().getBytes()) /
               rows.slots;
  return lowering.view(rows.buffer, 0, {{phase, bytes}});
}

Value HeadLoop::blockOf(const HeadRows &rows, int64_t part) {
  return lowering.view(allOf(rows, part), 0, {{block, rows.rowBytes}});
}

Value HeadLoop::making(const HeadRows &rows, int64_t part) {
  if (!rows.isStored)
    return blockOf(rows, part);
  return lowering.sram(rows.memory, this->rows * rows.rowBytes, "made");
}

void HeadLoop::done(const HeadRows &rows, Value made, int64_t part) {
  if (!rows.isStored)
    return;
  int64_t bytes = rows.rowBytes;
  StoreOp::create(
      builder, lowering.loc,
      lowering.view(rows.storage.base, 0,
                    {{head(part), rows.storage.planeStride}, {block, bytes}}),
      made, row(part), this->rows, bytes, bytes, bytes, /*whole=*/false);
}

Value HeadLoop::readBlock(const HeadRows &rows, int64_t part) {
  if (!rows.isStored)
    return blockOf(rows, part);
  int64_t bytes = rows.rowBytes;
  Value read = lowering.sram(rows.memory, this->rows * bytes, "read");
  LoadOp::create(
      builder, lowering.loc, read,
      lowering.view(rows.storage.base, 0,
                    {{head(part), rows.storage.planeStride}, {block, bytes}}),
      row(part), this->rows, bytes, bytes, bytes, /*whole=*/false);
  return read;
}

Value HeadLoop::readAll(const HeadRows &rows, int64_t part) {
  if (rows.isStored) {
    int64_t bytes = rows.rowBytes;
    LoadOp::create(builder, lowering.loc, rows.buffer,
                   lowering.view(rows.storage.base, 0,
                                 {{head(part), rows.storage.planeStride}}),
                   first(part), padded, bytes, bytes, bytes, /*whole=*/false);
  }
  return allOf(rows, part);
}

//===----------------------------------------------------------------------===//
// Before the loop
//===----------------------------------------------------------------------===//

LogicalResult HeadLoop::prepare() {
  zero = lowering.index(0);
  none = lowering.null();
  return failure(
      failed(prepareTokens()) || failed(prepareSelection()) ||
      failed(prepareSide(queryCode, nest.queryCode, "query_code_weight")) ||
      failed(prepareSide(keyCode, nest.keyCode, "key_code_weight")) ||
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
  FailureOr<Value> scale = wholeVector(nest.getTokenScale(), "row_scales");
  if (failed(scale))
    return failure();
  tokenScale = *scale;
  low = none;
  if (!nest.attention)
    return success();
  if (Value flags = nest.query.linear.getLow()) {
    FailureOr<Value> vector = wholeVector(flags, "low");
    if (failed(vector))
      return failure();
    low = *vector;
  }
  return success();
}

LogicalResult HeadLoop::prepareSelection() {
  if (!nest.select)
    return success();
  kFlags = makeRows(1, 2, Memory::Index, "k_rows");
  vFlags = makeRows(1, 2, Memory::Index, "v_rows");
  dominatedRows = makeRows(1, 3, Memory::Index, "dominated");
  argmaxRows = makeRows(4, 3, Memory::Index, "argmax");
  FailureOr<Value> scaleQ =
      lowering.constantAddress(nest.predict.getQueryWeightScale());
  FailureOr<Value> scaleK =
      lowering.constantAddress(nest.predict.getKeyWeightScale());
  if (failed(scaleQ) || failed(scaleK) ||
      failed(stored(nest.select.getMask(), false, mask)))
    return failure();
  attentionWeightScales = lowering.sram(Memory::Index, 8, "predictor_scales");
  LoadOp::create(builder, lowering.loc, attentionWeightScales, *scaleQ, zero, 1,
                 4, 4, 4, /*whole=*/true);
  LoadOp::create(builder, lowering.loc, lowering.view(attentionWeightScales, 4),
                 *scaleK, zero, 1, 4, 4, 4, /*whole=*/true);
  counts = lowering.sram(Memory::Index, padded * 4, "counts");
  SelFillOp::create(builder, lowering.loc, counts, zero, padded, 4, 0);
  if (!nest.queryCode.normalize) {
    if (failed(stored(nest.predict.getQuery(), false, queryCodes)) ||
        failed(stored(nest.predict.getKey(), false, keyCodes)) ||
        failed(stored(nest.predict.getQueryScale(), true, queryScales)) ||
        failed(stored(nest.predict.getKeyScale(), true, keyScales)))
      return failure();
    keyCodeRows = makeRows(n, 2, Memory::Temp, "key_codes");
    keyScaleRows = makeRows(4, 2, Memory::Index, "key_code_scales");
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
  if (matmul.getBias()) {
    FailureOr<Value> bias = lowering.loadConstant(
        matmul.getBias(), Memory::Weight, "predictor_bias");
    if (failed(bias))
      return failure();
    side.bias = *bias;
  }
  side.codes = &side == &keyCode ? makeKeys(n, 2, "key_codes")
                                 : makeBlocks(n, 2, "query_codes");
  side.scales = makeRows(4, 2, Memory::Index, "code_scales");
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
  fact::QuantizedAttentionOp op = nest.attention;
  auto makeTail = [&](HeadRows &tail, int64_t bytes, StringRef label) {
    tail.rowBytes = bytes;
    tail.slots = 2;
    tail.buffer = lowering.sram(bytes == 4 ? Memory::Index : Memory::Temp,
                                llvm::alignTo(bytes, 64) * 2, label);
  };
  makeTail(tailKeyRow, n, "mean_key");
  makeTail(tailKeyScaleRow, 4, "mean_key_scale");
  makeTail(tailValueRow, n, "mean_value");
  makeTail(tailValueScaleRow, 4, "mean_value_scale");
  if (!nest.tailKey.linear)
    return failure(
        failed(stored(op.getTailKey(), false, tailKey)) ||
        failed(stored(op.getTailKeyScale(), true, tailKeyScale)) ||
        failed(stored(op.getTailValue(), false, tailValue)) ||
        failed(stored(op.getTailValueScale(), true, tailValueScale)));
  fact::QuantizedLinearOp tail = nest.tailKey.linear;
  FailureOr<Storage> row = lowering.storageOf(tail.getInput()),
                     scale = lowering.storageOf(tail.getScale());
  if (failed(row) || failed(scale))
    return failure();
  meanRow = lowering.sram(Memory::Token, row->layout.rowBytes, "mean_row");
  meanScale = lowering.sram(Memory::Index, 4, "mean_row_scale");
  lowering.loadRows(meanRow, *row, zero, zero, 1);
  lowering.loadRows(meanScale, *scale, zero, zero, 1);
  key.tail = nest.tailKey;
  key.tailRow = &tailKeyRow;
  key.tailScale = &tailKeyScaleRow;
  value.tail = nest.tailValue;
  value.tailRow = &tailValueRow;
  value.tailScale = &tailValueScaleRow;
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
  each.weightScale = *scale;
  each.bias = none;
  if (linear.getBias()) {
    FailureOr<Value> bias =
        lowering.loadConstant(linear.getBias(), Memory::Weight, "bias");
    if (failed(bias))
      return failure();
    each.bias = *bias;
  }
  int64_t slots = attending - part + 1;
  each.rows =
      &each == &query ? makeBlocks(n, slots, label) : makeKeys(n, slots, label);
  each.scales = makeRows(4, slots, Memory::Index, label);
  Value flags = linear.getRows();
  if (!flags)
    return success();
  auto notDominated = fact::definingOp<fact::QRowsOp>(flags);
  each.inverted = bool(notDominated);
  if (nest.select) {
    each.hasFlags = true;
    each.flags = &each == &query ? &dominatedRows
                 : &each == &key ? &kFlags
                                 : &vFlags;
    return success();
  }
  // Which rows a mask names is known where a selection or the model says so;
  // otherwise every row is generated, which is more than anybody reads.
  if (!notDominated && !lowering.hasStorage(flags) &&
      !lowering.isConstant(flags))
    return success();
  each.hasFlags = true;
  return stored(notDominated ? notDominated.getDominated() : flags,
                /*headMajor=*/true, each.storedFlags);
}

//===----------------------------------------------------------------------===//
// The parts
//===----------------------------------------------------------------------===//

/// INT8 rows of the block, for stage 1 and generation.
void HeadLoop::loadTokens() {
  int64_t firstPart = last, lastPart = 0;
  for (int64_t part : {projecting, querying, generating})
    if (part >= 0) {
      firstPart = std::min(firstPart, part);
      lastPart = std::max(lastPart, part);
    }
  if (lastPart == 0)
    return;
  Value some =
      InRangeOp::create(builder, lowering.loc, head(firstPart),
                        static_cast<uint64_t>(heads + lastPart - firstPart));
  int64_t bytes = tokens.layout.rowBytes;
  tokenRows = lowering.sram(Memory::Token, rows * bytes, "rows");
  LoadOp::create(builder, lowering.loc, tokenRows,
                 lowering.view(tokens.base, 0, {{block, bytes}}),
                 sum(block, some), rows, bytes, bytes, bytes,
                 tokens.layout.single);
}

/// The next head's columns of a weight: they come while this head is worked on.
void HeadLoop::loadWeights(const Weights &weights, int64_t part) {
  LoadOp::create(builder, lowering.loc, allOf(weights.tile, part - 1),
                 lowering.view(weights.address, 0, {{head(part - 1), n}}),
                 first(part - 1), weights.k, n, n, features, /*whole=*/true);
}

void HeadLoop::project(Side &side) {
  lowering.loc = side.op.matmul->getLoc();
  loadWeights(side.weights, projecting);
  Value acc = lowering.sram(Memory::Temp, rows * n * 4, "code_accumulators");
  Value at = row(projecting);
  auto activations = fact::definingOp<fact::EncodeOp>(
      fact::LogMatmulOp(side.op.matmul).getInput());
  EpProjectOp::create(builder, lowering.loc, acc, tokenRows,
                      allOf(side.weights.tile, projecting), at, rows,
                      side.weights.k, n, n * 4, tokens.layout.rowBytes, n,
                      projectionFor(activations), /*accumulate=*/false);
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
    queryScale = lowering.sram(Memory::Index, rows * 4, "query_scales");
    LoadOp::create(builder, lowering.loc, queries,
                   lowering.view(queryCodes.base, 0,
                                 {{head(predicting), n}, {block, features}}),
                   at, rows, n, n, features, /*whole=*/false);
    LoadOp::create(builder, lowering.loc, queryScale,
                   lowering.view(queryScales.base, 0,
                                 {{head(predicting), queryScales.planeStride},
                                  {block, 4}}),
                   at, rows, 4, 4, 4, /*whole=*/false);
    keys = allOf(keyCodeRows, predicting);
    keyScale = allOf(keyScaleRows, predicting);
    LoadOp::create(builder, lowering.loc, keys,
                   lowering.view(keyCodes.base, 0, {{head(predicting), n}}),
                   once, padded, n, n, features, /*whole=*/false);
    LoadOp::create(builder, lowering.loc, keyScale,
                   lowering.view(keyScales.base, 0,
                                 {{head(predicting), keyScales.planeStride}}),
                   once, padded, 4, 4, 4, /*whole=*/false);
  }
  Value predicted = lowering.sram(Memory::Temp, rows * padded * 4, "predicted");
  auto encode = fact::definingOp<fact::EncodeOp>(predict.getQuery());
  auto scorePredictor = ::fact::numerics::asPredictor<Predictor>(
      encode ? encode.getPredictor() : fact::Predictor::Exact);
  EpScoreOp::create(builder, predict.getLoc(), predicted, queries, keys,
                    keyScale, tokenScale, at, rows, zero, padded, n, padded * 4,
                    n, n, scorePredictor);
  Value masks =
      lowering.sram(Memory::Index, rows * lowering.maskStride(), "masks");
  Value flags = blockOf(dominatedRows, predicting),
        largest = blockOf(argmaxRows, predicting);
  SelTopKOp::create(
      builder, lowering.loc, masks, flags, largest, allOf(kFlags, predicting),
      allOf(vFlags, predicting), counts, predicted, queryScale,
      lowering.view(tokenScale, 0, {{block, 4}}), attentionWeightScales, at,
      rows, lowering.maskStride(), padded * 4, select.getKeep(),
      select.getDominance(), predict.getAttentionScale(),
      ::fact::numerics::asPredictor<Predictor>(select.getPredictor()),
      select.getCausal(), lowering.layerOf(select), head(predicting));
  int64_t bytes = lowering.maskStride();
  StoreOp::create(
      builder, lowering.loc,
      lowering.view(mask.base, 0,
                    {{head(predicting), mask.planeStride}, {block, bytes}}),
      masks, at, rows, bytes, bytes, bytes, /*whole=*/false);
  if (!nest.attention)
    storeSelection(flags, largest);
}

/// What loops that follow read, beside the mask: rows of the block, and which
/// rows of K and V are read, when all of the head's blocks have said so.
void HeadLoop::storeSelection(Value flags, Value largest) {
  auto storeBlock = [&](const Storage &to, Value from, int64_t bytes) {
    StoreOp::create(
        builder, lowering.loc,
        lowering.view(to.base, 0,
                      {{head(predicting), to.planeStride}, {block, bytes}}),
        from, row(predicting), rows, bytes, bytes, bytes, /*whole=*/false);
  };
  storeBlock(dominated, flags, 1);
  storeBlock(argmax, largest, 4);
  auto storeHead = [&](const Storage &to, const HeadRows &from) {
    StoreOp::create(
        builder, lowering.loc,
        lowering.view(to.base, 0, {{head(predicting + 1), to.planeStride}}),
        allOf(from, predicting + 1), first(predicting + 1), padded, 1, 1, 1,
        /*whole=*/false);
  };
  storeHead(kStorage, kFlags);
  storeHead(vStorage, vFlags);
}

void HeadLoop::generate(Generated &each, int64_t part) {
  fact::QuantizedLinearOp linear = each.op.linear;
  lowering.loc = linear.getLoc();
  loadWeights(each.weights, part);
  Value at = row(part);
  Value list = none;
  if (each.hasFlags) {
    Value flags;
    if (each.flags) {
      flags = blockOf(*each.flags, part);
    } else {
      flags = lowering.sram(Memory::Index, rows, "rows_wanted");
      LoadOp::create(builder, lowering.loc, flags,
                     lowering.view(each.storedFlags.base, 0,
                                   {{head(part), each.storedFlags.planeStride},
                                    {block, 1}}),
                     at, rows, 1, 1, 1, /*whole=*/false);
    }
    list = lowering.sram(Memory::Index, 4 + 4 * rows, "list");
    SelListOp::create(builder, lowering.loc, list, flags, at, rows,
                      each.inverted);
  }
  Value lowFlags = low;
  if (nest.query.linear.getLow())
    lowFlags = lowering.view(low, 0, {{block, 1}});
  Precision precision = lowPrecisionOf(linear);
  Value acc = lowering.sram(Memory::Temp, rows * n * 4, "accumulators");
  PeGemmOp::create(builder, lowering.loc, acc, tokenRows,
                   allOf(each.weights.tile, part), list, lowFlags, at, rows,
                   each.weights.k, n, n * 4, tokens.layout.rowBytes, n,
                   precision, lowering.numbers.roles.lookup(linear),
                   /*accumulate=*/false);
  Value rescaled = lowering.sram(Memory::Temp, rows * n * 4, "tile");
  auto ofHead = [&](Value vector) {
    return lowering.view(vector, 0, {{head(part), n * 4}});
  };
  ApuRescaleOp::create(builder, lowering.loc, rescaled, acc,
                       ofHead(each.weightScale),
                       lowering.view(tokenScale, 0, {{block, 4}}),
                       linear.getBias() ? ofHead(each.bias) : none, list,
                       lowFlags, at, rows, n, n * 4, n * 4, precision);
  Value made = making(each.rows, part);
  ApuQuantizeOp::create(builder, each.op.quantize->getLoc(), made,
                        blockOf(each.scales, part), rescaled, list, none, at,
                        rows, n, n, n * 4);
  done(each.rows, made, part);
  generateTail(each);
}

/// K or V of the mean token, with the head's weights that are there.
void HeadLoop::generateTail(Generated &each) {
  if (!each.tail.linear)
    return;
  fact::QuantizedLinearOp linear = each.tail.linear;
  lowering.loc = linear.getLoc();
  Value once = first(generating);
  Value acc = lowering.sram(Memory::Temp, n * 4, "mean_accumulators"),
        rescaled = lowering.sram(Memory::Temp, n * 4, "mean_tile");
  PeGemmOp::create(builder, lowering.loc, acc, meanRow,
                   allOf(each.weights.tile, generating), none, none, once, 1,
                   each.weights.k, n, n * 4, each.weights.k, n, Precision::A4W4,
                   lowering.numbers.roles.lookup(linear), /*accumulate=*/false);
  auto ofHead = [&](Value vector) {
    return lowering.view(vector, 0, {{head(generating), n * 4}});
  };
  ApuRescaleOp::create(builder, lowering.loc, rescaled, acc,
                       ofHead(each.weightScale), meanScale,
                       linear.getBias() ? ofHead(each.bias) : none, none, none,
                       once, 1, n, n * 4, n * 4, Precision::A4W4);
  ApuQuantizeOp::create(builder, each.tail.quantize->getLoc(),
                        allOf(*each.tailRow, generating),
                        allOf(*each.tailScale, generating), rescaled, none,
                        none, once, 1, n, n, n * 4);
}

/// Up to the softmax, and what the rest needs.
void HeadLoop::attendScores() {
  fact::QuantizedAttentionOp op = nest.attention;
  lowering.loc = op.getLoc();
  Value at = row(attending);
  auto loadBlock = [&](const Storage &from, int64_t bytes, Memory memory,
                       StringRef label) {
    Value buffer = lowering.sram(memory, rows * bytes, label);
    LoadOp::create(
        builder, lowering.loc, buffer,
        lowering.view(from.base, 0,
                      {{head(attending), from.planeStride}, {block, bytes}}),
        at, rows, bytes, bytes, bytes, /*whole=*/false);
    return buffer;
  };
  maskRows = attendedFlags = attendedArgmax = none;
  if (hasMask)
    maskRows = loadBlock(mask, lowering.maskStride(), Memory::Index, "mask");
  if (hasDominated && nest.select) {
    attendedFlags = blockOf(dominatedRows, attending);
    attendedArgmax = blockOf(argmaxRows, attending);
  } else if (hasDominated) {
    attendedFlags = loadBlock(dominated, 1, Memory::Index, "dominated");
    attendedArgmax = loadBlock(argmax, 4, Memory::Index, "argmax");
  }
  if (hasTail && !nest.tailKey.linear) {
    auto load = [&](const HeadRows &to, const Storage &from, bool isRow) {
      int64_t bytes = to.rowBytes;
      LoadOp::create(
          builder, lowering.loc, allOf(to, attending),
          lowering.view(from.base, 0,
                        {{head(attending), isRow ? n : from.planeStride}}),
          first(attending), 1, bytes, bytes, bytes, /*whole=*/true);
    };
    load(tailKeyRow, tailKey, true);
    load(tailKeyScaleRow, tailKeyScale, false);
    load(tailValueRow, tailValue, true);
    load(tailValueScaleRow, tailValueScale, false);
  }
  scores = lowering.sram(Memory::Temp, rows * padded * 4, "scores");
  probabilities = lowering.sram(Memory::Temp, rows * padded, "probabilities");
  stats = lowering.sram(Memory::Index, rows * 16, "softmax_stats");
  Value queries = readBlock(query.rows, attending),
        keys = readAll(key.rows, attending);
  attendedValues = readAll(value.rows, attending);
  int64_t maskBytes = hasMask ? lowering.maskStride() : 0;
  PeQkOp::create(builder, lowering.loc, scores, queries, keys, maskRows,
                 attendedFlags, at, rows, zero, padded, n, padded * 4, n, n,
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
      allOf(value.scales, attending), maskRows, attendedFlags, at, rows, padded,
      padded * 4, maskBytes, op.getScale(), causal);
}

void HeadLoop::attendValues() {
  fact::QuantizedAttentionOp op = nest.attention;
  lowering.loc = op.getLoc();
  Value at = row(attending), values = attendedValues;
  Value sums = lowering.sram(Memory::Temp, rows * n * 4, "weighted_sums"),
        out = lowering.sram(Memory::Token, rows * n * 4, "context");
  int64_t maskBytes = hasMask ? lowering.maskStride() : 0;
  PePvOp::create(builder, lowering.loc, sums, probabilities, values, maskRows,
                 attendedFlags, at, rows, zero, padded, n, n * 4, padded, n,
                 maskBytes, causal, /*accumulate=*/false);
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
  StoreOp::create(
      builder, lowering.loc,
      lowering.view(context.base, 0,
                    {{head(attending), n * 4}, {block, features * 4}}),
      out, at, rows, n * 4, features * 4, n * 4, /*whole=*/false);
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
  int64_t turns =
      std::exchange(lowering.loopTurns, lowering.tiling.heads.turns);
  lowering.loop(Over::Parts, heads + last, 1, [&](Value iteration) {
    counter = iteration;
    lowering.loop(Over::Rows, lowering.bound, rows, [&](Value first) {
      block = first;
      lowerBlock();
    });
  });
  lowering.loopTurns = turns;
  return finish();
}

/// In the order in which the multiplier array works: a softmax has the time of
/// a generation.
void HeadLoop::lowerBlock() {
  loadTokens();
  if (nest.attention) {
    attendScores();
    generate(key, generating);
    generate(value, generating);
  }
  if (nest.select)
    predict();
  if (nest.attention) {
    generate(query, querying);
    attendValues();
  }
  if (projecting >= 0) {
    project(keyCode);
    project(queryCode);
  }
}
