//===- PanelProducts.cpp - Linear layers on the rows of a panel -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Columns outside, rows inside: some columns of a weight stay in the nearest
// cache while the panel's rows stream past. What follows a product element by
// element is computed while the sums are there.
//
//===----------------------------------------------------------------------===//

#include "Panels.h"
#include "Rules.h"

#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

/// Codes of a column of a weight that are worked on at once: 16 columns of
/// pairs, or 32 of single codes, fill three quarters of a nearest cache.
static constexpr int64_t chunkCodes = 768;

/// Rows of the panel times columns of a packed weight.
struct PanelLoops::Product {
  CodesAt input;
  int64_t k;
  PackedWeight weight;
  bool isHigh; ///< The rows are in INT4.
  ListedRows rows;
  /// Columns: groups of 16 from a group on; the last has `lastWidth`.
  Value firstGroup;
  int64_t groups, lastWidth;
  /// Uses sums (i32, a multiple of 16 lanes for each row) of rows of the panel
  /// from a column on, of which `width` count. A row may be there twice.
  llvm::function_ref<void(ArrayRef<Value> rows, Value column, int64_t width,
                          Value sums)>
      use;
};

CodesAt PanelLoops::compact(const CodesAt &codes, const ListedRows &rows) {
  CodesAt result{
      scratch(codeType(e, tier.dot), codes.layout.width * tier.panelRows),
      codes.layout};
  int64_t width = codes.layout.blockCodes;
  e.forRange(rows.count, [&](Value i) {
    Value from = codes.layout.row(e, rows(e, i)), to = codes.layout.row(e, i);
    e.forRange(
        e.index(0), e.index(codes.layout.width), width, [&](Value column) {
          Value at = codes.layout.code(e, column);
          e.storeChunk(e.loadLanes(codes.memory, e.add(from, at), width, width),
                       result.memory, e.add(to, at), width);
        });
  });
  return result;
}

/// Lanes of a weight that are staged at a time.
static constexpr int64_t stageLanes = 32;

/// (w + 8) >> 4 of i8, none of which is rounded beyond 8 bits on the way.
static Value highPlane(Emitter &e, Value codes) {
  auto number = [&](int64_t value) {
    return e.integer(codes.getType(), value);
  };
  Value high = arith::ShRSIOp::create(e.b, codes, number(4)),
        half = arith::AndIOp::create(
            e.b, arith::ShRUIOp::create(e.b, codes, number(3)), number(1));
  return arith::AddIOp::create(e.b, high, half);
}

void PanelLoops::multiply(const Product &product) {
  Dot dot = tier.dot;
  int64_t step = Tier::step(dot), packed = packedCodes(dot, product.k);
  int64_t unit = dot == Dot::Tile ? 64 : step;
  int64_t chunks = (packed + chunkCodes - 1) / chunkCodes;
  int64_t chunk = roundUp((packed + chunks - 1) / chunks, unit);
  chunks = (packed + chunk - 1) / chunk;
  int64_t stride = tier.tiles * groupColumns;
  int64_t n = (product.groups - 1) * groupColumns + product.lastWidth;
  e.countWork([&] { return e.mul(product.rows.count, product.k * n); },
              [&] {
                return e.add(e.mul(product.rows.count, product.k + n * 4),
                             packed * n);
              });
  Value sums = scratch(
      e.i32, (chunks == 1 ? tier.rows : tier.panelRows + tier.rows) * stride);
  // Pairs are widened, and high planes made, once for all rows of the panel.
  Value staged =
      dot == Dot::Pair || product.isHigh
          ? scratch(codeType(e, dot), tier.tiles * groupColumns * chunk)
          : Value();
  Value codes = e.flat(product.weight.codes),
        corrections = e.flat(product.isHigh ? product.weight.highCorrections
                                            : product.weight.corrections);
  int64_t codesOfWeight =
      cast<ShapedType>(product.weight.codes.getType()).getNumElements();
  CodesAt input = product.input;
  if (dot == Dot::Tile && product.rows.list)
    input = compact(input, product.rows);

  // Columns of `tiles` groups from `group` on.
  auto columns = [&](Value group, int64_t tiles, int64_t width) {
    auto overCodes = [&](Value from, int64_t n, bool fresh, bool isLast) {
      Value memory = codes;
      SmallVector<Value> groups;
      for (int64_t t = 0; t < tiles; ++t)
        groups.push_back(e.add(e.mul(e.add(group, t), packed * groupColumns),
                               e.mul(from, groupColumns)));
      if (staged) {
        for (int64_t t = 0; t < tiles; ++t)
          e.forRange(
              e.index(0), e.index(n * groupColumns), stageLanes, [&](Value at) {
                Value part = e.loadLanes(codes, e.add(groups[t], at),
                                         stageLanes, stageLanes);
                if (product.isHigh)
                  part = highPlane(e, part);
                if (dot == Dot::Pair)
                  part = arith::ExtSIOp::create(
                      e.b, e.vectorOf(e.i16, stageLanes), part);
                e.storeChunk(part, staged, e.add(at, t * n * groupColumns),
                             stageLanes);
              });
        memory = staged;
        for (int64_t t = 0; t < tiles; ++t)
          groups[t] = e.index(t * n * groupColumns);
      }
      // What is read next: each block of rows asks for a part of it.
      int64_t size = n * groupColumns, blocks = tier.panelRows / tier.rows;
      SmallVector<Value> ahead;
      for (int64_t t = 0; t < tiles; ++t) {
        Value nextGroup = e.add(group, isLast ? tiles + t : t),
              nextCode = isLast ? e.index(0) : e.add(from, n);
        ahead.push_back(e.min(e.add(e.mul(nextGroup, packed * groupColumns),
                                    e.mul(nextCode, groupColumns)),
                              e.index(codesOfWeight - size)));
      }
      Value last = e.sub(product.rows.count, e.index(1));
      forRowBlocks(
          e, product.rows.count, tier.rows, [&](Value first, int64_t count) {
            SmallVector<Value> parts;
            for (Value begin : ahead)
              parts.push_back(
                  e.add(begin, e.mul(e.b.createOrFold<arith::DivUIOp>(
                                         first, e.index(tier.rows)),
                                     size / blocks)));
            if (dot != Dot::Tile || staged)
              for (Value part : parts)
                e.prefetch(codes, part, size / blocks, Emitter::Cache::Second);
            BlockOperands block = input.layout.operands(
                e, dot, input.memory, count, from, n, [&](int64_t r) {
                  Value row = e.add(first, r);
                  // Of a list; tiles have it compacted.
                  return dot == Dot::Tile || !product.rows.list
                             ? row
                             : product.rows(e, e.min(row, last));
                });
            block.b = memory;
            block.groups = groups;
            block.rowsAreUnsigned = tier.offset;
            if (dot == Dot::Tile && !staged) {
              block.ahead = parts;
              block.sharers = blocks;
            }
            BlockSums place{
                sums, chunks == 1 ? e.index(0) : e.mul(first, stride), stride};
            SmallVector<Value> begin(tiles);
            if (fresh && corrections)
              for (int64_t t = 0; t < tiles; ++t)
                begin[t] = e.loadChunk(corrections,
                                       e.mul(e.add(group, t), groupColumns));
            multiplyBlock(e, block, place, fresh,
                          [&](int64_t, int64_t t) { return begin[t]; });
            if (!isLast)
              return;
            Value inside =
                e.min(e.sub(product.rows.count, first), e.index(count));
            int64_t n = tiles * groupColumns,
                    together = std::max<int64_t>(tier.floats / n, 1);
            Value lastInside = e.sub(inside, e.index(1));
            e.forRange(e.index(0), inside, together, [&](Value begin) {
              SmallVector<Value> rows, ofRows;
              for (int64_t r = 0; r < together; ++r) {
                Value i = r ? e.min(e.add(begin, r), lastInside) : begin;
                rows.push_back(product.rows(e, e.add(first, i)));
                ofRows.push_back(e.loadLanes(
                    sums, e.add(place.offset, e.mul(i, stride)), n, n));
              }
              product.use(rows, e.mul(group, groupColumns), width,
                          e.join(ofRows));
            });
          });
    };
    if (chunks == 1)
      return overCodes(e.index(0), packed, true, true);
    overCodes(e.index(0), chunk, true, false);
    if (chunks > 2)
      e.forRange(e.index(chunk), e.index((chunks - 1) * chunk), chunk,
                 [&](Value from) { overCodes(from, chunk, false, false); });
    overCodes(e.index((chunks - 1) * chunk), packed - (chunks - 1) * chunk,
              false, true);
  };

  // Whole blocks of columns, then what is left of them.
  int64_t full =
      product.lastWidth == groupColumns ? product.groups : product.groups - 1;
  int64_t whole = full / tier.tiles * tier.tiles;
  auto from = [&](Value group) { return e.add(product.firstGroup, group); };
  if (whole == tier.tiles)
    columns(product.firstGroup, tier.tiles, stride);
  else if (whole > 0)
    e.forRange(e.index(0), e.index(whole), tier.tiles,
               [&](Value group) { columns(from(group), tier.tiles, stride); });
  if (full - whole == 1)
    columns(from(e.index(whole)), 1, groupColumns);
  else if (full > whole)
    e.forRange(e.index(whole), e.index(full), 1,
               [&](Value group) { columns(from(group), 1, groupColumns); });
  if (full < product.groups)
    columns(from(e.index(full)), 1, product.lastWidth);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

static int64_t lanesOfEach(ArrayRef<Value> rows, Value sums) {
  return cast<VectorType>(sums.getType()).getDimSize(0) /
         static_cast<int64_t>(rows.size());
}

Value PanelLoops::chainOf(Value result, SmallVectorImpl<Operation *> &chain) {
  while (result.hasOneUse() && !outputs.contains(result)) {
    Operation *user = *result.getUsers().begin();
    if (!isInside(user) || !isa<ActivationOp, AddOp, MultiplyOp>(user))
      break;
    // What else it reads must be there by now.
    bool isReady = llvm::all_of(user->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return operand == result || !source || !isInside(source) ||
             emitted.contains(source);
    });
    if (!isReady)
      break;
    chain.push_back(user);
    absorbed.insert(user);
    emitted.insert(user);
    result = user->getResult(0);
  }
  return result;
}

ListedRows PanelLoops::listRows(Value count,
                                llvm::function_ref<Value(Value)> keeps) {
  Value memory = scratch(e.b.getIndexType(), tier.panelRows + 1);
  Value listed = e.forReduce(
      e.index(0), count, 1, e.index(0), [&](Value row, ValueRange carried) {
        e.store(row, memory, carried[0]);
        Value one = arith::ExtUIOp::create(e.b, e.i64, keeps(row));
        return SmallVector<Value>{e.add(carried[0], e.toIndex(one))};
      })[0];
  return {listed, memory};
}

void PanelLoops::product(QuantizedLinearOp op) {
  int64_t k = cast<ShapedType>(op.getWeight().getType()).getDimSize(0),
          n = cast<ShapedType>(op.getWeight().getType()).getDimSize(1);
  Location loc = op.getLoc();
  CodesAt input = codesOf(op.getInput());
  RowsAt scale = rowsOf(op.getScale());
  Value weightScale = e.flat(op.getWeightScale()), bias = e.flat(op.getBias());
  SmallVector<Operation *> chain;
  Value last = chainOf(op.getResult(), chain);
  RowsAt y = rowsOf(last);
  Value maxima = makeMaxima(last);
  bool split = op.getLow() && *op.getPrecision() == LowPrecision::A4W4;
  // Heads of which not all rows are wanted: each on its own where its columns
  // are whole groups.
  int64_t heads =
      op.getRows() ? cast<ShapedType>(op.getRows().getType()).getDimSize(0) : 1;
  bool byHead =
      op.getRows() && tier.dot != Dot::Tile && n / heads % groupColumns == 0;
  PackedWeight weight = weights.pack(op.getWeight());

  auto apply = [&](bool isHigh) {
    return [&, isHigh](ArrayRef<Value> rows, Value column, int64_t width,
                       Value sums) {
      e.b.setLoc(loc);
      int64_t n = lanesOfEach(rows, sums);
      auto ofColumns = [&](Value memory) {
        Value once = e.loadLanes(memory, column, n, width);
        return e.f32(e.join(SmallVector<Value>(rows.size(), once)));
      };
      auto ofRows = [&](llvm::function_ref<Value(Value)> of) {
        return e.f32(e.join(llvm::map_to_vector(rows, of)));
      };
      Real channelScale = ofColumns(weightScale);
      if (isHigh)
        channelScale = splat(channelScale, 16.0f) * channelScale;
      Real rowScale = ofRows([&](Value row) {
        return e.splatValue(e.load(scale.memory, scale.at(e, row)), n);
      });
      Real value =
          numerics::rescale(fromInteger(e.real, sums), channelScale, rowScale);
      if (bias)
        value = value + ofColumns(bias);
      Value current = op.getResult();
      for (Operation *each : chain) {
        e.b.setLoc(each->getLoc());
        if (auto activation = dyn_cast<ActivationOp>(each)) {
          value = activate(activation.getKind(), value);
        } else {
          bool isFirst = each->getOperand(0) == current;
          RowsAt others = rowsOf(each->getOperand(isFirst ? 1 : 0));
          Real other = ofRows([&](Value row) {
            return e.loadLanes(others.memory, e.add(others.at(e, row), column),
                               n, width);
          });
          const Real &lhs = isFirst ? value : other,
                     &rhs = isFirst ? other : value;
          value = isa<AddOp>(each) ? lhs + rhs : lhs * rhs;
        }
        current = each->getResult(0);
      }
      for (auto [i, row] : llvm::enumerate(rows)) {
        Real ofRow = e.f32(e.slice(value, static_cast<int64_t>(i) * n, n));
        e.storeChunk(ofRow, y.memory, e.add(y.at(e, row), column), width);
        raiseMaxima(maxima, row, ofRow, width);
      }
    };
  };

  auto run = [&](ListedRows rows, Value firstGroup, int64_t columns,
                 bool isHigh) {
    auto use = apply(isHigh);
    int64_t groups = (columns + groupColumns - 1) / groupColumns;
    multiply({input, k, weight, isHigh, rows, firstGroup, groups,
              columns - (groups - 1) * groupColumns, use});
  };
  SmallVector<Operation *> ops = {op};
  llvm::append_range(ops, chain);
  e.part("product", ops, [&] {
    clearMaxima(maxima);
    auto ofHead = [&](Value head, int64_t columns) {
      Value firstGroup = e.mul(head, columns / groupColumns);
      for (bool isHigh : {false, true}) {
        if (isHigh && !split)
          continue;
        ListedRows rows{panelSize, {}};
        if (byHead || split)
          rows = listRows(panelSize, [&](Value row) {
            Value keeps = e.integer(e.i1, 1);
            if (byHead) {
              RowsAt named = headRowsOf(op.getRows());
              keeps = e.load(named.memory, named.at(e, head, row));
            }
            if (!split)
              return keeps;
            RowsAt low = rowsOf(op.getLow());
            Value wanted = arith::CmpIOp::create(
                e.b, Predicate::eq, e.load(low.memory, low.at(e, row)),
                e.integer(e.i1, isHigh));
            return arith::AndIOp::create(e.b, keeps, wanted).getResult();
          });
        if (!rows.list)
          run(rows, firstGroup, columns, isHigh);
        else // maybe of no rows, for which nothing is staged
          e.ifThen(e.compare(Predicate::ne, rows.count, e.index(0)),
                   [&] { run(rows, firstGroup, columns, isHigh); });
      }
    };
    if (byHead)
      e.forRange(e.index(heads), [&](Value head) { ofHead(head, n / heads); });
    else
      ofHead(e.index(0), n);
  });
}

void PanelLoops::product(LogMatmulOp op) {
  int64_t k = cast<ShapedType>(op.getWeight().getType()).getDimSize(0),
          n = cast<ShapedType>(op.getWeight().getType()).getDimSize(1);
  CodesAt input = codesOf(op.getInput());
  Value bias = e.flat(op.getBias());
  RowsAt y = rowsOf(op.getResult());
  std::optional<RowsAt> scale;
  if (bias)
    scale = rowsOf(op.getScale());
  PackedWeight weight = weights.pack(op.getWeight());
  auto use = [&](ArrayRef<Value> rows, Value column, int64_t width,
                 Value sums) {
    int64_t n = lanesOfEach(rows, sums);
    for (auto [i, row] : llvm::enumerate(rows)) {
      Value ofRow = e.slice(sums, static_cast<int64_t>(i) * n, n);
      if (bias) {
        // Lanes past the row divide 0, not garbage.
        Real term = numerics::predictorBiasOfRow(
            e.f32(e.loadLanes(bias, column, n, width)),
            e.splatReal(e.load(scale->memory, scale->at(e, row)), n));
        ofRow = arith::AddIOp::create(e.b, ofRow, toInteger(term, e.i32));
      }
      e.storeChunk(ofRow, y.memory, e.add(y.at(e, row), column), width);
    }
  };
  int64_t groups = (n + groupColumns - 1) / groupColumns;
  e.part("product", op.getOperation(), [&] {
    multiply({input, k, weight, /*isHigh=*/false, ListedRows{panelSize, {}},
              e.index(0), groups, n - (groups - 1) * groupColumns, use});
  });
}
