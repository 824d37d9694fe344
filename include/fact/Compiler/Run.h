//===- Run.h - What fact-run does -----------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_COMPILER_RUN_H
#define FACT_COMPILER_RUN_H

#include <optional>
#include <string>

namespace fact {

struct RunOptions;

/// Compiles the model into this process, runs it on the input files and writes
/// the output files. Returns the error that it ended with; then no output file
/// was touched.
std::optional<std::string> runModel(const RunOptions &options);

} // namespace fact

#endif // FACT_COMPILER_RUN_H
