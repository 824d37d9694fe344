//===- Rotary.cpp - Rotary position embeddings ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

using namespace mlir;
using namespace mlir::fact;
using Tensor = Composition::Tensor;

namespace {

/// One of the two tables of angles, for the positions of the input and along
/// the dimension of heads: [B, L, half] with a 1 at \p headAxis.
Tensor anglesOf(Composition &op, size_t table, Tensor positions, Dim half,
                const Shape &input, int64_t headAxis) {
  Tensor angles = op.input(table);
  if (positions && angles->rank() != 2)
    return op.fail("table of angles must be a matrix (is " +
                   str(angles->shape) + ")");
  if (positions)
    angles = op("Gather", {angles, positions});
  if (op.failed())
    return nullptr;
  Dim length = input[headAxis == 1 ? 2 : 1];
  if (angles->rank() == 3 && angles->isFixed() &&
      countsTokens(angles->shape[1], length, op.node.fixedLength))
    angles = op.slice(angles, 1, Dim(0), length);
  if (op.failed())
    return nullptr;
  const Shape &shape = angles->shape;
  if (shape.size() != 3 || shape[0] != input[0] || shape[1] != length ||
      shape[2] != half)
    return op.fail("angles of shape " + str(shape) +
                   " do not fit the input, which needs " +
                   str({input[0], length, half}));
  return op.unsqueeze(angles, {Dim(headAxis)});
}

/// x * cos + (-right half, left half) * sin: what models write that know no
/// such operator.
Tensor rotateHalves(Composition &op, Tensor x, Tensor cos, Tensor sin,
                    int64_t half) {
  Tensor left = op.slice(x, 3, Dim(0), Dim(half));
  Tensor right = op.slice(x, 3, Dim(half), Dim(2 * half));
  Tensor turned = op.concat({op("Neg", {right}), left}, 3);
  Tensor first = op.multiply(x, op.concat({cos, cos}, 3));
  return op.add(first, op.multiply(turned, op.concat({sin, sin}, 3)));
}

/// The same of neighbours: elements 2i and 2i + 1 turn together.
Tensor rotatePairs(Composition &op, Tensor x, Tensor cos, Tensor sin,
                   int64_t half) {
  Tensor even = op.slice(x, 3, Dim(0), Dim(2 * half), 2);
  Tensor odd = op.slice(x, 3, Dim(1), Dim(2 * half), 2);
  if (op.failed())
    return nullptr;
  Shape pair = even->shape;
  pair.push_back(Dim(1));
  Tensor real = op.subtract(op.multiply(even, cos), op.multiply(odd, sin));
  Tensor imaginary = op.add(op.multiply(even, sin), op.multiply(odd, cos));
  Tensor pairs =
      op.concat({op.reshape(real, pair), op.reshape(imaginary, pair)}, 4);
  return op.reshape(pairs, x->shape);
}

} // namespace

/// A rotary embedding of [B, N, L, h] or [B, L, N * h]; \p cos is the input of
/// the first of two tables of angles, the other one follows.
static LogicalResult importTurned(NodeImport &node, size_t cosTable,
                                  size_t positionsAt) {
  FailureOr<int64_t> interleaved = node.intAttribute("interleaved", 0),
                     given = node.intAttribute("rotary_embedding_dim", 0),
                     heads = node.intAttribute("num_heads", 0);
  if (failed(interleaved) || failed(given) || failed(heads))
    return failure();
  Composition op(node);
  Tensor x = op.input(0);
  bool isMerged = x->rank() == 3;
  if (!isMerged && x->rank() != 4)
    return node.fail("input must have three or four dimensions (is " +
                     str(x->shape) + ")");
  if (isMerged) {
    std::optional<Dim> size;
    if (*heads > 0)
      size = divide(x->shape[2], Dim(*heads));
    if (!size)
      return node.fail("input of shape " + str(x->shape) +
                       " does not divide into " + Twine(*heads) +
                       " heads ('num_heads')");
    x = op.reshape(x, {x->shape[0], x->shape[1], Dim(*heads), *size});
  }
  if (op.failed())
    return failure();
  Dim size = x->shape[3];
  int64_t turned = *given ? *given : size.offset;
  if (!size.isConstant() || turned <= 0 || turned % 2 || turned > size.offset)
    return node.fail("cannot turn " + Twine(turned) + " elements of heads of " +
                     size.str());
  int64_t half = turned / 2, headAxis = isMerged ? 2 : 1;
  Tensor positions = op.input(positionsAt);
  Tensor cos = anglesOf(op, cosTable, positions, Dim(half), x->shape, headAxis);
  Tensor sin =
      anglesOf(op, cosTable + 1, positions, Dim(half), x->shape, headAxis);
  Tensor part = turned == size.offset ? x : op.slice(x, 3, Dim(0), Dim(turned));
  Tensor result = *interleaved ? rotatePairs(op, part, cos, sin, half)
                               : rotateHalves(op, part, cos, sin, half);
  if (turned != size.offset)
    result = op.concat({result, op.slice(x, 3, Dim(turned), size)}, 3);
  if (isMerged)
    result = op.reshape(result, node.input(0).shape);
  return op.setResult(result);
}

/// Inputs: rows, two tables of angles, positions.
static LogicalResult importRotary(NodeImport &node) {
  return importTurned(node, 1, 3);
}

/// Inputs: rows, positions of each token, two tables of angles.
static LogicalResult importFusedRotary(NodeImport &node) {
  FailureOr<int64_t> isPacked = node.intAttribute("is_packed_batching", 0);
  FailureOr<float> scale = node.floatAttribute("scale", 1.0f);
  if (failed(isPacked) || failed(scale))
    return failure();
  if (*isPacked || *scale != 1)
    return node.fail("packed batches and scales are not supported");
  if (node.input(1).rank() != 2)
    return node.fail("needs the positions of all tokens, [batch, tokens] (are "
                     "of shape " +
                     str(node.input(1).shape) + ")");
  return importTurned(node, 2, 1);
}

llvm::ArrayRef<Operator> mlir::fact::rotaryOperators() {
  static const Operator operators[] = {
      {"RotaryEmbedding", 23, 3, 4, importRotary},
      {"RotaryEmbedding", 1, 4, 4, importFusedRotary, "com.microsoft"},
  };
  return operators;
}
