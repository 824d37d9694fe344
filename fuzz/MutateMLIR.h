//===- MutateMLIR.h - Changes MLIR text at random -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_FUZZ_MUTATEMLIR_H
#define FACT_FUZZ_MUTATEMLIR_H

#include <random>
#include <string>
#include <vector>

namespace fact::fuzz {

using Random = std::mt19937_64;

/// `text` with one to several changes: lines and functions deleted, doubled,
/// swapped, moved or taken from `donor`; numbers, types, names and operands
/// exchanged, in one place or (so that the verifier has less to say) in all of
/// them; attributes dropped. RUN lines stay. The same generator state gives
/// the same text on every platform.
std::string mutateMlir(const std::string &text, const std::string &donor,
                       Random &random);

} // namespace fact::fuzz

#endif // FACT_FUZZ_MUTATEMLIR_H
