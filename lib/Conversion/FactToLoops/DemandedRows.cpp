//===- DemandedRows.cpp - What follows from masks and counts --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "Masks.h"

#include "fact/Dialect/Fact/IR/Policy.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
using Predicate = arith::CmpIPredicate;

/// rows[g][j] = some row i of a head of the group that is not dominated keeps
/// j; then, where `argmax` is given, also the argmax of those that are.
static void demandedRows(Emitter &e, Value words, Value dominated, Value argmax,
                         Value result) {
  Value length = e.dim(dominated, 1), rowWords = wordsOfRow(e, length);
  Value any, named;
  int64_t heads = cast<ShapedType>(dominated.getType()).getDimSize(0),
          groups = cast<ShapedType>(result.getType()).getDimSize(0);
  auto join = [&](Value head) {
    e.forRange(length, [&](Value row) {
      e.ifElse(
          e.load(dominated, {head, row}),
          [&] {
            if (argmax)
              e.store(e.integer(e.i1, 1), named,
                      e.toIndex(e.load(argmax, {head, row})));
          },
          [&] {
            Value from = e.mul(e.add(e.mul(head, length), row), rowWords);
            e.forPadded(rowWords, [&](Value at) {
              Value both =
                  arith::OrIOp::create(e.b, e.loadChunk(any, at),
                                       e.loadChunk(words, e.add(from, at)));
              e.storeChunk(both, any, at);
            });
          });
    });
  };
  e.parallelFor("demanded_rows", {}, e.index(groups), [&](Value group) {
    any = e.scratch(e.i16, rowWords);
    e.fill(any, rowWords, e.integer(e.i16, 0));
    if (argmax) {
      named = e.scratch(e.i1, length);
      e.forRange(length, [&](Value column) {
        e.store(e.integer(e.i1, 0), named, column);
      });
    }
    forEachMember(e, group, heads / groups, join);
    e.forRange(length, [&](Value column) {
      Value set = bitOf(e, any, e.index(0), column);
      if (argmax)
        set = arith::OrIOp::create(e.b, set, e.load(named, column));
      e.store(set, result, {group, column});
    });
  });
}

void loops::lower(KRowsOp op, Emitter &e) {
  Value words = e.flat(wordsOfMask(op.getMask())),
        dominated = e.buffer(op.getDominated());
  Value rows = e.allocResult(op.getResult(), e.extent(op.getDominated(), 1));
  e.part("k_rows", op.getOperation(),
         [&] { demandedRows(e, words, dominated, {}, rows); });
}

void loops::lower(VRowsOp op, Emitter &e) {
  Value words = e.flat(wordsOfMask(op.getMask())),
        dominated = e.buffer(op.getDominated()),
        argmax = e.buffer(op.getArgmax());
  Value rows = e.allocResult(op.getResult(), e.extent(op.getDominated(), 1));
  e.part("v_rows", op.getOperation(),
         [&] { demandedRows(e, words, dominated, argmax, rows); });
}

void loops::lower(QRowsOp op, Emitter &e) {
  Value dominated = e.buffer(op.getDominated());
  Value length = e.extent(op.getDominated(), 1);
  Value rows = e.allocResult(op.getResult(), length);
  e.part("q_rows", op.getOperation(), [&] {
    e.forRange(e.dim(dominated, 0), [&](Value head) {
      e.forRange(length, [&](Value row) {
        Value live = arith::XOrIOp::create(e.b, e.load(dominated, {head, row}),
                                           e.integer(e.i1, 1));
        e.store(live, rows, {head, row});
      });
    });
  });
}

/// How many rows have a key in their window.
static Value rowsOf(Emitter &e, WindowAttr window, Value key, Value length) {
  ColumnRange rows =
      e.windowOf(WindowAttr::orNull(e.b.getContext(), windowOf(window).rows()),
                 key, length);
  return e.sub(rows.end, rows.begin);
}

void loops::lower(SelectAllOp op, Emitter &e) {
  Value length = e.extent(op.getInput(), 0);
  Value count = e.allocResult(op.getCount(), length);
  e.part("select_all", op.getOperation(), [&] {
    e.forRange(length, [&](Value column) {
      Value rows = rowsOf(e, op.getWindowAttr(), column, length);
      e.store(
          e.fromIndex(e.mul(rows, static_cast<int64_t>(op.getHeads())), e.i64),
          count, column);
    });
  });
}

void loops::lower(SelectPrecisionOp op, Emitter &e) {
  Value count = e.buffer(op.getCount());
  Value length = e.extent(op.getCount(), 0);
  Value low = e.allocResult(op.getLow(), length);
  Value given = e.buffer(op.getImportanceValue());
  auto rows = [&](Value token) {
    return e.fromIndex(rowsOf(e, op.getWindowAttr(), token, length), e.i64);
  };
  e.part("select_precision", op.getOperation(), [&] {
    Value zero = e.integer(e.i64, 0);
    SmallVector<Value> sums = e.forReduce(
        e.index(0), length, 1, {zero, zero},
        [&](Value token, ValueRange carried) {
          return SmallVector<Value>{e.add(carried[0], e.load(count, token)),
                                    e.add(carried[1], rows(token))};
        });
    Value importance =
        given
            ? arith::ExtSIOp::create(e.b, e.i64, e.load(given, {})).getResult()
            : e.integer(e.i64, static_cast<int64_t>(*op.getImportance()));
    // Below 0 is an importance that rounds to 0.
    importance = arith::MaxSIOp::create(e.b, importance, zero);
    Value limit = e.mul(sums[0], importance), factor = e.mul(sums[1], 256);
    e.forRange(length, [&](Value token) {
      e.store(e.compare(Predicate::sle, e.mul(e.load(count, token), factor),
                        e.mul(rows(token), limit)),
              low, token);
    });
  });
}
