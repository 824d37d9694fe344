//===- Listing.h - Programs as text ---------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_LISTING_H
#define FACT_ISA_LISTING_H

#include "fact/ISA/Program.h"

#include <string>
#include <string_view>

namespace fact::isa {

/// Whether a listing ends with the constants and the MLIR text (as base64).
enum class ListingData { Omit, Include };

/// A whole program as text: machine, memory, metadata, instructions with their
/// sources, data. docs/isa.md describes the directives.
std::string formatListing(const Program &program, ListingData data);

/// The program of a text that formatListing() wrote with its data; writing it
/// gives the same file, byte for byte. A text without data, a wrong line, an
/// invalid program are fact::Errors that begin with `name:line:`.
Program parseListing(std::string_view text, const std::string &name);

} // namespace fact::isa

#endif // FACT_ISA_LISTING_H
