//===- Norm.cpp - Layer and RMS norms -------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With mu = sum(x) * (1/d), c = x - mu, s = sqrt(sum(c * c) * (1/d) + eps):
//   (c / s) * gamma + beta, in any order, gamma and beta may be absent
//   x * (gamma / s) + (beta - mu * (gamma / s))
// The variance may also be sum(x * x) * (1/d) - mu * mu, or that but not below
// 0. An RMS norm, with s = sqrt(sum(x * x) * (1/d) + eps), is
//   (x / s) * gamma, gamma may be absent
//
//===----------------------------------------------------------------------===//

#include "Match.h"
#include "Terms.h"

using namespace mlir;
using namespace mlir::fact;

/// 1 / n, as a model divides by n or multiplies by the reciprocal.
static bool isReciprocal(double value, int64_t n) {
  return static_cast<float>(value) == 1.0f / static_cast<float>(n);
}

/// The x of mean(x) * sign; null where it is no mean over the features of x.
static Node *meanOf(Node *node, double sign = 1) {
  Product product = productOf(node);
  if (!product.denominators.empty() || product.numerators.size() != 1)
    return nullptr;
  Node *sum = product.numerators.front();
  if (!sum->is(NodeKind::Sum))
    return nullptr;
  Node *x = sum->operand(0);
  return isReciprocal(sign * product.constant, x->width) ? x : nullptr;
}

/// The x of x - mean(x).
static Node *centredOf(Node *node) {
  if (!node->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1})
    if (Node *x = meanOf(node->operand(i), -1); x && x == node->operand(1 - i))
      return x;
  return nullptr;
}

/// The x of mean(x * x) - mean(x) * mean(x), if need be not below 0.
static Node *uncentredVarianceOf(Node *variance) {
  if (variance->is(NodeKind::Max))
    for (unsigned i : {0, 1})
      if (variance->operand(i)->isScalar(0))
        return uncentredVarianceOf(variance->operand(1 - i));
  if (!variance->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1}) {
    Node *squares = meanOf(variance->operand(i));
    if (!squares || !squares->is(NodeKind::Mul) ||
        squares->operand(0) != squares->operand(1))
      continue;
    Node *x = squares->operand(0);
    Product square = productOf(variance->operand(1 - i));
    auto isSumOfX = [&](Node *factor) {
      return factor->is(NodeKind::Sum) && factor->operand(0) == x;
    };
    double reciprocal = 1.0f / static_cast<float>(x->width);
    if (square.denominators.empty() && square.numerators.size() == 2 &&
        llvm::all_of(square.numerators, isSumOfX) &&
        -square.constant == reciprocal * reciprocal)
      return x;
  }
  return nullptr;
}

/// Reads sqrt(variance + eps): x and eps.
static Node *deviationOf(Node *node, float &eps, Miss &miss) {
  Node *inner = node->operand(0);
  Node *variance = nullptr;
  if (inner->is(NodeKind::Add))
    for (unsigned i : {0, 1})
      if (inner->operand(i)->is(NodeKind::Scalar)) {
        eps = inner->operand(i)->scalar;
        variance = inner->operand(1 - i);
      }
  if (!variance) {
    miss = {"the square root is not of a variance plus a constant",
            "add epsilon to the variance before the square root"};
    return nullptr;
  }
  if (!(eps >= 0 && eps < 1)) {
    miss = {
        ("epsilon is not in [0, 1) (was " + Twine(std::to_string(eps)) + ")")
            .str(),
        "use a small positive epsilon"};
    return nullptr;
  }
  if (Node *x = uncentredVarianceOf(variance))
    return x;
  Node *squares = meanOf(variance);
  if (!squares) {
    miss = {"the variance is not the sum of squares divided by the number of "
            "features",
            "divide by all features (no correction by one)"};
    return nullptr;
  }
  Node *x = nullptr;
  if (squares->is(NodeKind::Mul) && squares->operand(0) == squares->operand(1))
    x = centredOf(squares->operand(0));
  if (!x)
    miss = {"the squares are not those of a row minus its mean",
            "compute the variance as mean((x - mean(x))^2) over the last "
            "dimension"};
  return x;
}

/// What is left of the normalised row's factors: gamma, one number for each
/// feature, for all of them, or both.
static bool takeGamma(Product &product, Node *&gamma) {
  gamma = nullptr;
  if (product.numerators.size() == 1 &&
      product.numerators.front()->is(NodeKind::Column)) {
    gamma = product.numerators.front();
    product.numerators.clear();
  }
  return product.numerators.empty();
}

static std::optional<NormMatch> matchLayerNorm(Node *node, Miss &miss) {
  std::optional<SmallVector<Product, 4>> terms = termsOf(node, 4);
  if (!terms || node->operands.size() != 2)
    return std::nullopt;
  // The terms that are divided by the deviation, and beta.
  SmallVector<Product, 2> divided;
  Node *beta = nullptr, *deviation = nullptr;
  double shift = 0;
  bool plain = true;
  for (Product &term : *terms) {
    if (term.denominators.size() == 1 &&
        term.denominators.front()->is(NodeKind::Sqrt)) {
      plain &= !deviation || deviation == term.denominators.front();
      deviation = term.denominators.front();
      divided.push_back(term);
    } else if (!beta && term.constant == 1 && term.denominators.empty() &&
               term.numerators.size() == 1 &&
               term.numerators.front()->is(NodeKind::Column)) {
      beta = term.numerators.front();
    } else if (term.isConstant()) {
      shift += term.constant; // the same for all features
    } else {
      plain = false;
    }
  }
  if (!deviation)
    return std::nullopt;
  if (!plain) {
    // Rows of their own are a residual stream beside a layer norm.
    if (node->operand(0)->isRows() && node->operand(1)->isRows())
      return std::nullopt;
    miss = {"what is added to the normalised row is not one constant for each "
            "feature",
            "add beta, one constant for each feature, and nothing else"};
    return std::nullopt;
  }
  float eps = 0;
  Node *x = deviationOf(deviation, eps, miss);
  if (!x)
    return std::nullopt;

  Node *gamma = nullptr;
  if (divided.size() == 1) {
    Product &term = divided.front();
    Node *const *centred = llvm::find_if(
        term.numerators, [&](Node *factor) { return centredOf(factor) == x; });
    if (centred != term.numerators.end()) {
      term.take(*centred);
      if (takeGamma(term, gamma))
        return NormMatch{Norm::Layer, x,
                         gamma,       static_cast<float>(term.constant),
                         beta,        static_cast<float>(shift),
                         eps};
    }
  } else if (divided.size() == 2) {
    for (unsigned i : {0, 1}) {
      Product row = divided[i], mean = divided[1 - i];
      Node *const *sum = llvm::find_if(mean.numerators, [&](Node *factor) {
        return factor->is(NodeKind::Sum) && factor->operand(0) == x;
      });
      if (sum == mean.numerators.end() || !row.take(x))
        continue;
      mean.take(*sum);
      Node *meanGamma = nullptr;
      if (row.constant == 1 && isReciprocal(-mean.constant, x->width) &&
          takeGamma(row, gamma) && takeGamma(mean, meanGamma) &&
          gamma == meanGamma)
        return NormMatch{
            Norm::Layer, x, gamma, 1, beta, static_cast<float>(shift), eps};
    }
  }
  miss = {
      "the normalised row is not x minus its mean, times one constant for each "
      "feature",
      "write layer norm as (x - mean(x)) / sqrt(var(x) + eps) * gamma + beta"};
  return std::nullopt;
}

/// The row that is divided by its own root mean square; null for others.
static Node *ownRowOf(const Product &product, float &eps) {
  if (product.denominators.size() != 1 ||
      !product.denominators.front()->is(NodeKind::Sqrt))
    return nullptr;
  Node *inner = product.denominators.front()->operand(0);
  if (!inner->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1}) {
    Node *squares = meanOf(inner->operand(1 - i));
    if (!inner->operand(i)->is(NodeKind::Scalar) || !squares ||
        !squares->is(NodeKind::Mul) ||
        squares->operand(0) != squares->operand(1))
      continue;
    eps = inner->operand(i)->scalar;
    return squares->operand(0);
  }
  return nullptr;
}

static std::optional<NormMatch> matchRmsNorm(Node *node, Miss &miss) {
  Product product = productOf(node);
  float eps = 0;
  Node *x = ownRowOf(product, eps), *gamma = nullptr;
  // Of a centred row it is a layer norm.
  if (!x || centredOf(x) || !product.take(x))
    return std::nullopt;
  if (!(eps > 0 && eps < 1)) {
    miss = {
        ("epsilon is not in (0, 1) (was " + Twine(std::to_string(eps)) + ")")
            .str(),
        "use a small positive epsilon"};
    return std::nullopt;
  }
  if (!takeGamma(product, gamma)) {
    miss = {"the normalised row is multiplied by more than one constant for "
            "each feature",
            "write RMS norm as x / sqrt(mean(x * x) + eps) * gamma"};
    return std::nullopt;
  }
  return NormMatch{Norm::RMS, x, gamma, static_cast<float>(product.constant),
                   nullptr,   0, eps};
}

std::optional<NormMatch> mlir::fact::matchNorm(Node *node, Miss &miss) {
  if (auto match = matchRmsNorm(node, miss))
    return match;
  return miss ? std::nullopt : matchLayerNorm(node, miss);
}
