//===- Slice.cpp - Operators that take and join parts ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each works on what is computed at run time (slices and insertions of tensors)
// and on constants and shape arithmetic (at import).
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

namespace {

/// Which elements a slice takes, in each dimension.
struct Slice {
  SmallVector<Dim> offsets, sizes;
  SmallVector<int64_t> strides;

  explicit Slice(const Shape &shape)
      : offsets(shape.size()), sizes(shape.begin(), shape.end()),
        strides(shape.size(), 1) {}
};

} // namespace

/// Elements in steps that may be negative.
static Value readBackwards(NodeImport &node, Value from, const Slice &slice) {
  SmallVector<Value> offsets;
  for (Dim offset : slice.offsets)
    offsets.push_back(node.emit.index(node.loc, offset));
  return node.emit.generate(
      node.loc, slice.sizes, cast<ShapedType>(from.getType()).getElementType(),
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        SmallVector<Value> place;
        for (auto [offset, stride, index] :
             llvm::zip(offsets, slice.strides, at)) {
          Value step = arith::ConstantIndexOp::create(builder, loc, stride);
          step = arith::MulIOp::create(builder, loc, index, step);
          place.push_back(arith::AddIOp::create(builder, loc, offset, step));
        }
        return tensor::ExtractOp::create(builder, loc, from, place);
      });
}

static LogicalResult sliced(NodeImport &node, const Slice &slice,
                            ModelTensor &result) {
  const ModelTensor &input = node.input(0);
  const int64_t *backwards =
      llvm::find_if(slice.strides, [](int64_t stride) { return stride < 0; });
  bool isForwards = backwards == slice.strides.end();
  if (isForwards && llvm::equal(slice.sizes, input.shape)) {
    result = input;
    return success();
  }
  bool fixed =
      llvm::all_of(slice.offsets, [](Dim d) { return d.isConstant(); });
  fixed &= llvm::all_of(slice.sizes, [](Dim d) { return d.isConstant(); });
  if (input.isRuntime() || !fixed) {
    if (input.isIntegers() && input.rank() == 1 && input.integers.size() < 16)
      return node.fail("takes a part of a shape that depends on the sequence "
                       "length");
    Value value = node.anyValue(0);
    Value part = isForwards ? node.emit.slice(node.loc, value, slice.offsets,
                                              slice.sizes, slice.strides)
                            : readBackwards(node, value, slice);
    result = ModelTensor::runtime(part, slice.sizes);
    return success();
  }
  SmallVector<int64_t> steps = stridesOf(input.shape);
  int64_t start = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    start += slice.offsets[i].offset * steps[i];
    steps[i] *= slice.strides[i];
  }
  result = pick(input, slice.sizes, start, steps);
  return success();
}

/// Counts a negative position from the end and clamps it, where that can be
/// told without knowing the length.
static FailureOr<Dim> position(NodeImport &node, Dim at, Dim extent) {
  if (at.isConstant() && at.offset < 0) {
    std::optional<Dim> fromEnd = add(at, extent);
    if (!fromEnd)
      return Dim(0);
    at = *fromEnd;
  }
  auto notAbove = [&](Dim a, Dim b) {
    std::optional<Dim> difference = subtract(b, a);
    return difference && difference->isNonNegative(node.bound);
  };
  if (at.isConstant() && at.offset <= 0)
    return Dim(0);
  // Exporters write "to the end" as one of the largest integers.
  if (at.isConstant() && at.offset >= std::numeric_limits<int32_t>::max() - 1)
    return extent;
  // A table of positions has rows for some sequences only.
  if (!at.isConstant() && extent.isConstant() && extent.offset > 0 &&
      at.coefficient > 0 && !notAbove(at, extent) &&
      extent.offset >= at.coefficient + at.offset)
    node.lowerBound = (extent.offset - at.offset) / at.coefficient;
  else if (notAbove(extent, at))
    return extent;
  if (at.isNonNegative(node.bound) && notAbove(at, extent))
    return at;
  return node.fail("takes a part up to position " + at.str() +
                   " of an extent of " + extent.str());
}

/// The part from \p start back to \p end, which is left out, along one
/// dimension.
static LogicalResult sliceBackwards(NodeImport &node, int64_t axis, Dim start,
                                    Dim end, int64_t step, Slice &slice) {
  Dim extent = node.input(0).shape[axis];
  constexpr int64_t far = std::numeric_limits<int32_t>::max() - 1;
  // All of an open extent, from its end to its beginning.
  if (!extent.isConstant() && step == -1 && end.isConstant() &&
      end.offset <= -far &&
      (start == *add(extent, Dim(-1)) || start.isConstant(-1) ||
       (start.isConstant() && start.offset >= far))) {
    slice.offsets[axis] = *add(extent, Dim(-1));
    slice.sizes[axis] = extent;
    slice.strides[axis] = step;
    return success();
  }
  if (!extent.isConstant() || !start.isConstant() || !end.isConstant())
    return node.fail("step must be positive (was " + Twine(step) + ")");
  int64_t last = extent.offset - 1;
  // A longer step takes one element, too.
  step = std::max(step, -extent.offset);
  auto clamp = [&](Dim at) {
    return std::clamp<int64_t>(
        at.offset < 0 ? at.offset + extent.offset : at.offset, -1, last);
  };
  int64_t from = clamp(start), span = std::max<int64_t>(from - clamp(end), 0);
  slice.offsets[axis] = Dim(from);
  slice.sizes[axis] = Dim(llvm::divideCeil(span, -step));
  slice.strides[axis] = step;
  if (span == 0)
    return node.fail("result is empty: " + str(slice.sizes));
  return success();
}

static LogicalResult importSlice(NodeImport &node) {
  FailureOr<SmallVector<Dim>> starts = failure(), ends = failure();
  FailureOr<SmallVector<int64_t>> axes = failure();
  SmallVector<int64_t> steps;
  auto dims = [](const SmallVector<int64_t> &values) {
    return SmallVector<Dim>(values.begin(), values.end());
  };
  if (node.opset < 10) {
    FailureOr<SmallVector<int64_t>> first = node.intsAttribute("starts");
    FailureOr<SmallVector<int64_t>> last = node.intsAttribute("ends");
    if (failed(first) || failed(last))
      return failure();
    starts = dims(*first);
    ends = dims(*last);
    axes = node.intsAttribute(
        "axes", llvm::to_vector(llvm::seq<int64_t>(0, starts->size())));
  } else {
    if (!node.hasInput(1) || !node.hasInput(2))
      return node.fail("lacks starts or ends");
    starts = node.numbers(1);
    ends = node.numbers(2);
    if (failed(starts) || failed(ends))
      return failure();
    axes = node.hasInput(3)
               ? node.integers(3)
               : llvm::to_vector(llvm::seq<int64_t>(0, starts->size()));
    if (node.hasInput(4)) {
      FailureOr<SmallVector<int64_t>> given = node.integers(4);
      if (failed(given))
        return failure();
      steps = *given;
    }
  }
  if (failed(axes))
    return failure();
  if (steps.empty())
    steps.assign(starts->size(), 1);
  if (ends->size() != starts->size() || axes->size() != starts->size() ||
      steps.size() != starts->size())
    return node.fail("starts, ends, axes and steps differ in length");

  const Shape &shape = node.input(0).shape;
  Slice slice(shape);
  SmallVector<bool> seen(shape.size());
  for (size_t i = 0; i < starts->size(); ++i) {
    FailureOr<int64_t> axis = node.axis((*axes)[i], shape.size());
    if (failed(axis))
      return failure();
    if (seen[*axis])
      return node.fail("axis " + Twine((*axes)[i]) + " is named twice");
    seen[*axis] = true;
    if (steps[i] == 0)
      return node.fail("step must not be 0");
    if (steps[i] < 0) {
      if (failed(sliceBackwards(node, *axis, (*starts)[i], (*ends)[i], steps[i],
                                slice)))
        return failure();
      continue;
    }
    FailureOr<Dim> start = position(node, (*starts)[i], shape[*axis]);
    FailureOr<Dim> end = position(node, (*ends)[i], shape[*axis]);
    if (failed(start) || failed(end))
      return failure();
    std::optional<Dim> size = subtract(*end, *start);
    if (size && !size->isNonNegative(node.bound))
      size = std::nullopt;
    // ceil(size / step)
    if (size && steps[i] != 1)
      size = size->isConstant()
                 ? std::optional(Dim(llvm::divideCeil(size->offset, steps[i])))
                 : std::nullopt;
    if (!size)
      return node.fail("takes the part from " + start->str() + " to " +
                       end->str() + " in steps of " + Twine(steps[i]));
    slice.offsets[*axis] = *start;
    slice.sizes[*axis] = *size;
    slice.strides[*axis] = steps[i];
  }
  ModelTensor result;
  if (failed(sliced(node, slice, result)))
    return failure();
  return node.setResult(0, result);
}

static LogicalResult importSplit(NodeImport &node) {
  const Shape &shape = node.input(0).shape;
  FailureOr<int64_t> axis = node.axisAttribute(0, shape.size());
  if (failed(axis))
    return failure();
  size_t count = node.node.outputs.size();
  FailureOr<int64_t> outputs = node.intAttribute("num_outputs", count);
  if (failed(outputs))
    return failure();
  if (*outputs != static_cast<int64_t>(count))
    return node.fail("has " + Twine(count) + " outputs, not " +
                     Twine(*outputs));
  SmallVector<Dim> sizes;
  if (node.opset >= 13 && node.hasInput(1)) {
    FailureOr<SmallVector<Dim>> values = node.numbers(1);
    if (failed(values))
      return failure();
    sizes = *values;
  } else if (node.opset < 13 && node.hasAttribute("split")) {
    FailureOr<SmallVector<int64_t>> values = node.intsAttribute("split");
    if (failed(values))
      return failure();
    sizes.assign(values->begin(), values->end());
  } else {
    std::optional<Dim> each = divide(shape[*axis], Dim(count));
    if (!each)
      return node.fail("splits an extent of " + shape[*axis].str() + " into " +
                       Twine(count) + " equal parts");
    sizes.assign(count, *each);
  }
  Dim offset;
  for (Dim size : sizes) {
    std::optional<Dim> next = add(offset, size);
    if (!next || !size.isNonNegative(node.bound))
      return node.fail("has a part of extent " + size.str());
    offset = *next;
  }
  if (sizes.size() != count || offset != shape[*axis])
    return node.fail("splits an extent of " + shape[*axis].str() +
                     " into parts of " + str(sizes));
  offset = Dim(0);
  for (auto [i, size] : llvm::enumerate(sizes)) {
    Slice slice(shape);
    slice.offsets[*axis] = offset;
    slice.sizes[*axis] = size;
    ModelTensor result;
    if (failed(sliced(node, slice, result)) ||
        failed(node.setResult(i, result)))
      return failure();
    offset = *add(offset, size);
  }
  return success();
}

/// Picks by positions: a part of the tensor, or the same part several times.
static LogicalResult gatherPositions(NodeImport &node, int64_t axis,
                                     llvm::ArrayRef<Dim> shape) {
  const ModelTensor &data = node.input(0), &index = node.input(1);
  auto [first, count] = *index.positions;
  // The last extents of the indices that make up one part.
  Product part;
  size_t own = 0;
  while (part.asDim() != count && own < index.shape.size())
    if (!part.multiply(index.shape[index.shape.size() - ++own]))
      return gatherAtRunTime(node, axis, shape);
  std::optional<Dim> end = add(first, count);
  if (part.asDim() != count || !end || !first.isNonNegative(node.bound))
    return gatherAtRunTime(node, axis, shape);
  Dim extent = data.shape[axis];
  FailureOr<Dim> inside = position(node, *end, extent);
  if (failed(inside) || *inside != *end)
    return node.fail("picks elements " + first.str() + " to " + end->str() +
                     " of an extent of " + extent.str());
  Slice slice(data.shape);
  slice.offsets[axis] = first;
  slice.sizes[axis] = count;
  ModelTensor picked;
  if (failed(sliced(node, slice, picked)))
    return failure();
  Shape once(shape);
  std::fill_n(once.begin() + axis, index.shape.size() - own, Dim(1));
  Value value =
      node.emit.reshape(node.loc, node.anyValue(picked), picked.shape, once);
  ModelTensor result = ModelTensor::runtime(
      node.emit.broadcast(node.loc, value, once, shape), shape);
  result.type = data.type;
  return node.setResult(0, std::move(result));
}

/// One index: a slice without its dimension. Several: from shapes and other
/// constants only.
static LogicalResult importGather(NodeImport &node) {
  const ModelTensor &data = node.input(0), &index = node.input(1);
  FailureOr<int64_t> axis = node.axisAttribute(0, data.rank());
  if (failed(axis))
    return failure();
  if (index.isFloat())
    return node.fail("picks by floats");
  Shape shape(data.shape.begin(), data.shape.begin() + *axis);
  shape.append(index.shape.begin(), index.shape.end());
  shape.append(data.shape.begin() + *axis + 1, data.shape.end());
  if (index.positions)
    return gatherPositions(node, *axis, shape);
  if (!index.isIntegers() || (data.isRuntime() && index.integers.size() != 1))
    return gatherAtRunTime(node, *axis, shape);
  FailureOr<SmallVector<Dim>> indices = node.numbers(1);
  if (failed(indices))
    return failure();
  Dim extent = data.shape[*axis];
  for (Dim &each : *indices) {
    Dim original = each;
    if (each.isConstant() && each.offset < 0)
      each = add(each, extent).value_or(Dim(-1));
    std::optional<Dim> after = subtract(extent, each);
    if (after)
      after = subtract(*after, Dim(1));
    if (!after || !after->isNonNegative(node.bound) ||
        !each.isNonNegative(node.bound))
      return node.fail("index " + original.str() +
                       " is outside of an extent of " + extent.str());
  }
  if (data.isRuntime()) {
    Slice slice(data.shape);
    slice.offsets[*axis] = indices->front();
    slice.sizes[*axis] = Dim(1);
    ModelTensor part;
    if (failed(sliced(node, slice, part)))
      return failure();
    return node.setResult(
        node.emit.reshape(node.loc, part.value, part.shape, shape), shape);
  }
  // Constants have no open extents, so indices are numbers or in range for one
  // length only.
  if (llvm::any_of(*indices, [](Dim dim) { return !dim.isConstant(); }))
    return node.fail("picks by an index that depends on the sequence length");
  SmallVector<int64_t> strides = stridesOf(data.shape);
  int64_t outer = 1, inner = 1;
  for (int64_t i = 0; i < *axis; ++i)
    outer *= data.shape[i].offset;
  for (int64_t i = *axis + 1; i < data.rank(); ++i)
    inner *= data.shape[i].offset;
  int64_t count = indices->size(), total;
  if (llvm::MulOverflow(outer * inner, count, total) || total > (1 << 28))
    return node.fail("result is too large: " + str(shape));
  // The order of the elements: outer, index, inner.
  if (data.isIntegers()) {
    SmallVector<Dim> picked;
    for (int64_t o = 0; o < outer; ++o)
      for (Dim each : *indices)
        for (int64_t i = 0; i < inner; ++i)
          picked.push_back(
              data.integers[(o * extent.offset + each.offset) * inner + i]);
    return node.setResult(
        0, ModelTensor::numbers(shape, std::move(picked), data.type));
  }
  if (!data.isFloats())
    return gatherAtRunTime(node, *axis, shape);
  std::vector<float> elements = data.data->floats(), picked;
  for (int64_t o = 0; o < outer; ++o)
    for (Dim each : *indices) {
      auto *first = elements.data() + (o * extent.offset + each.offset) * inner;
      picked.insert(picked.end(), first, first + inner);
    }
  SmallVector<int64_t> extents;
  for (Dim dim : shape)
    extents.push_back(dim.offset);
  return node.setResult(0, ModelTensor::constant(extents, std::move(picked)));
}

static LogicalResult importConcat(NodeImport &node) {
  FailureOr<int64_t> axis =
      node.axisAttribute(std::nullopt, node.input(0).rank());
  if (failed(axis))
    return failure();
  Shape shape = node.input(0).shape;
  bool allIntegers = true;
  Dim total;
  auto type = node.input(0).type;
  for (const ModelTensor *input : node.inputs) {
    allIntegers &= input->isIntegers();
    if (input->type != type)
      return node.fail("joins " + ::fact::onnx::elementTypeName(type) +
                       " and " + ::fact::onnx::elementTypeName(input->type));
    Shape other = input->shape;
    std::optional<Dim> sum =
        other.size() == shape.size() ? add(total, other[*axis]) : std::nullopt;
    if (sum)
      other[*axis] = shape[*axis];
    if (!sum || other != shape)
      return node.fail("joins shapes " + str(node.input(0).shape) + " and " +
                       str(input->shape) + " along axis " + Twine(*axis));
    total = *sum;
  }
  shape[*axis] = total;
  // What has no elements (a past of no tokens) adds none.
  SmallVector<size_t> parts;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (!node.input(i).shape[*axis].isConstant(0))
      parts.push_back(i);
  if (parts.size() <= 1)
    return node.setResult(0, node.input(parts.empty() ? 0 : parts.front()));
  if (allIntegers &&
      llvm::all_of(shape, [](Dim d) { return d.isConstant(); }) &&
      countOf(shape) <= maxIntegers) {
    // Rows of all inputs side by side.
    SmallVector<Dim> integers;
    int64_t outer = countOf(ArrayRef(shape).take_front(*axis));
    for (int64_t o = 0; o < outer; ++o)
      for (const ModelTensor *input : node.inputs) {
        auto inner = static_cast<int64_t>(input->integers.size()) / outer;
        auto row = ArrayRef(input->integers).slice(o * inner, inner);
        integers.append(row.begin(), row.end());
      }
    return node.setResult(
        0, ModelTensor::numbers(shape, std::move(integers), type));
  }
  Value result =
      node.emit.empty(node.loc, shape, mlirType(type, node.loc.getContext()));
  SmallVector<Dim> offsets(shape.size());
  for (size_t i : parts) {
    Value part = node.anyValue(i);
    result =
        node.emit.insert(node.loc, part, result, offsets, node.input(i).shape);
    offsets[*axis] = *add(offsets[*axis], node.input(i).shape[*axis]);
  }
  return node.setResult(result, shape);
}

llvm::ArrayRef<Operator> mlir::fact::sliceOperators() {
  static const Operator operators[] = {
      {"Concat", 4, 1, std::numeric_limits<size_t>::max(), importConcat},
      {"Gather", 1, 2, 2, importGather},
      {"Slice", 1, 1, 5, importSlice},
      {"Split", 2, 1, 2, importSplit},
  };
  return operators;
}
