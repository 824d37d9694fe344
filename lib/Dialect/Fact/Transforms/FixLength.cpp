//===- FixLength.cpp - What fixes the length of the sequence --------------===//
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
  /// `None` is for a value without open dimensions, `Unknown` for what an op of
  /// another dialect makes.
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
  /// Rows of arguments and of results are of one sequence (`oneSequence`) or
  /// have nothing to do with each other.
  LengthAnalysis(func::FuncOp function, bool oneSequence)
      : function(function), oneSequence(oneSequence) {}

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
  FailureOr<OpenSize> joinAll(Location place, ArrayRef<OpenSize> sizes);
  FailureOr<OpenSize> castSize(tensor::CastOp op, OpenSize source);

  func::FuncOp function;
  bool oneSequence;
};

} // namespace

/// `a` and `b`, of which neither is `Unknown`, have to be the same number.
FailureOr<OpenSize> LengthAnalysis::join(Location place, OpenSize a,
                                         OpenSize b) {
  if (a == b || b.kind == OpenSize::None)
    return a;
  if (a.kind == OpenSize::None)
    return b;
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

FailureOr<OpenSize> LengthAnalysis::joinAll(Location place,
                                            ArrayRef<OpenSize> sizes) {
  OpenSize result;
  bool isKnown = true;
  for (const OpenSize &size : sizes) {
    if (size.kind == OpenSize::Unknown) {
      isKnown = false;
      continue;
    }
    FailureOr<OpenSize> joined = join(place, result, size);
    if (failed(joined))
      return failure();
    result = *joined;
  }
  return isKnown ? result : OpenSize{OpenSize::Unknown};
}

FailureOr<OpenSize> LengthAnalysis::castSize(tensor::CastOp op,
                                             OpenSize source) {
  auto from = dyn_cast<RankedTensorType>(op.getSource().getType()),
       to = dyn_cast<RankedTensorType>(op.getType());
  if (!from && to)
    return op.emitOpError() << "has an unranked source: the tensors of a model "
                               "have a rank";
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
               << "has a source of which it is not known that it has " << b
               << " elements there";
      if (failed(join(op.getLoc(), source, {OpenSize::Constant, b})))
        return failure();
    }
    if (!ShapedType::isDynamic(b))
      continue;
    // A cast may open dimensions that have nothing to do with each other.
    result = result == size || result.kind == OpenSize::None
                 ? size
                 : OpenSize{OpenSize::Unknown};
  }
  return result;
}

static Operation *terminatorOf(func::FuncOp function) {
  return function.getBody().front().getTerminator();
}

/// Whether a function is one that can be followed.
static bool isModel(func::FuncOp function) {
  return function.getBody().hasOneBlock() &&
         isa<func::ReturnOp>(terminatorOf(function));
}

/// Regions of ops are not followed: no cast in them may rely on a length.
static LogicalResult checkRegions(Operation &op) {
  WalkResult result = op.walk([&](tensor::CastOp cast) {
    auto to = dyn_cast<RankedTensorType>(cast.getType());
    if (cast.getOperation() == &op || isOpen(cast.getType()) || !to ||
        (!isOpen(cast.getSource().getType()) &&
         isa<RankedTensorType>(cast.getSource().getType())))
      return WalkResult::advance();
    cast.emitOpError() << "to a fixed type is inside of '" << op.getName()
                       << "', where it is not known how many elements it gets";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Whether the open dimensions of a reshape's result are those of its operand,
/// and not of 2 L elements, or L / 2.
static bool keepsOpenSize(Operation &reshape) {
  auto count = [](Type type) {
    int64_t open = 0, fixed = 1;
    for (int64_t extent : cast<RankedTensorType>(type).getShape())
      ShapedType::isDynamic(extent) ? ++open : fixed *= extent;
    return std::make_pair(open, fixed);
  };
  return count(reshape.getOperand(0).getType()) ==
         count(reshape.getResult(0).getType());
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
      if (callee && isModel(callee)) {
        FailureOr<Sizes> followed =
            follow(callee.getBody().front(), sizesOf(call.getOperands()));
        if (failed(followed))
          return failure();
        results = std::move(*followed);
      }
      for (auto [result, size] : llvm::zip_equal(call.getResults(), results))
        if (isOpen(result.getType()))
          sizes[result] = size;
      continue;
    }
    if (failed(checkRegions(op)))
      return failure();
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
      for (OpResult result : op.getResults())
        if (isOpen(result.getType()))
          sizes[result] =
              sizes.lookup(destination.getTiedOpOperand(result)->get());
      continue;
    }
    FailureOr<OpenSize> size = OpenSize{OpenSize::Unknown};
    if (auto cast = dyn_cast<tensor::CastOp>(op)) {
      size = castSize(cast, sizes.lookup(cast.getSource()));
    } else if (isReshape(&op)) {
      if (keepsOpenSize(op))
        size = sizes.lookup(op.getOperand(0));
    } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
      SmallVector<OpenSize> open = llvm::map_to_vector(
          empty.getDynamicSizes(), [&](Value extent) -> OpenSize {
            if (std::optional<int64_t> size = getConstantIntValue(extent))
              return {OpenSize::Constant, *size};
            auto dim = extent.getDefiningOp<tensor::DimOp>();
            auto type =
                dim ? dyn_cast<RankedTensorType>(dim.getSource().getType())
                    : RankedTensorType();
            std::optional<int64_t> index =
                type ? dim.getConstantIndex() : std::nullopt;
            if (!index || *index < 0 || *index >= type.getRank())
              return {OpenSize::Unknown};
            if (!type.isDynamicDim(*index))
              return {OpenSize::Constant, type.getDimSize(*index)};
            return sizes.lookup(dim.getSource());
          });
      size = joinAll(op.getLoc(), open);
    } else if (isa_and_nonnull<FactDialect>(op.getDialect()) ||
               op.hasTrait<OpTrait::Elementwise>()) {
      // All open dimensions of a fact op are tokens.
      SmallVector<OpenSize> open;
      for (Value operand : op.getOperands())
        if (isOpen(operand.getType()))
          open.push_back(sizes.lookup(operand));
      size = joinAll(op.getLoc(), open);
    }
    if (failed(size))
      return failure();
    for (Value result : op.getResults())
      if (isOpen(result.getType()))
        sizes[result] = *size;
  }
  return sizesOf(body.getTerminator()->getOperands());
}

/// The rows of a fixed type that may be a sequence's, and not one row that
/// stands beside it; 0 for another type.
static int64_t fixedRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  bool isRows = tensor && tensor.getElementType().isF32() &&
                tensor.hasStaticShape() &&
                (tensor.getRank() == 2 ||
                 (tensor.getRank() == 3 &&
                  (tensor.getDimSize(0) == 1 || tensor.getDimSize(1) == 1)));
  int64_t rows = isRows ? tensor.getDimSize(sequenceDim(tensor)) : 0;
  return rows == 1 ? 0 : rows;
}

/// Whether nobody takes a value for anything but rows of a sequence: no op of
/// another dialect, and none for a weight, here or in what is called with it.
static bool isReadAsRows(Value value) {
  return llvm::all_of(readersOf(value), [](OpOperand *use) {
    if (auto call = dyn_cast<func::CallOp>(use->getOwner())) {
      func::FuncOp callee = calleeOf(call);
      return callee && isModel(callee) &&
             isReadAsRows(callee.getArgument(use->getOperandNumber()));
    }
    return isa<func::ReturnOp>(use->getOwner()) ||
           (isa_and_nonnull<FactDialect>(use->getOwner()->getDialect()) &&
            !isWeightOperand(*use));
  });
}

/// Whether an argument of main is rows of a sequence, and not one row that
/// stands beside it.
static bool isSequence(BlockArgument argument) {
  return fixedRows(argument.getType()) && isReadAsRows(argument);
}

LogicalResult LengthAnalysis::run() {
  // Where the rows of one input are fixed, those that are open have as many.
  bool anyOpen =
      oneSequence && llvm::any_of(function.getArgumentTypes(), isOpen);
  for (BlockArgument argument : function.getArguments()) {
    if (!anyOpen || isOpen(argument.getType()) || !isSequence(argument))
      continue;
    OpenSize rows{OpenSize::Constant, fixedRows(argument.getType())};
    if (failed(join(argument.getLoc(), rows, {OpenSize::Length})))
      return failure();
  }
  Sizes arguments(function.getNumArguments(), {OpenSize::Length});
  FailureOr<Sizes> returned = follow(function.getBody().front(), arguments);
  if (failed(returned))
    return failure();
  results = std::move(*returned);
  // The same for results: one that is no single row has the sequence's rows.
  for (auto [value, size] :
       llvm::zip_equal(terminatorOf(function)->getOperands(), results)) {
    OpenSize rows = size;
    if (int64_t fixed = fixedRows(value.getType()))
      rows = {OpenSize::Constant, fixed};
    if (anyOpen && rows.kind == OpenSize::Constant && rows.size != 1 &&
        failed(join(value.getLoc(), rows, {OpenSize::Length})))
      return failure();
  }
  return success();
}

static Type withOpenSize(Type type, int64_t size) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  llvm::replace(shape, ShapedType::kDynamic, size);
  return tensor.clone(shape);
}

/// Gives the open dimensions of results the sizes that are known of them.
static void fixResults(func::FuncOp function, const LengthAnalysis &analysis) {
  Operation *end = terminatorOf(function);
  OpBuilder builder(end);
  for (auto [operand, size] :
       llvm::zip_equal(end->getOpOperands(), analysis.results)) {
    Value value = operand.get();
    bool isLength = size.kind == OpenSize::Length && analysis.length;
    if (!isLength && size.kind != OpenSize::Constant)
      continue;
    int64_t known = isLength ? *analysis.length : size.size;
    operand.set(tensor::CastOp::create(
        builder, value.getLoc(), withOpenSize(value.getType(), known), value));
  }
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(),
                                                   end->getOperandTypes()));
}

/// Gives the open dimensions of arguments the length.
static LogicalResult fixArguments(func::FuncOp function,
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
  function.setFunctionType(builder.getFunctionType(
      body.getArgumentTypes(), terminatorOf(function)->getOperandTypes()));
  return success();
}

namespace {
struct FixLengthPass : mlir::fact::impl::FixLengthPassBase<FixLengthPass> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      // A function that others call, too, keeps its type.
      if (!function.isPublic() || !isModel(function) ||
          !SymbolTable::symbolKnownUseEmpty(function, getOperation()))
        continue;
      LengthAnalysis analysis(function, oneSequence);
      if (failed(verifyNotRecursive(function)) || failed(analysis.run()))
        return signalPassFailure();
      fixResults(function, analysis);
      if (!analysis.length)
        continue;
      if (failed(fixArguments(function, analysis)))
        return signalPassFailure();
      emitWarning(*analysis.reason)
          << "this has " << *analysis.length
          << " tokens: no sequence of another length can run";
      ++numFixed;
    }
  }
};
} // namespace
