//===- InputFile.cpp - The bytes of a file --------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/InputFile.h"

#include "fact/Support/Error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace fact;

static constexpr size_t streamLimit = size_t(256) << 20;

namespace {
[[noreturn]] void fail(const std::string &path, int error) {
  throw Error("cannot read '" + path + "': " + std::strerror(error));
}

/// Closes on every way out.
struct Descriptor {
  int file;
  ~Descriptor() { ::close(file); }
};
} // namespace

InputFile InputFile::fromBytes(std::string_view bytes,
                               const std::string &name) {
  InputFile result;
  result.name = name;
  result.length = bytes.size();
  size_t rounded = (bytes.size() + 64) / 64 * 64;
  auto *copy = static_cast<uint8_t *>(std::aligned_alloc(64, rounded));
  if (!copy)
    throw std::bad_alloc();
  std::memcpy(copy, bytes.data(), bytes.size());
  result.bytes = std::shared_ptr<const uint8_t>(
      copy, [](const uint8_t *p) { std::free(const_cast<uint8_t *>(p)); });
  return result;
}

InputFile InputFile::open(const std::string &path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    fail(path, errno);
  Descriptor descriptor{file};
  struct stat status;
  if (::fstat(file, &status) != 0)
    fail(path, errno);
  if (S_ISDIR(status.st_mode))
    fail(path, EISDIR);
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    size_t size = static_cast<size_t>(status.st_size);
    void *address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (address != MAP_FAILED) {
      InputFile result;
      result.name = path;
      result.length = size;
      result.bytes = std::shared_ptr<const uint8_t>(
          static_cast<const uint8_t *>(address), [size](const uint8_t *p) {
            ::munmap(const_cast<uint8_t *>(p), size);
          });
      return result;
    }
  }
  std::string contents;
  char block[1 << 16];
  while (true) {
    ssize_t count = ::read(file, block, sizeof(block));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail(path, errno);
    if (count == 0)
      return fromBytes(contents, path);
    // A device may have no end.
    if (contents.size() > streamLimit)
      throw Error("cannot read '" + path +
                  "': more than 256 MiB from what is no regular file");
    contents.append(block, static_cast<size_t>(count));
  }
}
