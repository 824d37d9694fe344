//===- Linear.cpp - Linear layers -----------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Match.h"

using namespace mlir;
using namespace mlir::fact;

std::optional<LinearMatch> fact::matchLinear(Node *node) {
  if (node->is(NodeKind::Linear))
    return LinearMatch{node, nullptr};
  if (!node->is(NodeKind::Add))
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    Node *product = node->operand(i), *bias = node->operand(1 - i);
    if (product->is(NodeKind::Linear) &&
        (bias->is(NodeKind::Column) || bias->is(NodeKind::Scalar)))
      return LinearMatch{product, bias};
  }
  return std::nullopt;
}
