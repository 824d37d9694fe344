//===- Repeat.cpp - Elements again and again, blocks of them --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;

/// Repeats each dimension as often as its factor says: \p whole, as tiles, or
/// each element of it.
static LogicalResult setRepeated(NodeImport &node, llvm::ArrayRef<Dim> factors,
                                 bool whole) {
  const ModelTensor &input = node.input(0);
  // A factor is a dimension of its own, of extent 1 until it is repeated.
  Shape aligned, repeated, result;
  SmallVector<int64_t> steps;
  bool isFixed = input.isIntegers();
  SmallVector<int64_t> strides;
  if (isFixed)
    strides = stridesOf(input.shape);
  for (auto [i, extent, factor] : llvm::enumerate(input.shape, factors)) {
    if (!factor.isNonNegative(node.bound) || factor.isConstant(0))
      return node.fail("repeats an extent " + factor.str() + " times");
    std::optional<Dim> product = multiply(extent, factor);
    if (!product)
      return node.fail("repeats an extent of " + extent.str() + " " +
                       factor.str() + " times");
    result.push_back(*product);
    isFixed &= factor.isConstant();
    int64_t step = isFixed ? strides[i] : 0;
    bool repeats = !factor.isConstant(1);
    if (repeats && whole) {
      aligned.push_back(Dim(1));
      repeated.push_back(factor);
      steps.push_back(0);
    }
    aligned.push_back(extent);
    repeated.push_back(extent);
    steps.push_back(step);
    if (repeats && !whole) {
      aligned.push_back(Dim(1));
      repeated.push_back(factor);
      steps.push_back(0);
    }
  }
  if (failed(node.checkSize(result, "result")))
    return failure();
  if (result == input.shape)
    return node.setResult(0, input);
  if (isFixed && countOf(result) <= maxIntegers) {
    ModelTensor picked = pick(input, repeated, 0, steps);
    picked.shape = result;
    return node.setResult(0, std::move(picked));
  }
  Emitter &emit = node.emit;
  Value value = emit.reshape(node.loc, node.anyValue(0), input.shape, aligned);
  value = emit.broadcast(node.loc, value, aligned, repeated);
  return node.setResult(emit.reshape(node.loc, value, repeated, result),
                        result);
}

static LogicalResult importTile(NodeImport &node) {
  FailureOr<SmallVector<Dim>> repeats = node.numbers(1);
  if (failed(repeats))
    return failure();
  if (repeats->size() != node.input(0).shape.size())
    return node.fail("has " + Twine(repeats->size()) + " repeats for " +
                     Twine(node.input(0).rank()) + " dimensions");
  return setRepeated(node, *repeats, /*whole=*/true);
}

/// The dimensions that scales or sizes are given for.
static FailureOr<SmallVector<int64_t>> readAxes(NodeImport &node) {
  int64_t rank = node.input(0).rank();
  FailureOr<SmallVector<int64_t>> axes =
      node.intsAttribute("axes", llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  if (failed(axes))
    return failure();
  return node.distinctAxes(*axes, rank);
}

static FailureOr<SmallVector<Dim>> factorsOf(NodeImport &node,
                                             llvm::ArrayRef<float> scales) {
  SmallVector<Dim> factors;
  for (float scale : scales) {
    if (!(scale >= 1 && scale <= float(1 << 24)) || scale != std::floor(scale))
      return node.fail("scales must be integers of at least 1 (one was " +
                       std::to_string(scale) + ")");
    factors.push_back(Dim(static_cast<int64_t>(scale)));
  }
  return factors;
}

/// Input \p i as factors; it must be a constant.
static FailureOr<SmallVector<Dim>> readScales(NodeImport &node, size_t i) {
  if (!node.hasInput(i) || !node.input(i).isFloats())
    return node.fail("its scales must be floats that are known at compile "
                     "time");
  return factorsOf(node, node.input(i).data->floats());
}

/// Factors that make the input's extents along \p axes those of input \p i.
static FailureOr<SmallVector<Dim>> readSizes(NodeImport &node, size_t i,
                                             llvm::ArrayRef<int64_t> axes) {
  FailureOr<SmallVector<Dim>> sizes = node.numbers(i);
  if (failed(sizes))
    return failure();
  if (sizes->size() != axes.size())
    return sizes;
  for (auto [size, axis] : llvm::zip(*sizes, axes)) {
    Dim extent = node.input(0).shape[axis];
    std::optional<Dim> factor = divide(size, extent);
    if (!factor || !factor->isConstant())
      return node.fail("resizes an extent of " + extent.str() + " to " +
                       size.str() + ", which is no integer scale");
    size = *factor;
  }
  return sizes;
}

/// Nearest elements, where they are those that an integer scale repeats.
static LogicalResult checkNearest(NodeImport &node,
                                  llvm::ArrayRef<Dim> factors) {
  FailureOr<StringRef> coordinates = node.stringAttribute(
                           "coordinate_transformation_mode",
                           node.opset < 11 ? "asymmetric" : "half_pixel"),
                       rounding = node.stringAttribute(
                           "nearest_mode",
                           node.opset < 11 ? "floor" : "round_prefer_floor");
  if (failed(coordinates) || failed(rounding))
    return failure();
  bool isFloor = *rounding == "floor";
  bool isRound = *rounding == "round_prefer_floor";
  bool isSmall =
      llvm::all_of(factors, [](Dim factor) { return factor.offset <= 2; });
  bool isCentred = *coordinates == "half_pixel" ||
                   *coordinates == "pytorch_half_pixel" ||
                   *coordinates == "half_pixel_symmetric";
  if ((*coordinates == "asymmetric" && (isFloor || (isRound && isSmall))) ||
      (*coordinates == "tf_half_pixel_for_nn" && isFloor) ||
      (isCentred && (isRound || *rounding == "round_prefer_ceil")))
    return success();
  return node.fail("rounds coordinates in a way that is not supported: '" +
                   *coordinates + "' with '" + *rounding + "'");
}

/// Attributes that only other modes than nearest look at, and a few that must
/// keep their default.
static LogicalResult checkResizeMode(NodeImport &node) {
  for (StringRef name :
       {"cubic_coeff_a", "exclude_outside", "extrapolation_value", "antialias"})
    node.ignoreAttribute(name);
  FailureOr<StringRef> mode = node.stringAttribute("mode", "nearest"),
                       policy = node.stringAttribute("keep_aspect_ratio_policy",
                                                     "stretch");
  if (failed(mode) || failed(policy))
    return failure();
  if (*mode != "nearest")
    return node.fail("attribute 'mode' must be nearest (was '" + *mode + "')");
  if (*policy != "stretch")
    return node.fail("attribute 'keep_aspect_ratio_policy' must be stretch "
                     "(was '" +
                     *policy + "')");
  return success();
}

static LogicalResult setResized(NodeImport &node, llvm::ArrayRef<int64_t> axes,
                                llvm::ArrayRef<Dim> factors) {
  if (factors.size() != axes.size())
    return node.fail("has " + Twine(factors.size()) + " scales or sizes for " +
                     Twine(axes.size()) + " dimensions");
  SmallVector<Dim> all(node.input(0).rank(), Dim(1));
  for (auto [axis, factor] : llvm::zip(axes, factors))
    all[axis] = factor;
  if (failed(checkNearest(node, all)))
    return failure();
  return setRepeated(node, all, /*whole=*/false);
}

static LogicalResult importResize(NodeImport &node) {
  FailureOr<SmallVector<int64_t>> axes = readAxes(node);
  if (failed(axes) || failed(checkResizeMode(node)))
    return failure();
  bool hasSizes = node.opset >= 11 && node.hasInput(3);
  FailureOr<SmallVector<Dim>> factors =
      hasSizes ? readSizes(node, 3, *axes)
               : readScales(node, node.opset < 11 ? 1 : 2);
  if (failed(factors))
    return failure();
  return setResized(node, *axes, *factors);
}

/// Resize before there was one; scales are an attribute before operator set 9.
static LogicalResult importUpsample(NodeImport &node) {
  if (failed(checkResizeMode(node)))
    return failure();
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(0, node.input(0).rank()));
  FailureOr<SmallVector<Dim>> factors = failure();
  if (node.opset >= 9) {
    factors = readScales(node, 1);
  } else {
    const auto *scales = node.attribute("scales");
    if (!scales || scales->kind != ::fact::onnx::NodeAttribute::Kind::Floats)
      return node.fail("attribute 'scales' must be a list of floats");
    factors = factorsOf(node, scales->floats);
  }
  if (failed(factors))
    return failure();
  return setResized(node, axes, *factors);
}

llvm::ArrayRef<Operator> mlir::fact::repeatOperators() {
  static const Operator operators[] = {
      {"Resize", 10, 1, 4, importResize},
      {"Tile", 6, 2, 2, importTile},
      {"Upsample", 7, 1, 2, importUpsample},
  };
  return operators;
}
