//===- Quantized.cpp - Operators on 8-bit integers ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Quantized tensors of the run time are floats that hold the integers; weights
// become the floats that they stand for.
//
//===----------------------------------------------------------------------===//

#include "Compose.h"
#include "Constants.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using Tensor = Composition::Tensor;

namespace {

/// Scale and zero point as floats; of many elements they are in the shape that
/// broadcasts along the axis.
struct Grid {
  Tensor scale = nullptr, zero = nullptr;
  /// The type of the zero point (of the quantized tensor, where there is none).
  ElementType type = ElementType::Uint8;
};

} // namespace

/// Floats that are known when the model is compiled.
static std::optional<std::vector<float>> known(Tensor tensor) {
  if (tensor && tensor->isFloats())
    return tensor->data->floats();
  return std::nullopt;
}

/// A scale or zero point for elements of \p shape.
static Tensor alongAxis(Composition &op, Tensor x, const Shape &shape,
                        std::optional<int64_t> axis) {
  x = asFloats(op, x);
  if (op.failed())
    return nullptr;
  bool isOne = llvm::all_of(x->shape, [](Dim d) { return d.isConstant(1); });
  if (isOne && x->rank() <= 1)
    return x->shape.empty() ? x : op.reshape(x, {});
  if (x->rank() != 1 || !axis || x->shape[0] != shape[*axis])
    return op.fail("scale or zero point of shape " + str(x->shape) +
                   " does not fit " + str(shape));
  Shape spread(shape.size() - *axis, Dim(1));
  spread.front() = x->shape[0];
  return op.reshape(x, spread);
}

/// Inputs 1 and 2 of QuantizeLinear and DequantizeLinear.
static FailureOr<Grid> readGrid(Composition &op, ElementType type) {
  NodeImport &node = op.node;
  FailureOr<int64_t> given = node.intAttribute("axis", 1),
                     block = node.intAttribute("block_size", 0);
  if (failed(given) || failed(block))
    return failure();
  if (*block)
    return node.fail("is blocked ('block_size'), which is not supported");
  const Shape &shape = node.input(0).shape;
  std::optional<int64_t> axis;
  auto rank = static_cast<int64_t>(shape.size());
  if (*given >= -rank && *given < rank)
    axis = *given < 0 ? *given + rank : *given;
  Grid grid;
  if (!node.input(1).isFloat())
    return node.fail("scale must hold floats");
  grid.scale = alongAxis(op, op.input(1), shape, axis);
  grid.type = type;
  if (op.input(2)) {
    if (!op.input(2)->isFloat())
      grid.type = op.input(2)->type;
    grid.zero = alongAxis(op, op.input(2), shape, axis);
  }
  // A zero point of zeros is none.
  if (std::optional<std::vector<float>> zeros = known(grid.zero))
    if (llvm::all_of(*zeros, [](float each) { return each == 0; }))
      grid.zero = nullptr;
  if (op.failed())
    return failure();
  return grid;
}

/// The constant whose elements are \p rule of those of \p x and of the grid;
/// null where something is of the run time.
template <typename Rule>
static Tensor foldGrid(Composition &op, Tensor x, const Grid &grid, Rule rule) {
  std::optional<std::vector<float>> values = known(x), zeros = known(grid.zero);
  std::optional<std::vector<float>> scales = known(grid.scale);
  if (!values || !scales || (grid.zero && !zeros))
    return nullptr;
  for (size_t i = 0; i < values->size(); ++i) {
    float scale = (*scales)[broadcastIndex(i, x->shape, grid.scale->shape)];
    float zero =
        zeros ? (*zeros)[broadcastIndex(i, x->shape, grid.zero->shape)] : 0;
    (*values)[i] = rule((*values)[i], scale, zero);
  }
  SmallVector<int64_t> extents;
  for (Dim dim : x->shape)
    extents.push_back(dim.offset);
  return op.keep(ModelTensor::constant(extents, std::move(*values)));
}

/// (x - zero) * scale.
static LogicalResult importDequantize(NodeImport &node) {
  Composition op(node);
  // Of 32 bits only the difference need not be exact in floats: such tensors
  // are biases, without a zero point.
  FailureOr<Grid> grid = readGrid(op, node.input(0).type);
  node.ignoreAttribute("output_dtype");
  Tensor x = asFloats(op, op.input(0));
  if (failed(grid) || op.failed())
    return failure();
  if (grid->zero && node.input(0).type == ElementType::Int32)
    return node.fail("has a zero point for int32, which is not supported");
  if (Tensor folded =
          foldGrid(op, x, *grid, [](float x, float scale, float zero) {
            return (x - zero) * scale;
          }))
    return op.setResult(folded);
  if (grid->zero)
    x = op.subtract(x, grid->zero);
  return op.setResult(op.multiply(x, grid->scale));
}

/// What the quantized type holds.
static std::optional<std::pair<float, float>> limitsOf(ElementType type) {
  if (type == ElementType::Uint8)
    return std::make_pair(0.0f, 255.0f);
  if (type == ElementType::Int8)
    return std::make_pair(-128.0f, 127.0f);
  return std::nullopt;
}

/// x / scale to the nearest integer (ties to even) plus zero, inside of the
/// type's limits.
static LogicalResult importQuantize(NodeImport &node) {
  FailureOr<int64_t> named = node.intAttribute("output_dtype", 0);
  node.ignoreAttribute("saturate");
  node.ignoreAttribute("precision");
  if (failed(named))
    return failure();
  if (!node.input(0).isFloat())
    return node.fail("is supported on floats only");
  Composition op(node);
  auto given = *named ? static_cast<ElementType>(*named) : ElementType::Uint8;
  FailureOr<Grid> grid = readGrid(op, given);
  if (failed(grid))
    return failure();
  std::optional<std::pair<float, float>> limits = limitsOf(grid->type);
  if (!limits)
    return node.fail("makes " + ::fact::onnx::elementTypeName(grid->type) +
                     ", which is not supported");
  float least = limits->first, most = limits->second;
  Tensor x = op.input(0);
  if (Tensor folded =
          foldGrid(op, x, *grid, [&](float x, float scale, float zero) {
            return std::clamp(std::nearbyint(x / scale) + zero, least, most);
          }))
    return op.setResult(folded);
  x = op("Round", {op.divide(x, grid->scale)});
  if (grid->zero)
    x = op.add(x, grid->zero);
  return op.setResult(op("Clip", {x, op.number(least), op.number(most)}));
}

/// Scale and zero point from the least and largest element, which include 0.
static LogicalResult importDynamicQuantize(NodeImport &node) {
  if (!node.input(0).isFloat())
    return node.fail("is supported on floats only");
  Composition op(node);
  Tensor x = op.input(0), zero = op.number(0), most = op.number(255);
  auto extreme = [&](StringRef reduction, StringRef choice) {
    Tensor found = op(reduction, {x}, {{"keepdims", 0}});
    return op(choice, {found, zero});
  };
  Tensor low = extreme("ReduceMin", "Min"), high = extreme("ReduceMax", "Max");
  Tensor range = op.subtract(high, low);
  // Of zeros alone any scale will do; ONNX Runtime takes 1.
  Tensor scale = op("Where", {op("Equal", {range, zero}), op.number(1),
                              op.divide(range, most)});
  Tensor point = op.subtract(zero, op.divide(low, scale));
  point = op("Round", {op("Clip", {point, zero, most})});
  Tensor rounded = op("Round", {op.divide(x, scale)});
  Tensor result = op("Clip", {op.add(rounded, point), zero, most});
  if (failed(op.setResult(scale, 1)) || failed(op.setResult(point, 2)))
    return failure();
  return op.setResult(result);
}

/// An operand of MatMulInteger without its zero point. One of many elements is
/// for the rows of A or the columns of B.
static Tensor centred(Composition &op, size_t i) {
  Tensor x = asFloats(op, op.input(i)), zero = op.input(i + 2);
  if (op.failed() || !zero)
    return x;
  zero = asFloats(op, zero);
  if (op.failed())
    return nullptr;
  bool isOne = zero->shape.empty() ||
               (zero->rank() == 1 && zero->shape[0].isConstant(1));
  if (!isOne && zero->rank() == 1 && i == 0)
    zero = op.unsqueeze(zero, {Dim(1)});
  std::string why;
  std::optional<Shape> both =
      op.failed() ? std::nullopt : broadcastShapes(x->shape, zero->shape, why);
  if (!both || *both != x->shape)
    return op.fail("zero point '" + op.node.node.inputs[i + 2] +
                   "' does not fit " + str(x->shape));
  // Constants keep being such, however large: a product with a weight is one.
  Grid grid{op.number(1), zero};
  if (Tensor folded = foldGrid(
          op, x, grid, [](float x, float, float zero) { return x - zero; }))
    return folded;
  return op.subtract(x, zero);
}

/// The sums are those of floats: exact up to 2^24.
static LogicalResult importMatMulInteger(NodeImport &node) {
  Composition op(node);
  Tensor a = centred(op, 0), b = centred(op, 1);
  return op.setResult(op.matmul(a, b));
}

llvm::ArrayRef<Operator> mlir::fact::quantizedOperators() {
  static const Operator operators[] = {
      {"DequantizeLinear", 10, 2, 3, importDequantize},
      {"DynamicQuantizeLinear", 11, 1, 1, importDynamicQuantize},
      {"MatMulInteger", 10, 2, 4, importMatMulInteger},
      {"QuantizeLinear", 10, 2, 3, importQuantize},
      {"DequantizeLinear", 1, 2, 3, importDequantize, "com.microsoft"},
      {"QuantizeLinear", 1, 2, 3, importQuantize, "com.microsoft"},
  };
  return operators;
}
