//===- OutputFileTest.cpp - A file appears complete or not at all ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TemporaryFolder.h"

#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/OutputFile.h"

#include "gtest/gtest.h"

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace fact;

namespace {
TEST(OutputFile, AppearsWithCommitOnly) {
  TemporaryFolder folder;
  {
    OutputFile file(folder.file("x"));
    file.write("half");
  }
  EXPECT_EQ(folder.size(), 0u);
  {
    OutputFile file(folder.file("x"));
    file.write("whole ");
    file.write(std::string(1 << 17, 'y'));
    EXPECT_NE(::access(folder.file("x").c_str(), F_OK), 0);
    file.commit();
  }
  EXPECT_EQ(InputFile::open(folder.file("x")).size(), 6u + (1 << 17));
  EXPECT_EQ(folder.size(), 1u);
}

TEST(OutputFile, FailureKeepsTheFormerFile) {
  TemporaryFolder folder;
  writeFile(folder.file("x"), "old");
  {
    OutputFile file(folder.file("x"));
    file.write("new");
  }
  EXPECT_EQ(InputFile::open(folder.file("x")).text(), "old");
}

TEST(OutputFile, WritesThroughSymbolicLinks) {
  TemporaryFolder folder;
  writeFile(folder.file("real"), "old");
  ASSERT_EQ(::symlink("real", folder.file("link").c_str()), 0);
  writeFile(folder.file("link"), "new");
  EXPECT_EQ(InputFile::open(folder.file("real")).text(), "new");
}

TEST(OutputFile, FullDeviceIsAnError) {
  EXPECT_EQ(catchError([] { writeFile("/dev/full", "x"); }),
            "cannot write '/dev/full': No space left on device");
}

TEST(OutputFile, FullDiskLeavesNothing) {
  TemporaryFolder folder;
  // A file size limit stands for the full disk.
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit former, limit;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &former), 0);
  limit = former;
  limit.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  auto error =
      catchError([&] { writeFile(folder.file("x"), std::string(5000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &former);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error, "cannot write '" + folder.file("x") + "': File too large");
  EXPECT_EQ(folder.size(), 0u);
}

TEST(OutputFile, BadTargetsAreErrors) {
  TemporaryFolder folder;
  EXPECT_EQ(catchError([&] { writeFile("/", "x"); }),
            "cannot write '/': Is a directory");
  EXPECT_EQ(catchError([&] { writeFile(folder.file("no/x"), "x"); }),
            "cannot write '" + folder.file("no/x") +
                "': No such file or directory");
  EXPECT_EQ(catchError([&] { writeFile("", "x"); }),
            "cannot write to a file without a name");
}

TEST(OutputFiles, AppearTogetherOrNotAtAll) {
  TemporaryFolder folder;
  writeFiles({{folder.file("x"), "1"}, {folder.file("y"), "2"}});
  EXPECT_EQ(InputFile::open(folder.file("y")).text(), "2");
  // Neither one that is opened nor one that cannot be written to the end.
  EXPECT_TRUE(catchError([&] {
    writeFiles({{folder.file("x"), "new"}, {folder.file("no/y"), "new"}});
  }));
  EXPECT_TRUE(catchError(
      [&] { writeFiles({{folder.file("z"), "new"}, {"/dev/full", "new"}}); }));
  EXPECT_EQ(InputFile::open(folder.file("x")).text(), "1");
  EXPECT_EQ(folder.size(), 2u);
}

TEST(OutputFiles, TwoNamesOfOneFileAreAnError) {
  TemporaryFolder folder;
  EXPECT_EQ(catchError([&] {
              writeFiles({{folder.file("x"), "1"}, {folder.file("./x"), "2"}});
            }),
            "two outputs must not be one file (was '" + folder.file("./x") +
                "')");
  EXPECT_EQ(folder.size(), 0u);
}

TEST(InputFile, ReadsEmptyFilesAndPipes) {
  TemporaryFolder folder;
  writeFile(folder.file("empty"), "");
  EXPECT_EQ(InputFile::open(folder.file("empty")).size(), 0u);
  EXPECT_EQ(InputFile::fromBytes("abc", "x").text(), "abc");
  EXPECT_EQ(
      reinterpret_cast<uintptr_t>(InputFile::fromBytes("abc", "x").data()) % 64,
      0u);
}
} // namespace
