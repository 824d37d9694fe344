//===- Dim.h - Extents in terms of the open dimension ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The sequence length L is the one unknown of an import. Shape arithmetic in
// the model (Shape, Slice, Concat, Reshape) is evaluated on numbers of the form
// `coefficient * L + offset`.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_DIM_H
#define FACT_LIB_IMPORT_ONNX_DIM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mlir::fact {

/// `coefficient * L + offset`; a constant where the coefficient is zero.
struct Dim {
  int64_t coefficient = 0;
  int64_t offset = 0;

  Dim() = default;
  Dim(int64_t constant) : offset(constant) {}
  Dim(int64_t coefficient, int64_t offset)
      : coefficient(coefficient), offset(offset) {}

  bool isConstant() const { return coefficient == 0; }
  bool isConstant(int64_t value) const {
    return coefficient == 0 && offset == value;
  }
  bool operator==(const Dim &other) const {
    return coefficient == other.coefficient && offset == other.offset;
  }
  bool operator!=(const Dim &other) const { return !(*this == other); }

  /// As it is written in a message: "64", "L", "2*L+1".
  std::string str() const;

  /// True where the number is at least zero for L = 1 and L = \p bound, and so
  /// for every length in between.
  bool isNonNegative(int64_t bound) const;
};

/// Sums, differences and products; absent where the result is not of the form
/// or does not fit.
std::optional<Dim> add(Dim a, Dim b);
std::optional<Dim> subtract(Dim a, Dim b);
std::optional<Dim> multiply(Dim a, Dim b);
/// Absent where the division leaves a remainder for some L.
std::optional<Dim> divide(Dim a, Dim b);

using Shape = llvm::SmallVector<Dim, 4>;

/// "1xLx64".
std::string str(llvm::ArrayRef<Dim> shape);

/// A product of extents in a normal form that can be compared and divided also
/// where several open extents are multiplied (the scores' L * L).
class Product {
public:
  /// False where the constant part overflows; the product is then useless.
  bool multiply(Dim dim);
  /// Takes the factors of \p other out; false where some are not there.
  bool divide(const Product &other);
  /// The product as one extent, where it has that form.
  std::optional<Dim> asDim() const;
  bool operator==(const Product &other) const;

private:
  int64_t constant = 1;
  /// Open factors without a common divisor, sorted.
  llvm::SmallVector<Dim, 2> factors;
};

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_DIM_H
