//===- Pad.cpp - Elements around a tensor ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

namespace {

enum class PadMode { Constant, Reflect, Edge };

/// How many elements are added in each dimension.
struct Padding {
  PadMode mode;
  SmallVector<int64_t> before, after;
  Shape result;
};

} // namespace

static FailureOr<PadMode> readMode(NodeImport &node) {
  FailureOr<StringRef> mode = node.stringAttribute("mode", "constant");
  if (failed(mode))
    return failure();
  if (*mode == "constant")
    return PadMode::Constant;
  if (*mode == "reflect")
    return PadMode::Reflect;
  if (*mode == "edge")
    return PadMode::Edge;
  return node.fail("attribute 'mode' must be constant, reflect or edge (was '" +
                   *mode + "')");
}

/// The dimensions that pads are given for; from operator set 18 on they may be
/// an input.
static FailureOr<SmallVector<int64_t>> readAxes(NodeImport &node) {
  int64_t rank = node.input(0).rank();
  if (!node.hasInput(3))
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  FailureOr<SmallVector<int64_t>> axes = node.integers(3);
  if (failed(axes))
    return failure();
  return node.distinctAxes(*axes, rank);
}

/// Whether at most \p count elements can be reflected, or one repeated.
static bool fits(PadMode mode, int64_t count, Dim extent, int64_t bound) {
  std::optional<Dim> rest = mode == PadMode::Constant ? Dim(0)
                            : mode == PadMode::Edge
                                ? add(extent, Dim(-1))
                                : add(extent, Dim(-1 - count));
  return count == 0 || (rest && rest->isNonNegative(bound));
}

static FailureOr<Padding> readPadding(NodeImport &node) {
  const Shape &shape = node.input(0).shape;
  if (node.opset >= 11 && !node.hasInput(1))
    return node.fail("lacks its pads");
  FailureOr<PadMode> mode = readMode(node);
  FailureOr<SmallVector<int64_t>> axes = readAxes(node);
  FailureOr<SmallVector<int64_t>> pads =
      node.opset < 11 ? node.intsAttribute("pads") : node.integers(1);
  if (failed(mode) || failed(axes) || failed(pads))
    return failure();
  size_t count = axes->size(), rank = shape.size();
  if (pads->size() != 2 * count)
    return node.fail("must have " + Twine(2 * count) + " pads (has " +
                     Twine(pads->size()) + ")");
  Padding padding{*mode, SmallVector<int64_t>(rank, 0),
                  SmallVector<int64_t>(rank, 0), shape};
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = (*axes)[i], before = (*pads)[i], after = (*pads)[count + i];
    for (int64_t pad : {before, after})
      if (pad < 0 || pad > std::numeric_limits<int32_t>::max())
        return node.fail("pads must be 0 to 2^31 - 1 (one was " + Twine(pad) +
                         ")");
    std::optional<Dim> extent = add(shape[axis], Dim(before + after));
    if (!extent ||
        !fits(*mode, std::max(before, after), shape[axis], node.bound))
      return node.fail("pads of " + Twine(before) + " and " + Twine(after) +
                       " are too large for an extent of " + shape[axis].str());
    padding.before[axis] = before;
    padding.after[axis] = after;
    padding.result[axis] = *extent;
  }
  return padding;
}

/// The number around the tensor; 0 where none is given.
static FailureOr<TypedAttr> readNumber(NodeImport &node) {
  const ModelTensor &input = node.input(0);
  Type element = mlirType(input.type, node.loc.getContext());
  Builder builder(node.loc.getContext());
  if (node.opset < 11) {
    FailureOr<float> value = node.floatAttribute("value", 0);
    if (failed(value))
      return failure();
    return input.isFloat() ? node.emit.number(*value)
                           : cast<TypedAttr>(builder.getIntegerAttr(
                                 element, static_cast<int64_t>(*value)));
  }
  if (!node.hasInput(2))
    return cast<TypedAttr>(builder.getZeroAttr(element));
  const ModelTensor &value = node.input(2);
  if (value.isRuntime() || countOf(value.shape) != 1)
    return node.fail("its value must be one number that is known at compile "
                     "time");
  if (value.type != input.type)
    return node.fail("its value and its input differ in type");
  if (value.isFloats())
    return node.emit.number(value.data->floats().front());
  Dim number = value.integers.front();
  if (!number.isConstant())
    return node.fail("its value depends on the sequence length");
  return cast<TypedAttr>(builder.getIntegerAttr(element, number.offset));
}

/// The element of an extent (whose last one is \p last) that is read for
/// position \p at, which may lie outside.
static Value emitSource(OpBuilder &builder, Location loc, PadMode mode,
                        Value at, Value last) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  if (mode == PadMode::Edge) {
    at = arith::MaxSIOp::create(builder, loc, at, zero);
    return arith::MinSIOp::create(builder, loc, at, last);
  }
  auto magnitude = [&](Value x) -> Value {
    Value minus = arith::SubIOp::create(builder, loc, zero, x);
    return arith::MaxSIOp::create(builder, loc, x, minus);
  };
  Value fromEnd = arith::SubIOp::create(builder, loc, last, magnitude(at));
  return arith::SubIOp::create(builder, loc, last, magnitude(fromEnd));
}

static Value emitMirrored(NodeImport &node, const Padding &padding) {
  const Shape &shape = node.input(0).shape;
  Value value = node.anyValue(0);
  SmallVector<Value> last(shape.size());
  for (size_t i = 0; i < shape.size(); ++i)
    if (padding.result[i] != shape[i])
      last[i] = node.emit.index(node.loc,
                                Dim(shape[i].coefficient, shape[i].offset - 1));
  return node.emit.generate(
      node.loc, padding.result,
      mlirType(node.input(0).type, node.loc.getContext()),
      [&](OpBuilder &builder, Location loc, ValueRange at) -> Value {
        SmallVector<Value> from(at);
        for (size_t i = 0; i < from.size(); ++i) {
          if (!last[i])
            continue;
          Value first =
              arith::ConstantIndexOp::create(builder, loc, padding.before[i]);
          from[i] = arith::SubIOp::create(builder, loc, at[i], first);
          from[i] = emitSource(builder, loc, padding.mode, from[i], last[i]);
        }
        return tensor::ExtractOp::create(builder, loc, value, from);
      });
}

static LogicalResult importPad(NodeImport &node) {
  FailureOr<Padding> padding = readPadding(node);
  if (failed(padding))
    return failure();
  const ModelTensor &input = node.input(0);
  FailureOr<TypedAttr> number = readNumber(node);
  if (failed(number) || failed(node.checkSize(padding->result, "result")))
    return failure();
  if (padding->result == input.shape)
    return node.setResult(0, input);
  Value value = padding->mode == PadMode::Constant
                    ? node.emit.pad(node.loc, node.anyValue(0), input.shape,
                                    padding->result, padding->before, *number)
                    : emitMirrored(node, *padding);
  return node.setResult(value, padding->result);
}

llvm::ArrayRef<Operator> mlir::fact::padOperators() {
  static const Operator operators[] = {
      {"Pad", 2, 1, 4, importPad},
  };
  return operators;
}
