//===- Attention.cpp - Multi-head self-attention --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// softmax(scale * q k^T, causal mask or none) v. The scale may stand on q, on k
// or on the scores; where there is exactly one, it is taken with the same bits.
//
//===----------------------------------------------------------------------===//

#include "Match.h"
#include "Terms.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;

/// A score that is this small or smaller hides its key: exp() of it is 0 beside
/// any score of the same row above -1e9 + 104, and causal rows see themselves.
static constexpr float hidden = -1e9f;

static bool isHidden(Node *node) {
  return node->is(NodeKind::Scalar) && node->scalar <= hidden;
}

/// key index > query index.
static bool isLater(Node *node) {
  return node->is(NodeKind::Greater) &&
         node->operand(0)->is(NodeKind::KeyIndex) &&
         node->operand(1)->is(NodeKind::TokenIndex);
}

/// Takes a causal mask off: later keys are replaced by `fill` or get it added.
static Node *takeMask(Node *node, float &fill) {
  auto mask = [&](Node *select, auto isRest) -> Node * {
    if (!select->is(NodeKind::Select))
      return nullptr;
    Node *condition = select->operand(0), *later = select->operand(1),
         *rest = select->operand(2);
    if (!isLater(condition) || !isHidden(later) || !isRest(rest))
      return nullptr;
    fill = later->scalar;
    return rest;
  };
  if (Node *rest = mask(node, [](Node *) { return true; }))
    return rest;
  if (node->is(NodeKind::Add))
    for (unsigned i : {0, 1})
      if (mask(node->operand(i), [](Node *rest) { return rest->isScalar(0); }))
        return node->operand(1 - i);
  return nullptr;
}

/// Takes factors that are numbers off.
static Node *takeScale(Node *node, float &scale) {
  while (node->is(NodeKind::Mul)) {
    unsigned i = node->operand(0)->is(NodeKind::Scalar) ? 0 : 1;
    if (!node->operand(i)->is(NodeKind::Scalar))
      break;
    scale *= node->operand(i)->scalar;
    node = node->operand(1 - i);
  }
  return node;
}

std::optional<AttentionMatch> fact::matchAttention(Node *node, Miss &miss) {
  auto fail = [&](const Twine &reason, const Twine &suggestion) {
    miss = {reason.str(), suggestion.str()};
    return std::nullopt;
  };
  if (!node->is(NodeKind::Context))
    return std::nullopt;
  Node *softmax = node->operand(0);
  AttentionMatch match{nullptr, nullptr, node->operand(1), softmax, 0,
                       1,       false};
  if (!softmax->is(NodeKind::Softmax))
    return fail("the probabilities are not the result of a softmax",
                "multiply softmax(q k^T) by v with nothing between");
  Node *scores = softmax->operand(0);
  while (!scores->is(NodeKind::Scores)) {
    float factor = 1, fill = 0;
    if (Node *rest = takeScale(scores, factor); rest != scores) {
      match.scale *= factor;
      scores = rest;
    } else if (Node *rest = takeMask(scores, fill)) {
      if (match.causal)
        return fail("the scores are masked twice", "mask them once");
      if (match.scale != 1 && !(match.scale > 0 && std::isinf(fill)))
        return fail("the scores are scaled after the mask",
                    "scale q k^T, then mask");
      match.causal = true;
      scores = rest;
    } else if (scores->is(NodeKind::Select) || scores->is(NodeKind::Add)) {
      return fail(
          "the scores are masked or biased by something else than causality",
          "only a causal mask, -inf where key index > query index, is raised");
    } else {
      return fail("something between q k^T and the softmax is neither a scale "
                  "nor a causal mask",
                  "only scale and causal mask are raised");
    }
  }
  match.heads = scores->heads;
  match.query = takeScale(scores->operand(0), match.scale);
  match.key = takeScale(scores->operand(1), match.scale);
  if (!(match.scale > 0) || std::isinf(match.scale))
    return fail("the scale of the scores is not a positive number (was " +
                    Twine(std::to_string(match.scale)) + ")",
                "use a positive scale, 1/sqrt(d / heads) as a rule");
  if (match.value->width != match.query->width)
    return fail("queries and values differ in width (" +
                    Twine(match.query->width) + " and " +
                    Twine(match.value->width) + ")",
                "use heads of one size");
  return match;
}
