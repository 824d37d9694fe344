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

static int64_t loopExtent(linalg::LinalgOp op, unsigned loop) {
  return op.getStaticLoopRanges()[loop];
}

namespace {

bool isSequence(const Atoms &atoms) {
  return atoms.size() == 1 && atoms.front().isSequence();
}

/// Whether two dimensions walk over one sequence, as queries or as keys.
bool isSameSequence(const Atoms &a, const Atoms &b) {
  return isSequence(a) && isSequence(b) &&
         a.front().sequence == b.front().sequence;
}

} // namespace

/// The second of two loops over one sequence walks over the keys. Where scores
/// are read, they say which one that is.
static void assignKeys(SmallVectorImpl<std::optional<Atoms>> &loops) {
  for (size_t i = 0; i < loops.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (loops[i] && loops[j] && *loops[i] == *loops[j] &&
          isSequence(*loops[i]) && loops[i]->front().axis == Axis::Token)
        loops[i]->front().axis = Axis::Key;
}

std::optional<SmallVector<Atoms>>
Analysis::loopAtoms(linalg::LinalgOp op, ArrayRef<OpOperand *> operands,
                    SmallVectorImpl<Node *> &nodes) {
  SmallVector<std::optional<Atoms>> loops(op.getNumLoops());
  int64_t width = 0;
  auto disagree = [&](const Twine &what) {
    missed(op, what, "keep rows of tokens, [tokens, features], throughout");
    return std::nullopt;
  };
  // What the operand's dimensions walk over; `take` gets a loop and its atoms.
  auto visit = [&](OpOperand *operand, auto take) {
    Contents input = contents(operand->get());
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (auto [expr, atoms] :
         llvm::zip_equal(map.getResults(), input.layout.dims)) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        if (!take(dim.getPosition(), atoms))
          return false;
      } else if (!isa<AffineConstantExpr>(expr) || !atoms.empty()) {
        disagree("an operand is read in steps");
        return false;
      }
    }
    return true;
  };
  SmallVector<OpOperand *> pairs, others;
  for (OpOperand *operand : operands) {
    Contents input = contents(operand->get());
    if (!input) {
      bool tensor = isa<RankedTensorType>(operand->get().getType());
      if (!tensor) { // a scalar operand, evaluated where it is used
        nodes.push_back(nullptr);
        continue;
      }
      return disagree("an operand is not rows of a sequence");
    }
    nodes.push_back(input.node);
    if (input.node->is(NodeKind::Scalar) || input.node->is(NodeKind::Weight))
      continue;
    if (input.node->width > 0 && input.node->heads == 0) {
      if (width > 0 && width != input.node->width)
        return disagree("operands have a different number of features");
      width = input.node->width;
    }
    (input.node->pair ? pairs : others).push_back(operand);
  }
  // Loops over queries, keys and heads first, from what has them.
  llvm::stable_sort(pairs, [&](OpOperand *a, OpOperand *b) {
    return contents(a->get()).node->heads > contents(b->get()).node->heads;
  });
  DenseSet<OpOperand *> exchanged;
  for (OpOperand *operand : pairs) {
    bool hasHeads = contents(operand->get()).node->heads > 0;
    // Where scores are k q^T, a mask for q k^T is read with both exchanged.
    auto opposite = [](Atoms atoms) {
      atoms.front().axis =
          atoms.front().axis == Axis::Key ? Axis::Token : Axis::Key;
      return atoms;
    };
    bool differs = false, agrees = false;
    if (!visit(operand, [&](unsigned loop, const Atoms &atoms) {
          // Masks are repeated over heads.
          bool isRepeated = !hasHeads && !isSequence(atoms);
          if (loops[loop] && *loops[loop] != atoms && !isRepeated) {
            if (hasHeads || !isSequence(*loops[loop]) ||
                *loops[loop] != opposite(atoms)) {
              disagree("operands are laid out differently");
              return false;
            }
            differs = true;
          } else if (loops[loop] && !isRepeated) {
            agrees |= isSequence(atoms);
          }
          if (!isRepeated && !loops[loop])
            loops[loop] = atoms;
          return true;
        }))
      return std::nullopt;
    if (differs && agrees)
      return disagree("operands are laid out differently");
    if (differs)
      exchanged.insert(operand);
  }
  for (auto [operand, node] : llvm::zip_equal(operands, nodes))
    if (exchanged.contains(operand)) {
      node = pool.exchanged(node);
      if (!node)
        return disagree("operands are laid out differently");
    }
  for (OpOperand *operand : others) {
    bool isNumber = contents(operand->get()).node->width == 0;
    if (!visit(operand, [&](unsigned loop, const Atoms &atoms) {
          // A number of a token is repeated over features.
          if (isNumber && !isSequence(atoms) && !atoms.empty() && loops[loop])
            return true;
          if (loops[loop] && *loops[loop] != atoms &&
              !isSameSequence(*loops[loop], atoms)) {
            disagree("operands are laid out differently");
            return false;
          }
          if (!loops[loop])
            loops[loop] = atoms;
          return true;
        }))
      return std::nullopt;
  }
  // A dimension that only the result has may be as long as the sequence.
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap written = op.getMatchingIndexingMap(init);
  if (auto made = init->get().getDefiningOp<tensor::EmptyOp>())
    for (auto [i, size] : llvm::enumerate(made.getMixedSizes()))
      if (auto dim = dyn_cast<AffineDimExpr>(written.getResult(i)))
        if (!loops[dim.getPosition()])
          if (std::optional<Atom> atom = sequenceOf(size)) {
            atom->axis = Axis::Token;
            loops[dim.getPosition()] = Atoms{*atom};
          }
  // So may one that only a constant has, of a mask for a fixed length.
  if (pairs.empty() && width == 0)
    for (unsigned i = 0; i < loops.size(); ++i)
      for (unsigned j = 0; j < loops.size() && !loops[i]; ++j)
        if (loops[j] && isSequence(*loops[j]) &&
            loops[j]->front().axis == Axis::Token && loopExtent(op, i) > 1 &&
            loops[j]->front().size == loopExtent(op, i))
          loops[i] = loops[j];
  if (pairs.empty())
    assignKeys(loops);
  // What has only queries is read at the keys in a loop over those.
  for (auto [operand, node] : llvm::zip_equal(operands, nodes)) {
    if (!node || !llvm::is_contained(others, operand))
      continue;
    bool atKeys = false, atQueries = false;
    visit(operand, [&](unsigned loop, const Atoms &atoms) {
      if (isSequence(atoms))
        (*loops[loop] == atoms ? atQueries : atKeys) = true;
      return true;
    });
    if (atKeys && (atQueries || node->width > 0 || node->heads > 0))
      return disagree("operands are laid out differently");
    if (atKeys)
      node = pool.atKeys(node);
  }
  // Numbers for each token are spread over features that only constants have,
  // or none (gamma / deviation, say).
  bool spreads = width == 0 && llvm::any_of(nodes, [](Node *node) {
                   return node && node->sequence >= 0 && node->heads == 0;
                 });
  // So are masks, over heads.
  for (const std::optional<Atoms> &loop : loops)
    spreads |= width == 0 && loop && isSequence(*loop);
  SmallVector<Atoms> result(loops.size());
  int64_t stride = 1;
  for (unsigned i = loops.size(); i-- > 0;) {
    int64_t extent = loopExtent(op, i);
    if (!loops[i] && extent != 1) {
      if (!spreads || ShapedType::isDynamic(extent))
        return disagree("a broadcast to an extent that no operand has");
      loops[i] = merged(Atom{Axis::Feature, extent, stride});
      stride *= extent;
    }
    result[i] = loops[i].value_or(Atoms());
  }
  return result;
}

Node *Analysis::tableOperand(linalg::LinalgOp op, OpOperand *operand,
                             ArrayRef<Atoms> loops) {
  Contents input = contents(operand->get());
  AffineMap map = op.getMatchingIndexingMap(operand);
  SmallVector<int64_t, 0> rows, columns;
  int sequence = -1;
  for (auto [expr, atoms] :
       llvm::zip_equal(map.getResults(), input.layout.dims)) {
    if (atoms.empty())
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || !isSequence(loops[dim.getPosition()]))
      return nullptr;
    const Atom &loop = loops[dim.getPosition()].front();
    bool isOpen = ShapedType::isDynamic(loop.size);
    SmallVector<int64_t> offsets = offsetsOf(atoms);
    if (isOpen ? atoms.size() != 1 || atoms.front().sequence != loop.sequence
               : static_cast<int64_t>(offsets.size()) != loop.size)
      return nullptr;
    auto &steps = loop.axis == Axis::Key ? columns : rows;
    steps.assign(offsets.begin(), offsets.end());
    sequence = loop.sequence;
  }
  if (sequence < 0)
    return nullptr;
  for (int64_t &offset : rows.empty() ? columns : rows)
    offset += input.layout.offset;
  return pool.table(input.node->data, std::move(rows), std::move(columns),
                    sequence);
}

Node *Analysis::constantOperand(linalg::LinalgOp op, OpOperand *operand,
                                ArrayRef<Atoms> loops) {
  Contents input = contents(operand->get());
  ConstantData data = *ConstantData::get(input.node->data);
  AffineMap map = op.getMatchingIndexingMap(operand);
  // The feature of each element, from the loops that read it.
  Atoms features, elements;
  bool ok = true;
  for (auto [expr, atoms] :
       llvm::zip_equal(map.getResults(), input.layout.dims)) {
    if (atoms.empty())
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    ok &= dim && !loops[dim.getPosition()].empty() &&
          llvm::all_of(loops[dim.getPosition()], [](const Atom &atom) {
            return atom.axis == Axis::Feature;
          });
    if (!ok)
      break;
    llvm::append_range(features, loops[dim.getPosition()]);
    llvm::append_range(elements, atoms);
  }
  if (ok) {
    int64_t width = 1;
    for (const Atoms &loop : loops)
      for (const Atom &atom : loop)
        width *= atom.axis == Axis::Feature ? atom.size : 1;
    SmallVector<int64_t> columns = offsetsOf(features);
    SmallVector<int64_t> offsets = offsetsOf(elements, input.layout.offset);
    SmallVector<int64_t, 0> byColumn(width, -1);
    if (columns.size() == offsets.size() &&
        static_cast<int64_t>(columns.size()) == width) {
      for (auto [column, offset] : llvm::zip_equal(columns, offsets))
        byColumn[column] = offset;
      pool.setSource(input.node->op, input.node->before);
      Node *node = pool.column(input.node->data, std::move(byColumn));
      pool.setSource(op, op->getNextNode());
      return node;
    }
  }
  if (std::optional<float> splat = data.splatValue())
    return pool.scalar(*splat);
  if (Node *table = tableOperand(op, operand, loops))
    return table;
  missed(op, "a constant varies along more than the features of a row",
         "add or multiply by one constant for each feature");
  return nullptr;
}

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
        .Case<arith::MaximumFOp, arith::MaxNumFOp>(
            [&](auto) { result = pool.max(in[0], in[1]); })
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
  if (!result)
    return unsupported(
        "no rule for '" + def->getName().getStringRef() + "' on " +
        (isa<linalg::IndexOp>(def) ? "this dimension" : "these operands"));
  elements[scalar] = result;
  return result;
}

bool fact::isZero(const Contents &contents) {
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

bool Analysis::visitElementwise(linalg::LinalgOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !op.getBlock() ||
      !(type.getElementType().isF32() ||
        type.getElementType().isSignlessInteger()))
    return false;
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

  SmallVector<Node *> nodes;
  std::optional<SmallVector<Atoms>> loops = loopAtoms(op, operands, nodes);
  if (!loops)
    return false;
  DenseMap<Value, Node *> elements;
  for (auto [operand, node] : llvm::zip_equal(operands, nodes)) {
    if (node && node->is(NodeKind::Weight))
      node = constantOperand(op, operand, *loops);
    else if (!node)
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
      if (!node->isRows() ||
          merged(reduced) != merged(Atom{Axis::Feature, node->width}))
        return missed(op, "the sum is over a part of the features of a row",
                      "take means over all features of a token");
      elements[result] = pool.sum(node);
    }
  }
  Node *node = evaluate(result, op, *loops, elements);
  if (!node)
    return false;
  Layout layout;
  for (AffineExpr expr : map.getResults())
    layout.dims.push_back((*loops)[cast<AffineDimExpr>(expr).getPosition()]);
  set(op->getResult(0), node, std::move(layout));
  return true;
}
