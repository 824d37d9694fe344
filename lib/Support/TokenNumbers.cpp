//===- TokenNumbers.cpp - Inputs with a number for each token -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/TokenNumbers.h"

#include "fact/Support/Error.h"

#include <sstream>

namespace fact {

/// `what` names the array in an error.
static double elementOf(const NpyArray &array, int64_t i,
                        const std::string &what) {
  const char *at = array.data.data();
  if (array.dtype == "<f4")
    return reinterpret_cast<const float *>(at)[i];
  if (array.dtype == "<i4")
    return reinterpret_cast<const int32_t *>(at)[i];
  if (array.dtype == "<i8")
    return static_cast<double>(reinterpret_cast<const int64_t *>(at)[i]);
  if (array.dtype == "|b1")
    return at[i] != 0;
  throw Error(what + " must hold float32, int32, int64 or bool (was '" +
              array.dtype + "')");
}

int64_t countRealTokens(const NpyArray &mask, int64_t padValue,
                        const std::string &name) {
  std::string what = "padding mask '" + name + "'";
  int64_t count = mask.numElements(), real = 0;
  while (real < count &&
         elementOf(mask, real, what) == static_cast<double>(1 - padValue))
    ++real;
  auto fail = [&](int64_t token, const std::string &wrong) {
    throw Error(what + ": token " + std::to_string(token) + " " + wrong);
  };
  for (int64_t i = real; i < count; ++i) {
    double value = elementOf(mask, i, what);
    if (value == static_cast<double>(padValue))
      continue;
    if (value == static_cast<double>(1 - padValue))
      fail(i, "is real, but token " + std::to_string(real) +
                  " before it is padding: real tokens must come first");
    std::ostringstream text;
    text << value;
    fail(i, "must be 0 or 1 (was " + text.str() + ")");
  }
  if (real == 0)
    throw Error(what + " has no real token");
  return real;
}

void requireCounting(const NpyArray &positions, int64_t rows, int64_t length,
                     const std::string &name) {
  std::string what = "positions '" + name + "'";
  int64_t count = positions.numElements();
  for (int64_t i = 0, e = count == rows ? length : count; i < e; ++i) {
    double position = elementOf(positions, i, what);
    if (position == static_cast<double>(i))
      continue;
    std::ostringstream text;
    text << what << " must count the tokens: that of token " << i << " must be "
         << i << " (was " << position << ")";
    throw Error(text.str());
  }
}

} // namespace fact
