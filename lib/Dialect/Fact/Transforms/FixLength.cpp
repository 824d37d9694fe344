//===- FixLength.cpp - What fixes the length of the sequence
//---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All open dimensions of one value are the same number: the length of main's
// sequence, or, behind a cast, as many as a value of a fixed type has. Each
// public function is followed with such numbers from its arguments to its
// results, through calls. Where two of them have to be the same, the length is
// fixed, and the type of the arguments says so from then on.
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FIXLENGTHPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// How many elements the open dimensions of a value have.
struct OpenSize {
  /// `Unknown` is what an op of another dialect makes of it.
  enum Kind { None, Unknown, Length, Constant } kind = None;
  int64_t size = 0;
  bool operator==(const OpenSize &other) const {
    return kind == other.kind && size == other.size;
  }
};

bool isOpen(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && !tensor.hasStaticShape();
}

/// Follows one function and collects what its length has to be.
class LengthAnalysis {
public:
  explicit LengthAnalysis(func::FuncOp function) : function(function) {}

  /// Fails, with an error, where two fixed numbers contradict each other.
  LogicalResult run();

  /// The length, and the place of what fixes it.
  std::optional<int64_t> length;
  std::optional<Location> reason;
  /// Of what the function returns.
  SmallVector<OpenSize> results;

private:
  using Sizes = SmallVector<OpenSize>;
  FailureOr<Sizes> follow(Block &body, ArrayRef<OpenSize> arguments);
  FailureOr<OpenSize> join(Location place, OpenSize a, OpenSize b);
  FailureOr<OpenSize> castSize(tensor::CastOp op, OpenSize source);

  func::FuncOp function;
};

} // namespace

/// `a` and `b` have to be the same number.
FailureOr<OpenSize> LengthAnalysis::join(Location place, OpenSize a,
                                         OpenSize b) {
  if (a == b || b.kind == OpenSize::None)
    return a;
  if (a.kind == OpenSize::None)
    return b;
  if (a.kind == OpenSize::Unknown || b.kind == OpenSize::Unknown)
    return OpenSize{OpenSize::Unknown};
  if (a.kind == OpenSize::Length)
    std::swap(a, b);
  if (b.kind == OpenSize::Length) {
    if (length && *length != a.size) {
      InFlightDiagnostic diagnostic =
          emitError(place) << "this needs a sequence of " << a.size
                           << " tokens, something else one of " << *length;
      diagnostic.attachNote(*reason) << "namely this";
      return diagnostic;
    }
    if (!length) {
      length = a.size;
      reason = place;
    }
    return a;
  }
  return emitError(place) << "open dimensions of " << a.size << " and of "
                          << b.size << " elements must be the same";
}

FailureOr<OpenSize> LengthAnalysis::castSize(tensor::CastOp op,
                                             OpenSize source) {
  auto from = dyn_cast<RankedTensorType>(op.getSource().getType()),
       to = dyn_cast<RankedTensorType>(op.getType());
  if (!from || !to)
    return OpenSize{OpenSize::Unknown};
  OpenSize result;
  for (auto [a, b] : llvm::zip_equal(from.getShape(), to.getShape())) {
    OpenSize size{OpenSize::Constant, a};
    if (ShapedType::isDynamic(a))
      size = source;
    if (ShapedType::isDynamic(a) && !ShapedType::isDynamic(b)) {
      if (source.kind == OpenSize::Unknown)
        return op.emitOpError()
               << "has a source of which nobody knows whether it has " << b
               << " elements there";
      FailureOr<OpenSize> joined =
          join(op.getLoc(), source, {OpenSize::Constant, b});
      if (failed(joined))
        return failure();
    }
    if (!ShapedType::isDynamic(b))
      continue;
    FailureOr<OpenSize> joined = join(op.getLoc(), result, size);
    if (failed(joined))
      return failure();
    result = *joined;
  }
  return result;
}

FailureOr<LengthAnalysis::Sizes>
LengthAnalysis::follow(Block &body, ArrayRef<OpenSize> arguments) {
  // Only open types have one.
  DenseMap<Value, OpenSize> sizes;
  for (auto [argument, size] : llvm::zip_equal(body.getArguments(), arguments))
    if (isOpen(argument.getType()))
      sizes[argument] = size;
  auto sizesOf = [&](ValueRange values) {
    return llvm::map_to_vector(values,
                               [&](Value v) { return sizes.lookup(v); });
  };
  for (Operation &op : body.without_terminator()) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      func::FuncOp callee = calleeOf(call);
      Sizes results(call.getNumResults(), {OpenSize::Unknown});
      if (callee && callee.getBody().hasOneBlock()) {
        FailureOr<Sizes> followed =
            follow(callee.getBody().front(), sizesOf(call.getOperands()));
        if (failed(followed))
          return failure();
        results = std::move(*followed);
      }
      for (auto [result, size] : llvm::zip_equal(call.getResults(), results))
        sizes[result] = size;
      continue;
    }
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
      for (OpResult result : op.getResults())
        sizes[result] =
            sizes.lookup(destination.getTiedOpOperand(result)->get());
      continue;
    }
    FailureOr<OpenSize> size = OpenSize{OpenSize::Unknown};
    if (auto cast = dyn_cast<tensor::CastOp>(op)) {
      size = castSize(cast, sizes.lookup(cast.getSource()));
    } else if (isReshape(&op)) {
      size = sizes.lookup(op.getOperand(0));
    } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
      if (llvm::hasSingleElement(empty.getDynamicSizes()))
        if (auto of = empty.getDynamicSizes()[0].getDefiningOp<tensor::DimOp>())
          size = sizes.lookup(of.getSource());
    } else if (isa_and_nonnull<FactDialect>(op.getDialect()) ||
               op.hasTrait<OpTrait::Elementwise>()) {
      // All open dimensions of a fact op are tokens.
      size = OpenSize();
      for (Value operand : op.getOperands())
        if (succeeded(size) && isOpen(operand.getType()))
          size = join(op.getLoc(), *size, sizes.lookup(operand));
    }
    if (failed(size))
      return failure();
    for (Value result : op.getResults())
      if (isOpen(result.getType()))
        sizes[result] = *size;
  }
  return sizesOf(body.getTerminator()->getOperands());
}

/// Whether an argument of main is rows of a sequence, and not one row that
/// stands beside it, for some `fact` op or function.
static bool isSequence(BlockArgument argument) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  bool isRows =
      type && type.getElementType().isF32() &&
      (type.getRank() == 2 || (type.getRank() == 3 && type.getDimSize(0) == 1));
  if (!isRows || type.getDimSize(type.getRank() - 2) == 1)
    return false;
  return llvm::any_of(readersOf(argument), [](OpOperand *use) {
    Operation *op = use->getOwner();
    return isa<func::CallOp>(op) ||
           (isa_and_nonnull<FactDialect>(op->getDialect()) &&
            !isWeightOperand(*use));
  });
}

LogicalResult LengthAnalysis::run() {
  // A model has one sequence: where the rows of one input are fixed, those that
  // are open have as many.
  bool anyOpen = llvm::any_of(function.getArgumentTypes(), isOpen);
  for (BlockArgument argument : function.getArguments()) {
    if (!anyOpen || isOpen(argument.getType()) || !isSequence(argument))
      continue;
    auto type = cast<RankedTensorType>(argument.getType());
    OpenSize rows{OpenSize::Constant, type.getDimSize(type.getRank() - 2)};
    if (failed(join(argument.getLoc(), rows, {OpenSize::Length})))
      return failure();
  }
  Sizes arguments(function.getNumArguments(), {OpenSize::Length});
  FailureOr<Sizes> returned = follow(function.getBody().front(), arguments);
  if (failed(returned))
    return failure();
  results = std::move(*returned);
  return success();
}

static Type withOpenSize(Type type, int64_t size) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  llvm::replace(shape, ShapedType::kDynamic, size);
  return tensor.clone(shape);
}

/// Gives the open dimensions of arguments and results the length.
static LogicalResult fixLength(func::FuncOp function,
                               const LengthAnalysis &analysis) {
  int64_t length = *analysis.length;
  Block &body = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  for (BlockArgument argument : body.getArguments()) {
    Type type = argument.getType();
    if (!isOpen(type))
      continue;
    int64_t bound = sequenceBound(function, argument);
    if (bound && bound < length) {
      InFlightDiagnostic diagnostic = emitError(*analysis.reason)
                                      << "this needs a sequence of " << length
                                      << " tokens";
      diagnostic.attachNote(argument.getLoc())
          << "which may have " << bound << " at most";
      return diagnostic;
    }
    function.removeArgAttr(argument.getArgNumber(), kBoundAttrName);
    argument.setType(withOpenSize(type, length));
    auto open =
        tensor::CastOp::create(builder, argument.getLoc(), type, argument);
    argument.replaceAllUsesExcept(open, open);
  }
  Operation *end = body.getTerminator();
  builder.setInsertionPoint(end);
  for (auto [operand, size] :
       llvm::zip_equal(end->getOpOperands(), analysis.results)) {
    Value value = operand.get();
    if (size.kind == OpenSize::None || size.kind == OpenSize::Unknown)
      continue;
    int64_t known = size.kind == OpenSize::Length ? length : size.size;
    operand.set(tensor::CastOp::create(
        builder, value.getLoc(), withOpenSize(value.getType(), known), value));
  }
  function.setFunctionType(
      builder.getFunctionType(body.getArgumentTypes(), end->getOperandTypes()));
  return success();
}

namespace {
struct FixLengthPass : mlir::fact::impl::FixLengthPassBase<FixLengthPass> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isPrivate() || !function.getBody().hasOneBlock())
        continue;
      LengthAnalysis analysis(function);
      if (failed(verifyNotRecursive(function)) || failed(analysis.run()))
        return signalPassFailure();
      if (!analysis.length)
        continue;
      emitWarning(*analysis.reason)
          << "this has " << *analysis.length
          << " tokens: no sequence of another length can run";
      if (failed(fixLength(function, analysis)))
        return signalPassFailure();
      ++numFixed;
    }
  }
};
} // namespace
