//===- OutputFile.cpp - A file that appears complete or not at all --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/OutputFile.h"

#include "fact/Support/Error.h"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace fact;

static constexpr size_t bufferSize = 1 << 16;

OutputFile::OutputFile(const std::string &path)
    : requested(path), target(path) {
  if (path.empty())
    throw Error("cannot write to a file without a name");
  struct stat status;
  bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0)
      fail(errno);
    return;
  }
  // The rename would replace a read-only file or a symbolic link itself.
  if (exists) {
    if (::access(path.c_str(), W_OK) != 0)
      fail(errno);
    if (char *resolved = ::realpath(path.c_str(), nullptr)) {
      target = resolved;
      std::free(resolved);
    }
  }
  for (unsigned attempt = 0; file < 0; ++attempt) {
    temporary = target + ".tmp" + std::to_string(::getpid()) + "-" +
                std::to_string(attempt);
    file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  0666);
    if (file < 0 && (errno != EEXIST || attempt == 1000)) {
      int error = errno;
      temporary.clear();
      fail(error);
    }
  }
  // One name for one file, wherever the current folder is at the end.
  if (char *resolved = ::realpath(temporary.c_str(), nullptr)) {
    size_t suffix = temporary.size() - target.size();
    temporary = resolved;
    target = temporary.substr(0, temporary.size() - suffix);
    std::free(resolved);
  }
}

OutputFile::~OutputFile() {
  if (file >= 0)
    ::close(file);
  if (!temporary.empty())
    ::unlink(temporary.c_str());
}

void OutputFile::fail(int error) {
  throw Error("cannot write '" + requested + "': " + std::strerror(error));
}

void OutputFile::writeThrough(const char *data, size_t size) {
  while (size != 0) {
    ssize_t written = ::write(file, data, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      fail(errno);
    data += written;
    size -= static_cast<size_t>(written);
  }
}

void OutputFile::flush() {
  writeThrough(buffer.data(), buffer.size());
  buffer.clear();
}

void OutputFile::write(const void *data, size_t size) {
  if (buffer.size() + size > bufferSize)
    flush();
  if (size >= bufferSize)
    writeThrough(static_cast<const char *>(data), size);
  else
    buffer.append(static_cast<const char *>(data), size);
}

void OutputFile::commit() {
  finish();
  publish();
}

/// Whatever can fail for want of space fails here.
void OutputFile::finish() {
  flush();
  // Some file systems report a full disk only here.
  int status = ::close(file);
  file = -1;
  if (status != 0)
    fail(errno);
}

void OutputFile::publish() {
  if (temporary.empty())
    return;
  if (std::rename(temporary.c_str(), target.c_str()) != 0)
    fail(errno);
  temporary.clear();
  published = true;
}

OutputFile &OutputFiles::open(const std::string &path) {
  auto file = std::make_unique<OutputFile>(path);
  for (const auto &other : files)
    if (!file->temporary.empty() && other->target == file->target)
      throw Error("two outputs must not be one file (was '" + path + "')");
  files.push_back(std::move(file));
  return *files.back();
}

void OutputFiles::commit() {
  for (const auto &file : files)
    file->finish();
  for (size_t i = 0; i < files.size(); ++i) {
    try {
      files[i]->publish();
    } catch (...) {
      for (size_t k = 0; k < i; ++k)
        if (files[k]->published)
          ::unlink(files[k]->target.c_str());
      throw;
    }
  }
}

void fact::writeFile(const std::string &path, std::string_view contents) {
  OutputFile file(path);
  file.write(contents);
  file.commit();
}

void fact::writeFiles(
    const std::vector<std::pair<std::string, std::string>> &files) {
  OutputFiles outputs;
  for (const auto &[path, contents] : files)
    outputs.open(path).write(contents);
  outputs.commit();
}
