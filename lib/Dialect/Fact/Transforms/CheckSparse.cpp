//===- CheckSparse.cpp - What both back ends rely on ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a verifier cannot say, since it is about where operands come from: one
// explanation for both back ends, before either begins.
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/IR/Weights.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Limits.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::fact {
#define GEN_PASS_DEF_CHECKSPARSEPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

class Checker {
public:
  explicit Checker(ModuleOp module) : users(symbols, module) {}

  LogicalResult check(Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<RotateOp, SelectOp, KRowsOp, VRowsOp, QRowsOp, SelectPrecisionOp,
              QuantizedAttentionOp>([&](auto typed) { return verify(typed); })
        .Default([&](Operation *) { return checkOperands(op); });
  }

private:
  LogicalResult verify(RotateOp op);
  LogicalResult verify(SelectOp op);
  LogicalResult verify(KRowsOp op);
  LogicalResult verify(VRowsOp op);
  LogicalResult verify(QRowsOp op) {
    return checkSelected(op, "dominated", op.getDominated(), isDominated);
  }
  LogicalResult verify(SelectPrecisionOp op);
  LogicalResult verify(QuantizedAttentionOp op);

  LogicalResult checkOperands(Operation *op);
  LogicalResult checkArgmax(Operation *op, Value argmax);
  LogicalResult checkRowsKeep(QuantizedAttentionOp op);
  LogicalResult checkPairs(SelectPrecisionOp op);

  /// Every source of a number of the policy is a constant that `check` takes.
  template <typename Number, typename Check>
  LogicalResult checkNumber(Operation *op, StringRef name, Value number,
                            Check check) {
    for (Value source :
         number ? sourcesAcrossCalls(number, users) : SmallVector<Value>()) {
      DenseElementsAttr value;
      if (matchPattern(source, m_Constant(&value))) {
        if (failed(check(op, *value.getValues<Number>().begin())))
          return failure();
        continue;
      }
      InFlightDiagnostic diagnostic = op->emitOpError()
                                      << "needs '" << name
                                      << "' to be known while compiling";
      diagnostic.attachNote(source.getLoc()) << "it comes from here";
      return diagnostic;
    }
    return success();
  }

  /// Every source of `value` must be a constant or satisfy `isSelected`.
  LogicalResult checkSelected(Operation *op, StringRef name, Value value,
                              bool (*isSelected)(Value)) {
    if (!value)
      return success();
    for (Value source : sourcesAcrossCalls(value, users))
      if (!isSelected(source) && !matchPattern(source, m_Constant())) {
        InFlightDiagnostic diagnostic =
            op->emitOpError()
            << "needs '" << name << "' from a 'fact.select' or a constant";
        diagnostic.attachNote(source.getLoc()) << "it comes from here";
        return diagnostic;
      }
    return success();
  }

  static bool isMask(Value value) {
    auto select = value.getDefiningOp<SelectOp>();
    return select && value == select.getMask();
  }
  static bool isDominated(Value value) {
    auto select = value.getDefiningOp<SelectOp>();
    return select && value == select.getDominated();
  }
  static bool isArgmax(Value value) {
    auto select = value.getDefiningOp<SelectOp>();
    return select && value == select.getArgmax();
  }
  static bool isCount(Value value) {
    auto select = value.getDefiningOp<SelectOp>();
    return (select && value == select.getCount()) ||
           value.getDefiningOp<SelectAllOp>();
  }

  SymbolTableCollection symbols;
  SymbolUserMap users;
};

struct CheckSparsePass
    : mlir::fact::impl::CheckSparsePassBase<CheckSparsePass> {
  using Base::Base;

  void runOnOperation() override {
    Checker checker(getOperation());
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (!isa_and_nonnull<FactDialect>(op->getDialect()))
        return WalkResult::advance();
      return failed(checker.check(op)) ? WalkResult::interrupt()
                                       : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace

/// Numbers of a constant are finite, and rows, as those of an input, not beyond
/// 2^50.
static LogicalResult checkNumbers(Operation *op, Value constant, bool isRows) {
  ElementsAttr values;
  if (!matchPattern(constant, m_Constant(&values)))
    return success();
  auto numbers = ConstantElements<float>::of(values);
  if (!numbers)
    return success(); // no float32, or its reader says so
  int64_t bad =
      isRows
          ? ::fact::numerics::findUnusable(numbers->data(), numbers->size())
          : ::fact::numerics::findNotFinite(numbers->data(), numbers->size());
  if (bad < 0)
    return success();
  InFlightDiagnostic diagnostic =
      op->emitOpError() << "needs "
                        << (isRows ? "rows in -2^50 .. 2^50" : "finite weights")
                        << " (element " << bad << " was " << (*numbers)[bad]
                        << ")";
  diagnostic.attachNote(constant.getLoc()) << "of this constant";
  return diagnostic;
}

/// A weight of which INT4 rows take the high plane must have one of four bits.
static LogicalResult checkPlanes(QuantizedLinearOp op, Value weight) {
  ElementsAttr values;
  if (!op.getLow() || !matchPattern(weight, m_Constant(&values)))
    return success();
  constexpr int limit = static_cast<int>(::fact::numerics::weightLimit);
  auto numbers = ConstantElements<int8_t>::of(values);
  for (int64_t i = 0, n = numbers ? numbers->size() : 0; i < n; ++i)
    if (std::abs(static_cast<int>((*numbers)[i])) > limit) {
      InFlightDiagnostic diagnostic =
          op.emitOpError() << "needs weights in " << -limit << " .. " << limit
                           << " for rows at INT4 (element " << i << " was "
                           << int((*numbers)[i]) << ")";
      diagnostic.attachNote(weight.getLoc()) << "of this constant";
      return diagnostic;
    }
  return success();
}

LogicalResult Checker::checkOperands(Operation *op) {
  for (OpOperand &operand : op->getOpOperands()) {
    bool isWeight = isWeightOperand(operand);
    for (Value source : sourcesAcrossCalls(operand.get(), users)) {
      if (failed(checkNumbers(op, source, /*isRows=*/!isWeight)))
        return failure();
      if (!isWeight)
        continue;
      if (auto linear = dyn_cast<QuantizedLinearOp>(op);
          linear && failed(checkPlanes(linear, source)))
        return failure();
      // Ops on weights report themselves.
      if (matchPattern(source, m_Constant()) ||
          isa_and_nonnull<CompileTimeOpInterface>(source.getDefiningOp()))
        continue;
      InFlightDiagnostic diagnostic =
          op->emitOpError()
          << "needs a weight that is known while compiling, as operand "
          << operand.getOperandNumber();
      diagnostic.attachNote(source.getLoc()) << "it comes from here";
      return diagnostic;
    }
  }
  return success();
}

LogicalResult Checker::verify(SelectOp op) {
  SmallVector<Value> scores = sourcesAcrossCalls(op.getScores(), users),
                     units = sourcesAcrossCalls(op.getUnit(), users);
  for (const auto &[name, sources] :
       {std::pair("scores", &scores), std::pair("unit", &units)})
    for (Value source : *sources) {
      auto predict = source.getDefiningOp<PredictOp>();
      if (predict && predict == scores.front().getDefiningOp())
        continue;
      InFlightDiagnostic diagnostic =
          op.emitOpError() << "needs scores and unit of one 'fact.predict'";
      diagnostic.attachNote(source.getLoc()) << name << " from here";
      return diagnostic;
    }
  return failure(
      failed(checkNumber<int32_t>(op, "keep", op.getKeepValue(), checkKeep)) ||
      failed(checkNumber<float>(op, "dominance", op.getDominanceValue(),
                                checkDominance)));
}

LogicalResult Checker::verify(KRowsOp op) {
  return failure(
      failed(checkSelected(op, "mask", op.getMask(), isMask)) ||
      failed(checkSelected(op, "dominated", op.getDominated(), isDominated)));
}

LogicalResult Checker::verify(VRowsOp op) {
  return failure(
      failed(checkSelected(op, "mask", op.getMask(), isMask)) ||
      failed(checkSelected(op, "dominated", op.getDominated(), isDominated)) ||
      failed(checkSelected(op, "argmax", op.getArgmax(), isArgmax)) ||
      failed(checkArgmax(op, op.getArgmax())));
}

LogicalResult Checker::verify(SelectPrecisionOp op) {
  if (failed(checkSelected(op, "count", op.getCount(), isCount)))
    return failure();
  for (Value source : sourcesAcrossCalls(op.getCount(), users)) {
    DenseIntElementsAttr counts;
    if (!matchPattern(source, m_Constant(&counts)))
      continue;
    for (const APInt &count : counts)
      if (count.isNegative() || count.getActiveBits() > 32) {
        InFlightDiagnostic diagnostic = op.emitOpError()
                                        << "needs counts in 0..2^32-1 (was "
                                        << count.getSExtValue() << ")";
        diagnostic.attachNote(source.getLoc()) << "they come from here";
        return diagnostic;
      }
  }
  if (failed(checkPairs(op)))
    return failure();
  return checkNumber<int32_t>(op, "importance", op.getImportanceValue(),
                              checkImportance);
}

/// The longest sequence of the program; 0 where it is not known. Where it is
/// open, extents that the model fixes are others (tokens of a past).
static int64_t longestSequence(Operation *op) {
  auto module = op->getParentOfType<ModuleOp>();
  auto main = module ? module.lookupSymbol<func::FuncOp>("main") : nullptr;
  int64_t open = 0, fixed = 0;
  if (main && !main.isExternal())
    for (BlockArgument argument : main.getArguments()) {
      bool isOpen =
          bool(main.getArgAttr(argument.getArgNumber(), kBoundAttrName));
      int64_t &longest = isOpen ? open : fixed;
      longest = std::max(longest, sequenceBound(main, argument));
    }
  return open > 0 ? open : fixed;
}

/// Every token has a row of the tables.
LogicalResult Checker::verify(RotateOp op) {
  int64_t positions = op.getCos().getType().getDimSize(0),
          length = longestSequence(op);
  if (op.getInput().getType().isDynamicDim(0) && length > positions) {
    InFlightDiagnostic diagnostic = op.emitOpError()
                                    << "has " << positions
                                    << " positions for sequences of " << length
                                    << " tokens";
    diagnostic.attachNote(op.getCos().getLoc()) << "its tables come from here";
    return diagnostic;
  }
  return checkOperands(op);
}

/// 64 bits must hold both sides of the comparison of importances.
LogicalResult Checker::checkPairs(SelectPrecisionOp op) {
  int64_t length = longestSequence(op);
  for (Value source : sourcesAcrossCalls(op.getCount(), users)) {
    int64_t heads = 1;
    if (auto select = source.getDefiningOp<SelectOp>())
      heads = select.getMask().getType().getDimSize(0);
    else if (auto all = source.getDefiningOp<SelectAllOp>())
      heads = static_cast<int64_t>(all.getHeads());
    int64_t most = ::fact::numerics::mostImportancePairs - 1;
    if (length > 0 && heads > most / length / length / length)
      return op.emitOpError() << "needs heads * length^3 below 2^51 (was "
                              << heads << " heads, length " << length << ")";
  }
  return success();
}

LogicalResult Checker::verify(QuantizedAttentionOp op) {
  if (failed(checkSelected(op, "mask", op.getMask(), isMask)) ||
      failed(checkSelected(op, "dominated", op.getDominated(), isDominated)) ||
      failed(checkSelected(op, "argmax", op.getArgmax(), isArgmax)) ||
      failed(checkArgmax(op, op.getArgmax())))
    return failure();
  return checkRowsKeep(op);
}

/// A constant argmax names a column that there is.
LogicalResult Checker::checkArgmax(Operation *op, Value argmax) {
  if (!argmax)
    return success();
  for (Value source : sourcesAcrossCalls(argmax, users)) {
    DenseIntElementsAttr columns;
    if (!matchPattern(source, m_Constant(&columns)))
      continue;
    int64_t length = cast<ShapedType>(source.getType()).getShape().back();
    for (const APInt &column : columns)
      if (column.isNegative() || column.getSExtValue() >= length) {
        InFlightDiagnostic diagnostic =
            op->emitOpError() << "needs an argmax in 0.." << length - 1
                              << " (was " << column.getSExtValue() << ")";
        diagnostic.attachNote(source.getLoc()) << "it comes from here";
        return diagnostic;
      }
  }
  return success();
}

/// Whether every key that a row sees through one window it sees through the
/// other one.
static bool isWithin(const ::fact::numerics::Window &inner,
                     const ::fact::numerics::Window &outer) {
  auto within = [](int64_t inner, int64_t outer) {
    constexpr int64_t unlimited = ::fact::numerics::Window::unlimited;
    return outer == unlimited || (inner != unlimited && inner <= outer);
  };
  return within(inner.left, outer.left) && within(inner.right, outer.right);
}

/// A softmax over no key has no value: every row keeps one that it may see.
LogicalResult Checker::checkRowsKeep(QuantizedAttentionOp op) {
  if (!op.getMask())
    return success();
  ::fact::numerics::Window window = windowOf(op.getWindowAttr());
  for (Value source : sourcesAcrossCalls(op.getMask(), users)) {
    if (auto select = source.getDefiningOp<SelectOp>()) {
      // A mask of a smaller window keeps keys of the larger one.
      if (isWithin(windowOf(select.getWindowAttr()), window))
        continue;
      InFlightDiagnostic diagnostic =
          op.emitOpError()
          << "has a window and needs a mask of a 'fact.select' within it: a "
             "row may keep keys outside alone";
      diagnostic.attachNote(select.getLoc()) << "the mask is made here";
      return diagnostic;
    }
    DenseIntElementsAttr mask;
    if (!matchPattern(source, m_Constant(&mask)))
      continue;
    ArrayRef<int64_t> shape = mask.getType().getShape();
    if (shape.size() != 3)
      continue;
    auto kept = mask.getValues<bool>();
    for (int64_t row = 0; row < shape[0] * shape[1]; ++row) {
      int64_t token = row % shape[1];
      bool any = false;
      for (int64_t column = window.first(token);
           column < window.end(token, shape[2]); ++column)
        any |= kept[row * shape[2] + column];
      if (any)
        continue;
      InFlightDiagnostic diagnostic =
          op.emitOpError() << "has a mask that keeps no key for row "
                           << row % shape[1] << " of head " << row / shape[1];
      diagnostic.attachNote(source.getLoc()) << "the mask is made here";
      return diagnostic;
    }
  }
  return success();
}
