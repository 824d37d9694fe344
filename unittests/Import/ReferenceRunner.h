//===- ReferenceRunner.h - Import a model and run it in f32 ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Between the tool's main, which may throw, and MLIR, which may not.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_IMPORT_REFERENCERUNNER_H
#define FACT_UNITTESTS_IMPORT_REFERENCERUNNER_H

#include <cstdint>
#include <string>
#include <vector>

/// Elements and extents of an input or of the output.
struct RunnerTensor {
  std::vector<int64_t> shape;
  std::vector<float> data;
};

/// Imports \p model, compiles it and runs it once for each element of
/// \p runs. Returns an empty text, or what went wrong where MLIR has not
/// printed it ("failed" where it has).
std::string runReference(const std::string &model,
                         const std::vector<std::string> &from,
                         const std::string &to,
                         const std::vector<std::string> &shapes,
                         const std::vector<std::vector<RunnerTensor>> &runs,
                         std::vector<RunnerTensor> &outputs);

#endif // FACT_UNITTESTS_IMPORT_REFERENCERUNNER_H
