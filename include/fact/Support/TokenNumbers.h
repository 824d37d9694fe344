//===- TokenNumbers.h - Inputs with a number for each token ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_TOKENNUMBERS_H
#define FACT_SUPPORT_TOKENNUMBERS_H

#include "fact/Support/Npy.h"

namespace fact {

/// How many tokens a model's padding mask [L], [1, L] ... calls real. Its
/// elements are `padValue` (0 or 1) where a token is padding, else the other
/// one of 0 and 1; the real tokens come first, and there is one at least. A
/// fact::Error names the input and the token that is wrong.
int64_t countRealTokens(const NpyArray &mask, int64_t padValue,
                        const std::string &name);

/// Checks that positions [rows] or [1, rows] are 0, 1, 2, ...: those of the
/// first `length` tokens, where they are of `rows`, else all. A fact::Error
/// names the input and the token that is wrong.
void requireCounting(const NpyArray &positions, int64_t rows, int64_t length,
                     const std::string &name);

} // namespace fact

#endif // FACT_SUPPORT_TOKENNUMBERS_H
