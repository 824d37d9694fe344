//===- Metadata.h - What a program says about itself ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_METADATA_H
#define FACT_SIM_METADATA_H

#include "fact/ISA/Instructions.h"
#include "fact/ISA/Program.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fact::sim {

/// A linear layer of the model, with k features in and n out.
struct LinearInfo {
  isa::Role role = isa::Role::Other;
  int64_t k = 0, n = 0;
};

/// One encoder layer of the model that a program was made from.
struct LayerInfo {
  int64_t heads = 1;
  bool causal = false;
  int64_t features = 0; ///< of a token in attention, all heads together
  /// The mask is the model's own: no selection makes it.
  bool maskGiven = false;
  /// So many layers before this one is the layer with whose number the
  /// selection, and the low-precision tokens, of this one are made.
  int64_t selectsWith = 0, lowersWith = 0;
  std::vector<LinearInfo> linears;
};

/// The fields of a program's metadata that a run needs: `layers`, a list of
/// {heads, causal, features, mask_given, selects_with, lowers_with, linears:
/// [{role, k, n}, ...]}, and `policy`, an object that reports pass on. All may
/// be missing.
struct Metadata {
  std::vector<LayerInfo> layers;
  /// JSON of the policy, passed on to reports; "{}" where there is none.
  std::string policy = "{}";

  /// A field of a wrong type is a fact::Error.
  static Metadata of(const isa::Program &program);
};

} // namespace fact::sim

#endif // FACT_SIM_METADATA_H
