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

static bool isPerFeature(Node *node) {
  return node->is(NodeKind::Column) || node->is(NodeKind::Scalar);
}

/// The product times a factor for each feature (a LayerScale, say), if any.
static std::optional<LinearMatch> matchScaled(Node *node) {
  if (node->is(NodeKind::Linear))
    return LinearMatch{node, nullptr};
  if (node->is(NodeKind::Mul))
    for (unsigned i : {0, 1})
      if (node->operand(i)->is(NodeKind::Linear) &&
          isPerFeature(node->operand(1 - i)))
        return LinearMatch{node->operand(i), nullptr, node->operand(1 - i)};
  return std::nullopt;
}

static std::optional<LinearMatch> matchBiased(Node *node) {
  if (!node->is(NodeKind::Add))
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    std::optional<LinearMatch> match = matchScaled(node->operand(i));
    if (match && isPerFeature(node->operand(1 - i))) {
      match->bias = node->operand(1 - i);
      return match;
    }
  }
  return std::nullopt;
}

std::optional<LinearMatch> mlir::fact::matchLinear(Node *node) {
  if (auto match = matchScaled(node))
    return match;
  if (auto match = matchBiased(node))
    return match;
  if (!node->is(NodeKind::Mul))
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    std::optional<LinearMatch> match = matchBiased(node->operand(i));
    if (match && !match->factor && isPerFeature(node->operand(1 - i))) {
      match->factor = node->operand(1 - i);
      match->scalesBias = true;
      return match;
    }
  }
  return std::nullopt;
}
