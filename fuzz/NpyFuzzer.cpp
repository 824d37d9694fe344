//===- NpyFuzzer.cpp - Fuzzes .npy files ----------------------------------===//
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
  NpyArray array;
  if (!accepts([&] { array = parseNpy(textOf(data, size), "fuzz.npy"); }))
    return 0;
  std::string bytes = formatNpy(array);
  NpyArray again = parseNpy(bytes, "again.npy");
  require(again.dtype == array.dtype && again.shape == array.shape &&
              again.data == array.data,
          "an array that is written and read is the same array");
  return 0;
}
