//===- OptRun.cpp - fact-opt on the text of a test, in this process -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OptRun.h"

#include "fact/InitAll.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace fact::fuzz;
using llvm::StringRef;

/// Splits a command as a shell does, up to the first pipe or redirection.
static std::vector<std::string> splitWords(StringRef command) {
  std::vector<std::string> words;
  std::string word;
  bool inWord = false;
  char quote = 0;
  for (char c : command) {
    if (quote) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      inWord = true;
    } else if (c == ' ' || c == '|' || c == '>' || c == ';' || c == '&') {
      if (inWord && !(c == '>' && word == "2"))
        words.push_back(word);
      word.clear();
      inWord = false;
      if (c != ' ')
        return words;
    } else {
      word += c;
      inWord = true;
    }
  }
  if (inWord)
    words.push_back(word);
  return words;
}

std::vector<std::vector<std::string>>
fact::fuzz::optRunsOf(const std::string &test) {
  std::vector<std::vector<std::string>> runs;
  for (StringRef rest = test; !rest.empty();) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    size_t start = line.find("RUN:");
    size_t tool = line.find("fact-opt %s");
    if (start == StringRef::npos || tool == StringRef::npos)
      continue;
    std::vector<std::string> flags;
    bool usable = true;
    auto words = splitWords(line.substr(tool + strlen("fact-opt %s")));
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "-o") {
        ++i;
        continue;
      }
      usable &= words[i].find('%') == std::string::npos;
      flags.push_back(words[i]);
    }
    if (usable && std::find(runs.begin(), runs.end(), flags) == runs.end())
      runs.push_back(flags);
  }
  return runs;
}

namespace {
/// The configuration has no setters for some of its fields.
struct Config : mlir::MlirOptMainConfig {
  void setRemarks(StringRef filter) { remarksAllFilterFlag = filter.str(); }
};
} // namespace

static mlir::DialectRegistry &registry() {
  static mlir::DialectRegistry *instance = [] {
    auto *registry = new mlir::DialectRegistry;
    mlir::fact::registerAllDialects(*registry);
    mlir::fact::registerAllPasses();
    return registry;
  }();
  return *instance;
}

bool fact::fuzz::runOpt(const std::string &text,
                        const std::vector<std::string> &flags,
                        std::string *output) {
  mlir::DialectRegistry &dialects = registry();
  Config config;
  config.setDebugConfig(mlir::tracing::DebugConfig());
  std::string pipeline;
  for (StringRef flag : flags) {
    flag.consume_front("--");
    auto [name, value] = flag.split('=');
    if (name == "split-input-file")
      config.splitInputFile();
    else if (name == "allow-unregistered-dialect")
      config.allowUnregisteredDialects(true);
    else if (name == "emit-bytecode")
      config.emitBytecode(true);
    else if (name == "remarks-filter")
      config.setRemarks(value);
    else if (name == "pass-pipeline")
      pipeline = value.str();
    else if (name == "verify-diagnostics" || name == "mlir-print-op-generic" ||
             name == "mlir-print-debuginfo")
      ; // says how to report, not what to do
    else
      pipeline += (pipeline.empty() ? "" : ",") + name.str() +
                  (value.empty() ? "" : "{" + value.str() + "}");
  }
  StringRef passes = pipeline;
  if (passes.consume_front("builtin.module("))
    passes.consume_back(")");
  config.setPassPipelineSetupFn([passes](mlir::PassManager &manager) {
    return mlir::parsePassPipeline(passes, manager);
  });
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(text, "test.mlir");
  std::string printed;
  llvm::raw_string_ostream stream(printed);
  bool passed =
      succeeded(mlir::MlirOptMain(stream, std::move(buffer), dialects, config));
  if (output)
    *output = std::move(printed);
  return passed;
}

bool fact::fuzz::stopsMlirParser(const std::string &text) {
  StringRef all = text;
  for (size_t at = 0; (at = all.find("array<", at)) != StringRef::npos;) {
    StringRef element =
        all.substr(at += strlen("array<")).take_while([](char c) {
          return isalnum(c);
        });
    if (!element.empty() &&
        !llvm::is_contained({"i1", "i8", "i16", "i32", "i64", "f32", "f64"},
                            element))
      return true;
  }
  for (StringRef name : {"permutation = ", "dimensions = "})
    for (size_t at = 0; (at = all.find(name, at)) != StringRef::npos;) {
      StringRef list = all.substr(at += name.size());
      if (!list.consume_front("[") ||
          list.find_first_not_of("0123456789, ") != list.find(']'))
        return true;
    }
  // A second block of one name leaves uses of what its region goes with.
  for (size_t at = 0; (at = all.find("\n", at)) != StringRef::npos; ++at) {
    StringRef line = all.substr(at).ltrim();
    if (!line.starts_with("^") || all.take_front(at).rtrim().ends_with("{"))
      continue;
    StringRef name =
        line.take_until([](char c) { return c == '(' || c == ':'; });
    if (all.take_front(at).contains((name + "(").str()) ||
        all.take_front(at).contains((name + ":").str()))
      return true;
  }
  return false;
}

/// The module of `text`, which must be one; null without a word if it is none.
static mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &text,
                                               mlir::MLIRContext &context) {
  context.allowUnregisteredDialects();
  mlir::ScopedDiagnosticHandler silent(
      &context, [](mlir::Diagnostic &) { return mlir::success(); });
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
}

bool fact::fuzz::isLegal(const std::string &text) {
  mlir::MLIRContext context(registry(), mlir::MLIRContext::Threading::DISABLED);
  return static_cast<bool>(parse(text, context));
}

std::string fact::fuzz::genericForm(const std::string &text) {
  mlir::MLIRContext context(registry(), mlir::MLIRContext::Threading::DISABLED);
  std::string printed;
  if (auto module = parse(text, context)) {
    llvm::raw_string_ostream stream(printed);
    module->print(stream, mlir::OpPrintingFlags().printGenericOpForm());
    printed += '\n';
  }
  return printed;
}
