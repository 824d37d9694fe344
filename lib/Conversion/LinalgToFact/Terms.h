//===- Terms.h - Sums, products and polynomials of expressions ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Models spell one formula in many orders: 0.5 * x * (1 + t), x * (0.5 * (t +
// 1)). Matchers ask for factors, terms or coefficients instead.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_TERMS_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_TERMS_H

#include "Expression.h"

#include <array>

namespace mlir::fact {

/// constant * numerators / denominators.
struct Product {
  double constant = 1;
  SmallVector<Node *, 4> numerators, denominators;

  /// Takes `node` out of the numerators; false where it is not there.
  bool take(Node *node);
  /// The factor is nothing but the constant.
  bool isConstant() const { return numerators.empty() && denominators.empty(); }
};

Product productOf(Node *node);

/// The terms of a sum, as products; at most `limit`, null beyond.
std::optional<SmallVector<Product, 4>> termsOf(Node *node, unsigned limit);

/// Coefficients of x^0 .. x^3.
using Polynomial = std::array<double, 4>;

/// `node` as a polynomial in `x`, null where it is none of degree 3 or less.
std::optional<Polynomial> polynomialIn(Node *x, Node *node);

/// Equal but for the rounding of a decimal constant to float32 and of a product
/// of two such: a relative 1e-6. For constants that stand for irrational or
/// decimal numbers only (sqrt(2), 0.7978845608, 0.044715); all others are
/// exact.
bool isAbout(double value, double expected);

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_TERMS_H
