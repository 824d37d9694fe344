//===- fact-run.cpp - Runs a model on the CPU -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Compiler/Options.h"
#include "fact/Compiler/Run.h"
#include "fact/Support/Error.h"
#include "fact/Support/Tool.h"

int main(int argc, char **argv) {
  fact::RunOptions options;
  options.tool = "fact-run";
  return fact::toolMain(argc, argv, "fact-run", [&](CLI::App &app) {
    app.description("Compiles a model for this processor and runs it");
    fact::addRunFlags(app, options);
    return [&] {
      if (auto error = fact::runModel(options))
        throw fact::Error(*error);
      return 0;
    };
  });
}
