//===- Activation.cpp - Activation functions ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   gelu       0.5 * x * (1 + erf(x / sqrt(2)))
//   gelu_tanh  0.5 * x * (1 + tanh(p(x))) or x / (1 + exp(-2 * p(x))),
//              p(x) = sqrt(2/pi) * (x + 0.044715 * x^3)
//   quick_gelu x / (1 + exp(x * -1.702))
//   swish      x / (1 + exp(-x))
//   relu       max(x, 0), or x > 0 ? x : 0
// with factors and terms in any order. Constants that stand for irrational or
// decimal numbers may differ by a relative 1e-6 (isAbout), or be what float16
// or bfloat16 makes of them (a remark says so); all others are exact.
//
//===----------------------------------------------------------------------===//

#include "Match.h"
#include "Terms.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::fact;

/// The f of c + c * f where f is of that kind; c is 1 as a rule.
static Node *onePlus(Node *node, NodeKind kind, double *factor = nullptr) {
  if (!node->is(NodeKind::Add))
    return nullptr;
  for (unsigned i : {0, 1}) {
    if (!node->operand(i)->is(NodeKind::Scalar))
      continue;
    Product other = productOf(node->operand(1 - i));
    float c = node->operand(i)->scalar;
    if (other.constant != c || !other.denominators.empty() ||
        other.numerators.size() != 1 || !other.numerators.front()->is(kind) ||
        (c != 1 && !factor))
      continue;
    if (factor)
      *factor = c;
    return other.numerators.front();
  }
  return nullptr;
}

/// Whether a constant of a model in 16 bits stands for a number: what rounding
/// makes of it, or of its inverse.
static bool isRounded(double value, double expected) {
  auto is = [&](const llvm::fltSemantics &format) {
    auto rounded = [&](double number) {
      llvm::APFloat result(number);
      bool isInexact = false;
      result.convert(format, llvm::APFloat::rmNearestTiesToEven, &isInexact);
      result.convert(llvm::APFloat::IEEEdouble(),
                     llvm::APFloat::rmNearestTiesToEven, &isInexact);
      return result.convertToDouble();
    };
    return isAbout(value, rounded(expected)) ||
           isAbout(value, 1 / rounded(1 / expected));
  };
  return is(llvm::APFloat::IEEEhalf()) || is(llvm::APFloat::BFloat());
}

/// factor * sqrt(2/pi) * (x + 0.044715 * x^3).
static bool isTanhArgument(const Polynomial &p, double factor,
                           bool &hasRounded) {
  const double root = 0.79788456080286535588; // sqrt(2 / pi)
  const double cubic = 0.044715;
  if (p[0] != 0 || p[2] != 0 || p[1] == 0)
    return false;
  if (isAbout(p[1], factor * root) && isAbout(p[3], factor * root * cubic))
    return true;
  double first = p[1] / factor, third = p[3] / p[1];
  hasRounded = (isAbout(first, root) || isRounded(first, root)) &&
               (isAbout(third, cubic) || isRounded(third, cubic));
  return hasRounded;
}

/// constant * rows * (1 + erf or tanh).
static std::optional<ActivationMatch> matchGelu(Product product, Node *gate,
                                                NodeKind kind, Miss &miss) {
  double factor = 1;
  Node *function = onePlus(gate, kind, &factor);
  product.take(gate);
  product.constant *= factor;
  if (product.numerators.size() != 1 || !product.denominators.empty()) {
    miss = {"'1 + " + std::string(kind == NodeKind::Erf ? "erf" : "tanh") +
                "' does not multiply one row",
            "write gelu as 0.5 * x * (1 + erf(x / sqrt(2)))"};
    return std::nullopt;
  }
  Node *x = product.numerators.front();
  std::optional<Polynomial> p = polynomialIn(x, function->operand(0));
  if (product.constant != 0.5) {
    miss = {("the factor of gelu is not 0.5 (was " +
             Twine(std::to_string(product.constant)) + ")")
                .str(),
            "write gelu as 0.5 * x * (1 + erf(x / sqrt(2)))"};
    return std::nullopt;
  }
  bool hasRounded = false;
  if (kind == NodeKind::Erf) {
    const double root = 1 / llvm::numbers::sqrt2;
    hasRounded = p && !isAbout((*p)[1], root) && isRounded((*p)[1], root);
    if (p && (*p)[0] == 0 && (*p)[2] == 0 && (*p)[3] == 0 &&
        (hasRounded || isAbout((*p)[1], root)))
      return ActivationMatch{Activation::Gelu, x, hasRounded};
    miss = {"the argument of erf is not x / sqrt(2)",
            "write gelu as 0.5 * x * (1 + erf(x / sqrt(2)))"};
    return std::nullopt;
  }
  if (p && isTanhArgument(*p, 1, hasRounded))
    return ActivationMatch{Activation::GeluTanh, x, hasRounded};
  miss = {"the argument of tanh is not 0.79788456 * (x + 0.044715 * x^3)",
          "write gelu_tanh as 0.5 * x * (1 + tanh(0.79788456 * (x + 0.044715 * "
          "x^3)))"};
  return std::nullopt;
}

/// rows / (1 + exp(-something)).
static std::optional<ActivationMatch>
matchSigmoidProduct(const Product &product, Miss &miss);

/// rows * others / (1 + exp(-something)): a gate, in whatever order it is
/// multiplied.
static std::optional<ActivationMatch> matchSigmoidGate(const Product &product) {
  for (unsigned i : {0, 1}) {
    Product activation = product;
    Node *other = product.numerators[1 - i];
    Miss ignored;
    if (!other->isRows() || !activation.take(other))
      continue;
    if (auto match = matchSigmoidProduct(activation, ignored)) {
      match->gated = other;
      return match;
    }
  }
  return std::nullopt;
}

static std::optional<ActivationMatch>
matchSigmoidProduct(const Product &product, Miss &miss) {
  Node *exp = onePlus(product.denominators.front(), NodeKind::Exp);
  if (product.numerators.size() == 2 && product.constant == 1)
    if (auto match = matchSigmoidGate(product))
      return match;
  if (product.numerators.size() != 1 || product.constant != 1) {
    miss = {"the sigmoid does not multiply its own argument",
            "only swish, x * sigmoid(x), is raised"};
    return std::nullopt;
  }
  Node *x = product.numerators.front();
  std::optional<Polynomial> p = polynomialIn(x, exp->operand(0));
  if (p && *p == Polynomial{0, -1, 0, 0})
    return ActivationMatch{Activation::Swish, x};
  if (p && (*p)[0] == 0 && (*p)[2] == 0 && (*p)[3] == 0 &&
      isAbout((*p)[1], -1.702))
    return ActivationMatch{Activation::QuickGelu, x};
  bool hasRounded = false;
  if (p && isTanhArgument(*p, -2, hasRounded))
    return ActivationMatch{Activation::GeluTanh, x, hasRounded};
  if (p && (*p)[0] == 0 && (*p)[2] == 0 && (*p)[3] == 0)
    miss = {("swish with beta other than 1 (was " +
             Twine(std::to_string(-(*p)[1])) + ")")
                .str(),
            "only beta = 1 (swish) and 1.702 (quick_gelu) are raised"};
  else
    miss = {"the sigmoid is not of the row that it multiplies",
            "only swish, x * sigmoid(x), is raised"};
  return std::nullopt;
}

std::optional<ActivationMatch> mlir::fact::matchActivation(Node *node,
                                                           Miss &miss) {
  if (node->is(NodeKind::Max)) {
    for (unsigned i : {0, 1})
      if (node->operand(i)->isScalar(0))
        return ActivationMatch{Activation::Relu, node->operand(1 - i)};
    miss = {"a maximum with something else than 0",
            "only relu, max(x, 0), is raised"};
    return std::nullopt;
  }
  if (node->is(NodeKind::Select)) {
    // x > 0 ? x : 0, or 0 > x ? 0 : x.
    Node *condition = node->operand(0), *a = node->operand(1),
         *b = node->operand(2);
    if (condition->is(NodeKind::Greater)) {
      Node *left = condition->operand(0), *right = condition->operand(1);
      if (right->isScalar(0) && left == a && b->isScalar(0))
        return ActivationMatch{Activation::Relu, a};
      if (left->isScalar(0) && right == b && a->isScalar(0))
        return ActivationMatch{Activation::Relu, b};
    }
    miss = {"a choice between two values",
            "only relu, x > 0 ? x : 0, is raised"};
    return std::nullopt;
  }
  if (!node->is(NodeKind::Mul) && !node->is(NodeKind::Div))
    return std::nullopt;
  Miss ignored;
  if (node->operand(0) == node->operand(1) &&
      node->operand(0)->is(NodeKind::Max) &&
      matchActivation(node->operand(0), ignored)) {
    miss = {"the square of a relu, which is no activation here",
            "use relu, gelu, quick_gelu or swish, or leave the feed-forward "
            "network to the CPU ('--to' before it)"};
    return std::nullopt;
  }
  Product product = productOf(node);
  for (Node *gate : product.numerators)
    for (NodeKind kind : {NodeKind::Erf, NodeKind::Tanh})
      if (double factor = 1; onePlus(gate, kind, &factor))
        return matchGelu(product, gate, kind, miss);
  if (product.denominators.size() == 1 &&
      onePlus(product.denominators.front(), NodeKind::Exp))
    return matchSigmoidProduct(product, miss);
  return std::nullopt;
}
