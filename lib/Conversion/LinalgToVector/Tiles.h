//===- Tiles.h - Loops over tiles that stay in registers --------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOVECTOR_TILES_H
#define FACT_LIB_CONVERSION_LINALGTOVECTOR_TILES_H

#include "Nest.h"

namespace mlir::fact {

/// What the target's registers hold.
struct TileShape {
  /// Elements of a vector.
  int64_t lanes;
  /// Of the tile of results that one pass through the reductions makes.
  int64_t rows, vectors;
};

/// Writes loops and vectors for `op`, which has a nest, before it.
void emitTiles(linalg::LinalgOp op, const TileShape &shape);

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOVECTOR_TILES_H
