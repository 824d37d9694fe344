//===- SequenceExtents.cpp - Extents by the length of the sequence --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/SequenceExtents.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mlir::fact;

namespace {

/// Where a value stands: in main, or in what a call in another frame calls.
struct Frame {
  mutable func::CallOp call; // an op's getters are not const
  const Frame *caller = nullptr;
};

/// Follows extents backwards. Every step looks at one value, so that the work
/// grows with the depth of a model and not with its paths.
class Extents {
public:
  explicit Extents(MLIRContext *context)
      : context(context), length(getAffineSymbolExpr(0, context)) {}

  /// Extent `dim` of a tensor.
  AffineExpr of(Value tensor, int64_t dim, const Frame &frame);

private:
  AffineExpr ofResult(OpResult tensor, int64_t dim, const Frame &frame);
  /// A number that an extent is computed with.
  AffineExpr number(Value value, const Frame &frame);
  AffineExpr number(OpFoldResult value, const Frame &frame);
  AffineExpr constant(int64_t value) {
    return getAffineConstantExpr(value, context);
  }

  MLIRContext *context;
  AffineExpr length;
};

} // namespace

AffineExpr Extents::number(OpFoldResult value, const Frame &frame) {
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constant(*known);
  return number(cast<Value>(value), frame);
}

/// What two numbers make; null where one of them is not known.
static AffineExpr combine(AffineExprKind kind, AffineExpr a, AffineExpr b) {
  if (!a || !b)
    return {};
  bool divides = kind != AffineExprKind::Add && kind != AffineExprKind::Mul;
  auto divisor = dyn_cast<AffineConstantExpr>(b);
  if (divides && (!divisor || divisor.getValue() < 1))
    return {};
  return getAffineBinaryOpExpr(kind, a, b);
}

AffineExpr Extents::number(Value value, const Frame &frame) {
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constant(*known);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    bool isOfCallee =
        frame.caller && isa<func::FuncOp>(argument.getOwner()->getParentOp());
    return isOfCallee
               ? number(Value(frame.call.getOperand(argument.getArgNumber())),
                        *frame.caller)
               : AffineExpr();
  }
  Operation *op = value.getDefiningOp();
  auto both = [&](AffineExprKind kind) {
    return combine(kind, number(op->getOperand(0), frame),
                   number(op->getOperand(1), frame));
  };
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
    std::optional<int64_t> index = dim.getConstantIndex();
    return type && index && *index >= 0 && *index < type.getRank()
               ? of(dim.getSource(), *index, frame)
               : AffineExpr();
  }
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
    return number(op->getOperand(0), frame);
  if (isa<arith::AddIOp>(op))
    return both(AffineExprKind::Add);
  if (isa<arith::MulIOp>(op))
    return both(AffineExprKind::Mul);
  if (isa<arith::SubIOp>(op))
    return combine(AffineExprKind::Add, number(op->getOperand(0), frame),
                   combine(AffineExprKind::Mul,
                           number(op->getOperand(1), frame), constant(-1)));
  // Extents are not negative, nor is what they are computed from.
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(op))
    return both(AffineExprKind::FloorDiv);
  if (isa<arith::CeilDivSIOp, arith::CeilDivUIOp>(op))
    return both(AffineExprKind::CeilDiv);
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands())
      if (operands.push_back(number(operand, frame)); !operands.back())
        return {};
    unsigned dims = apply.getAffineMap().getNumDims();
    return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(
        ArrayRef(operands).take_front(dims),
        ArrayRef(operands).drop_front(dims));
  }
  return {};
}

AffineExpr Extents::of(Value tensor, int64_t dim, const Frame &frame) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return {};
  if (!type.isDynamicDim(dim))
    return constant(type.getDimSize(dim));
  if (auto result = dyn_cast<OpResult>(tensor))
    return ofResult(result, dim, frame);
  auto argument = cast<BlockArgument>(tensor);
  if (!isa<func::FuncOp>(argument.getOwner()->getParentOp()))
    return {};
  return frame.caller ? of(frame.call.getOperand(argument.getArgNumber()), dim,
                           *frame.caller)
                      : length;
}

AffineExpr Extents::ofResult(OpResult tensor, int64_t dim, const Frame &frame) {
  Operation *op = tensor.getOwner();
  if (auto call = dyn_cast<func::CallOp>(op)) {
    func::FuncOp callee = calleeOf(call);
    auto end =
        callee && callee.getBody().hasOneBlock()
            ? dyn_cast<func::ReturnOp>(callee.getBody().front().getTerminator())
            : func::ReturnOp();
    Frame inner{call, &frame};
    return end ? of(end.getOperand(tensor.getResultNumber()), dim, inner)
               : AffineExpr();
  }
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return of(cast.getSource(), dim, frame);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return of(destination.getTiedOpOperand(tensor)->get(), dim, frame);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return number(empty.getMixedSizes()[dim], frame);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return number(expand.getMixedOutputShape()[dim], frame);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    AffineExpr product = constant(1);
    ReassociationIndices group = collapse.getReassociationIndices()[dim];
    for (int64_t from : group)
      product = combine(AffineExprKind::Mul, product,
                        of(collapse.getSrc(), from, frame));
    return product;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i) && dim-- == 0)
        return number(size, frame);
    return {};
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return combine(AffineExprKind::Add,
                   combine(AffineExprKind::Add, of(pad.getSource(), dim, frame),
                           number(pad.getMixedLowPad()[dim], frame)),
                   number(pad.getMixedHighPad()[dim], frame));
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    if (static_cast<int64_t>(concat.getDim()) != dim)
      return of(concat.getInputs().front(), dim, frame);
    AffineExpr sum = constant(0);
    for (Value input : concat.getInputs())
      sum = combine(AffineExprKind::Add, sum, of(input, dim, frame));
    return sum;
  }
  if (auto generate = dyn_cast<tensor::GenerateOp>(op)) {
    auto type = cast<RankedTensorType>(tensor.getType());
    return number(generate.getDynamicExtents()[type.getDynamicDimIndex(dim)],
                  frame);
  }
  if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
    auto type = cast<RankedTensorType>(tensor.getType());
    return number(splat.getDynamicSizes()[type.getDynamicDimIndex(dim)], frame);
  }
  // All open extents of a fact op are tokens, of elementwise ops the same.
  bool isFact = isa_and_nonnull<FactDialect>(op->getDialect());
  if (isFact || op->hasTrait<OpTrait::Elementwise>())
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.getType()))
        for (int64_t i = 0; i < type.getRank(); ++i)
          if (type.isDynamicDim(i) && (isFact || i == dim))
            return of(operand, i, frame);
  return {};
}

static SmallVector<AffineExpr> extentsOf(Value tensor) {
  SmallVector<AffineExpr> extents;
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  for (int64_t dim = 0; type && dim < type.getRank(); ++dim)
    extents.push_back(Extents(tensor.getContext()).of(tensor, dim, Frame()));
  return extents;
}

SmallVector<AffineExpr> mlir::fact::argumentExtents(func::FuncOp function,
                                                    unsigned index) {
  return extentsOf(function.getArgument(index));
}

SmallVector<AffineExpr> mlir::fact::resultExtents(func::FuncOp function,
                                                  unsigned index) {
  return extentsOf(
      function.getBody().front().getTerminator()->getOperand(index));
}

bool mlir::fact::isSequenceOrFixed(ArrayRef<AffineExpr> extents) {
  return llvm::all_of(extents, [](AffineExpr extent) {
    return extent && isa<AffineConstantExpr, AffineSymbolExpr>(extent);
  });
}

std::string mlir::fact::extentText(AffineExpr extent) {
  if (!extent)
    return "?";
  if (auto number = dyn_cast<AffineConstantExpr>(extent))
    return std::to_string(number.getValue());
  if (isa<AffineSymbolExpr>(extent))
    return "length";
  auto binary = cast<AffineBinaryOpExpr>(extent);
  auto part = [](AffineExpr operand) {
    std::string text = extentText(operand);
    return isa<AffineBinaryOpExpr>(operand) ? "(" + text + ")" : text;
  };
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  auto offset = dyn_cast<AffineConstantExpr>(right);
  switch (extent.getKind()) {
  case AffineExprKind::Add:
    if (offset && offset.getValue() < 0)
      return extentText(left) + " - " + std::to_string(-offset.getValue());
    return extentText(left) + " + " + extentText(right);
  case AffineExprKind::Mul: // the constant first, as people write it
    return part(offset ? right : left) + " * " + part(offset ? left : right);
  case AffineExprKind::FloorDiv:
    return part(left) + " / " + part(right);
  case AffineExprKind::CeilDiv:
    return part(left + (right - 1)) + " / " + part(right);
  default:
    return part(left) + " % " + part(right);
  }
}
