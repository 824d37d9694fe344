//===- Selection.cpp - Prediction of A, selection, precision, mean --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Values.h"

using namespace mlir;
using namespace mlir::factisa;

void Lowering::allocateFlags(fact::SelectOp op, int64_t heads, Storage &kRows,
                             Storage &vRows) {
  Layout flags{heads, 1, /*single=*/false};
  kRows = allocateStorage(flags, "k_rows");
  vRows = allocateStorage(flags, "v_rows");
  auto isOwn = [](Value operand, Value result) {
    return fact::sourceOf(operand) == result;
  };
  for (Operation *user : realUsers(op.getMask())) {
    if (auto rowsOp = dyn_cast<fact::KRowsOp>(user);
        rowsOp && isOwn(rowsOp.getDominated(), op.getDominated()))
      setStorage(rowsOp.getResult(), kRows);
    if (auto rowsOp = dyn_cast<fact::VRowsOp>(user);
        rowsOp && isOwn(rowsOp.getDominated(), op.getDominated()) &&
        isOwn(rowsOp.getArgmax(), op.getArgmax()))
      setStorage(rowsOp.getResult(), vRows);
  }
}

LogicalResult Lowering::lowerSelect(fact::SelectOp op) {
  auto predict = fact::definingOp<fact::PredictOp>(op.getScores());
  if (!predict || fact::definingOp<fact::PredictOp>(op.getUnit()) != predict) {
    InFlightDiagnostic diagnostic =
        op.emitOpError() << "can only be lowered where its scores and unit "
                            "are one fact.predict's";
    diagnostic.attachNote(op.getScores().getLoc()) << "scores from here";
    diagnostic.attachNote(op.getUnit().getLoc()) << "unit from here";
    return diagnostic;
  }
  // What the engine counts as additions is what its queries are codes of.
  auto query = fact::definingOp<fact::EncodeOp>(predict.getQuery());
  auto scorePredictor = ::fact::numerics::asPredictor<Predictor>(
      query ? query.getPredictor() : fact::Predictor::Exact);

  int64_t heads = predict.getHeads(),
          features =
              cast<ShapedType>(predict.getQuery().getType()).getDimSize(1);
  int64_t n = features / heads, rows = blockRows();
  bool allKeys = tiling.cols >= bound;
  int64_t cols = allKeys ? paddedRows : tiling.cols;
  auto predictor = ::fact::numerics::asPredictor<Predictor>(op.getPredictor());

  FailureOr<Storage> q = storageOf(predict.getQuery()),
                     k = storageOf(predict.getKey());
  FailureOr<Storage> queryScale = headsOf(predict.getQueryScale()),
                     keyScale = headsOf(predict.getKeyScale());
  FailureOr<Storage> rowScale = storageOf(predict.getScale());
  FailureOr<Storage> mask = storageOf(op.getMask()),
                     dominated = storageOf(op.getDominated()),
                     argmax = storageOf(op.getArgmax());
  FailureOr<Storage> count = storageOf(op.getCount());
  FailureOr<Value> queryWeightScale =
      constantAddress(predict.getQueryWeightScale());
  FailureOr<Value> keyWeightScale =
      constantAddress(predict.getKeyWeightScale());
  if (failed(q) || failed(k) || failed(queryScale) || failed(keyScale) ||
      failed(rowScale) || failed(mask) || failed(dominated) || failed(argmax) ||
      failed(count) || failed(queryWeightScale) || failed(keyWeightScale))
    return failure();

  Storage kRows, vRows;
  allocateFlags(op, heads, kRows, vRows);

  Value zero = index(0), layer = layerOf(op);
  Value weightScales = sram(Memory::Index, 8, "predictor_scales");
  LoadOp::create(builder, loc, weightScales, *queryWeightScale, zero, 1, 4, 4,
                 4, /*whole=*/true);
  LoadOp::create(builder, loc, view(weightScales, 4), *keyWeightScale, zero, 1,
                 4, 4, 4, /*whole=*/true);
  Value counts = sram(Memory::Index, paddedRows * 4, "counts");
  SelFillOp::create(builder, loc, counts, zero, paddedRows, 4, 0);

  loop(Over::Heads, heads, 1, [&](Value head) {
    Value kFlags = sram(Memory::Index, paddedRows, "k_rows"),
          vFlags = sram(Memory::Index, paddedRows, "v_rows");
    SelFillOp::create(builder, loc, kFlags, zero, paddedRows, 1, 0);
    SelFillOp::create(builder, loc, vFlags, zero, paddedRows, 1, 0);
    Value keys, scales, keyRowScales;
    auto loadKeys = [&](Value col0) {
      keys = sram(Memory::Temp, cols * n, "key_codes");
      scales = sram(Memory::Index, cols * 4, "key_scales");
      keyRowScales = sram(Memory::Index, cols * 4, "row_scales");
      LoadOp::create(builder, loc, keys,
                     view(k->base, 0, {{head, n}, {col0, features}}), col0,
                     cols, n, n, features, false);
      loadRows(scales, *keyScale, head, col0, cols);
      loadRows(keyRowScales, *rowScale, zero, col0, cols);
    };
    if (allKeys)
      loadKeys(zero);
    loop(Over::Rows, bound, rows, [&](Value row0) {
      Value queries = sram(Memory::Token, rows * n, "query_codes");
      Value queryScales = sram(Memory::Index, rows * 4, "query_scales");
      Value queryRowScales = sram(Memory::Index, rows * 4, "row_scales");
      LoadOp::create(builder, loc, queries,
                     view(q->base, 0, {{head, n}, {row0, features}}), row0,
                     rows, n, n, features, false);
      loadRows(queryScales, *queryScale, head, row0, rows);
      loadRows(queryRowScales, *rowScale, zero, row0, rows);
      Value scores = sram(Memory::Temp, rows * paddedRows * 4, "scores");
      auto score = [&](Value col0) {
        EpScoreOp::create(builder, predict.getLoc(),
                          view(scores, 0, {{col0, 4}}), queries, keys, scales,
                          keyRowScales, row0, rows, col0, cols, n,
                          paddedRows * 4, n, n, scorePredictor);
      };
      if (allKeys)
        score(zero);
      else
        loop(Over::Rows, bound, cols, [&](Value col0) {
          loadKeys(col0);
          score(col0);
        });
      Value maskRows = sram(Memory::Index, rows * maskStride(), "mask");
      Value dominatedRows = sram(Memory::Index, rows, "dominated"),
            argmaxRows = sram(Memory::Index, rows * 4, "argmax");
      SelTopKOp::create(
          builder, loc, maskRows, dominatedRows, argmaxRows, kFlags, vFlags,
          counts, scores, queryScales, queryRowScales, weightScales, row0, rows,
          maskStride(), paddedRows * 4, op.getKeep(), op.getDominance(),
          predict.getAttentionScale(), predictor, op.getCausal(), layer, head);
      storeRows(*mask, maskRows, head, row0, rows);
      storeRows(*dominated, dominatedRows, head, row0, rows);
      storeRows(*argmax, argmaxRows, head, row0, rows);
    });
    storeRows(kRows, kFlags, head, zero, paddedRows);
    storeRows(vRows, vFlags, head, zero, paddedRows);
  });
  storeRows(*count, counts, zero, zero, paddedRows);
  return success();
}

LogicalResult Lowering::lowerSelectAll(fact::SelectAllOp op) {
  FailureOr<Storage> count = storageOf(op.getCount());
  if (failed(count))
    return failure();
  Value counts = sram(Memory::Index, paddedRows * 4, "counts");
  SelCountAllOp::create(builder, loc, counts, index(0), paddedRows,
                        op.getHeads(), op.getCausal());
  storeRows(*count, counts, index(0), index(0), paddedRows);
  return success();
}

LogicalResult Lowering::lowerSelectPrecision(fact::SelectPrecisionOp op) {
  FailureOr<Storage> count = storageOf(op.getCount()),
                     low = storageOf(op.getLow());
  if (failed(count) || failed(low))
    return failure();
  Value counts = sram(Memory::Index, paddedRows * 4, "counts"),
        flags = sram(Memory::Index, paddedRows, "low");
  loadRows(counts, *count, index(0), index(0), paddedRows);
  SelPrecisionOp::create(builder, loc, flags, counts, op.getImportance(),
                         layerOf(op));
  storeRows(*low, flags, index(0), index(0), paddedRows);
  return success();
}
