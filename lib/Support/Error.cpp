//===- Error.cpp - The one exception type of the C++-only code ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Error.h"

#include <new>

using namespace fact;

std::string fact::printable(const std::string &text) {
  static const char digits[] = "0123456789abcdef";
  std::string result;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n') || byte == 0x7f)
      result += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
    else
      result += c;
  }
  return result;
}

Error::Error(const std::string &message)
    : std::runtime_error(printable(message)) {}
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
