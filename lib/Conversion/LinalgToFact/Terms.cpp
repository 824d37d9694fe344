//===- Terms.cpp - Sums, products and polynomials of expressions ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Terms.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;

bool Product::take(Node *node) {
  auto *it = llvm::find(numerators, node);
  if (it == numerators.end())
    return false;
  numerators.erase(it);
  return true;
}

static void flatten(Node *node, bool inverse, Product &product) {
  switch (node->kind) {
  case NodeKind::Scalar:
    product.constant = inverse ? product.constant / node->scalar
                               : product.constant * node->scalar;
    return;
  case NodeKind::Mul:
    flatten(node->operand(0), inverse, product);
    flatten(node->operand(1), inverse, product);
    return;
  case NodeKind::Div:
    flatten(node->operand(0), inverse, product);
    flatten(node->operand(1), !inverse, product);
    return;
  default:
    (inverse ? product.denominators : product.numerators).push_back(node);
  }
}

Product mlir::fact::productOf(Node *node) {
  Product product;
  flatten(node, false, product);
  return product;
}

static bool collect(Node *node, double factor, unsigned limit,
                    SmallVectorImpl<Product> &terms) {
  if (node->is(NodeKind::Add))
    return collect(node->operand(0), factor, limit, terms) &&
           collect(node->operand(1), factor, limit, terms);
  Product product = productOf(node);
  product.constant *= factor;
  // c * (a + b) is two terms.
  if (product.denominators.empty() && product.numerators.size() == 1 &&
      product.numerators.front()->is(NodeKind::Add))
    return collect(product.numerators.front(), product.constant, limit, terms);
  terms.push_back(std::move(product));
  return terms.size() <= limit;
}

std::optional<SmallVector<Product, 4>> mlir::fact::termsOf(Node *node,
                                                           unsigned limit) {
  SmallVector<Product, 4> terms;
  if (!collect(node, 1, limit, terms))
    return std::nullopt;
  return terms;
}

std::optional<Polynomial> mlir::fact::polynomialIn(Node *x, Node *node) {
  if (node == x)
    return Polynomial{0, 1, 0, 0};
  if (node->is(NodeKind::Scalar))
    return Polynomial{node->scalar, 0, 0, 0};
  if (!node->is(NodeKind::Add) && !node->is(NodeKind::Mul))
    return std::nullopt;
  std::optional<Polynomial> a = polynomialIn(x, node->operand(0));
  std::optional<Polynomial> b = polynomialIn(x, node->operand(1));
  if (!a || !b)
    return std::nullopt;
  Polynomial result{};
  for (unsigned i = 0; i < 4; ++i) {
    if (node->is(NodeKind::Add)) {
      result[i] = (*a)[i] + (*b)[i];
      continue;
    }
    for (unsigned j = 0; j < 4; ++j) {
      double product = (*a)[i] * (*b)[j];
      if (i + j < 4)
        result[i + j] += product;
      else if (product != 0)
        return std::nullopt;
    }
  }
  return result;
}

bool mlir::fact::isAbout(double value, double expected) {
  return std::fabs(value - expected) <= 1e-6 * std::fabs(expected);
}
