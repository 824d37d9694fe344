//===- Tool.cpp - The main function of every command-line tool of ours ----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Tool.h"

#include "fact/Support/Error.h"

#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <string_view>

using namespace fact;

namespace {
int fail(const char *name, const std::string &text, int status) {
  std::cerr << name << ": error: " << text << std::endl;
  return status;
}

/// CLI11 ends some of its texts with a full stop or a line break, and puts
/// several lines into others.
std::string oneLine(std::string text) {
  size_t end = text.find_last_not_of(".\n\r ");
  text.resize(end == std::string::npos ? 0 : end + 1);
  for (char &c : text)
    if (c == '\n' || c == '\r')
      c = ' ';
  // "The following ..." and "Could not ...", but not "TEXT is required".
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] =
        static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// `--name=` without a value, for which CLI11 would take the next argument;
/// null where there is none. What follows `--` is no flag.
const char *emptyFlag(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--")
      break;
    if (argument.size() > 3 && argument.substr(0, 2) == "--" &&
        argument.find('=') == argument.size() - 1)
      return argv[i];
  }
  return nullptr;
}

/// Name of an option that was given an empty value, as in `--name ""`: to the
/// tool that would be the same as no option.
std::string emptyOption(const CLI::App &app) {
  for (const CLI::Option *option : app.get_options())
    for (const std::string &result : option->results())
      if (result.empty())
        return option->get_name();
  return "";
}

bool flushStandardOutput() {
  std::cout.flush();
  return std::cout.good() && std::fflush(stdout) == 0 && !std::ferror(stdout);
}
} // namespace

CLI::Validator fact::atLeast(int64_t least) {
  return CLI::Validator(
      [least](std::string &text) {
        int64_t value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= least)
          return std::string();
        return "must be an integer and " + std::to_string(least) +
               " at least (was '" + text + "')";
      },
      "");
}

int fact::toolMain(int argc, char **argv, const char *name,
                   const std::function<ToolBody(CLI::App &)> &setUp) {
  // A file that grows past a limit is an error of write(), no end of the tool.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    CLI::App app;
    app.name(name);
    ToolBody body = setUp(app);
    if (const char *flag = emptyFlag(argc, argv))
      return fail(name, "a value must follow '" + std::string(flag) + "'", 2);
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success &success) { // --help and its like
      app.exit(success, std::cout, std::cerr);
      return flushStandardOutput()
                 ? 0
                 : fail(name, "cannot write to standard output", 1);
    } catch (const CLI::ParseError &error) {
      return fail(name, oneLine(error.what()), 2);
    }
    if (std::string option = emptyOption(app); !option.empty())
      return fail(name, "'" + option + "' must not be empty", 2);
    int status = body();
    errno = 0;
    if (!flushStandardOutput())
      return fail(name,
                  std::string("cannot write to standard output") +
                      (errno ? std::string(": ") + std::strerror(errno) : ""),
                  1);
    return status;
  } catch (const std::bad_alloc &) {
    return fail(name, "out of memory", 1);
  } catch (const std::exception &error) {
    return fail(name, error.what(), 1);
  }
}
