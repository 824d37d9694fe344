//===- Dim.cpp - Extents in terms of the open dimension -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dim.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

using namespace mlir::fact;

std::string Dim::str() const {
  if (isConstant())
    return std::to_string(offset);
  std::string text =
      coefficient == 1 ? "L" : std::to_string(coefficient) + "*L";
  if (offset > 0)
    text += "+";
  return offset == 0 ? text : text + std::to_string(offset);
}

std::string mlir::fact::str(llvm::ArrayRef<Dim> shape) {
  std::string text;
  for (Dim dim : shape)
    text += (text.empty() ? "" : "x") + dim.str();
  return text.empty() ? "scalar" : text;
}

/// The number at one length; absent where it overflows.
static std::optional<int64_t> valueAt(Dim dim, int64_t length) {
  int64_t value;
  if (llvm::MulOverflow(dim.coefficient, length, value) ||
      llvm::AddOverflow(value, dim.offset, value))
    return std::nullopt;
  return value;
}

bool Dim::isNonNegative(int64_t bound) const {
  std::optional<int64_t> low = valueAt(*this, 1), high = valueAt(*this, bound);
  return low && high && *low >= 0 && *high >= 0;
}

std::optional<Dim> mlir::fact::add(Dim a, Dim b) {
  Dim sum;
  if (llvm::AddOverflow(a.coefficient, b.coefficient, sum.coefficient) ||
      llvm::AddOverflow(a.offset, b.offset, sum.offset))
    return std::nullopt;
  return sum;
}

std::optional<Dim> mlir::fact::subtract(Dim a, Dim b) {
  std::optional<Dim> minus = multiply(b, Dim(-1));
  return minus ? add(a, *minus) : std::nullopt;
}

std::optional<Dim> mlir::fact::multiply(Dim a, Dim b) {
  if (!a.isConstant())
    std::swap(a, b);
  Dim product;
  if (!a.isConstant() ||
      llvm::MulOverflow(a.offset, b.coefficient, product.coefficient) ||
      llvm::MulOverflow(a.offset, b.offset, product.offset))
    return std::nullopt;
  return product;
}

/// a / b is an integer (that overflows for INT64_MIN / -1: then it is not).
static bool isMultiple(int64_t a, int64_t b) {
  if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min()))
    return false;
  return a % b == 0;
}

std::optional<Dim> mlir::fact::divide(Dim a, Dim b) {
  if (b.isConstant()) {
    if (!isMultiple(a.coefficient, b.offset) || !isMultiple(a.offset, b.offset))
      return std::nullopt;
    return Dim(a.coefficient / b.offset, a.offset / b.offset);
  }
  // (c * L + c0) / (d * L + d0) is a number only where one is a multiple.
  if (!isMultiple(a.coefficient, b.coefficient))
    return std::nullopt;
  int64_t quotient = a.coefficient / b.coefficient;
  std::optional<Dim> check = multiply(b, Dim(quotient));
  if (!check || *check != a)
    return std::nullopt;
  return Dim(quotient);
}

bool Product::multiply(Dim dim) {
  int64_t divisor = dim.offset;
  if (!dim.isConstant()) {
    if (dim.coefficient == std::numeric_limits<int64_t>::min() ||
        dim.offset == std::numeric_limits<int64_t>::min())
      return false;
    divisor = std::gcd(dim.coefficient, dim.offset);
    factors.emplace_back(dim.coefficient / divisor, dim.offset / divisor);
    llvm::sort(factors, [](const Dim &a, const Dim &b) {
      return std::tie(a.coefficient, a.offset) <
             std::tie(b.coefficient, b.offset);
    });
  }
  return !llvm::MulOverflow(constant, divisor, constant);
}

bool Product::divide(const Product &other) {
  if (!isMultiple(constant, other.constant))
    return false;
  constant /= other.constant;
  for (const Dim &factor : other.factors) {
    auto *found = llvm::find(factors, factor);
    if (found == factors.end())
      return false;
    factors.erase(found);
  }
  return true;
}

std::optional<Dim> Product::asDim() const {
  if (factors.empty())
    return Dim(constant);
  if (factors.size() > 1)
    return std::nullopt;
  return mlir::fact::multiply(factors.front(), Dim(constant));
}

bool Product::operator==(const Product &other) const {
  return constant == other.constant && factors == other.factors;
}
