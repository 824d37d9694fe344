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
  Value at = row(projecting), head = headOf(side.weights.tile, projecting),
        scales = lowering.view(tokenScale, 0, {{block, 4}});
  auto bias = [&] { return lowering.view(side.bias, 0, {{head, n * 4}}); };
  EpProjectOp::create(builder, lowering.loc, acc, tokenRows,
                      allOf(side.weights.tile, projecting), at, rows,
                      side.weights.k, n, n * 4, tokens.layout.rowBytes,
                      side.weights.tile.rowBytes, side.op.predictor,
                      /*accumulate=*/false);
  auto [predictor, operand] = encodingOf(side.op.encode);
  Value codes = making(side.codes, projecting),
        codeScales = blockOf(side.scales, projecting);
  if (!side.op.rescale) {
    if (side.bias)
      EpBiasOp::create(builder, lowering.loc, acc, bias(), scales, at, rows, n,
                       n * 4);
    EpNormalizeOp::create(builder, side.op.normalize->getLoc(), codes,
                          codeScales, acc, at, rows, n, side.codes.rowBytes,
                          n * 4, predictor, operand);
    return done(side.codes, codes, projecting);
  }
  Value dressed = lowering.sram(Memory::Temp, rows * n * 4, "predicted_rows"),
        maximum = lowering.sram(Memory::Index, rows * 4, "row_maximum");
  bool hasDressing = !side.op.dressing.empty();
  ApuRescaleOp::create(builder, side.op.rescale->getLoc(), dressed, acc,
                       side.weightScale, scales, side.bias ? bias() : none,
                       /*residual=*/none, /*list=*/none, /*low=*/none,
                       hasDressing ? none : maximum, at, rows, n, n * 4, n * 4,
                       /*residual_stride=*/0, Precision::A4W4,
                       OptActivation::None, /*accumulate=*/false);
  dress(side.op.dressing, dressed, {{}, {}, at, none, none, rows, block},
        maximum);
  bool isEncoded = side.op.encode && !isIdentity(side.op.encode);
  Value numbers =
      isEncoded ? lowering.sram(Memory::Temp, rows * n, "predicted") : codes;
  ApuQuantizeOp::create(builder, side.op.quantize->getLoc(), numbers,
                        codeScales, dressed, /*list=*/none, /*low=*/none,
                        maximum, at, rows, n,
                        isEncoded ? n : side.codes.rowBytes, n * 4);
  if (isEncoded)
    EpEncodeOp::create(builder, side.op.encode->getLoc(), codes, numbers, at,
                       rows, n, side.codes.rowBytes, n, predictor, operand,
                       lowering.codes.packedHeads(side.op.encode.getResult()) ==
                           0);
  done(side.codes, codes, projecting);
}

void HeadLoop::dress(const Dressing &dressing, Value made, const Tokens &x,
                     Value maximum) {
  auto vector = [&](Value of) {
    return of ? vectors.lookup(Lowering::root(of)) : none;
  };
  for (Operation *op : dressing) {
    Value largest = op == dressing.back() ? maximum : none;
    if (auto norm = dyn_cast<fact::NormOp>(op)) {
      ApuNormOp::create(
          builder, op->getLoc(), made, made, vector(norm.getGamma()),
          vector(norm.getBeta()), x.list, largest, x.at, x.count, n, n * 4,
          n * 4, ::fact::numerics::asNorm<Norm>(norm.getKind()), norm.getEps());
      continue;
    }
    auto rotate = cast<fact::RotateOp>(op);
    int64_t pairs = rotate.getCos().getType().getDimSize(1);
    ApuRotateOp::create(
        builder, op->getLoc(), made, made,
        tableRows(rotate.getCos(), x.position, x.count),
        tableRows(rotate.getSin(), x.position, x.count), x.list, largest, x.at,
        x.count, n, pairs, n * 4, n * 4, pairs * 4, pairs * 4,
        ::fact::numerics::asRotaryStyle<RotaryStyle>(rotate.getStyle()));
  }
}

Value HeadLoop::tableRows(Value table, Value from, int64_t count) {
  table = Lowering::root(table);
  Storage stored = storedTables.lookup(table);
  if (Value all = tables.lookup(table))
    return lowering.view(all, 0, {{from, stored.layout.rowBytes}});
  // A block of the sequence, for all who rotate rows of it.
  Value &buffer = tableBlocks[table];
  if (!buffer) {
    assert(from == block && "pieces have the whole table");
    buffer = lowering.sram(Memory::Token, count * stored.layout.rowBytes,
                           "rotary_rows");
    lowering.loadRows(buffer, stored, zero, block, count, anyRow(0, last));
  }
  return buffer;
}

void HeadLoop::predict() {
  fact::SelectOp select = nest.select;
  fact::PredictOp predict = nest.predict;
  lowering.loc = select.getLoc();
  Value once = first(predicting);
  for (const HeadRows *flags : {&kFlags, &vFlags})
    SelFillOp::create(builder, lowering.loc, allOf(*flags, predicting), once,
                      padded, 1, 0);
  Value keys, keyScale;
  if (projecting >= 0) {
    keys = readAll(keyCode.codes, predicting);
    keyScale = allOf(keyCode.scales, predicting);
  } else {
    keys = allOf(keyCodeRows, predicting);
    keyScale = allOf(keyScaleRows, predicting);
    lowering.loadCodes(keys, predict.getKey(), keyCodes, group(predicting), n,
                       zero, padded, once);
    lowering.loadRows(keyScale, keyScales, group(predicting), zero, padded,
                      once);
  }
  forEachMember([&] { selectBlock(keys, keyScale); });
  if (!nest.attention)
    storeFlags();
}

void HeadLoop::selectBlock(Value keys, Value keyScale) {
  fact::SelectOp select = nest.select;
  fact::PredictOp predict = nest.predict;
  Value at = row(predicting), head = queryHead(predicting);
  Value queries, queryScale;
  if (projecting >= 0) {
    queries = readBlock(queryCode.codes, predicting);
    queryScale = blockOf(queryCode.scales, predicting);
  } else {
    queries = lowering.sram(Memory::Token, rows * queryBytes, "query_codes");
    lowering.loadCodes(queries, predict.getQuery(), queryCodes, head, n, block,
                       rows, at);
    queryScale =
        loadBlock(queryScales, head, at, Memory::Index, "query_scales");
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
  bool isDressed = predict.isDressed();
  for (int64_t from = 0; from < rows; from += count) {
    auto piece = [&](Value block, int64_t rowBytes) {
      return lowering.view(block, from * rowBytes);
    };
    Value begin = sum(at, lowering.index(from)),
          predicted =
              lowering.sram(Memory::Temp, count * padded * 4, "predicted");
    EpScoreOp::create(
        builder, predict.getLoc(), predicted, piece(queries, queryBytes), keys,
        keyScale, isDressed ? none : tokenScale, begin, count, zero, padded, n,
        padded * 4, queryBytes, keyBytes,
        lowering.codes.scorePredictorOf(predict), window.left, window.right);
    auto topK = SelTopKOp::create(
        builder, lowering.loc, piece(masks, lowering.maskStride()),
        piece(flags, 1), piece(largest, 4), allOf(kFlags, predicting),
        allOf(vFlags, predicting), counts, predicted, piece(queryScale, 4),
        isDressed ? none : lowering.view(tokenScale, from * 4, {{block, 4}}),
        predictorScales, policy, begin, count, zero, padded,
        lowering.maskStride(), padded * 4, predict.getAttentionScale(),
        ::fact::numerics::asPredictor<Predictor>(select.getPredictor()),
        static_cast<int64_t>(select.getHeadNorms().value_or(0)), window.left,
        window.right, lowering.layerOf(select), head);
    topK->setAttr(kExpectedAttrName, lowering.expectedShare(select));
  }
  attended[member].selectedMask = masks;
  storeBlock(mask, masks, head, at);
  if (nest.attention)
    return;
  // Loops that follow read them.
  storeBlock(dominated, flags, head, at);
  storeBlock(argmax, largest, head, at);
}

/// Which rows of K and V loops that follow read, when all of the head's blocks
/// have said so.
void HeadLoop::storeFlags() {
  int64_t after = predicting + 1;
  for (auto [to, from] :
       {std::pair(&kStorage, &kFlags), std::pair(&vStorage, &vFlags)})
    lowering.storeRows(*to, allOf(*from, after), group(after), zero, padded,
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
                  : each.flags
                      ? blockOf(*each.flags, part)
                      : loadBlock(each.storedFlags, headOf(each.scales, part),
                                  at, Memory::Index, "rows_wanted");
    list = lowering.sram(Memory::Index, 4 + 4 * rows, "list");
    SelListOp::create(builder, lowering.loc, list, flags,
                      each.hasFlags ? there : none, at, rows,
                      each.hasFlags ? each.inverted : true);
  }
  Value made = making(each.rows, part);
  if (speculated) {
    Value head = headOf(each.scales, part);
    lowering.loadRows(made, *each.low, head, block, rows, at);
    lowering.loadRows(blockOf(each.scales, part), *each.lowScale, head, block,
                      rows, at);
  }
  generateRows(each, each.op,
               {tokenRows, lowering.view(tokenScale, 0, {{block, 4}}), at, list,
                lowFlags, rows, block},
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
    generateRows(
        each, each.op,
        {piece(allTokens, tokens.layout.rowBytes), piece(tokenScale, 4), at,
         list, none, size, lowering.index(from)},
        generating, piece(allOf(each.rows, generating), each.rows.rowBytes),
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
  generateRows(each, each.tail, {meanRow, meanScale, once, none, none, 1, {}},
               part, made, scale);
  if (nest.attention)
    return;
  bool isKey = &each == &key;
  lowering.storeHead(isKey ? tailKey : tailValue, made, group(part), n, zero, 1,
                     once);
  lowering.storeRows(isKey ? tailKeyScale : tailValueScale, scale, group(part),
                     zero, 1, once);
}

void HeadLoop::generateRows(const Generated &each, HeadProjection op,
                            const Tokens &x, int64_t part, Value made,
                            Value scales) {
  auto ofHead = [&](Value vector) {
    return lowering.view(vector, 0, {{headOf(each.weights.tile, part), n * 4}});
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
                       /*residual=*/none, x.list, x.low,
                       op.dressing.empty() ? maximum : none, x.at, x.count, n,
                       n * 4, n * 4, /*residual_stride=*/0, precision,
                       OptActivation::None, /*accumulate=*/false);
  dress(op.dressing, rescaled, x, maximum);
  ApuQuantizeOp::create(builder, op.quantize.getLoc(), made, scales, rescaled,
                        x.list, /*low=*/none, maximum, x.at, x.count, n, n,
                        n * 4);
}

/// Up to the softmax, and what the rest needs.
void HeadLoop::attendScores() {
  lowering.loc = nest.attention.getLoc();
  if (hasTail && !nest.tailKey.linear) {
    Value of = group(attending), once = first(attending);
    for (auto [to, from] : {std::pair(&tailKeyRow, &tailKey),
                            std::pair(&tailValueRow, &tailValue)})
      lowering.loadHead(allOf(*to, attending), *from, of, n, zero, 1, once);
    for (auto [to, from] : {std::pair(&tailKeyScaleRow, &tailKeyScale),
                            std::pair(&tailValueScaleRow, &tailValueScale)})
      lowering.loadRows(allOf(*to, attending), *from, of, zero, 1, once);
  }
  Value keys = readAll(key.rows, attending);
  attendedValues = readAll(value.rows, attending);
  forEachMember([&] { attendScoresOf(keys); });
}

void HeadLoop::attendScoresOf(Value keys) {
  fact::QuantizedAttentionOp op = nest.attention;
  Attended &of = attended[member];
  Value at = row(attending), head = queryHead(attending);
  of.maskRows = of.flags = of.argmax = none;
  if (nest.isDifferential)
    of.maskRows = of.selectedMask;
  else if (hasMask)
    of.maskRows = loadBlock(mask, head, at, Memory::Index, "mask");
  if (hasDominated && nest.select) {
    of.flags = blockOf(dominatedRows, attending);
    of.argmax = blockOf(argmaxRows, attending);
  } else if (hasDominated) {
    of.flags = loadBlock(dominated, head, at, Memory::Index, "dominated");
    of.argmax = loadBlock(argmax, head, at, Memory::Index, "argmax");
  }
  int64_t width = lowering.scoreColumns(op);
  of.scores = lowering.sram(Memory::Temp, rows * width * 4, "scores");
  of.probabilities = lowering.sram(Memory::Temp, rows * width, "probabilities");
  of.stats = lowering.sram(Memory::Index, rows * 16, "softmax_stats");
  Value queries = readBlock(query.rows, attending);
  int64_t maskBytes = hasMask ? lowering.maskStride() : 0;
  PeQkOp::create(builder, lowering.loc, of.scores, queries, keys, of.maskRows,
                 of.flags, at, rows, zero, padded, n, width * 4, n, n,
                 maskBytes, window.left, window.right,
                 /*tail=*/false);
  of.tailScores = none;
  if (hasTail) {
    WindowFields all{{}};
    of.tailScores = lowering.sram(Memory::Index, rows * 4, "mean_scores");
    PeQkOp::create(builder, lowering.loc, of.tailScores, queries,
                   allOf(tailKeyRow, attending), none, of.flags, at, rows, zero,
                   1, n, 4, n, n, 0, all.left, all.right, /*tail=*/true);
  }
  ApuSoftmaxOp::create(builder, lowering.loc, of.probabilities, of.stats,
                       of.scores, blockOf(query.scales, attending),
                       allOf(key.scales, attending),
                       allOf(value.scales, attending), of.maskRows, of.flags,
                       at, rows, zero, padded, width, width * 4, maskBytes,
                       op.getScale(), window.left, window.right);
}

void HeadLoop::attendValues() {
  lowering.loc = nest.attention.getLoc();
  forEachMember([&] { attendValuesOf(); });
}

void HeadLoop::attendValuesOf() {
  fact::QuantizedAttentionOp op = nest.attention;
  const Attended &of = attended[member];
  Value at = row(attending), values = attendedValues;
  Value sums = lowering.sram(Memory::Temp, rows * n * 4, "weighted_sums"),
        out = lowering.sram(Memory::Token, rows * n * 4, "context");
  int64_t maskBytes = hasMask ? lowering.maskStride() : 0;
  PePvOp::create(builder, lowering.loc, sums, of.probabilities, values,
                 of.maskRows, of.flags, at, rows, zero, padded, n, n * 4,
                 lowering.scoreColumns(op), n, maskBytes, window.left,
                 window.right,
                 /*accumulate=*/false);
  if (hasDominated)
    ApuCopyDominatedOp::create(builder, lowering.loc, out, values,
                               allOf(value.scales, attending), of.flags,
                               of.argmax, at, rows, zero, padded, n, n * 4, n);
  ApuContextOp::create(builder, lowering.loc, out, sums, of.stats,
                       blockOf(query.scales, attending), of.flags,
                       of.tailScores,
                       hasTail ? allOf(tailKeyScaleRow, attending) : none,
                       hasTail ? allOf(tailValueRow, attending) : none,
                       hasTail ? allOf(tailValueScaleRow, attending) : none, at,
                       rows, n, n * 4, n * 4, op.getScale());
  lowering.storeHead(context, out, queryHead(attending), n * 4, block, rows,
                     at);
}
