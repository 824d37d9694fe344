//===- Base64.h - Bytes as text -------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_BASE64_H
#define FACT_SUPPORT_BASE64_H

#include <optional>
#include <string>
#include <string_view>

namespace fact {

/// RFC 4648 with padding, without line breaks.
std::string encodeBase64(std::string_view bytes);

/// The bytes, or nothing if the text is not what encodeBase64() gives for any.
std::optional<std::string> decodeBase64(std::string_view text);

} // namespace fact

#endif // FACT_SUPPORT_BASE64_H
