//===- Tool.h - The main function of every command-line tool of ours ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_TOOL_H
#define FACT_SUPPORT_TOOL_H

#include "CLI/CLI.hpp"

#include <cstdint>
#include <functional>

namespace fact {

/// For an option that is an integer: it must be `least` at least.
CLI::Validator atLeast(int64_t least);

/// What a tool does once its command line has been parsed. Throws fact::Error
/// for a user error; returns the exit status otherwise.
using ToolBody = std::function<int()>;

/// Runs a tool: `setUp` adds options to the app and returns the body, which is
/// called after parsing. Include this header only where exceptions are enabled
/// (a tool over MLIR keeps its MLIR code in other files).
///
///   int main(int argc, char **argv) {
///     std::string input;
///     return fact::toolMain(argc, argv, "fact-x", [&](CLI::App &app) {
///       app.add_option("input", input, "program to read")->required();
///       return [&] { run(input); return 0; };
///     });
///   }
///
/// Exit status: 0 success, 1 a user error (`name: error: text` on standard
/// error), 2 wrong usage (one line likewise; an empty value, as in `--length=`,
/// is wrong usage for every option). Output that could not be written to
/// standard output is a user error, too.
int toolMain(int argc, char **argv, const char *name,
             const std::function<ToolBody(CLI::App &)> &setUp);

} // namespace fact

#endif // FACT_SUPPORT_TOOL_H
