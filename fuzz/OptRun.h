//===- OptRun.h - fact-opt on the text of a test, in this process ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_FUZZ_OPTRUN_H
#define FACT_FUZZ_OPTRUN_H

#include <string>
#include <vector>

namespace fact::fuzz {

/// What the RUN lines of a test ask of fact-opt: one list of flags for each
/// distinct run of it on the test itself. Runs that need another file are left
/// out.
std::vector<std::vector<std::string>> optRunsOf(const std::string &test);

/// Does what `fact-opt FLAGS` does with `text`: parse, verify, run the passes,
/// print (to `output`, or to nowhere). Diagnostics go to standard error. Only
/// the flags that tests use are known; true unless fact-opt would fail.
bool runOpt(const std::string &text, const std::vector<std::string> &flags,
            std::string *output = nullptr);

/// Whether MLIR 22's own parser ends by a signal on `text`: for `array<` of a
/// type that is none of i1 .. i64, f32, f64 (it asks `index` for a width), for
/// a list of linalg.transpose, reduce and broadcast that is not made of
/// integers (it keeps a null attribute), and for a second block of one name (it
/// writes to a region that is gone). Nothing of ours has run by then.
bool stopsMlirParser(const std::string &text);

/// Whether `text` (without a split marker) can be parsed and verified.
bool isLegal(const std::string &text);

/// `text` in the generic form of MLIR; empty if that fails.
std::string genericForm(const std::string &text);

} // namespace fact::fuzz

#endif // FACT_FUZZ_OPTRUN_H
