//===- Softmax.cpp - Softmax and its logarithm ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

/// x - max - log(sum(exp(x - max))): no logarithm of what exp rounds to 0.
static Value emitLogSoftmax(Emitter &emit, Location loc, Value value,
                            const Shape &shape, int64_t axis) {
  SmallVector<bool> reduced(shape.size());
  reduced[axis] = true;
  Shape kept = shape, aligned = shape;
  kept.erase(kept.begin() + axis);
  aligned[axis] = Dim(1);
  auto reduce = [&](Value of, float initial, Emitter::Body body) {
    Value result =
        emit.reduce(loc, of, shape, reduced, emit.number(initial), body);
    return ElementwiseOperand{emit.reshape(loc, result, kept, aligned),
                              aligned};
  };
  ElementwiseOperand largest =
      reduce(value, -std::numeric_limits<float>::infinity(),
             [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
               return arith::MaximumFOp::create(builder, loc, x[0], x[1]);
             });
  Value centred = emit.elementwise(
      loc, shape, {{value, shape}, largest},
      [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        return arith::SubFOp::create(builder, loc, x[0], x[1]);
      });
  ElementwiseOperand sum = reduce(
      centred, 0, [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        Value exp = math::ExpOp::create(builder, loc, x[0]);
        return arith::AddFOp::create(builder, loc, x[1], exp);
      });
  return emit.elementwise(
      loc, shape, {{centred, shape}, sum},
      [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        Value log = math::LogOp::create(builder, loc, x[1]);
        return arith::SubFOp::create(builder, loc, x[0], log);
      });
}

/// From operator set 13 on along one axis. Before, over all dimensions from
/// the axis on together.
static LogicalResult importSoftmax(NodeImport &node) {
  Value value = node.value(0);
  if (!value)
    return failure();
  auto emit = [&](Value value, const Shape &shape, int64_t axis) {
    return node.node.opType == "LogSoftmax"
               ? emitLogSoftmax(node.emit, node.loc, value, shape, axis)
               : node.emit.softmax(node.loc, value, shape, axis);
  };
  const Shape &shape = node.input(0).shape;
  if (shape.empty())
    return node.fail("input must have at least one dimension");
  bool flattens = node.opset < 13;
  FailureOr<int64_t> axis = node.axisAttribute(flattens ? 1 : -1, shape.size());
  if (failed(axis))
    return failure();
  // Trailing ones do not count.
  size_t significant = shape.size();
  while (significant > static_cast<size_t>(*axis) + 1 &&
         shape[significant - 1].isConstant(1))
    --significant;
  if (!flattens || significant == static_cast<size_t>(*axis) + 1)
    return node.setResult(emit(value, shape, *axis), shape);
  Product outer, inner;
  bool fits = true;
  for (size_t i = 0; i < shape.size(); ++i)
    fits &= (i < static_cast<size_t>(*axis) ? outer : inner).multiply(shape[i]);
  if (!fits || !outer.asDim() || !inner.asDim())
    return node.fail("normalizes over several open dimensions");
  Shape flat{*outer.asDim(), *inner.asDim()};
  Value matrix = node.emit.reshape(node.loc, value, shape, flat);
  matrix = emit(matrix, flat, 1);
  return node.setResult(node.emit.reshape(node.loc, matrix, flat, shape),
                        shape);
}

llvm::ArrayRef<Operator> mlir::fact::softmaxOperators() {
  static const Operator operators[] = {
      {"LogSoftmax", 1, 1, 1, importSoftmax},
      {"Softmax", 1, 1, 1, importSoftmax},
  };
  return operators;
}
