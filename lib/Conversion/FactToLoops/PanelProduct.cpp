//===- PanelProduct.cpp - Rows of a panel times a packed weight -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Columns outside, rows inside: some columns of a weight, and a part of their
// codes, stay in the nearest cache while blocks of the panel's rows stream
// past, which ask for those that come next on the way.
//
//===----------------------------------------------------------------------===//

#include "PanelProduct.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
using Predicate = arith::CmpIPredicate;

/// Codes of a column that are worked on at once: 16 columns of pairs, or 32 of
/// single codes, fill three quarters of a nearest cache.
static constexpr int64_t partCodes = 768;

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

namespace mlir::fact::loops {

class Multiplier {
public:
  Multiplier(PanelLoops &loops, const PanelProduct &product);
  void emit();

private:
  /// `size` codes from one on of the columns of `tiles` groups of 16, of which
  /// `width` columns count.
  struct Part {
    Value group;
    int64_t tiles, width;
    Value from;
    int64_t size;
  };

  void columns(Value group, int64_t tiles, int64_t width);
  void columnsInTiles(Value group, int64_t tiles, int64_t width, int64_t times);
  void multiplyInTiles(const Part &part, Value partNumber, Value first,
                       Value place, Value isLastPart);
  CodesAt compact(const CodesAt &codes);
  /// Where B has a part's groups: where they are staged, or in the weight.
  SmallVector<Value> groupsOf(const Part &part);
  void stage(const Part &part);
  /// Products of a block of rows with a part; `next` is what comes after it.
  void multiply(const Part &part, Value first, int64_t rows, Value place,
                bool fresh, ValueRange next);
  void use(const Part &part, Value first, Value place);
  SmallVector<Value> startOf(Value group, int64_t tiles, Value from,
                             int64_t size);
  /// Of the panel, at most.
  int64_t rowBlocks() const { return tier.panelRows / tier.rows; }

  PanelLoops &loops;
  Emitter &e;
  const Tier &tier;
  const PanelProduct &product;
  Dot dot;
  CodesAt input;
  /// Codes of a column of B; what a part has of them, but for the last one.
  int64_t packed, size, parts;
  int64_t stride; ///< of sums, from row to row
  Value count, sums, staged, codes, corrections;
};

} // namespace mlir::fact::loops

Multiplier::Multiplier(PanelLoops &loops, const PanelProduct &product)
    : loops(loops), e(loops.e), tier(loops.tier), product(product),
      dot(tier.dot), input(product.input), packed(packedCodes(dot, product.k)),
      stride(tier.tiles * groupColumns), count(product.rows.count) {
  int64_t unit = dot == Dot::Tile ? 64 : Tier::step(dot);
  parts = (packed + partCodes - 1) / partCodes;
  size = roundUp((packed + parts - 1) / parts, unit);
  parts = (packed + size - 1) / size;
  // Sums that wait for their use while the next ones are made.
  int64_t blocks = (parts == 1 ? 1 : rowBlocks()) + 1;
  sums = loops.scratch(e.i32, blocks * tier.rows * stride);
  // Pairs are widened, and high planes made, once for all rows of the panel.
  if (dot == Dot::Pair || product.isHigh)
    staged = loops.scratch(codeType(e, dot), stride * size);
  codes = e.flat(product.weight.codes);
  corrections = e.flat(product.isHigh ? product.weight.highCorrections
                                      : product.weight.corrections);
  if (dot == Dot::Tile && product.rows.list)
    input = compact(input);
}

void Multiplier::emit() {
  int64_t n = (product.groups - 1) * groupColumns + product.lastWidth;
  e.countWork(
      [&] { return e.mul(count, product.k * n); },
      [&] { return e.add(e.mul(count, product.k + n * 4), packed * n); });
  // Whole blocks of columns, then what is left of them.
  int64_t full =
      product.lastWidth == groupColumns ? product.groups : product.groups - 1;
  int64_t whole = full / tier.tiles * tier.tiles;
  auto groups = [&](int64_t first, int64_t last, int64_t tiles, int64_t width) {
    int64_t times = (last - first) / tiles;
    if (times == 0)
      return;
    Value begin = e.add(product.firstGroup, first);
    if (dot == Dot::Tile)
      return columnsInTiles(begin, tiles, width, times);
    if (times == 1)
      return columns(begin, tiles, width);
    e.forRange(e.index(0), e.index(times * tiles), tiles, [&](Value group) {
      columns(e.add(begin, group), tiles, width);
    });
  };
  groups(0, whole, tier.tiles, stride);
  groups(whole, full, 1, groupColumns);
  groups(full, product.groups, 1, product.lastWidth);
}

/// Listed rows one behind the other.
CodesAt Multiplier::compact(const CodesAt &codes) {
  CodesAt result{
      loops.scratch(codeType(e, dot), codes.layout.width * tier.panelRows),
      codes.layout};
  int64_t width = codes.layout.blockCodes;
  e.forRange(count, [&](Value i) {
    Value from = codes.layout.row(e, product.rows(e, i)),
          to = codes.layout.row(e, i);
    e.forRange(
        e.index(0), e.index(codes.layout.width), width, [&](Value column) {
          Value at = codes.layout.code(e, column);
          e.storeChunk(e.loadLanes(codes.memory, e.add(from, at), width, width),
                       result.memory, e.add(to, at), width);
        });
  });
  return result;
}

SmallVector<Value> Multiplier::startOf(Value group, int64_t tiles, Value from,
                                       int64_t size) {
  // What would be behind the last group is not asked for.
  int64_t all =
      cast<ShapedType>(product.weight.codes.getType()).getNumElements();
  SmallVector<Value> starts;
  for (int64_t t = 0; t < tiles; ++t)
    starts.push_back(e.min(e.add(e.mul(e.add(group, t), packed * groupColumns),
                                 e.mul(from, groupColumns)),
                           e.index(all - size * groupColumns)));
  return starts;
}

SmallVector<Value> Multiplier::groupsOf(const Part &part) {
  SmallVector<Value> groups;
  for (int64_t t = 0; t < part.tiles; ++t)
    groups.push_back(
        staged ? e.index(t * part.size * groupColumns)
               : e.add(e.mul(e.add(part.group, t), packed * groupColumns),
                       e.mul(part.from, groupColumns)));
  return groups;
}

void Multiplier::stage(const Part &part) {
  for (int64_t t = 0; t < part.tiles; ++t) {
    Value from = e.add(e.mul(e.add(part.group, t), packed * groupColumns),
                       e.mul(part.from, groupColumns));
    int64_t n = part.size * groupColumns,
            stageLanes =
                n % tier.floats ? 32 : std::max<int64_t>(tier.floats, 32);
    e.forRange(e.index(0), e.index(n), stageLanes, [&](Value at) {
      Value lanes = e.loadLanes(codes, e.add(from, at), stageLanes, stageLanes);
      if (product.isHigh)
        lanes = highPlane(e, lanes);
      if (dot == Dot::Pair)
        lanes =
            arith::ExtSIOp::create(e.b, e.vectorOf(e.i16, stageLanes), lanes);
      e.storeChunk(lanes, staged, e.add(at, t * n), stageLanes);
    });
  }
}

void Multiplier::multiply(const Part &part, Value first, int64_t rows,
                          Value place, bool fresh, ValueRange next) {
  Value last = e.sub(count, e.index(1));
  BlockOperands block = input.layout.operands(
      e, dot, input.memory, rows, part.from, part.size, [&](int64_t r) {
        Value row = e.add(first, r);
        // Of a list; tiles have it compacted.
        return dot == Dot::Tile || !product.rows.list
                   ? row
                   : product.rows(e, e.min(row, last));
      });
  block.b = staged ? staged : codes;
  block.groups = groupsOf(part);
  block.rowsAreUnsigned = tier.offset;
  // Each block of rows asks for a share of the next part.
  int64_t share = part.size * groupColumns / rowBlocks();
  Value number = e.b.createOrFold<arith::DivUIOp>(first, e.index(tier.rows));
  for (Value start : next)
    block.ahead.push_back(e.add(start, e.mul(number, share)));
  block.sharers = rowBlocks();
  if (dot != Dot::Tile || staged) {
    for (Value start : block.ahead)
      e.prefetch(codes, start, share, Emitter::Cache::Second);
    block.ahead.clear();
  }
  SmallVector<Value> begin(part.tiles);
  if (fresh && corrections)
    for (int64_t t = 0; t < part.tiles; ++t)
      begin[t] =
          e.loadChunk(corrections, e.mul(e.add(part.group, t), groupColumns));
  multiplyBlock(e, block, {sums, place, stride}, fresh,
                [&](int64_t, int64_t t) { return begin[t]; });
}

void Multiplier::use(const Part &part, Value first, Value place) {
  Value inside = e.min(e.sub(count, first), e.index(tier.rows)),
        last = e.sub(inside, e.index(1));
  int64_t n = part.tiles * groupColumns,
          together = product.isLong ? std::max<int64_t>(tier.floats / n, 1) : 1;
  e.forRange(e.index(0), inside, together, [&](Value begin) {
    SmallVector<Value> rows, ofRows;
    for (int64_t r = 0; r < together; ++r) {
      Value i = r ? e.min(e.add(begin, r), last) : begin;
      rows.push_back(product.rows(e, e.add(first, i)));
      ofRows.push_back(e.loadLanes(sums, e.add(place, e.mul(i, stride)), n, n));
    }
    product.use(rows, e.mul(part.group, groupColumns), part.width,
                e.join(ofRows));
  });
}

void Multiplier::columns(Value group, int64_t tiles, int64_t width) {
  auto overPart = [&](Value from, int64_t size, bool isFirst, bool isLast) {
    Part part{group, tiles, width, from, size};
    if (staged)
      stage(part);
    SmallVector<Value> next =
        isLast ? startOf(e.add(group, tiles), tiles, e.index(0), size)
               : startOf(group, tiles, e.add(from, size), size);
    forRowBlocks(e, count, tier.rows, [&](Value first, int64_t rows) {
      Value place = parts == 1 ? e.index(0) : e.mul(first, stride);
      multiply(part, first, rows, place, isFirst, next);
      if (isLast)
        use(part, first, place);
    });
  };
  int64_t last = packed - (parts - 1) * size;
  if (parts == 1)
    return overPart(e.index(0), last, true, true);
  overPart(e.index(0), size, true, false);
  if (parts > 2)
    e.forRange(e.index(size), e.index((parts - 1) * size), size,
               [&](Value from) { overPart(from, size, false, false); });
  overPart(e.index((parts - 1) * size), last, false, true);
}

//===----------------------------------------------------------------------===//
// In tiles
//===----------------------------------------------------------------------===//

/// Tiles are multiplied beside what else a processor does, if it finds both: a
/// block's sums are used when the next block's products are under way, across
/// the borders of parts and columns.
void Multiplier::columnsInTiles(Value group, int64_t tiles, int64_t width,
                                int64_t times) {
  Value blocks = e.ceilDiv(count, tier.rows),
        all = e.mul(blocks, parts * times);
  struct Step {
    Part part;
    Value partNumber, first, place, isLastPart;
  };
  auto quotient = [&](Value a, Value b) {
    return e.b.createOrFold<arith::DivUIOp>(a, b);
  };
  auto remainder = [&](Value a, Value b) {
    return e.b.createOrFold<arith::RemUIOp>(a, b);
  };
  Value ofParts = e.index(parts),
        slots = e.index(parts == 1 ? 2 : rowBlocks() + 1);
  auto stepOf = [&](Value number) {
    Value block = remainder(number, blocks), rest = quotient(number, blocks),
          part = remainder(rest, ofParts), column = quotient(rest, ofParts);
    Value slot = remainder(e.add(e.mul(column, blocks), block), slots);
    return Step{{e.add(group, e.mul(column, tiles)), tiles, width,
                 e.mul(part, size), size},
                part,
                e.mul(block, tier.rows),
                e.mul(slot, tier.rows * stride),
                e.compare(Predicate::eq, part, e.index(parts - 1))};
  };
  e.overlap(
      all,
      [&](Value number) {
        Step step = stepOf(number);
        multiplyInTiles(step.part, step.partNumber, step.first, step.place,
                        step.isLastPart);
      },
      [&](Value number) {
        Step step = stepOf(number);
        if (parts == 1)
          use(step.part, step.first, step.place);
        else
          e.ifThen(step.isLastPart,
                   [&] { use(step.part, step.first, step.place); });
      });
}

void Multiplier::multiplyInTiles(const Part &part, Value partNumber,
                                 Value first, Value place, Value isLastPart) {
  Value left = e.sub(count, first);
  auto ofSize = [&](int64_t size, bool fresh) {
    Part exact = part;
    exact.size = size;
    if (staged)
      e.ifThen(e.compare(Predicate::eq, first, e.index(0)),
               [&] { stage(exact); });
    auto choose = [&](Value yes, Value no) -> Value {
      return arith::SelectOp::create(e.b, isLastPart, yes, no);
    };
    SmallVector<Value> next =
        startOf(choose(e.add(part.group, part.tiles), part.group), part.tiles,
                choose(e.index(0), e.add(part.from, size)), size);
    auto rows = [&](int64_t n) {
      multiply(exact, first, n, place, fresh, next);
    };
    e.ifElse(
        e.compare(Predicate::ugt, left, e.index(tier.rows / 2)),
        [&] { rows(tier.rows); }, [&] { rows(tier.rows / 2); });
  };
  int64_t last = packed - (parts - 1) * size;
  if (parts == 1)
    return ofSize(last, true);
  auto rest = [&] {
    if (last == size)
      return ofSize(size, false);
    e.ifElse(
        isLastPart, [&] { ofSize(last, false); }, [&] { ofSize(size, false); });
  };
  e.ifElse(
      e.compare(Predicate::eq, partNumber, e.index(0)),
      [&] { ofSize(size, true); }, rest);
}

void PanelLoops::multiply(const PanelProduct &product) {
  Multiplier(*this, product).emit();
}
