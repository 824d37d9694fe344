//===- RunArrays.h - fact-run's array files against a function's types ----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_RUNARRAYS_H
#define FACT_LIB_COMPILER_RUNARRAYS_H

#include "fact/Numerics/Window.h"
#include "fact/Support/Npy.h"

#include <string>
#include <vector>

namespace fact {

/// Type of an argument or result. An extent of -1 is the sequence length.
struct TensorSpec {
  std::string name, dtype;
  std::vector<int64_t> shape;

  std::vector<int64_t> shapeAt(int64_t length) const;
};

/// The size of an element by NumPy's name of its type.
int64_t bytesOf(const std::string &dtype);

/// The functions below throw fact::Error; this header is for code with and
/// without exceptions.

/// Checks ranks, types and fixed extents of all inputs and returns their
/// common extent in the open dimensions, 0 if there is none.
int64_t sequenceRows(const std::vector<TensorSpec> &specs,
                     const std::vector<NpyArray> &inputs,
                     const std::vector<std::string> &paths);

/// The first `length` entries along every open dimension.
NpyArray crop(const TensorSpec &spec, const NpyArray &array, int64_t length);
/// Zeros behind an array, up to `rows` along every open dimension.
NpyArray pad(const TensorSpec &spec, const NpyArray &array, int64_t rows);

struct LayerShape {
  int64_t heads, keyHeads;
  ::fact::numerics::Window window;
  bool given; ///< The mask is the model's: nothing was selected.
};

/// The arrays of --dump-masks: a layer that selected nothing keeps everything,
/// and one whose mask was given has `low` alone.
NpzArchive completeMasks(NpzArchive found,
                         const std::vector<LayerShape> &layers, int64_t length);

/// Writes all files or none.
void writeAll(const std::vector<std::string> &paths,
              const std::vector<NpyArray> &arrays, const std::string &masksPath,
              const NpzArchive &masks, const std::string &objectPath,
              const std::string &object);

} // namespace fact

#endif // FACT_LIB_COMPILER_RUNARRAYS_H
