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
// The softmax is one op or e / sum(e), e = exp(s) or exp(s - max(s)), over the
// keys of q k^T or of k q^T, transposed or not.
// Keys and values that heads of queries share are repeated for each of those
// before; what is raised reads them as they were.
// Heads that are each computed by themselves and then joined along the features
// are one attention (Join.cpp).
//
//===----------------------------------------------------------------------===//

#include "Mask.h"
#include "Match.h"
#include "Terms.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;

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

/// A softmax with zeros where it is no number, which no visible key leaves.
static Node *withoutGuard(Node *node) {
  if (!node->is(NodeKind::Select) || !node->operand(0)->is(NodeKind::IsNaN) ||
      !node->operand(1)->isScalar(0) ||
      node->operand(0)->operand(0) != node->operand(2))
    return node;
  return node->operand(2);
}

/// Rows of which these have every head `times` times, one after the other; null
/// with a reason where heads are repeated in another order, and the rows
/// themselves where none is.
static Node *withoutRepeats(Node *rows, int64_t heads, StringRef what,
                            int64_t &times, Miss &miss) {
  times = 1;
  Node *origin = rows->origin;
  int64_t size = rows->width / heads;
  const Offsets &chosen = rows->chosen;
  if (!origin ||
      DenseSet<int64_t>(chosen.begin(), chosen.end()).size() == chosen.size())
    return rows;
  int64_t groups = origin->width / size;
  bool isEven = origin->width % size == 0 && heads % groups == 0;
  times = isEven ? heads / groups : 1;
  for (auto [i, column] : llvm::enumerate(chosen)) {
    auto head = static_cast<int64_t>(i) / size;
    isEven &= column == head / times * size + static_cast<int64_t>(i) % size;
  }
  if (isEven)
    return origin;
  miss = {("heads of the " + what +
           " are repeated in another order than one after the other")
              .str(),
          "repeat each head for the queries that follow each other "
          "(repeat_interleave): query head c reads key head c div (heads / key "
          "heads)"};
  return nullptr;
}

/// Reads keys and values as they are before heads share them.
static bool readGroups(AttentionMatch &match, Miss &miss) {
  int64_t times = 1, valueTimes = 1;
  Node *key = withoutRepeats(match.key, match.heads, "keys", times, miss);
  if (!key)
    return false;
  Node *value =
      withoutRepeats(match.value, match.heads, "values", valueTimes, miss);
  if (!value)
    return false;
  match.keyHeads = match.heads;
  if (times == valueTimes) {
    match.key = key;
    match.value = value;
    match.keyHeads /= times;
  }
  return true;
}

std::optional<AttentionMatch> mlir::fact::matchAttention(Node *node,
                                                         Miss &miss) {
  auto fail = [&](const Twine &reason, const Twine &suggestion) {
    miss = {reason.str(), suggestion.str()};
    return std::nullopt;
  };
  if (node->is(NodeKind::Heads)) {
    // They agree in all but these.
    ArrayRef<Node *> rows = ArrayRef(node->operands).take_back(3);
    std::optional<AttentionMatch> all = matchAttention(node->operand(0), miss);
    if (!all)
      return std::nullopt;
    all->heads = rows[0]->width * all->heads / all->query->width;
    all->query = rows[0], all->key = rows[1], all->value = rows[2];
    return readGroups(*all, miss) ? all : std::nullopt;
  }
  if (!node->is(NodeKind::Context))
    return std::nullopt;
  Node *softmax = withoutGuard(node->operand(0));
  if (!softmax->is(NodeKind::Softmax))
    return fail("the probabilities are not the result of a softmax",
                "multiply softmax(q k^T) by v with nothing between");
  std::optional<MaskedScores> masked = readMask(softmax->operand(0), miss);
  if (!masked)
    return std::nullopt;
  Node *scores = masked->scores;
  AttentionMatch match{nullptr,         nullptr,        node->operand(1),
                       softmax,         scores->heads,  scores->heads,
                       masked->scale,   masked->window, masked->padding,
                       masked->padValue};
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
  if (!readGroups(match, miss))
    return std::nullopt;
  return match;
}
