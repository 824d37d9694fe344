//===- Kernel.cpp - Integer products of a block of rows and columns -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

/// Codes of a row of a tile, and bytes of a row of its B.
static constexpr int64_t tileCodes = 64;

Type loops::codeType(Emitter &e, Dot dot) {
  return dot == Dot::Pair ? e.i16 : e.i8;
}

int64_t loops::paddedCodes(Dot dot, int64_t k) {
  return roundUp(k, dot == Dot::Tile ? tileCodes : lanes);
}

int64_t loops::packedCodes(Dot dot, int64_t k) {
  return roundUp(k, dot == Dot::Tile ? tileCodes : Tier::step(dot));
}

RowLayout RowLayout::of(Dot dot, int64_t k) {
  int64_t width = paddedCodes(dot, k);
  if (dot == Dot::Tile)
    return {width, 32, tileCodes};
  return {width, 1, width};
}

Value RowLayout::row(Emitter &e, Value row) const {
  if (blockRows == 1)
    return e.mul(row, width);
  Value block = e.div(row, blockRows), inside = e.rem(row, blockRows);
  return e.add(e.mul(block, blockRows * width), e.mul(inside, blockCodes));
}

Value RowLayout::code(Emitter &e, Value code) const {
  if (blockRows == 1)
    return code;
  Value block = e.div(code, blockCodes), inside = e.rem(code, blockCodes);
  return e.add(e.mul(block, blockRows * blockCodes), inside);
}

BlockOperands
RowLayout::operands(Emitter &e, Dot dot, Value memory, int64_t count,
                    Value from, int64_t n,
                    llvm::function_ref<Value(int64_t)> rowNumber) const {
  BlockOperands result;
  result.dot = dot;
  result.a = memory;
  bool inTiles = dot == Dot::Tile;
  Value start = code(e, from);
  for (int64_t r = 0; r < count; r += inTiles ? 16 : 1)
    result.rows.push_back(e.add(row(e, rowNumber(r)), start));
  result.steps = (inTiles ? blockCodes : n) / Tier::step(dot);
  if (inTiles) {
    result.rowStride = blockCodes;
    result.blocks = {e.index(0), e.index(n / blockCodes)};
    result.blockStride = blockRows * blockCodes;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

namespace {

/// A step's codes of a row in every lane.
Value spreadCodes(Emitter &e, Value memory, Value at, Type code, int64_t step,
                  int64_t registerLanes) {
  Value few = vector::LoadOp::create(e.b, e.vectorOf(code, step), memory, at);
  Value word = vector::ExtractOp::create(
      e.b, vector::BitCastOp::create(e.b, e.vectorOf(e.i32, 1), few), 0);
  Value spread =
      vector::BroadcastOp::create(e.b, e.vectorOf(e.i32, registerLanes), word);
  return vector::BitCastOp::create(e.b, e.vectorOf(code, registerLanes * step),
                                   spread);
}

/// sums + the products of neighbouring codes, in plain arithmetic: what the
/// instructions compute. Codes of `step` lie next to each other.
Value plainStep(Emitter &e, Value sums, Value a, Value b, bool aUnsigned,
                bool bUnsigned, int64_t step) {
  int64_t n = cast<VectorType>(sums.getType()).getDimSize(0);
  VectorType wide = e.vectorOf(e.i32, n * step);
  auto widen = [&](Value codes, bool isUnsigned) -> Value {
    if (isUnsigned)
      return arith::ExtUIOp::create(e.b, wide, codes);
    return arith::ExtSIOp::create(e.b, wide, codes);
  };
  Value products =
      arith::MulIOp::create(e.b, widen(a, aUnsigned), widen(b, bUnsigned));
  for (; step > 1; step /= 2) {
    auto halves = vector::DeinterleaveOp::create(e.b, products);
    products = arith::AddIOp::create(e.b, halves.getRes1(), halves.getRes2());
  }
  return arith::AddIOp::create(e.b, sums, products);
}

/// The registers that hold 16 sums of a tier.
int64_t registersOf(const LoopOptions &options, Dot dot) {
  if (dot != Dot::Quad || options.emulate)
    return 1; // LLVM splits plain vectors
  return groupColumns / options.tier->sums;
}

Value oneStep(Emitter &e, const BlockOperands &operands, Value sums, Value a,
              Value b) {
  const Tier &tier = *e.options.tier;
  if (operands.dot == Dot::Pair)
    return plainStep(e, sums, a, b, false, false, 2);
  bool aUnsigned = tier.offset && operands.rowsAreUnsigned,
       bUnsigned = tier.offset && !operands.rowsAreUnsigned;
  if (operands.dot == Dot::Tile)
    aUnsigned = operands.rowsAreUnsigned;
  if (e.options.emulate || operands.dot == Dot::Tile)
    return plainStep(e, sums, a, b, aUnsigned, bUnsigned, 4);
  if (bUnsigned)
    std::swap(a, b); // the unsigned operand comes first
  return e.callIntrinsic(tier.intrinsic, sums.getType(), {sums, a, b});
}

/// Calls body(offset in A, offset in B, carried) for each step.
SmallVector<Value> forSteps(
    Emitter &e, const BlockOperands &operands, int64_t unitSteps, int64_t codes,
    ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  int64_t units = operands.steps / unitSteps;
  int64_t bOfUnit = groupColumns * codes;
  auto inBlock = [&](Value aBase, Value bBase, ValueRange carried) {
    auto one = [&](Value unit, ValueRange values) {
      return body(e.add(aBase, e.mul(unit, codes)),
                  e.add(bBase, e.mul(unit, bOfUnit)), values);
    };
    if (units == 1)
      return one(e.index(0), carried);
    int64_t unroll = e.options.tier->unroll, whole = units / unroll * unroll;
    SmallVector<Value> values =
        e.forReduce(e.index(0), e.index(whole), unroll, carried,
                    [&](Value unit, ValueRange inside) {
                      SmallVector<Value> all(inside);
                      for (int64_t i = 0; i < unroll; ++i)
                        all = one(e.add(unit, i), all);
                      return all;
                    });
    for (int64_t unit = whole; unit < units; ++unit)
      values = one(e.index(unit), values);
    return values;
  };
  if (!operands.blocks)
    return inBlock(e.index(0), e.index(0), init);
  return e.forReduce(operands.blocks->begin, operands.blocks->end, 1, init,
                     [&](Value block, ValueRange carried) {
                       if (operands.beside)
                         operands.beside(block);
                       return inBlock(e.mul(block, operands.blockStride),
                                      e.mul(block, units * bOfUnit), carried);
                     });
}

} // namespace

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

SmallVector<Value>
loops::sumBlock(Emitter &e, const BlockOperands &operands,
                llvm::function_ref<Value(int64_t, int64_t)> init) {
  Type code = codeType(e, operands.dot);
  int64_t step = Tier::step(operands.dot);
  assert(operands.ahead.empty() && !operands.beside);
  int64_t registers = registersOf(e.options, operands.dot),
          n = groupColumns / registers;
  int64_t rows = operands.rows.size(), groups = operands.groups.size();
  SmallVector<Value> first;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t g = 0; g < groups; ++g) {
      Value sums = init(r, g);
      for (int64_t i = 0; i < registers; ++i)
        first.push_back(e.slice(sums, i * n, n));
    }
  SmallVector<Value> last = forSteps(
      e, operands, 1, step, first,
      [&](Value atA, Value atB, ValueRange carried) {
        SmallVector<Value> columns, next;
        for (Value group : operands.groups)
          for (int64_t i = 0; i < registers; ++i)
            columns.push_back(vector::LoadOp::create(
                e.b, e.vectorOf(code, n * step), operands.b,
                e.add(e.add(group, atB), i * n * step)));
        for (int64_t r = 0; r < rows; ++r) {
          Value row = spreadCodes(e, operands.a, e.add(operands.rows[r], atA),
                                  code, step, n);
          for (auto [i, column] : llvm::enumerate(columns))
            next.push_back(oneStep(e, operands, carried[r * columns.size() + i],
                                   row, column));
        }
        return next;
      });
  SmallVector<Value> sums;
  for (int64_t i = 0; i < rows * groups; ++i)
    sums.push_back(e.join(ArrayRef(last).slice(i * registers, registers)));
  return sums;
}

/// Tiles of 16 x 16 sums; the rows of each half of a block lie `rowStride`
/// apart from its first.
static void multiplyTiles(Emitter &e, const BlockOperands &operands,
                          const BlockSums &sums, bool fresh) {
  auto codes = amx::TileType::get({16, tileCodes}, e.i8);
  auto results = amx::TileType::get({16, 16}, e.i32);
  auto view = [&](Value flat, Value offset, int64_t stride) -> Value {
    auto type = MemRefType::get(
        {16, ShapedType::kDynamic},
        cast<MemRefType>(flat.getType()).getElementType(),
        StridedLayoutAttr::get(e.b.getContext(), ShapedType::kDynamic,
                               {stride, 1}));
    return memref::ReinterpretCastOp::create(
        e.b, type, flat, OpFoldResult(offset),
        ArrayRef<OpFoldResult>{e.b.getIndexAttr(16),
                               OpFoldResult(e.index(stride))},
        ArrayRef<OpFoldResult>{e.b.getIndexAttr(stride), e.b.getIndexAttr(1)});
  };
  Value zero = e.index(0);
  SmallVector<Value> at = {zero, zero};
  int64_t halves = operands.rows.size(), groups = operands.groups.size();
  auto place = [&](int64_t half, int64_t group) {
    return view(sums.memory,
                e.add(sums.offset, half * 16 * sums.stride + group * 16),
                sums.stride);
  };
  SmallVector<Value> first;
  for (int64_t h = 0; h < halves; ++h)
    for (int64_t g = 0; g < groups; ++g)
      first.push_back(
          fresh ? amx::TileZeroOp::create(e.b, results).getResult()
                : amx::TileLoadOp::create(e.b, results, place(h, g), at)
                      .getResult());
  SmallVector<Value> last = forSteps(
      e, operands, 16, tileCodes, first,
      [&](Value atA, Value atB, ValueRange carried) {
        SmallVector<Value> columns, next;
        for (Value group : operands.ahead)
          e.prefetch(operands.b, e.add(group, e.div(atB, operands.sharers)),
                     16 * tileCodes / operands.sharers, Emitter::Cache::Second);
        for (Value group : operands.groups)
          columns.push_back(amx::TileLoadOp::create(
              e.b, codes, view(operands.b, e.add(group, atB), tileCodes), at));
        for (auto [h, row] : llvm::enumerate(operands.rows)) {
          Value a = amx::TileLoadOp::create(
              e.b, codes, view(operands.a, e.add(row, atA), operands.rowStride),
              at);
          for (auto [g, column] : llvm::enumerate(columns))
            next.push_back(amx::TileMulIOp::create(
                e.b, results, a, column, carried[h * groups + g],
                /*isZextLhs=*/operands.rowsAreUnsigned, /*isZextRhs=*/false));
        }
        return next;
      });
  for (int64_t h = 0; h < halves; ++h)
    for (int64_t g = 0; g < groups; ++g)
      amx::TileStoreOp::create(e.b, place(h, g), at, last[h * groups + g]);
}

void loops::multiplyBlock(Emitter &e, const BlockOperands &operands,
                          const BlockSums &sums, bool fresh,
                          llvm::function_ref<Value(int64_t, int64_t)> init) {
  auto place = [&](int64_t row, int64_t group) {
    return e.add(sums.offset, row * sums.stride + group * groupColumns);
  };
  int64_t groups = operands.groups.size();
  if (operands.dot == Dot::Tile && !e.options.emulate)
    return multiplyTiles(e, operands, sums, fresh);
  if (operands.dot == Dot::Tile) {
    // What tiles do, a row after the other.
    for (size_t h = 0; h < operands.rows.size(); ++h)
      e.forRange(e.index(16), [&](Value row) {
        BlockOperands one = operands;
        one.rows = {e.add(operands.rows[h], e.mul(row, operands.rowStride))};
        Value at =
            e.add(sums.offset,
                  e.mul(e.add(row, static_cast<int64_t>(h) * 16), sums.stride));
        SmallVector<Value> of =
            sumBlock(e, one, [&](int64_t, int64_t group) -> Value {
              if (fresh)
                return e.integer(e.vectorOf(e.i32), 0);
              return e.loadChunk(sums.memory, e.add(at, group * groupColumns));
            });
        for (int64_t g = 0; g < groups; ++g)
          e.storeChunk(of[g], sums.memory, e.add(at, g * groupColumns));
      });
    return;
  }
  SmallVector<Value> of =
      sumBlock(e, operands, [&](int64_t row, int64_t group) -> Value {
        if (!fresh)
          return e.loadChunk(sums.memory, place(row, group));
        Value given = init ? init(row, group) : Value();
        return given ? given : e.integer(e.vectorOf(e.i32), 0);
      });
  for (auto [i, value] : llvm::enumerate(of))
    e.storeChunk(value, sums.memory,
                 place(static_cast<int64_t>(i) / groups,
                       static_cast<int64_t>(i) % groups));
}

void loops::withBlockRows(Emitter &e, Value left, int64_t rows,
                          llvm::function_ref<void(int64_t)> body) {
  e.ifElse(
      e.compare(arith::CmpIPredicate::ugt, left, e.index(rows / 2)),
      [&] { body(rows); }, [&] { body(rows / 2); });
}

void loops::forRowBlocks(Emitter &e, Value count, int64_t rows,
                         llvm::function_ref<void(Value, int64_t)> body) {
  if (rows == 1)
    return e.forRange(e.index(0), count, 1, [&](Value row) { body(row, 1); });
  int64_t half = rows / 2;
  Value whole = e.mul(e.div(e.add(count, rows - 1 - half), rows), rows);
  e.forRange(e.index(0), whole, rows, [&](Value row) { body(row, rows); });
  e.ifThen(e.compare(arith::CmpIPredicate::ult, whole, count),
           [&] { body(whole, half); });
}

//===----------------------------------------------------------------------===//
// Packing of tokens
//===----------------------------------------------------------------------===//

/// 16 vectors of 16 words, transposed.
static void transpose(Emitter &e, SmallVector<Value> &rows) {
  for (int round = 0; round < 4; ++round) {
    SmallVector<Value> next(16);
    for (int64_t i = 0; i < 8; ++i) {
      Value both = vector::InterleaveOp::create(e.b, rows[i], rows[i + 8]);
      for (int64_t half = 0; half < 2; ++half)
        next[2 * i + half] = e.slice(both, half * 16, 16);
    }
    rows = std::move(next);
  }
}

void loops::packTokens(Emitter &e, Dot dot, Value source, Value stride,
                       Value column, int64_t width, Value length, Value groups,
                       bool flip, Value packed, Value to) {
  int64_t step = Tier::step(dot), inWords = packedCodes(dot, width),
          words = inWords / step;
  Value last = e.sub(length, e.index(1));
  e.forRange(groups, [&](Value group) {
    Value base = e.add(to, e.mul(group, groupColumns * inWords));
    for (int64_t word = 0; word < words; word += 16) {
      int64_t codes = std::min(16 * step, width - word * step);
      SmallVector<Value> rows;
      for (int64_t i = 0; i < 16; ++i) {
        Value token = e.min(e.add(e.mul(group, 16), i), last);
        Value at = e.add(e.add(e.mul(token, stride), column), word * step);
        Value row;
        if (codes <= 0) {
          row = e.integer(e.vectorOf(e.i8, 16 * step), 0);
        } else {
          row = e.loadLanes(source, at, 16 * step, codes);
        }
        if (flip)
          row = arith::XOrIOp::create(e.b, row, e.integer(row.getType(), -128));
        if (dot == Dot::Pair)
          row = arith::ExtSIOp::create(e.b, e.vectorOf(e.i16, 32), row);
        rows.push_back(vector::BitCastOp::create(e.b, e.vectorOf(e.i32), row));
      }
      transpose(e, rows);
      for (int64_t i = 0; i < 16 && word + i < words; ++i)
        vector::StoreOp::create(
            e.b,
            vector::BitCastOp::create(
                e.b, e.vectorOf(codeType(e, dot), 16 * step), rows[i]),
            packed, e.add(base, (word + i) * 16 * step));
    }
  });
}

void loops::packColumnsOfTokens(Emitter &e, Dot dot, Value source, Value stride,
                                Value column, int64_t width, Value length,
                                Value paddedLength, Value packed, Value to) {
  int64_t step = Tier::step(dot);
  Value last = e.sub(length, e.index(1)), steps = e.div(paddedLength, step);
  for (int64_t first = 0; first < width; first += groupColumns) {
    int64_t codes = std::min(groupColumns, width - first);
    Value base = e.add(to, e.mul(paddedLength, first));
    e.forRange(steps, [&](Value number) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < step; ++i) {
        Value token = e.min(e.add(e.mul(number, step), i), last);
        Value row = e.loadChunk(
            source, e.add(e.add(e.mul(token, stride), column), first), codes);
        if (dot == Dot::Pair)
          row = arith::ExtSIOp::create(e.b, e.vectorOf(e.i16), row);
        rows.push_back(row);
      }
      // Neighbours last: (0, 2), (1, 3), then both.
      for (; rows.size() > 1;) {
        SmallVector<Value> next;
        size_t half = rows.size() / 2;
        for (size_t i = 0; i < half; ++i)
          next.push_back(
              vector::InterleaveOp::create(e.b, rows[i], rows[i + half]));
        rows = std::move(next);
      }
      vector::StoreOp::create(e.b, rows[0], packed,
                              e.add(base, e.mul(number, 16 * step)));
    });
  }
}
