//===- Pool.cpp - Pools ---------------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reduction.h"
#include "Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

static Value larger(OpBuilder &builder, Location loc, ValueRange x) {
  return arith::MaximumFOp::create(builder, loc, x[0], x[1]);
}
static Value sum(OpBuilder &builder, Location loc, ValueRange x) {
  return arith::AddFOp::create(builder, loc, x[0], x[1]);
}

static constexpr float lowest = -std::numeric_limits<float>::infinity();

/// Batch and channels, then what is pooled.
static LogicalResult checkRank(NodeImport &node) {
  if (node.input(0).rank() < 3)
    return node.fail("input must have at least 3 dimensions (shape is " +
                     str(node.input(0).shape) + ")");
  return success();
}

static FailureOr<PaddedWindow> readPool(NodeImport &node) {
  if (failed(checkRank(node)))
    return failure();
  llvm::ArrayRef<Dim> spatial =
      llvm::ArrayRef(node.input(0).shape).drop_front(2);
  FailureOr<SmallVector<int64_t>> kernel =
      readKernelShape(node, spatial.size());
  if (failed(kernel))
    return failure();
  FailureOr<PaddedWindow> window =
      readWindow(node, spatial, *kernel, /*hasCeilMode=*/true);
  if (failed(window))
    return failure();
  // Else a window holds nothing but padding.
  for (size_t i = 0; i < kernel->size(); ++i)
    if (std::max(window->before[i], window->after[i]) >= window->reach(i))
      return node.fail("pads must be smaller than the window");
  return window;
}

/// Input, padded with \p number, and the result's shape.
static FailureOr<Value> readPadded(NodeImport &node, const PaddedWindow &window,
                                   float number, Shape &result) {
  Shape shape = node.input(0).shape;
  result.assign(shape.begin(), shape.begin() + 2);
  result.append(window.places);
  if (failed(node.checkSize(result, "result")))
    return failure();
  Value value = node.value(0);
  if (value)
    value = padForWindow(node, value, shape, window, number);
  if (!value)
    return failure();
  return value;
}

static LogicalResult importMaxPool(NodeImport &node) {
  // The order in which indices count, which nobody asks for.
  node.ignoreAttribute("storage_order");
  if (node.node.outputs.size() > 1 && !node.node.outputs[1].empty())
    return node.fail("its second output, the indices, is not supported");
  FailureOr<PaddedWindow> window = readPool(node);
  if (failed(window))
    return failure();
  Shape result;
  FailureOr<Value> value = readPadded(node, *window, lowest, result);
  if (failed(value))
    return failure();
  return node.setResult(node.emit.pool(node.loc, *value, result, *window,
                                       node.emit.number(lowest), larger),
                        result);
}

/// How many elements each window counts, where that depends on its place: the
/// pool of a tensor of ones.
static FailureOr<Value> emitCounts(NodeImport &node, const PaddedWindow &window,
                                   bool includesPads) {
  PaddedWindow rest = window;
  Shape shape;
  for (auto [i, dim] :
       llvm::enumerate(llvm::ArrayRef(node.input(0).shape).drop_front(2))) {
    std::optional<Dim> counted = dim;
    if (includesPads) {
      counted = add(dim, Dim(window.before[i] + window.after[i]));
      rest.before[i] = rest.after[i] = 0;
    }
    if (!counted)
      return node.fail("padded input is too large");
    shape.push_back(*counted);
  }
  Value ones = node.emit.filled(node.loc, shape, node.emit.number(1));
  ones = padForWindow(node, ones, shape, rest, 0);
  if (!ones)
    return failure();
  return node.emit.pool(node.loc, ones, window.places, window,
                        node.emit.number(0), sum);
}

static LogicalResult importAveragePool(NodeImport &node) {
  FailureOr<int64_t> includesPads = node.intAttribute("count_include_pad", 0);
  if (failed(includesPads))
    return failure();
  FailureOr<PaddedWindow> window = readPool(node);
  if (failed(window))
    return failure();
  Shape result;
  FailureOr<Value> value = readPadded(node, *window, 0, result);
  if (failed(value))
    return failure();
  Value sums = node.emit.pool(node.loc, *value, result, *window,
                              node.emit.number(0), sum);
  // What ceil_mode adds at the end never counts.
  bool isFull = llvm::all_of(window->beyond, [](int64_t n) { return n == 0; });
  ElementwiseOperand divisor;
  if (!window->isPadded() || (*includesPads != 0 && isFull)) {
    double count = 1;
    for (int64_t extent : window->extents)
      count *= static_cast<double>(extent);
    divisor.scalar = static_cast<float>(count);
  } else {
    FailureOr<Value> counts = emitCounts(node, *window, *includesPads != 0);
    if (failed(counts))
      return failure();
    divisor = {*counts, window->places};
  }
  Value average = node.emit.elementwise(
      node.loc, result, {{sums, result}, divisor},
      [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        return arith::DivFOp::create(builder, loc, x[0], x[1]);
      });
  return node.setResult(average, result);
}

/// Over everything but batch and channels.
static LogicalResult importGlobalPool(NodeImport &node) {
  if (failed(checkRank(node)))
    return failure();
  const Shape &shape = node.input(0).shape;
  FailureOr<Reduction> reduction = makeReduction(
      node, shape, llvm::to_vector(llvm::seq<int64_t>(2, shape.size())),
      /*keepDims=*/true);
  Value value = node.value(0);
  if (failed(reduction) || !value)
    return failure();
  if (node.node.opType == "GlobalAveragePool") {
    FailureOr<Value> mean = emitMean(node, value, shape, *reduction);
    if (failed(mean))
      return failure();
    return node.setResult(*mean, reduction->result);
  }
  value = node.emit.reduce(node.loc, value, shape, reduction->reduced,
                           node.emit.number(lowest), larger);
  return node.setResult(
      node.emit.reshape(node.loc, value, reduction->kept, reduction->result),
      reduction->result);
}

llvm::ArrayRef<Operator> mlir::fact::poolOperators() {
  static const Operator operators[] = {
      {"AveragePool", 7, 1, 1, importAveragePool},
      {"GlobalAveragePool", 1, 1, 1, importGlobalPool},
      {"GlobalMaxPool", 1, 1, 1, importGlobalPool},
      {"MaxPool", 1, 1, 1, importMaxPool},
  };
  return operators;
}
