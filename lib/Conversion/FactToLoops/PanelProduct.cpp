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

/// (w + 8) >> 4 of i8. Codes of weights are -119 .. 119 (weightLimit, which
/// CheckSparse.cpp holds given ones to), so that the sum is one of 8 bits.
static Value highPlane(Emitter &e, Value codes) {
  Value four = e.integer(codes.getType(), 4);
  return arith::ShRSIOp::create(e.b, e.add(codes, 8), four);
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
  /// Rows of the product, behind those of the set before.
  struct Set {
    const PanelProduct::Rows &rows;
    Value count;
    CodesAt input;
    Value corrections;
    bool isStaged;
    Value firstBlock, blocks; ///< of rows
  };

  void columns(Value group, int64_t tiles, int64_t width);
  void columnsInTiles(Value group, int64_t tiles, int64_t width, int64_t times);
  void multiplyInTiles(const Set &set, const Part &part, Value partNumber,
                       Value first, Value place, Value isLastPart);
  /// Listed rows one behind the other.
  CodesAt compact(const ListedRows &rows);
  SmallVector<Value> startOf(const Part &part);
  void stage(const Set &set, const Part &part);
  /// Products of a block of rows with a part; `next` comes after it.
  void multiply(const Set &set, const Part &part, Value first, int64_t rows,
                Value place, bool fresh, const Part &next);
  void use(const Set &set, const Part &part, Value first, Value place);
  /// Of the panel, at most.
  int64_t rowBlocks() const { return tier.panelRows / tier.rows; }

  PanelLoops &loops;
  Emitter &e;
  const Tier &tier;
  const PanelProduct &product;
  Dot dot;
  /// Codes of a column of B; what a part has of them, but for the last one.
  int64_t packed, size, parts;
  int64_t stride; ///< of sums, from row to row
  SmallVector<Set, 2> sets;
  int64_t mostBlocks; ///< of rows of all sets
  Value sums, staged, codes;
};

} // namespace mlir::fact::loops

Multiplier::Multiplier(PanelLoops &loops, const PanelProduct &product)
    : loops(loops), e(loops.e), tier(loops.tier), product(product),
      dot(tier.dot), packed(packedCodes(dot, product.k)),
      stride(tier.tiles * groupColumns) {
  int64_t unit = dot == Dot::Tile ? 64 : Tier::step(dot);
  parts = (packed + partCodes - 1) / partCodes;
  size = roundUp((packed + parts - 1) / parts, unit);
  parts = (packed + size - 1) / size;
  codes = e.flat(product.weight.codes);
  Value firstBlock = e.index(0);
  for (const PanelProduct::Rows &rows : product.rows) {
    // Pairs are widened, and high planes made, once for all rows of the panel.
    bool isStaged = dot == Dot::Pair || rows.isHigh;
    Value count = rows.rows.count, blocks = e.ceilDiv(count, tier.rows);
    sets.push_back({rows, count,
                    dot == Dot::Tile && rows.rows.list ? compact(rows.rows)
                                                       : product.input,
                    e.flat(rows.isHigh ? product.weight.highCorrections
                                       : product.weight.corrections),
                    isStaged, firstBlock, blocks});
    firstBlock = e.add(firstBlock, blocks);
    if (isStaged && !staged)
      staged = loops.scratch(codeType(e, dot), stride * size);
  }
  // Each set may begin with a part of a block more.
  mostBlocks = rowBlocks() + static_cast<int64_t>(sets.size()) - 1;
  // Of tiles: sums that wait for their use while the next ones are made.
  int64_t blocks = (parts == 1 ? 1 : mostBlocks) + (dot == Dot::Tile ? 1 : 0);
  sums = loops.scratch(e.i32, blocks * tier.rows * stride);
}

void Multiplier::emit() {
  int64_t n = (product.groups - 1) * groupColumns + product.lastWidth;
  Value count = e.index(0);
  for (const Set &set : sets)
    count = e.add(count, set.count);
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

CodesAt Multiplier::compact(const ListedRows &rows) {
  const CodesAt &codes = product.input;
  CodesAt result{
      loops.scratch(codeType(e, dot), codes.layout.width * tier.panelRows),
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

/// Where the groups of a part begin in the weight.
SmallVector<Value> Multiplier::startOf(const Part &part) {
  SmallVector<Value> starts;
  for (int64_t t = 0; t < part.tiles; ++t)
    starts.push_back(e.add(e.mul(e.add(part.group, t), packed * groupColumns),
                           e.mul(part.from, groupColumns)));
  return starts;
}

void Multiplier::stage(const Set &set, const Part &part) {
  int64_t n = part.size * groupColumns,
          stageLanes =
              n % tier.floats ? 32 : std::max<int64_t>(tier.floats, 32);
  for (auto [t, start] : llvm::enumerate(startOf(part)))
    e.forRange(
        e.index(0), e.index(n), stageLanes,
        [&, t = t, start = start](Value at) {
          Value some =
              e.loadLanes(codes, e.add(start, at), stageLanes, stageLanes);
          if (set.rows.isHigh)
            some = highPlane(e, some);
          if (dot == Dot::Pair)
            some = arith::ExtSIOp::create(e.b, e.vectorOf(e.i16, stageLanes),
                                          some);
          e.storeChunk(some, staged, e.add(at, static_cast<int64_t>(t) * n),
                       stageLanes);
        });
}

void Multiplier::multiply(const Set &set, const Part &part, Value first,
                          int64_t rows, Value place, bool fresh,
                          const Part &next) {
  const ListedRows &listed = set.rows.rows;
  Value last = e.sub(set.count, e.index(1));
  BlockOperands block = set.input.layout.operands(
      e, dot, set.input.memory, rows, part.from, part.size, [&](int64_t r) {
        Value row = e.add(first, r);
        // Of a list; tiles have it compacted.
        return dot == Dot::Tile || !listed.list ? row
                                                : listed(e, e.min(row, last));
      });
  block.b = set.isStaged ? staged : codes;
  if (set.isStaged)
    for (int64_t t = 0; t < part.tiles; ++t)
      block.groups.push_back(e.index(t * part.size * groupColumns));
  else
    block.groups = startOf(part);
  block.rowsAreUnsigned = tier.offset;
  // Each block of rows asks for a share of the next part, as many as a whole
  // panel has; what would be behind the last one is not asked for.
  int64_t codesOfPart = next.size * groupColumns,
          share = codesOfPart / rowBlocks(),
          all =
              cast<ShapedType>(product.weight.codes.getType()).getNumElements();
  Value number = e.add(set.firstBlock, e.div(first, tier.rows));
  for (Value start : startOf(next))
    block.ahead.push_back(
        e.add(e.min(start, e.index(all - codesOfPart)), e.mul(number, share)));
  block.sharers = rowBlocks();
  if (dot != Dot::Tile || set.isStaged) {
    for (Value start : block.ahead)
      e.prefetch(codes, start, share, Emitter::Cache::Second);
    block.ahead.clear();
  }
  SmallVector<Value> begin(part.tiles);
  if (fresh && set.corrections)
    for (int64_t t = 0; t < part.tiles; ++t)
      begin[t] = e.loadChunk(set.corrections,
                             e.mul(e.add(part.group, t), groupColumns));
  multiplyBlock(e, block, {sums, place, stride}, fresh,
                [&](int64_t, int64_t t) { return begin[t]; });
}

void Multiplier::use(const Set &set, const Part &part, Value first,
                     Value place) {
  Value inside = e.min(e.sub(set.count, first), e.index(tier.rows)),
        last = e.sub(inside, e.index(1));
  int64_t n = part.tiles * groupColumns,
          together = product.isLong ? std::max<int64_t>(tier.floats / n, 1) : 1;
  e.forRange(e.index(0), inside, together, [&](Value begin) {
    SmallVector<Value> rows, ofRows;
    for (int64_t r = 0; r < together; ++r) {
      Value i = r ? e.min(e.add(begin, r), last) : begin;
      rows.push_back(set.rows.rows(e, e.add(first, i)));
      ofRows.push_back(e.loadLanes(sums, e.add(place, e.mul(i, stride)), n, n));
    }
    set.rows.use(rows, e.mul(part.group, groupColumns), part.width,
                 e.join(ofRows));
  });
}

void Multiplier::columns(Value group, int64_t tiles, int64_t width) {
  int64_t last = packed - (parts - 1) * size;
  auto overPart = [&](Value from, bool isFirst, bool isLast) {
    Part part{group, tiles, width, from, isLast ? last : size}, next = part;
    if (isLast)
      next = {e.add(group, tiles), tiles, width, e.index(0),
              parts == 1 ? last : size};
    else
      next.from = e.add(from, size);
    for (const Set &set : sets) {
      if (set.isStaged)
        e.ifThen(e.compare(Predicate::ne, set.count, e.index(0)),
                 [&] { stage(set, part); });
      forRowBlocks(e, set.count, tier.rows, [&](Value first, int64_t rows) {
        Value place =
            parts == 1
                ? e.index(0)
                : e.mul(e.add(e.mul(set.firstBlock, tier.rows), first), stride);
        multiply(set, part, first, rows, place, isFirst, next);
        if (isLast)
          use(set, part, first, place);
      });
    }
  };
  if (parts == 1)
    return overPart(e.index(0), true, true);
  overPart(e.index(0), true, false);
  if (parts > 2)
    e.forRange(e.index(size), e.index((parts - 1) * size), size,
               [&](Value from) { overPart(from, false, false); });
  overPart(e.index((parts - 1) * size), false, true);
}

//===----------------------------------------------------------------------===//
// In tiles
//===----------------------------------------------------------------------===//

/// Tiles are multiplied beside what else a processor does, if it finds both: a
/// block's sums are used when the next block's products are under way, across
/// the borders of parts and columns.
void Multiplier::columnsInTiles(Value group, int64_t tiles, int64_t width,
                                int64_t times) {
  Value blocks = e.add(sets.back().firstBlock, sets.back().blocks),
        all = e.mul(blocks, parts * times);
  Value ofParts = e.index(parts),
        slots = e.index(parts == 1 ? 2 : mostBlocks + 1);
  struct Step {
    Part part;
    Value partNumber, block, place, isLastPart;
  };
  auto stepOf = [&](Value number) {
    Value block = e.rem(number, blocks), rest = e.div(number, blocks),
          part = e.rem(rest, ofParts), column = e.div(rest, ofParts);
    Value slot = e.rem(e.add(e.mul(column, blocks), block), slots);
    return Step{{e.add(group, e.mul(column, tiles)), tiles, width,
                 e.mul(part, size), size},
                part,
                block,
                e.mul(slot, tier.rows * stride),
                e.compare(Predicate::eq, part, e.index(parts - 1))};
  };
  // The set that a step's rows are of, and the first of them.
  auto ofSet = [&](const Step &step,
                   llvm::function_ref<void(const Set &, Value)> body) {
    auto inSet = [&](const Set &set) {
      body(set, e.mul(e.sub(step.block, set.firstBlock), tier.rows));
    };
    if (sets.size() == 1)
      return inSet(sets.front());
    e.ifElse(
        e.compare(Predicate::ult, step.block, sets.back().firstBlock),
        [&] { inSet(sets.front()); }, [&] { inSet(sets.back()); });
  };
  e.overlap(
      all,
      [&](Value number) {
        Step step = stepOf(number);
        ofSet(step, [&](const Set &set, Value first) {
          multiplyInTiles(set, step.part, step.partNumber, first, step.place,
                          step.isLastPart);
        });
      },
      [&](Value number) {
        Step step = stepOf(number);
        auto used = [&] {
          ofSet(step, [&](const Set &set, Value first) {
            use(set, step.part, first, step.place);
          });
        };
        if (parts == 1)
          used();
        else
          e.ifThen(step.isLastPart, used);
      });
}

void Multiplier::multiplyInTiles(const Set &set, const Part &part,
                                 Value partNumber, Value first, Value place,
                                 Value isLastPart) {
  auto ofSize = [&](int64_t size, bool fresh) {
    Part exact = part;
    exact.size = size;
    if (set.isStaged)
      e.ifThen(e.compare(Predicate::eq, first, e.index(0)),
               [&] { stage(set, exact); });
    auto choose = [&](Value yes, Value no) -> Value {
      return arith::SelectOp::create(e.b, isLastPart, yes, no);
    };
    Part next{choose(e.add(part.group, part.tiles), part.group), part.tiles,
              part.width, choose(e.index(0), e.add(part.from, size)), size};
    withBlockRows(e, e.sub(set.count, first), tier.rows, [&](int64_t n) {
      multiply(set, exact, first, n, place, fresh, next);
    });
  };
  int64_t last = packed - (parts - 1) * size;
  if (parts == 1)
    return ofSize(last, true);
  auto rest = [&] {
    if (last == size || parts == 2)
      return ofSize(last, false);
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
