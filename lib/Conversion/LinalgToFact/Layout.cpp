//===- Layout.cpp - Where the dimensions of a tensor come from ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layout.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

Atoms mlir::fact::merged(ArrayRef<Atom> atoms) {
  Atoms result;
  for (const Atom &atom : atoms) {
    bool isWhole = atom.isSequence() || atom.isSliced();
    if (!isWhole && atom.size == 1)
      continue;
    if (!result.empty() && !isWhole) {
      Atom &last = result.back();
      if (last.axis == atom.axis && !last.isSliced() &&
          last.stride == atom.size * atom.stride) {
        last.size *= atom.size;
        last.stride = atom.stride;
        continue;
      }
    }
    result.push_back(atom);
  }
  return result;
}

bool mlir::fact::isSequence(ArrayRef<Atom> atoms) {
  return atoms.size() == 1 && atoms.front().isSequence();
}

Atoms mlir::fact::concatenated(ArrayRef<Atoms> dims) {
  Atoms all;
  for (const Atoms &atoms : dims)
    llvm::append_range(all, atoms);
  return merged(all);
}

Layout Layout::collapsed(ArrayRef<ReassociationIndices> groups) const {
  Layout result;
  result.offset = offset;
  for (const ReassociationIndices &group : groups) {
    Atoms atoms;
    for (int64_t dim : group)
      llvm::append_range(atoms, dims[dim]);
    result.dims.push_back(merged(atoms));
  }
  return result;
}

/// The extent of a dimension of these parts.
static int64_t extentOf(ArrayRef<Atom> atoms) {
  int64_t extent = 1;
  for (const Atom &atom : atoms) {
    if (ShapedType::isDynamic(atom.extent()))
      return ShapedType::kDynamic;
    extent *= atom.size;
  }
  return extent;
}

/// Takes `size` steps off the minor end of `atoms`.
static std::optional<Atoms> takeMinor(Atoms &atoms, int64_t size) {
  Atoms taken; // from minor to major
  while (size != 1) {
    if (atoms.empty())
      return std::nullopt;
    Atom &last = atoms.back();
    int64_t extent = last.extent();
    if (extent == size ||
        (size > 0 && extent > 0 && size % extent == 0 && !last.isSequence())) {
      size = extent == size ? 1 : size / extent;
      taken.push_back(last);
      atoms.pop_back();
      continue;
    }
    if (last.isSequence() || size <= 0 || extent <= 0 || extent % size != 0)
      return std::nullopt;
    Atom minor = last;
    minor.size = size;
    taken.push_back(minor);
    last.stride *= size;
    last.size /= size;
    size = 1;
  }
  std::reverse(taken.begin(), taken.end());
  return taken;
}

std::optional<Layout> Layout::expanded(ArrayRef<ReassociationIndices> groups,
                                       ArrayRef<int64_t> shape) const {
  Layout result;
  result.offset = offset;
  result.dims.resize(shape.size());
  for (auto [group, atoms] : llvm::zip_equal(groups, dims)) {
    Atoms rest = atoms;
    // Beside units an open dimension is all of it, heads and tokens, say.
    auto isOpen = [&](int64_t dim) {
      return ShapedType::isDynamic(shape[dim]);
    };
    auto isUnit = [&](int64_t dim) { return shape[dim] == 1; };
    const auto *open = llvm::find_if(group, isOpen);
    if (open != group.end() && ShapedType::isDynamic(extentOf(rest)) &&
        llvm::count_if(group, isUnit) + 1 ==
            static_cast<int64_t>(group.size())) {
      result.dims[*open] = merged(rest);
      continue;
    }
    for (int64_t dim : llvm::drop_begin(llvm::reverse(group), 0)) {
      if (dim == group.front())
        break;
      std::optional<Atoms> taken = takeMinor(rest, shape[dim]);
      if (!taken)
        return std::nullopt;
      result.dims[dim] = merged(*taken);
    }
    if (group.empty()) {
      if (!rest.empty())
        return std::nullopt;
      continue;
    }
    // A sequence of one token may hide in a later unit dimension, but the first
    // dimension of the group always gets what is left, so that nothing is lost.
    // It must be all of that: three open sequences in a row are not one.
    if (extentOf(rest) != shape[group.front()])
      return std::nullopt;
    result.dims[group.front()] = merged(rest);
  }
  return result;
}

std::optional<Layout> Layout::sliced(unsigned dim, int64_t start, int64_t size,
                                     int64_t stride) const {
  Layout result = *this;
  Atoms &atoms = result.dims[dim];
  // Constants that are operands of an op are not verified by it.
  int64_t extent = extentOf(atoms);
  if (ShapedType::isDynamic(extent) || start < 0 || size < 1 || stride < 1 ||
      start >= extent || size - 1 > (extent - 1 - start) / stride)
    return std::nullopt;
  if (atoms.empty()) // extent 1: all of it
    return result;
  // Divide the dimension until one part is what the slice walks over.
  if (atoms.size() > 1) {
    int64_t minor = 1;
    for (const Atom &atom : llvm::drop_begin(atoms)) {
      if (atom.isSequence())
        return std::nullopt;
      minor *= atom.size;
    }
    if (stride != 1 || start % minor != 0 || size % minor != 0)
      return std::nullopt;
    start /= minor;
    size /= minor;
  }
  Atom &atom = atoms.front();
  if (atom.isSequence())
    return std::nullopt;
  result.offset += start * atom.stride;
  atom.size = size;
  atom.stride *= stride;
  atoms = merged(atoms);
  return result;
}

std::optional<unsigned> Layout::tokenDim() const {
  for (auto [i, atoms] : llvm::enumerate(dims))
    if (atoms.size() == 1 && atoms.front().axis == Axis::Token)
      return i;
  return std::nullopt;
}

Layout mlir::fact::renumbered(ArrayRef<Atoms> like, ArrayRef<int64_t> extents) {
  Layout result;
  SmallVector<std::pair<int64_t, unsigned>> order; // stride, dimension
  int64_t last = std::numeric_limits<int64_t>::max();
  for (auto [dim, atoms] : llvm::enumerate(like)) {
    if (isSequence(atoms)) {
      result.dims.push_back(atoms);
      continue;
    }
    result.dims.emplace_back();
    if (!atoms.empty())
      last = atoms.front().stride;
    order.push_back({last, dim});
  }
  llvm::sort(order, [](auto a, auto b) {
    return std::pair(-a.first, a.second) < std::pair(-b.first, b.second);
  });
  int64_t stride = 1;
  for (auto [ignored, dim] : llvm::reverse(order)) {
    result.dims[dim] = merged(Atom{Axis::Feature, extents[dim], stride});
    stride *= extents[dim];
  }
  return result;
}

SmallVector<int64_t>
mlir::fact::offsetsBy(const Layout &layout,
                      ArrayRef<SmallVector<int64_t>> offsets) {
  SmallVector<unsigned> order;
  for (auto [dim, atoms] : llvm::enumerate(layout.dims))
    if (!isSequence(atoms) && !atoms.empty())
      order.push_back(dim);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return layout.dims[a].front().stride > layout.dims[b].front().stride;
  });
  SmallVector<int64_t> result{0};
  for (unsigned dim : order) {
    SmallVector<int64_t> next;
    next.reserve(result.size() * offsets[dim].size());
    for (int64_t base : result)
      for (int64_t offset : offsets[dim])
        next.push_back(base + offset);
    result = std::move(next);
  }
  return result;
}

Layout mlir::fact::dataLayout(ArrayRef<int64_t> shape) {
  Layout result;
  int64_t stride = 1;
  for (int64_t size : llvm::reverse(shape)) {
    result.dims.push_back(merged(Atom{Axis::Data, size, stride}));
    stride *= size;
  }
  std::reverse(result.dims.begin(), result.dims.end());
  return result;
}

Layout mlir::fact::rowLayout(const Atom &token, int64_t width) {
  Layout result;
  result.dims.push_back({token});
  result.dims.push_back(merged(Atom{Axis::Feature, width}));
  return result;
}

SmallVector<int64_t> mlir::fact::offsetsOf(ArrayRef<Atom> atoms,
                                           int64_t offset) {
  SmallVector<int64_t> offsets{offset};
  for (const Atom &atom : atoms) {
    SmallVector<int64_t> next;
    next.reserve(offsets.size() * atom.size);
    for (int64_t base : offsets)
      for (int64_t i = 0; i < atom.size; ++i)
        next.push_back(base + i * atom.stride);
    offsets = std::move(next);
  }
  return offsets;
}

bool FeatureElements::read(unsigned loop, ArrayRef<Atom> dim) {
  const Atoms &over = loops[loop];
  if (over.empty() || llvm::any_of(over, [](const Atom &atom) {
        return atom.axis != Axis::Feature;
      }))
    return false;
  llvm::append_range(features, over);
  llvm::append_range(elements, dim);
  isRead.set(loop);
  return true;
}

std::optional<SmallVector<int64_t>>
FeatureElements::byFeature(int64_t offset) const {
  Atoms all(features.begin(), features.end()),
      from(elements.begin(), elements.end());
  // Gamma of a head, over all heads.
  for (auto [i, loop] : llvm::enumerate(loops))
    for (const Atom &atom : loop)
      if (!isRead[i] && atom.axis == Axis::Feature) {
        all.push_back(atom);
        from.push_back({Axis::Data, atom.size, 0});
      }
  SmallVector<int64_t> places = offsetsOf(all),
                       offsets = offsetsOf(from, offset);
  // Where the loops are over one number of each head there are fewer.
  auto width = static_cast<int64_t>(places.size());
  if (places.size() != offsets.size() ||
      llvm::any_of(places, [&](int64_t place) { return place >= width; }))
    return std::nullopt;
  SmallVector<int64_t> result(width);
  for (auto [place, element] : llvm::zip_equal(places, offsets))
    result[place] = element;
  return result;
}
