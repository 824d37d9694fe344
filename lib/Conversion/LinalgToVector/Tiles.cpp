//===- Tiles.cpp - Loops over tiles that stay in registers ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

#include <map>

using namespace mlir;
using namespace mlir::fact;

namespace {

/// Where each operand is, in elements.
using Places = SmallVector<Value>;

class TileEmitter {
public:
  TileEmitter(linalg::LinalgOp op, const TileShape &shape)
      : b(op.getLoc(), op), op(op), shape(shape), nest(makeNest(b, op)) {}

  void run();

private:
  using Each = llvm::function_ref<void(const Places &)>;

  // What the loops are used for.
  void choose();
  bool fitsVectors(const Loop &loop);
  /// How much an iteration of a row of this loop saves.
  std::pair<int, int> sharing(const Loop &loop);

  // Loops around tiles.
  void forOthers(ArrayRef<Loop> loops, const Places &places, Each each);
  void forVectors(const Places &places);
  void forRows(const Places &places, ArrayRef<int64_t> widths);
  void forSteps(const Loop &loop, int64_t begin, int64_t end, int64_t step,
                const Places &places, Each each);
  void forSteps(const Loop &loop, Value begin, Value end, int64_t step,
                const Places &places, Each each);

  // One tile: `rows` rows, and a vector of each of the widths.
  void emitTile(const Places &places, int64_t rows, ArrayRef<int64_t> widths);
  SmallVector<Value> reduce(ArrayRef<Loop> loops, const Places &places,
                            int64_t rows, ArrayRef<int64_t> widths,
                            ValueRange sums);
  SmallVector<Value> computeBody(const Places &places, int64_t rows,
                                 ArrayRef<int64_t> widths, ValueRange sums);
  SmallVector<Value> cloneBody(IRMapping &mapping, int64_t width);

  // Memory.
  Value placeOf(size_t operand, const Places &places, int64_t row,
                int64_t vector);
  Value load(size_t operand, Value place, int64_t width);
  void store(Value value, size_t operand, Value place, int64_t width);
  Value splat(Value scalar, int64_t width);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(x, y); }
  Value mul(Value x, Value y) { return b.createOrFold<arith::MulIOp>(x, y); }
  Places move(const Places &places, const Loop &loop, Value steps);

  ImplicitLocOpBuilder b;
  linalg::LinalgOp op;
  TileShape shape;
  Nest nest;
  /// Along vectors, along rows, and around both.
  std::optional<Loop> lanes, rows;
  SmallVector<Loop> others;
};

/// Vectors of i1 in memory have another form than scalars.
bool hasBits(linalg::LinalgOp op) {
  return llvm::any_of(op->getOperands(), [](Value operand) {
    return getElementTypeOrSelf(operand.getType()).isInteger(1);
  });
}

/// Elements of results lie next to each other; those that sums read, too, or
/// every other one.
bool TileEmitter::fitsVectors(const Loop &loop) {
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<int64_t> stride =
        loop.staticStride(operand.getOperandNumber());
    if (op.isDpsInit(&operand) ? stride != 1
                               : !nest.reductions.empty() &&
                                     (!stride || *stride < 0 || *stride > 2))
      return false;
  }
  return true;
}

std::pair<int, int> TileEmitter::sharing(const Loop &loop) {
  int vectors = 0, scalars = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    size_t i = input->getOperandNumber();
    if (loop.isFixed(i))
      ++(lanes && !lanes->isFixed(i) ? vectors : scalars);
  }
  return {vectors, scalars};
}

void TileEmitter::choose() {
  others = nest.parallel;
  auto take = [&](size_t i) {
    Loop loop = others[i];
    others.erase(others.begin() + i);
    return loop;
  };
  for (size_t i = others.size(); i-- > 0 && !hasBits(op);)
    if (fitsVectors(others[i])) {
      lanes = take(i);
      break;
    }
  // Rows only pay where they share what they read, and hide the latency of
  // sums.
  if (nest.reductions.empty() || others.empty())
    return;
  size_t best = others.size() - 1;
  for (size_t i = best; i-- > 0;)
    if (sharing(others[i]) > sharing(others[best]))
      best = i;
  rows = take(best);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Places TileEmitter::move(const Places &places, const Loop &loop, Value steps) {
  Places moved;
  for (auto [place, stride] : llvm::zip(places, loop.strides))
    moved.push_back(add(place, mul(steps, stride)));
  return moved;
}

void TileEmitter::forSteps(const Loop &loop, Value begin, Value end,
                           int64_t step, const Places &places, Each each) {
  auto made = scf::ForOp::create(b, begin, end, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(made.getBody()->getTerminator());
  each(move(places, loop, made.getInductionVar()));
}

void TileEmitter::forSteps(const Loop &loop, int64_t begin, int64_t end,
                           int64_t step, const Places &places, Each each) {
  if (begin + step == end)
    each(move(places, loop, index(begin)));
  else if (begin < end)
    forSteps(loop, index(begin), index(end), step, places, each);
}

void TileEmitter::forOthers(ArrayRef<Loop> loops, const Places &places,
                            Each each) {
  if (loops.empty())
    return each(places);
  forSteps(
      loops.front(), index(0), loops.front().extent, 1, places,
      [&](const Places &inner) { forOthers(loops.drop_front(), inner, each); });
}

void TileEmitter::forVectors(const Places &places) {
  if (!lanes)
    return forRows(places, 1);
  std::optional<int64_t> extent = lanes->staticExtent();
  if (!extent) {
    // How many are left over is not known: they go one by one.
    Value whole =
        mul(b.createOrFold<arith::DivUIOp>(lanes->extent, index(shape.lanes)),
            index(shape.lanes));
    forSteps(*lanes, index(0), whole, shape.lanes, places,
             [&](const Places &at) { forRows(at, shape.lanes); });
    forSteps(*lanes, whole, lanes->extent, 1, places,
             [&](const Places &at) { forRows(at, 1); });
    return;
  }
  // More vectors next to each other share what a row reads.
  int64_t vectors = nest.reductions.empty() ? 1 : shape.vectors;
  int64_t whole = *extent - *extent % (vectors * shape.lanes);
  SmallVector<int64_t> widths(vectors, shape.lanes);
  forSteps(*lanes, 0, whole, vectors * shape.lanes, places,
           [&](const Places &at) { forRows(at, widths); });
  if (whole == *extent)
    return;
  int64_t rest = *extent - whole;
  widths.assign(rest / shape.lanes, shape.lanes);
  if (rest % shape.lanes != 0)
    widths.push_back(rest % shape.lanes);
  forRows(move(places, *lanes, index(whole)), widths);
}

void TileEmitter::forRows(const Places &places, ArrayRef<int64_t> widths) {
  if (!rows)
    return emitTile(places, 1, widths);
  auto tiles = [&](int64_t count) {
    return [this, count, widths](const Places &at) {
      emitTile(at, count, widths);
    };
  };
  std::optional<int64_t> extent = rows->staticExtent();
  if (extent) {
    int64_t whole = *extent - *extent % shape.rows;
    forSteps(*rows, 0, whole, shape.rows, places, tiles(shape.rows));
    if (whole != *extent)
      forSteps(*rows, whole, *extent, *extent - whole, places,
               tiles(*extent - whole));
    return;
  }
  Value whole =
      mul(b.createOrFold<arith::DivUIOp>(rows->extent, index(shape.rows)),
          index(shape.rows));
  forSteps(*rows, index(0), whole, shape.rows, places, tiles(shape.rows));
  forSteps(*rows, whole, rows->extent, 1, places, tiles(1));
}

//===----------------------------------------------------------------------===//
// A tile
//===----------------------------------------------------------------------===//

Value TileEmitter::placeOf(size_t operand, const Places &places, int64_t row,
                           int64_t vector) {
  Value place = places[operand];
  if (row != 0)
    place = add(place, mul(rows->strides[operand], index(row)));
  if (vector != 0)
    place =
        add(place, mul(lanes->strides[operand], index(vector * shape.lanes)));
  return place;
}

void TileEmitter::emitTile(const Places &places, int64_t rows,
                           ArrayRef<int64_t> widths) {
  SmallVector<Value> values;
  auto forResults = [&](llvm::function_ref<void(size_t, Value, int64_t)> each) {
    for (OpOperand &init : op.getDpsInitsMutable())
      for (int64_t row = 0; row < rows; ++row)
        for (auto [vector, width] : llvm::enumerate(widths)) {
          size_t i = init.getOperandNumber();
          each(i, placeOf(i, places, row, vector), width);
        }
  };
  if (!nest.reductions.empty())
    forResults([&](size_t operand, Value place, int64_t width) {
      values.push_back(load(operand, place, width));
    });
  values = reduce(nest.reductions, places, rows, widths, values);
  auto *next = values.begin();
  forResults([&](size_t operand, Value place, int64_t width) {
    store(*next++, operand, place, width);
  });
}

SmallVector<Value> TileEmitter::reduce(ArrayRef<Loop> loops,
                                       const Places &places, int64_t rows,
                                       ArrayRef<int64_t> widths,
                                       ValueRange sums) {
  if (loops.empty())
    return computeBody(places, rows, widths, sums);
  auto loop =
      scf::ForOp::create(b, index(0), loops.front().extent, index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  Places inner = move(places, loops.front(), loop.getInductionVar());
  scf::YieldOp::create(b, reduce(loops.drop_front(), inner, rows, widths,
                                 loop.getRegionIterArgs()));
  return loop.getResults();
}

SmallVector<Value> TileEmitter::computeBody(const Places &places, int64_t rows,
                                            ArrayRef<int64_t> widths,
                                            ValueRange sums) {
  size_t vectors = widths.size(), tile = rows * vectors;
  SmallVector<Value> results(op.getNumDpsInits() * tile);
  // What several rows or vectors of a row read is read once: keyed by operand,
  // row and vector, 0 where it makes no difference, and the width.
  std::map<std::tuple<size_t, int64_t, size_t, int64_t>, Value> read;
  auto valueOf = [&](OpOperand &operand, int64_t row, size_t vector) {
    size_t i = operand.getOperandNumber();
    if (op.isDpsInit(&operand) && !nest.reductions.empty())
      return sums[(i - op.getNumDpsInputs()) * tile + row * vectors + vector];
    int64_t width = widths[vector];
    if (!this->rows || this->rows->isFixed(i))
      row = 0;
    if (!lanes || lanes->isFixed(i))
      vector = 0;
    Value &value = read[{i, row, vector, width}];
    if (!value)
      value = load(i, placeOf(i, places, row, vector), width);
    return value;
  };
  for (int64_t row = 0; row < rows; ++row)
    for (size_t vector = 0; vector < vectors; ++vector) {
      IRMapping mapping;
      for (OpOperand &operand : op->getOpOperands())
        if (op.payloadUsesValueFromOperand(&operand))
          mapping.map(op.getMatchingBlockArgument(&operand),
                      valueOf(operand, row, vector));
      for (auto [i, value] :
           llvm::enumerate(cloneBody(mapping, widths[vector])))
        results[i * tile + row * vectors + vector] = value;
    }
  return results;
}

SmallVector<Value> TileEmitter::cloneBody(IRMapping &mapping, int64_t width) {
  Block *body = op.getBlock();
  // Values from outside are scalars.
  auto require = [&](Value operand) {
    if (!mapping.contains(operand))
      mapping.map(operand, splat(operand, width));
    return mapping.lookup(operand);
  };
  for (Operation &each : body->without_terminator()) {
    if (each.hasTrait<OpTrait::ConstantLike>()) {
      mapping.map(each.getResult(0), splat(b.clone(each)->getResult(0), width));
      continue;
    }
    llvm::for_each(each.getOperands(), require);
    Operation *clone = b.clone(each, mapping);
    if (width != 1)
      for (Value result : clone->getResults())
        result.setType(VectorType::get(width, result.getType()));
  }
  return llvm::map_to_vector(body->getTerminator()->getOperands(), require);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value TileEmitter::splat(Value scalar, int64_t width) {
  if (width == 1)
    return scalar;
  return vector::BroadcastOp::create(
      b, VectorType::get(width, scalar.getType()), scalar);
}

Value TileEmitter::load(size_t operand, Value place, int64_t width) {
  Value memory = nest.memory[operand];
  auto type = dyn_cast<MemRefType>(memory.getType());
  if (!type)
    return splat(memory, width);
  if (type.getRank() == 0)
    return splat(memref::LoadOp::create(b, memory), width);
  std::optional<int64_t> stride = 0;
  if (width != 1)
    stride = lanes->staticStride(operand);
  if (stride == 0)
    return splat(memref::LoadOp::create(b, memory, place), width);
  auto vectorType = VectorType::get(width, type.getElementType());
  auto loadNext = [&](int64_t offset) {
    return vector::LoadOp::create(b, vectorType, memory,
                                  add(place, index(offset)));
  };
  if (stride == 1)
    return loadNext(0);
  if (stride == 2) {
    // Two vectors up to the last element, and none behind it.
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < width; ++lane)
      picked.push_back(2 * lane < width ? 2 * lane : 2 * lane + 1);
    return vector::ShuffleOp::create(b, loadNext(0), loadNext(width - 1),
                                     picked);
  }
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < width; ++lane)
    elements.push_back(memref::LoadOp::create(
        b, memory, add(place, mul(lanes->strides[operand], index(lane)))));
  return vector::FromElementsOp::create(b, vectorType, elements);
}

void TileEmitter::store(Value value, size_t operand, Value place,
                        int64_t width) {
  Value memory = nest.memory[operand];
  if (cast<MemRefType>(memory.getType()).getRank() == 0)
    memref::StoreOp::create(b, value, memory);
  else if (width == 1)
    memref::StoreOp::create(b, value, memory, place);
  else
    vector::StoreOp::create(b, value, memory, place);
}

void TileEmitter::run() {
  choose();
  forOthers(others, nest.offsets,
            [&](const Places &places) { forVectors(places); });
}

} // namespace

void mlir::fact::emitTiles(linalg::LinalgOp op, const TileShape &shape) {
  TileEmitter(op, shape).run();
}
