//===- Batch.cpp - The sequences of a batch, one after the other ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Batch.h"

#include "fact/Support/Error.h"

#include <algorithm>

namespace fact {

int64_t countSequences(const std::vector<BatchAxis> &axes,
                       const std::vector<NpyArray> &inputs,
                       const std::vector<std::string> &names) {
  int64_t sequences = 1;
  const std::string *first = nullptr;
  for (size_t i = 0; i < std::min(axes.size(), inputs.size()); ++i) {
    auto [dim, wanted] = axes[i];
    if (dim < 0)
      continue;
    const std::vector<int64_t> &shape = inputs[i].shape;
    if (dim >= static_cast<int64_t>(shape.size()))
      throw Error(names[i] + " must have sequences along dimension " +
                  std::to_string(dim) + " (was of rank " +
                  std::to_string(shape.size()) + ")");
    int64_t own = shape[dim];
    if (own < 1 || (wanted > 0 && own != wanted))
      throw Error(names[i] + " must have " +
                  (wanted > 0 ? std::to_string(wanted) : "1 or more") +
                  " sequences (was " + std::to_string(own) + ")");
    if (first && own != sequences)
      throw Error(names[i] + " must have " + std::to_string(sequences) +
                  " sequences, as many as " + *first + " (was " +
                  std::to_string(own) + ")");
    first = &names[i];
    sequences = own;
  }
  return sequences;
}

std::vector<NpyArray> takeSequence(const std::vector<BatchAxis> &axes,
                                   const std::vector<NpyArray> &inputs,
                                   int64_t index) {
  std::vector<NpyArray> own;
  for (size_t i = 0; i < inputs.size(); ++i)
    own.push_back(i < axes.size() && axes[i].dim >= 0
                      ? takeEntry(inputs[i], axes[i].dim, index)
                      : inputs[i]);
  return own;
}

void BatchOutputs::add(std::vector<NpyArray> ofSequence, int64_t length) {
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i].push_back(std::move(ofSequence[i]));
  lengths.push_back(length);
}

std::vector<NpyArray> BatchOutputs::join() const {
  size_t longest =
      std::max_element(lengths.begin(), lengths.end()) - lengths.begin();
  std::vector<NpyArray> joined;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::vector<NpyArray> &all = outputs[i];
    if (axes[i].dim < 0) {
      joined.push_back(all[longest]);
      continue;
    }
    for (size_t j = 1; j < all.size(); ++j)
      if (all[j].shape != all[0].shape)
        throw Error("output " + std::to_string(i) + " has another shape for " +
                    "sequence " + std::to_string(j) + " than for sequence 0");
    joined.push_back(joinEntries(all, axes[i].dim));
  }
  return joined;
}

} // namespace fact
