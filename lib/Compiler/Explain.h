//===- Explain.h - What of a model was recognised, as a table -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_EXPLAIN_H
#define FACT_LIB_COMPILER_EXPLAIN_H

#include <string>

namespace mlir::fact {

class Compilation;

/// What `fact-compile --explain` prints of a raised model: each part, the nodes
/// that it comes from, its share of the multiply-accumulates of the longest
/// sequence, and why what is left was not recognised.
std::string explain(Compilation &compilation);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_EXPLAIN_H
