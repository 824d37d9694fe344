//===- Contraction.cpp - Matrix products: linear layers, scores, context --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"

#include "fact/Dialect/Fact/IR/Sequence.h"

using namespace mlir;
using namespace mlir::fact;

namespace mlir::fact {

/// A product of two operands, loop by loop: `lhs` and `rhs` say what each loop
/// walks over in that operand. Swapped where that gives the usual order
/// (rows x weight, queries x keys, probabilities x values).
struct ContractionSides {
  Value lhsValue, rhsValue;
  Contents lhs, rhs;
  SmallVector<Atoms> lhsLoops, rhsLoops;
  SmallVector<unsigned> batch, m, n, k;

  static Atoms all(ArrayRef<Atoms> loops, ArrayRef<unsigned> which) {
    Atoms atoms;
    for (unsigned loop : which)
      llvm::append_range(atoms, loops[loop]);
    return merged(atoms);
  }
  Atoms lhsOf(ArrayRef<unsigned> which) const { return all(lhsLoops, which); }
  Atoms rhsOf(ArrayRef<unsigned> which) const { return all(rhsLoops, which); }
  void swap() {
    std::swap(lhsValue, rhsValue);
    std::swap(lhs, rhs);
    std::swap(lhsLoops, rhsLoops);
    std::swap(m, n);
  }
};

} // namespace mlir::fact

/// Layout of an op's result when its loops walk over `loops`.
static Layout resultLayout(linalg::LinalgOp op, ArrayRef<Atoms> loops) {
  Layout layout;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (AffineExpr expr : map.getResults())
    layout.dims.push_back(loops[cast<AffineDimExpr>(expr).getPosition()]);
  return layout;
}

bool Analysis::visitContraction(linalg::LinalgOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  if (!type || !type.getElementType().isF32() || failed(dims) ||
      op.getNumDpsInputs() != 2)
    return false;
  OpOperand *init = op.getDpsInitOperand(0);
  ContractionSides sides;
  sides.lhsValue = op.getDpsInputOperand(0)->get();
  sides.rhsValue = op.getDpsInputOperand(1)->get();
  sides.lhs = contents(sides.lhsValue);
  sides.rhs = contents(sides.rhsValue);
  auto scalar = [](Contents c) { return !c || c.layout.dims.empty(); };
  if (scalar(sides.lhs) || scalar(sides.rhs))
    return missed(
        op,
        "a factor of the product is neither rows of a sequence nor a constant",
        "make the weight a constant of the model");
  if (!isZero(contents(init->get())))
    return missed(op, "the product is added to a tensor that is not zero",
                  "add it in an op of its own");
  if (foldConstants(op))
    return true;
  for (bool isRhs : {false, true}) {
    OpOperand *operand = op.getDpsInputOperand(isRhs);
    const Contents &side = isRhs ? sides.rhs : sides.lhs;
    SmallVector<Atoms> &loops = isRhs ? sides.rhsLoops : sides.lhsLoops;
    loops.resize(op.getNumLoops());
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (auto [expr, atoms] :
         llvm::zip_equal(map.getResults(), side.layout.dims)) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        return missed(op, "an operand is read in steps",
                      "use 'linalg.matmul' or 'linalg.batch_matmul'");
      loops[dim.getPosition()] = atoms;
    }
  }
  if (!op.getMatchingIndexingMap(init).isProjectedPermutation())
    return false;
  sides.batch.assign(dims->batch.begin(), dims->batch.end());
  sides.m.assign(dims->m.begin(), dims->m.end());
  sides.n.assign(dims->n.begin(), dims->n.end());
  sides.k.assign(dims->k.begin(), dims->k.end());

  auto isWeight = [](const Contents &c) {
    return c.node->is(NodeKind::Weight);
  };
  if (isWeight(sides.lhs) && isWeight(sides.rhs))
    return missed(op, "a product of two constants",
                  "fold it before ('--canonicalize')");
  if (isWeight(sides.lhs) || sides.rhs.node->heads > 0)
    sides.swap();
  if (isWeight(sides.rhs))
    return visitLinear(op, sides);
  if (sides.lhs.node->heads > 0 && sides.rhs.node->isRows())
    return visitContext(op, sides);
  if (sides.lhs.node->isRows() && sides.rhs.node->isRows())
    return visitScores(op, sides);
  return missed(op, "the factors of the product are not rows of a sequence",
                "only linear layers, q k^T and softmax(q k^T) v are raised");
}

/// The features that the atoms walk over, each of `width` once; empty where
/// they are something else.
static SmallVector<int64_t> featuresOf(ArrayRef<Atom> atoms, int64_t width) {
  for (const Atom &atom : atoms)
    if (atom.axis != Axis::Feature)
      return {};
  SmallVector<int64_t> features = offsetsOf(atoms);
  auto sorted = features;
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, width)))
    return {};
  return features;
}

bool Analysis::readAsSequence(Value features) {
  Contents row = contents(features);
  auto type = cast<RankedTensorType>(features.getType());
  if (type.getRank() < 2 || type.getDimSize(sequenceDim(type)) == 1)
    return false;
  for (const Atoms &atoms : row.layout.dims)
    for (const Atom &atom : atoms)
      if (atom.isSequence() && atom.size != 1)
        return false;
  makeLeaf(features);
  return contents(features).node != row.node;
}

bool Analysis::visitLinear(linalg::LinalgOp op, ContractionSides &sides) {
  Node *rows = sides.lhs.node;
  SmallVector<Atom> read;
  for (unsigned loop : sides.k)
    llvm::append_range(read, sides.lhsLoops[loop]);
  SmallVector<int64_t> features;
  if (rows->isRows())
    features = featuresOf(read, rows->width);
  if (features.empty() || !isAxis(sides.lhsOf(sides.m), Axis::Token)) {
    if (rows->isRows() && readAsSequence(sides.lhsValue))
      return visitContraction(op);
    return missed(
        op,
        "a constant is multiplied with something else than all features of a "
        "row",
        "multiply rows [tokens, features] by a weight [features, outputs]");
  }
  if (!sides.lhsOf(sides.batch).empty() || !sides.rhsOf(sides.batch).empty())
    return missed(op, "the product is a batch with a weight for each element",
                  "use one weight matrix");
  // Data atoms of the weight may be in any order; their offsets are explicit.
  SmallVector<Atom> k, n;
  for (unsigned loop : sides.k)
    llvm::append_range(k, sides.rhsLoops[loop]);
  for (unsigned loop : sides.n)
    llvm::append_range(n, sides.rhsLoops[loop]);
  SmallVector<int64_t> inOrder = offsetsOf(k),
                       columnOffsets = offsetsOf(n, sides.rhs.layout.offset);
  if (inOrder.size() != features.size())
    return missed(op, "the weight has not one row for each feature",
                  "multiply rows [tokens, features] by a weight [features, "
                  "outputs]");
  // So may the features be: the weight's rows are put into their order.
  SmallVector<int64_t> rowOffsets(features.size());
  for (auto [feature, offset] : llvm::zip_equal(features, inOrder))
    rowOffsets[feature] = offset;
  pool.setSource(sides.rhs.node->op, sides.rhs.node->before);
  Node *weight = pool.weight(sides.rhs.node->data, rowOffsets, columnOffsets);
  pool.setSource(op, op->getNextNode());
  SmallVector<Atoms> loops = sides.lhsLoops;
  int64_t stride = 1;
  for (unsigned loop : llvm::reverse(sides.n)) {
    int64_t size = op.getStaticLoopRanges()[loop];
    loops[loop] = merged(Atom{Axis::Feature, size, stride});
    stride *= size;
  }
  set(op->getResult(0), pool.linear(rows, weight), resultLayout(op, loops));
  return true;
}

/// Replaces features by heads: in a batch loop, head c is features c * size on.
static Atoms asHeads(Atoms atoms, int64_t size) {
  for (Atom &atom : atoms)
    if (atom.axis == Axis::Feature) {
      atom.axis = Axis::Head;
      atom.stride /= size;
    }
  return atoms;
}

static Atoms asFeatures(Atoms atoms, int64_t size) {
  for (Atom &atom : atoms)
    if (atom.axis == Axis::Head) {
      atom.axis = Axis::Feature;
      atom.stride *= size;
    }
  return atoms;
}

/// Batch loops walk over heads of `size` features: batch, then the rest.
static bool areHeads(const Atoms &batch, const Atoms &features, int64_t heads,
                     int64_t width) {
  return heads > 0 && width % heads == 0 &&
         batch == merged(Atom{Axis::Feature, heads, width / heads}) &&
         features == merged(Atom{Axis::Feature, width / heads});
}

/// Takes what is no sequence out of the atoms of tokens: heads of queries that
/// share the keys of a product.
static Atoms takeHeads(Atoms &tokens) {
  Atoms heads, rest;
  for (const Atom &atom : tokens)
    (atom.isSequence() ? rest : heads).push_back(atom);
  tokens = rest;
  return heads;
}

static Atoms joined(Atoms a, const Atoms &b) {
  llvm::append_range(a, b);
  return merged(a);
}

/// Product of the sizes.
static int64_t extent(const Atoms &atoms) {
  int64_t size = 1;
  for (const Atom &atom : atoms)
    size *= atom.size;
  return size;
}

bool Analysis::visitScores(linalg::LinalgOp op, ContractionSides &sides) {
  if (Atoms tokens = sides.rhsOf(sides.n); !takeHeads(tokens).empty())
    sides.swap();
  Node *query = sides.lhs.node, *key = sides.rhs.node;
  Atoms queries = sides.lhsOf(sides.m), keys = sides.rhsOf(sides.n);
  Atoms sharing = takeHeads(queries);
  int64_t shared = extent(sharing);
  if (!isAxis(queries, Axis::Token) || !isAxis(keys, Axis::Token))
    return missed(op, "the product is not over the features of two tokens",
                  "only linear layers, q k^T and softmax(q k^T) v are raised");
  if (queries != keys)
    return missed(op, "queries and keys come from different sequences",
                  "only self-attention is raised");
  Atoms batch = joined(sides.lhsOf(sides.batch), sharing);
  int64_t heads = extent(batch);
  if (query->width != key->width * shared ||
      !areHeads(batch, sides.lhsOf(sides.k), heads, query->width) ||
      !areHeads(sides.rhsOf(sides.batch), sides.rhsOf(sides.k), heads / shared,
                key->width))
    return missed(
        op, "heads are not equal slices of the features, in order",
        "reshape [tokens, d] to [tokens, heads, d / heads] and transpose");
  int64_t size = query->width / heads;
  if (shared > 1)
    key = pool.repeated(key, size, shared);
  SmallVector<Atoms> loops(op.getNumLoops());
  for (auto *kind : {&sides.batch, &sides.m})
    for (unsigned loop : *kind)
      loops[loop] = asHeads(sides.lhsLoops[loop], size);
  for (unsigned loop : sides.n) {
    loops[loop] = sides.rhsLoops[loop];
    for (Atom &atom : loops[loop])
      atom.axis = Axis::Key;
  }
  const Atom &tokens = queries.front();
  int64_t length = ShapedType::isDynamic(tokens.size) ? bound : tokens.size;
  set(op->getResult(0), pool.scores(query, key, heads, length),
      resultLayout(op, loops));
  return true;
}

bool Analysis::visitContext(linalg::LinalgOp op, ContractionSides &sides) {
  Node *scores = sides.lhs.node, *value = sides.rhs.node;
  Atoms tokens = sides.rhsOf(sides.k), queries = sides.lhsOf(sides.m);
  Atoms sharing = takeHeads(queries);
  if (isAxis(sides.lhsOf(sides.k), Axis::Token) && isAxis(queries, Axis::Key))
    return missed(op,
                  "the softmax is over the queries: values are summed over the "
                  "other tokens of the scores",
                  "take the softmax over the keys, the tokens of the values");
  if (!isAxis(sides.lhsOf(sides.k), Axis::Key) ||
      !isAxis(queries, Axis::Token) || !isAxis(tokens, Axis::Token) ||
      tokens.front().sequence != sides.lhsOf(sides.k).front().sequence)
    return missed(
        op, "values are not weighted by the probabilities of their own tokens",
        "multiply softmax(q k^T) by v, key by key");
  int64_t heads = scores->heads, shared = extent(sharing);
  if (joined(sides.lhsOf(sides.batch), sharing) !=
          merged(Atom{Axis::Head, heads}) ||
      heads % shared != 0 ||
      !areHeads(sides.rhsOf(sides.batch), sides.rhsOf(sides.n), heads / shared,
                value->width))
    return missed(
        op,
        "heads of the values are not equal slices of the features, in order",
        "reshape [tokens, d] to [tokens, heads, d / heads] and transpose");
  int64_t size = value->width * shared / heads;
  if (shared > 1)
    value = pool.repeated(value, size, shared);
  SmallVector<Atoms> loops = sides.rhsLoops;
  for (auto *kind : {&sides.batch, &sides.m})
    for (unsigned loop : *kind)
      loops[loop] = asFeatures(sides.lhsLoops[loop], size);
  for (unsigned loop : sides.k)
    loops[loop] = {};
  allContexts.push_back(pool.context(scores, value));
  set(op->getResult(0), allContexts.back(), resultLayout(op, loops));
  return true;
}
