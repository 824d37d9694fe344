//===- TemporaryFolder.h - A folder that a test may write to --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_SUPPORT_TEMPORARYFOLDER_H
#define FACT_UNITTESTS_SUPPORT_TEMPORARYFOLDER_H

#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>

namespace fact {

/// Created empty, removed with everything in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "fact-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error("cannot create " + pattern);
    folder = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  std::string file(const std::string &name) const {
    return (folder / name).string();
  }

  /// How many files and folders it holds.
  size_t size() const {
    size_t count = 0;
    for ([[maybe_unused]] auto &entry :
         std::filesystem::directory_iterator(folder))
      ++count;
    return count;
  }

private:
  std::filesystem::path folder;
};

} // namespace fact

#endif // FACT_UNITTESTS_SUPPORT_TEMPORARYFOLDER_H
