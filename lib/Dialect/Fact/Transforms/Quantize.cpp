//===- Quantize.cpp - Dense linear layers and attention to INT8 -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/IR/Weights.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"
#include "fact/Numerics/Formats.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::fact {
#define GEN_PASS_DEF_QUANTIZEPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// Position of element `index` of a tensor of `type`, as "[3, 7]".
static std::string position(ShapedType type, int64_t index) {
  SmallVector<int64_t> indices(type.getRank());
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    indices[dim] = index % type.getDimSize(dim);
    index /= type.getDimSize(dim);
  }
  std::string text = "[";
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(indices, stream);
  return text + "]";
}

namespace {

struct QuantizePass : mlir::fact::impl::QuantizePassBase<QuantizePass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(checkWeights()))
      return signalPassFailure();
    getOperation().walk([&](Block *block) {
      rows.clear();
      weights.clear();
      for (Operation &op : llvm::make_early_inc_range(*block)) {
        if (auto linear = dyn_cast<LinearOp>(op))
          quantize(linear);
        else if (auto attention = dyn_cast<AttentionOp>(op))
          quantize(attention);
      }
    });
  }

private:
  LogicalResult checkWeights();
  LogicalResult checkParameter(Operation *op, StringRef name, Value parameter,
                               SymbolUserMap &users);
  void quantize(LinearOp op);
  void quantize(AttentionOp op);

  /// Quantized rows and weights of the current block, so that the projections
  /// of one attention share theirs.
  DenseMap<Value, QuantizeRowsOp> rows;
  DenseMap<Value, QuantizeWeightOp> weights;
  /// Parameters that are known to be usable.
  DenseSet<Attribute> checked;
};

} // namespace

/// Section 2: a weight that is not finite or > 2^50 is a compile-time error.
LogicalResult QuantizePass::checkWeights() {
  SymbolTableCollection symbols;
  SymbolUserMap users(symbols, getOperation());
  LogicalResult result = success();
  auto check = [&](Operation *op, StringRef name, Value parameter) {
    if (parameter && failed(checkParameter(op, name, parameter, users)))
      result = failure();
  };
  getOperation().walk([&](Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op)) {
      check(op, "weight", linear.getWeight());
      check(op, "bias", linear.getBias());
    } else if (auto norm = dyn_cast<NormOp>(op)) {
      check(op, "gamma", norm.getGamma());
      check(op, "beta", norm.getBeta());
    } else if (auto rotate = dyn_cast<RotateOp>(op)) {
      check(op, "table of cosines", rotate.getCos());
      check(op, "table of sines", rotate.getSin());
    }
  });
  checked.clear();
  return result;
}

LogicalResult QuantizePass::checkParameter(Operation *op, StringRef name,
                                           Value parameter,
                                           SymbolUserMap &users) {
  for (Value source : sourcesAcrossCalls(parameter, users)) {
    Attribute constant;
    if (!matchPattern(source, m_Constant(&constant)) ||
        !checked.insert(constant).second)
      continue;
    std::optional<ConstantElements<float>> values =
        ConstantElements<float>::of(constant);
    if (!values)
      continue;
    int64_t index =
        ::fact::numerics::findUnusable(values->data(), values->size());
    if (index < 0)
      continue;
    auto diagnostic =
        op->emitOpError()
        << "needs a finite " << name << " of magnitude 2^50 at most (was "
        << StringRef(llvm::formatv("{0:e3}", (*values)[index]).str()).lower()
        << " at " << position(cast<ShapedType>(source.getType()), index) << ")";
    diagnostic.attachNote(source.getLoc()) << name << " defined here";
    return diagnostic;
  }
  return success();
}

/// `rows` of f32 as INT8 rows, quantized once a block.
static QuantizeRowsOp quantizeRows(OpBuilder &builder, Location loc,
                                   Value rows) {
  auto type = cast<RankedTensorType>(rows.getType());
  return QuantizeRowsOp::create(
      builder, loc, type.clone(builder.getI8Type()),
      RankedTensorType::get({type.getDimSize(0)}, builder.getF32Type()), rows,
      /*low=*/Value());
}

void QuantizePass::quantize(LinearOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  QuantizeRowsOp &input = rows[op.getInput()];
  if (!input)
    input = quantizeRows(builder, loc, op.getInput());
  QuantizeWeightOp &weight = weights[op.getWeight()];
  if (!weight) {
    auto type = cast<RankedTensorType>(op.getWeight().getType());
    weight = QuantizeWeightOp::create(
        builder, loc, type.clone(builder.getI8Type()),
        RankedTensorType::get({type.getDimSize(1)}, builder.getF32Type()),
        op.getWeight());
  }
  auto quantized = QuantizedLinearOp::create(
      builder, loc, op.getType(), input.getQuantized(), input.getScale(),
      weight.getQuantized(), weight.getScale(), op.getBias(), /*low=*/Value(),
      /*rows=*/Value(),
      /*precision=*/LowPrecisionAttr());
  op.replaceAllUsesWith(quantized.getResult());
  op.erase();
  ++numLinear;
}

void QuantizePass::quantize(AttentionOp op) {
  OpBuilder builder(op);
  auto split = [&](Value input, int64_t heads) {
    auto type = cast<RankedTensorType>(input.getType());
    auto scale = RankedTensorType::get({heads, type.getDimSize(0)},
                                       builder.getF32Type());
    return QuantizeHeadsOp::create(builder, op.getLoc(),
                                   type.clone(builder.getI8Type()), scale,
                                   input, /*rows=*/Value(), heads);
  };
  int64_t groups = op.getGroups();
  QuantizeHeadsOp q = split(op.getQuery(), op.getHeads()),
                  k = split(op.getKey(), groups),
                  v = split(op.getValue(), groups);
  auto quantized = QuantizedAttentionOp::create(
      builder, op.getLoc(), op.getType(), q.getQuantized(), q.getScale(),
      k.getQuantized(), k.getScale(), v.getQuantized(), v.getScale(),
      /*mask=*/Value(), /*dominated=*/Value(), /*argmax=*/Value(),
      /*tail_key=*/Value(), /*tail_key_scale=*/Value(), /*tail_value=*/Value(),
      /*tail_value_scale=*/Value(), op.getHeadsAttr(), op.getScaleAttr(),
      op.getWindowAttr());
  if (Attribute policy = op->getAttr(kPolicyAttrName))
    quantized->setAttr(kPolicyAttrName, policy);
  op.replaceAllUsesWith(quantized.getResult());
  op.erase();
  ++numAttention;
}
