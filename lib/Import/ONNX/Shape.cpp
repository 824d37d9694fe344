//===- Shape.cpp - Operators that change and ask for extents --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each works on what is computed at run time (tensor and linalg operations) and
// on constants and shape arithmetic (at import).
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"
#include "Transpose.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

/// The same elements with other extents; the caller checks their number.
static ModelTensor withShape(const ModelTensor &tensor,
                             llvm::ArrayRef<Dim> shape) {
  SmallVector<int64_t> steps = stridesOf(shape);
  return pick(tensor, shape, 0, steps);
}

LogicalResult mlir::fact::transpose(NodeImport &node, ModelTensor &tensor,
                                    llvm::ArrayRef<int64_t> permutation) {
  Shape shape;
  for (int64_t dimension : permutation)
    shape.push_back(tensor.shape[dimension]);
  if (tensor.isRuntime()) {
    tensor = ModelTensor::runtime(
        node.emit.transpose(node.loc, tensor.value, tensor.shape, permutation),
        shape);
    return success();
  }
  SmallVector<int64_t> strides = stridesOf(tensor.shape), steps;
  for (int64_t dimension : permutation)
    steps.push_back(strides[dimension]);
  tensor = pick(tensor, shape, 0, steps);
  return success();
}

static LogicalResult importTranspose(NodeImport &node) {
  ModelTensor tensor = node.input(0);
  SmallVector<int64_t> reversed =
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, tensor.rank())));
  FailureOr<SmallVector<int64_t>> permutation =
      node.intsAttribute("perm", reversed);
  if (failed(permutation))
    return failure();
  SmallVector<int64_t> sorted = *permutation;
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, tensor.rank())))
    return node.fail("attribute 'perm' is no permutation of " +
                     Twine(tensor.rank()) + " dimensions");
  if (failed(transpose(node, tensor, *permutation)))
    return failure();
  return node.setResult(0, tensor);
}

/// Reshape, Squeeze and the rest: the result has as many elements.
static LogicalResult setReshaped(NodeImport &node, const Shape &shape) {
  const ModelTensor &input = node.input(0);
  std::string change = str(input.shape) + " to " + str(shape);
  if (shape.size() > NodeImport::maxRank)
    return node.fail("reshapes to more than " + Twine(NodeImport::maxRank) +
                     " dimensions");
  if (input.isRuntime()) {
    Value value = node.emit.reshape(node.loc, input.value, input.shape, shape);
    if (!value)
      return node.fail("reshapes " + change);
    return node.setResult(value, shape);
  }
  Product before, after;
  bool fits = true;
  for (Dim dim : input.shape)
    fits &= before.multiply(dim);
  for (Dim dim : shape)
    fits &= after.multiply(dim) && dim.isConstant();
  if (!fits || !(before == after))
    return node.fail("reshapes a constant from " + change);
  return node.setResult(0, withShape(input, shape));
}

static LogicalResult importReshape(NodeImport &node) {
  FailureOr<SmallVector<Dim>> target = node.numbers(1);
  FailureOr<int64_t> allowZero = node.intAttribute("allowzero", 0);
  if (failed(target) || failed(allowZero))
    return failure();
  const Shape &from = node.input(0).shape;
  if (node.fixedLength > 0 && *allowZero == 0)
    target = openedTarget(from, *target, node.fixedLength);
  Shape shape;
  std::optional<size_t> inferred;
  Product rest, all;
  for (Dim dim : from)
    if (!all.multiply(dim))
      return node.fail("input is too large: " + str(from));
  for (auto [i, dim] : llvm::enumerate(*target)) {
    if (dim.isConstant(-1)) {
      if (inferred)
        return node.fail("new shape has -1 twice");
      inferred = i;
      shape.push_back(Dim(1));
      continue;
    }
    if (dim.isConstant(0) && *allowZero == 0) {
      if (i >= from.size())
        return node.fail("new shape keeps dimension " + Twine(i) +
                         ", which the input, " + str(from) + ", does not have");
      dim = from[i];
    }
    if (!dim.isNonNegative(node.bound) || dim.isConstant(0))
      return node.fail("new shape has extent " + dim.str());
    if (!rest.multiply(dim))
      return node.fail("new shape is too large: " + str(*target));
    shape.push_back(dim);
  }
  if (inferred) {
    std::optional<Dim> dim = all.divide(rest) ? all.asDim() : std::nullopt;
    if (!dim)
      return node.fail("reshapes " + str(from) + " to " + str(*target));
    shape[*inferred] = *dim;
  }
  return setReshaped(node, shape);
}

static LogicalResult importFlatten(NodeImport &node) {
  const Shape &from = node.input(0).shape;
  int64_t rank = from.size();
  FailureOr<int64_t> axis = node.intAttribute("axis", 1);
  if (failed(axis))
    return failure();
  if (*axis < -rank || *axis > rank)
    return node.fail("axis must be in [" + Twine(-rank) + ", " + Twine(rank) +
                     "] (was " + Twine(*axis) + ")");
  int64_t first = *axis < 0 ? *axis + rank : *axis;
  Product outer, inner;
  bool fits = true;
  for (int64_t i = 0; i < rank; ++i)
    fits &= (i < first ? outer : inner).multiply(from[i]);
  if (!fits || !outer.asDim() || !inner.asDim())
    return node.fail("flattens several open dimensions: " + str(from));
  return setReshaped(node, {*outer.asDim(), *inner.asDim()});
}

/// Axes are an attribute until operator set 12, then an input.
static FailureOr<std::optional<SmallVector<int64_t>>>
readAxes(NodeImport &node) {
  if (node.opset >= 13) {
    if (!node.hasInput(1))
      return std::optional<SmallVector<int64_t>>();
    FailureOr<SmallVector<int64_t>> axes = node.integers(1);
    if (failed(axes))
      return failure();
    return std::optional(*axes);
  }
  if (!node.hasAttribute("axes"))
    return std::optional<SmallVector<int64_t>>();
  FailureOr<SmallVector<int64_t>> axes = node.intsAttribute("axes");
  if (failed(axes))
    return failure();
  return std::optional(*axes);
}

static LogicalResult importSqueeze(NodeImport &node) {
  auto axes = readAxes(node);
  if (failed(axes))
    return failure();
  const Shape &from = node.input(0).shape;
  SmallVector<bool> dropped(from.size());
  if (*axes) {
    for (int64_t each : **axes) {
      FailureOr<int64_t> axis = node.axis(each, from.size());
      if (failed(axis))
        return failure();
      if (!from[*axis].isConstant(1))
        return node.fail("drops dimension " + Twine(*axis) + " of extent " +
                         from[*axis].str());
      dropped[*axis] = true;
    }
  } else {
    for (auto [dim, drop] : llvm::zip(from, dropped))
      drop = dim.isConstant(1);
  }
  Shape shape;
  for (auto [dim, drop] : llvm::zip(from, dropped))
    if (!drop)
      shape.push_back(dim);
  return setReshaped(node, shape);
}

static LogicalResult importUnsqueeze(NodeImport &node) {
  auto axes = readAxes(node);
  if (failed(axes))
    return failure();
  if (!*axes)
    return node.fail("does not say which dimensions it adds");
  const Shape &from = node.input(0).shape;
  size_t rank = from.size() + (*axes)->size();
  if (rank > NodeImport::maxRank)
    return node.fail("result has more than " + Twine(NodeImport::maxRank) +
                     " dimensions");
  FailureOr<SmallVector<int64_t>> distinct = node.distinctAxes(**axes, rank);
  if (failed(distinct))
    return failure();
  SmallVector<bool> added(rank);
  for (int64_t axis : *distinct)
    added[axis] = true;
  Shape shape;
  size_t next = 0;
  for (bool add : added)
    shape.push_back(add ? Dim(1) : from[next++]);
  return setReshaped(node, shape);
}

static LogicalResult importExpand(NodeImport &node) {
  FailureOr<SmallVector<Dim>> target = node.numbers(1);
  if (failed(target))
    return failure();
  const ModelTensor &input = node.input(0);
  bool isOpen =
      llvm::any_of(input.shape, [](Dim d) { return !d.isConstant(); });
  for (Dim &dim : *target)
    if (isOpen && node.fixedLength > 1 && dim.isConstant(node.fixedLength))
      dim = Dim(1, 0);
  for (Dim dim : *target)
    if (!dim.isNonNegative(node.bound) || dim.isConstant(0))
      return node.fail("new shape has extent " + dim.str());
  std::string why;
  std::optional<Shape> shape = broadcastShapes(input.shape, *target, why);
  if (!shape)
    return node.fail(why);
  if (*shape == input.shape)
    return node.setResult(0, input);
  // What a model makes a mask of. Weights are repeated at run time.
  int64_t largest = input.isIntegers() ? maxIntegers : 4096;
  if (!input.isRuntime() &&
      llvm::all_of(*shape, [](Dim dim) { return dim.isConstant(); }) &&
      countOf(*shape) <= largest) {
    SmallVector<int64_t> strides = stridesOf(input.shape),
                         steps(shape->size(), 0);
    size_t first = shape->size() - strides.size();
    for (size_t i = 0; i < strides.size(); ++i)
      if (input.shape[i] == (*shape)[first + i])
        steps[first + i] = strides[i];
    return node.setResult(0, pick(input, *shape, 0, steps));
  }
  Value value = node.anyValue(0);
  return node.setResult(
      node.emit.broadcast(node.loc, value, input.shape, *shape), *shape);
}

static LogicalResult importShape(NodeImport &node) {
  const Shape &shape = node.input(0).shape;
  int64_t rank = shape.size();
  FailureOr<int64_t> start = node.intAttribute("start", 0);
  FailureOr<int64_t> end = node.intAttribute("end", rank);
  if (failed(start) || failed(end))
    return failure();
  auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  int64_t first = clamp(*start), last = std::max(first, clamp(*end));
  SmallVector<Dim> extents(shape.begin() + first, shape.begin() + last);
  return node.setResult(
      0, ModelTensor::numbers({Dim(last - first)}, std::move(extents)));
}

llvm::ArrayRef<Operator> mlir::fact::shapeOperators() {
  static const Operator operators[] = {
      {"Expand", 8, 2, 2, importExpand},
      {"Flatten", 1, 1, 1, importFlatten},
      {"Reshape", 5, 2, 2, importReshape},
      {"Shape", 1, 1, 1, importShape},
      {"Squeeze", 1, 1, 2, importSqueeze},
      {"Transpose", 1, 1, 1, importTranspose},
      {"Unsqueeze", 1, 1, 2, importUnsqueeze},
  };
  return operators;
}
