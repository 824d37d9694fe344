//===- Metadata.h - What a program says about itself ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_METADATA_H
#define FACT_ISA_METADATA_H

#include "fact/ISA/Instructions.h"
#include "fact/Numerics/Policy.h"
#include "fact/Numerics/Window.h"
#include "fact/Support/Batch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fact::isa {

/// A linear layer of the model, with k features in and n out.
struct LinearInfo {
  Role role = Role::Other;
  int64_t k = 0, n = 0;
};

/// One encoder layer of the model that a program was made from.
struct LayerInfo {
  int64_t heads = 1;
  int64_t keyHeads = 1; ///< Of K and V; divides heads.
  numerics::Window window;
  int64_t features = 0; ///< of a token in attention, all heads together
  /// The mask is the model's own: no selection makes it.
  bool maskGiven = false;
  /// So many layers before this one is the layer with whose number the
  /// selection, and the low-precision tokens, of this one are made.
  int64_t selectsWith = 0, lowersWith = 0;
  std::vector<LinearInfo> linears;
};

/// An input of the model with a number for each token that no instruction
/// reads: which tokens are padding, so that it is the length of the sequence,
/// or the positions of the tokens, which must count them.
struct TokenInput {
  int64_t position = 0;       ///< Among all inputs of the model.
  std::string name, dtype;    ///< NumPy's type.
  std::vector<int64_t> shape; ///< -1 for the sequence's length.
  /// Of tokens that are padding; real ones have 1 - value. None of positions.
  std::optional<int64_t> value = {};
};

/// A program's metadata, a JSON object: `layers`, a list of {heads, key_heads
/// (where there are fewer), window, features, mask_given, selects_with,
/// lowers_with, linears: [{role, k, n},
/// ...]}; `policy`, an object that reports pass on; `token_inputs`, a list
/// of {position, name, dtype, shape, value (where they say what is padding)};
/// `batch`, {inputs, outputs}, for each of the model's a pair [dim, sequences];
/// `bound`, the largest sequence length. All may be missing. The one place that
/// writes and reads it.
struct Metadata {
  std::vector<LayerInfo> layers;
  /// JSON of the policy, see policyJson().
  std::optional<std::string> policy;
  std::optional<int64_t> bound;
  std::vector<TokenInput> tokenInputs; ///< In the order of positions.
  /// Of all inputs, those of numbers among them, and outputs; empty where the
  /// model has no batch. A program is for one sequence.
  std::vector<BatchAxis> inputBatch, outputBatch;

  /// A text that is no object, a field of a wrong type are fact::Errors. Other
  /// fields are left out.
  static Metadata parse(std::string_view json);

  /// One line; the same metadata give the same text.
  std::string toJson() const;
};

/// A policy by its flags' names, numbers as numbers: {"dominance":3,...}, and
/// "layers", a list of such objects with "first" and "last", where layers have
/// other ones; {} where a model's IR had none (it was sparse already).
std::string policyJson(const std::optional<numerics::Policy> &policy,
                       const std::vector<numerics::LayerPolicy> &layers = {});

} // namespace fact::isa

#endif // FACT_ISA_METADATA_H
