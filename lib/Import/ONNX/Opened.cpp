//===- Opened.cpp - A length that the model fixes, open nevertheless ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model for sequences of 128 tokens has that number in its reshapes, and
// constants with 128 rows. With its own length everything here is as it was.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "NodeImport.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::fact;

/// The number of an extent for that length.
static int64_t at(Dim dim, int64_t length) {
  std::optional<Dim> value = multiply(Dim(dim.coefficient), Dim(length));
  value = value ? add(*value, Dim(dim.offset)) : value;
  return value ? value->offset : 0;
}

/// The elements of `extents` (an open one among them) as the extents `target`,
/// which are as many at that length; none where that cannot be said.
static std::optional<SmallVector<Dim>>
distribute(llvm::ArrayRef<Dim> extents, llvm::ArrayRef<int64_t> target,
           int64_t length) {
  Product all;
  for (Dim dim : extents)
    if (!all.multiply(dim))
      return std::nullopt;
  std::optional<Dim> product = all.asDim();
  if (!product)
    return std::nullopt;
  if (target.size() == 1)
    return SmallVector<Dim>{*product};
  // One of the new extents has the length in it.
  if (product->offset != 0)
    return std::nullopt;
  SmallVector<Dim> result(target.begin(), target.end());
  for (auto [dim, extent] : llvm::zip(result, target)) {
    if (extent % length != 0)
      continue;
    dim = Dim(extent / length, 0);
    return result;
  }
  return std::nullopt;
}

SmallVector<Dim> mlir::fact::openedTarget(llvm::ArrayRef<Dim> from,
                                          llvm::ArrayRef<Dim> target,
                                          int64_t length) {
  SmallVector<Dim> result(target);
  SmallVector<int64_t> extents;
  int64_t count = 1, rest = 1;
  bool isHuge = false;
  auto multiplyBy = [&](int64_t &product, int64_t extent) {
    isHuge |= llvm::MulOverflow(product, extent, product);
  };
  std::optional<size_t> inferred;
  for (Dim dim : from)
    multiplyBy(count, at(dim, length));
  for (auto [i, dim] : llvm::enumerate(target)) {
    int64_t extent = at(dim, length);
    if (dim.isConstant(0) && i < from.size())
      extent = at(from[i], length);
    if (dim.isConstant(-1))
      inferred = i;
    else
      multiplyBy(rest, extent);
    extents.push_back(extent);
  }
  if (isHuge || count < 1 || rest < 1 || count % rest != 0)
    return result;
  if (inferred)
    extents[*inferred] = count / rest;
  // Groups of extents with as many elements, from the last ones on.
  size_t i = from.size(), j = extents.size();
  while (j > 0) {
    size_t endI = i, endJ = j;
    int64_t left = 1, right = 1;
    do {
      if (left <= right && i > 0)
        multiplyBy(left, at(from[--i], length));
      else if (j > 0)
        multiplyBy(right, extents[--j]);
      else
        return result;
      if (isHuge)
        return SmallVector<Dim>(target);
    } while (left != right || endI == i || endJ == j);
    auto old = from.slice(i, endI - i);
    bool isOpen = llvm::any_of(old, [](Dim dim) { return !dim.isConstant(); });
    auto distributed =
        isOpen ? distribute(old, llvm::ArrayRef(extents).slice(j, endJ - j),
                            length)
               : std::optional(SmallVector<Dim>(extents.begin() + j,
                                                extents.begin() + endJ));
    if (!distributed)
      return SmallVector<Dim>(target);
    llvm::copy(*distributed, result.begin() + j);
  }
  return result;
}

bool mlir::fact::countsTokens(Dim extent, Dim open, int64_t length) {
  return extent.isConstant() && !extent.isConstant(1) && !open.isConstant() &&
         extent.offset == at(open, length);
}

void mlir::fact::openInputs(NodeImport &node,
                            SmallVectorImpl<const ModelTensor *> &inputs,
                            std::list<ModelTensor> &own) {
  // Extents of the inputs, counted from the last one.
  SmallVector<Dim> open;
  for (const ModelTensor *input : inputs)
    for (auto [i, dim] : llvm::enumerate(llvm::reverse(input->shape))) {
      if (open.size() <= i)
        open.push_back(Dim(1));
      // An extent of rows that is as large by chance is not the length.
      if (!dim.isConstant() || (!input->isFixed() && open[i].isConstant(1)))
        open[i] = dim;
    }
  for (const ModelTensor *&input : inputs) {
    if (!input->isFixed())
      continue;
    Shape shape = input->shape;
    auto openAlong = [&](auto isLike) {
      for (auto [dim, other] : llvm::zip(llvm::reverse(shape), open))
        if (Dim all = other.isConstant() ? Dim(1, 0) : other;
            isLike(other) && countsTokens(dim, all, node.fixedLength))
          dim = all;
    };
    openAlong([](Dim other) { return !other.isConstant(); });
    if (shape == input->shape)
      continue;
    // Of a table for two tokens the other inputs may have only one.
    openAlong([](Dim other) { return other.isConstant(1); });
    SmallVector<Dim> begin(shape.size(), Dim(0));
    SmallVector<int64_t> steps(shape.size(), 1);
    ModelTensor cut = ModelTensor::runtime(
        node.emit.slice(node.loc, node.anyValue(*input), begin, shape, steps),
        shape);
    cut.type = input->type;
    cut.ofConstants = true;
    input = &own.emplace_back(std::move(cut));
  }
}
