//===- Precision.cpp - Low-precision tokens for linear layers -------------===//
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
#include "fact/Dialect/Fact/Transforms/EncoderLayers.h"
#include "fact/Dialect/Fact/Transforms/LayerPolicies.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/Builders.h"

namespace mlir::fact {
#define GEN_PASS_DEF_PRECISIONPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

struct PrecisionPass : mlir::fact::impl::PrecisionPassBase<PrecisionPass> {
  using Base::Base;

  void runOnOperation() override {
    PolicyNumbers numbers(getOperation());
    auto lowers = [](Operation *op) {
      PolicyAttr policy = policyOf(op);
      return policy && policy.getImportance() != 0;
    };
    for (auto function : getOperation().getOps<FunctionOpInterface>()) {
      if (function.isExternal())
        continue;
      bool any = lowers(function);
      function.walk([&](QuantizedAttentionOp op) { any |= lowers(op); });
      if (!any)
        continue;
      EncoderLayers layers(function);
      for (const EncoderLayer &layer : layers.getLayers()) {
        if (!lowers(layer.attention))
          continue;
        if (failed(numbers.verify(layer.attention)))
          return signalPassFailure();
        runOnLayer(layer, layers, policyOf(layer.attention), numbers);
      }
      for (const EncoderLayers::Other &other : layers.getOthers())
        miss(other.linear, other.reason,
             "low-precision tokens need a layer to which the linear belongs");
    }
  }

private:
  void runOnLayer(const EncoderLayer &layer, const EncoderLayers &layers,
                  PolicyAttr policy, PolicyNumbers &numbers);
  Value findLowTokens(const EncoderLayer &layer, PolicyNumbers &numbers);
  bool lower(Operation *op, Value low, LowPrecision precision);
  void miss(Operation *op, StringRef reason, StringRef suggestion) {
    ++missedLinear;
    missed(op, "LinearNotLowered", "fact-precision")
        << remark::reason("{0}", reason) << remark::suggest("{0}", suggestion);
  }
  /// A linear that stays at INT8 because the policy says so.
  void leave(Operation *op, StringRef reason) {
    ++numLeft;
    remark::analysis(op->getLoc(),
                     remarkOn(op, "LinearAtInt8", "fact-precision"))
        << remark::reason("{0}", reason);
  }

  /// Rows of one layer that are quantized with its low tokens: by their input.
  DenseMap<Value, QuantizeRowsOp> lowRows;
};

} // namespace

/// `low` [L] of a layer, from the counts of its select or, where nothing is
/// predicted, of the full mask.
Value PrecisionPass::findLowTokens(const EncoderLayer &layer,
                                   PolicyNumbers &numbers) {
  OpBuilder builder(layer.attention);
  Location loc = layer.attention->getLoc();
  auto quantized = cast<QuantizedAttentionOp>(layer.attention);
  Value count;
  if (SelectOp select = layer.select) {
    builder.setInsertionPointAfter(select);
    count = select.getCount();
  } else if (quantized.getMask()) {
    miss(layer.attention,
         "its mask comes from no 'fact.select', so that nothing counts how "
         "often a token is kept",
         "let --fact-predict make the mask");
    return {};
  } else {
    // Counts depend on the length only: take the earliest rows that have it.
    Value rows = layer.getContext();
    builder.setInsertionPointAfter(layer.attention);
    if (auto linear = dyn_cast_or_null<QuantizedLinearOp>(layer.key))
      if (auto input = definingOp<QuantizeRowsOp>(linear.getInput())) {
        rows = input.getInput();
        builder.setInsertionPoint(input);
      }
    auto countType = RankedTensorType::get(
        {cast<RankedTensorType>(rows.getType()).getDimSize(0)},
        builder.getI64Type());
    count = SelectAllOp::create(builder, loc, countType, rows, layer.getHeads(),
                                layer.getWindow());
  }
  auto type =
      cast<RankedTensorType>(count.getType()).clone(builder.getI1Type());
  OpFoldResult importance = numbers.importance(layer.attention);
  return SelectPrecisionOp::create(
      builder, loc, type, count,
      cast_if_present<IntegerAttr>(dyn_cast<Attribute>(importance)),
      dyn_cast<Value>(importance), layer.getWindow());
}

void PrecisionPass::runOnLayer(const EncoderLayer &layer,
                               const EncoderLayers &layers, PolicyAttr policy,
                               PolicyNumbers &numbers) {
  bool all = policy.getScope() == Scope::All;
  if (!isa<QuantizedAttentionOp>(layer.attention))
    return miss(layer.attention, "the attention is not quantized",
                "run --fact-quantize first");
  Value low = findLowTokens(layer, numbers);
  if (!low)
    return;
  lowRows.clear();

  for (Operation *linear : layer.meanToken)
    leave(linear, "the mean token always runs at INT8");
  SetVector<Operation *> targets;
  for (Operation *linear :
       {layer.query, layer.key, layer.value, layer.output}) {
    if (!linear)
      continue;
    if (!all)
      leave(linear, "the policy's scope is 'ffn'");
    else if (layers.countProjectionUses(linear) > 1)
      miss(linear, "attentions of several layers read it",
           "give each layer its own projections");
    else
      targets.insert(linear);
  }
  targets.insert(layer.feedForward.begin(), layer.feedForward.end());
  if (layer.feedForward.empty())
    miss(layer.attention,
         "no feed-forward network follows the attention in its function",
         "a feed-forward network is one or more linears whose sum with their "
         "input's stream ends the layer");

  bool changed = false;
  for (Operation *linear : targets)
    changed |= lower(linear, low, policy.getLowPrecision());
  if (!changed && low.use_empty()) {
    Operation *unused = low.getDefiningOp();
    Value count = unused->getOperand(0);
    unused->erase();
    if (count.use_empty() && isa<SelectAllOp>(count.getDefiningOp()))
      count.getDefiningOp()->erase();
    return;
  }
  // `low` may be defined behind a projection that reads it now.
  sortTopologically(layer.attention->getBlock());
}

bool PrecisionPass::lower(Operation *op, Value low, LowPrecision precision) {
  auto linear = dyn_cast<QuantizedLinearOp>(op);
  if (!linear) {
    miss(op, "it is not quantized", "run --fact-quantize first");
    return false;
  }
  if (linear.getLow())
    return false;
  auto rows = definingOp<QuantizeRowsOp>(linear.getInput());
  if (!rows || rows.getLow() ||
      sourceOf(linear.getScale()).getDefiningOp() != rows) {
    miss(op, "it reads no plain 'fact.quantize_rows'",
         "let --fact-quantize make the linear");
    return false;
  }
  if (op->getBlock() != low.getParentBlock()) {
    miss(op, "it is in another block than its attention",
         "keep a layer in one block");
    return false;
  }
  if (dependsOn(low, op)) {
    miss(op, "which tokens are low depends on it",
         "it runs at INT8; a projection that the layer's own selection reads "
         "cannot wait for it");
    return false;
  }
  QuantizeRowsOp &lowered = lowRows[rows.getInput()];
  if (!lowered) {
    OpBuilder builder(rows);
    lowered = QuantizeRowsOp::create(builder, rows.getLoc(),
                                     rows.getQuantized().getType(),
                                     rows.getScale().getType(), rows.getInput(),
                                     castTokens(low, {0}, rows.getInput()));
  }
  Value input = linear.getInput();
  linear.getInputMutable().assign(
      castTokens(lowered.getQuantized(), {0}, input));
  linear.getScaleMutable().assign(castTokens(lowered.getScale(), {0}, input));
  linear.getLowMutable().assign(castTokens(low, {0}, input));
  linear.setPrecision(precision);
  if (rows.use_empty())
    rows.erase();
  ++numLowered;
  return true;
}
