//===- ScoredHeads.cpp - The inside of fused attentions -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScoredHeads.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using Tensor = Composition::Tensor;

Tensor mlir::fact::splitHeads(Composition &op, Tensor x, int64_t heads,
                              const Twine &what) {
  if (op.failed())
    return nullptr;
  if (x->rank() != 3)
    return op.fail(what + " must have three dimensions (is " + str(x->shape) +
                   ")");
  std::optional<Dim> size;
  if (heads > 0)
    size = divide(x->shape[2], Dim(heads));
  if (!size)
    return op.fail(what + " of shape " + str(x->shape) +
                   " does not divide into " + Twine(heads) + " heads");
  Tensor split = op.reshape(x, {x->shape[0], x->shape[1], Dim(heads), *size});
  return op.transpose(split, {0, 2, 1, 3});
}

Tensor mlir::fact::mergeHeads(Composition &op, Tensor x) {
  if (op.failed())
    return nullptr;
  std::optional<Dim> width = multiply(x->shape[1], x->shape[3]);
  if (!width)
    return op.fail("result is too large");
  return op.reshape(op.transpose(x, {0, 2, 1, 3}),
                    {x->shape[0], x->shape[2], *width});
}

Tensor mlir::fact::repeatHeads(Composition &op, Tensor x, int64_t times) {
  if (op.failed() || times == 1)
    return x;
  const Shape &shape = x->shape;
  Tensor grouped = op.unsqueeze(x, {Dim(2)});
  Tensor repeated =
      op("Expand", {grouped, op.integers({shape[0], shape[1], Dim(times),
                                          shape[2], shape[3]})});
  std::optional<Dim> heads = multiply(shape[1], Dim(times));
  if (!heads)
    return op.fail("has too many heads");
  return op.reshape(repeated, {shape[0], *heads, shape[2], shape[3]});
}

bool mlir::fact::checkHeads(Composition &op, Tensor q, Tensor k, Tensor v) {
  if (op.failed())
    return false;
  bool fits = q->rank() == 4 && k->rank() == 4 && v->rank() == 4;
  fits = fits && q->shape[0] == k->shape[0] && q->shape[0] == v->shape[0] &&
         k->shape[1] == v->shape[1] && k->shape[2] == v->shape[2] &&
         q->shape[3] == k->shape[3];
  if (!fits)
    op.fail("heads of Q, K and V do not belong together: " + str(q->shape) +
            ", " + str(k->shape) + " and " + str(v->shape));
  return fits;
}

Tensor mlir::fact::maskOf(Composition &op, Tensor keeps, float hidden) {
  return op("Where", {keeps, op.number(0), op.number(hidden)});
}

Tensor mlir::fact::causalMask(Composition &op, Dim rows, Dim columns,
                              float hidden) {
  auto yes = std::make_shared<::fact::onnx::Tensor>();
  yes->type = ElementType::Bool;
  yes->shape = {1};
  yes->data = std::string(1, '\1');
  Tensor all =
      op("ConstantOfShape", {op.integers({rows, columns})}, {{"value", yes}});
  return maskOf(op, op("Trilu", {all}, {{"upper", 0}}), hidden);
}

Tensor mlir::fact::addMask(Composition &op, Tensor scores, Tensor mask,
                           StringRef what) {
  if (op.failed())
    return nullptr;
  std::string why;
  std::optional<Shape> both = broadcastShapes(scores->shape, mask->shape, why);
  if (!both || *both != scores->shape)
    return op.fail(what + " of shape " + str(mask->shape) +
                   " does not fit scores of " + str(scores->shape));
  return op.add(scores, mask);
}

Tensor mlir::fact::weigh(Composition &op, Tensor scores, Tensor v) {
  return op.matmul(op("Softmax", {scores}), v);
}
