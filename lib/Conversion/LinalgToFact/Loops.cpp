//===- Loops.cpp - What the loops of an elementwise op walk over ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands agree on what each loop is: tokens, keys, heads or features. A
// constant is a number for each feature, or for each token or two.
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
#include "ConstantData.h"

using namespace mlir;
using namespace mlir::fact;

static int64_t loopExtent(linalg::LinalgOp op, unsigned loop) {
  return op.getStaticLoopRanges()[loop];
}

/// Whether two dimensions walk over one sequence, as queries or as keys.
static bool isSameSequence(const Atoms &a, const Atoms &b) {
  return isSequence(a) && isSequence(b) &&
         a.front().sequence == b.front().sequence;
}

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
  bool haveRows = llvm::any_of(operands, [&](OpOperand *operand) {
    Contents input = contents(operand->get());
    return input && input.node->isRows() &&
           !input.node->is(NodeKind::PositionTable);
  });
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
    // Tables of positions are spread over features as constants are.
    if (input.node->is(NodeKind::Scalar) || input.node->is(NodeKind::Weight) ||
        (input.node->is(NodeKind::PositionTable) && haveRows))
      continue;
    if (input.node->width > 0 && input.node->heads == 0) {
      if (width > 0 && width != input.node->width)
        return disagree("operands have a different number of features");
      width = input.node->width;
    }
    (input.node->pair ? pairs : others).push_back(operand);
  }
  // Loops over queries, keys and heads first, from what has them.
  auto hasHeads = [&](OpOperand *operand) {
    return contents(operand->get()).node->heads > 0;
  };
  SmallVector<OpOperand *> inOrder = llvm::filter_to_vector(pairs, hasHeads);
  llvm::append_range(inOrder, llvm::make_filter_range(pairs, [&](OpOperand *o) {
                       return !hasHeads(o);
                     }));
  DenseSet<OpOperand *> exchanged;
  for (OpOperand *operand : inOrder) {
    bool isOfHeads = hasHeads(operand);
    // Where scores are k q^T, a mask for q k^T is read with both exchanged.
    auto opposite = [](Atoms atoms) {
      atoms.front().axis =
          atoms.front().axis == Axis::Key ? Axis::Token : Axis::Key;
      return atoms;
    };
    bool differs = false, agrees = false;
    if (!visit(operand, [&](unsigned loop, const Atoms &atoms) {
          // Masks are repeated over heads.
          bool isRepeated = !isOfHeads && !isSequence(atoms);
          if (loops[loop] && *loops[loop] != atoms && !isRepeated) {
            if (isOfHeads || !isSequence(*loops[loop]) ||
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

/// Whether the elements at all sums of these offsets are the same for each
/// head.
static bool isSameForHeads(const ConstantData &data, ArrayRef<int64_t> heads,
                           ArrayRef<int64_t> rows, ArrayRef<int64_t> columns) {
  const int64_t none = 0;
  for (int64_t row : rows.empty() ? ArrayRef(none) : rows)
    for (int64_t column : columns.empty() ? ArrayRef(none) : columns)
      for (int64_t head : heads)
        if (data[head + row + column] != data[heads.front() + row + column])
          return false;
  return true;
}

Node *Analysis::tableOperand(linalg::LinalgOp op, OpOperand *operand,
                             ArrayRef<Atoms> loops) {
  Contents input = contents(operand->get());
  AffineMap map = op.getMatchingIndexingMap(operand);
  SmallVector<int64_t, 0> heads, rows, columns;
  int sequence = -1;
  for (auto [expr, atoms] :
       llvm::zip_equal(map.getResults(), input.layout.dims)) {
    if (atoms.empty())
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (dim && isAxis(loops[dim.getPosition()], Axis::Head) && heads.empty()) {
      heads.append(offsetsOf(atoms));
      continue;
    }
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
  if (!isSameForHeads(*ConstantData::get(input.node->data), heads, rows,
                      columns))
    return nullptr;
  return pool.table(input.node->data, std::move(rows), std::move(columns),
                    sequence);
}

Node *Analysis::constantOperand(linalg::LinalgOp op, OpOperand *operand,
                                ArrayRef<Atoms> loops) {
  Contents input = contents(operand->get());
  ConstantData data = *ConstantData::get(input.node->data);
  AffineMap map = op.getMatchingIndexingMap(operand);
  FeatureElements elements(loops);
  bool areFeatures = llvm::all_of(
      llvm::zip_equal(map.getResults(), input.layout.dims), [&](auto read) {
        auto dim = dyn_cast<AffineDimExpr>(std::get<0>(read));
        const Atoms &atoms = std::get<1>(read);
        return atoms.empty() ||
               (dim && elements.read(dim.getPosition(), atoms));
      });
  if (areFeatures)
    if (auto offsets = elements.byFeature(input.layout.offset)) {
      pool.setSource(input.node->op, input.node->before);
      Node *node = pool.column(input.node->data, *offsets);
      pool.setSource(op, op->getNextNode());
      return node;
    }
  if (std::optional<float> splat = data.splatValue())
    return pool.scalar(*splat);
  if (Node *table = tableOperand(op, operand, loops))
    return table;
  if (Node *table = positionOperand(op, operand, loops))
    return table;
  bool ofHeads = llvm::any_of(map.getResults(), [&](AffineExpr expr) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    return dim && isAxis(loops[dim.getPosition()], Axis::Head);
  });
  if (ofHeads)
    missed(
        op,
        "the scores get a constant of their own for each head: a bias, which "
        "no layer has, or a mask for each head",
        "use the same mask for all heads and no bias");
  else
    missed(op, "a constant varies along more than the features of a row",
           "add or multiply by one constant for each feature");
  return nullptr;
}
