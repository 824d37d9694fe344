//===- Indices.cpp - Operators that know where an element is --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What models build masks, positions and one-hot rows of.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using ::fact::onnx::NodeAttribute;

static LogicalResult importConstantOfShape(NodeImport &node) {
  FailureOr<SmallVector<Dim>> extents = node.numbers(0);
  if (failed(extents))
    return failure();
  ModelTensor value = ModelTensor::constant({}, {0.0f});
  if (const NodeAttribute *given = node.attribute("value")) {
    if (given->kind != NodeAttribute::Kind::Tensor)
      return node.fail("attribute 'value' must be a tensor");
    std::string why;
    FailureOr<ModelTensor> tensor = importConstant(given->tensor, why);
    if (failed(tensor))
      return node.fail(why);
    value = *tensor;
  }
  if (countOf(value.shape) != 1)
    return node.fail("attribute 'value' must have one element");
  Shape shape(extents->begin(), extents->end());
  bool isSmall = true;
  int64_t count = 1;
  for (Dim extent : shape) {
    if (!extent.isNonNegative(node.bound) || extent.isConstant(0))
      return node.fail("makes a constant of extent " + extent.str());
    isSmall = isSmall && extent.isConstant() &&
              !llvm::MulOverflow(count, extent.offset, count) &&
              count <= maxIntegers;
  }
  // One element, again and again.
  if (isSmall)
    return node.setResult(
        0, pick(value, shape, 0, SmallVector<int64_t>(shape.size(), 0)));
  TypedAttr number = value.isFloats()
                         ? node.emit.number(value.data->floats().front())
                         : cast<TypedAttr>(IntegerAttr::get(
                               mlirType(value.type, node.loc.getContext()),
                               value.integers.front().offset));
  // The size is checked before anything is made of it.
  Value like = node.emit.filled(node.loc, shape, number);
  return node.setResult(like, shape);
}

/// start, start + delta, ... below the limit.
static LogicalResult importRange(NodeImport &node) {
  if (node.input(0).isFloats() && node.input(1).isFloats() &&
      node.input(2).isFloats()) {
    float start = node.input(0).data->floats().front(),
          limit = node.input(1).data->floats().front(),
          delta = node.input(2).data->floats().front();
    double count = std::ceil((double(limit) - start) / delta);
    if (!(count >= 1 && count <= maxIntegers))
      return node.fail("has " + std::to_string(count) + " elements");
    std::vector<float> elements;
    for (int64_t i = 0; i < static_cast<int64_t>(count); ++i)
      elements.push_back(start + static_cast<float>(i) * delta);
    return node.setResult(0, ModelTensor::constant({int64_t(count)}, elements));
  }
  FailureOr<SmallVector<Dim>> start = node.numbers(0), limit = node.numbers(1);
  FailureOr<SmallVector<int64_t>> delta = node.integers(2);
  if (failed(start) || failed(limit) || failed(delta))
    return failure();
  if (start->size() != 1 || limit->size() != 1 || delta->size() != 1 ||
      delta->front() == 0)
    return node.fail("needs three numbers, the last one not 0");
  Dim first = start->front();
  int64_t step = delta->front();
  std::optional<Dim> span = subtract(limit->front(), first), count = span;
  if (span && span->isConstant())
    count = Dim(std::max<int64_t>(
        0, step > 0
               ? llvm::divideCeil(std::max<int64_t>(span->offset, 0), step)
               : llvm::divideCeil(std::max<int64_t>(-span->offset, 0), -step)));
  else if (span && step != 1)
    count = divide(*span, Dim(step));
  if (!count || !count->isNonNegative(node.bound) || count->isConstant(0))
    return node.fail("counts from " + first.str() + " to " +
                     limit->front().str() + " in steps of " + Twine(step));
  ElementType type = node.input(0).type;
  if (count->isConstant() && count->offset <= maxIntegers) {
    SmallVector<Dim> elements;
    for (int64_t i = 0; i < count->offset; ++i) {
      std::optional<Dim> each = add(first, Dim(i * step));
      if (!each)
        return node.fail("counts too far");
      elements.push_back(*each);
    }
    return node.setResult(0, ModelTensor::numbers({*count}, elements, type));
  }
  Value offset = node.emit.index(node.loc, first);
  Type element = mlirType(type, node.loc.getContext());
  Value result = node.emit.generate(
      node.loc, {*count}, element,
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        Value scale = arith::ConstantIndexOp::create(builder, loc, step);
        Value product = arith::MulIOp::create(builder, loc, at[0], scale);
        Value sum = arith::AddIOp::create(builder, loc, product, offset);
        return arith::IndexCastOp::create(builder, loc, element, sum);
      });
  ModelTensor numbers = ModelTensor::runtime(result, {*count});
  if (step == 1)
    numbers.positions = {first, *count};
  return node.setResult(0, std::move(numbers));
}

/// Keeps the elements on one side of a diagonal, the others become 0.
static LogicalResult importTrilu(NodeImport &node) {
  const ModelTensor &input = node.input(0);
  FailureOr<int64_t> upper = node.intAttribute("upper", 1);
  int64_t diagonal = 0;
  if (failed(upper))
    return failure();
  if (node.hasInput(1)) {
    FailureOr<SmallVector<int64_t>> k = node.integers(1);
    if (failed(k))
      return failure();
    if (k->size() != 1)
      return node.fail("its diagonal must be one number");
    diagonal = k->front();
  }
  int64_t rank = input.rank();
  if (rank < 2)
    return node.fail("input must be a matrix, or several");
  auto isKept = [&](int64_t row, int64_t column) {
    return *upper ? column - row >= diagonal : column - row <= diagonal;
  };
  if (input.isIntegers()) {
    ModelTensor result = input;
    int64_t columns = input.shape.back().offset,
            rows = input.shape[rank - 2].offset;
    for (size_t i = 0; i < result.integers.size(); ++i)
      if (!isKept(static_cast<int64_t>(i) / columns % rows,
                  static_cast<int64_t>(i) % columns))
        result.integers[i] = Dim(0);
    return node.setResult(0, std::move(result));
  }
  if (input.isConstant()) {
    auto result = std::make_shared<::fact::onnx::Tensor>(*input.data);
    int64_t size = ::fact::onnx::elementSize(input.type),
            columns = input.shape.back().offset,
            rows = input.shape[rank - 2].offset;
    for (int64_t i = 0, e = result->numElements(); i < e; ++i)
      if (!isKept(i / columns % rows, i % columns))
        std::fill_n(result->data.begin() + i * size, size, '\0');
    return node.setResult(0, ModelTensor::constant(std::move(result)));
  }
  Value value = node.anyValue(0);
  Type element = mlirType(input.type, node.loc.getContext());
  ElementwiseOperand operand{value, input.shape};
  Value result = node.emit.elementwise(
      node.loc, input.shape, operand,
      [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
        Value row = linalg::IndexOp::create(builder, loc, rank - 2),
              column = linalg::IndexOp::create(builder, loc, rank - 1);
        Value limit = arith::AddIOp::create(
            builder, loc, row,
            arith::ConstantIndexOp::create(builder, loc, diagonal).getResult());
        Value keeps = arith::CmpIOp::create(builder, loc,
                                            *upper ? arith::CmpIPredicate::sge
                                                   : arith::CmpIPredicate::sle,
                                            column, limit);
        Value zero = arith::ConstantOp::create(builder, loc,
                                               builder.getZeroAttr(element));
        return arith::SelectOp::create(builder, loc, keeps, x[0], zero);
      },
      element);
  return node.setResult(result, input.shape);
}

/// The integer that a tensor is full of.
static std::optional<int64_t> filledWith(Value value) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  APInt number;
  if (!fill || !matchPattern(fill.value(), m_ConstantInt(&number)))
    return std::nullopt;
  return number.getSExtValue();
}

/// Of a tensor full of one integer: that, times how many there are.
static Value countUp(NodeImport &node, int64_t axis, bool exclusive,
                     int64_t number) {
  const ModelTensor &input = node.input(0);
  return node.emit.generate(
      node.loc, input.shape, mlirType(input.type, node.loc.getContext()),
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        Value count = at[axis];
        auto constant = [&](int64_t n) -> Value {
          return arith::ConstantIndexOp::create(builder, loc, n);
        };
        if (!exclusive)
          count = arith::AddIOp::create(builder, loc, count, constant(1));
        if (number != 1)
          count = arith::MulIOp::create(builder, loc, count, constant(number));
        return arith::IndexCastOp::create(
            builder, loc, mlirType(input.type, builder.getContext()), count);
      });
}

/// Sums of all elements up to each one, along an axis.
static LogicalResult importCumSum(NodeImport &node) {
  const ModelTensor &input = node.input(0);
  FailureOr<SmallVector<int64_t>> given = node.integers(1);
  FailureOr<int64_t> exclusive = node.intAttribute("exclusive", 0),
                     reverse = node.intAttribute("reverse", 0);
  if (failed(given) || failed(exclusive) || failed(reverse))
    return failure();
  if (given->size() != 1)
    return node.fail("its axis must be one number");
  FailureOr<int64_t> axis = node.axis(given->front(), input.rank());
  if (failed(axis))
    return failure();
  Value value = node.anyValue(0);
  if (std::optional<int64_t> number = filledWith(value); number && !*reverse)
    return node.setResult(countUp(node, *axis, *exclusive != 0, *number),
                          input.shape);
  int64_t rank = input.rank();
  // Element j of the axis counts for element i of the result, which is the
  // dimension behind all others.
  Shape all = input.shape;
  all.push_back(input.shape[*axis]);
  Value terms = node.emit.elementwise(
      node.loc, all, {},
      [&](OpBuilder &builder, Location loc, ValueRange) -> Value {
        SmallVector<Value> at;
        for (int64_t d = 0; d < rank; ++d)
          at.push_back(linalg::IndexOp::create(builder, loc, d));
        Value i = at[*axis], j = linalg::IndexOp::create(builder, loc, rank);
        at[*axis] = j;
        Value element = tensor::ExtractOp::create(builder, loc, value, at);
        auto predicate = *reverse ? (*exclusive ? arith::CmpIPredicate::sgt
                                                : arith::CmpIPredicate::sge)
                                  : (*exclusive ? arith::CmpIPredicate::slt
                                                : arith::CmpIPredicate::sle);
        Value counts = arith::CmpIOp::create(builder, loc, predicate, j, i);
        Value zero = arith::ConstantOp::create(
            builder, loc, builder.getZeroAttr(element.getType()));
        return arith::SelectOp::create(builder, loc, counts, element, zero);
      },
      mlirType(input.type, node.loc.getContext()));
  SmallVector<bool> reduced(rank + 1);
  reduced.back() = true;
  OpBuilder &builder = node.emit.builder;
  bool isFloat = input.isFloat();
  Value result = node.emit.reduce(
      node.loc, terms, all, reduced,
      cast<TypedAttr>(
          builder.getZeroAttr(mlirType(input.type, builder.getContext()))),
      [&](OpBuilder &inner, Location loc, ValueRange x) -> Value {
        if (isFloat)
          return arith::AddFOp::create(inner, loc, x[0], x[1]);
        return arith::AddIOp::create(inner, loc, x[0], x[1]);
      });
  return node.setResult(result, input.shape);
}

Value mlir::fact::indexAtRunTime(OpBuilder &builder, Location loc,
                                 Value indices, ValueRange at, Value extent) {
  Value picked = tensor::ExtractOp::create(builder, loc, indices, at);
  Value number =
      arith::IndexCastOp::create(builder, loc, builder.getIndexType(), picked);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value isNegative = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::slt, number, zero);
  Value fromEnd = arith::AddIOp::create(builder, loc, number, extent);
  return arith::SelectOp::create(builder, loc, isNegative, fromEnd, number);
}

Value mlir::fact::placeAtRunTime(OpBuilder &builder, Location loc,
                                 Value indices, ValueRange at, Value extent) {
  Value number = indexAtRunTime(builder, loc, indices, at, extent);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0),
        one = arith::ConstantIndexOp::create(builder, loc, 1);
  number = arith::MaxSIOp::create(builder, loc, number, zero);
  Value last = arith::SubIOp::create(builder, loc, extent, one);
  return arith::MinSIOp::create(builder, loc, number, last);
}

/// What old exporters make positions of: where ones are, of a list of ones.
static LogicalResult importNonZero(NodeImport &node) {
  const ModelTensor &input = node.input(0);
  if (input.rank() != 1)
    return node.fail("is supported on one dimension only (shape is " +
                     str(input.shape) + ")");
  Dim count = input.shape[0];
  if (input.isConstant() || input.isIntegers()) {
    std::vector<float> floats;
    if (input.isFloats())
      floats = input.data->floats();
    else if (!input.isIntegers() || !llvm::all_of(input.integers, [](Dim each) {
               return each.isConstant();
             }))
      return node.fail("is supported on constants only");
    SmallVector<Dim> places;
    for (int64_t i = 0; i < count.offset; ++i)
      if (input.isIntegers() ? !input.integers[i].isConstant(0)
                             : floats[i] != 0)
        places.push_back(Dim(i));
    Shape shape{Dim(1), Dim(static_cast<int64_t>(places.size()))};
    return node.setResult(
        0, ModelTensor::numbers(shape, std::move(places), ElementType::Int64));
  }
  std::optional<int64_t> number = filledWith(input.value);
  if (!number || *number == 0)
    return node.fail("is supported on constants only");
  Shape shape{Dim(1), count};
  Type element = mlirType(ElementType::Int64, node.loc.getContext());
  Value result = node.emit.generate(
      node.loc, shape, element,
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        return arith::IndexCastOp::create(builder, loc, element, at[1]);
      });
  return node.setResult(result, shape);
}

/// Indices of the run time pick from any tensor, along an axis: rows of an
/// embedding.
LogicalResult mlir::fact::gatherAtRunTime(NodeImport &node, int64_t axis,
                                          llvm::ArrayRef<Dim> shape) {
  const ModelTensor &data = node.input(0), &index = node.input(1);
  Value source = node.anyValue(0), indices = node.anyValue(1);
  Value extent = node.emit.index(node.loc, data.shape[axis]);
  int64_t count = index.rank();
  Value result = node.emit.generate(
      node.loc, shape, mlirType(data.type, node.loc.getContext()),
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        SmallVector<Value> from(at.begin(), at.begin() + axis);
        from.push_back(placeAtRunTime(builder, loc, indices,
                                      at.slice(axis, count), extent));
        llvm::append_range(from, at.drop_front(axis + count));
        return tensor::ExtractOp::create(builder, loc, source, from);
      });
  return node.setResult(result, shape);
}

llvm::ArrayRef<Operator> mlir::fact::indexOperators() {
  static const Operator operators[] = {
      {"ConstantOfShape", 9, 1, 1, importConstantOfShape},
      {"CumSum", 11, 2, 2, importCumSum},
      {"NonZero", 9, 1, 1, importNonZero},
      {"Range", 11, 3, 3, importRange},
      {"Trilu", 14, 1, 2, importTrilu},
  };
  return operators;
}
