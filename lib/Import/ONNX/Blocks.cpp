//===- Blocks.cpp - Blocks of places as channels, and back ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeImport.h"

using namespace mlir;
using namespace mlir::fact;

namespace {

/// The side of a block, and its number of elements.
struct BlockSize {
  int64_t side, elements;
};

} // namespace

static FailureOr<BlockSize> readBlock(NodeImport &node) {
  FailureOr<int64_t> size = node.intAttribute("blocksize", std::nullopt);
  if (failed(size))
    return failure();
  if (node.input(0).rank() != 4)
    return node.fail("input must have 4 dimensions (shape is " +
                     str(node.input(0).shape) + ")");
  constexpr int64_t largest = int64_t(1) << 20;
  if (*size < 1 || *size > largest)
    return node.fail("attribute 'blocksize' must be 1 to 2^20 (was " +
                     Twine(*size) + ")");
  if (!node.input(0).isRuntime() && !node.input(0).isFloat())
    return node.fail("is not supported on integers that are known at compile "
                     "time");
  return BlockSize{*size, *size * *size};
}

/// Reshapes to \p split, transposes and reshapes to \p result.
static LogicalResult setMoved(NodeImport &node, const Shape &split,
                              llvm::ArrayRef<int64_t> permutation,
                              const Shape &result) {
  Emitter &emit = node.emit;
  Value value =
      emit.reshape(node.loc, node.anyValue(0), node.input(0).shape, split);
  Shape moved;
  for (int64_t from : permutation)
    moved.push_back(split[from]);
  if (value)
    value = emit.transpose(node.loc, value, split, permutation);
  if (value)
    value = emit.reshape(node.loc, value, moved, result);
  if (!value)
    return node.fail("reshapes " + str(node.input(0).shape) + " to " +
                     str(result));
  return node.setResult(value, result);
}

static LogicalResult importDepthToSpace(NodeImport &node) {
  FailureOr<StringRef> mode = node.stringAttribute("mode", "DCR");
  FailureOr<BlockSize> block = readBlock(node);
  if (failed(mode) || failed(block))
    return failure();
  if (*mode != "DCR" && *mode != "CRD")
    return node.fail("attribute 'mode' must be DCR or CRD (was '" + *mode +
                     "')");
  const Shape &shape = node.input(0).shape;
  Dim side(block->side);
  std::optional<Dim> channels = divide(shape[1], Dim(block->elements)),
                     height = multiply(shape[2], side),
                     width = multiply(shape[3], side);
  if (!channels || !height || !width)
    return node.fail("blocks of " + side.str() + "x" + side.str() +
                     " do not fit a shape of " + str(shape));
  Shape result{shape[0], *channels, *height, *width};
  if (failed(node.checkSize(result, "result")))
    return failure();
  if (*mode == "DCR")
    return setMoved(node, {shape[0], side, side, *channels, shape[2], shape[3]},
                    {0, 3, 4, 1, 5, 2}, result);
  return setMoved(node, {shape[0], *channels, side, side, shape[2], shape[3]},
                  {0, 1, 4, 2, 5, 3}, result);
}

static LogicalResult importSpaceToDepth(NodeImport &node) {
  FailureOr<BlockSize> block = readBlock(node);
  if (failed(block))
    return failure();
  const Shape &shape = node.input(0).shape;
  Dim side(block->side);
  std::optional<Dim> channels = multiply(shape[1], Dim(block->elements)),
                     height = divide(shape[2], side),
                     width = divide(shape[3], side);
  if (!channels || !height || !width)
    return node.fail("blocks of " + side.str() + "x" + side.str() +
                     " do not fit a shape of " + str(shape));
  return setMoved(node, {shape[0], shape[1], *height, side, *width, side},
                  {0, 3, 5, 1, 2, 4}, {shape[0], *channels, *height, *width});
}

llvm::ArrayRef<Operator> mlir::fact::blockOperators() {
  static const Operator operators[] = {
      {"DepthToSpace", 1, 1, 1, importDepthToSpace},
      {"SpaceToDepth", 1, 1, 1, importSpaceToDepth},
  };
  return operators;
}
