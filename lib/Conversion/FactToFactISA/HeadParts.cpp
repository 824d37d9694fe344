//===- HeadParts.cpp - Prediction, generation and attention of a head -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"

#include "Codes.h"

#include "fact/Numerics/Prediction.h"

using namespace mlir;
using namespace mlir::factisa;

void HeadLoop::project(Side &side) {
  lowering.loc = side.op.matmul->getLoc();
  loadWeights(side.weights, projecting, none);
  Value acc = lowering.sram(Memory::Temp, rows * n * 4, "code_accumulators");
  Value at = row(projecting);
  EpProjectOp::create(builder, lowering.loc, acc, tokenRows,
                      allOf(side.weights.tile, projecting), at, rows,
                      side.weights.k, n, n * 4, tokens.layout.rowBytes,
                      side.weights.tile.rowBytes, side.op.predictor,
                      /*accumulate=*/false);
  if (side.bias)
    EpBiasOp::create(builder, lowering.loc, acc,
                     lowering.view(side.bias, 0, {{head(projecting), n * 4}}),
                     lowering.view(tokenScale, 0, {{block, 4}}), at, rows, n,
                     n * 4);
  auto [predictor, operand] = normalizationFor(side.op.encode);
  Value codes = making(side.codes, projecting);
  EpNormalizeOp::create(builder, side.op.normalize->getLoc(), codes,
                        blockOf(side.scales, projecting), acc, at, rows, n,
                        side.codes.rowBytes, n * 4, predictor, operand);
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
    queries = lowering.sram(Memory::Token, rows * queryBytes, "query_codes");
    lowering.loadCodes(queries, predict.getQuery(), queryCodes,
                       head(predicting), n, block, rows, at);
    queryScale =
        loadBlock(queryScales, predicting, at, Memory::Index, "query_scales");
    keys = allOf(keyCodeRows, predicting);
    keyScale = allOf(keyScaleRows, predicting);
    lowering.loadCodes(keys, predict.getKey(), keyCodes, head(predicting), n,
                       zero, padded, once);
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
  WindowFields window(select.getWindowAttr());
  for (int64_t from = 0; from < rows; from += count) {
    auto piece = [&](Value block, int64_t rowBytes) {
      return lowering.view(block, from * rowBytes);
    };
    Value begin = sum(at, lowering.index(from)),
          predicted =
              lowering.sram(Memory::Temp, count * padded * 4, "predicted");
    EpScoreOp::create(builder, predict.getLoc(), predicted,
                      piece(queries, queryBytes), keys, keyScale, tokenScale,
                      begin, count, zero, padded, n, padded * 4, queryBytes,
                      keyBytes, lowering.codes.scorePredictorOf(predict),
                      window.left, window.right);
    auto topK = SelTopKOp::create(
        builder, lowering.loc, piece(masks, lowering.maskStride()),
        piece(flags, 1), piece(largest, 4), allOf(kFlags, predicting),
        allOf(vFlags, predicting), counts, predicted, piece(queryScale, 4),
        lowering.view(tokenScale, from * 4, {{block, 4}}), predictorScales,
        policy, begin, count, lowering.maskStride(), padded * 4,
        predict.getAttentionScale(),
        ::fact::numerics::asPredictor<Predictor>(select.getPredictor()),
        window.left, window.right, lowering.layerOf(select), head(predicting));
    topK->setAttr(kExpectedAttrName, lowering.expectedShare(select));
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
                 maskBytes, window.left, window.right,
                 /*tail=*/false);
  tailScores = none;
  if (hasTail) {
    WindowFields all{{}};
    tailScores = lowering.sram(Memory::Index, rows * 4, "mean_scores");
    PeQkOp::create(builder, lowering.loc, tailScores, queries,
                   allOf(tailKeyRow, attending), none, attendedFlags, at, rows,
                   zero, 1, n, 4, n, n, 0, all.left, all.right, /*tail=*/true);
  }
  ApuSoftmaxOp::create(
      builder, lowering.loc, probabilities, stats, scores,
      blockOf(query.scales, attending), allOf(key.scales, attending),
      allOf(value.scales, attending), maskRows, attendedFlags, at, rows, width,
      width * 4, maskBytes, op.getScale(), window.left, window.right);
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
                 lowering.scoreColumns(op), n, maskBytes, window.left,
                 window.right,
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
                       rows, n, n * 4, n * 4, op.getScale());
  lowering.storeHead(context, out, head(attending), n * 4, block, rows, at);
}
