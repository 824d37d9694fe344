//===- Positions.cpp - Positions of elements, and from them ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;

namespace {

/// What is looked for along an axis.
struct Extremum {
  int64_t axis;
  bool isLargest, selectsLast;
};

} // namespace

/// The loop's element against what there is so far.
static Value isBetter(OpBuilder &builder, Location loc, Extremum extremum,
                      Value element, Value best) {
  if (isa<FloatType>(element.getType())) {
    auto predicate = extremum.isLargest
                         ? (extremum.selectsLast ? arith::CmpFPredicate::OGE
                                                 : arith::CmpFPredicate::OGT)
                         : (extremum.selectsLast ? arith::CmpFPredicate::OLE
                                                 : arith::CmpFPredicate::OLT);
    return arith::CmpFOp::create(builder, loc, predicate, element, best);
  }
  auto predicate = extremum.isLargest
                       ? (extremum.selectsLast ? arith::CmpIPredicate::sge
                                               : arith::CmpIPredicate::sgt)
                       : (extremum.selectsLast ? arith::CmpIPredicate::sle
                                               : arith::CmpIPredicate::slt);
  return arith::CmpIOp::create(builder, loc, predicate, element, best);
}

/// The number that every element is at least as good as.
static TypedAttr worst(OpBuilder &builder, Type element, bool isLargest) {
  if (isa<FloatType>(element)) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    return builder.getF32FloatAttr(isLargest ? -infinity : infinity);
  }
  unsigned bits = element.getIntOrFloatBitWidth();
  return builder.getIntegerAttr(element, isLargest ? llvm::minIntN(bits)
                                                   : llvm::maxIntN(bits));
}

/// One loop nest that keeps the best element and its position; \p kept is the
/// shape without the axis.
static Value emitPositions(NodeImport &node, Value value, const Shape &kept,
                           Extremum extremum) {
  OpBuilder &builder = node.emit.builder;
  unsigned rank = kept.size() + 1;
  Type element = cast<ShapedType>(value.getType()).getElementType();
  Value best = node.emit.filled(node.loc, kept,
                                worst(builder, element, extremum.isLargest));
  Value position =
      node.emit.filled(node.loc, kept, builder.getI64IntegerAttr(0));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators[extremum.axis] = utils::IteratorType::reduction;
  AffineMap all = builder.getMultiDimIdentityMap(rank);
  AffineMap rest = all.dropResult(extremum.axis);
  AffineMap maps[] = {all, rest, rest};
  auto generic = linalg::GenericOp::create(
      builder, node.loc, TypeRange{best.getType(), position.getType()},
      ValueRange{value}, ValueRange{best, position}, maps, iterators,
      [&](OpBuilder &inner, Location loc, ValueRange x) {
        Value better = isBetter(inner, loc, extremum, x[0], x[1]);
        Value here = arith::IndexCastOp::create(
            inner, loc, inner.getI64Type(),
            linalg::IndexOp::create(inner, loc, extremum.axis));
        Value results[] = {
            arith::SelectOp::create(inner, loc, better, x[0], x[1]),
            arith::SelectOp::create(inner, loc, better, here, x[2])};
        linalg::YieldOp::create(inner, loc, results);
      });
  return generic.getResult(1);
}

static LogicalResult importArgExtremum(NodeImport &node) {
  const ModelTensor &input = node.input(0);
  FailureOr<int64_t> given = node.intAttribute("axis", 0),
                     keepDims = node.intAttribute("keepdims", 1),
                     last = node.intAttribute("select_last_index", 0);
  if (failed(given) || failed(keepDims) || failed(last))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, input.rank());
  if (failed(axis))
    return failure();
  if (input.type != ElementType::Float && input.type != ElementType::Int32 &&
      input.type != ElementType::Int64)
    return node.fail("is not supported on tensors of " +
                     ::fact::onnx::elementTypeName(input.type));
  Shape kept = input.shape, result = input.shape;
  kept.erase(kept.begin() + *axis);
  result[*axis] = Dim(1);
  Value value = emitPositions(
      node, node.anyValue(0), kept,
      {*axis, /*isLargest=*/node.node.opType == "ArgMax", *last != 0});
  if (*keepDims == 0)
    return node.setResult(value, kept);
  return node.setResult(node.emit.reshape(node.loc, value, kept, result),
                        result);
}

/// How many positions a new dimension has.
static FailureOr<Dim> readDepth(NodeImport &node) {
  const ModelTensor &input = node.input(1);
  Dim depth;
  if (input.isFloats() && input.data->numElements() == 1) {
    float number = input.data->floats().front();
    if (!(number >= 1 && number <= float(1 << 24)))
      return node.fail("has depth " + std::to_string(number));
    depth = Dim(static_cast<int64_t>(number));
  } else {
    FailureOr<SmallVector<Dim>> numbers = node.numbers(1);
    if (failed(numbers))
      return failure();
    if (numbers->size() != 1)
      return node.fail("its depth must be one number");
    depth = numbers->front();
  }
  if (!depth.isNonNegative(node.bound) || depth.isConstant(0))
    return node.fail("has depth " + depth.str());
  return depth;
}

/// The second value where a position along a new dimension is that of the
/// index, which counts from the end where it is negative; the first elsewhere.
static LogicalResult importOneHot(NodeImport &node) {
  const ModelTensor &indices = node.input(0), &values = node.input(2);
  FailureOr<int64_t> given = node.intAttribute("axis", -1);
  FailureOr<Dim> depth = readDepth(node);
  if (failed(given) || failed(depth))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, indices.rank() + 1);
  if (failed(axis))
    return failure();
  if (indices.type != ElementType::Int32 && indices.type != ElementType::Int64)
    return node.fail("its indices must be integers");
  if (values.shape != Shape{Dim(2)})
    return node.fail("its values must be two (shape is " + str(values.shape) +
                     ")");
  Shape shape = indices.shape;
  shape.insert(shape.begin() + *axis, *depth);
  if (failed(node.checkSize(shape, "result")))
    return failure();
  Value index = node.anyValue(0), offOn = node.anyValue(2);
  Value extent = node.emit.index(node.loc, *depth);
  Value result = node.emit.generate(
      node.loc, shape, mlirType(values.type, node.loc.getContext()),
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        SmallVector<Value> from(at);
        from.erase(from.begin() + *axis);
        Value number = indexAtRunTime(builder, loc, index, from, extent);
        Value zero = arith::ConstantIndexOp::create(builder, loc, 0),
              one = arith::ConstantIndexOp::create(builder, loc, 1);
        Value isHere = arith::CmpIOp::create(
            builder, loc, arith::CmpIPredicate::eq, number, at[*axis]);
        Value which = arith::SelectOp::create(builder, loc, isHere, one, zero);
        return tensor::ExtractOp::create(builder, loc, offOn, which);
      });
  return node.setResult(result, shape);
}

/// Picks along one axis, for each element of the indices at its own place.
static LogicalResult importGatherElements(NodeImport &node) {
  const ModelTensor &data = node.input(0), &indices = node.input(1);
  FailureOr<int64_t> axis = node.axisAttribute(0, data.rank());
  if (failed(axis))
    return failure();
  bool fits = indices.rank() == data.rank();
  for (int64_t i = 0; fits && i < data.rank(); ++i) {
    std::optional<Dim> rest = subtract(data.shape[i], indices.shape[i]);
    fits = i == *axis || (rest && rest->isNonNegative(node.bound));
  }
  if (!fits)
    return node.fail("indices of shape " + str(indices.shape) +
                     " do not fit a tensor of shape " + str(data.shape));
  Value from = node.anyValue(0), index = node.anyValue(1);
  if (!from || !index)
    return failure();
  Value extent = node.emit.index(node.loc, data.shape[*axis]);
  Value result = node.emit.generate(
      node.loc, indices.shape, mlirType(data.type, node.loc.getContext()),
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        SmallVector<Value> place(at);
        place[*axis] = placeAtRunTime(builder, loc, index, at, extent);
        return tensor::ExtractOp::create(builder, loc, from, place);
      });
  return node.setResult(result, indices.shape);
}

/// Number of the first element that each row of indices names; empty, with an
/// error, where one is outside of the tensor. \p depth is the rows' length.
static FailureOr<SmallVector<int64_t>> scatteredTo(NodeImport &node,
                                                   int64_t depth) {
  const Shape &shape = node.input(0).shape;
  SmallVector<int64_t> strides = stridesOf(shape), firsts;
  FailureOr<SmallVector<int64_t>> indices = node.integers(1);
  if (failed(indices))
    return failure();
  for (size_t row = 0; row + depth <= indices->size(); row += depth) {
    int64_t first = 0;
    for (int64_t i = 0; i < depth; ++i) {
      int64_t index = (*indices)[row + i], extent = shape[i].offset;
      if (index < -extent || index >= extent)
        return node.fail("index " + Twine(index) +
                         " is outside of an extent of " + Twine(extent));
      first += (index < 0 ? index + extent : index) * strides[i];
    }
    firsts.push_back(first);
  }
  return firsts;
}

/// Writes updates over parts of a constant: masks that a model computes. The
/// parts are those that the rows of indices name.
static LogicalResult importScatterND(NodeImport &node) {
  const ModelTensor &data = node.input(0), &indices = node.input(1),
                    &updates = node.input(2);
  FailureOr<StringRef> reduction = node.stringAttribute("reduction", "none");
  if (failed(reduction))
    return failure();
  if (*reduction != "none")
    return node.fail("attribute 'reduction' must be none (was '" + *reduction +
                     "')");
  bool floats = data.isFloats() && updates.isFloats();
  if (!floats && !(data.isIntegers() && updates.isIntegers()))
    return node.fail("is supported on constants only");
  if (data.type != updates.type)
    return node.fail("its data and its updates differ in type");
  if (indices.rank() == 0 || indices.shape.back().offset < 1 ||
      indices.shape.back().offset > data.rank())
    return node.fail("indices of shape " + str(indices.shape) +
                     " do not fit a tensor of shape " + str(data.shape));
  int64_t depth = indices.shape.back().offset;
  Shape expected(indices.shape.begin(), indices.shape.end() - 1);
  expected.append(data.shape.begin() + depth, data.shape.end());
  if (updates.shape != expected)
    return node.fail("updates must have shape " + str(expected) +
                     " (shape is " + str(updates.shape) + ")");
  FailureOr<SmallVector<int64_t>> firsts = scatteredTo(node, depth);
  if (failed(firsts))
    return failure();
  int64_t count = countOf(llvm::ArrayRef(data.shape).drop_front(depth));
  auto write = [&](auto &to, const auto &from) {
    auto next = from.begin();
    for (int64_t first : *firsts)
      for (int64_t i = 0; i < count; ++i)
        to[first + i] = *next++;
  };
  if (!floats) {
    ModelTensor result = data;
    write(result.integers, updates.integers);
    return node.setResult(0, std::move(result));
  }
  std::vector<float> elements = data.data->floats();
  write(elements, updates.data->floats());
  return node.setResult(
      0, ModelTensor::constant(data.data->shape, std::move(elements)));
}

llvm::ArrayRef<Operator> mlir::fact::positionOperators() {
  static const Operator operators[] = {
      {"ArgMax", 1, 1, 1, importArgExtremum},
      {"ArgMin", 1, 1, 1, importArgExtremum},
      {"GatherElements", 11, 2, 2, importGatherElements},
      {"OneHot", 9, 3, 3, importOneHot},
      {"ScatterND", 11, 3, 3, importScatterND},
  };
  return operators;
}
