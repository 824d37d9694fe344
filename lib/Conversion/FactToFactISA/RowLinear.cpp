//===- RowLinear.cpp - Linear layers of a group, tile by tile -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codes.h"
#include "Lowering.h"
#include "RowGroup.h"

#include "fact/Dialect/Fact/IR/Values.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::factisa;

FailureOr<WeightTiles> RowGroup::weightTiles(Value weight,
                                             int64_t columnGroup) {
  auto type = cast<ShapedType>(Lowering::root(weight).getType());
  WeightTiles tiles;
  tiles.k = type.getDimSize(0);
  tiles.n = type.getDimSize(1);
  FailureOr<Weight> found = lowering.weightOf(weight);
  if (failed(found))
    return failure();
  tiles.weight = *found;
  // A tile is at most as wide as a group of columns (a head) and as the array
  // takes in a few steps; a weight with very many rows is split along k too.
  tiles.tileN = std::min<int64_t>(columnGroup, 64);
  if (lowering.tiling.keepWeights) {
    FailureOr<Value> whole = constant(weight, "weight");
    if (failed(whole))
      return failure();
    tiles.whole = *whole;
    tiles.tileK = tiles.k;
    return tiles;
  }
  int64_t budget = lowering.tiling.weightBytes;
  tiles.tileN = std::min(tiles.tileN, std::max<int64_t>(budget / 8, 1));
  // A byte of a plane has two columns.
  if (tiles.weight.planes &&
      tiles.tileN < tiles.weight.planes->getTileColumns())
    tiles.tileN = std::max<int64_t>(llvm::alignDown(tiles.tileN, 2), 2);
  int64_t deepest =
      std::max<int64_t>(budget / tiles.weight.rowBytes(tiles.tileN), 1);
  int64_t parts = llvm::divideCeil(tiles.k, deepest);
  tiles.tileK = llvm::divideCeil(tiles.k, parts);
  if (int64_t whole = llvm::alignTo(tiles.tileK, 64); whole <= deepest)
    tiles.tileK = std::min(whole, tiles.k);
  return tiles;
}

std::pair<Value, int64_t> RowGroup::loadTile(WeightTiles &tiles, int64_t k0,
                                             int64_t k, int64_t n0, int64_t n) {
  const Weight &from = tiles.weight;
  if (tiles.whole && from.planes && from.planes->areCodes()) {
    ::fact::isa::WeightPlanes::Part part = from.planes->part(k0, n0);
    return {lowering.view(tiles.whole, part.high), part.stride};
  }
  if (tiles.whole)
    return {lowering.view(tiles.whole, k0 * tiles.n + n0), tiles.n};
  int64_t stride = from.rowBytes(n);
  Value buffer = lowering.sram(
      Memory::Weight, tiles.tileK * from.rowBytes(tiles.tileN), "weight_tile");
  Value exact = lowering.null(), first = lowering.index(0);
  if (tiles.exact) {
    exact = lowering.view(tiles.exact, 0, {{row0, 4}});
    first = row0; // a block that is none has no count
  }
  lowering.loadWeight(buffer, from, k0, k, n0, Value(), n, stride, first,
                      exact);
  return {buffer, stride};
}

LogicalResult RowGroup::lowerTyped(fact::QuantizedLinearOp op) {
  FailureOr<Staged> x = use(op.getInput()), scale = use(op.getScale());
  FailureOr<Value> low = lowFlags(op.getLow());
  FailureOr<Value> weightScale = constant(op.getWeightScale(), "weight_scale");
  FailureOr<Value> bias = op.getBias() ? constant(op.getBias(), "bias")
                                       : FailureOr<Value>(lowering.null());
  if (failed(x) || failed(scale) || failed(low) || failed(weightScale) ||
      failed(bias))
    return failure();
  int64_t features = cast<ShapedType>(op.getType()).getDimSize(1);
  int64_t heads =
      op.getRows() ? cast<ShapedType>(op.getRows().getType()).getDimSize(0) : 1;
  int64_t group = features / heads;
  FailureOr<WeightTiles> tiles = weightTiles(op.getWeight(), group);
  if (failed(tiles))
    return failure();
  if (tiles->weight.planes && !tiles->whole) {
    FailureOr<Value> exact = exactCounts(op);
    if (failed(exact))
      return failure();
    tiles->exact = *exact;
  }
  Epilogue epilogue = epilogueOf(op);
  FailureOr<Staged> residual = Staged(), y;
  if (epilogue.add) {
    residual = use(epilogue.residual);
    if (failed(residual))
      return failure();
    y = defineOver(epilogue.add, epilogue.residual, *residual, Memory::Token,
                   "sum");
  } else {
    y = define(epilogue.result, Memory::Temp, "linear");
  }
  if (failed(y))
    return failure();
  auto activation = OptActivation::None;
  if (epilogue.activation)
    activation = ::fact::numerics::asActivation<OptActivation>(
        epilogue.activation.getKind());
  SmallVector<std::pair<int64_t, int64_t>> columns; // of each tile
  for (int64_t n0 = 0; n0 < features; n0 += columns.back().second)
    columns.emplace_back(n0, tiles->columns(n0, llvm::alignTo(n0 + 1, group)));
  const Maxima *wanted = defineMaxima(epilogue.result, columns, op.getRows(),
                                      /*accumulates=*/true);
  Role role = lowering.numbers.roles.lookup(op);
  Precision precision = lowPrecisionOf(op);
  for (auto [n0, n] : columns) {
    FailureOr<Value> list = rowList(op.getRows(), n0 / group);
    if (failed(list))
      return failure();
    Value acc =
        lowering.sram(Memory::Temp, rows * tiles->tileN * 4, "accumulators");
    for (int64_t k0 = 0; k0 < tiles->k; k0 += tiles->tileK) {
      int64_t k = std::min(tiles->tileK, tiles->k - k0);
      auto [weight, stride] = loadTile(*tiles, k0, k, n0, n);
      PeGemmOp::create(builder, op.getLoc(), acc, lowering.view(x->buffer, k0),
                       weight, *list, *low, row0, rows, k, n, n * 4, tiles->k,
                       stride, precision, role, /*accumulate=*/k0 > 0);
    }
    auto tileOf = [&, n0 = n0](Value rowVector) {
      return lowering.view(rowVector, n0 * 4);
    };
    int64_t stride = features * 4;
    ApuRescaleOp::create(
        builder, op.getLoc(), tileOf(y->buffer), acc, tileOf(*weightScale),
        scale->buffer, op.getBias() ? tileOf(*bias) : *bias,
        epilogue.add ? tileOf(residual->buffer) : lowering.null(), *list, *low,
        wanted ? wanted->of(lowering, n0 / wanted->columns) : lowering.null(),
        row0, rows, n, stride, n * 4, epilogue.add ? stride : 0, precision,
        activation, /*accumulate=*/wanted && n0 % wanted->columns != 0);
  }
  for (Operation *part :
       {epilogue.activation.getOperation(), epilogue.add.getOperation()})
    if (part)
      done.insert(part);
  return finish(epilogue.result);
}

RowGroup::Epilogue RowGroup::epilogueOf(fact::QuantizedLinearOp op) {
  Epilogue epilogue;
  epilogue.result = Lowering::root(op.getResult());
  if (op.getRows())
    return epilogue;
  auto onlyReader = [&]() -> Operation * {
    SmallVector<Operation *> users = realUsers(epilogue.result);
    return users.size() == 1 && members.contains(users.front()) ? users.front()
                                                                : nullptr;
  };
  Operation *reader = onlyReader();
  if (auto activation = dyn_cast_or_null<fact::ActivationOp>(reader)) {
    epilogue.activation = activation;
    epilogue.result = Lowering::root(activation.getResult());
    reader = onlyReader();
  }
  auto add = dyn_cast_or_null<fact::AddOp>(reader);
  if (!add)
    return epilogue;
  bool isLeft = Lowering::root(add.getLhs()) == epilogue.result;
  Value residual = isLeft ? add.getRhs() : add.getLhs();
  // The other rows must be there, all of them.
  Value other = Lowering::root(residual);
  Operation *maker = other.getDefiningOp();
  if (other == epilogue.result ||
      (members.contains(maker) && !done.contains(maker)))
    return epilogue;
  epilogue.add = add;
  epilogue.residual = residual;
  epilogue.result = Lowering::root(add.getResult());
  return epilogue;
}

/// The slices and rows that an op quantizes: columns of a slice (0: it does not
/// quantize), and the mask of its rows, or null.
static std::pair<int64_t, Value> quantizedSlices(Operation *op) {
  if (auto rows = dyn_cast<mlir::fact::QuantizeRowsOp>(op))
    return {cast<ShapedType>(rows.getInput().getType()).getDimSize(1), Value()};
  auto heads = dyn_cast<mlir::fact::QuantizeHeadsOp>(op);
  if (!heads)
    return {0, Value()};
  return {cast<ShapedType>(heads.getInput().getType()).getDimSize(1) /
              heads.getHeads(),
          heads.getRows() ? Lowering::root(heads.getRows()) : Value()};
}

const RowGroup::Maxima *
RowGroup::defineMaxima(Value value, ArrayRef<std::pair<int64_t, int64_t>> tiles,
                       Value mask, bool accumulates) {
  value = Lowering::root(value);
  if (mask)
    mask = Lowering::root(mask);
  SmallVector<Operation *> readers = realUsers(value);
  if (!next.empty() && value == lowering.nextLayer.result)
    llvm::append_range(readers, realUsers(lowering.nextLayer.stream));
  int64_t features = cast<ShapedType>(value.getType()).getDimSize(1);
  // The first one of the loop, if several do so in different slices.
  for (Operation *reader : llvm::concat<Operation *const>(ops, next)) {
    auto [columns, rowsRead] = quantizedSlices(reader);
    if (!llvm::is_contained(readers, reader) || columns == 0 ||
        (mask && rowsRead != mask))
      continue;
    // No tile may be of two slices, and only what accumulates makes a slice in
    // several.
    if (llvm::any_of(tiles, [=, columns = columns](auto tile) {
          auto [first, count] = tile;
          return first / columns != (first + count - 1) / columns ||
                 (!accumulates && count != columns);
        }))
      continue;
    Maxima &result = maxima[value];
    result.columns = columns;
    result.sliceBytes = llvm::alignTo(rows * 4, 64);
    result.rows = mask;
    result.buffer = lowering.sram(
        Memory::Index, features / columns * result.sliceBytes, "row_maximum");
    return &result;
  }
  return nullptr;
}

Value RowGroup::maximum(Operation *quantize, int64_t slice, int64_t row) {
  auto [columns, rowsRead] = quantizedSlices(quantize);
  auto it = maxima.find(Lowering::root(quantize->getOperand(0)));
  if (it == maxima.end() || it->second.columns != columns ||
      (it->second.rows && it->second.rows != rowsRead))
    return lowering.null();
  return it->second.of(lowering, slice, row);
}

Value RowGroup::Maxima::of(Lowering &lowering, int64_t slice,
                           int64_t row) const {
  return lowering.view(buffer, slice * sliceBytes + row * 4);
}

LogicalResult RowGroup::projectHead(fact::LogMatmulOp op, WeightTiles &tiles,
                                    Value acc, int64_t head, int64_t group) {
  auto [input, predictor] = lowering.codes.projectionOf(op);
  FailureOr<Staged> x = use(input);
  if (failed(x))
    return failure();
  int64_t n = 0;
  for (int64_t n0 = head * group; n0 < (head + 1) * group; n0 += n) {
    n = tiles.columns(n0, (head + 1) * group);
    for (int64_t k0 = 0; k0 < tiles.k; k0 += tiles.tileK) {
      int64_t k = std::min(tiles.tileK, tiles.k - k0);
      auto [weight, stride] = loadTile(tiles, k0, k, n0, n);
      EpProjectOp::create(builder, op.getLoc(),
                          lowering.view(acc, (n0 - head * group) * 4),
                          lowering.view(x->buffer, k0), weight, row0, rows, k,
                          n, group * 4, tiles.k, stride, predictor,
                          /*accumulate=*/k0 > 0);
    }
  }
  return success();
}

/// Sums of a product of codes come head by head, as a shift's do; stored ones
/// are there.
LogicalResult RowGroup::lowerTyped(fact::RescaleOp op) {
  auto matmul = fact::definingOp<fact::LogMatmulOp>(op.getInput());
  int64_t features = cast<ShapedType>(op.getType()).getDimSize(1),
          group = headFeaturesOf(op), heads = features / group;
  FailureOr<Staged> scale = use(op.getScale()), stored = Staged();
  if (!matmul)
    stored = use(op.getInput());
  FailureOr<Value> bias = lowering.null(),
                   weightScale = before([&] {
                     return lowering.loadRepeated(op.getWeightScale(), group,
                                                  Memory::Weight,
                                                  "predictor_scale");
                   });
  if (op.getBias())
    bias = constant(op.getBias(), "predictor_bias");
  FailureOr<WeightTiles> tiles = WeightTiles();
  if (matmul)
    tiles = weightTiles(matmul.getWeight(), group);
  FailureOr<Staged> y = define(op.getResult(), Memory::Temp, "predicted_rows");
  if (failed(scale) || failed(stored) || failed(bias) || failed(weightScale) ||
      failed(tiles) || failed(y))
    return failure();
  const Maxima *wanted = defineMaxima(op.getResult(), slicesOf(heads, group));
  for (int64_t head = 0; head < heads; ++head) {
    int64_t at = head * group * 4;
    Value none = lowering.null(), acc;
    if (matmul) {
      acc = lowering.sram(Memory::Temp, rows * group * 4, "accumulators");
      if (failed(projectHead(matmul, *tiles, acc, head, group)))
        return failure();
    } else {
      acc = lowering.view(stored->buffer, at);
    }
    ApuRescaleOp::create(
        builder, op.getLoc(), lowering.view(y->buffer, at), acc, *weightScale,
        scale->buffer, op.getBias() ? lowering.view(*bias, at) : *bias,
        /*residual=*/none, /*list=*/none, /*low=*/none,
        wanted ? wanted->of(lowering, head) : none, row0, rows, group,
        features * 4, (matmul ? group : features) * 4, /*residual_stride=*/0,
        Precision::A4W4, OptActivation::None, /*accumulate=*/false);
  }
  return finish(op.getResult());
}

LogicalResult RowGroup::lowerTyped(fact::NormalizeHeadsOp op) {
  auto matmul = fact::definingOp<fact::LogMatmulOp>(op.getInput());
  int64_t features = cast<ShapedType>(op.getResult().getType()).getDimSize(1);
  int64_t heads = op.getHeads(), group = features / heads;
  FailureOr<Value> bias = lowering.null(), scale = lowering.null();
  WeightTiles tiles;
  Staged stored;
  if (matmul) {
    if (matmul.getBias()) {
      bias = constant(matmul.getBias(), "predictor_bias");
      FailureOr<Staged> rowScale = use(matmul.getScale());
      if (failed(bias) || failed(rowScale))
        return failure();
      scale = rowScale->buffer;
    }
    FailureOr<WeightTiles> found = weightTiles(matmul.getWeight(), group);
    if (failed(found))
      return failure();
    tiles = *found;
  } else {
    FailureOr<Staged> found = use(op.getInput());
    if (failed(found))
      return failure();
    stored = *found;
  }

  // A buffer for every code that somebody reads, null for the shifted
  // accumulators themselves.
  llvm::MapVector<fact::EncodeOp, Staged> results;
  for (Operation *user : realUsers(op.getResult())) {
    auto code = dyn_cast<fact::EncodeOp>(user);
    if (code && !lowering.codes.isOfShift(code))
      code = {}; // made of the shifted accumulators, or nowhere
    Value result = code ? code.getResult() : op.getResult();
    if (results.contains(code))
      continue;
    FailureOr<Staged> staged = define(result, Memory::Temp, "code");
    if (failed(staged))
      return failure();
    results[code] = *staged;
  }
  FailureOr<Staged> shift = define(op.getScale(), Memory::Index, "shift_scale");
  if (failed(shift))
    return failure();
  if (results.empty()) { // the scale alone is read
    FailureOr<Staged> staged = define(op.getResult(), Memory::Temp, "code");
    if (failed(staged))
      return failure();
    results[{}] = *staged;
  }
  Value accumulators[2];
  if (matmul)
    for (Value &acc : accumulators)
      acc = lowering.sram(Memory::Temp, rows * group * 4, "accumulators");
  for (int64_t head = 0; head < heads; ++head) {
    Value acc = matmul ? accumulators[head % 2]
                       : lowering.view(stored.buffer, head * group * 4);
    int64_t accStride = (matmul ? group : features) * 4;
    if (matmul && failed(projectHead(matmul, tiles, acc, head, group)))
      return failure();
    if (matmul && matmul.getBias())
      EpBiasOp::create(builder, matmul.getLoc(), acc,
                       lowering.view(*bias, head * group * 4), *scale, row0,
                       rows, group, group * 4);
    for (auto &[code, result] : results) {
      auto [predictor, operand] = encodingOf(code);
      auto [address, stride] = codeColumns(code, result, head * group, group);
      EpNormalizeOp::create(builder, op.getLoc(), address,
                            shift->plane(lowering, head), acc, row0, rows,
                            group, stride, accStride, predictor, operand);
    }
  }
  for (auto &[code, result] : results)
    if (failed(finish(code ? code.getResult() : op.getResult())))
      return failure();
  return finish(op.getScale());
}

std::pair<Value, int64_t> RowGroup::codeColumns(fact::EncodeOp code,
                                                const Staged &rows,
                                                int64_t column, int64_t group) {
  int64_t stride = rows.layout.rowBytes;
  if (!code || lowering.codes.packedHeads(code.getResult()) == 0)
    return {lowering.view(rows.buffer, column), stride};
  int64_t head = column / group;
  return {lowering.view(
              rows.plane(lowering, head),
              lowering.codes.bytesOf(code.getResult(), column - head * group)),
          stride};
}

LogicalResult RowGroup::lowerTyped(fact::EncodeOp op) {
  if (!lowering.codes.isEncodedAlone(op))
    return success(); // part of the op that reads it, or that it reads
  FailureOr<Staged> x = use(op.getInput());
  FailureOr<Staged> code = define(op.getResult(), Memory::Temp, "code");
  if (failed(x) || failed(code))
    return failure();
  int64_t features = cast<ShapedType>(op.getType()).getDimSize(1),
          heads = lowering.codes.packedHeads(op.getResult()),
          group = heads > 0 ? features / heads : features;
  auto [predictor, operand] = encodingOf(op);
  for (int64_t n0 = 0; n0 < features; n0 += group) {
    auto [address, stride] = codeColumns(op, *code, n0, group);
    EpEncodeOp::create(builder, op.getLoc(), address,
                       lowering.view(x->buffer, n0), row0, rows, group, stride,
                       features, predictor, operand, /*unpacked=*/heads == 0);
  }
  return finish(op.getResult());
}
