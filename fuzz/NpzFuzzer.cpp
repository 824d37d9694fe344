//===- NpzFuzzer.cpp - Fuzzes .npz archives -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "fact/Support/Npy.h"

using namespace fact;
using namespace fact::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  NpzArchive archive;
  if (!accepts([&] { archive = parseNpz(textOf(data, size), "fuzz.npz"); }))
    return 0;
  std::string bytes = formatNpz(archive);
  require(formatNpz(parseNpz(bytes, "again.npz")) == bytes,
          "an archive that is written and read is the same archive");
  return 0;
}
