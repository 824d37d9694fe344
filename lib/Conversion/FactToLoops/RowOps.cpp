//===- RowOps.cpp - Layer norm, activations, residual addition, mean token ===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "Rules.h"

#include "fact/Numerics/FloatRules.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

FailureOr<int64_t> loops::knownWidth(Operation *op, Value value) {
  int64_t width = cast<ShapedType>(value.getType()).getDimSize(1);
  if (!ShapedType::isDynamic(width) && width > 0)
    return width;
  InFlightDiagnostic diagnostic =
      op->emitOpError("needs a known number of features to become loops");
  if (value.getDefiningOp() != op)
    diagnostic.attachNote(value.getLoc())
        << "a value of type " << value.getType() << " comes from here";
  return diagnostic;
}

/// The rows of a result that has as many of them as `like`.
static SmallVector<Value> openRows(Emitter &e, Value tensor, Value like) {
  SmallVector<Value> sizes;
  if (cast<ShapedType>(tensor.getType()).isDynamicDim(0))
    sizes.push_back(e.dim(like, 0));
  return sizes;
}

void loops::forEachSlice(Emitter &e, Value length, int64_t heads, Value rows,
                         llvm::function_ref<void(Value, Value)> body) {
  e.forRange(length, [&](Value row) {
    auto ofHead = [&](Value head) {
      if (rows)
        e.ifThen(e.load(rows, {head, row}), [&] { body(row, head); });
      else
        body(row, head);
    };
    if (heads == 1)
      ofHead(e.index(0));
    else
      e.forRange(e.index(heads), ofHead);
  });
}

void loops::forEachMember(Emitter &e, Value group, int64_t members,
                          llvm::function_ref<void(Value)> body) {
  if (members == 1)
    return body(group);
  e.forRange(e.index(members),
             [&](Value member) { body(e.add(e.mul(group, members), member)); });
}

void loops::forEachGroup(Emitter &e, int64_t heads, int64_t groups,
                         llvm::function_ref<void(Value)> begin,
                         llvm::function_ref<void(Value)> body) {
  e.forRange(e.index(groups), [&](Value group) {
    begin(group);
    forEachMember(e, group, heads / groups, body);
  });
}

LogicalResult loops::lower(NormOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> features = knownWidth(op, op.getInput());
  if (failed(features))
    return failure();
  auto heads = static_cast<int64_t>(op.getHeads().value_or(1));
  int64_t width = *features / heads;
  Value x = e.buffer(op.getInput()), gamma = e.buffer(op.getGamma()),
        beta = e.buffer(op.getBeta()), rows = e.buffer(op.getRows());
  Value y = e.allocResult(op.getResult(), openRows(e, op.getResult(), x));
  Real n = e.f32(static_cast<float>(width)),
       epsilon = e.f32(op.getEps().convertToFloat());
  forEachSlice(e, e.dim(x, 0), heads, rows, [&](Value row, Value head) {
    Value first = e.mul(head, width);
    // A lane that has no element adds +0.
    auto laneSums = [&](llvm::function_ref<Real(Value, int64_t)> term) {
      Real sums = e.f32(
          e.reduceChunks(width, {e.zeros().value},
                         [&](Value offset, int64_t chunk, ValueRange carried) {
                           return SmallVector<Value>{
                               (e.f32(carried[0]) + term(offset, chunk)).value};
                         })[0]);
      return e.sumTree(sums);
    };
    bool isCentred = op.getKind() == Norm::Layer;
    Real means = e.zeros();
    if (isCentred)
      means = e.splatReal(laneSums([&](Value offset, int64_t chunk) {
                            return e.loadReal(x, {row, e.add(first, offset)},
                                              chunk);
                          }) /
                          n);
    auto load = [&](Value offset, int64_t chunk) {
      Real element = e.loadReal(x, {row, e.add(first, offset)}, chunk);
      return isCentred ? element - means : element;
    };
    Real squares = laneSums([&](Value offset, int64_t chunk) {
      Real centred = load(offset, chunk);
      Real square = centred * centred;
      if (chunk == lanes || !isCentred)
        return square;
      // The lanes past the row hold -mean: take them out.
      SmallVector<bool> inside(lanes, false);
      std::fill(inside.begin(), inside.begin() + chunk, true);
      Value mask = arith::ConstantOp::create(
          e.b, cast<TypedAttr>(cast<Attribute>(
                   DenseElementsAttr::get(e.vectorOf(e.i1), inside))));
      return select(RealMask{mask}, square, e.zeros());
    });
    Real inverse = e.splatReal(numerics::inverseDeviation(squares, n, epsilon));
    e.forChunks(width, [&](Value offset, int64_t chunk) {
      Real normal = numerics::normalize(load(offset, chunk), inverse,
                                        e.loadReal(gamma, offset, chunk));
      if (beta)
        normal = normal + e.loadReal(beta, offset, chunk);
      e.storeChunk(normal, y, {row, e.add(first, offset)}, chunk);
    });
  });
  results.push_back(y);
  return success();
}

/// Pairs of features of a row from `first` on, in vectors where they lie side
/// by side.
static void rotatePairs(Emitter &e, RotateOp op, int64_t pairs, Value x,
                        Value y, Value cos, Value sin, Value row, Value first) {
  auto rotate = [&](Value table, Value one, Value other, auto load,
                    auto store) {
    Real a = load(x, one), b = load(x, other), c = load(cos, table),
         s = load(sin, table);
    store(numerics::rotatedFirst(a, b, c, s), one);
    store(numerics::rotatedSecond(a, b, c, s), other);
  };
  if (op.getStyle() == RotaryStyle::Half) {
    e.forChunks(pairs, [&](Value offset, int64_t chunk) {
      Value one = e.add(first, offset);
      rotate(
          offset, one, e.add(one, pairs),
          [&](Value from, Value column) {
            return e.loadReal(from, {row, column}, chunk);
          },
          [&](const Real &value, Value column) {
            e.storeChunk(value, y, {row, column}, chunk);
          });
    });
    return;
  }
  e.forRange(e.index(pairs), [&](Value pair) {
    Value one = e.add(first, e.mul(pair, 2));
    rotate(
        pair, one, e.add(one, 1),
        [&](Value from, Value column) {
          return e.loadScalar(from, {row, column});
        },
        [&](const Real &value, Value column) {
          e.store(value, y, {row, column});
        });
  });
}

LogicalResult loops::lower(RotateOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> features = knownWidth(op, op.getInput()),
                     pairs = knownWidth(op, op.getCos());
  if (failed(features) || failed(pairs))
    return failure();
  auto heads = static_cast<int64_t>(op.getHeads());
  int64_t width = *features / heads, rotated = 2 * *pairs;
  Value x = e.buffer(op.getInput()), rows = e.buffer(op.getRows()),
        cos = e.buffer(op.getCos()), sin = e.buffer(op.getSin());
  Value y = e.allocResult(op.getResult(), openRows(e, op.getResult(), x));
  forEachSlice(e, e.dim(x, 0), heads, rows, [&](Value row, Value head) {
    Value first = e.mul(head, width);
    rotatePairs(e, op, *pairs, x, y, cos, sin, row, first);
    if (rotated < width)
      e.forChunks(width - rotated, [&](Value offset, int64_t chunk) {
        Value column = e.add(e.add(first, rotated), offset);
        e.storeChunk(e.loadChunk(x, {row, column}, chunk), y, {row, column},
                     chunk);
      });
  });
  results.push_back(y);
  return success();
}

LogicalResult loops::lower(RescaleOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value h = e.buffer(op.getInput()), scale = e.buffer(op.getScale()),
        weightScale = e.buffer(op.getWeightScale()),
        bias = e.buffer(op.getBias());
  Value y = e.allocResult(op.getResult(), openRows(e, op.getResult(), h));
  Real ofWeight = e.splatReal(e.load(weightScale, {}));
  e.forRange(e.dim(h, 0), [&](Value row) {
    Real ofRow = e.splatReal(e.load(scale, row));
    e.forChunks(*width, [&](Value offset, int64_t chunk) {
      Real sums = fromInteger(e.real, e.loadChunk(h, {row, offset}, chunk));
      Real result = numerics::rescale(sums, ofWeight, ofRow);
      if (bias)
        result = result + e.loadReal(bias, offset, chunk);
      e.storeChunk(result, y, {row, offset}, chunk);
    });
  });
  results.push_back(y);
  return success();
}

LogicalResult loops::lower(ActivationOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getInput());
  Value y = e.allocResult(op.getResult(), openRows(e, op.getResult(), x));
  e.forRange(e.dim(x, 0), [&](Value row) {
    e.forChunks(*width, [&](Value offset, int64_t chunk) {
      e.storeChunk(activate(op.getKind(), e.loadReal(x, {row, offset}, chunk)),
                   y, {row, offset}, chunk);
    });
  });
  results.push_back(y);
  return success();
}

/// What two streams of rows make, element by element.
template <typename Op>
static LogicalResult
lowerPairs(Op op, Emitter &e, Results &results,
           llvm::function_ref<Real(const Real &, const Real &)> of) {
  FailureOr<int64_t> width = knownWidth(op, op.getLhs());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getLhs()), z = e.buffer(op.getRhs());
  Value y = e.allocResult(op.getResult(), openRows(e, op.getResult(), x));
  e.forRange(e.dim(x, 0), [&](Value row) {
    e.forChunks(*width, [&](Value offset, int64_t chunk) {
      e.storeChunk(of(e.loadReal(x, {row, offset}, chunk),
                      e.loadReal(z, {row, offset}, chunk)),
                   y, {row, offset}, chunk);
    });
  });
  results.push_back(y);
  return success();
}

LogicalResult loops::lower(AddOp op, Emitter &e, Results &results) {
  return lowerPairs(op, e, results,
                    [](const Real &a, const Real &b) { return a + b; });
}

LogicalResult loops::lower(MultiplyOp op, Emitter &e, Results &results) {
  return lowerPairs(op, e, results,
                    [](const Real &a, const Real &b) { return a * b; });
}

LogicalResult loops::lower(MeanTokenOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getInput());
  Value y = e.allocResult(op.getResult(), {});
  Value length = e.dim(x, 0);
  Real count = e.splatReal(fromInteger(e.real, e.fromIndex(length, e.i32)));
  e.forChunks(*width, [&](Value offset, int64_t chunk) {
    // Row order: ((a[0] + a[1]) + a[2]) + ...
    Value first = e.loadChunk(x, {e.index(0), offset}, chunk);
    Value sum = e.forReduce(
        e.index(1), length, 1, first, [&](Value row, ValueRange carried) {
          return SmallVector<Value>{
              (e.f32(carried[0]) + e.loadReal(x, {row, offset}, chunk)).value};
        })[0];
    e.storeChunk(e.f32(sum) / count, y, {e.index(0), offset}, chunk);
  });
  results.push_back(y);
  return success();
}
