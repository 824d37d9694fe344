//===- fact-as.cpp - Makes a program from text ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Listing.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/Tool.h"

using namespace fact;

int main(int argc, char **argv) {
  std::string input, output;
  return toolMain(argc, argv, "fact-as", [&](CLI::App &app) -> ToolBody {
    app.description("Makes a program from the text that fact-objdump prints.");
    app.add_option("TEXT", input, "text to read")->required();
    app.add_option("-o", output, "program to write (.fact)")->required();
    return [&] {
      InputFile text = InputFile::open(input);
      isa::parseListing(text.text(), input).write(output);
      return 0;
    };
  });
}
