//===- InputFile.h - The bytes of a file ----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_INPUTFILE_H
#define FACT_SUPPORT_INPUTFILE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fact {

/// The bytes of a file, mapped read-only (regular files) or read into memory
/// (pipes; 256 MiB at most), aligned to 64 bytes at least. Copies share the
/// bytes, which live as long as the last copy. Every failure is a fact::Error
/// that names the file.
class InputFile {
public:
  /// No bytes.
  InputFile() = default;

  static InputFile open(const std::string &path);

  /// A copy of `bytes` at an aligned address, under a name for messages.
  static InputFile fromBytes(std::string_view bytes, const std::string &name);

  const uint8_t *data() const { return bytes.get(); }
  size_t size() const { return length; }
  std::string_view text() const {
    return {reinterpret_cast<const char *>(data()), size()};
  }
  const std::string &path() const { return name; }

private:
  std::string name;
  std::shared_ptr<const uint8_t> bytes;
  size_t length = 0;
};

} // namespace fact

#endif // FACT_SUPPORT_INPUTFILE_H
