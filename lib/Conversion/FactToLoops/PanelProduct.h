//===- PanelProduct.h - Rows of a panel times a packed weight -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_PANELPRODUCT_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_PANELPRODUCT_H

#include "Panels.h"

#include <functional>

namespace mlir::fact::loops {

/// What PanelLoops::multiply computes.
struct PanelProduct {
  CodesAt input;
  int64_t k;
  PackedWeight weight;
  /// Columns: groups of 16 from a group on; the last has `lastWidth`.
  Value firstGroup;
  int64_t groups, lastWidth;
  /// `use` computes a long chain: it gets several rows at a time, so that a
  /// processor finds enough to do next to each other.
  bool isLong;
  /// Some rows of the panel.
  struct Rows {
    ListedRows rows;
    bool isHigh; ///< They are in INT4.
    /// Uses sums (i32, a multiple of 16 lanes for each row) of rows of the
    /// panel from a column on, of which `width` count. A row may be there
    /// twice.
    std::function<void(ArrayRef<Value> rows, Value column, int64_t width,
                       Value sums)>
        use;
  };
  SmallVector<Rows, 2> rows;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PANELPRODUCT_H
