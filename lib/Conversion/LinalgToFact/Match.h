//===- Match.h - The layers that raising recognises -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A matcher looks at one expression and says which layer it is. Where the
// expression resembles its layer but is not it, it says why.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_MATCH_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_MATCH_H

#include "Analysis.h"
#include "Expression.h"

#include "fact/Dialect/Fact/IR/Fact.h"

namespace mlir::fact {

/// (rows * weight + bias) * factor, or rows * weight * factor + bias; bias and
/// factor are a Column, a Scalar or null.
struct LinearMatch {
  Node *product, *bias;
  Node *factor = nullptr;
  bool scalesBias = false;
};
std::optional<LinearMatch> matchLinear(Node *node);

/// Null gamma or beta: the model has none (ones, zeros). All features have the
/// factor and the shift beside them.
/// The rows' heads have one each, or, without heads, the rows themselves.
struct NormMatch {
  Norm kind;
  Node *rows, *gamma; ///< gamma may be null
  float factor;
  Node *beta; ///< may be null
  float shift, eps;
  int64_t heads = 0;
};
std::optional<NormMatch> matchNorm(Node *node, Miss &miss);

/// The rows that a turn of features is made of: factors that are numbers or
/// tables of positions, and sums of such, are taken apart.
SmallVector<Node *> rotatedTerms(ArrayRef<Node *> nodes);
/// Whether rows are multiplied by tables of positions, and why that is no
/// rotary embedding. `longest`: most tokens that there may be, 0 if unknown.
bool explainRotation(Node *node, int64_t longest, Miss &miss);

struct ActivationMatch {
  Activation kind;
  Node *rows;
  /// Whether a constant is the textbook's only as far as 16 bits say it.
  bool hasRounded = false;
  Node *gated = nullptr; ///< rows that the result is multiplied with, or null
};
std::optional<ActivationMatch> matchActivation(Node *node, Miss &miss);

struct AttentionMatch {
  Node *query, *key, *value;
  Node *softmax; ///< names the attention in the program
  int64_t heads;
  int64_t keyHeads; ///< of key and value
  float scale;
  ::fact::numerics::Window window;
  Node *padding;  ///< Numbers that say which tokens are padding, or null,
  float padValue; ///< and which number says so.
};
std::optional<AttentionMatch> matchAttention(Node *node, Miss &miss);

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_MATCH_H
