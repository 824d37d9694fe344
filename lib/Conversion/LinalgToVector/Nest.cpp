//===- Nest.cpp - A linalg operation as loops over flat memory ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExprVisitor.h"

using namespace mlir;
using namespace mlir::fact;

std::optional<int64_t> Loop::staticExtent() const {
  return getConstantIntValue(extent);
}
std::optional<int64_t> Loop::staticStride(size_t operand) const {
  return getConstantIntValue(strides[operand]);
}

/// The factor of each loop and the constant of a linear expression; empty where
/// it is not linear.
static SmallVector<int64_t> factorsOf(AffineExpr expr, unsigned loops) {
  SimpleAffineExprFlattener flattener(loops, /*numSymbols=*/0);
  if (failed(flattener.walkPostOrder(expr)))
    return {};
  auto factors = llvm::to_vector_of<int64_t>(flattener.operandExprStack.back());
  // Divisions and remainders would be columns of their own.
  return factors.size() == loops + 1 ? factors : SmallVector<int64_t>();
}

/// Each element of an output belongs to one iteration of the parallel loops.
static bool isWrittenOnce(AffineMap map,
                          ArrayRef<utils::IteratorType> iterators) {
  if (!map.isProjectedPermutation())
    return false;
  for (auto [i, kind] : llvm::enumerate(iterators))
    if (map.isFunctionOfDim(i) != (kind == utils::IteratorType::parallel))
      return false;
  return true;
}

bool mlir::fact::hasNest(linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics())
    return false;
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    Type element = type ? type.getElementType() : operand.get().getType();
    if (!element.isIntOrFloat() || (type && !type.isStrided()) ||
        map.getNumSymbols() != 0)
      return false;
    for (AffineExpr result : map.getResults())
      if (factorsOf(result, iterators.size()).empty())
        return false; // not linear
    if (!op.isDpsInit(&operand))
      continue;
    // Sums start from what is there.
    bool isSumOfIts = op.getNumReductionLoops() == 0 ||
                      op.payloadUsesValueFromOperand(&operand);
    if (!isWrittenOnce(map, iterators) || !isSumOfIts)
      return false;
  }
  // Vectors have all ops of the body.
  return llvm::all_of(op.getBlock()->without_terminator(), [](Operation &each) {
    return each.hasTrait<OpTrait::ConstantLike>() ||
           OpTrait::hasElementwiseMappableTraits(&each);
  });
}

/// The buffer as one dimension, and the strides of its own.
static Value flatten(ImplicitLocOpBuilder &b, Value buffer, Value &offset,
                     SmallVector<Value> &strides) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  Value zero = arith::ConstantIndexOp::create(b, 0);
  offset = zero;
  if (!type || type.getRank() == 0)
    return buffer;
  auto [known, start] = type.getStridesAndOffset();
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(b, b.getLoc(), buffer);
  bool isOpen = ShapedType::isDynamic(start) ||
                llvm::any_of(known, ShapedType::isDynamic);
  memref::ExtractStridedMetadataOp metadata;
  if (isOpen)
    metadata = memref::ExtractStridedMetadataOp::create(b, buffer);
  for (auto [i, stride] : llvm::enumerate(known))
    strides.push_back(ShapedType::isDynamic(stride)
                          ? Value(metadata.getStrides()[i])
                          : Value(arith::ConstantIndexOp::create(b, stride)));
  OpFoldResult first = ShapedType::isDynamic(start)
                           ? OpFoldResult(metadata.getOffset())
                           : OpFoldResult(b.getIndexAttr(start));
  // No element is behind the first dimension's last one.
  Value size = b.createOrFold<arith::MulIOp>(
      getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes.front()),
      strides.front());
  return memref::ReinterpretCastOp::create(
      b, buffer, first, ArrayRef<OpFoldResult>{getAsOpFoldResult(size)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
}

/// Whether `inner` goes on where it ends when `outer` makes a step, in the
/// memory of each operand.
static bool isOneLoop(const Loop &outer, const Loop &inner) {
  std::optional<int64_t> extent = inner.staticExtent();
  if (!extent || !outer.staticExtent())
    return false;
  for (size_t i = 0; i < inner.strides.size(); ++i) {
    std::optional<int64_t> step = outer.staticStride(i),
                           small = inner.staticStride(i);
    if (!step || !small || *step != *small * *extent)
      return false;
  }
  return true;
}

static void simplify(ImplicitLocOpBuilder &b, SmallVector<Loop> &loops) {
  llvm::erase_if(loops,
                 [](const Loop &each) { return each.staticExtent() == 1; });
  for (size_t i = loops.size(); i-- > 1;) {
    Loop &outer = loops[i - 1], &inner = loops[i];
    if (!isOneLoop(outer, inner))
      continue;
    outer.extent = b.createOrFold<arith::MulIOp>(outer.extent, inner.extent);
    outer.strides = inner.strides;
    loops.erase(loops.begin() + i);
  }
}

Nest mlir::fact::makeNest(ImplicitLocOpBuilder &b, linalg::LinalgOp op) {
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value).getResult();
  };
  auto add = [&](Value x, Value y) {
    return b.createOrFold<arith::AddIOp>(x, y);
  };
  auto mul = [&](Value x, Value y) {
    return b.createOrFold<arith::MulIOp>(x, y);
  };
  Nest nest;
  SmallVector<Loop> loops;
  for (const Range &range : op.createLoopRanges(b, b.getLoc()))
    loops.push_back(
        {getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size), {}});
  for (OpOperand &operand : op->getOpOperands()) {
    SmallVector<Value> own;
    Value offset;
    nest.memory.push_back(flatten(b, operand.get(), offset, own));
    for (Loop &loop : loops)
      loop.strides.push_back(index(0));
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [stride, result] : llvm::zip(own, map.getResults())) {
      SmallVector<int64_t> factors = factorsOf(result, loops.size());
      for (auto [loop, factor] : llvm::zip(loops, factors))
        if (factor != 0)
          loop.strides.back() =
              add(loop.strides.back(), mul(stride, index(factor)));
      offset = add(offset, mul(stride, index(factors.back())));
    }
    nest.offsets.push_back(offset);
  }
  for (auto [loop, kind] : llvm::zip(loops, op.getIteratorTypesArray()))
    (kind == utils::IteratorType::parallel ? nest.parallel : nest.reductions)
        .push_back(loop);
  simplify(b, nest.parallel);
  simplify(b, nest.reductions);
  return nest;
}
