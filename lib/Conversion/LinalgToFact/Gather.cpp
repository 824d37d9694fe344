//===- Gather.cpp - Features at places that constants say -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BodyFolder.h"

using namespace mlir;
using namespace mlir::fact;

/// The loop whose steps decide a number; none where there are several.
static std::optional<unsigned> loopOf(Value number, linalg::LinalgOp op) {
  std::optional<unsigned> loop;
  bool isOne = true;
  auto visit = [&](auto &self, Value value) -> void {
    Operation *def = value.getDefiningOp();
    if (!def || !op->isProperAncestor(def))
      return;
    if (auto index = dyn_cast<linalg::IndexOp>(def)) {
      isOne &= !loop || *loop == index.getDim();
      loop = index.getDim();
    }
    for (Value operand : def->getOperands())
      self(self, operand);
  };
  visit(visit, number);
  return isOne ? loop : std::nullopt;
}

/// Features of rows at places that constants say: heads, taken once more or in
/// another order.
bool Analysis::visitGather(linalg::LinalgOp op) {
  auto extract = op.getBlock()
                     ->getTerminator()
                     ->getOperand(0)
                     .getDefiningOp<tensor::ExtractOp>();
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  Contents input = extract ? contents(extract.getTensor()) : Contents();
  if (!input || !input.node->isRows() || op.getNumReductionLoops() > 0 ||
      !map.isIdentity())
    return false;
  FoldedLoops loops;
  loops.extents = op.getStaticLoopRanges();
  unsigned rank = loops.extents.size();
  SmallVector<Atoms> like(rank);
  SmallVector<std::optional<Value>> places(rank);
  int64_t features = 1;
  for (auto [atoms, index] :
       llvm::zip_equal(input.layout.dims, extract.getIndices())) {
    std::optional<unsigned> loop = loopOf(index, op);
    if (!loop && atoms.empty())
      continue;
    if (!loop || places[*loop])
      return false;
    places[*loop] = index;
    like[*loop] = atoms;
    bool isRow = isSequence(atoms);
    if (isRow && !isa_and_nonnull<linalg::IndexOp>(index.getDefiningOp()))
      return false; // tokens in another order
    if (!isRow &&
        llvm::any_of(atoms, [](const Atom &a) { return a.isSequence(); }))
      return false;
    if (isRow)
      loops.extents[*loop] = 1;
  }
  for (unsigned i = 0; i < rank; ++i) {
    loops.order.push_back(i);
    if (ShapedType::isDynamic(loops.extents[i]) ||
        loops.extents[i] > mostFolded / loops.count)
      return false;
    loops.count *= loops.extents[i];
  }
  auto numbers = [&](Value tensor) { return numbersIn(contents(tensor), 0); };
  BodyFolder folder(op, loops, numbers);
  SmallVector<SmallVector<int64_t>> offsets(rank);
  for (unsigned i = 0; i < rank; ++i) {
    if (isSequence(like[i]))
      continue;
    SmallVector<int64_t> from = offsetsOf(like[i]);
    if (!places[i]) {
      offsets[i].assign(loops.extents[i], 0);
      continue;
    }
    features *= from.size();
    std::vector<float> steps = folder.numbersAlong(*places[i], i);
    if (steps.empty())
      return false;
    for (float step : steps) {
      if (!(step >= 0 && step < static_cast<float>(from.size())))
        return false;
      offsets[i].push_back(from[static_cast<size_t>(step)]);
    }
  }
  if (features != input.node->width)
    return false;
  Layout layout = renumbered(like, loops.extents);
  Node *node = pool.columns(input.node, offsetsBy(layout, offsets));
  set(op->getResult(0), node, std::move(layout));
  return true;
}
