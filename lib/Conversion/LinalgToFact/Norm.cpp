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
// Of the features of each head it is the same, with gamma and beta for those.
//
//===----------------------------------------------------------------------===//

#include "ConstantData.h"
#include "Match.h"
#include "Terms.h"

using namespace mlir;
using namespace mlir::fact;

/// 1 / n, as a model divides by n or multiplies by the reciprocal.
static bool isReciprocal(double value, int64_t n) {
  return static_cast<float>(value) == 1.0f / static_cast<float>(n);
}

/// Over the features of a row or of each of its heads.
static bool isSum(Node *node) {
  return node->is(NodeKind::Sum) || node->is(NodeKind::HeadSum);
}

/// How many features a sum adds up.
static int64_t countOf(Node *sum) {
  return sum->is(NodeKind::HeadSum) ? sum->part : sum->operand(0)->width;
}

/// The sum of x whose mean, times `sign`, that is; null where it is none.
static Node *meanSumOf(Node *node, double sign = 1) {
  Product product = productOf(node);
  if (!product.denominators.empty() || product.numerators.size() != 1)
    return nullptr;
  Node *sum = product.numerators.front();
  return isSum(sum) && isReciprocal(sign * product.constant, countOf(sum))
             ? sum
             : nullptr;
}

/// The x of mean(x) over `count` features.
static Node *meanOf(Node *node, int64_t count, double sign = 1) {
  Node *sum = meanSumOf(node, sign);
  return sum && countOf(sum) == count ? sum->operand(0) : nullptr;
}

/// The x of x - mean(x) over `count` features.
static Node *centredOf(Node *node, int64_t count) {
  if (!node->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1})
    if (Node *x = meanOf(node->operand(i), count, -1);
        x && x == node->operand(1 - i))
      return x;
  return nullptr;
}

/// The x of mean(x * x) - mean(x) * mean(x), if need be not below 0.
static Node *uncentredVarianceOf(Node *variance, int64_t &count) {
  if (variance->is(NodeKind::Max))
    for (unsigned i : {0, 1})
      if (variance->operand(i)->isScalar(0))
        return uncentredVarianceOf(variance->operand(1 - i), count);
  if (!variance->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1}) {
    Node *mean = meanSumOf(variance->operand(i));
    Node *squares = mean ? mean->operand(0) : nullptr;
    if (!squares || !squares->is(NodeKind::Mul) ||
        squares->operand(0) != squares->operand(1))
      continue;
    count = countOf(mean);
    Node *x = squares->operand(0);
    Product square = productOf(variance->operand(1 - i));
    auto isSumOfX = [&](Node *factor) {
      return isSum(factor) && factor->operand(0) == x &&
             countOf(factor) == count;
    };
    double reciprocal = 1.0f / static_cast<float>(count);
    if (square.denominators.empty() && square.numerators.size() == 2 &&
        llvm::all_of(square.numerators, isSumOfX) &&
        -square.constant == reciprocal * reciprocal)
      return x;
  }
  return nullptr;
}

/// Reads sqrt(variance + eps): x, of how many features it is, and eps.
static Node *deviationOf(Node *node, int64_t &count, float &eps, Miss &miss) {
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
  if (Node *x = uncentredVarianceOf(variance, count))
    return x;
  Node *mean = meanSumOf(variance);
  Node *squares = mean ? mean->operand(0) : nullptr;
  if (!squares) {
    miss = {"the variance is not the sum of squares divided by the number of "
            "features",
            "divide by all features (no correction by one)"};
    return nullptr;
  }
  count = countOf(mean);
  Node *x = nullptr;
  if (squares->is(NodeKind::Mul) && squares->operand(0) == squares->operand(1))
    x = centredOf(squares->operand(0), count);
  if (!x)
    miss = {"the squares are not those of a row minus its mean",
            "compute the variance as mean((x - mean(x))^2) over the last "
            "dimension"};
  return x;
}

/// Whether a constant is the same for each of the heads.
static bool isOfHeads(Node *column, int64_t part) {
  if (!column || !column->is(NodeKind::Column))
    return true;
  const Offsets &offsets = column->columnOffsets;
  std::optional<ConstantData> data = ConstantData::get(column->data);
  for (size_t c = part; c < offsets.size(); ++c)
    if (offsets[c] != offsets[c - part] &&
        (*data)[offsets[c]] != (*data)[offsets[c - part]])
      return false;
  return true;
}

/// A norm over `count` features, if need be those of a head.
static std::optional<NormMatch> ofHeads(NormMatch match, int64_t count,
                                        Miss &miss) {
  if (count == match.rows->width)
    return match;
  match.heads = match.rows->width / count;
  if (isOfHeads(match.gamma, count) && isOfHeads(match.beta, count))
    return match;
  miss = {"gamma or beta of a norm of heads differs from head to head",
          "use one gamma and one beta, [features of a head], for all heads"};
  return std::nullopt;
}

/// The factors without rows, which may be a product of their own (embeddings
/// times a number, another norm); none where they are not there.
static std::optional<Product> without(Product product, Node *rows) {
  if (product.take(rows))
    return product;
  Product own = productOf(rows);
  auto takeAll = [](SmallVectorImpl<Node *> &from, ArrayRef<Node *> factors) {
    return llvm::all_of(factors, [&](Node *factor) {
      auto *it = llvm::find(from, factor);
      if (it == from.end())
        return false;
      from.erase(it);
      return true;
    });
  };
  if (own.constant == 0 || !takeAll(product.numerators, own.numerators) ||
      !takeAll(product.denominators, own.denominators))
    return std::nullopt;
  product.constant /= own.constant;
  return product;
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
  if (!terms || node->operands.size() != 2 ||
      node->operand(0) == node->operand(1)) // a norm added to itself
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
  // Rows of their own may be a residual stream beside a norm, or another norm.
  bool isOfRows = node->operand(0)->isRows() && node->operand(1)->isRows();
  if (!plain) {
    if (isOfRows)
      return std::nullopt;
    miss = {"what is added to the normalised row is not one constant for each "
            "feature",
            "add beta, one constant for each feature, and nothing else"};
    return std::nullopt;
  }
  float eps = 0;
  int64_t count = 0;
  Node *x = deviationOf(deviation, count, eps, miss);
  if (!x) {
    if (isOfRows)
      miss = {};
    return std::nullopt;
  }
  auto found = [&](Node *gamma, double factor) {
    NormMatch match{Norm::Layer, x,
                    gamma,       static_cast<float>(factor),
                    beta,        static_cast<float>(shift),
                    eps};
    return ofHeads(match, count, miss);
  };

  Node *gamma = nullptr;
  if (divided.size() == 1) {
    Product &term = divided.front();
    Node *const *centred = llvm::find_if(term.numerators, [&](Node *factor) {
      return centredOf(factor, count) == x;
    });
    if (centred != term.numerators.end()) {
      term.take(*centred);
      if (takeGamma(term, gamma))
        return found(gamma, term.constant);
    }
  } else if (divided.size() == 2) {
    for (unsigned i : {0, 1}) {
      std::optional<Product> row = without(divided[i], x);
      Product mean = divided[1 - i];
      Node *const *sum = llvm::find_if(mean.numerators, [&](Node *factor) {
        return isSum(factor) && factor->operand(0) == x &&
               countOf(factor) == count;
      });
      if (sum == mean.numerators.end() || !row)
        continue;
      mean.take(*sum);
      Node *meanGamma = nullptr;
      if (isAbout(row->constant, 1) && isReciprocal(-mean.constant, count) &&
          takeGamma(*row, gamma) && takeGamma(mean, meanGamma) &&
          gamma == meanGamma)
        return found(gamma, 1);
    }
  }
  miss = {
      "the normalised row is not x minus its mean, times one constant for each "
      "feature",
      "write layer norm as (x - mean(x)) / sqrt(var(x) + eps) * gamma + beta"};
  return std::nullopt;
}

/// The row, of `count` features, that has this root mean square; null for
/// others.
static Node *rowOf(Node *root, int64_t &count, float &eps) {
  Node *inner = root->is(NodeKind::Sqrt) ? root->operand(0) : nullptr;
  if (!inner || !inner->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1}) {
    Node *mean = meanSumOf(inner->operand(1 - i));
    Node *squares = mean ? mean->operand(0) : nullptr;
    if (!inner->operand(i)->is(NodeKind::Scalar) || !squares ||
        !squares->is(NodeKind::Mul) ||
        squares->operand(0) != squares->operand(1))
      continue;
    eps = inner->operand(i)->scalar;
    count = countOf(mean);
    return squares->operand(0);
  }
  return nullptr;
}

static std::optional<NormMatch> matchRmsNorm(Node *node, Miss &miss) {
  const Product all = productOf(node);
  std::optional<Product> product;
  float eps = 0;
  int64_t count = 0;
  Node *x = nullptr, *gamma = nullptr;
  for (Node *root : all.denominators) {
    x = rowOf(root, count, eps);
    // Of a centred row it is a layer norm.
    if (!x || centredOf(x, count))
      continue;
    Product rest = all;
    rest.denominators.erase(llvm::find(rest.denominators, root));
    product = without(std::move(rest), x);
    if (product && product->denominators.empty())
      break;
    product.reset();
  }
  if (!product)
    return std::nullopt;
  if (!(eps > 0 && eps < 1)) {
    miss = {
        ("epsilon is not in (0, 1) (was " + Twine(std::to_string(eps)) + ")")
            .str(),
        "use a small positive epsilon"};
    return std::nullopt;
  }
  if (!takeGamma(*product, gamma)) {
    miss = {"the normalised row is multiplied by more than one constant for "
            "each feature",
            "write RMS norm as x / sqrt(mean(x * x) + eps) * gamma"};
    return std::nullopt;
  }
  NormMatch match{Norm::RMS, x, gamma, static_cast<float>(product->constant),
                  nullptr,   0, eps};
  return ofHeads(match, count, miss);
}

std::optional<NormMatch> mlir::fact::matchNorm(Node *node, Miss &miss) {
  if (auto match = matchRmsNorm(node, miss))
    return match;
  return miss ? std::nullopt : matchLayerNorm(node, miss);
}
