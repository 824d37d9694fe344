//===- Emitter.cpp - The linalg forms that an import consists of ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"

#include <cstring>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using ::fact::onnx::Tensor;

/// Constants of up to this many elements are printed with the operation.
static constexpr int64_t maxDenseElements = 16;

Type mlir::fact::mlirType(ElementType type, MLIRContext *context) {
  switch (type) {
  case ElementType::Bool:
    return IntegerType::get(context, 1);
  case ElementType::Int8:
  case ElementType::Uint8:
    return IntegerType::get(context, 8);
  case ElementType::Int32:
    return IntegerType::get(context, 32);
  case ElementType::Int64:
    return IntegerType::get(context, 64);
  default:
    return Float32Type::get(context);
  }
}

ElementType mlir::fact::typeOf(Type element) {
  if (element.isInteger(1))
    return ElementType::Bool;
  if (element.isInteger(8))
    return ElementType::Int8;
  if (element.isInteger(32))
    return ElementType::Int32;
  if (element.isInteger(64))
    return ElementType::Int64;
  return ElementType::Float;
}

static Type elementOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

RankedTensorType Emitter::type(llvm::ArrayRef<Dim> shape, Type element) {
  SmallVector<int64_t> extents;
  for (Dim dim : shape)
    extents.push_back(dim.isConstant() ? dim.offset : ShapedType::kDynamic);
  return RankedTensorType::get(extents,
                               element ? element : builder.getF32Type());
}

Value Emitter::index(Location loc, Dim dim) {
  Value value = length;
  if (dim.isConstant())
    return arith::ConstantIndexOp::create(builder, loc, dim.offset);
  if (dim.coefficient != 1)
    value = arith::MulIOp::create(builder, loc, value,
                                  index(loc, Dim(dim.coefficient)));
  if (dim.offset != 0)
    value =
        arith::AddIOp::create(builder, loc, value, index(loc, Dim(dim.offset)));
  return value;
}

OpFoldResult Emitter::extent(Location loc, Dim dim) {
  if (dim.isConstant())
    return builder.getIndexAttr(dim.offset);
  return index(loc, dim);
}

Value Emitter::empty(Location loc, llvm::ArrayRef<Dim> shape, Type element) {
  SmallVector<OpFoldResult> extents;
  for (Dim dim : shape)
    extents.push_back(extent(loc, dim));
  return tensor::EmptyOp::create(builder, loc, extents,
                                 element ? element : builder.getF32Type());
}

Value Emitter::filled(Location loc, llvm::ArrayRef<Dim> shape,
                      TypedAttr number) {
  Value scalar = arith::ConstantOp::create(builder, loc, number);
  Value init = empty(loc, shape, number.getType());
  return linalg::FillOp::create(builder, loc, ValueRange{scalar},
                                ValueRange{init})
      .getResult(0);
}

Value Emitter::integers(Location loc, llvm::ArrayRef<Dim> shape,
                        ElementType type, llvm::ArrayRef<Dim> values) {
  Type element = mlirType(type, builder.getContext());
  RankedTensorType result = this->type(shape, element);
  if (llvm::all_of(values, [](Dim dim) { return dim.isConstant(); })) {
    SmallVector<APInt> numbers;
    for (Dim dim : values)
      numbers.push_back(APInt(element.getIntOrFloatBitWidth(),
                              static_cast<uint64_t>(dim.offset),
                              /*isSigned=*/true, /*implicitTrunc=*/true));
    return arith::ConstantOp::create(
        builder, loc, cast<TypedAttr>(DenseElementsAttr::get(result, numbers)));
  }
  SmallVector<Value> elements;
  for (Dim dim : values)
    elements.push_back(
        arith::IndexCastOp::create(builder, loc, element, index(loc, dim)));
  return tensor::FromElementsOp::create(builder, loc, result, elements);
}

Value Emitter::constant(Location loc,
                        const std::shared_ptr<const Tensor> &tensor) {
  auto type = RankedTensorType::get(
      tensor->shape, mlirType(tensor->type, builder.getContext()));
  if (tensor->type != ElementType::Float) {
    Shape shape(tensor->shape.begin(), tensor->shape.end());
    std::vector<int64_t> numbers = tensor->integers();
    SmallVector<Dim> values(numbers.begin(), numbers.end());
    return integers(loc, shape, tensor->type, values);
  }
  if (tensor->numElements() <= maxDenseElements)
    return arith::ConstantOp::create(
        builder, loc,
        cast<TypedAttr>(
            DenseElementsAttr::get(type, llvm::ArrayRef(tensor->floats()))));
  // The blob keeps the tensor alive instead of a second copy of every weight.
  ArrayRef<char> bytes(tensor->data.data(), tensor->data.size());
  AsmResourceBlob blob(
      bytes, alignof(float), [tensor](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  StringRef name = tensor->name.empty() ? "constant" : StringRef(tensor->name);
  return arith::ConstantOp::create(
      builder, loc,
      cast<TypedAttr>(
          DenseF32ResourceElementsAttr::get(type, name, std::move(blob))));
}

Value Emitter::elementwise(Location loc, llvm::ArrayRef<Dim> shape,
                           llvm::ArrayRef<ElementwiseOperand> operands,
                           Body body, Type element) {
  unsigned rank = shape.size();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const ElementwiseOperand &operand : operands) {
    if (!operand.value)
      continue;
    unsigned first = rank - operand.shape.size();
    SmallVector<AffineExpr> exprs;
    for (auto [i, dim] : llvm::enumerate(operand.shape)) {
      // Extent 1 against another one is read again and again.
      bool repeated = dim != shape[first + i];
      exprs.push_back(repeated ? builder.getAffineConstantExpr(0)
                               : builder.getAffineDimExpr(first + i));
    }
    inputs.push_back(operand.value);
    maps.push_back(AffineMap::get(rank, 0, exprs, builder.getContext()));
  }
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  Value init = empty(loc, shape, element);
  auto generic = linalg::GenericOp::create(
      builder, loc, TypeRange{init.getType()}, inputs, ValueRange{init}, maps,
      iterators, [&](OpBuilder &inner, Location loc, ValueRange args) {
        SmallVector<Value> elements;
        unsigned next = 0;
        for (const ElementwiseOperand &operand : operands)
          elements.push_back(operand.value ? args[next++]
                                           : arith::ConstantOp::create(
                                                 inner, loc,
                                                 operand.number
                                                     ? operand.number
                                                     : number(operand.scalar)));
        linalg::YieldOp::create(inner, loc, body(inner, loc, elements));
      });
  return generic.getResult(0);
}

Value Emitter::generate(Location loc, llvm::ArrayRef<Dim> shape, Type element,
                        Body body) {
  return elementwise(
      loc, shape, {},
      [&](OpBuilder &inner, Location loc, ValueRange) {
        SmallVector<Value> indices;
        for (unsigned i = 0; i < shape.size(); ++i)
          indices.push_back(linalg::IndexOp::create(inner, loc, i));
        return body(inner, loc, indices);
      },
      element);
}

Value Emitter::broadcast(Location loc, Value value, llvm::ArrayRef<Dim> from,
                         llvm::ArrayRef<Dim> to) {
  if (from == to)
    return value;
  ElementwiseOperand operand{value, Shape(from.begin(), from.end())};
  return elementwise(
      loc, to, operand,
      [](OpBuilder &, Location, ValueRange elements) {
        return elements.front();
      },
      elementOf(value));
}

Value Emitter::reduce(Location loc, Value value, llvm::ArrayRef<Dim> shape,
                      llvm::ArrayRef<bool> reduced, TypedAttr initial,
                      Body body) {
  unsigned rank = shape.size();
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> kept;
  Shape resultShape;
  for (unsigned i = 0; i < rank; ++i) {
    iterators.push_back(reduced[i] ? utils::IteratorType::reduction
                                   : utils::IteratorType::parallel);
    if (reduced[i])
      continue;
    kept.push_back(builder.getAffineDimExpr(i));
    resultShape.push_back(shape[i]);
  }
  Value init = filled(loc, resultShape, initial);
  AffineMap maps[] = {builder.getMultiDimIdentityMap(rank),
                      AffineMap::get(rank, 0, kept, builder.getContext())};
  auto generic = linalg::GenericOp::create(
      builder, loc, TypeRange{init.getType()}, ValueRange{value},
      ValueRange{init}, maps, iterators,
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        linalg::YieldOp::create(inner, loc, body(inner, loc, args));
      });
  return generic.getResult(0);
}

Value Emitter::divideByCount(Location loc, Value value,
                             llvm::ArrayRef<Dim> shape, const Product &count) {
  std::optional<Dim> number = count.asDim();
  assert(number && "the caller checks that the count is one extent");
  ElementwiseOperand sum{value, Shape(shape.begin(), shape.end())}, divisor;
  if (number->isConstant()) {
    divisor.scalar = static_cast<float>(number->offset);
  } else {
    Value integer = arith::IndexCastOp::create(
        builder, loc, builder.getI64Type(), index(loc, *number));
    Value real =
        arith::SIToFPOp::create(builder, loc, builder.getF32Type(), integer);
    divisor.value =
        tensor::FromElementsOp::create(builder, loc, type({}), real);
  }
  return elementwise(loc, shape, {sum, divisor},
                     [](OpBuilder &inner, Location loc, ValueRange elements) {
                       return arith::DivFOp::create(inner, loc, elements[0],
                                                    elements[1]);
                     });
}

Value Emitter::transpose(Location loc, Value value, llvm::ArrayRef<Dim> shape,
                         llvm::ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return value;
  Shape result;
  for (int64_t dimension : permutation)
    result.push_back(shape[dimension]);
  return linalg::TransposeOp::create(builder, loc, value,
                                     empty(loc, result, elementOf(value)),
                                     permutation)
      ->getResult(0);
}

Value Emitter::slice(Location loc, Value value, llvm::ArrayRef<Dim> offsets,
                     llvm::ArrayRef<Dim> sizes,
                     llvm::ArrayRef<int64_t> strides) {
  // A part of nothing has no place in it.
  if (llvm::is_contained(sizes, Dim(0)))
    return empty(loc, sizes, elementOf(value));
  SmallVector<OpFoldResult> starts, extents, steps;
  for (auto [offset, size, stride] : llvm::zip(offsets, sizes, strides)) {
    starts.push_back(extent(loc, offset));
    extents.push_back(extent(loc, size));
    steps.push_back(builder.getIndexAttr(stride));
  }
  return tensor::ExtractSliceOp::create(builder, loc,
                                        type(sizes, elementOf(value)), value,
                                        starts, extents, steps);
}

Value Emitter::insert(Location loc, Value value, Value into,
                      llvm::ArrayRef<Dim> offsets, llvm::ArrayRef<Dim> sizes) {
  SmallVector<OpFoldResult> starts, extents, steps;
  for (auto [offset, size] : llvm::zip(offsets, sizes)) {
    starts.push_back(extent(loc, offset));
    extents.push_back(extent(loc, size));
    steps.push_back(builder.getIndexAttr(1));
  }
  return tensor::InsertSliceOp::create(builder, loc, value, into, starts,
                                       extents, steps);
}

Value Emitter::matmul(Location loc, Value lhs, Value rhs,
                      llvm::ArrayRef<Dim> result) {
  Value init = filled(loc, result, number(0));
  if (result.size() == 2)
    return linalg::MatmulOp::create(builder, loc, TypeRange{init.getType()},
                                    ValueRange{lhs, rhs}, ValueRange{init})
        .getResult(0);
  return linalg::BatchMatmulOp::create(builder, loc, TypeRange{init.getType()},
                                       ValueRange{lhs, rhs}, ValueRange{init})
      .getResult(0);
}

Value Emitter::softmax(Location loc, Value value, llvm::ArrayRef<Dim> shape,
                       int64_t dimension) {
  Value init = empty(loc, shape);
  return linalg::SoftmaxOp::create(builder, loc, TypeRange{init.getType()},
                                   value, init, dimension)
      ->getResult(0);
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

namespace {
/// Dimensions [fromBegin, fromEnd) become [toBegin, toEnd): the same number of
/// elements.
struct Group {
  unsigned fromBegin, fromEnd, toBegin, toEnd;
};
} // namespace

/// Product of a few extents; absent where it does not fit.
static std::optional<Product> productOf(llvm::ArrayRef<Dim> dims) {
  Product product;
  for (Dim dim : dims)
    if (!product.multiply(dim))
      return std::nullopt;
  return product;
}

/// The shortest pair of dimension ranges from \p from and \p to on with equal
/// products.
static std::optional<Group> nextGroup(llvm::ArrayRef<Dim> from,
                                      llvm::ArrayRef<Dim> to, unsigned i,
                                      unsigned j) {
  unsigned most = from.size() - i + to.size() - j;
  for (unsigned total = 2; total <= most; ++total)
    for (unsigned a = 1; a < total; ++a) {
      unsigned b = total - a;
      if (i + a > from.size() || j + b > to.size())
        continue;
      std::optional<Product> left = productOf(from.slice(i, a));
      std::optional<Product> right = productOf(to.slice(j, b));
      if (left && right && *left == *right)
        return Group{i, i + a, j, j + b};
    }
  return std::nullopt;
}

static std::optional<SmallVector<Group>> findGroups(llvm::ArrayRef<Dim> from,
                                                    llvm::ArrayRef<Dim> to) {
  SmallVector<Group> groups;
  unsigned i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    std::optional<Group> group = nextGroup(from, to, i, j);
    if (!group)
      return std::nullopt;
    groups.push_back(*group);
    i = group->fromEnd;
    j = group->toEnd;
  }
  // What is left on one side can only be ones.
  auto isOne = [](Dim dim) { return dim.isConstant(1); };
  if (!llvm::all_of(from.drop_front(i), isOne) ||
      !llvm::all_of(to.drop_front(j), isOne))
    return std::nullopt;
  if (!groups.empty()) {
    groups.back().fromEnd = from.size();
    groups.back().toEnd = to.size();
  }
  return groups;
}

Value Emitter::reshape(Location loc, Value value, llvm::ArrayRef<Dim> from,
                       llvm::ArrayRef<Dim> to) {
  if (from == to)
    return value;
  std::optional<SmallVector<Group>> groups = findGroups(from, to);
  if (!groups)
    return nullptr;
  SmallVector<ReassociationIndices> collapse, expand;
  SmallVector<int64_t> middle;
  bool collapses = groups->empty() && !from.empty();
  bool expands = groups->empty() && !to.empty();
  for (const Group &group : *groups) {
    collapse.push_back(
        llvm::to_vector<2>(llvm::seq<int64_t>(group.fromBegin, group.fromEnd)));
    expand.push_back(
        llvm::to_vector<2>(llvm::seq<int64_t>(group.toBegin, group.toEnd)));
    collapses |= collapse.back().size() > 1;
    expands |= expand.back().size() > 1;
    std::optional<Dim> extent =
        productOf(from.slice(group.fromBegin, group.fromEnd - group.fromBegin))
            ->asDim();
    middle.push_back(extent && extent->isConstant() ? extent->offset
                                                    : ShapedType::kDynamic);
  }
  auto middleType = RankedTensorType::get(middle, elementOf(value));
  if (collapses)
    value = tensor::CollapseShapeOp::create(builder, loc, middleType, value,
                                            collapse);
  if (expands) {
    SmallVector<OpFoldResult> extents;
    for (Dim dim : to)
      extents.push_back(extent(loc, dim));
    value = tensor::ExpandShapeOp::create(
        builder, loc, type(to, elementOf(value)), value, expand, extents);
  }
  return value;
}
