//===- Error.cpp - The one exception type of the C++-only code -*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Error.h"

#include <new>

using namespace fact;

Error::Error(const std::string &message) : std::runtime_error(message) {}
Error::~Error() = default;

std::optional<std::string> fact::catchError(const std::function<void()> &body) {
  try {
    body();
  } catch (const std::bad_alloc &) {
    return "out of memory";
  } catch (const std::exception &error) {
    return error.what();
  }
  return std::nullopt;
}
