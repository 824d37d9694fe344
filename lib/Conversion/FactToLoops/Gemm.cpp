//===- Gemm.cpp - Integer matrix products on packed operands --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gemm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

static constexpr StringLiteral gemmName = "__fact_gemm";

/// One block of `rows` x `tiles` * 16 sums over some of the pairs.
static void emitBlock(Emitter &e, Value a, Value bMemory, Value c, Value pairs,
                      const ColumnRange &wanted, Value strideC, Value firstRow,
                      Value firstTile, int64_t rows, int64_t tiles) {
  SmallVector<Value> rowOffsets, tileOffsets, zeros;
  Value strideA = e.mul(pairs, 2), strideTile = e.mul(pairs, 2 * lanes);
  for (int64_t r = 0; r < rows; ++r)
    rowOffsets.push_back(e.mul(e.add(firstRow, r), strideA));
  for (int64_t t = 0; t < tiles; ++t)
    tileOffsets.push_back(e.mul(e.add(firstTile, t), strideTile));
  Value zero = e.integer(e.vectorOf(e.i32), 0);
  zeros.assign(rows * tiles, zero);

  VectorType wide = e.vectorOf(e.i32, 2 * lanes);
  SmallVector<Value> sums = e.forReduce(
      wanted.begin, wanted.end, 1, zeros, [&](Value pair, ValueRange carried) {
        SmallVector<Value> next, columns;
        Value step = e.mul(pair, 2 * lanes);
        for (int64_t t = 0; t < tiles; ++t) {
          Value codes =
              vector::LoadOp::create(e.b, e.vectorOf(e.i16, 2 * lanes), bMemory,
                                     e.add(tileOffsets[t], step));
          columns.push_back(arith::ExtSIOp::create(e.b, wide, codes));
        }
        for (int64_t r = 0; r < rows; ++r) {
          Value at = e.add(rowOffsets[r], e.mul(pair, 2));
          Value two = vector::LoadOp::create(e.b, e.vectorOf(e.i16, 2), a, at);
          Value both = vector::ExtractOp::create(
              e.b, vector::BitCastOp::create(e.b, e.vectorOf(e.i32, 1), two),
              0);
          Value spread = vector::BitCastOp::create(
              e.b, e.vectorOf(e.i16, 2 * lanes), e.splatValue(both));
          Value factor = arith::ExtSIOp::create(e.b, wide, spread);
          for (int64_t t = 0; t < tiles; ++t) {
            auto halves = vector::DeinterleaveOp::create(
                e.b,
                arith::MulIOp::create(e.b, factor, columns[t]).getResult());
            Value sum =
                arith::AddIOp::create(e.b, halves.getRes1(), halves.getRes2());
            next.push_back(
                arith::AddIOp::create(e.b, carried[r * tiles + t], sum));
          }
        }
        return next;
      });
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t t = 0; t < tiles; ++t) {
      Value at = e.add(e.mul(e.add(firstRow, r), strideC),
                       e.mul(e.add(firstTile, t), lanes));
      e.storeChunk(sums[r * tiles + t], c, at);
    }
}

void loops::addGemmFunction(ModuleOp module, const LoopOptions &options) {
  if (module.lookupSymbol(gemmName))
    return;
  OpBuilder builder(module.getBodyRegion());
  builder.setInsertionPointToEnd(module.getBody());
  MLIRContext *context = module.getContext();
  Location loc = NameLoc::get(StringAttr::get(context, gemmName));
  auto flat = [&](unsigned bits) {
    return MemRefType::get({ShapedType::kDynamic},
                           IntegerType::get(context, bits));
  };
  Type index = builder.getIndexType();
  auto type =
      builder.getFunctionType({flat(16), flat(16), flat(32), index, index,
                               index, index, index, index, index},
                              {});
  auto function = func::FuncOp::create(builder, loc, gemmName, type);
  function.setPrivate();
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  Emitter e(builder, loc, options);
  Value a = body->getArgument(0), b = body->getArgument(1),
        c = body->getArgument(2), m = body->getArgument(3),
        pairs = body->getArgument(4), tiles = body->getArgument(5);
  ColumnRange ofTiles{body->getArgument(6), body->getArgument(7)},
      ofPairs{body->getArgument(8), body->getArgument(9)};
  Value strideC = e.mul(tiles, lanes);
  // Columns outside: a group of tiles of B stays in the nearest cache.
  auto columns = [&](Value begin, Value end, int64_t group) {
    e.forRange(begin, end, group, [&](Value tile) {
      e.forRange(e.index(0), m, options.rowBlock, [&](Value row) {
        emitBlock(e, a, b, c, pairs, ofPairs, strideC, row, tile,
                  options.rowBlock, group);
      });
    });
  };
  Value count = e.sub(ofTiles.end, ofTiles.begin);
  Value rest =
      e.b.createOrFold<arith::RemUIOp>(count, e.index(options.columnTiles));
  Value whole = e.sub(ofTiles.end, rest);
  columns(ofTiles.begin, whole, options.columnTiles);
  if (options.columnTiles > 1)
    columns(whole, ofTiles.end, 1);
  func::ReturnOp::create(e.b);
}

void loops::callGemm(Emitter &e, Value a, Value b, Value c, Value m,
                     Value pairs, Value tiles, std::optional<GemmPart> part) {
  if (!part)
    part = {{e.index(0), tiles}, {e.index(0), pairs}};
  func::CallOp::create(e.b, gemmName, TypeRange{},
                       ValueRange{a, b, c, m, pairs, tiles, part->tiles.begin,
                                  part->tiles.end, part->pairs.begin,
                                  part->pairs.end});
}

RowList loops::listRows(Emitter &e, Value memory, Value length,
                        llvm::function_ref<Value(Value)> keeps) {
  Value count = e.forReduce(
      e.index(0), length, 1, e.index(0), [&](Value row, ValueRange carried) {
        e.store(row, memory, carried[0]);
        Value one = arith::ExtUIOp::create(e.b, e.i64, keeps(row));
        return SmallVector<Value>{e.add(carried[0], e.toIndex(one))};
      })[0];
  return {count, memory};
}

GemmScratch::GemmScratch(Emitter &e, int64_t k, int64_t n)
    : k(k), pairs((k + 1) / 2), n(n), tiles((n + lanes - 1) / lanes) {
  a = e.scratch(e.i16, e.index(panelRows * 2 * pairs + lanes));
  b = e.scratch(e.i16, e.index(tiles * pairs * 2 * lanes));
  c = e.scratch(e.i32, e.index(panelRows * tiles * lanes));
}

void loops::widenRow(Emitter &e, Value source, Value row, Value column,
                     int64_t width, Value a, Value offset) {
  e.forChunks(width, [&](Value chunk, int64_t size) {
    Value codes = e.loadChunk(source, {row, e.add(column, chunk)}, size);
    e.storeChunk(arith::ExtSIOp::create(e.b, e.vectorOf(e.i16), codes), a,
                 e.add(offset, chunk));
  });
}

/// Two rows of 16 codes as 16 pairs of i16.
static Value interleave(Emitter &e, Value first, Value second) {
  auto wide = [&](Value codes) {
    return arith::ExtSIOp::create(e.b, e.vectorOf(e.i16), codes).getResult();
  };
  return vector::InterleaveOp::create(e.b, wide(first), wide(second));
}

void loops::packColumns(Emitter &e, Value source, Value column,
                        const GemmScratch &scratch,
                        llvm::function_ref<Value(Value)> map) {
  e.forChunks(scratch.n, [&](Value chunk, int64_t size) {
    auto load = [&](Value row) {
      Value codes = e.loadChunk(source, {row, e.add(column, chunk)}, size);
      return map ? map(codes) : codes;
    };
    Value tile =
        e.mul(chunk, scratch.pairs * 2); // chunk is 16 * the tile's number
    auto storePair = [&](Value pair, Value first, Value second) {
      vector::StoreOp::create(e.b, interleave(e, first, second), scratch.b,
                              e.add(tile, e.mul(pair, 2 * lanes)));
    };
    e.forRange(e.index(scratch.k / 2), [&](Value pair) {
      Value row = e.mul(pair, 2);
      storePair(pair, load(row), load(e.add(row, 1)));
    });
    if (scratch.k % 2)
      storePair(e.index(scratch.k / 2), load(e.index(scratch.k - 1)),
                e.integer(e.vectorOf(e.i8), 0));
  });
}

void loops::packSequence(Emitter &e, Value source, Value length, Value column,
                         int64_t n, Value pairs, Value packed) {
  e.forChunks(n, [&](Value chunk, int64_t size) {
    auto load = [&](Value row) {
      return e.loadChunk(source, {row, e.add(column, chunk)}, size);
    };
    Value tile = e.mul(e.mul(chunk, 2), pairs);
    auto storePair = [&](Value pair, Value first, Value second) {
      vector::StoreOp::create(e.b, interleave(e, first, second), packed,
                              e.add(tile, e.mul(pair, 2 * lanes)));
    };
    Value whole = e.b.createOrFold<arith::DivUIOp>(length, e.index(2));
    e.forRange(whole, [&](Value pair) {
      Value row = e.mul(pair, 2);
      storePair(pair, load(row), load(e.add(row, 1)));
    });
    Value done = e.mul(whole, 2);
    e.ifThen(e.compare(arith::CmpIPredicate::ult, done, length), [&] {
      storePair(whole, load(done), e.integer(e.vectorOf(e.i8), 0));
    });
  });
}

void loops::packTransposed(Emitter &e, Value source, Value length, Value column,
                           int64_t width, Value packed) {
  int64_t pairs = (width + 1) / 2;
  e.forRange(length, [&](Value token) {
    Value tile = e.b.createOrFold<arith::DivUIOp>(token, e.index(lanes));
    Value lane = e.b.createOrFold<arith::RemUIOp>(token, e.index(lanes));
    Value base = e.add(e.mul(tile, pairs * 2 * lanes), e.mul(lane, 2));
    auto code = [&](Value k) {
      return arith::ExtSIOp::create(e.b, e.i16,
                                    e.load(source, {token, e.add(column, k)}))
          .getResult();
    };
    auto storePair = [&](Value pair, Value first, Value second) {
      Value both = vector::FromElementsOp::create(e.b, e.vectorOf(e.i16, 2),
                                                  ValueRange{first, second});
      vector::StoreOp::create(e.b, both, packed,
                              e.add(base, e.mul(pair, 2 * lanes)));
    };
    e.forRange(e.index(width / 2), [&](Value pair) {
      Value k = e.mul(pair, 2);
      storePair(pair, code(k), code(e.add(k, 1)));
    });
    if (width % 2)
      storePair(e.index(width / 2), code(e.index(width - 1)),
                e.integer(e.i16, 0));
  });
}

void loops::multiplyRows(
    Emitter &e, Value input, const RowList &list, const GemmScratch &scratch,
    llvm::function_ref<
        void(Value, llvm::function_ref<
                        void(llvm::function_ref<void(Value, int64_t, Value)>)>)>
        use) {
  e.forRange(e.index(0), list.count, panelRows, [&](Value panel) {
    Value m = e.min(e.sub(list.count, panel), e.index(panelRows));
    e.forRange(m, [&](Value i) {
      widenRow(e, input, list(e, e.add(panel, i)), e.index(0), scratch.k,
               scratch.a, e.mul(i, 2 * scratch.pairs));
    });
    callGemm(e, scratch.a, scratch.b, scratch.c, m, e.index(scratch.pairs),
             e.index(scratch.tiles));
    e.forRange(m, [&](Value i) {
      use(list(e, e.add(panel, i)),
          [&](llvm::function_ref<void(Value, int64_t, Value)> chunk) {
            e.forChunks(scratch.n, [&](Value offset, int64_t width) {
              chunk(
                  offset, width,
                  e.loadChunk(scratch.c,
                              e.add(e.mul(i, scratch.tiles * lanes), offset)));
            });
          });
    });
  });
}
