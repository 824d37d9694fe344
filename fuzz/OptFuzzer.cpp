//===- OptFuzzer.cpp - Fuzzes passes on mutated tests ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MutateMLIR.h"
#include "OptRun.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

using namespace fact::fuzz;

/// The input is a part of a test: one RUN line, one module.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  auto runs = optRunsOf(text);
  // (A file without a RUN line is no test; without text, nothing happens.)
  if (runs.size() != 1 || text.find('\0') != std::string::npos ||
      stopsMlirParser(text))
    return -1;
  runOpt(text, runs.front());
  return 0;
}

static size_t put(const std::string &text, uint8_t *data, size_t maximum) {
  size_t size = std::min(text.size(), maximum);
  std::memcpy(data, text.data(), size);
  return size;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maximum, unsigned seed) {
  Random random(seed);
  std::string text(reinterpret_cast<const char *>(data), size), mutant;
  // What the parser refuses is soon told; most tries go further.
  for (unsigned attempt = 0; attempt < 10; ++attempt) {
    mutant = mutateMlir(text, text, random);
    if (!stopsMlirParser(mutant) && isLegal(mutant))
      break;
  }
  return put(mutant, data, maximum);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first,
                                            size_t firstSize,
                                            const uint8_t *second,
                                            size_t secondSize, uint8_t *out,
                                            size_t maximum, unsigned seed) {
  Random random(seed);
  std::string text(reinterpret_cast<const char *>(first), firstSize);
  std::string donor(reinterpret_cast<const char *>(second), secondSize);
  return put(mutateMlir(text, donor, random), out, maximum);
}
