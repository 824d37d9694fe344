//===- RowGroup.cpp - Row-by-row ops in one loop over row blocks ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowGroup.h"
#include "Codes.h"
#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Values.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::factisa;

//===----------------------------------------------------------------------===//
// What a group is
//===----------------------------------------------------------------------===//

bool factisa::isRowLocal(Operation *op) {
  return isa<fact::NormOp, fact::RotateOp, fact::ActivationOp, fact::AddOp,
             fact::MultiplyOp, fact::RescaleOp, fact::QuantizeRowsOp,
             fact::QuantizeHeadsOp, fact::QuantizedLinearOp,
             fact::NormalizeHeadsOp, fact::EncodeOp, fact::MeanTokenOp>(op);
}

RowGroup::RowGroup(Lowering &lowering, ArrayRef<Operation *> ops, bool single,
                   ArrayRef<Operation *> next)
    : lowering(lowering), builder(lowering.builder), ops(ops), next(next),
      members(ops.begin(), ops.end()), single(single),
      rows(single ? 1 : lowering.blockRows()) {}

LogicalResult RowGroup::lower() {
  lowering.loc = ops.front()->getLoc();
  LogicalResult result = success();
  // What is loaded once goes before the loop: a placeholder keeps the place.
  auto body = [&](Value row) {
    row0 = row;
    for (Operation *op : ops) {
      lowering.loc = op->getLoc();
      if (succeeded(result) && !done.contains(op))
        result = lowerOp(op);
      done.insert(op);
    }
    if (next.empty() || failed(result))
      return;
    // The last layer does it for nobody: a little work, beside its own.
    staging[lowering.nextLayer.stream] =
        staging.lookup(lowering.nextLayer.result);
    if (auto it = maxima.find(lowering.nextLayer.result); it != maxima.end()) {
      Maxima found = it->second;
      maxima[lowering.nextLayer.stream] = found;
    }
    for (Operation *op : next) {
      lowering.loc = op->getLoc();
      if (succeeded(result))
        result = lowerOp(op);
    }
  };
  marker = NullOp::create(builder, lowering.loc);
  if (single)
    body(lowering.index(0));
  else
    lowering.loop(Over::Rows, lowering.bound, rows, body);
  marker->erase();
  for (const std::function<void()> &last : afterLoop)
    last();
  return result;
}

SmallVector<std::pair<int64_t, int64_t>> factisa::slicesOf(int64_t heads,
                                                           int64_t n) {
  SmallVector<std::pair<int64_t, int64_t>> slices;
  for (int64_t head = 0; head < heads; ++head)
    slices.emplace_back(head * n, n);
  return slices;
}

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

Staged RowGroup::stage(Value source, const Layout &layout, Memory memory,
                       StringRef label) {
  Staged staged;
  staged.layout = layout;
  staged.planeBytes = llvm::alignTo(rows * layout.rowBytes, 64);
  staged.buffer =
      lowering.sram(memory, staged.planeBytes * layout.planes, label);
  staging[source] = staged;
  return staged;
}

FailureOr<Staged> RowGroup::define(Value value, Memory memory,
                                   StringRef label) {
  value = Lowering::root(value);
  FailureOr<Layout> layout = lowering.layoutOf(value);
  if (failed(layout))
    return failure();
  return stage(value, *layout, memory, label);
}

FailureOr<Staged> RowGroup::use(Value value) {
  Value source = Lowering::root(value);
  auto it = staging.find(source);
  if (it != staging.end()) {
    if (failed(lowering.checkView(value, Lowering::isHeadMajor(value),
                                  it->second.layout)))
      return failure();
    return it->second;
  }
  FailureOr<Storage> storage = lowering.storageOf(value);
  if (failed(storage))
    return failure();
  Memory memory = storage->layout.rowBytes <= 4 ? Memory::Index : Memory::Token;
  Staged staged = stage(source, storage->layout, memory, "block");
  for (int64_t plane = 0; plane < staged.layout.planes; ++plane)
    lowering.loadRows(staged.plane(lowering, plane), *storage,
                      lowering.index(plane), row0, rows);
  return staged;
}

/// Whether an op reads this group's block of its operands alone.
bool RowGroup::isInside(Operation *op) const {
  // Parts of the ops that read them.
  auto encode = dyn_cast<fact::EncodeOp>(op);
  if (isa<fact::LogMatmulOp>(op) ||
      (encode && !lowering.codes.isEncodedAlone(encode)))
    return llvm::all_of(realUsers(op->getResult(0)),
                        [&](Operation *user) { return isInside(user); });
  return members.contains(op);
}

/// Stores a result that somebody outside of the group reads.
LogicalResult RowGroup::finish(Value value) {
  value = Lowering::root(value);
  // What the next layer reads it reads in its own iteration.
  bool isOfNext = llvm::is_contained(next, value.getDefiningOp());
  if (!isOfNext && llvm::all_of(realUsers(value), [&](Operation *user) {
        return isInside(user);
      }))
    return success();
  FailureOr<Storage> storage = lowering.storageOf(value);
  if (failed(storage))
    return failure();
  Staged staged = staging.lookup(value);
  for (int64_t plane = 0; plane < staged.layout.planes; ++plane)
    lowering.storeRows(*storage, staged.plane(lowering, plane),
                       lowering.index(plane), row0, rows);
  return success();
}

Value Staged::plane(Lowering &lowering, int64_t plane) const {
  return lowering.view(buffer, plane * planeBytes);
}

FailureOr<Value> RowGroup::constant(Value value, StringRef label) {
  auto it = constants.find(value);
  if (it != constants.end())
    return it->second;
  FailureOr<Value> buffer = before(
      [&] { return lowering.loadConstant(value, Memory::Weight, label); });
  if (succeeded(buffer))
    constants[value] = *buffer;
  return buffer;
}

FailureOr<Value> RowGroup::lowFlags(Value low) {
  if (!low)
    return lowering.null();
  FailureOr<Staged> staged = use(low);
  if (failed(staged))
    return failure();
  return staged->buffer;
}

FailureOr<Value> RowGroup::exactCounts(fact::QuantizedLinearOp op) {
  if (!op.getLow() || lowPrecisionOf(op) != Precision::A4W4)
    return Value();
  Value low = Lowering::root(op.getLow());
  auto it = exacts.find(low);
  if (it != exacts.end())
    return it->second;
  // Before the loop: no load of a weight waits for what its iteration does.
  if (members.contains(low.getDefiningOp()))
    return Value();
  FailureOr<Value> exact = before([&]() -> FailureOr<Value> {
    FailureOr<Value> all = lowering.loadVector(low, "low");
    if (failed(all))
      return failure();
    Value counts =
        lowering.sram(Memory::Index, lowering.paddedRows * 4, "exact");
    lowering.loop(Over::Rows, lowering.bound, rows, [&](Value first) {
      SelCountOp::create(
          builder, op.getLoc(), lowering.view(counts, 0, {{first, 4}}),
          lowering.view(*all, 0, {{first, 1}}), first, rows, /*invert=*/true);
    });
    return counts;
  });
  if (succeeded(exact))
    exacts[low] = *exact;
  return exact;
}

FailureOr<Value> RowGroup::rowList(Value mask, int64_t head) {
  if (!mask)
    return lowering.null();
  auto key = std::make_pair(mask, head);
  auto it = lists.find(key);
  if (it != lists.end())
    return it->second;
  Lowering::NamedRows named = lowering.namedRows(mask);
  if (!named.flags)
    return lists[key] = lowering.null();
  FailureOr<Staged> flags = use(named.flags);
  if (failed(flags))
    return failure();
  Value list = lowering.sram(Memory::Index, 4 + 4 * rows, "list");
  SelListOp::create(builder, lowering.loc, list, flags->plane(lowering, head),
                    lowering.null(), row0, rows, named.inverted);
  lists[key] = list;
  return list;
}

LogicalResult RowGroup::forEachHead(Value mask, int64_t heads,
                                    function_ref<void(int64_t, Value)> body) {
  for (int64_t head = 0; head < heads; ++head) {
    FailureOr<Value> list = rowList(mask, head);
    if (failed(list))
      return failure();
    body(head, *list);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult RowGroup::lowerOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<fact::NormOp, fact::RotateOp, fact::ActivationOp, fact::AddOp,
            fact::MultiplyOp, fact::RescaleOp, fact::QuantizeRowsOp,
            fact::QuantizeHeadsOp, fact::QuantizedLinearOp,
            fact::NormalizeHeadsOp, fact::EncodeOp, fact::MeanTokenOp>(
          [&](auto typed) { return lowerTyped(typed); })
      .Default([](Operation *other) {
        return other->emitOpError() << "cannot be lowered to instructions";
      });
}

void RowGroup::forEachPiece(int64_t n,
                            function_ref<void(int64_t, int64_t, Value)> body) {
  int64_t pieceRows = std::max<int64_t>(1, pieceElements / n);
  for (int64_t first = 0; first < rows; first += pieceRows) {
    Value row = row0;
    if (first > 0)
      row = arith::AddIOp::create(builder, lowering.loc, row0,
                                  lowering.index(first));
    body(first, std::min(pieceRows, rows - first), row);
  }
}

bool RowGroup::isLastReader(Operation *op, Value value) {
  value = Lowering::root(value);
  // A block of its own: loaded, or made here.
  return !lowering.isConstant(value) &&
         llvm::all_of(realUsers(value), [&](Operation *user) {
           return user == op || done.contains(user) || !members.contains(user);
         });
}

FailureOr<Staged> RowGroup::defineOver(Operation *op, Value operand,
                                       const Staged &block, Memory memory,
                                       StringRef label) {
  Value result = op->getResult(0);
  if (!isLastReader(op, operand))
    return define(result, memory, label);
  staging[result] = block;
  return block;
}

LogicalResult RowGroup::lowerTyped(fact::NormOp op) {
  FailureOr<Staged> x = use(op.getInput());
  FailureOr<Value> gamma = constant(op.getGamma(), "gamma"),
                   beta = lowering.null();
  if (op.getBeta())
    beta = constant(op.getBeta(), "beta");
  if (failed(x) || failed(gamma) || failed(beta))
    return failure();
  FailureOr<Staged> y =
      defineOver(op, op.getInput(), *x, Memory::Token, "normalised");
  if (failed(y))
    return failure();
  auto heads = static_cast<int64_t>(op.getHeads().value_or(1));
  int64_t stride = x->layout.rowBytes, n = stride / 4 / heads;
  const Maxima *wanted =
      defineMaxima(op.getResult(), slicesOf(heads, n), op.getRows());
  auto ofHead = [&](int64_t head, Value list) {
    auto normalize = [&](int64_t first, int64_t count, Value row) {
      int64_t at = first * stride + head * n * 4;
      ApuNormOp::create(
          builder, op.getLoc(), lowering.view(y->buffer, at),
          lowering.view(x->buffer, at), *gamma, *beta, list,
          wanted ? wanted->of(lowering, head, first) : lowering.null(), row,
          count, n, stride, stride,
          ::fact::numerics::asNorm<Norm>(op.getKind()), op.getEps());
    };
    // A list is of the whole block.
    if (heads == 1 && !op.getRows())
      forEachPiece(n, normalize);
    else
      normalize(0, rows, row0);
  };
  if (failed(forEachHead(op.getRows(), heads, ofHead)))
    return failure();
  return finish(op.getResult());
}

LogicalResult RowGroup::lowerTyped(fact::RotateOp op) {
  FailureOr<Staged> x = use(op.getInput());
  FailureOr<Storage> cos = lowering.tableOf(op.getCos()),
                     sin = lowering.tableOf(op.getSin());
  if (failed(x) || failed(cos) || failed(sin))
    return failure();
  auto blockOf = [&](Value table, const Storage &from) {
    Value source = Lowering::root(table);
    if (auto it = staging.find(source); it != staging.end())
      return it->second.buffer;
    Staged staged = stage(source, from.layout, Memory::Token, "rotary_rows");
    lowering.loadRows(staged.buffer, from, lowering.index(0), row0, rows);
    return staged.buffer;
  };
  Value cosines = blockOf(op.getCos(), *cos),
        sines = blockOf(op.getSin(), *sin);
  FailureOr<Staged> y =
      defineOver(op, op.getInput(), *x, Memory::Token, "rotated");
  if (failed(y))
    return failure();
  auto heads = static_cast<int64_t>(op.getHeads());
  int64_t stride = x->layout.rowBytes, n = stride / 4 / heads,
          tableBytes = cos->layout.rowBytes;
  const Maxima *wanted =
      defineMaxima(op.getResult(), slicesOf(heads, n), op.getRows());
  auto ofHead = [&](int64_t head, Value list) {
    int64_t at = head * n * 4;
    ApuRotateOp::create(
        builder, op.getLoc(), lowering.view(y->buffer, at),
        lowering.view(x->buffer, at), cosines, sines, list,
        wanted ? wanted->of(lowering, head) : lowering.null(), row0, rows, n,
        tableBytes / 4, stride, stride, tableBytes, tableBytes,
        ::fact::numerics::asRotaryStyle<RotaryStyle>(op.getStyle()));
  };
  if (failed(forEachHead(op.getRows(), heads, ofHead)))
    return failure();
  return finish(op.getResult());
}

/// Rows add up in order, block by block.
LogicalResult RowGroup::lowerTyped(fact::MeanTokenOp op) {
  FailureOr<Staged> x = use(op.getInput());
  FailureOr<Storage> mean = lowering.storageOf(op.getResult());
  if (failed(x) || failed(mean))
    return failure();
  int64_t bytes = x->layout.rowBytes;
  Value sum = before([&] { return lowering.sram(Memory::Temp, bytes, "sum"); });
  forEachPiece(bytes / 4, [&](int64_t first, int64_t count, Value row) {
    ApuColumnSumOp::create(builder, op.getLoc(), sum,
                           lowering.view(x->buffer, first * bytes), row, count,
                           bytes / 4, bytes);
  });
  afterLoop.push_back([this, op, sum, bytes, to = *mean]() mutable {
    lowering.loc = op->getLoc();
    Value row = lowering.sram(Memory::Temp, bytes, "mean_token");
    ApuMeanOp::create(builder, lowering.loc, row, sum, bytes / 4);
    lowering.storeRows(to, row, lowering.index(0), lowering.index(0), 1);
  });
  return success();
}

LogicalResult RowGroup::lowerTyped(fact::ActivationOp op) {
  FailureOr<Staged> x = use(op.getInput());
  if (failed(x))
    return failure();
  FailureOr<Staged> y =
      defineOver(op, op.getInput(), *x, Memory::Temp, "activated");
  if (failed(y))
    return failure();
  int64_t n = x->layout.rowBytes / 4;
  ApuActivationOp::create(
      builder, op.getLoc(), y->buffer, x->buffer, row0, rows, n, n * 4, n * 4,
      ::fact::numerics::asActivation<Activation>(op.getKind()));
  return finish(op.getResult());
}

/// What two streams of rows make, element by element.
template <typename Instruction, typename Op>
LogicalResult RowGroup::lowerPair(Op op, StringRef label) {
  FailureOr<Staged> a = use(op.getLhs()), b = use(op.getRhs());
  if (failed(a) || failed(b))
    return failure();
  FailureOr<Staged> y = defineOver(op, op.getLhs(), *a, Memory::Token, label);
  if (failed(y))
    return failure();
  int64_t n = a->layout.rowBytes / 4;
  Instruction::create(builder, op.getLoc(), y->buffer, a->buffer, b->buffer,
                      row0, rows, n, n * 4, n * 4, n * 4);
  return finish(op.getResult());
}

LogicalResult RowGroup::lowerTyped(fact::AddOp op) {
  return lowerPair<ApuAddOp>(op, "sum");
}

LogicalResult RowGroup::lowerTyped(fact::MultiplyOp op) {
  return lowerPair<ApuMultiplyOp>(op, "product");
}

void RowGroup::quantize(fact::QuantizeRowsOp op, const Staged &x, Value q,
                        Value scale, Value low) {
  int64_t n = x.layout.rowBytes / 4;
  bool hasLow = !low.getDefiningOp<NullOp>();
  forEachPiece(n, [&](int64_t first, int64_t count, Value row) {
    ApuQuantizeOp::create(
        builder, op.getLoc(), lowering.view(q, first * n),
        lowering.view(scale, first * 4), lowering.view(x.buffer, first * n * 4),
        lowering.null(), hasLow ? lowering.view(low, first) : low,
        maximum(op, 0, first), row, count, n, n, n * 4);
  });
}

LogicalResult RowGroup::lowerTyped(fact::QuantizeRowsOp op) {
  FailureOr<Staged> x = use(op.getInput());
  FailureOr<Value> low = lowFlags(op.getLow());
  if (failed(x) || failed(low))
    return failure();
  FailureOr<Staged> q = define(op.getQuantized(), Memory::Token, "rows"),
                    scale = define(op.getScale(), Memory::Index, "row_scale");
  if (failed(q) || failed(scale))
    return failure();
  quantize(op, *x, q->buffer, scale->buffer, *low);
  if (const SpeculatedRows *speculated = lowering.speculationOf(op))
    quantizeLow(op, *x, *speculated);
  return failure(failed(finish(op.getQuantized())) ||
                 failed(finish(op.getScale())));
}

LogicalResult RowGroup::lowerTyped(fact::QuantizeHeadsOp op) {
  FailureOr<Staged> x = use(op.getInput());
  if (failed(x))
    return failure();
  FailureOr<Staged> q = define(op.getQuantized(), Memory::Temp, "heads"),
                    scale = define(op.getScale(), Memory::Index, "head_scale");
  if (failed(q) || failed(scale))
    return failure();
  int64_t features = q->layout.rowBytes, heads = op.getHeads(),
          n = features / heads;
  auto ofHead = [&](int64_t head, Value list) {
    ApuQuantizeOp::create(
        builder, op.getLoc(), lowering.view(q->buffer, head * n),
        scale->plane(lowering, head), lowering.view(x->buffer, head * n * 4),
        list, lowering.null(), maximum(op, head), row0, rows, n, features,
        features * 4);
  };
  if (failed(forEachHead(op.getRows(), heads, ofHead)))
    return failure();
  return failure(failed(finish(op.getQuantized())) ||
                 failed(finish(op.getScale())));
}
