//===- Base64.cpp - Bytes as text -----------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Base64.h"

#include <array>
#include <cstdint>

using namespace fact;

static constexpr char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string fact::encodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 |
              (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  return text;
}

std::optional<std::string> fact::decodeBase64(std::string_view text) {
  static const auto values = [] {
    std::array<int8_t, 256> values;
    values.fill(-1);
    for (int8_t i = 0; i < 64; ++i)
      values[static_cast<uint8_t>(digits[i])] = i;
    return values;
  }();
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    std::string_view group = text.substr(i, 4);
    size_t padding = 0;
    if (i + 4 == text.size())
      padding = group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
    uint32_t value = 0;
    for (size_t k = 0; k < 4; ++k) {
      int8_t digit =
          k < 4 - padding ? values[static_cast<uint8_t>(group[k])] : 0;
      if (digit < 0)
        return std::nullopt;
      value = value << 6 | static_cast<uint32_t>(digit);
    }
    // Bits that stand for no byte are zero: every text has one meaning.
    if ((value & ((uint32_t(1) << (8 * padding)) - 1)) != 0)
      return std::nullopt;
    for (size_t k = 0; k < 3 - padding; ++k)
      bytes += static_cast<char>(value >> (16 - 8 * k));
  }
  return bytes;
}
