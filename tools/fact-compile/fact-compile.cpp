//===- fact-compile.cpp - Compiles a model for the accelerator or the CPU -===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Compiler/Object.h"
#include "fact/Compiler/Options.h"
#include "fact/Support/Error.h"
#include "fact/Support/Tool.h"

int main(int argc, char **argv) {
  fact::ObjectOptions options;
  options.tool = "fact-compile";
  return fact::toolMain(argc, argv, "fact-compile", [&](CLI::App &app) {
    app.description(
        "Compiles a model to a program for the accelerator or to a CPU object");
    fact::addObjectFlags(app, options);
    return [&] {
      if (auto error = fact::compileModel(options))
        throw fact::Error(*error);
      return 0;
    };
  });
}
