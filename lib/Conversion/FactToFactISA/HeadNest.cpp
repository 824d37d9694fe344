//===- HeadNest.cpp - What one loop over heads can do ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadNest.h"

#include "Codes.h"
#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Values.h"

using namespace mlir;
using namespace mlir::factisa;

const char *HeadNest::whyNotDifferential() const {
  if (!select)
    return "no selection is made in the loop over heads, which would say block "
           "by block what rows of K and V are wanted";
  if (!attention)
    return "the selection is for loops that follow";
  if (!HeadProjection(key).linear.getRows() ||
      !HeadProjection(value).linear.getRows())
    return "all rows of K or V are wanted, whatever the selection says";
  return nullptr;
}

SmallVector<Operation *> HeadNest::ops() const {
  SmallVector<Operation *> all;
  auto add = [&](const HeadProjection &each) {
    all.push_back(each.linear);
    llvm::append_range(all, each.dressing);
    all.push_back(each.quantize);
  };
  for (const HeadPrediction *side : {&queryCode, &keyCode}) {
    if (side->normalize)
      all.push_back(side->normalize);
    if (side->rescale) {
      all.push_back(side->rescale);
      llvm::append_range(all, side->dressing);
      all.push_back(side->quantize);
      if (side->encode && !isIdentity(side->encode))
        all.push_back(side->encode);
    }
  }
  if (select)
    all.push_back(select);
  for (const HeadProjection *each : {&tailKey, &tailValue})
    if (each->linear)
      add(*each);
  if (!attention)
    return all;
  if (speculation)
    all.push_back(speculation->mixed);
  for (const HeadProjection *each : {&query, &key, &value})
    add(*each);
  all.push_back(attention);
  return all;
}

int64_t HeadNest::getHeads() const {
  if (attention)
    return static_cast<int64_t>(
        fact::QuantizedAttentionOp(attention).getHeads());
  return static_cast<int64_t>(fact::PredictOp(predict).getHeads());
}

int64_t HeadNest::getGroups() const {
  if (attention)
    return fact::QuantizedAttentionOp(attention).getGroups();
  return fact::PredictOp(predict).getGroups();
}

Value HeadNest::getTokens() const {
  if (speculation)
    return fact::QuantizeRowsOp(speculation->exact).getQuantized();
  if (attention)
    return fact::QuantizedLinearOp(query.linear).getInput();
  return queryCode.rows;
}

Value HeadNest::getTokenScale() const {
  if (speculation)
    return fact::QuantizeRowsOp(speculation->exact).getScale();
  if (attention)
    return fact::QuantizedLinearOp(query.linear).getScale();
  if (queryCode.rescale)
    return fact::RescaleOp(queryCode.rescale).getScale();
  return fact::PredictOp(predict).getScale();
}

namespace {
class Finder {
public:
  Finder(const DenseSet<Operation *> &allowed, const PredictorCodes &codes)
      : allowed(allowed), codes(codes) {}

  std::optional<HeadNest> run(mlir::fact::QuantizedAttentionOp attention,
                              bool withSelection) {
    nest.attention = attention;
    auto heads = static_cast<int64_t>(attention.getHeads());
    int64_t groups = attention.getGroups();
    if (!project(attention.getQuery(), attention.getQueryScale(), heads,
                 nest.query) ||
        !project(attention.getKey(), attention.getKeyScale(), groups,
                 nest.key) ||
        !project(attention.getValue(), attention.getValueScale(), groups,
                 nest.value))
      return std::nullopt;
    for (HeadProjection *each : {&nest.key, &nest.value})
      if (!isSame(each->linear.getInput(), nest.query.linear.getInput()) ||
          !isSame(each->linear.getScale(), nest.query.linear.getScale()) ||
          !isSame(each->linear.getLow(), nest.query.linear.getLow()))
        return std::nullopt;
    addTail();
    if (withSelection)
      addSelection();
    return nest;
  }

  std::optional<HeadNest> run(mlir::fact::SelectOp select) {
    mlir::fact::PredictOp predict = predictOf(select);
    if (!predict)
      return std::nullopt;
    nest.select = select;
    nest.predict = predict;
    addCodes();
    // Whoever stored codes of dressed rows, their own scales are no tokens'.
    if (predict.isDressed() && !nest.queryCode.rescale)
      return std::nullopt;
    return nest;
  }

private:
  static bool isSame(Value a, Value b) {
    return (a ? Lowering::root(a) : a) == (b ? Lowering::root(b) : b);
  }

  /// Whether only `user` reads a value.
  static bool isFor(Value value, Operation *user) {
    return llvm::all_of(realUsers(value),
                        [&](Operation *other) { return other == user; });
  }

  /// What dresses rows on their way to what quantizes them head by head; the
  /// rows as they come is what is left. False where other ops read them on the
  /// way, or heads or the rows that are made are others.
  bool undress(mlir::fact::QuantizeHeadsOp quantize, Value &rows,
               Dressing &dressing) const {
    rows = mlir::fact::undressed(quantize.getInput(), dressing);
    Operation *reader = quantize;
    for (Operation *op : llvm::reverse(dressing)) {
      auto norm = dyn_cast<mlir::fact::NormOp>(op);
      auto rotate = dyn_cast<mlir::fact::RotateOp>(op);
      Value masked = norm ? norm.getRows() : rotate.getRows();
      uint64_t heads = norm ? norm.getHeads().value_or(0) : rotate.getHeads();
      if (!allowed.contains(op) || !isFor(op->getResult(0), reader) ||
          heads != quantize.getHeads() || !isSame(masked, quantize.getRows()))
        return false;
      reader = op;
    }
    return true;
  }

  bool project(Value rows, Value scale, int64_t heads, HeadProjection &result) {
    auto quantize = mlir::fact::definingOp<mlir::fact::QuantizeHeadsOp>(rows);
    if (!quantize || !allowed.contains(quantize) ||
        mlir::fact::sourceOf(scale) != quantize.getScale() ||
        static_cast<int64_t>(quantize.getHeads()) != heads ||
        !isFor(quantize.getQuantized(), nest.attention) ||
        !isFor(quantize.getScale(), nest.attention))
      return false;
    Value plain;
    Dressing dressing;
    if (!undress(quantize, plain, dressing))
      return false;
    auto linear = mlir::fact::definingOp<mlir::fact::QuantizedLinearOp>(plain);
    Operation *reader = dressing.empty() ? quantize : dressing.front();
    if (!linear || !allowed.contains(linear) ||
        !isFor(linear.getResult(), reader) ||
        !isSame(linear.getRows(), quantize.getRows()))
      return false;
    result = {linear, dressing, quantize};
    return true;
  }

  void addTail() {
    mlir::fact::QuantizedAttentionOp attention = nest.attention;
    HeadProjection key, value;
    int64_t groups = attention.getGroups();
    if (!attention.getTailKey() ||
        !project(attention.getTailKey(), attention.getTailKeyScale(), groups,
                 key) ||
        !project(attention.getTailValue(), attention.getTailValueScale(),
                 groups, value) ||
        !isTailOf(key, nest.key) || !isTailOf(value, nest.value) ||
        !isSame(key.linear.getInput(), value.linear.getInput()) ||
        !isSame(key.linear.getScale(), value.linear.getScale()))
      return;
    nest.tailKey = key;
    nest.tailValue = value;
  }

  static bool isTailOf(HeadProjection &tail, HeadProjection &of) {
    return tail.dressing.empty() && of.dressing.empty() &&
           !tail.linear.getRows() && !tail.linear.getLow() &&
           isSame(tail.linear.getWeight(), of.linear.getWeight()) &&
           isSame(tail.linear.getWeightScale(), of.linear.getWeightScale()) &&
           isSame(tail.linear.getBias(), of.linear.getBias());
  }

  void addSelection() {
    mlir::fact::QuantizedAttentionOp attention = nest.attention;
    auto select =
        mlir::fact::definingOp<mlir::fact::SelectOp>(attention.getMask());
    // Rows at low precision need the importance of all heads.
    if (!select || !allowed.contains(select) || nest.query.linear.getLow() ||
        mlir::fact::sourceOf(attention.getDominated()) !=
            select.getDominated() ||
        mlir::fact::sourceOf(attention.getArgmax()) != select.getArgmax())
      return;
    mlir::fact::PredictOp predict = predictOf(select);
    if (!predict || predict.getHeads() != attention.getHeads() ||
        predict.getGroups() != attention.getGroups())
      return;
    // A mean token that needs the selection is there after its loop.
    HeadProjection tail = nest.tailKey;
    if (tail.linear && mlir::fact::dependsOn(tail.linear.getInput(), select))
      return;
    // Each projection's rows are its own of this selection, or all.
    auto q = mlir::fact::definingOp<mlir::fact::QRowsOp>(
        nest.query.linear.getRows());
    auto k =
        mlir::fact::definingOp<mlir::fact::KRowsOp>(nest.key.linear.getRows());
    auto v = mlir::fact::definingOp<mlir::fact::VRowsOp>(
        nest.value.linear.getRows());
    if (bool(q) != bool(nest.query.linear.getRows()) ||
        bool(k) != bool(nest.key.linear.getRows()) ||
        bool(v) != bool(nest.value.linear.getRows()))
      return;
    SmallVector<Operation *> known = {attention};
    for (Operation *rows :
         {q.getOperation(), k.getOperation(), v.getOperation()})
      if (rows)
        known.push_back(rows);
    for (Value result :
         {select.getMask(), select.getDominated(), select.getArgmax()})
      for (Operation *user : realUsers(result))
        if (!llvm::is_contained(known, user))
          return;
    for (auto [rows, each] : {std::pair(q.getOperation(), &nest.query),
                              std::pair(k.getOperation(), &nest.key),
                              std::pair(v.getOperation(), &nest.value)})
      if (rows)
        for (Operation *user : realUsers(rows->getResult(0)))
          if (user != each->linear.getOperation() &&
              user != each->quantize.getOperation() &&
              !llvm::is_contained(each->dressing, user))
            return;
    if ((k &&
         mlir::fact::sourceOf(k.getDominated()) != select.getDominated()) ||
        (v &&
         (mlir::fact::sourceOf(v.getDominated()) != select.getDominated() ||
          mlir::fact::sourceOf(v.getArgmax()) != select.getArgmax())))
      return;
    nest.select = select;
    nest.predict = predict;
    if (predict.isDressed() ||
        isSame(predict.getScale(), nest.query.linear.getScale()))
      addCodes();
  }

  /// The one prediction that a selection is made of.
  static mlir::fact::PredictOp predictOf(mlir::fact::SelectOp select) {
    auto predict =
        mlir::fact::definingOp<mlir::fact::PredictOp>(select.getScores());
    if (!predict ||
        mlir::fact::definingOp<mlir::fact::PredictOp>(select.getUnit()) !=
            predict ||
        !isFor(predict.getScores(), select) ||
        !isFor(predict.getUnit(), select))
      return {};
    return predict;
  }

  void addCodes() {
    HeadPrediction query, key;
    if (!predictSide(nest.predict.getQuery(), nest.predict.getQueryScale(),
                     nest.getHeads(), query))
      return;
    // Both sides are of the same rows.
    nest.queryCode = query;
    if (predictSide(nest.predict.getKey(), nest.predict.getKeyScale(),
                    nest.getGroups(), key))
      nest.keyCode = key;
    else
      nest.queryCode = {};
  }

  bool predictSide(Value code, Value scale, int64_t heads,
                   HeadPrediction &result) {
    // Codes that are the numbers themselves are no op of their own.
    result.encode = mlir::fact::definingOp<mlir::fact::EncodeOp>(code);
    if (result.encode && !isFor(result.encode.getResult(), nest.predict))
      return false;
    Value numbers = result.encode ? result.encode.getInput() : code;
    if (nest.predict.isDressed() ? !findDressed(numbers, scale, heads, result)
                                 : !findShifted(numbers, scale, heads, result))
      return false;
    std::tie(result.rows, result.predictor) = codes.projectionOf(result.matmul);
    Value tokens = nest.getTokens();
    return !tokens || isSame(result.rows, tokens);
  }

  /// Whether `op` makes the numbers that a side of the scores is a code of.
  template <typename Op>
  bool makesNumbers(Op op, Value numbers, Value scale, int64_t heads,
                    const HeadPrediction &side) {
    return op && allowed.contains(op) &&
           static_cast<int64_t>(op.getHeads()) == heads &&
           mlir::fact::sourceOf(scale) == op.getScale() &&
           isFor(op.getScale(), nest.predict) &&
           llvm::all_of(realUsers(numbers), [&](Operation *user) {
             return user == nest.predict || user == side.encode;
           });
  }

  /// Codes of shifted sums.
  bool findShifted(Value numbers, Value scale, int64_t heads,
                   HeadPrediction &result) {
    auto normalize =
        mlir::fact::definingOp<mlir::fact::NormalizeHeadsOp>(numbers);
    if (!makesNumbers(normalize, numbers, scale, heads, result) ||
        (result.encode && codes.isEncodedAlone(result.encode)))
      return false;
    auto matmul =
        mlir::fact::definingOp<mlir::fact::LogMatmulOp>(normalize.getInput());
    if (!matmul || !isFor(matmul.getResult(), normalize) ||
        (matmul.getBias() && !isSame(matmul.getScale(), nest.getTokenScale())))
      return false;
    result.matmul = matmul;
    result.normalize = normalize;
    return true;
  }

  /// Codes of dressed rows.
  bool findDressed(Value numbers, Value scale, int64_t heads,
                   HeadPrediction &result) {
    auto quantize =
        mlir::fact::definingOp<mlir::fact::QuantizeHeadsOp>(numbers);
    Value plain;
    if (!makesNumbers(quantize, numbers, scale, heads, result) ||
        quantize.getRows() ||
        (result.encode && !isIdentity(result.encode) &&
         !allowed.contains(result.encode)) ||
        !undress(quantize, plain, result.dressing))
      return false;
    auto rescale = mlir::fact::definingOp<mlir::fact::RescaleOp>(plain);
    Operation *reader =
        result.dressing.empty() ? quantize : result.dressing.front();
    if (!rescale || !allowed.contains(rescale) ||
        !isFor(rescale.getResult(), reader))
      return false;
    auto matmul =
        mlir::fact::definingOp<mlir::fact::LogMatmulOp>(rescale.getInput());
    Value tokens = nest.attention || nest.queryCode.rescale
                       ? nest.getTokenScale()
                       : Value();
    if (!matmul || matmul.getBias() || !isFor(matmul.getResult(), rescale) ||
        (tokens && !isSame(rescale.getScale(), tokens)))
      return false;
    result.matmul = matmul;
    result.rescale = rescale;
    result.quantize = quantize;
    return true;
  }

  const DenseSet<Operation *> &allowed;
  const PredictorCodes &codes;
  HeadNest nest;
};
} // namespace

std::optional<HeadNest>
factisa::findHeadNest(fact::QuantizedAttentionOp attention,
                      const DenseSet<Operation *> &allowed,
                      const PredictorCodes &codes, bool withSelection) {
  return Finder(allowed, codes).run(attention, withSelection);
}

std::optional<HeadNest>
factisa::findHeadNest(fact::SelectOp select,
                      const DenseSet<Operation *> &allowed,
                      const PredictorCodes &codes) {
  return Finder(allowed, codes).run(select);
}
