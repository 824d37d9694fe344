//===- NpyTest.cpp - NumPy files: round trips and what may be wrong -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TemporaryFolder.h"

#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/Npy.h"
#include "fact/Support/OutputFile.h"

#include "gtest/gtest.h"

#include <random>

using namespace fact;

namespace {
std::string errorOf(const std::function<void()> &body) {
  return catchError(body).value_or("");
}

/// A version 1 file with the given header text and data.
std::string npy(const std::string &header, const std::string &data = "") {
  std::string bytes("\x93NUMPY\1\0", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

std::string parseError(const std::string &bytes) {
  return errorOf([&] { parseNpy(bytes, "x.npy"); });
}

TEST(Npy, RoundTripsEveryTypeAndRank) {
  float values[6] = {1, -2, 3.5, 0, 1e30f, -0.0f};
  for (std::vector<int64_t> shape : std::vector<std::vector<int64_t>>{
           {6}, {2, 3}, {1, 3, 2}, {}, {0, 5}, {3, 0}}) {
    NpyArray array = NpyArray::from(shape, values);
    NpyArray again = parseNpy(formatNpy(array), "x.npy");
    EXPECT_EQ(again.dtype, "<f4");
    EXPECT_EQ(again.shape, shape);
    EXPECT_EQ(again.data, array.data);
    EXPECT_EQ(formatNpy(array).size() % 64, array.data.size() % 64);
  }
  int64_t wide[2] = {-1, 1};
  EXPECT_EQ(parseNpy(formatNpy(NpyArray::from({2}, wide)), "x").dtype, "<i8");
}

TEST(Npy, ElementsAreGivenOutUnderTheirOwnTypeOnly) {
  int8_t values[2] = {1, 2};
  NpyArray array = NpyArray::from({2}, values);
  EXPECT_EQ(array.as<int8_t>("'q'")[1], 2);
  EXPECT_EQ(errorOf([&] { array.as<float>("'q'"); }),
            "'q' must have elements of NumPy type '<f4' (was '|i1')");
  bool flags[2] = {true, false};
  EXPECT_EQ(NpyArray::from({2}, flags).as<uint8_t>("mask")[0], 1);
}

TEST(Npy, FortranOrderIsConverted) {
  // [[0, 1, 2], [3, 4, 5]] column by column.
  std::string data("\0\3\1\4\2\5", 6);
  NpyArray array = parseNpy(
      npy("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }", data),
      "x.npy");
  EXPECT_EQ(std::string(array.data.data(), 6), std::string("\0\1\2\3\4\5", 6));
}

TEST(Npy, EmptyArraysMayHaveAnyOtherDimension) {
  for (std::string order : {"True", "False"}) {
    NpyArray array = parseNpy(npy("{'descr': '<f4', 'fortran_order': " + order +
                                      ", 'shape': (5, 9223372036854775807, 0)}",
                                  ""),
                              "x.npy");
    EXPECT_EQ(array.numElements(), 0);
    EXPECT_TRUE(array.data.empty());
  }
}

TEST(Npy, LaterVersionsHaveWideHeaders) {
  std::string header =
      "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)}";
  for (char version : {'\2', '\3'}) {
    std::string bytes("\x93NUMPY", 6);
    bytes += version;
    bytes += '\0';
    bytes += static_cast<char>(header.size());
    bytes += std::string(3, '\0');
    EXPECT_EQ(parseNpy(bytes + header + "A", "x").data[0], 'A');
  }
}

TEST(Npy, MalformedFilesAreErrors) {
  const char *invalid = "'x.npy' is not a valid .npy file: ";
  auto expect = [&](const std::string &bytes, const std::string &reason) {
    EXPECT_EQ(parseError(bytes), invalid + reason);
  };
  expect("", "wrong magic");
  expect("PK", "wrong magic");
  expect(std::string("\x93NUMPY\1\0", 8), "header is cut off");
  expect(std::string("\x93NUMPY\4\0\0\0", 10), "unknown format version 4.0");
  expect(std::string("\x93NUMPY\1\0\xff\xff{", 11), "header is cut off");
  expect(std::string("\x93NUMPY\2\0\xff\xff\xff\xff{", 13),
         "header is cut off");
  expect(npy("{'descr': '<f4', 'fortran_order': False}"),
         "header key 'shape' is missing");
  expect(npy("{'descr': '<f4', 'descr': '<f4'}"),
         "unexpected header key 'descr'");
  expect(npy("{'descr': '<f4'"), "expected '}' at header offset 15");
  expect(npy("{'descr': '<f4"), "unterminated string at header offset 10");
  auto shaped = [&](const std::string &shape, const std::string &data = "") {
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape +
                   "}",
               data);
  };
  expect(shaped("(2,)", "1234567"), "data is cut off");
  expect(shaped("(2,)", "123456789"), "1 unexpected bytes after the data");
  expect(shaped("(2)"), "'shape' is not a tuple");
  expect(shaped("(-2,)"), "expected a dimension at header offset 51");
  expect(shaped("(99999999999999999999,)"), "dimension too large");
  // The product of these wraps around to 0.
  expect(shaped("(4294967296, 4294967296)"), "data is cut off");
  expect(shaped("(1,) + (2,)", "1234"), "expected '}' at header offset 55");
  expect(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", "\2"),
         "a boolean is neither 0 nor 1");
  EXPECT_EQ(
      parseError(
          npy("{'descr': '>f4', 'fortran_order': False, 'shape': ()}", "1234")),
      "'x.npy' has elements of an unsupported type '>f4'");
  EXPECT_EQ(
      parseError(npy("{'descr': '|O', 'fortran_order': False, 'shape': ()}")),
      "'x.npy' has elements of an unsupported type '|O'");
}

TEST(Npy, MissingFilesAndFoldersAreErrors) {
  EXPECT_EQ(errorOf([] { readNpy("/nowhere/x.npy"); }),
            "cannot read '/nowhere/x.npy': No such file or directory");
  EXPECT_EQ(errorOf([] { readNpy("/"); }), "cannot read '/': Is a directory");
}

TEST(Npz, RoundTripsAndIsDeterministic) {
  TemporaryFolder folder;
  float values[3] = {1, 2, 3};
  int8_t codes[1] = {-7};
  NpzArchive arrays = {{"layer0.x", NpyArray::from({3}, values)},
                       {"a", NpyArray::from({}, codes)}};
  writeNpz(folder.file("a.npz"), arrays);
  writeNpz(folder.file("b.npz"), arrays);
  NpzArchive again = readNpz(folder.file("a.npz"));
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again.at("a").as<int8_t>("a")[0], -7);
  EXPECT_EQ(again.at("layer0.x").data, arrays.at("layer0.x").data);
  EXPECT_EQ(InputFile::open(folder.file("a.npz")).text(),
            InputFile::open(folder.file("b.npz")).text());
  writeNpz(folder.file("none.npz"), {});
  EXPECT_TRUE(readNpz(folder.file("none.npz")).empty());
}

TEST(Npz, DamagedArchivesAreErrorsOrWhatTheyWere) {
  TemporaryFolder folder;
  std::vector<float> values(100, 1.5f);
  writeNpz(folder.file("a.npz"), {{"x", NpyArray::from({100}, values.data())}});
  std::string good(InputFile::open(folder.file("a.npz")).text());
  std::mt19937 random(1);
  unsigned errors = 0;
  for (unsigned i = 0; i < 300; ++i) {
    std::string bad = good;
    if (i % 3 == 0)
      bad.resize(random() % good.size());
    else
      bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    writeFile(folder.file("bad.npz"), bad);
    std::string error = errorOf([&] {
      // Some fields of an archive say nothing about its contents; the array
      // itself is under a checksum.
      NpzArchive arrays = readNpz(folder.file("bad.npz"));
      for (auto &[name, array] : arrays) {
        EXPECT_EQ(array.numElements(), 100);
        EXPECT_EQ(array.as<float>(name)[99], 1.5f);
      }
    });
    if (!error.empty()) {
      ++errors;
      EXPECT_NE(error.find("bad.npz"), std::string::npos) << error;
    }
  }
  EXPECT_GT(errors, 200u);
}
} // namespace
