//===- BodyFolder.h - The numbers of an op's body -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_BODYFOLDER_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_BODYFOLDER_H

#include "Analysis.h"
#include "ConstantData.h"

#include <map>

namespace mlir::fact {

/// Most elements that are worked out for a tensor.
inline constexpr int64_t mostFolded = int64_t(1) << 26;

/// A tensor as numbers: the element at some place is the one at the sum of its
/// dimensions' offsets.
struct Numbers {
  std::vector<float> own;
  std::optional<ConstantData> data;
  SmallVector<SmallVector<int64_t>> offsets; ///< none for a scalar
  int64_t first = 0;

  float operator[](int64_t offset) const {
    return data ? (*data)[first + offset] : own[first + offset];
  }
};

/// What the loops of an op walk over, in the order of the result.
struct FoldedLoops {
  SmallVector<unsigned> order;
  SmallVector<int64_t> extents; ///< by loop
  std::optional<unsigned> token;
  Atom sequence;
  int64_t positions = 0; ///< of the token loop
  int64_t count = 1;
};

/// Whether a number of each token follows from its position alone.
bool isPosition(Node *node);

/// The first `positions` rows of what has rows, or all of a constant.
std::optional<Numbers> numbersIn(const Contents &contents, int64_t positions);

/// The numbers of a body, for all elements of its loops (docs/numerics.md
/// section 10: each operation in double on f32 operands, rounded to f32).
class BodyFolder {
public:
  BodyFolder(linalg::LinalgOp op, const FoldedLoops &loops,
             llvm::function_ref<std::optional<Numbers>(Value)> numbersOf)
      : op(op), loops(loops), numbersOf(numbersOf) {}

  /// Empty where an operation has no rule here.
  std::vector<float> run();
  /// A number in the body for each step of one loop, the others at their first.
  std::vector<float> numbersAlong(Value number, unsigned loop);

private:
  std::vector<float> elementsOf(const Numbers &numbers, AffineMap map) const;
  void walk(unsigned depth, int64_t place,
            ArrayRef<const SmallVector<int64_t> *> byLoop,
            llvm::function_ref<void(int64_t)> visit) const;
  /// Steps of all loops within one: elements from its one step to the next.
  int64_t stepsWithin(unsigned loop) const;
  std::vector<float> indices(unsigned loop) const;
  /// An element of a tensor for each place.
  std::vector<float> picked(tensor::ExtractOp extract);
  const std::vector<float> *of(Value value);
  std::vector<float> compute(Value value);

  linalg::LinalgOp op;
  const FoldedLoops &loops;
  llvm::function_ref<std::optional<Numbers>(Value)> numbersOf;
  std::map<void *, std::vector<float>> values; ///< by value
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_BODYFOLDER_H
