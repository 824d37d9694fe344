//===- ListingFuzzer.cpp - Fuzzes the text form of programs ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "fact/ISA/Listing.h"

using namespace fact;
using namespace fact::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  isa::Program program;
  if (!accepts(
          [&] { program = isa::parseListing(textOf(data, size), "fuzz.s"); }))
    return 0;
  // Whatever was accepted can be written, printed and read back.
  std::string text = isa::formatListing(program, isa::ListingData::Include);
  isa::Program again = isa::parseListing(text, "again.s");
  require(again.toBytes() == program.toBytes(),
          "a program that is printed and read is the same program");
  require(isa::formatListing(again, isa::ListingData::Include) == text,
          "a listing that is read and printed is the same listing");
  return 0;
}
