//===- RowOps.cpp - Layer norm, activations, residual addition, mean token ===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

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

LogicalResult loops::lower(NormOp op, Emitter &e, Results &results) {
  FailureOr<int64_t> width = knownWidth(op, op.getInput());
  if (failed(width))
    return failure();
  Value x = e.buffer(op.getInput()), gamma = e.buffer(op.getGamma()),
        beta = e.buffer(op.getBeta());
  Value y = e.allocResult(op.getResult(), openRows(e, op.getResult(), x));
  Real n = e.f32(static_cast<float>(*width)),
       epsilon = e.f32(op.getEps().convertToFloat());
  e.forRange(e.dim(x, 0), [&](Value row) {
    // A lane that has no element adds +0.
    auto laneSums = [&](llvm::function_ref<Real(Value, int64_t)> term) {
      Real sums = e.f32(
          e.reduceChunks(*width, {e.zeros().value},
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
                            return e.loadReal(x, {row, offset}, chunk);
                          }) /
                          n);
    auto load = [&](Value offset, int64_t chunk) {
      Real element = e.loadReal(x, {row, offset}, chunk);
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
    e.forChunks(*width, [&](Value offset, int64_t chunk) {
      Real normal = numerics::normalize(load(offset, chunk), inverse,
                                        e.loadReal(gamma, offset, chunk));
      if (beta)
        normal = normal + e.loadReal(beta, offset, chunk);
      e.storeChunk(normal, y, {row, offset}, chunk);
    });
  });
  results.push_back(y);
  return success();
}

static Real activate(Activation kind, const Real &x) {
  switch (kind) {
  case Activation::Gelu:
    return numerics::gelu(x);
  case Activation::GeluTanh:
    return numerics::geluTanh(x);
  case Activation::QuickGelu:
    return numerics::quickGelu(x);
  case Activation::Swish:
    return numerics::swish(x);
  case Activation::Relu:
    return numerics::relu(x);
  }
  llvm_unreachable("unknown activation");
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
