//===- Tilings.h - Sizes of blocks, and which ones to try -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOFACTISA_TILINGS_H
#define FACT_LIB_CONVERSION_FACTTOFACTISA_TILINGS_H

#include "fact/Conversion/Passes.h"
#include "fact/ISA/Machine.h"

#include "llvm/ADT/SmallVector.h"

namespace mlir::factisa {

/// Most rows of a row block.
inline constexpr int64_t mostBlockRows = 64;

/// Sizes of a loop over heads that generates and attends.
struct HeadTiling {
  int64_t rows = 0;   ///< Rows of a row block; 0: there is no such loop.
  int64_t stored = 0; ///< What goes through DRAM from one part of the loop to
                      ///< the next: 0 nothing, 1 rows of queries, 2 all rows.
  int64_t turns = 0;  ///< As of other loops.
  int64_t weightSlots = 2; ///< 2: a head's weights come while the one before is
                           ///< worked on; 1: with its first blocks.
  bool hasQueriesInPlace = false; ///< Whether a block of a head's queries comes
                                  ///< where the one that is read was.
  bool selectsApart = false;   ///< Whether selections are loops of their own.
  bool isDifferential = false; ///< Whether K and V are made block by block
                               ///< of queries, as far as each wants new rows.
  bool speculates = false;     ///< Whether Q, K and V at low precision are made
                               ///< beside a selection of all heads.
};

/// Sizes of blocks, chosen so that the plan fits the scratchpad.
struct Tiling {
  int64_t rows = mostBlockRows; ///< Rows of a row block.
  int64_t cols = 0; ///< Keys of a key block, a multiple of 8; at least the
                    ///< bound: all keys at once.
  int64_t weightBytes = 65536; ///< Most bytes of one tile of a weight.
  bool keepWeights =
      false;         ///< Weights of a group are loaded once, before its loop.
  int64_t turns = 0; ///< Buffers of one size that take turns in a loop whose
                     ///< iterations overlap; 0: they do not overlap.
  HeadTiling heads;
  bool isLastResort = false; ///< So small that programs are long and slow.
  HeadTiling readers; ///< Of loops over heads that read what others speculate;
                      ///< without rows: as the others.
};

/// Sizes of loops over rows for sequences of at most `bound` tokens, the best
/// first: many rows, then wide key blocks.
SmallVector<Tiling> rowTilings(int64_t bound, fact::Schedule schedule,
                               const ::fact::isa::Machine &machine);

/// Sizes of loops over heads, the best first: those that speculate, where that
/// is possible, the others, and at last no such loops.
SmallVector<HeadTiling> headTilings(int64_t bound, fact::Schedule schedule,
                                    bool canSpeculate);

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_TILINGS_H
