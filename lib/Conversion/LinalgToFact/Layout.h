//===- Layout.h - Where the dimensions of a tensor come from --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Transposes, reshapes and slices do not compute: a tensor that went through
// them is a view of rows [L, d]. A layout says, for every dimension of the
// tensor, which parts of the rows' axes it walks over. Everything else in this
// folder works on rows and needs no pattern for shapes.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_LAYOUT_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_LAYOUT_H

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/SmallBitVector.h"

#include <optional>

namespace mlir::fact {

enum class Axis : uint8_t {
  Token,   ///< rows of the sequence (of the queries, in scores)
  Key,     ///< rows of the keys, in scores
  Head,    ///< heads, in scores
  Feature, ///< columns of the rows
  Data,    ///< elements of a constant, in memory order
};

/// A part of a dimension: `size` steps of `stride` along one axis. Token and
/// Key always stand for the whole sequence; `sequence` says which one.
struct Atom {
  Axis axis;
  int64_t size; ///< ShapedType::kDynamic for an open sequence
  int64_t stride = 1;
  int sequence = -1;

  bool isSequence() const { return axis == Axis::Token || axis == Axis::Key; }
  /// The first elements of a constant, one for each token; `size` is how many
  /// there are to take them from.
  bool isSliced() const { return axis == Axis::Data && sequence >= 0; }
  /// As an extent of a tensor.
  int64_t extent() const { return isSliced() ? ShapedType::kDynamic : size; }
  bool operator==(const Atom &other) const {
    return axis == other.axis && size == other.size && stride == other.stride &&
           sequence == other.sequence;
  }
};

/// The parts of a dimension from major to minor; none for extent 1.
using Atoms = SmallVector<Atom, 2>;

/// The same dimension in its shortest form: neighbours that walk one axis
/// evenly are one atom, and size 1 (of anything but a sequence) is none.
Atoms merged(ArrayRef<Atom> atoms);
/// The whole of a sequence, and nothing else.
bool isSequence(ArrayRef<Atom> atoms);
/// One atom of that axis.
inline bool isAxis(ArrayRef<Atom> atoms, Axis axis) {
  return atoms.size() == 1 && atoms.front().axis == axis;
}
/// All parts of several dimensions, merged.
Atoms concatenated(ArrayRef<Atoms> dims);

struct Layout {
  SmallVector<Atoms, 4> dims;
  /// Of the first element, along Feature or Data.
  int64_t offset = 0;

  bool operator==(const Layout &other) const {
    return dims == other.dims && offset == other.offset;
  }

  Layout collapsed(ArrayRef<ReassociationIndices> groups) const;
  /// Null where a part would have to be divided unevenly.
  std::optional<Layout> expanded(ArrayRef<ReassociationIndices> groups,
                                 ArrayRef<int64_t> shape) const;
  /// Takes `size` elements from `offset` on of dimension `dim`. Null where they
  /// are not all there, or where the layout cannot say so.
  std::optional<Layout> sliced(unsigned dim, int64_t offset, int64_t size,
                               int64_t stride) const;
  /// The dimension that is exactly the sequence, and only that.
  std::optional<unsigned> tokenDim() const;
};

/// A layout in which each dimension walks over features of its own, as many as
/// `extents` says; they come in the order in which those of `like` come, and
/// new ones behind those of the dimension before. Sequences stay.
Layout renumbered(ArrayRef<Atoms> like, ArrayRef<int64_t> extents);

/// For each feature of such a layout, in order, the sum of the offsets of its
/// places in the dimensions; `offsets` has one list for each dimension, an
/// empty one for a sequence.
SmallVector<int64_t> offsetsBy(const Layout &layout,
                               ArrayRef<SmallVector<int64_t>> offsets);

/// A row-major layout of constant data.
Layout dataLayout(ArrayRef<int64_t> shape);

/// Rows [L, d] as they are: token, feature.
Layout rowLayout(const Atom &token, int64_t width);

/// Every offset that the atoms walk over, minor atom fastest. Atoms of one
/// static axis only.
SmallVector<int64_t> offsetsOf(ArrayRef<Atom> atoms, int64_t offset = 0);

/// Which element of a constant each feature of rows has, from the loops that
/// read it and what these walk over.
class FeatureElements {
public:
  explicit FeatureElements(ArrayRef<Atoms> loops)
      : loops(loops), isRead(loops.size()) {}

  /// A dimension of the constant, read by a loop. False where that is over
  /// something else than features.
  bool read(unsigned loop, ArrayRef<Atom> dim);
  /// Elements by feature; along loops that read no dimension they are repeated.
  /// None where features have no element, or several.
  std::optional<SmallVector<int64_t>> byFeature(int64_t offset) const;

private:
  ArrayRef<Atoms> loops;
  Atoms features, elements;
  llvm::SmallBitVector isRead;
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_LAYOUT_H
