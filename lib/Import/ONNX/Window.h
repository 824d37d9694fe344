//===- Window.h - Windows that move over a tensor -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What convolutions and pools say about their windows, and what follows from it
// for the extents of inputs and results.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_WINDOW_H
#define FACT_LIB_IMPORT_ONNX_WINDOW_H

#include "NodeImport.h"

namespace mlir::fact {

/// A window together with the padding around the tensor that it moves over.
struct PaddedWindow : Window {
  SmallVector<int64_t> before, after;
  /// Further padding at the end: with ceil_mode, the last window may end there.
  SmallVector<int64_t> beyond;
  /// How many places the window has: the result's spatial extents.
  Shape places;

  bool isPadded() const;
  /// Elements from the first to the last one that the window reads.
  int64_t reach(size_t i) const { return dilations[i] * (extents[i] - 1) + 1; }
};

/// Reads strides, dilations, pads, auto_pad and, for pools, ceil_mode.
/// \p spatial are the input's extents that a window of \p extents moves over.
FailureOr<PaddedWindow> readWindow(NodeImport &node,
                                   llvm::ArrayRef<Dim> spatial,
                                   llvm::ArrayRef<int64_t> extents,
                                   bool hasCeilMode);

/// Attribute kernel_shape; an error where it is not \p rank positive numbers.
FailureOr<SmallVector<int64_t>> readKernelShape(NodeImport &node, size_t rank);

/// Puts \p number around the last dimensions of \p value, as the window needs
/// it. \p shape becomes the result's. Null, with an error, where that is too
/// large.
Value padForWindow(NodeImport &node, Value value, Shape &shape,
                   const PaddedWindow &window, float number);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_WINDOW_H
