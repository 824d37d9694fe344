//===- Elementwise.cpp - Elementwise ops, transposes and row sums ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every linalg op whose loops are parallel, or that adds up the features of a
// row, is read the same way: find out what each loop walks over, then evaluate
// the body on expressions. Named ops, generics with one op in the body and
// fused generics all come out alike.
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
#include "ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;

/// The comparison a > b, b > a, or the negation of one, that `predicate` is.
template <typename Predicate>
static std::optional<std::pair<bool, bool>> // swapped, negated
greaterForm(Predicate predicate) {
  using P = Predicate;
  if constexpr (std::is_same_v<P, arith::CmpIPredicate>) {
    switch (predicate) {
    case P::sgt:
    case P::ugt:
      return std::make_pair(false, false);
    case P::slt:
    case P::ult:
      return std::make_pair(true, false);
    case P::sge:
    case P::uge:
      return std::make_pair(true, true);
    case P::sle:
    case P::ule:
      return std::make_pair(false, true);
    default:
      return std::nullopt;
    }
  } else {
    switch (predicate) {
    case P::OGT:
    case P::UGT:
      return std::make_pair(false, false);
    case P::OLT:
    case P::ULT:
      return std::make_pair(true, false);
    case P::OGE:
    case P::UGE:
      return std::make_pair(true, true);
    case P::OLE:
    case P::ULE:
      return std::make_pair(false, true);
    default:
      return std::nullopt;
    }
  }
}

Node *Analysis::evaluate(Value scalar, linalg::LinalgOp op,
                         ArrayRef<Atoms> loops,
                         DenseMap<Value, Node *> &elements) {
  if (Node *known = elements.lookup(scalar))
    return known;
  Operation *def = scalar.getDefiningOp();
  auto unsupported = [&](const Twine &what) -> Node * {
    missed(op, what, "end the subgraph before it ('--to')");
    return nullptr;
  };
  if (!def)
    return unsupported("a number is not constant");
  Node *result = nullptr;
  FloatAttr constant;
  if (matchPattern(scalar, m_Constant(&constant))) {
    if (constant.getType().isF32())
      result = pool.scalar(constant.getValue().convertToFloat());
  } else if (auto index = dyn_cast<linalg::IndexOp>(def)) {
    if (index.getDim() < loops.size())
      if (const Atoms &atoms = loops[index.getDim()];
          atoms.size() == 1 && atoms.front().isSequence())
        result = pool.index(atoms.front().axis, atoms.front().sequence);
  } else if (isa<arith::IndexCastOp, arith::ExtUIOp, arith::ExtSIOp,
                 arith::SIToFPOp, arith::UIToFPOp>(def)) {
    // The same number in another type.
    result = evaluate(def->getOperand(0), op, loops, elements);
  } else if (isa<arith::TruncIOp, arith::FPToSIOp>(def) &&
             !def->getResult(0).getType().isInteger(1)) {
    // So are the zeros and ones that an input has for each token.
    result = evaluate(def->getOperand(0), op, loops, elements);
    bool isInput = result && (result->is(NodeKind::Leaf) ||
                              (result->is(NodeKind::AtKeys) &&
                               result->operand(0)->is(NodeKind::Leaf)));
    if (result && (!isInput || result->width != 0))
      return unsupported("a number is rounded to an integer");
  } else if (IntegerAttr number; matchPattern(scalar, m_Constant(&number))) {
    APInt value = number.getValue();
    result = pool.scalar(value.getBitWidth() == 1
                             ? static_cast<float>(value.getBoolValue())
                             : static_cast<float>(value.getSExtValue()));
  } else {
    SmallVector<Node *> in;
    for (Value operand : def->getOperands()) {
      in.push_back(evaluate(operand, op, loops, elements));
      if (!in.back())
        return nullptr;
    }
    auto compare = [&](auto predicate) -> Node * {
      using P = decltype(predicate);
      if constexpr (std::is_same_v<P, arith::CmpIPredicate>) {
        if (predicate == P::eq || predicate == P::ne) {
          Node *equal = pool.condition(NodeKind::Equal, in[0], in[1]);
          return predicate == P::eq ? equal : pool.negation(equal);
        }
      } else {
        if (predicate == P::UNO && in[0] == in[1])
          return pool.condition(NodeKind::IsNaN, in[0], nullptr);
        if (predicate == P::OEQ || predicate == P::UNE) {
          Node *equal = pool.condition(NodeKind::Equal, in[0], in[1]);
          return predicate == P::OEQ ? equal : pool.negation(equal);
        }
      }
      auto form = greaterForm(predicate);
      if (!form)
        return nullptr;
      auto [swapped, negated] = *form;
      Node *node =
          swapped ? pool.greater(in[1], in[0]) : pool.greater(in[0], in[1]);
      return negated ? pool.negation(node) : node;
    };
    auto logic = [&](NodeKind kind, ArrayRef<Node *> in) -> Node * {
      if (!def->getResult(0).getType().isInteger(1))
        return nullptr;
      if (kind == NodeKind::Not)
        return pool.negation(in[0]);
      return pool.condition(kind, in[0], in[1]);
    };
    llvm::TypeSwitch<Operation *, void>(def)
        .Case<arith::AddFOp, arith::AddIOp>(
            [&](auto) { result = pool.add(in[0], in[1]); })
        .Case<arith::SubFOp, arith::SubIOp>(
            [&](auto) { result = pool.sub(in[0], in[1]); })
        .Case<arith::MulFOp, arith::MulIOp>(
            [&](auto) { result = pool.mul(in[0], in[1]); })
        .Case([&](arith::AndIOp) { result = logic(NodeKind::And, in); })
        .Case([&](arith::OrIOp) { result = logic(NodeKind::Or, in); })
        .Case([&](arith::XOrIOp) {
          if (in[1]->isScalar(1))
            result = logic(NodeKind::Not, in);
        })
        .Case([&](arith::DivFOp) { result = pool.div(in[0], in[1]); })
        .Case([&](arith::NegFOp) { result = pool.mul(in[0], pool.scalar(-1)); })
        .Case<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp>(
            [&](auto) { result = pool.max(in[0], in[1]); })
        .Case<math::AbsIOp, math::AbsFOp>([&](auto) {
          // Of masks, as the next one.
          if (in[0]->width == 0)
            result = pool.max(in[0], pool.mul(in[0], pool.scalar(-1)));
        })
        .Case<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp>([&](auto) {
          // Of masks; of rows it is no part of a layer.
          Node *minus = pool.scalar(-1);
          if (in[0]->width == 0 && in[1]->width == 0)
            result = pool.mul(minus, pool.max(pool.mul(in[0], minus),
                                              pool.mul(in[1], minus)));
        })
        .Case([&](math::ExpOp) { result = pool.unary(NodeKind::Exp, in[0]); })
        .Case([&](math::ErfOp) { result = pool.unary(NodeKind::Erf, in[0]); })
        .Case([&](math::TanhOp) { result = pool.unary(NodeKind::Tanh, in[0]); })
        .Case([&](math::SqrtOp) { result = pool.unary(NodeKind::Sqrt, in[0]); })
        .Case([&](math::RsqrtOp) {
          result = pool.div(pool.scalar(1), pool.unary(NodeKind::Sqrt, in[0]));
        })
        .Case([&](math::PowFOp) { result = pool.pow(in[0], in[1]); })
        .Case([&](arith::CmpFOp cmp) { result = compare(cmp.getPredicate()); })
        .Case([&](arith::CmpIOp cmp) { result = compare(cmp.getPredicate()); })
        .Case([&](arith::SelectOp) {
          result = pool.select(in[0], in[1], in[2]);
        });
  }
  if (!result && isa<math::CosOp, math::SinOp>(def)) {
    missed(op,
           "angles are computed from more than constants and the places of "
           "tokens in the sequence",
           "let the model count positions itself, from 0 on");
    return nullptr;
  }
  if (!result)
    return unsupported(
        "no rule for '" + def->getName().getStringRef() + "' on " +
        (isa<linalg::IndexOp>(def) ? "this dimension" : "these operands"));
  elements[scalar] = result;
  return result;
}

bool mlir::fact::isZero(const Contents &contents) {
  if (!contents)
    return false;
  if (contents.node->is(NodeKind::Weight))
    return ConstantData::get(contents.node->data)->splatValue() == 0.0f;
  return contents.node->isScalar(0);
}

/// The reduced value of a body that adds it to the element so far.
static Value addedValue(linalg::LinalgOp op) {
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  Operation *add = yield.getOperand(0).getDefiningOp();
  Value soFar = op.getRegionOutputArgs().front();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add) || !soFar.hasOneUse())
    return nullptr;
  for (unsigned i : {0, 1})
    if (add->getOperand(i) == soFar)
      return add->getOperand(1 - i);
  return nullptr;
}

/// What the body of a reduction takes the largest of.
static Value largestValue(linalg::LinalgOp op) {
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  Operation *max = yield.getOperand(0).getDefiningOp();
  Value soFar = op.getRegionOutputArgs().front();
  if (!isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(max))
    return nullptr;
  for (unsigned i : {0, 1})
    if (max->getOperand(i) == soFar)
      return max->getOperand(1 - i);
  return nullptr;
}

/// Rows with features that are repeated along a new dimension: keys that
/// several heads of queries read.
bool Analysis::visitRepeat(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 1)
    return false;
  OpOperand *operand = op.getDpsInputOperand(0);
  Contents input = contents(operand->get());
  AffineMap from = op.getMatchingIndexingMap(operand),
            to = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (op.getNumReductionLoops() > 0 || !input || !input.node->isRows() ||
      !to.isPermutation() ||
      op.getBlock()->getTerminator()->getOperand(0) !=
          op.getMatchingBlockArgument(operand))
    return false;
  SmallVector<std::optional<Atoms>> loops(op.getNumLoops());
  int64_t features = 1;
  for (auto [expr, atoms] :
       llvm::zip_equal(from.getResults(), input.layout.dims)) {
    for (const Atom &atom : atoms)
      if (!atom.isSequence())
        features *= atom.size;
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      loops[dim.getPosition()] = atoms;
    else if (!atoms.empty())
      return false;
  }
  bool isNew = false;
  SmallVector<Atoms> like;
  SmallVector<int64_t> extents;
  SmallVector<SmallVector<int64_t>> offsets;
  for (AffineExpr expr : to.getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    int64_t extent = op.getStaticLoopRanges()[loop];
    like.push_back(loops[loop].value_or(Atoms()));
    extents.push_back(extent);
    offsets.emplace_back();
    if (isSequence(like.back()))
      continue;
    if (ShapedType::isDynamic(extent))
      return false; // tokens and features in one dimension
    isNew |= !loops[loop] && extent != 1;
    offsets.back() =
        loops[loop] ? offsetsOf(like.back()) : SmallVector<int64_t>(extent, 0);
    if (static_cast<int64_t>(offsets.back().size()) != extent)
      return false;
  }
  if (!isNew || features != input.node->width)
    return false;
  Layout layout = renumbered(like, extents);
  Node *node = pool.columns(input.node, offsetsBy(layout, offsets));
  set(op->getResult(0), node, std::move(layout));
  return true;
}

bool Analysis::visitElementwise(linalg::LinalgOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !op.getBlock() ||
      !(type.getElementType().isF32() ||
        type.getElementType().isSignlessInteger()))
    return false;
  bool picks = llvm::any_of(*op.getBlock(), llvm::IsaPred<tensor::ExtractOp>);
  if (foldConstants(op))
    return true;
  if (picks && visitGather(op))
    return true;
  if (picks && type.getElementType().isF32())
    return missed(op, "it picks elements of a tensor by their indices",
                  "begin the program behind it ('--from')");
  bool reduces = op.getNumReductionLoops() > 0;
  SmallVector<OpOperand *> operands = op.getDpsInputOperands();
  OpOperand *init = op.getDpsInitOperand(0);
  BlockArgument soFar = op.getRegionOutputArgs().front();
  if (!reduces && !soFar.use_empty())
    operands.push_back(init);
  // Weights alone (a transposed one, say) are only moved about.
  Contents first =
      operands.empty() ? Contents() : contents(operands.front()->get());
  if (first && first.node->is(NodeKind::Weight) && operands.size() == 1 &&
      !reduces &&
      op.getBlock()->getTerminator()->getOperand(0) ==
          op.getBlock()->getArgument(0)) {
    AffineMap from = op.getMatchingIndexingMap(operands.front());
    AffineMap to = op.getMatchingIndexingMap(init);
    if (from.isPermutation() && to.isPermutation()) {
      Layout layout;
      layout.offset = first.layout.offset;
      for (AffineExpr expr : to.getResults())
        layout.dims.push_back(first.layout.dims[*from.getResultPosition(expr)]);
      set(op->getResult(0), first.node, std::move(layout));
      return true;
    }
  }

  if (visitRepeat(op))
    return true;

  // What a softmax in steps reduces over are the keys.
  if (reduces && operands.size() == 1) {
    AffineMap map = op.getMatchingIndexingMap(operands.front());
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr);
          loop && op.getIteratorTypesArray()[loop.getPosition()] ==
                      utils::IteratorType::reduction)
        readAsKeys(operands.front()->get(), dim);
  }

  SmallVector<Node *> nodes;
  std::optional<SmallVector<Atoms>> loops = loopAtoms(op, operands, nodes);
  if (!loops)
    return false;
  DenseMap<Value, Node *> elements;
  for (auto [operand, node] : llvm::zip_equal(operands, nodes)) {
    if (node && node->is(NodeKind::Weight))
      node = constantOperand(op, operand, *loops);
    else if (node && node->is(NodeKind::PositionTable) && operands.size() > 1) {
      node = positionOperand(op, operand, *loops);
      if (!node)
        return missed(op, "a table of positions is laid out in another way",
                      "multiply rows by tables [positions, features]");
    } else if (!node)
      node = evaluate(operand->get(), op, *loops, elements);
    if (!node)
      return false;
    elements[op.getMatchingBlockArgument(operand)] = node;
  }

  AffineMap map = op.getMatchingIndexingMap(init);
  if (!map.isProjectedPermutation())
    return missed(op, "the result is written in steps",
                  "write every element once, in order");
  Value result = op.getBlock()->getTerminator()->getOperand(0);
  if (reduces) {
    Atoms reduced;
    for (unsigned i = 0; i < loops->size(); ++i)
      if (op.getIteratorTypesArray()[i] == utils::IteratorType::reduction)
        llvm::append_range(reduced, (*loops)[i]);
    bool overKeys = isSequence(merged(reduced)) &&
                    merged(reduced).front().axis == Axis::Key;
    result = addedValue(op);
    bool isMax = false;
    Contents start = contents(init->get());
    bool startsLow = start && start.node->is(NodeKind::Scalar) &&
                     start.node->scalar < -1e30f;
    if (Value other =
            overKeys && startsLow && !result ? largestValue(op) : Value()) {
      result = other;
      isMax = true;
    }
    if (overKeys && result && (isMax || isZero(contents(init->get())))) {
      Node *node = evaluate(result, op, *loops, elements);
      if (!node)
        return false;
      elements[result] =
          pool.overKeys(isMax ? NodeKind::KeyMax : NodeKind::KeySum, node);
    } else if (!result || !isZero(contents(init->get())))
      return missed(
          op, "the reduction is not a sum that starts at zero",
          "only means over the features of a row are raised (layer norm)");
    else if (Node *node = isSequence(merged(reduced)) && !overKeys
                              ? evaluate(result, op, *loops, elements)
                              : nullptr;
             node && node->width == 0 && node->heads == 0 && !node->pair)
      elements[result] = pool.tokenSum(node);
    else if (llvm::any_of(reduced,
                          [](const Atom &atom) { return atom.isSequence(); }))
      return missed(
          op, "the sum is over the tokens and not over the features of a row",
          "take means over the last dimension");
    else {
      Node *node = evaluate(result, op, *loops, elements);
      if (!node)
        return false;
      // Of all features, or of those of each head.
      int64_t part = 1;
      for (const Atom &atom : merged(reduced))
        part *= atom.size;
      if (!node->isRows() || node->width % part != 0 ||
          merged(reduced) != merged(Atom{Axis::Feature, part}))
        return missed(op, "the sum is over a part of the features of a row",
                      "take means over all features of a token, or of a head");
      elements[result] =
          part == node->width ? pool.sum(node) : pool.headSum(node, part);
    }
  }
  Node *node = evaluate(result, op, *loops, elements);
  if (!node)
    return false;
  Layout layout;
  for (AffineExpr expr : map.getResults())
    layout.dims.push_back((*loops)[cast<AffineDimExpr>(expr).getPosition()]);
  if (node->isRows())
    node = readRotation(node);
  set(op->getResult(0), node, std::move(layout));
  return true;
}
