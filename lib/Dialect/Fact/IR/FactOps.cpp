//===- FactOps.cpp - Verifiers of the fact dialect ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Numerics/Limits.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::fact;

/// A number of the policy: `%value`, or a literal that is a `Literal`.
template <typename Literal>
static ParseResult
parsePolicyNumber(OpAsmParser &parser,
                  std::optional<OpAsmParser::UnresolvedOperand> &value,
                  Literal &literal, Type type, StringRef kind) {
  OpAsmParser::UnresolvedOperand operand;
  OptionalParseResult isOperand = parser.parseOptionalOperand(operand);
  if (isOperand.has_value()) {
    value = operand;
    return *isOperand;
  }
  Attribute parsed;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseAttribute(parsed, type))
    return failure();
  literal = dyn_cast<Literal>(parsed);
  return literal ? ParseResult::success()
                 : parser.emitError(where, "needs ") << kind;
}

static ParseResult
parsePolicyInteger(OpAsmParser &parser,
                   std::optional<OpAsmParser::UnresolvedOperand> &value,
                   IntegerAttr &literal) {
  return parsePolicyNumber(parser, value, literal,
                           parser.getBuilder().getI64Type(), "an integer");
}

static ParseResult
parsePolicyFloat(OpAsmParser &parser,
                 std::optional<OpAsmParser::UnresolvedOperand> &value,
                 FloatAttr &literal) {
  return parsePolicyNumber(parser, value, literal,
                           parser.getBuilder().getF32Type(), "a float");
}

static void printPolicyNumber(OpAsmPrinter &printer, Value value,
                              Attribute literal) {
  if (value)
    printer << value;
  else if (literal)
    printer.printAttributeWithoutType(literal);
}
static void printPolicyInteger(OpAsmPrinter &printer, Operation *, Value value,
                               IntegerAttr literal) {
  printPolicyNumber(printer, value, literal);
}
static void printPolicyFloat(OpAsmPrinter &printer, Operation *, Value value,
                             FloatAttr literal) {
  printPolicyNumber(printer, value, literal);
}

/// Nothing for all keys, `causal`, or `window = [left, right]`.
static ParseResult parseWindow(OpAsmParser &parser, WindowAttr &window) {
  using ::fact::numerics::Window;
  MLIRContext *context = parser.getContext();
  if (succeeded(parser.parseOptionalKeyword("causal"))) {
    window = WindowAttr::orNull(context, Window::causal());
    return success();
  }
  if (failed(parser.parseOptionalKeyword("window")))
    return success();
  int64_t left = 0, right = 0;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseEqual() || parser.parseLSquare() ||
      parseWindowEnd(parser, left) || parser.parseComma() ||
      parseWindowEnd(parser, right) || parser.parseRSquare())
    return failure();
  window = WindowAttr::getChecked([&] { return parser.emitError(where); },
                                  context, left, right);
  return success(bool(window));
}

static void printWindow(OpAsmPrinter &printer, Operation *, WindowAttr window) {
  using ::fact::numerics::Window;
  if (!window)
    return;
  if (window.asWindow() == Window::causal()) {
    printer << " causal";
    return;
  }
  printer << " window = [";
  printWindowEnd(printer, window.getLeft());
  printer << ", ";
  printWindowEnd(printer, window.getRight());
  printer << ']';
}

/// Queries, and keys where they have another type.
static ParseResult parseKeyTypes(OpAsmParser &parser, Type &query, Type &key) {
  if (parser.parseType(query))
    return failure();
  key = query;
  return succeeded(parser.parseOptionalComma()) ? parser.parseType(key)
                                                : ParseResult::success();
}
static void printKeyTypes(OpAsmPrinter &printer, Operation *, Type query,
                          Type key) {
  printer << query;
  if (key != query)
    printer << ", " << key;
}

/// What is known of the rows of heads of Q, and the rows of K or V where it has
/// fewer heads.
static ParseResult parseGroupTypes(OpAsmParser &parser, Type &ofHeads,
                                   Type &result) {
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseType(ofHeads))
    return failure();
  if (succeeded(parser.parseOptionalArrow()))
    return parser.parseType(result);
  auto type = dyn_cast<RankedTensorType>(ofHeads);
  if (!type)
    return parser.emitError(where, "needs a ranked tensor");
  result = type.clone(parser.getBuilder().getI1Type());
  return success();
}
static void printGroupTypes(OpAsmPrinter &printer, Operation *, Type ofHeads,
                            Type result) {
  printer << ofHeads;
  auto type = dyn_cast<RankedTensorType>(ofHeads);
  if (!type || result != type.clone(IntegerType::get(result.getContext(), 1)))
    printer << " -> " << result;
}

#define GET_OP_CLASSES
#include "fact/Dialect/Fact/IR/FactOps.cpp.inc"

namespace {

/// Checks dimensions of an op's operands and results against each other; the
/// first one that is out of line is reported, with notes where the values that
/// disagree come from. All later checks are no-ops.
class ShapeCheck {
public:
  explicit ShapeCheck(Operation *op) : op(op) {}

  /// Two dimensions must be equal, both known or both open: only a tensor.cast
  /// says that an open one has so many elements, which is checked where the
  /// length is known (`fact-fix-length`).
  ShapeCheck &same(StringRef what, Value a, unsigned dimA, Value b,
                   unsigned dimB) {
    if (failedCheck || !a || !b)
      return *this;
    return compare(what, dim(a, dimA), a, dim(b, dimB), b);
  }
  /// A dimension must be `wanted`.
  ShapeCheck &equal(StringRef what, Value value, unsigned index,
                    int64_t wanted) {
    if (failedCheck || !value)
      return *this;
    return compare(what, dim(value, index), value, wanted, {});
  }
  /// The features of `value` [L, d] must split evenly over `heads`.
  ShapeCheck &splits(Value value, int64_t heads) {
    int64_t features = dim(value, 1);
    return require(features % heads == 0,
                   "number of features must be a multiple of the number of "
                   "heads " +
                       Twine(heads) + " (was " + Twine(features) + ")",
                   value);
  }
  /// Heads of queries must split evenly over `groups` heads of keys, which have
  /// as many features each.
  ShapeCheck &grouped(Value queries, int64_t heads, Value keys,
                      int64_t groups) {
    require(groups > 0 && heads % groups == 0,
            "number of heads must be a multiple of the number of key heads " +
                Twine(groups) + " (was " + Twine(heads) + ")");
    if (failedCheck)
      return *this;
    int64_t size = dim(queries, 1) / heads;
    return require(dim(keys, 1) == groups * size,
                   Twine(groups) + " key heads of " + Twine(size) +
                       " features must have " + Twine(groups * size) +
                       " features (was " + Twine(dim(keys, 1)) + ")",
                   keys);
  }
  /// INT32 holds sums over so many features of `value` [L, d].
  ShapeCheck &summable(Value value) {
    int64_t features = dim(value, 1), most = ::fact::numerics::mostFeatures;
    return require(features <= most,
                   "sums over " + Twine(most) + " features at most (was " +
                       Twine(features) + ")",
                   value);
  }
  ShapeCheck &finite(StringRef what, const APFloat &value) {
    return require(value.isFinite(),
                   what + " must be finite (was " + text(value) + ")");
  }
  /// `value` is what the condition is about, where it is about an operand.
  ShapeCheck &require(bool condition, const Twine &message, Value value = {}) {
    if (!failedCheck && !condition) {
      failedCheck = true;
      InFlightDiagnostic diagnostic = op->emitOpError() << message;
      note(diagnostic, value);
    }
    return *this;
  }
  operator LogicalResult() const { return failure(failedCheck); }

  static std::string text(const APFloat &value) {
    SmallString<16> digits;
    value.toString(digits);
    return digits.str().str();
  }

  static std::string size(int64_t size) {
    return ShapedType::isDynamic(size) ? "open" : std::to_string(size);
  }
  static int64_t dim(Value value, unsigned index) {
    return cast<ShapedType>(value.getType()).getDimSize(index);
  }

private:
  ShapeCheck &compare(StringRef what, int64_t a, Value from, int64_t b,
                      Value to) {
    if (a == b)
      return *this;
    failedCheck = true;
    InFlightDiagnostic diagnostic = op->emitOpError()
                                    << what << " must be the same (was "
                                    << size(a) << " and " << size(b) << ")";
    for (Value value : {from, to})
      note(diagnostic, value);
    return *this;
  }
  void note(InFlightDiagnostic &diagnostic, Value value) {
    if (value && value.getDefiningOp() != op)
      diagnostic.attachNote(value.getLoc())
          << "a value of type " << value.getType() << " comes from here";
  }

  Operation *op;
  bool failedCheck = false;
};

} // namespace

LogicalResult LinearOp::verify() {
  return ShapeCheck(*this)
      .same("input features and weight rows", getInput(), 1, getWeight(), 0)
      .same("weight columns and result features", getWeight(), 1, getResult(),
            1)
      .same("input and result tokens", getInput(), 0, getResult(), 0)
      .same("bias and result features", getBias(), 0, getResult(), 1)
      .summable(getInput());
}

LogicalResult AttentionOp::verify() {
  return ShapeCheck(*this)
      .splits(getQuery(), getHeads())
      .summable(getQuery())
      .grouped(getQuery(), getHeads(), getKey(), getGroups())
      .same("query and key tokens", getQuery(), 0, getKey(), 0)
      .finite("scale", getScale());
}

LogicalResult NormOp::verify() {
  auto heads = static_cast<int64_t>(getHeads().value_or(1));
  int64_t features = ShapeCheck::dim(getInput(), 1) / heads;
  return ShapeCheck(*this)
      .splits(getInput(), heads)
      .equal("gamma and input features", getGamma(), 0, features)
      .equal("beta and input features", getBeta(), 0, features)
      .require(!getRows() || getHeads(), "needs 'heads' for its rows")
      .equal("row mask rows and heads", getRows(), 0, heads)
      .same("row mask columns and input tokens", getRows(), 1, getInput(), 0)
      .finite("eps", getEps())
      .require(getEps().isNonZero() && !getEps().isNegative(),
               "eps must be positive (was " + ShapeCheck::text(getEps()) + ")");
}

LogicalResult RotateOp::verify() {
  auto heads = static_cast<int64_t>(getHeads());
  int64_t size = ShapeCheck::dim(getInput(), 1) / heads,
          rotated = 2 * ShapeCheck::dim(getCos(), 1),
          positions = ShapeCheck::dim(getCos(), 0),
          tokens = ShapeCheck::dim(getInput(), 0);
  return ShapeCheck(*this)
      .splits(getInput(), heads)
      .require(rotated <= size,
               "rotates " + Twine(size) + " features of a head at most (was " +
                   Twine(rotated) + ")",
               getCos())
      .require(!ShapedType::isDynamic(positions),
               "needs a known number of positions", getCos())
      .require(ShapedType::isDynamic(tokens) || tokens <= positions,
               "has " + Twine(positions) + " positions for " + Twine(tokens) +
                   " tokens",
               getCos())
      .equal("row mask rows and heads", getRows(), 0, heads)
      .same("row mask columns and input tokens", getRows(), 1, getInput(), 0);
}

LogicalResult QuantizeRowsOp::verify() {
  return ShapeCheck(*this)
      .same("input and result features", getInput(), 1, getQuantized(), 1)
      .same("input and result tokens", getInput(), 0, getQuantized(), 0)
      .same("scale and input tokens", getScale(), 0, getInput(), 0)
      .same("low and input tokens", getLow(), 0, getInput(), 0);
}

LogicalResult QuantizeHeadsOp::verify() {
  return ShapeCheck(*this)
      .splits(getInput(), getHeads())
      .same("input and result features", getInput(), 1, getQuantized(), 1)
      .same("input and result tokens", getInput(), 0, getQuantized(), 0)
      .equal("scale rows and heads", getScale(), 0, getHeads())
      .same("scale columns and input tokens", getScale(), 1, getInput(), 0)
      .equal("row mask rows and heads", getRows(), 0, getHeads())
      .same("row mask columns and input tokens", getRows(), 1, getInput(), 0);
}

LogicalResult QuantizeWeightOp::verify() {
  return ShapeCheck(*this)
      .same("weight rows and result rows", getWeight(), 0, getQuantized(), 0)
      .same("weight columns and result columns", getWeight(), 1, getQuantized(),
            1)
      .same("weight columns and scales", getWeight(), 1, getScale(), 0);
}

LogicalResult QuantizedLinearOp::verify() {
  ShapeCheck check(*this);
  check.same("input features and weight rows", getInput(), 1, getWeight(), 0)
      .same("weight columns and result features", getWeight(), 1, getResult(),
            1)
      .same("weight columns and weight scales", getWeight(), 1,
            getWeightScale(), 0)
      .same("input and result tokens", getInput(), 0, getResult(), 0)
      .same("scale and input tokens", getScale(), 0, getInput(), 0)
      .same("bias and result features", getBias(), 0, getResult(), 1)
      .same("low and input tokens", getLow(), 0, getInput(), 0)
      .same("row mask columns and input tokens", getRows(), 1, getInput(), 0)
      .summable(getInput())
      .require(bool(getLow()) == getPrecision().has_value(),
               "needs 'precision' exactly where it has 'low'");
  if (getRows())
    check.splits(getResult(), ShapeCheck::dim(getRows(), 0));
  return check;
}

LogicalResult QuantizePredictorWeightOp::verify() {
  return ShapeCheck(*this)
      .same("weight rows and result rows", getWeight(), 0, getQuantized(), 0)
      .same("weight columns and result columns", getWeight(), 1, getQuantized(),
            1);
}

LogicalResult LogMatmulOp::verify() {
  return ShapeCheck(*this)
      .require(bool(getBias()) == bool(getScale()),
               "needs 'bias' and 'scale' together")
      .same("input features and weight rows", getInput(), 1, getWeight(), 0)
      .same("weight columns and result features", getWeight(), 1, getResult(),
            1)
      .same("input and result tokens", getInput(), 0, getResult(), 0)
      .same("bias and result features", getBias(), 0, getResult(), 1)
      .same("scale and input tokens", getScale(), 0, getInput(), 0)
      .summable(getInput());
}

LogicalResult NormalizeHeadsOp::verify() {
  return ShapeCheck(*this)
      .splits(getInput(), getHeads())
      .same("input and result features", getInput(), 1, getResult(), 1)
      .same("input and result tokens", getInput(), 0, getResult(), 0)
      .equal("scale rows and heads", getScale(), 0, getHeads())
      .same("scale columns and input tokens", getScale(), 1, getInput(), 0);
}

LogicalResult RescaleOp::verify() {
  return ShapeCheck(*this)
      .same("input and result features", getInput(), 1, getResult(), 1)
      .same("input and result tokens", getInput(), 0, getResult(), 0)
      .same("bias and result features", getBias(), 0, getResult(), 1)
      .same("scale and input tokens", getScale(), 0, getInput(), 0);
}

LogicalResult PredictOp::verify() {
  int64_t heads = getHeads();
  return ShapeCheck(*this)
      .splits(getQuery(), heads)
      .summable(getQuery())
      .finite("scale", getAttentionScale())
      .require(bool(getScale()) == bool(getQueryWeightScale()) &&
                   bool(getScale()) == bool(getKeyWeightScale()),
               "needs scales of the rows and of both weights, or none")
      .grouped(getQuery(), heads, getKey(), getGroups())
      .same("query and key tokens", getQuery(), 0, getKey(), 0)
      .same("query scale and tokens", getQueryScale(), 1, getQuery(), 0)
      .same("key scale and tokens", getKeyScale(), 1, getKey(), 0)
      .same("row scale and tokens", getScale(), 0, getQuery(), 0)
      .equal("query scale rows and heads", getQueryScale(), 0, heads)
      .equal("score heads and heads", getScores(), 0, heads)
      .equal("unit rows and heads", getUnit(), 0, heads)
      .same("score rows and tokens", getScores(), 1, getQuery(), 0)
      .same("score columns and tokens", getScores(), 2, getQuery(), 0)
      .same("unit columns and tokens", getUnit(), 1, getQuery(), 0);
}

LogicalResult SelectOp::verify() {
  std::optional<uint64_t> keep = getKeep();
  std::optional<APFloat> dominance = getDominance();
  if (keep.has_value() == bool(getKeepValue()))
    return emitOpError() << "needs 'keep' as a number or as an operand";
  if (dominance.has_value() == bool(getDominanceValue()))
    return emitOpError() << "needs 'dominance' as a number or as an operand";
  if (keep && failed(checkKeep(*this, *keep)))
    return failure();
  if (dominance && failed(checkDominance(*this, dominance->convertToFloat())))
    return failure();
  return ShapeCheck(*this)
      .same("score rows and columns", getScores(), 1, getScores(), 2)
      .same("score and mask heads", getScores(), 0, getMask(), 0)
      .same("score and mask rows", getScores(), 1, getMask(), 1)
      .same("score and mask columns", getScores(), 2, getMask(), 2)
      .same("score heads and unit rows", getScores(), 0, getUnit(), 0)
      .same("score rows and unit columns", getScores(), 1, getUnit(), 1)
      .same("score heads and dominated rows", getScores(), 0, getDominated(), 0)
      .same("score rows and dominated columns", getScores(), 1, getDominated(),
            1)
      .same("score heads and argmax rows", getScores(), 0, getArgmax(), 0)
      .same("score rows and argmax columns", getScores(), 1, getArgmax(), 1)
      .same("score columns and counts", getScores(), 2, getCount(), 0);
}

LogicalResult SelectAllOp::verify() {
  return ShapeCheck(*this).same("input tokens and counts", getInput(), 0,
                                getCount(), 0);
}

/// Which rows of heads of K or V the rows of a mask's heads read.
template <typename Op>
static LogicalResult checkDemand(Op op, Value argmax = {}) {
  Value mask = op.getMask(), dominated = op.getDominated(),
        rows = op.getResult();
  int64_t heads = ShapeCheck::dim(mask, 0), groups = ShapeCheck::dim(rows, 0);
  ShapeCheck check(op);
  check.same("mask rows and columns", mask, 1, mask, 2)
      .same("mask heads and dominated rows", mask, 0, dominated, 0)
      .same("mask columns and dominated columns", mask, 2, dominated, 1)
      .same("mask heads and argmax rows", mask, 0, argmax, 0)
      .same("mask columns and argmax columns", mask, 2, argmax, 1)
      .same("mask columns and result columns", mask, 2, rows, 1)
      .require(
          heads % groups == 0,
          "number of heads must be a multiple of the number of key heads " +
              Twine(groups) + " (was " + Twine(heads) + ")");
  return check;
}

LogicalResult KRowsOp::verify() { return checkDemand(*this); }

LogicalResult VRowsOp::verify() { return checkDemand(*this, getArgmax()); }

LogicalResult SelectPrecisionOp::verify() {
  std::optional<uint64_t> importance = getImportance();
  if (importance.has_value() == bool(getImportanceValue()))
    return emitOpError() << "needs 'importance' as a number or as an operand";
  if (importance && failed(checkImportance(*this, *importance)))
    return failure();
  return ShapeCheck(*this).same("counts and low tokens", getCount(), 0,
                                getLow(), 0);
}

LogicalResult MeanTokenOp::verify() {
  return ShapeCheck(*this)
      .equal("result rows and one", getResult(), 0, 1)
      .same("input and result features", getInput(), 1, getResult(), 1);
}

LogicalResult QuantizedAttentionOp::verify() {
  int64_t heads = getHeads(), groups = getGroups();
  ShapeCheck check(*this);
  check.splits(getQuery(), heads)
      .summable(getQuery())
      .finite("scale", getScale())
      .require(bool(getDominated()) == bool(getArgmax()),
               "needs 'dominated' and argmax together")
      .require(!getDominated() || getMask(), "'dominated' needs a 'mask'")
      .require(!getTailKey() || getMask(), "'tail' needs a 'mask'")
      .require(bool(getTailKey()) == bool(getTailKeyScale()) &&
                   bool(getTailKey()) == bool(getTailValue()) &&
                   bool(getTailKey()) == bool(getTailValueScale()),
               "needs all four 'tail' operands or none")
      .require(!(getTailKey() && getWindow()),
               "attention with a window has no 'tail'")
      .grouped(getQuery(), heads, getKey(), groups)
      .same("key and value features", getKey(), 1, getValue(), 1)
      .same("query and key tokens", getQuery(), 0, getKey(), 0)
      .same("query and value tokens", getQuery(), 0, getValue(), 0)
      .same("query and result tokens", getQuery(), 0, getResult(), 0)
      .same("query and result features", getQuery(), 1, getResult(), 1);
  auto headScale = [&](const Twine &what, Value scale, Value rows,
                       int64_t heads) {
    check.equal((what + " scale rows and heads").str(), scale, 0, heads)
        .same((what + " scale columns and tokens").str(), scale, 1, rows, 0);
  };
  headScale("query", getQueryScale(), getQuery(), heads);
  headScale("key", getKeyScale(), getKey(), groups);
  headScale("value", getValueScale(), getValue(), groups);
  check.equal("mask heads and heads", getMask(), 0, heads)
      .same("mask rows and query tokens", getMask(), 1, getQuery(), 0)
      .same("mask columns and key tokens", getMask(), 2, getKey(), 0)
      .equal("dominated rows and heads", getDominated(), 0, heads)
      .same("dominated columns and query tokens", getDominated(), 1, getQuery(),
            0)
      .equal("argmax rows and heads", getArgmax(), 0, heads)
      .same("argmax columns and query tokens", getArgmax(), 1, getQuery(), 0)
      .same("tail key and key features", getTailKey(), 1, getKey(), 1)
      .same("tail value and value features", getTailValue(), 1, getValue(), 1)
      .equal("tail key rows and one", getTailKey(), 0, 1)
      .equal("tail value rows and one", getTailValue(), 0, 1);
  if (getTailKey()) {
    headScale("tail key", getTailKeyScale(), getTailKey(), groups);
    headScale("tail value", getTailValueScale(), getTailValue(), groups);
  }
  return check;
}
