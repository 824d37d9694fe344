//===- EmitterWindow.cpp - Padding, convolutions and pools ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::fact;
using utils::IteratorType;

Value Emitter::pad(Location loc, Value value, llvm::ArrayRef<Dim> from,
                   llvm::ArrayRef<Dim> to, llvm::ArrayRef<int64_t> before,
                   TypedAttr number) {
  SmallVector<Dim> offsets(before.begin(), before.end());
  return insert(loc, value, filled(loc, to, number), offsets, from);
}

namespace {

/// The loops of an operation and the maps of its operands.
class Loops {
public:
  explicit Loops(MLIRContext *context) : context(context) {}

  SmallVector<AffineExpr> add(size_t count, IteratorType iterator) {
    SmallVector<AffineExpr> dims;
    for (size_t i = 0; i < count; ++i) {
      dims.push_back(getAffineDimExpr(iterators.size(), context));
      iterators.push_back(iterator);
    }
    return dims;
  }
  /// An operand that is read at the given expressions, in their order.
  void addOperand(std::initializer_list<llvm::ArrayRef<AffineExpr>> parts) {
    SmallVector<AffineExpr> &exprs = operands.emplace_back();
    for (llvm::ArrayRef<AffineExpr> part : parts)
      llvm::append_range(exprs, part);
  }
  SmallVector<AffineMap> maps() const {
    SmallVector<AffineMap> maps;
    for (const SmallVector<AffineExpr> &exprs : operands)
      maps.push_back(AffineMap::get(iterators.size(), 0, exprs, context));
    return maps;
  }

  SmallVector<IteratorType> iterators;

private:
  MLIRContext *context;
  SmallVector<SmallVector<AffineExpr>> operands;
};

} // namespace

/// Where an element of the window lies, at each place of the window.
static SmallVector<AffineExpr> positions(const Window &window,
                                         llvm::ArrayRef<AffineExpr> elements,
                                         llvm::ArrayRef<AffineExpr> places) {
  SmallVector<AffineExpr> exprs;
  for (size_t i = 0; i < places.size(); ++i)
    exprs.push_back(places[i] * window.strides[i] +
                    elements[i] * window.dilations[i]);
  return exprs;
}

Value Emitter::convolve(Location loc, Value value, Value weights, Value init,
                        const Window &window, bool isGrouped) {
  size_t rank = window.extents.size();
  Loops loops(builder.getContext());
  // Places are the innermost loops: they run along rows of input and result,
  // which LLVM vectorizes without changing the order of any sum.
  auto batch = loops.add(1, IteratorType::parallel);
  auto group = loops.add(isGrouped ? 1 : 0, IteratorType::parallel);
  auto feature = loops.add(1, IteratorType::parallel);
  auto channel = loops.add(1, IteratorType::reduction);
  auto elements = loops.add(rank, IteratorType::reduction);
  auto places = loops.add(rank, IteratorType::parallel);
  loops.addOperand(
      {batch, group, channel, positions(window, elements, places)});
  loops.addOperand({group, feature, channel, elements});
  loops.addOperand({batch, group, feature, places});
  return linalg::GenericOp::create(
             builder, loc, TypeRange{init.getType()},
             ValueRange{value, weights}, ValueRange{init}, loops.maps(),
             loops.iterators,
             [](OpBuilder &inner, Location loc, ValueRange x) {
               Value product = arith::MulFOp::create(inner, loc, x[0], x[1]);
               Value sum = arith::AddFOp::create(inner, loc, x[2], product);
               linalg::YieldOp::create(inner, loc, sum);
             })
      .getResult(0);
}

Value Emitter::pool(Location loc, Value value, llvm::ArrayRef<Dim> result,
                    const Window &window, TypedAttr initial, Body body) {
  size_t rank = window.extents.size();
  Loops loops(builder.getContext());
  auto outer = loops.add(result.size() - rank, IteratorType::parallel);
  auto elements = loops.add(rank, IteratorType::reduction);
  auto places = loops.add(rank, IteratorType::parallel);
  loops.addOperand({outer, positions(window, elements, places)});
  loops.addOperand({elements});
  loops.addOperand({outer, places});
  // Nothing reads it: it says how large the window is.
  Value extents =
      empty(loc, Shape(window.extents.begin(), window.extents.end()));
  Value init = filled(loc, result, initial);
  return linalg::GenericOp::create(
             builder, loc, TypeRange{init.getType()},
             ValueRange{value, extents}, ValueRange{init}, loops.maps(),
             loops.iterators,
             [&](OpBuilder &inner, Location loc, ValueRange x) {
               linalg::YieldOp::create(inner, loc,
                                       body(inner, loc, {x[0], x[2]}));
             })
      .getResult(0);
}
