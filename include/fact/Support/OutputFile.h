//===- OutputFile.h - A file that appears complete or not at all ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_OUTPUTFILE_H
#define FACT_SUPPORT_OUTPUTFILE_H

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fact {

/// Writes to a temporary file next to the target; commit() renames it to the
/// target. Destroyed without commit(), the temporary is removed and a former
/// target stays as it was. A target that is no regular file (a device, a pipe)
/// is written directly. Every failure (no such folder, no permission, disk
/// full) is a fact::Error that names the target.
class OutputFile {
public:
  explicit OutputFile(const std::string &path);
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  void write(const void *data, size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Makes the file visible under its name. Nothing may be written afterwards.
  void commit();

  /// The name that was asked for.
  const std::string &path() const { return requested; }

private:
  friend class OutputFiles;
  void finish();
  void publish();
  [[noreturn]] void fail(int error);
  void writeThrough(const char *data, size_t size);
  void flush();

  std::string requested; ///< As given, for messages.
  std::string target;    ///< With symbolic links resolved.
  std::string temporary; ///< Empty: written directly, or published.
  std::string buffer;
  int file = -1;
  bool published = false;
};

/// Files that appear together or not at all. Opening them before a long run
/// finds a wrong name early.
class OutputFiles {
public:
  /// One more file; an error if it is one of the others under any name.
  OutputFile &open(const std::string &path);

  /// Makes all of them visible. Nothing may be written afterwards.
  void commit();

private:
  std::vector<std::unique_ptr<OutputFile>> files;
};

/// Writes a whole file at once.
void writeFile(const std::string &path, std::string_view contents);

/// Writes several whole files (name and contents), all or none.
void writeFiles(const std::vector<std::pair<std::string, std::string>> &files);

} // namespace fact

#endif // FACT_SUPPORT_OUTPUTFILE_H
