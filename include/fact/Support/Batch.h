//===- Batch.h - The sequences of a batch, one after the other ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model runs for one sequence. What is given is a batch of them: fact-run and
// the simulator take it apart, and put what comes out together again.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_BATCH_H
#define FACT_SUPPORT_BATCH_H

#include "fact/Support/Npy.h"

namespace fact {

/// Where an input or an output has the sequences of a batch.
struct BatchAxis {
  int64_t dim = -1;      ///< -1: it has none, and is the same for all.
  int64_t sequences = 0; ///< How many a model takes; 0: any number.
};

/// How many sequences the inputs are, one axis each; 1 where none has a batch.
/// Arrays without an axis may be there, too. `names` are what messages call the
/// inputs. A fact::Error names the input that lacks the dimension, has another
/// number of sequences than it must, or than an input before it.
int64_t countSequences(const std::vector<BatchAxis> &axes,
                       const std::vector<NpyArray> &inputs,
                       const std::vector<std::string> &names);

/// The inputs of one sequence, whose extent along the axis is 1.
std::vector<NpyArray> takeSequence(const std::vector<BatchAxis> &axes,
                                   const std::vector<NpyArray> &inputs,
                                   int64_t index);

/// What the sequences make, as one batch.
class BatchOutputs {
public:
  explicit BatchOutputs(std::vector<BatchAxis> axes)
      : axes(std::move(axes)), outputs(this->axes.size()) {}

  /// The outputs of the next sequence, of `length` tokens.
  void add(std::vector<NpyArray> ofSequence, int64_t length);

  /// One array per axis. What has no batch follows from the length alone: it is
  /// that of the longest sequence, the first one of those. A fact::Error where
  /// sequences differ in the shape of what is to be joined.
  std::vector<NpyArray> join() const;

private:
  std::vector<BatchAxis> axes;
  std::vector<std::vector<NpyArray>> outputs; ///< by axis, then by sequence
  std::vector<int64_t> lengths;
};

} // namespace fact

#endif // FACT_SUPPORT_BATCH_H
