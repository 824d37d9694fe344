//===- Selection.cpp - Prediction of A, selection, precision, mean --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codes.h"
#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Numerics/Limits.h"

using namespace mlir;
using namespace mlir::factisa;

LogicalResult Lowering::allocateFlags(fact::SelectOp op, int64_t heads,
                                      Storage &kRows, Storage &vRows) {
  Layout flags{heads, 1, /*single=*/false};
  kRows = allocateStorage(flags, "k_rows");
  vRows = allocateStorage(flags, "v_rows");
  auto isOwn = [](Value operand, Value result) {
    return fact::sourceOf(operand) == result;
  };
  for (Operation *user : realUsers(op.getMask())) {
    auto k = dyn_cast<fact::KRowsOp>(user);
    auto v = dyn_cast<fact::VRowsOp>(user);
    bool isOfK = k && isOwn(k.getDominated(), op.getDominated());
    bool isOfV = v && isOwn(v.getDominated(), op.getDominated()) &&
                 isOwn(v.getArgmax(), op.getArgmax());
    if (!isOfK && !isOfV)
      continue;
    Value rows = user->getResult(0);
    int64_t named = cast<ShapedType>(rows.getType()).getDimSize(0);
    if (named != heads) {
      InFlightDiagnostic diagnostic =
          user->emitOpError()
          << "needs a selection whose scores are of as many heads of keys as "
             "it names rows for, "
          << named << " (was " << heads << ")";
      diagnostic.attachNote(op.getLoc()) << "the selection is here";
      return diagnostic;
    }
    setStorage(rows, isOfK ? kRows : vRows);
  }
  return success();
}

FailureOr<Value> Lowering::loadWeightScales(fact::PredictOp op) {
  if (op.isDressed())
    return null();
  FailureOr<Value> query = constantAddress(op.getQueryWeightScale()),
                   key = constantAddress(op.getKeyWeightScale());
  if (failed(query) || failed(key))
    return failure();
  Value scales = sram(Memory::Index, 8, "predictor_scales");
  LoadOp::create(builder, loc, scales, *query, index(0), 1, 4, 4, 4,
                 /*whole=*/true);
  LoadOp::create(builder, loc, view(scales, 4), *key, index(0), 1, 4, 4, 4,
                 /*whole=*/true);
  return scales;
}

SmallVector<double> Lowering::policyNumbers(Value operand, Attribute literal) {
  SmallVector<Attribute> values(1, literal);
  if (operand) {
    values.clear(); // none: loadPolicyNumber() reports it
    for (ElementsAttr value : constantValues(operand))
      values.push_back(*value.getValues<Attribute>().begin());
  }
  SmallVector<double> numbers;
  for (Attribute value : values)
    numbers.push_back(
        isa<FloatAttr>(value)
            ? cast<FloatAttr>(value).getValueAsDouble()
            : static_cast<double>(cast<IntegerAttr>(value).getInt()));
  return numbers;
}

LogicalResult Lowering::loadPolicyNumber(Value to, Value operand,
                                         Attribute literal) {
  FailureOr<Value> from = failure();
  if (operand) {
    from = constantAddress(operand);
    if (failed(from))
      return failure();
  } else {
    // 32 bits each, as operands have.
    auto integer = dyn_cast<IntegerAttr>(literal);
    Attribute value =
        integer ? builder.getI32IntegerAttr(integer.getInt()) : literal;
    auto type = RankedTensorType::get({}, cast<TypedAttr>(value).getType());
    from = constantBuffer({DenseElementsAttr::get(type, value)}).base;
  }
  LoadOp::create(builder, loc, to, *from, index(0), 1, 4, 4, 4,
                 /*whole=*/true);
  return success();
}

FailureOr<Value> Lowering::loadPolicy(fact::SelectOp op) {
  Value policy = sram(Memory::Index, 8, "policy");
  if (failed(loadPolicyNumber(policy, op.getKeepValue(), op.getKeepAttr())) ||
      failed(loadPolicyNumber(view(policy, 4), op.getDominanceValue(),
                              op.getDominanceAttr())))
    return failure();
  return policy;
}

FloatAttr Lowering::expectedShare(Value operand, Attribute literal,
                                  double whole) {
  SmallVector<double> numbers = policyNumbers(operand, literal);
  double sum = 0;
  for (double number : numbers)
    sum += std::min(1.0, number / whole);
  return builder.getF64FloatAttr(sum / static_cast<double>(numbers.size()));
}

FloatAttr Lowering::expectedShare(fact::SelectOp op) {
  return expectedShare(op.getKeepValue(), op.getKeepAttr(),
                       ::fact::numerics::keepAll);
}

Value Lowering::clearedCounts() {
  Value counts = sram(Memory::Index, paddedRows * 4, "counts");
  SelFillOp::create(builder, loc, counts, index(0), paddedRows, 4, 0);
  return counts;
}

Value Lowering::allFlags(int64_t rows) {
  Value flags = sram(Memory::Index, rows, "all_rows");
  SelFillOp::create(builder, loc, flags, index(0), rows, 1, 1);
  return flags;
}

Lowering::NamedRows Lowering::namedRows(Value mask) {
  // Rows of Q are those that are not dominated.
  if (auto rows = fact::definingOp<fact::QRowsOp>(mask))
    return {rows.getDominated(), /*inverted=*/true};
  // Others are known where a selection or the model says so.
  return {hasStorage(mask) || isConstant(mask) ? mask : Value()};
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
  int64_t groups = predict.getGroups(),
          members = static_cast<int64_t>(predict.getHeads()) / groups,
          features =
              cast<ShapedType>(predict.getQuery().getType()).getDimSize(1);
  bool isDressed = predict.isDressed();
  KeyTile tile = keyTile(op.getWindowAttr());
  int64_t n = features / (groups * members), rows = tile.rows, cols = tile.cols,
          queryBytes = codes.bytesOf(predict.getQuery(), n),
          keyBytes = codes.bytesOf(predict.getKey(), n);
  auto predictor = ::fact::numerics::asPredictor<Predictor>(op.getPredictor());

  FailureOr<Storage> q = storageOf(predict.getQuery()),
                     k = storageOf(predict.getKey());
  FailureOr<Storage> queryScale = headsOf(predict.getQueryScale()),
                     keyScale = headsOf(predict.getKeyScale());
  FailureOr<Storage> rowScale =
      isDressed ? FailureOr<Storage>(Storage()) : storageOf(predict.getScale());
  FailureOr<Storage> mask = storageOf(op.getMask()),
                     dominated = storageOf(op.getDominated()),
                     argmax = storageOf(op.getArgmax());
  FailureOr<Storage> count = storageOf(op.getCount());
  if (failed(q) || failed(k) || failed(queryScale) || failed(keyScale) ||
      failed(rowScale) || failed(mask) || failed(dominated) || failed(argmax) ||
      failed(count))
    return failure();

  Storage kRows, vRows;
  if (failed(allocateFlags(op, groups, kRows, vRows)))
    return failure();

  Value zero = index(0), layer = layerOf(op);
  FailureOr<Value> weightScales = loadWeightScales(predict);
  FailureOr<Value> policy = loadPolicy(op);
  if (failed(weightScales) || failed(policy))
    return failure();
  Value counts = clearedCounts();

  WindowFields window(op.getWindowAttr());
  Value none = null();
  loop(Over::Heads, groups, 1, [&](Value group) {
    Value kFlags = sram(Memory::Index, paddedRows, "k_rows"),
          vFlags = sram(Memory::Index, paddedRows, "v_rows");
    SelFillOp::create(builder, loc, kFlags, zero, paddedRows, 1, 0);
    SelFillOp::create(builder, loc, vFlags, zero, paddedRows, 1, 0);
    Value keys, scales, keyRowScales = none;
    auto loadKeys = [&](Value col0) {
      keys = sram(Memory::Temp, cols * keyBytes, "key_codes");
      scales = sram(Memory::Index, cols * 4, "key_scales");
      loadCodes(keys, predict.getKey(), *k, group, n, col0, cols);
      loadRows(scales, *keyScale, group, col0, cols);
      if (isDressed)
        return;
      keyRowScales = sram(Memory::Index, cols * 4, "row_scales");
      loadRows(keyRowScales, *rowScale, zero, col0, cols);
    };
    if (tile.of == KeyTile::Of::Head)
      loadKeys(zero);
    auto selectBlock = [&](Value head, Value row0) {
      Value queries = sram(Memory::Token, rows * queryBytes, "query_codes");
      Value queryScales = sram(Memory::Index, rows * 4, "query_scales");
      Value queryRowScales = none;
      loadCodes(queries, predict.getQuery(), *q, head, n, row0, rows);
      loadRows(queryScales, *queryScale, head, row0, rows);
      if (!isDressed) {
        queryRowScales = sram(Memory::Index, rows * 4, "row_scales");
        loadRows(queryRowScales, *rowScale, zero, row0, rows);
      }
      int64_t width = scoredKeys(tile);
      Value firstCol = firstKey(tile, row0);
      Value scores = sram(Memory::Temp, rows * width * 4, "scores");
      auto score = [&](Value col0) {
        EpScoreOp::create(
            builder, predict.getLoc(),
            tile.isAtOnce() ? scores : view(scores, 0, {{col0, 4}}), queries,
            keys, scales, keyRowScales, row0, rows, col0, cols, n, width * 4,
            queryBytes, keyBytes, codes.scorePredictorOf(predict), window.left,
            window.right);
      };
      if (tile.of == KeyTile::Of::Block)
        loadKeys(firstCol);
      if (tile.isAtOnce())
        score(firstCol);
      else
        loop(Over::Rows, bound, cols, [&](Value col0) {
          loadKeys(col0);
          score(col0);
        });
      Value maskRows = sram(Memory::Index, rows * maskStride(), "mask");
      Value dominatedRows = sram(Memory::Index, rows, "dominated"),
            argmaxRows = sram(Memory::Index, rows * 4, "argmax");
      auto topK = SelTopKOp::create(
          builder, loc, maskRows, dominatedRows, argmaxRows, kFlags, vFlags,
          counts, scores, queryScales, queryRowScales, *weightScales, *policy,
          row0, rows, firstCol, width, maskStride(), width * 4,
          predict.getAttentionScale(), predictor,
          static_cast<int64_t>(op.getHeadNorms().value_or(0)), window.left,
          window.right, layer, head);
      topK->setAttr(kExpectedAttrName, expectedShare(op));
      storeRows(*mask, maskRows, head, row0, rows);
      storeRows(*dominated, dominatedRows, head, row0, rows);
      storeRows(*argmax, argmaxRows, head, row0, rows);
    };
    for (int64_t member = 0; member < members; ++member) {
      Value head = headIn(group, members, member);
      loop(Over::Rows, bound, rows,
           [&](Value row0) { selectBlock(head, row0); });
    }
    storeRows(kRows, kFlags, group, zero, paddedRows);
    storeRows(vRows, vFlags, group, zero, paddedRows);
  });
  storeRows(*count, counts, zero, zero, paddedRows);
  return success();
}

LogicalResult Lowering::lowerSelectAll(fact::SelectAllOp op) {
  FailureOr<Storage> count = storageOf(op.getCount());
  if (failed(count))
    return failure();
  Value counts = sram(Memory::Index, paddedRows * 4, "counts");
  WindowFields window(op.getWindowAttr());
  SelCountAllOp::create(builder, loc, counts, index(0), paddedRows,
                        op.getHeads(), window.left, window.right);
  storeRows(*count, counts, index(0), index(0), paddedRows);
  return success();
}

LogicalResult Lowering::lowerSelectPrecision(fact::SelectPrecisionOp op) {
  FailureOr<Value> counts = loadVector(op.getCount(), "counts");
  FailureOr<Storage> low = storageOf(op.getLow());
  if (failed(counts) || failed(low))
    return failure();
  Value flags = sram(Memory::Index, paddedRows, "low"),
        importance = sram(Memory::Index, 4, "importance");
  if (failed(loadPolicyNumber(importance, op.getImportanceValue(),
                              op.getImportanceAttr())))
    return failure();
  WindowFields window(op.getWindowAttr());
  auto precision =
      SelPrecisionOp::create(builder, loc, flags, *counts, importance,
                             window.left, window.right, layerOf(op));
  // Importances lie about the mean, and hardly beyond twice of it.
  precision->setAttr(kExpectedAttrName,
                     expectedShare(op.getImportanceValue(),
                                   op.getImportanceAttr(), /*whole=*/512));
  storeRows(*low, flags, index(0), index(0), paddedRows);
  return success();
}
