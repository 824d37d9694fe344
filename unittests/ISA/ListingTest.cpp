//===- ListingTest.cpp - Programs as text: round trip and wrong texts -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleProgram.h"

#include "fact/ISA/Listing.h"
#include "fact/Support/Base64.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

#include <random>

using namespace fact;
using namespace fact::isa;

namespace {
std::string listing() {
  return formatListing(sampleProgram(), ListingData::Include);
}

std::string errorOf(const std::string &text) {
  return catchError([&] { parseListing(text, "p.s"); }).value_or("");
}

/// The error of the sample's text with `from` replaced by `to`.
std::string errorWith(const std::string &from, const std::string &to) {
  std::string text = listing();
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return errorOf(text.replace(at, from.size(), to));
}

TEST(Listing, RoundTripsByteForByte) {
  Program again = parseListing(listing(), "p.s");
  EXPECT_TRUE(again.toBytes() == sampleProgram().toBytes());
  EXPECT_EQ(formatListing(again, ListingData::Include), listing());
}

TEST(Listing, OddTextsRoundTrip) {
  for (const char *text : {"", "a \"b\" \\c", "two\nlines\r", "\x7f\x01\xff",
                           ".end", "; no comment"}) {
    Program program = sampleProgram();
    program.instructions.insert(program.instructions.begin(), PeGemm());
    program.sourceOf.clear();
    program.sources.clear();
    for (size_t i = 0; i < program.instructions.size(); ++i)
      program.addSource(i ? "x" : text);
    program.mlir = text;
    program.setConstants(text);
    program.metadata = "{\"a\":\n\t[1]}";
    if (*text)
      program.inputs[0].name = text;
    Program again =
        parseListing(formatListing(program, ListingData::Include), "p.s");
    EXPECT_TRUE(again.toBytes() == program.toBytes()) << text;
  }
}

TEST(Listing, WithoutDataItIsNoProgram) {
  std::string text = formatListing(sampleProgram(), ListingData::Omit);
  EXPECT_EQ(text.find(".constants"), std::string::npos);
  std::string error = errorOf(text);
  EXPECT_NE(error.find(": the text was made without data (fact-objdump "
                       "--no-data)"),
            std::string::npos)
      << error;
}

TEST(Listing, LineBreaksOfOtherSystemsAreRead) {
  std::string text;
  for (char c : listing())
    text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_TRUE(parseListing(text, "p.s").toBytes() == sampleProgram().toBytes());
}

TEST(Listing, ErrorsHaveTheirLine) {
  EXPECT_EQ(errorOf(""), "p.s:1: unexpected end of the text");
  EXPECT_EQ(errorOf("hello"), "p.s:1: expected '.program' (was 'hello')");
  EXPECT_EQ(errorOf("\n; text\n.program format=2 isa=4\n"),
            "p.s:3: format version must be 1");
  std::string error = errorWith("pe.gemm acc=[0x0]", "pe.gemm acc=0");
  EXPECT_NE(error.find(": 'pe.gemm': field 'acc' must be a scratchpad address "
                       "(was '0')"),
            std::string::npos)
      << error;
  EXPECT_EQ(error.rfind("p.s:", 0), 0u);
  for (auto [from, to, expected] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"float32", "float99", "unknown element type"},
           {"[1, ?", "[1; ?", "expected ']'"},
           {"bound=99", "bound=x", "expected a number"},
           {"halt", "stop", "unknown instruction 'stop'"},
           {"halt", "halt\n  halt", "'halt' must be the last instruction"},
           {".source \"\"", "", "expected '.source' before the first"},
           {".constants 1000", ".constants 999", "data must have 999 bytes"},
           {"d3d3", "d3d", "not valid base64"},
           {"d3d3", "d3d*", "not valid base64"},
           {".end_program", "", "unexpected end of the text"},
           {".end_program", ".end_program\nx", "unexpected text after"},
           {"\"rows\": 8", "\"rows\": -8", "'pe.rows' must be in the range"},
           {".metadata {", ".metadata [", "metadata"},
           {".source \"MatMul_3\"", ".source \"MatMul\\q\"", "unknown escape"},
           {".source \"MatMul_3\"", ".source \"MatMul_3", "unterminated"}}) {
    std::string text = errorWith(from, to);
    EXPECT_NE(text.find(expected), std::string::npos) << text;
  }
}

TEST(Listing, DamagedTextsNeverCrash) {
  std::string good = listing();
  std::mt19937 random(1);
  for (unsigned i = 0; i < 1000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 4 == 0)
      bad.resize(random() % bad.size());
    std::string error = errorOf(bad);
    EXPECT_TRUE(error.empty() || error.rfind("p.s:", 0) == 0) << error;
    if (i % 4 == 0) { // Cut off, never a program.
      EXPECT_NE(error, "");
    }
  }
}

TEST(Base64, RoundTripsAndIsStrict) {
  EXPECT_EQ(encodeBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encodeBase64("foob"), "Zm9vYg==");
  EXPECT_EQ(encodeBase64(""), "");
  std::mt19937 random(1);
  for (unsigned size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    for (char &c : bytes)
      c = static_cast<char>(random());
    EXPECT_EQ(decodeBase64(encodeBase64(bytes)), bytes);
  }
  for (const char *bad : {"A", "AAA", "AA==AAAA",
                          "AB==", "A===", "====", "AA=A", "AAA\n", "AAA-"})
    EXPECT_FALSE(decodeBase64(bad)) << bad;
}
} // namespace
