//===- Tilings.cpp - Which sizes of blocks to try -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tilings.h"

#include "llvm/Support/MathExtras.h"

#include <array>

using namespace mlir;
using namespace mlir::factisa;
using mlir::fact::Schedule;

/// Rows of a block, the most first, such that blocks are of about the same
/// size.
static SmallVector<int64_t> blockRows(int64_t bound) {
  SmallVector<int64_t> heights;
  for (int64_t rows :
       {mostBlockRows, int64_t(48), int64_t(40), int64_t(32), int64_t(24),
        int64_t(16), int64_t(8), int64_t(4), int64_t(2), int64_t(1)}) {
    // What comes before the first block and after the last one is as long as
    // a block.
    if (rows > std::max<int64_t>(32, bound / 12))
      continue;
    int64_t blocks = llvm::divideCeil(bound, rows);
    int64_t even = llvm::divideCeil(bound, blocks);
    even = std::min<int64_t>(llvm::alignTo(even, std::min<int64_t>(rows, 4)),
                             rows);
    if (heights.empty() || even < heights.back())
      heights.push_back(even);
  }
  return heights;
}

SmallVector<Tiling> factisa::rowTilings(int64_t bound, Schedule schedule,
                                        const ::fact::isa::Machine &machine) {
  int64_t weights = machine.buffer(::fact::isa::Buffer::Weight).bytes;
  SmallVector<Tiling> all;
  int64_t everything = llvm::alignTo(bound, 64);
  Tiling atOnce;
  atOnce.rows = blockRows(bound).front();
  atOnce.cols = everything;
  atOnce.weightBytes = weights;
  atOnce.keepWeights = true;
  atOnce.turns = schedule == Schedule::InOrder ? 0 : 4;
  all.push_back(atOnce);
  auto add = [&](bool isSmall, bool hasSmallTiles,
                 ArrayRef<int64_t> turnsToTry) {
    for (int64_t share : hasSmallTiles ? std::array<int64_t, 2>{64, 512}
                                       : std::array<int64_t, 2>{5, 16})
      for (int64_t rows : blockRows(bound))
        for (int64_t cols :
             {everything, int64_t(1024), int64_t(256), int64_t(64), int64_t(8)})
          for (int64_t turns : turnsToTry)
            if ((cols == everything || cols < bound) &&
                isSmall == (rows < std::min<int64_t>(bound, 8))) {
              Tiling tiling;
              tiling.rows = rows;
              tiling.cols = cols;
              tiling.weightBytes = std::max<int64_t>(weights / share, 64);
              tiling.turns = turns;
              tiling.isLastResort = isSmall || hasSmallTiles || turns == 0;
              all.push_back(tiling);
            }
  };
  // Small tiles make long programs: down to 8, fewer rows are better. Without
  // turns a loop needs the fewest buffers.
  for (bool isSmall : {false, true})
    for (bool hasSmallTiles : {false, true}) {
      // Of a large weight memory small tiles make room for nothing.
      if (hasSmallTiles && weights >= 65536)
        continue;
      if (schedule != Schedule::InOrder) {
        add(isSmall, hasSmallTiles, {4, 2});
        add(isSmall, hasSmallTiles, {1});
      }
      add(isSmall, hasSmallTiles, {0});
    }
  return all;
}

SmallVector<HeadTiling> factisa::headTilings(int64_t bound, Schedule schedule,
                                             bool canSpeculate) {
  SmallVector<HeadTiling> all;
  if (schedule == Schedule::InOrder)
    return {{}};
  auto add = [&](bool isDifferential, bool speculates, bool selectsApart,
                 ArrayRef<int64_t> turnsToTry) {
    // Blocks of few rows cost more than a way through DRAM.
    for (bool hasFewRows : {false, true})
      for (int64_t stored : {0, 1, 2})
        for (int64_t rows : blockRows(bound))
          for (int64_t weightSlots : {2, 1})
            for (bool hasQueriesInPlace : {false, true})
              for (int64_t turns : turnsToTry) {
                bool mayHaveQueriesInPlace =
                    stored == 0 && !isDifferential && !hasFewRows;
                if (rows > 32 || rows < std::min<int64_t>(bound, 8) ||
                    hasFewRows != (rows < 16) ||
                    (hasQueriesInPlace && !mayHaveQueriesInPlace))
                  continue;
                HeadTiling tiling;
                tiling.rows = rows;
                tiling.stored = stored;
                tiling.turns = turns;
                tiling.weightSlots = weightSlots;
                tiling.hasQueriesInPlace = hasQueriesInPlace;
                tiling.selectsApart = selectsApart;
                tiling.isDifferential = isDifferential;
                tiling.speculates = speculates;
                all.push_back(tiling);
              }
  };
  for (bool isDifferential : {true, false})
    for (bool speculates : {true, false})
      for (bool selectsApart : {false, true})
        if ((canSpeculate || !speculates) &&
            (schedule == Schedule::Differential || !isDifferential) &&
            !(selectsApart && (speculates || isDifferential))) {
          add(isDifferential, speculates, selectsApart, {6, 4, 3});
          add(isDifferential, speculates, selectsApart, {1});
        }
  all.push_back({});
  return all;
}
