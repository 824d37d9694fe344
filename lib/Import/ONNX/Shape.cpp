//===- Shape.cpp - Operators that move elements and ask for extents -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//
//
// Each works on what is computed at run time (tensor and linalg operations) and
// on constants and shape arithmetic (at import).
//
//===----------------------------------------------------------------------===//

#include "NodeImport.h"
#include "Transpose.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Row-major strides of a constant shape.
static SmallVector<int64_t> stridesOf(llvm::ArrayRef<Dim> shape) {
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i].offset;
  }
  return strides;
}

/// A constant of shape \p shape whose element at coordinates c is \p tensor's
/// element number `start + sum of c[i] * steps[i]`.
static ModelTensor pick(const ModelTensor &tensor, llvm::ArrayRef<Dim> shape,
                        int64_t start, llvm::ArrayRef<int64_t> steps) {
  int64_t count = 1;
  for (Dim dim : shape)
    count *= dim.offset;
  SmallVector<int64_t> coordinates(shape.size());
  std::vector<size_t> positions;
  positions.reserve(count);
  int64_t position = start;
  for (int64_t n = 0; n < count; ++n) {
    positions.push_back(position);
    for (size_t i = shape.size(); i-- > 0;) {
      position += steps[i];
      if (++coordinates[i] < shape[i].offset)
        break;
      position -= steps[i] * shape[i].offset;
      coordinates[i] = 0;
    }
  }
  if (tensor.isIntegers()) {
    SmallVector<Dim> integers;
    for (size_t from : positions)
      integers.push_back(tensor.integers[from]);
    return ModelTensor::numbers(shape, std::move(integers));
  }
  auto picked = std::make_shared<::fact::onnx::Tensor>();
  picked->name = tensor.floats->name;
  picked->type = tensor.floats->type;
  for (Dim dim : shape)
    picked->shape.push_back(dim.offset);
  picked->data.reserve(count * sizeof(float));
  for (size_t from : positions)
    picked->data.append(tensor.floats->data, from * sizeof(float),
                        sizeof(float));
  return ModelTensor::constant(std::move(picked));
}

/// The same elements with other extents; the caller checks their number.
static ModelTensor withShape(const ModelTensor &tensor,
                             llvm::ArrayRef<Dim> shape) {
  SmallVector<int64_t> steps = stridesOf(shape);
  return pick(tensor, shape, 0, steps);
}

//===----------------------------------------------------------------------===//
// Transpose and Reshape
//===----------------------------------------------------------------------===//

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
  SmallVector<bool> added(rank);
  for (int64_t each : **axes) {
    FailureOr<int64_t> axis = node.axis(each, rank);
    if (failed(axis))
      return failure();
    if (added[*axis])
      return node.fail("axis " + Twine(each) + " is named twice");
    added[*axis] = true;
  }
  Shape shape;
  size_t next = 0;
  for (bool add : added)
    shape.push_back(add ? Dim(1) : from[next++]);
  return setReshaped(node, shape);
}

//===----------------------------------------------------------------------===//
// Slice, Split, Gather and Concat
//===----------------------------------------------------------------------===//

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

static LogicalResult sliced(NodeImport &node, const Slice &slice,
                            ModelTensor &result) {
  const ModelTensor &input = node.input(0);
  if (llvm::equal(slice.sizes, input.shape)) {
    result = input;
    return success();
  }
  bool fixed =
      llvm::all_of(slice.offsets, [](Dim d) { return d.isConstant(); });
  fixed &= llvm::all_of(slice.sizes, [](Dim d) { return d.isConstant(); });
  if (input.isRuntime() || (input.isFloats() && !fixed)) {
    Value value = node.value(0);
    result =
        ModelTensor::runtime(node.emit.slice(node.loc, value, slice.offsets,
                                             slice.sizes, slice.strides),
                             slice.sizes);
    return success();
  }
  if (!fixed)
    return node.fail("takes a part of a shape that depends on the sequence "
                     "length");
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
  if (notAbove(extent, at))
    return extent;
  if (at.isNonNegative(node.bound) && notAbove(at, extent))
    return at;
  return node.fail("takes a part up to position " + at.str() +
                   " of an extent of " + extent.str());
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
    if (steps[i] < 1)
      return node.fail("step must be positive (was " + Twine(steps[i]) + ")");
    FailureOr<Dim> start = position(node, (*starts)[i], shape[*axis]);
    FailureOr<Dim> end = position(node, (*ends)[i], shape[*axis]);
    if (failed(start) || failed(end))
      return failure();
    std::optional<Dim> size = subtract(*end, *start);
    // ceil(size / step)
    if (size && steps[i] != 1)
      size = size->isConstant()
                 ? std::optional(Dim(llvm::divideCeil(size->offset, steps[i])))
                 : std::nullopt;
    if (!size || !size->isNonNegative(node.bound))
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
  FailureOr<int64_t> given = node.intAttribute("axis", 0);
  if (failed(given))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, shape.size());
  if (failed(axis))
    return failure();
  size_t count = node.node.outputs.size();
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

/// One index: a slice without its dimension. Several: from shapes and other
/// constants only.
static LogicalResult importGather(NodeImport &node) {
  const ModelTensor &data = node.input(0), &index = node.input(1);
  FailureOr<int64_t> given = node.intAttribute("axis", 0);
  FailureOr<SmallVector<Dim>> indices = node.numbers(1);
  if (failed(given) || failed(indices))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, data.rank());
  if (failed(axis))
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
  Shape shape(data.shape.begin(), data.shape.begin() + *axis);
  shape.append(index.shape.begin(), index.shape.end());
  shape.append(data.shape.begin() + *axis + 1, data.shape.end());

  if (data.isRuntime()) {
    if (indices->size() != 1)
      return node.fail("picks several elements of what is computed at run "
                       "time");
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
    return node.setResult(0, ModelTensor::numbers(shape, std::move(picked)));
  }
  std::vector<float> elements = data.floats->floats(), picked;
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
  FailureOr<int64_t> given = node.intAttribute("axis", std::nullopt);
  if (failed(given))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, node.input(0).rank());
  if (failed(axis))
    return failure();
  Shape shape = node.input(0).shape;
  bool allIntegers = true;
  Dim total;
  for (const ModelTensor *input : node.inputs) {
    allIntegers &= input->isIntegers();
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
  if (node.inputs.size() == 1)
    return node.setResult(0, node.input(0));
  if (allIntegers) {
    if (shape.size() != 1)
      return node.fail("joins integers of more than one dimension");
    SmallVector<Dim> integers;
    for (const ModelTensor *input : node.inputs)
      integers.append(input->integers.begin(), input->integers.end());
    return node.setResult(0, ModelTensor::numbers(shape, std::move(integers)));
  }
  Value result = node.emit.empty(node.loc, shape);
  SmallVector<Dim> offsets(shape.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Value part = node.value(i);
    if (!part)
      return failure();
    result =
        node.emit.insert(node.loc, part, result, offsets, node.input(i).shape);
    offsets[*axis] = *add(offsets[*axis], node.input(i).shape[*axis]);
  }
  return node.setResult(result, shape);
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
      {"Concat", 4, 1, std::numeric_limits<size_t>::max(), importConcat},
      {"Flatten", 1, 1, 1, importFlatten},
      {"Gather", 1, 2, 2, importGather},
      {"Reshape", 5, 2, 2, importReshape},
      {"Shape", 1, 1, 1, importShape},
      {"Slice", 1, 1, 5, importSlice},
      {"Split", 2, 1, 2, importSplit},
      {"Squeeze", 1, 1, 2, importSqueeze},
      {"Transpose", 1, 1, 1, importTranspose},
      {"Unsqueeze", 1, 1, 2, importUnsqueeze},
  };
  return operators;
}
