//===- fact-mutate.cpp - fact-opt on mutated tests ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// usage: fact-mutate --count=N [--seed=S] [--first=N] [--seconds=N]
//                    [--findings=FOLDER] TEST.mlir...
//        fact-mutate --parts=FOLDER TEST.mlir...
//
// The second form writes the parts to files, as the corpus of fuzz-opt.
//
// Takes the parts of lit tests, changes them at random (up to 16 times; where
// the verifier accepts a result, that is changed further) and does what
// `fact-opt` with the flags of their RUN lines does, in a process for each: the
// flags' passes may succeed or fail, but no run ends by a signal, runs longer
// than --seconds or takes more than 4 GiB. What does is kept in FOLDER, with
// the command that repeats it. The same seed gives the same texts.
//
//===----------------------------------------------------------------------===//

#include "MutateMLIR.h"
#include "OptRun.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fact::fuzz;
using llvm::StringRef;

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

static bool parse(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (!argument.starts_with("--")) {
      options.tests.push_back(argument.str());
      continue;
    }
    auto [name, value] = argument.split('=');
    uint64_t *number = name == "--count"     ? &options.count
                       : name == "--seed"    ? &options.seed
                       : name == "--first"   ? &options.first
                       : name == "--seconds" ? &options.seconds
                                             : nullptr;
    if (name == "--findings" && !value.empty())
      options.findings = value.str();
    else if (name == "--parts" && !value.empty())
      options.parts = value.str();
    else if (!number || value.getAsInteger(10, *number))
      return false;
  }
  return !options.tests.empty();
}

/// The parts of a test, without the comments that say what is expected.
static void addSeeds(const std::string &path, std::vector<Seed> &seeds) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return;
  StringRef text = (*buffer)->getBuffer();
  auto runs = optRunsOf(text.str());
  llvm::SmallVector<StringRef> parts;
  text.split(parts, "// -----");
  for (StringRef part : parts) {
    std::string code;
    for (StringRef rest = part; !rest.empty();) {
      StringRef line;
      std::tie(line, rest) = rest.split('\n');
      if (!line.trim().empty() && !line.trim().starts_with("//"))
        code += line.str() + '\n';
    }
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

/// Mutates and runs, in a child. Most mutants are refused by the parser; one
/// that is legal is changed again, or taken. Returns what it ended with: empty
/// unless by a signal; `current` has the text then.
static std::string runApart(const Seed &seed, const Seed &donor, Random &random,
                            uint64_t seconds, Current &current) {
  pid_t child = fork();
  if (child == 0) {
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
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL
               ? "no end after " + std::to_string(seconds) + " s"
               : std::string("signal ") + strsignal(WTERMSIG(status));
  // What a sanitizer stops exits with a status of its own.
  if (WEXITSTATUS(status) > 1)
    return "exit status " + std::to_string(WEXITSTATUS(status));
  return "";
}

/// Makes a folder for findings or parts; false with an error.
static bool makeFolder(const std::string &path) {
  std::error_code code = llvm::sys::fs::create_directories(path);
  if (code)
    llvm::errs() << "fact-mutate: error: cannot make '" << path
                 << "': " << code.message() << '\n';
  return !code;
}

/// Writes a text with the command that it is for; false with an error.
static bool write(const std::string &path, const std::string &comment,
                  const std::vector<std::string> &flags, StringRef text) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  file << comment << "// RUN: fact-opt %s";
  for (const std::string &flag : flags)
    file << " '" << flag << "'";
  file << '\n' << text;
  file.close();
  if (!code)
    code = file.error();
  if (code) {
    file.clear_error();
    llvm::errs() << "fact-mutate: error: cannot write '" << path
                 << "': " << code.message() << '\n';
  }
  return !code;
}

int main(int argc, char **argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    llvm::errs() << "fact-mutate: error: usage: fact-mutate --count=N "
                    "[--seed=S] [--first=N] [--seconds=N] "
                    "[--findings=FOLDER] TEST.mlir...\n";
    return 2;
  }
  std::vector<Seed> seeds;
  for (const std::string &path : options.tests)
    addSeeds(path, seeds);
  if (seeds.empty()) {
    llvm::errs() << "fact-mutate: error: no test has a RUN line of fact-opt\n";
    return 1;
  }
  if (!options.parts.empty()) {
    if (!makeFolder(options.parts))
      return 1;
    for (size_t i = 0; i < seeds.size(); ++i)
      if (!write(options.parts + "/" + std::to_string(i) + ".mlir", "",
                 seeds[i].flags, seeds[i].text))
        return 1;
    return 0;
  }
  // Once, so that no child has to: registers dialects and passes, and loads
  // what is loaded lazily.
  runOpt("", {});

  auto *current = static_cast<Current *>(
      mmap(nullptr, sizeof(Current), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (current == MAP_FAILED) {
    llvm::errs() << "fact-mutate: error: out of memory\n";
    return 1;
  }
  uint64_t wrong = 0;
  for (uint64_t i = options.first; i < options.first + options.count; ++i) {
    Random random(options.seed * 0x9E3779B97F4A7C15u + i);
    const Seed &seed = seeds[random() % seeds.size()];
    const Seed &donor = seeds[random() % seeds.size()];
    std::string end = runApart(seed, donor, random, options.seconds, *current);
    if (end.empty())
      continue;
    ++wrong;
    std::string path = options.findings + "/" + std::to_string(options.seed) +
                       "-" + std::to_string(i) + ".mlir";
    if (!makeFolder(options.findings) ||
        !write(path, "// " + end + ", from " + seed.path + "\n", seed.flags,
               StringRef(current->text, current->size)))
      return 1;
    std::string command = "fact-opt " + path;
    for (const std::string &flag : seed.flags)
      command += " '" + flag + "'";
    llvm::outs() << end << ": " << command << '\n';
    llvm::outs().flush();
  }
  llvm::outs() << options.count << " mutated tests (seed " << options.seed
               << "), " << current->legal << " of them legal: " << wrong
               << " ended by a signal\n";
  return wrong != 0;
}
