//===- Object.h - What fact-compile does ----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_COMPILER_OBJECT_H
#define FACT_COMPILER_OBJECT_H

#include <optional>
#include <string>

namespace mlir::fact {
class Compilation;
} // namespace mlir::fact

namespace fact {

struct ObjectOptions;

/// Compiles the model for options.target, or prints the stage options.emit on
/// standard output. Returns the error that it ended with; then no output file
/// was touched.
std::optional<std::string> compileModel(const ObjectOptions &options);

} // namespace fact

#endif // FACT_COMPILER_OBJECT_H
