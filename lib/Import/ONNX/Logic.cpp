//===- Logic.cpp - Comparisons, choices and truth values ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementRule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using Floats = ElementRule::Floats;
using Dims = ElementRule::Dims;

/// Whether a < b for every length (or for none).
static std::optional<bool> isLess(Dim a, Dim b, int64_t bound) {
  std::optional<Dim> difference = subtract(b, a), above;
  if (!difference)
    return std::nullopt;
  above = subtract(*difference, Dim(1));
  if (above && above->isNonNegative(bound))
    return true;
  std::optional<Dim> below = multiply(*difference, Dim(-1));
  if (below && below->isNonNegative(bound))
    return false;
  return std::nullopt;
}

static std::optional<Dim> truth(std::optional<bool> value, bool negate) {
  return value ? std::optional(Dim(*value != negate)) : std::nullopt;
}

template <arith::CmpFPredicate OnFloats, arith::CmpIPredicate OnIntegers>
static ElementRule comparison(float (*fold)(Floats),
                              std::optional<Dim> (*foldDims)(Dims, int64_t)) {
  ElementRule rule;
  rule.onFloats = [](OpBuilder &builder, Location loc, ValueRange x) -> Value {
    return arith::CmpFOp::create(builder, loc, OnFloats, x[0], x[1]);
  };
  rule.onIntegers = [](OpBuilder &builder, Location loc,
                       ValueRange x) -> Value {
    return arith::CmpIOp::create(builder, loc, OnIntegers, x[0], x[1]);
  };
  rule.fold = fold;
  rule.foldDims = foldDims;
  rule.isTest = true;
  return rule;
}

template <typename Op>
static ElementRule connective(std::optional<Dim> (*foldDims)(Dims, int64_t)) {
  ElementRule rule;
  rule.onIntegers = buildOp<Op>;
  rule.foldDims = foldDims;
  rule.isTest = true;
  return rule;
}

static const llvm::StringMap<ElementRule> &rules() {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  static const llvm::StringMap<ElementRule> table = [] {
    llvm::StringMap<ElementRule> t;
    t["And"] = connective<arith::AndIOp>([](Dims x, int64_t) {
      return std::optional(Dim(x[0].offset & x[1].offset));
    });
    t["Equal"] = comparison<F::OEQ, I::eq>(
        [](Floats x) -> float { return x[0] == x[1]; },
        [](Dims x, int64_t bound) -> std::optional<Dim> {
          if (x[0] == x[1])
            return Dim(1);
          std::optional<bool> less = isLess(x[0], x[1], bound),
                              more = isLess(x[1], x[0], bound);
          if ((less && *less) || (more && *more))
            return Dim(0);
          return std::nullopt;
        });
    t["Greater"] = comparison<F::OGT, I::sgt>(
        [](Floats x) -> float { return x[0] > x[1]; },
        [](Dims x, int64_t bound) {
          return truth(isLess(x[1], x[0], bound), false);
        });
    t["GreaterOrEqual"] = comparison<F::OGE, I::sge>(
        [](Floats x) -> float { return x[0] >= x[1]; },
        [](Dims x, int64_t bound) {
          return truth(isLess(x[0], x[1], bound), true);
        });
    t["Less"] = comparison<F::OLT, I::slt>(
        [](Floats x) -> float { return x[0] < x[1]; },
        [](Dims x, int64_t bound) {
          return truth(isLess(x[0], x[1], bound), false);
        });
    t["LessOrEqual"] = comparison<F::OLE, I::sle>(
        [](Floats x) -> float { return x[0] <= x[1]; },
        [](Dims x, int64_t bound) {
          return truth(isLess(x[1], x[0], bound), true);
        });
    t["Not"] = connective<arith::XOrIOp>(
        [](Dims x, int64_t) { return std::optional(Dim(!x[0].offset)); });
    t["Not"].onIntegers = [](OpBuilder &builder, Location loc,
                             ValueRange x) -> Value {
      return arith::XOrIOp::create(builder, loc, x[0],
                                   numberLike(builder, loc, x[0], 1));
    };
    t["Or"] = connective<arith::OrIOp>([](Dims x, int64_t) {
      return std::optional(Dim(x[0].offset | x[1].offset));
    });
    t["Xor"] = connective<arith::XOrIOp>([](Dims x, int64_t) {
      return std::optional(Dim(x[0].offset ^ x[1].offset));
    });
    t["IsNaN"].isTest = true;
    t["IsNaN"].fold = [](Floats x) -> float { return std::isnan(x[0]); };
    t["IsNaN"].onFloats = [](OpBuilder &builder, Location loc,
                             ValueRange x) -> Value {
      return arith::CmpFOp::create(builder, loc, F::UNO, x[0], x[0]);
    };
    return t;
  }();
  return table;
}

static LogicalResult importLogic(NodeImport &node) {
  const ElementRule &rule = rules().find(node.node.opType)->second;
  if (!rule.onFloats && node.input(0).type != ElementType::Bool)
    return node.fail("is of truth values only");
  return applyRule(node, rule);
}

static LogicalResult importIsInf(NodeImport &node) {
  FailureOr<int64_t> positive = node.intAttribute("detect_positive", 1),
                     negative = node.intAttribute("detect_negative", 1);
  if (failed(positive) || failed(negative))
    return failure();
  ElementRule rule;
  rule.isTest = true;
  rule.onFloats = [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
    auto isAt = [&](double sign) -> Value {
      return arith::CmpFOp::create(
          builder, loc, arith::CmpFPredicate::OEQ, x[0],
          numberLike(builder, loc, x[0], sign * HUGE_VAL));
    };
    Value high = isAt(1), low = isAt(-1);
    if (*positive && *negative)
      return arith::OrIOp::create(builder, loc, high, low);
    if (*positive || *negative)
      return *positive ? high : low;
    return numberLike(builder, loc, high, 0);
  };
  return applyRule(node, rule);
}

static LogicalResult importWhere(NodeImport &node) {
  ElementRule rule;
  rule.onFloats = rule.onIntegers = [](OpBuilder &builder, Location loc,
                                       ValueRange x) -> Value {
    return arith::SelectOp::create(builder, loc, x[0], x[1], x[2]);
  };
  rule.fold = [](Floats x) { return x[0] != 0 ? x[1] : x[2]; };
  rule.foldDims = [](Dims x, int64_t) -> std::optional<Dim> {
    return x[0].isConstant(0) ? x[2] : x[1];
  };
  return applyRule(node, rule, /*tests=*/1);
}

llvm::ArrayRef<Operator> mlir::fact::logicOperators() {
  static const Operator operators[] = {
      {"And", 7, 2, 2, importLogic},
      {"Equal", 7, 2, 2, importLogic},
      {"Greater", 7, 2, 2, importLogic},
      {"GreaterOrEqual", 12, 2, 2, importLogic},
      {"IsInf", 10, 1, 1, importIsInf},
      {"IsNaN", 9, 1, 1, importLogic},
      {"Less", 7, 2, 2, importLogic},
      {"LessOrEqual", 12, 2, 2, importLogic},
      {"Not", 1, 1, 1, importLogic},
      {"Or", 7, 2, 2, importLogic},
      {"Where", 9, 3, 3, importWhere},
      {"Xor", 7, 2, 2, importLogic},
  };
  return operators;
}
