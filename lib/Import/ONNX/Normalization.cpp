//===- Normalization.cpp - Batch, instance, group and other norms ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::fact;

static LogicalResult checkRank(NodeImport &node, int64_t least) {
  if (node.input(0).rank() < least)
    return node.fail("input must have at least " + Twine(least) +
                     " dimensions (shape is " + str(node.input(0).shape) + ")");
  return success();
}

/// Input \p i, one number for each of \p count channels, as \p rank dimensions
/// of which the first one is the channels'. Its value is null, with an error,
/// where it does not fit.
static ElementwiseOperand channelOperand(NodeImport &node, size_t i, Dim count,
                                         size_t rank) {
  Shape channels{count}, aligned(rank, Dim(1));
  aligned.front() = count;
  if (node.input(i).shape != channels) {
    (void)node.fail("input '" + node.node.inputs[i] + "' of shape " +
                    str(node.input(i).shape) + " does not fit an extent of " +
                    count.str());
    return {};
  }
  Value value = node.value(i);
  if (value)
    value = node.emit.reshape(node.loc, value, channels, aligned);
  return {value, aligned};
}

/// value * scale + bias.
static Value emitScaled(NodeImport &node, Value value, const Shape &shape,
                        const ElementwiseOperand &scale,
                        const ElementwiseOperand &bias) {
  return node.emit.elementwise(
      node.loc, shape, {{value, shape}, scale, bias},
      [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        Value product = arith::MulFOp::create(builder, loc, x[0], x[1]);
        return arith::AddFOp::create(builder, loc, product, x[2]);
      });
}

/// Only what a model does after its training.
static LogicalResult checkInference(NodeImport &node) {
  FailureOr<int64_t> training = node.intAttribute("training_mode", 0),
                     spatial = node.intAttribute("spatial", 1);
  node.ignoreAttribute("momentum");
  if (failed(training) || failed(spatial))
    return failure();
  auto isUsed = [](const std::string &output) { return !output.empty(); };
  if (*training != 0 ||
      llvm::any_of(llvm::drop_begin(node.node.outputs), isUsed))
    return node.fail("is in training mode");
  if (*spatial != 1)
    return node.fail("has statistics for each place, which is not supported");
  return success();
}

static LogicalResult importBatchNormalization(NodeImport &node) {
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-5f);
  if (failed(epsilon) || failed(checkInference(node)) ||
      failed(checkRank(node, 2)))
    return failure();
  const Shape &shape = node.input(0).shape;
  Value value = node.value(0);
  if (!value)
    return failure();
  ElementwiseOperand channels[4], added;
  added.scalar = *epsilon;
  for (auto [i, operand] : llvm::enumerate(channels)) {
    operand = channelOperand(node, i + 1, shape[1], shape.size() - 1);
    if (!operand.value)
      return failure();
  }
  auto &[scale, bias, mean, variance] = channels;
  ElementwiseOperand factor{
      node.emit.elementwise(
          node.loc, scale.shape, {scale, variance, added},
          [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
            Value sum = arith::AddFOp::create(builder, loc, x[1], x[2]);
            Value deviation = math::SqrtOp::create(builder, loc, sum);
            return arith::DivFOp::create(builder, loc, x[0], deviation);
          }),
      scale.shape};
  Value centred = node.emit.elementwise(
      node.loc, shape, {{value, shape}, mean},
      [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        return arith::SubFOp::create(builder, loc, x[0], x[1]);
      });
  return node.setResult(emitScaled(node, centred, shape, factor, bias), shape);
}

/// Standardized over the dimensions from the third one on.
static FailureOr<Value> standardizePlaces(NodeImport &node, Value value,
                                          const Shape &shape, float epsilon) {
  FailureOr<Reduction> reduction = makeReduction(
      node, shape, llvm::to_vector(llvm::seq<int64_t>(2, shape.size())),
      /*keepDims=*/true);
  if (failed(reduction))
    return failure();
  return standardize(node, value, shape, *reduction, {epsilon});
}

/// Each channel of each image by itself.
static LogicalResult importInstanceNormalization(NodeImport &node) {
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-5f);
  if (failed(epsilon) || failed(checkRank(node, 3)))
    return failure();
  const Shape &shape = node.input(0).shape;
  size_t rank = shape.size() - 1;
  ElementwiseOperand scale = channelOperand(node, 1, shape[1], rank),
                     bias = channelOperand(node, 2, shape[1], rank);
  Value value = scale.value && bias.value ? node.value(0) : nullptr;
  if (!value)
    return failure();
  FailureOr<Value> normal = standardizePlaces(node, value, shape, *epsilon);
  if (failed(normal))
    return failure();
  return node.setResult(emitScaled(node, *normal, shape, scale, bias), shape);
}

/// Groups of channels together. Scale and bias are those of a channel from
/// operator set 21 on; before, of a group.
static LogicalResult importGroupNormalization(NodeImport &node) {
  FailureOr<float> epsilon = node.floatAttribute("epsilon", 1e-5f);
  FailureOr<int64_t> groups = node.intAttribute("num_groups", std::nullopt);
  node.ignoreAttribute("stash_type");
  if (failed(epsilon) || failed(groups) || failed(checkRank(node, 3)))
    return failure();
  const Shape &shape = node.input(0).shape;
  if (!shape[1].isConstant() || *groups < 1 || shape[1].offset % *groups != 0)
    return node.fail("attribute 'num_groups' must divide " + shape[1].str() +
                     " channels (was " + Twine(*groups) + ")");
  Shape grouped = shape;
  grouped[1] = Dim(shape[1].offset / *groups);
  grouped.insert(grouped.begin() + 1, Dim(*groups));
  bool perChannel = node.opset >= 21;
  const Shape &scaled = perChannel ? shape : grouped;
  size_t rank = scaled.size() - 1;
  ElementwiseOperand scale = channelOperand(node, 1, scaled[1], rank),
                     bias = channelOperand(node, 2, scaled[1], rank);
  Value value = scale.value && bias.value ? node.value(0) : nullptr;
  if (!value)
    return failure();
  value = node.emit.reshape(node.loc, value, shape, grouped);
  FailureOr<Value> normal = standardizePlaces(node, value, grouped, *epsilon);
  if (failed(normal))
    return failure();
  value = *normal;
  if (!perChannel)
    value = emitScaled(node, value, grouped, scale, bias);
  value = node.emit.reshape(node.loc, value, grouped, shape);
  if (perChannel)
    value = emitScaled(node, value, shape, scale, bias);
  return node.setResult(value, shape);
}

static LogicalResult importMeanVarianceNormalization(NodeImport &node) {
  const Shape &shape = node.input(0).shape;
  FailureOr<SmallVector<int64_t>> axes =
      node.intsAttribute("axes", SmallVector<int64_t>{0, 2, 3});
  if (failed(axes))
    return failure();
  FailureOr<Reduction> reduction =
      makeReduction(node, shape, *axes, /*keepDims=*/true);
  Value value = node.value(0);
  if (failed(reduction) || !value)
    return failure();
  FailureOr<Value> normal =
      standardize(node, value, shape, *reduction, {0, 1e-9f});
  if (failed(normal))
    return failure();
  return node.setResult(*normal, shape);
}

/// Sum of magnitudes, or root of the sum of squares, in the reduction's shape.
static Value emitNorm(NodeImport &node, Value value, const Shape &shape,
                      const Reduction &reduction, bool isSquare) {
  Value sum = node.emit.reduce(
      node.loc, value, shape, reduction.reduced, node.emit.number(0),
      [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        Value term;
        if (isSquare)
          term = arith::MulFOp::create(builder, loc, x[0], x[0]);
        else
          term = math::AbsFOp::create(builder, loc, x[0]);
        return arith::AddFOp::create(builder, loc, x[1], term);
      });
  if (isSquare)
    sum = node.emit.elementwise(
        node.loc, reduction.kept, ElementwiseOperand{sum, reduction.kept},
        [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
          return math::SqrtOp::create(builder, loc, x[0]);
        });
  return node.emit.reshape(node.loc, sum, reduction.kept, reduction.result);
}

/// Rows of length 1 in the norm of one or two; rows of zeros stay.
static LogicalResult importLpNormalization(NodeImport &node) {
  const Shape &shape = node.input(0).shape;
  FailureOr<int64_t> axis = node.intAttribute("axis", -1),
                     p = node.intAttribute("p", 2);
  if (failed(axis) || failed(p))
    return failure();
  if (*p != 1 && *p != 2)
    return node.fail("attribute 'p' must be 1 or 2 (was " + Twine(*p) + ")");
  FailureOr<Reduction> reduction =
      makeReduction(node, shape, *axis, /*keepDims=*/true);
  Value value = node.value(0);
  if (failed(reduction) || !value)
    return failure();
  Value norm = emitNorm(node, value, shape, *reduction, *p == 2);
  Value result = node.emit.elementwise(
      node.loc, shape, {{value, shape}, {norm, reduction->result}},
      [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        Value zero =
            arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
        Value isZero = arith::CmpFOp::create(
            builder, loc, arith::CmpFPredicate::OEQ, x[1], zero);
        Value scaled = arith::DivFOp::create(builder, loc, x[0], x[1]);
        return arith::SelectOp::create(builder, loc, isZero, zero, scaled);
      });
  return node.setResult(result, shape);
}

llvm::ArrayRef<Operator> mlir::fact::normalizationOperators() {
  static const Operator operators[] = {
      {"BatchNormalization", 7, 5, 5, importBatchNormalization},
      {"GroupNormalization", 18, 3, 3, importGroupNormalization},
      {"InstanceNormalization", 6, 3, 3, importInstanceNormalization},
      {"LpNormalization", 1, 1, 1, importLpNormalization},
      {"MeanVarianceNormalization", 9, 1, 1, importMeanVarianceNormalization},
  };
  return operators;
}
