//===- Predict.cpp - Eager prediction and selection for attention ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/LayerPolicies.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace mlir::fact {
#define GEN_PASS_DEF_PREDICTPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// A projection of attention that prediction can see through.
struct Projection {
  QuantizedLinearOp linear;
  QuantizeRowsOp rows; ///< quantizes the projection's input
  Value weight;        ///< in f32
  /// Norms and rotary embeddings between the projection and attention, in
  /// order.
  SmallVector<Operation *, 2> dressing;

  bool hasNorm() const { return llvm::any_of(dressing, llvm::IsaPred<NormOp>); }
};

/// Why an attention cannot be predicted, and what would help.
struct Obstacle {
  std::string reason;
  std::string suggestion;
};

struct PredictPass : mlir::fact::impl::PredictPassBase<PredictPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](AttentionOp op) {
      miss(op, {"it is not quantized", "run --fact-quantize first"});
    });
    SmallVector<QuantizedAttentionOp> attentions;
    getOperation().walk([&](QuantizedAttentionOp op) {
      if (!op.getMask())
        attentions.push_back(op);
    });
    PolicyNumbers numbers(getOperation());
    if (failed(numbers.verifyCalls()))
      return signalPassFailure();
    for (QuantizedAttentionOp op : attentions)
      if (failed(numbers.verify(op)))
        return signalPassFailure();
    for (QuantizedAttentionOp op : attentions)
      predict(op, numbers);
  }

private:
  void miss(Operation *op, const Obstacle &obstacle);
  void predict(QuantizedAttentionOp op, PolicyNumbers &numbers);
};

} // namespace

void PredictPass::miss(Operation *op, const Obstacle &obstacle) {
  ++missedAttention;
  missed(op, "AttentionNotPredicted", "fact-predict")
      << remark::reason("{0}", obstacle.reason)
      << remark::suggest("{0}", obstacle.suggestion);
}

/// Finds the projection behind one operand of attention and its scale.
static FailureOr<Projection> findProjection(StringRef name, Value operand,
                                            Value scale, Obstacle &obstacle) {
  auto fail = [&](const Twine &reason,
                  const Twine &suggestion) -> FailureOr<Projection> {
    obstacle = {("the " + name + " " + reason).str(), suggestion.str()};
    return failure();
  };
  auto heads = definingOp<QuantizeHeadsOp>(operand);
  if (!heads || sourceOf(scale).getDefiningOp() != heads)
    return fail("is not the result of one 'fact.quantize_heads'",
                "let --fact-quantize make the attention");
  Projection result;
  Value rows = undressed(heads.getInput(), result.dressing);
  bool isMasked =
      heads.getRows() || llvm::any_of(result.dressing, [](Operation *op) {
        auto norm = dyn_cast<NormOp>(op);
        return norm ? bool(norm.getRows()) : bool(cast<RotateOp>(op).getRows());
      });
  result.linear = definingOp<QuantizedLinearOp>(rows);
  if (!result.linear)
    return fail("projection is not visible",
                "keep the projection as a 'fact.linear' in the attention's own "
                "function");
  if (isMasked || result.linear.getLow() || result.linear.getRows())
    return fail("projection is masked already",
                "run --fact-predict before --fact-precision and --fact-fuse");
  result.rows = definingOp<QuantizeRowsOp>(result.linear.getInput());
  if (!result.rows ||
      sourceOf(result.linear.getScale()).getDefiningOp() != result.rows ||
      result.rows.getLow())
    return fail("projection reads no plain 'fact.quantize_rows'",
                "let --fact-quantize make the projection");
  auto weight = definingOp<QuantizeWeightOp>(result.linear.getWeight());
  if (!weight)
    return fail("projection's float32 weight is not visible",
                "run --fact-predict before --fact-hoist-weights");
  result.weight = weight.getWeight();
  return result;
}

namespace {

/// Builds the ops of sections 4 and 5 in front of one attention.
class PredictionBuilder {
public:
  PredictionBuilder(QuantizedAttentionOp op, PolicyAttr policy,
                    PolicyNumbers &numbers)
      : builder(op), op(op), policy(policy), numbers(numbers), loc(op.getLoc()),
        heads(op.getHeads()), groups(op.getGroups()) {}

  void build(Projection query, Projection key, std::optional<Projection> value);

private:
  struct Codes {
    Value codes;       ///< [L, d] i8, of the shifted accumulators
    Value scale;       ///< [h, L] f32, 2^s; of dressed rows 2^e
    Value weightScale; ///< f32
  };
  Codes project(Projection projection, PredictorOperand operand,
                Value activation, int64_t heads, bool isDressed);
  Value dress(const Projection &projection, Value sums, Value weightScale,
              Value bias);
  Value encode(PredictorOperand operand, Value input) {
    return EncodeOp::create(builder, loc, input.getType(),
                            policy.getPredictor(), operand, input);
  }
  QuantizeHeadsOp quantizeMeanToken(QuantizeRowsOp token,
                                    QuantizedLinearOp linear);
  RankedTensorType tensor(ArrayRef<int64_t> shape, Type element) {
    return RankedTensorType::get(shape, element);
  }

  OpBuilder builder;
  QuantizedAttentionOp op;
  PolicyAttr policy;
  PolicyNumbers &numbers;
  Location loc;
  int64_t heads, groups; ///< Of queries, and of keys and values.
};

} // namespace

/// Predicted rows of a projection, dressed as the projection's own are: section
/// 10.
Value PredictionBuilder::dress(const Projection &projection, Value sums,
                               Value weightScale, Value bias) {
  Type type = cast<RankedTensorType>(sums.getType())
                  .clone(cast<Type>(builder.getF32Type()));
  QuantizeRowsOp rows = projection.rows;
  Value dressed = RescaleOp::create(builder, loc, type, sums, rows.getScale(),
                                    weightScale, bias);
  for (Operation *op : projection.dressing) {
    Operation *copy = builder.clone(*op);
    copy->setOperand(0, dressed);
    dressed = copy->getResult(0);
    dressed.setType(type); // as many tokens as the rows have
  }
  return dressed;
}

/// Stage 1 of one projection: section 4.2 to 4.4 and the codes of 4.5; where
/// queries or keys are dressed, section 10's.
PredictionBuilder::Codes
PredictionBuilder::project(Projection projection, PredictorOperand operand,
                           Value activation, int64_t heads, bool isDressed) {
  auto weightType = cast<RankedTensorType>(projection.weight.getType());
  auto weight = QuantizePredictorWeightOp::create(
      builder, loc, weightType.clone(builder.getI8Type()),
      tensor({}, builder.getF32Type()), projection.weight);
  Value weightCodes = encode(PredictorOperand::Weight, weight.getQuantized());

  // Undressed, K's bias adds a constant to a row of scores: dropped.
  Value bias, rowScale;
  if (Value linearBias = projection.linear.getBias();
      linearBias && (isDressed || operand == PredictorOperand::Query)) {
    bias = PredictorBiasOp::create(builder, loc, linearBias.getType(),
                                   policy.getPredictor(), linearBias,
                                   isDressed ? Value() : weight.getScale());
    rowScale = projection.rows.getScale();
  }
  // As many tokens as the rows have, whatever casts lie behind.
  auto linearType = cast<RankedTensorType>(projection.linear.getType());
  auto resultType = linearType.clone(
      {cast<RankedTensorType>(activation.getType()).getDimSize(0),
       linearType.getDimSize(1)});
  Value sums = LogMatmulOp::create(
      builder, loc, resultType.clone(builder.getI32Type()), activation,
      weightCodes, isDressed ? Value() : bias, isDressed ? Value() : rowScale);
  Type codeType = resultType.clone(builder.getI8Type()),
       scaleType =
           tensor({heads, resultType.getDimSize(0)}, builder.getF32Type());
  if (isDressed) {
    auto quantized = QuantizeHeadsOp::create(
        builder, loc, codeType, scaleType,
        dress(projection, sums, weight.getScale(), bias), /*rows=*/Value(),
        heads);
    return {encode(operand, quantized.getQuantized()), quantized.getScale(),
            weight.getScale()};
  }
  auto shifted =
      NormalizeHeadsOp::create(builder, loc, codeType, scaleType, sums, heads);
  return {encode(operand, shifted.getResult()), shifted.getScale(),
          weight.getScale()};
}

/// K or V of the mean token: section 3 with INT8 weights, quantized per head.
QuantizeHeadsOp PredictionBuilder::quantizeMeanToken(QuantizeRowsOp token,
                                                     QuantizedLinearOp linear) {
  auto type =
      tensor({1, cast<RankedTensorType>(linear.getType()).getDimSize(1)},
             builder.getF32Type());
  Value row = QuantizedLinearOp::create(
      builder, loc, type, token.getQuantized(), token.getScale(),
      linear.getWeight(), linear.getWeightScale(), linear.getBias(),
      /*low=*/Value(), /*rows=*/Value(),
      /*precision=*/LowPrecisionAttr());
  return QuantizeHeadsOp::create(builder, loc, type.clone(builder.getI8Type()),
                                 tensor({groups, 1}, builder.getF32Type()), row,
                                 /*rows=*/Value(), groups);
}

void PredictionBuilder::build(Projection query, Projection key,
                              std::optional<Projection> value) {
  Value rows = query.rows.getQuantized(), rowScale = query.rows.getScale();
  int64_t length = cast<RankedTensorType>(rows.getType()).getDimSize(0);
  Value activation = encode(PredictorOperand::Activation, rows);
  bool isDressed = !query.dressing.empty() || !key.dressing.empty();
  Codes q =
      project(query, PredictorOperand::Query, activation, heads, isDressed);
  Codes k = project(key, PredictorOperand::Key, activation, groups, isDressed);
  auto predict = PredictOp::create(
      builder, loc, tensor({heads, length, length}, builder.getF32Type()),
      tensor({heads, length}, builder.getF32Type()), q.codes, q.scale, k.codes,
      k.scale, isDressed ? Value() : rowScale,
      isDressed ? Value() : q.weightScale, isDressed ? Value() : k.weightScale,
      builder.getI64IntegerAttr(heads), op.getScaleAttr());

  // How many sides of the scores a norm has on its way.
  int64_t norms = query.hasNorm() + key.hasNorm();
  OpFoldResult keep = numbers.keep(op), dominance = numbers.dominance(op);
  auto select = SelectOp::create(
      builder, loc, tensor({heads, length, length}, builder.getI1Type()),
      tensor({heads, length}, builder.getI1Type()),
      tensor({heads, length}, builder.getI32Type()),
      tensor({length}, builder.getI64Type()),
      PredictorAttr::get(op.getContext(), policy.getPredictor()),
      predict.getScores(), predict.getUnit(),
      cast_if_present<IntegerAttr>(dyn_cast<Attribute>(keep)),
      dyn_cast<Value>(keep),
      cast_if_present<FloatAttr>(dyn_cast<Attribute>(dominance)),
      dyn_cast<Value>(dominance),
      norms > 0 ? builder.getI64IntegerAttr(norms) : IntegerAttr(),
      op.getWindowAttr());
  op.getMaskMutable().assign(
      castTokens(select.getMask(), {1, 2}, op.getQuery()));
  if (policy.getDominance().getValueAsDouble() > 0) {
    op.getDominatedMutable().assign(
        castTokens(select.getDominated(), {1}, op.getQuery()));
    op.getArgmaxMutable().assign(
        castTokens(select.getArgmax(), {1}, op.getQuery()));
  }
  if (!value)
    return;

  Value a = key.rows.getInput();
  int64_t features = cast<RankedTensorType>(a.getType()).getDimSize(1);
  Value mean = MeanTokenOp::create(
      builder, loc, tensor({1, features}, builder.getF32Type()), a);
  auto token = QuantizeRowsOp::create(
      builder, loc, tensor({1, features}, builder.getI8Type()),
      tensor({1}, builder.getF32Type()), mean, /*low=*/Value());
  QuantizeHeadsOp meanKey = quantizeMeanToken(token, key.linear);
  QuantizeHeadsOp meanValue = quantizeMeanToken(token, value->linear);
  op.getTailKeyMutable().assign(meanKey.getQuantized());
  op.getTailKeyScaleMutable().assign(meanKey.getScale());
  op.getTailValueMutable().assign(meanValue.getQuantized());
  op.getTailValueScaleMutable().assign(meanValue.getScale());
}

/// Why no mean token may stand for the keys that a row drops; null where one
/// may.
static const char *whyNoMeanToken(QuantizedAttentionOp op,
                                  const Projection &query,
                                  const Projection &key,
                                  const FailureOr<Projection> &value) {
  if (op.getWindow())
    return "a row sees the keys of its window alone";
  if (!query.dressing.empty() || !key.dressing.empty() ||
      (succeeded(value) && !value->dressing.empty()))
    return "the query, the key or the value has a norm or a rotary embedding, "
           "and a mean of dressed rows stands for none of them";
  return nullptr;
}

void PredictPass::predict(QuantizedAttentionOp op, PolicyNumbers &numbers) {
  PolicyAttr policy = policyOf(op);
  if (!policy)
    return miss(op, {"no policy holds for it",
                     "set 'fact.policy' on the function or the module"});
  ::fact::numerics::Policy rules = policyFrom(policy);
  if (!rules.predicts())
    return;

  Obstacle obstacle;
  FailureOr<Projection> query =
      findProjection("query", op.getQuery(), op.getQueryScale(), obstacle);
  if (failed(query))
    return miss(op, obstacle);
  FailureOr<Projection> key =
      findProjection("key", op.getKey(), op.getKeyScale(), obstacle);
  if (failed(key))
    return miss(op, obstacle);
  if (sourceOf(query->rows.getInput()) != sourceOf(key->rows.getInput()))
    return miss(op, {"query and key come from different rows: cross attention",
                     "only self-attention, whose projections read one input, "
                     "can be predicted"});

  std::optional<Projection> value;
  if (rules.hasMeanToken()) {
    FailureOr<Projection> found =
        findProjection("value", op.getValue(), op.getValueScale(), obstacle);
    if (const char *reason = whyNoMeanToken(op, *query, *key, found)) {
      missed(op, "NoMeanToken", "fact-predict")
          << remark::reason("the policy wants a mean token, but {0}", reason)
          << remark::suggest("choose tail = none for this function");
    } else {
      if (failed(found))
        return miss(op, obstacle);
      if (sourceOf(found->rows.getInput()) != sourceOf(key->rows.getInput()))
        return miss(op, {"the policy wants a mean token, but value and key "
                         "come from different rows",
                         "choose tail = none for this function"});
      value = *found;
      ++numMeanToken;
    }
  }
  PredictionBuilder(op, policy, numbers).build(*query, *key, value);
  ++numPredicted;
}
