//===- fact-mutate.cpp - fact-opt on mutated tests ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes the parts of lit tests, changes them at random (up to 16 times; where
// the verifier accepts a result, that is changed further) and does what
// `fact-opt` with the flags of their RUN lines does, in a process for each: the
// flags' passes may succeed or fail, but no run ends by a signal, runs longer
// than --seconds or takes more than 4 GiB. What does is kept in FOLDER, with
// the command that repeats it. The same seed gives the same texts. --parts
// writes the parts to files instead, as the corpus of fuzz-opt.
//
//===----------------------------------------------------------------------===//

#include "MutateMLIR.h"
#include "OptRun.h"

#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/OutputFile.h"
#include "fact/Support/Tool.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fact;
using namespace fact::fuzz;

namespace {
struct Options {
  uint64_t count = 1000, seed = 0, first = 0, seconds = 20;
  std::string findings = "mutate-findings", parts;
  std::vector<std::string> tests;
};

/// One part of a test with one of its runs.
struct Seed {
  std::string path, text;
  std::vector<std::string> flags;
};
} // namespace

/// The parts of a test, without the comments that say what is expected.
static void addSeeds(const std::string &path, std::vector<Seed> &seeds) {
  InputFile file = InputFile::open(path);
  const std::string text(file.text());
  const std::string_view marker = "// -----";
  auto runs = optRunsOf(text);
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(marker, begin), text.size());
    std::string code;
    for (size_t at = begin; at < end;) {
      size_t next = std::min(text.find('\n', at), end);
      std::string line = text.substr(at, next - at);
      size_t first = line.find_first_not_of(" \t\r");
      if (first != std::string::npos && line.compare(first, 2, "//") != 0)
        code += line + '\n';
      at = next + 1;
    }
    begin = end + marker.size();
    if (code.empty())
      continue;
    // The generic form says every type once: fewer changes contradict another.
    std::string generic = genericForm(code);
    for (const auto &flags : runs) {
      seeds.push_back({path, code, flags});
      if (!generic.empty())
        seeds.push_back({path, generic, flags});
    }
  }
}

/// Of the texts that a child tries, the one it is at; shared with it.
struct Current {
  size_t size = 0;
  uint64_t legal = 0;
  char text[size_t(1) << 20];

  void set(const std::string &value) {
    size = value.size();
    std::memcpy(text, value.data(), size);
  }
};

/// Mutates and runs, as the whole of a child. Most mutants are refused by the
/// parser; one that is legal is changed again, or taken. `noexcept`: what is
/// thrown in here is a finding, no error of ours.
[[noreturn]] static void beChild(const Seed &seed, const Seed &donor,
                                 Random &random, uint64_t seconds,
                                 Current &current) noexcept {
  int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, 1);
  dup2(nowhere, 2);
  rlimit cpu = {seconds, seconds + 1};
  setrlimit(RLIMIT_CPU, &cpu);
#if !__has_feature(address_sanitizer)
  rlimit memory = {rlim_t(4) << 30, rlim_t(4) << 30};
  setrlimit(RLIMIT_AS, &memory);
#endif
  rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  std::string legal, base = seed.text;
  for (unsigned attempt = 0; attempt < 16; ++attempt) {
    std::string text = mutateMlir(base, donor.text, random);
    if (text.size() > sizeof(current.text) || stopsMlirParser(text))
      continue;
    current.set(text);
    if (!isLegal(text))
      continue;
    legal = base = text;
    if (random() % 3 == 0)
      break;
  }
  if (legal.empty())
    _exit(1);
  ++current.legal;
  current.set(legal);
  _exit(runOpt(legal, seed.flags) ? 0 : 1);
}

/// Runs a mutant in a child. Returns what is wrong with how it ended, or the
/// empty string; `current` has the text.
static std::string runApart(const Seed &seed, const Seed &donor, Random &random,
                            uint64_t seconds, Current &current) {
  pid_t child = fork();
  if (child == 0)
    beChild(seed, donor, random, seconds, current);
  if (child < 0)
    throw Error(std::string("cannot start a process: ") + std::strerror(errno));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      throw Error(std::string("cannot wait for a process: ") +
                  std::strerror(errno));
  if (WIFSIGNALED(status))
    return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL
               ? "no end after " + std::to_string(seconds) + " s"
               : std::string("signal ") + strsignal(WTERMSIG(status));
  // What a sanitizer stops exits with a status of its own.
  if (WEXITSTATUS(status) > 1)
    return "exit status " + std::to_string(WEXITSTATUS(status));
  return "";
}

static std::string commandOf(const std::string &path,
                             const std::vector<std::string> &flags) {
  std::string command = "fact-opt " + path;
  for (const std::string &flag : flags)
    command += " '" + flag + "'";
  return command;
}

/// Writes a text with the command that it is for, in a folder that is made
/// where there is none.
static void write(const std::string &folder, const std::string &path,
                  const std::string &comment,
                  const std::vector<std::string> &flags,
                  std::string_view text) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    throw Error("cannot make '" + folder + "': " + code.message());
  writeFile(path, comment + "// RUN: " + commandOf("%s", flags) + '\n' +
                      std::string(text));
}

static void writeParts(const std::string &folder,
                       const std::vector<Seed> &seeds) {
  for (size_t i = 0; i < seeds.size(); ++i)
    write(folder, folder + "/" + std::to_string(i) + ".mlir", "",
          seeds[i].flags, seeds[i].text);
}

/// Returns the number of findings.
static uint64_t mutate(const Options &options, const std::vector<Seed> &seeds) {
  // Once, so that no child has to: registers dialects and passes, and loads
  // what is loaded lazily.
  runOpt("", {});

  auto *current = static_cast<Current *>(
      mmap(nullptr, sizeof(Current), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (current == MAP_FAILED)
    throw std::bad_alloc();
  uint64_t findings = 0;
  for (uint64_t i = options.first; i < options.first + options.count; ++i) {
    Random random(options.seed * 0x9E3779B97F4A7C15u + i);
    const Seed &seed = seeds[random() % seeds.size()];
    const Seed &donor = seeds[random() % seeds.size()];
    std::string end = runApart(seed, donor, random, options.seconds, *current);
    if (end.empty())
      continue;
    ++findings;
    std::string path = options.findings + "/" + std::to_string(options.seed) +
                       "-" + std::to_string(i) + ".mlir";
    write(options.findings, path, "// " + end + ", from " + seed.path + "\n",
          seed.flags, {current->text, current->size});
    std::cout << end << ": " << commandOf(path, seed.flags) << std::endl;
  }
  std::cout << options.count << " mutated tests (seed " << options.seed << "), "
            << current->legal << " of them legal: " << findings
            << " findings\n";
  return findings;
}

int main(int argc, char **argv) {
  Options options;
  return toolMain(argc, argv, "fact-mutate", [&](CLI::App &app) -> ToolBody {
    app.description("Runs fact-opt on mutated parts of tests");
    app.add_option("TEST", options.tests, "tests with RUN lines of fact-opt")
        ->required();
    CLI::Option *parts = app.add_option(
        "--parts", options.parts,
        "write the tests' parts to files of this folder, and run nothing");
    auto number = [&](const char *name, uint64_t &value, int64_t least,
                      const char *what) {
      app.add_option(name, value, what)
          ->check(atLeast(least))
          ->excludes(parts)
          ->capture_default_str();
    };
    number("--count", options.count, 1, "number of mutants");
    number("--seed", options.seed, 0, "decides about all mutants");
    number("--first", options.first, 0, "number of the first mutant");
    number("--seconds", options.seconds, 1, "time that one mutant may take");
    app.add_option("--findings", options.findings, "folder for findings")
        ->excludes(parts)
        ->capture_default_str();
    return [&] {
      std::vector<Seed> seeds;
      for (const std::string &path : options.tests)
        addSeeds(path, seeds);
      if (seeds.empty())
        throw Error("no test has a RUN line of fact-opt");
      if (!options.parts.empty()) {
        writeParts(options.parts, seeds);
        return 0;
      }
      return mutate(options, seeds) ? 1 : 0;
    };
  });
}
