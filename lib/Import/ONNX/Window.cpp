//===- Window.cpp - Windows that move over a tensor -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Window.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;

/// Products of two such numbers and an extent do not overflow.
static constexpr int64_t maxNumber = std::numeric_limits<int32_t>::max();

bool PaddedWindow::isPadded() const {
  auto isPositive = [](int64_t count) { return count > 0; };
  return llvm::any_of(before, isPositive) || llvm::any_of(after, isPositive) ||
         llvm::any_of(beyond, isPositive);
}

/// \p count numbers of at least \p least.
static FailureOr<SmallVector<int64_t>>
readNumbers(NodeImport &node, StringRef name, size_t count, int64_t least,
            std::optional<int64_t> absent) {
  std::optional<SmallVector<int64_t>> missing;
  if (absent)
    missing = SmallVector<int64_t>(count, *absent);
  FailureOr<SmallVector<int64_t>> values = node.intsAttribute(name, missing);
  if (failed(values))
    return failure();
  if (values->size() != count)
    return node.fail("attribute '" + name + "' must have " + Twine(count) +
                     " elements (has " + Twine(values->size()) + ")");
  for (int64_t value : *values)
    if (value < least || value > maxNumber)
      return node.fail("attribute '" + name + "' must have elements of " +
                       Twine(least) + " to 2^31 - 1 (one was " + Twine(value) +
                       ")");
  return values;
}

FailureOr<SmallVector<int64_t>> mlir::fact::readKernelShape(NodeImport &node,
                                                            size_t rank) {
  return readNumbers(node, "kernel_shape", rank, 1, std::nullopt);
}

namespace {

enum class AutoPad { NotSet, Valid, SameUpper, SameLower };

/// Places of a window along one dimension.
class WindowDimension {
public:
  WindowDimension(NodeImport &node, PaddedWindow &window, size_t i, Dim extent)
      : node(node), window(window), i(i), extent(extent),
        stride(window.strides[i]), reach(window.reach(i)) {}

  LogicalResult place(AutoPad autoPad, bool ceilMode) {
    if (!extent.isConstant() && stride != 1)
      return node.fail("moves in steps of " + Twine(stride) +
                       " over an extent that depends on the sequence length: " +
                       extent.str());
    if (autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower)
      padToSame(autoPad == AutoPad::SameUpper);
    std::optional<Dim> padded =
        add(extent, Dim(window.before[i] + window.after[i]));
    std::optional<Dim> span = padded ? add(*padded, Dim(-reach)) : std::nullopt;
    if (!span || !span->isNonNegative(node.bound))
      return node.fail("window that reaches over " + Twine(reach) +
                       " elements does not fit into an extent of " +
                       (padded ? *padded : extent).str());
    if (!extent.isConstant()) {
      window.places.push_back(Dim(span->coefficient, span->offset + 1));
      return success();
    }
    int64_t places = (ceilMode ? llvm::divideCeil(span->offset, stride)
                               : span->offset / stride) +
                     1;
    // No window starts in the padding at the end.
    if (ceilMode && (places - 1) * stride >= extent.offset + window.before[i])
      --places;
    window.places.push_back(Dim(places));
    window.beyond[i] =
        std::max<int64_t>(0, (places - 1) * stride + reach - padded->offset);
    return success();
  }

private:
  /// As many places as steps begin inside of the extent.
  void padToSame(bool isUpper) {
    int64_t total = reach - 1;
    if (extent.isConstant()) {
      int64_t places = llvm::divideCeil(extent.offset, stride);
      total =
          std::max<int64_t>(0, (places - 1) * stride + reach - extent.offset);
    }
    int64_t less = total / 2, more = total - less;
    window.before[i] = isUpper ? less : more;
    window.after[i] = isUpper ? more : less;
  }

  NodeImport &node;
  PaddedWindow &window;
  size_t i;
  Dim extent;
  int64_t stride, reach;
};

} // namespace

static FailureOr<AutoPad> readAutoPad(NodeImport &node) {
  FailureOr<StringRef> name = node.stringAttribute("auto_pad", "NOTSET");
  if (failed(name))
    return failure();
  if (*name == "NOTSET" || name->empty())
    return AutoPad::NotSet;
  if (*name == "VALID")
    return AutoPad::Valid;
  if (*name == "SAME_UPPER")
    return AutoPad::SameUpper;
  if (*name == "SAME_LOWER")
    return AutoPad::SameLower;
  return node.fail("attribute 'auto_pad' must be NOTSET, VALID, SAME_UPPER or "
                   "SAME_LOWER (was '" +
                   *name + "')");
}

FailureOr<PaddedWindow> mlir::fact::readWindow(NodeImport &node,
                                               llvm::ArrayRef<Dim> spatial,
                                               llvm::ArrayRef<int64_t> extents,
                                               bool hasCeilMode) {
  size_t rank = spatial.size();
  FailureOr<SmallVector<int64_t>> strides =
      readNumbers(node, "strides", rank, 1, 1);
  FailureOr<SmallVector<int64_t>> dilations =
      readNumbers(node, "dilations", rank, 1, 1);
  FailureOr<SmallVector<int64_t>> pads =
      readNumbers(node, "pads", 2 * rank, 0, 0);
  FailureOr<AutoPad> autoPad = readAutoPad(node);
  FailureOr<int64_t> ceilMode =
      hasCeilMode ? node.intAttribute("ceil_mode", 0) : FailureOr<int64_t>(0);
  if (failed(strides) || failed(dilations) || failed(pads) || failed(autoPad) ||
      failed(ceilMode))
    return failure();
  if (*autoPad != AutoPad::NotSet &&
      llvm::any_of(*pads, [](int64_t pad) { return pad != 0; }))
    return node.fail("has both 'auto_pad' and 'pads'");
  PaddedWindow window;
  window.extents.assign(extents.begin(), extents.end());
  window.strides = *strides;
  window.dilations = *dilations;
  window.before.assign(pads->begin(), pads->begin() + rank);
  window.after.assign(pads->begin() + rank, pads->end());
  window.beyond.assign(rank, 0);
  bool ceils = *autoPad == AutoPad::NotSet && *ceilMode != 0;
  for (size_t i = 0; i < rank; ++i)
    if (failed(WindowDimension(node, window, i, spatial[i])
                   .place(*autoPad, ceils)))
      return failure();
  return window;
}

Value mlir::fact::padForWindow(NodeImport &node, Value value, Shape &shape,
                               const PaddedWindow &window, float number) {
  if (!window.isPadded())
    return value;
  size_t first = shape.size() - window.before.size();
  Shape from = shape;
  SmallVector<int64_t> before(first, 0);
  llvm::append_range(before, window.before);
  for (size_t i = 0; i < window.before.size(); ++i) {
    std::optional<Dim> sum =
        add(from[first + i],
            Dim(window.before[i] + window.after[i] + window.beyond[i]));
    if (!sum) {
      (void)node.fail("padded input is too large: " + str(from));
      return nullptr;
    }
    shape[first + i] = *sum;
  }
  if (failed(node.checkSize(shape, "padded input")))
    return nullptr;
  return node.emit.pad(node.loc, value, from, shape, before,
                       node.emit.number(number));
}
