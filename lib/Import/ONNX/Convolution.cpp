//===- Convolution.cpp - Convolutions -------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compose.h"
#include "Window.h"

using namespace mlir;
using namespace mlir::fact;

namespace {

/// What a convolution's operands have in common.
struct ConvolutionShape {
  int64_t groups, channels, features; ///< The last two per group.
  SmallVector<int64_t> kernel;
};

} // namespace

/// Extents of the window: the weights', which kernel_shape repeats.
static FailureOr<SmallVector<int64_t>> readKernel(NodeImport &node,
                                                  llvm::ArrayRef<Dim> spatial) {
  SmallVector<int64_t> kernel;
  for (Dim dim : spatial)
    kernel.push_back(dim.offset);
  if (!node.hasAttribute("kernel_shape"))
    return kernel;
  FailureOr<SmallVector<int64_t>> given = readKernelShape(node, spatial.size());
  if (failed(given))
    return failure();
  if (*given != kernel)
    return node.fail("attribute 'kernel_shape' is not that of the weights, " +
                     str(node.input(1).shape));
  return kernel;
}

static FailureOr<ConvolutionShape> readShape(NodeImport &node) {
  const Shape &input = node.input(0).shape, &weights = node.input(1).shape;
  FailureOr<int64_t> groups = node.intAttribute("group", 1);
  if (failed(groups))
    return failure();
  if (input.size() < 3 || weights.size() != input.size())
    return node.fail("input and weights must have one rank of at least 3 "
                     "(shapes are " +
                     str(input) + " and " + str(weights) + ")");
  if (!llvm::all_of(weights, [](Dim dim) { return dim.isConstant(); }) ||
      !input[1].isConstant())
    return node.fail("channels and weights must not depend on the sequence "
                     "length (shapes are " +
                     str(input) + " and " + str(weights) + ")");
  int64_t channels = input[1].offset, features = weights[0].offset;
  if (*groups < 1 || channels % *groups != 0 || features % *groups != 0)
    return node.fail("attribute 'group' must divide " + Twine(channels) +
                     " channels and " + Twine(features) + " features (was " +
                     Twine(*groups) + ")");
  channels /= *groups;
  if (weights[1] != Dim(channels))
    return node.fail("weights of shape " + str(weights) + " do not fit " +
                     Twine(channels) + " channels in each of " +
                     Twine(*groups) + " groups");
  FailureOr<SmallVector<int64_t>> kernel =
      readKernel(node, llvm::ArrayRef(weights).drop_front(2));
  if (failed(kernel))
    return failure();
  return ConvolutionShape{*groups, channels, features / *groups, *kernel};
}

static LogicalResult checkBias(NodeImport &node) {
  Dim features = node.input(1).shape[0];
  if (!node.hasInput(2) || node.input(2).shape == Shape{features})
    return success();
  return node.fail("bias of shape " + str(node.input(2).shape) +
                   " does not fit " + features.str() + " features");
}

/// What the sums start from: zeros, or the bias at each place.
static Value emitInit(NodeImport &node, const Shape &shape) {
  if (!node.hasInput(2))
    return node.emit.filled(node.loc, shape, node.emit.number(0));
  Shape features{shape[1]};
  Value bias = node.value(2);
  if (!bias)
    return nullptr;
  Shape aligned(shape.size() - 1, Dim(1));
  aligned.front() = shape[1];
  bias = node.emit.reshape(node.loc, bias, features, aligned);
  return node.emit.broadcast(node.loc, bias, aligned, shape);
}

/// Whether each place of a sequence [b, c, places] is multiplied by itself.
static bool isPointwise(const ConvolutionShape &sizes,
                        const PaddedWindow &window, const Shape &input) {
  return input.size() == 3 && sizes.groups == 1 && sizes.kernel.front() == 1 &&
         window.places.front() == input[2] && window.strides.front() == 1;
}

/// A linear layer of the channels, written as one, as raising knows it.
static LogicalResult importPointwise(NodeImport &node) {
  Composition op(node);
  const Shape &weights = node.input(1).shape;
  Composition::Tensor product = op.matmul(
      op.transpose(op.input(0), {0, 2, 1}),
      op.transpose(op.reshape(op.input(1), {weights[0], weights[1]}), {1, 0}));
  if (op.input(2))
    product = op.add(product, op.input(2));
  return op.setResult(op.transpose(product, {0, 2, 1}));
}

/// One loop nest over the padded input. Several groups are a dimension in front
/// of channels and features.
static LogicalResult importConv(NodeImport &node) {
  FailureOr<ConvolutionShape> sizes = readShape(node);
  if (failed(sizes))
    return failure();
  Shape input = node.input(0).shape, weightShape = node.input(1).shape;
  FailureOr<PaddedWindow> window =
      readWindow(node, llvm::ArrayRef(input).drop_front(2), sizes->kernel,
                 /*hasCeilMode=*/false);
  if (failed(window) || failed(checkBias(node)))
    return failure();
  if (isPointwise(*sizes, *window, input))
    return importPointwise(node);
  Shape result{input[0], weightShape[0]};
  result.append(window->places);
  if (failed(node.checkSize(result, "result")))
    return failure();
  Value value = node.value(0), weights = node.value(1);
  Value init = value && weights ? emitInit(node, result) : nullptr;
  if (!init)
    return failure();
  value = padForWindow(node, value, input, *window, 0);
  if (!value)
    return failure();

  Shape grouped = result;
  bool isGrouped = sizes->groups > 1;
  auto split = [&](Value value, Shape &shape, size_t at, int64_t inner) {
    Shape from = shape;
    shape[at] = Dim(inner);
    shape.insert(shape.begin() + at, Dim(sizes->groups));
    return node.emit.reshape(node.loc, value, from, shape);
  };
  if (isGrouped) {
    value = split(value, input, 1, sizes->channels);
    weights = split(weights, weightShape, 0, sizes->features);
    init = split(init, grouped, 1, sizes->features);
  }
  value =
      node.emit.convolve(node.loc, value, weights, init, *window, isGrouped);
  return node.setResult(node.emit.reshape(node.loc, value, grouped, result),
                        result);
}

llvm::ArrayRef<Operator> mlir::fact::convolutionOperators() {
  static const Operator operators[] = {
      {"Conv", 1, 2, 3, importConv},
  };
  return operators;
}
