//===- Semantics.h - One function per instruction -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The semantic core: what every instruction of an engine does to memory and
// what it reports to the meter. Control instructions, `sync` and tokens are in
// Core.cpp. An instruction without a function here does not
// compile. docs/adding-an-instruction.md says how to add one.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_SEMANTICS_H
#define FACT_LIB_SIM_SEMANTICS_H

#include "Frame.h"

#include <vector>

namespace fact::sim {

// Dma.cpp
void execute(const isa::Load &i, Frame &frame);
void execute(const isa::LoadListed &i, Frame &frame);
void execute(const isa::LoadWeight &i, Frame &frame);
void execute(const isa::Store &i, Frame &frame);

// Ep.cpp
void execute(const isa::EpProject &i, Frame &frame);
void execute(const isa::EpBias &i, Frame &frame);
void execute(const isa::EpNormalize &i, Frame &frame);
void execute(const isa::EpEncode &i, Frame &frame);
void execute(const isa::EpScore &i, Frame &frame);

// Sel.cpp
void execute(const isa::SelTopK &i, Frame &frame);
void execute(const isa::SelFill &i, Frame &frame);
void execute(const isa::SelCountAll &i, Frame &frame);
void execute(const isa::SelPrecision &i, Frame &frame);
void execute(const isa::SelList &i, Frame &frame);
void execute(const isa::SelListNew &i, Frame &frame);
void execute(const isa::SelCount &i, Frame &frame);

// Pe.cpp
void execute(const isa::PeGemm &i, Frame &frame);
void execute(const isa::PeQk &i, Frame &frame);
void execute(const isa::PePv &i, Frame &frame);

// Apu.cpp
void execute(const isa::ApuNorm &i, Frame &frame);
void execute(const isa::ApuRotate &i, Frame &frame);
void execute(const isa::ApuQuantize &i, Frame &frame);
void execute(const isa::ApuRescale &i, Frame &frame);
void execute(const isa::ApuActivation &i, Frame &frame);
void execute(const isa::ApuAdd &i, Frame &frame);
void execute(const isa::ApuMultiply &i, Frame &frame);
void execute(const isa::ApuColumnSum &i, Frame &frame);
void execute(const isa::ApuMean &i, Frame &frame);

// ApuAttention.cpp
void execute(const isa::ApuSoftmax &i, Frame &frame);
void execute(const isa::ApuContext &i, Frame &frame);
void execute(const isa::ApuCopyDominated &i, Frame &frame);

/// The rows that an instruction with an optional row list works on, ascending:
/// all of `rows`, or those of the list (whose count and indices are checked).
std::vector<int32_t> listedRows(Frame &frame, const Extent &rows,
                                const char *operand);

/// Fails where a row's window is not within the columns of a tile.
void requireWindow(const numerics::Window &window, int64_t row, int64_t length,
                   const Extent &columns);

/// The columns of a tile that a row works on.
class Columns {
public:
  /// `mask` may be absent: every column is allowed. `dominated` likewise.
  Columns(Frame &frame, const Extent &rows, const Extent &columns,
          int64_t maskStride, const numerics::Window &window);

  /// Whether row `r` of the instruction does without attention.
  bool isDominated(int64_t r) const;

  /// The columns of row `r`, ascending and relative to the tile's first.
  const std::vector<int32_t> &of(int64_t r);

  /// Where the first of these is in a row of scores or probabilities: with a
  /// mask behind those that the row keeps of earlier tiles, else at its place
  /// in the tile.
  int64_t place(int64_t r) const;

private:
  /// The columns of the tile that row `r` may see, relative to its first.
  std::pair<int64_t, int64_t> allowed(int64_t r) const;

  Frame &frame;
  Extent rows, columns;
  numerics::Window window;
  View<const uint8_t> mask;
  const uint8_t *dominated = nullptr;
  /// Columns that `indices` holds without a mask, from and to.
  std::pair<int64_t, int64_t> cached{-1, -1};
  std::vector<int32_t> indices;
};

/// Throws where a compact row has no room for what the mask keeps.
void checkCompact(const char *operand, const isa::SramRef &mask, int64_t count,
                  int64_t room);

} // namespace fact::sim

#endif // FACT_LIB_SIM_SEMANTICS_H
