//===- fact-objdump.cpp - Prints a program as text ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/CheckOrder.h"
#include "fact/ISA/CheckProgram.h"
#include "fact/ISA/Listing.h"
#include "fact/Support/Error.h"
#include "fact/Support/Tool.h"

#include <iostream>

using namespace fact;

int main(int argc, char **argv) {
  std::string input;
  bool noData = false, check = false;
  return toolMain(argc, argv, "fact-objdump", [&](CLI::App &app) -> ToolBody {
    app.description("Prints a program: machine, memory, instructions with "
                    "their sources, data as base64. fact-as is the inverse.");
    app.add_option("PROGRAM", input, "program to print (.fact)")->required();
    auto *noDataFlag =
        app.add_flag("--no-data", noData, "leave out constants and MLIR");
    app.add_flag("--check", check,
                 "print no listing: check that every byte that an instruction "
                 "reads was written before, that tokens put what engines do to "
                 "the same bytes in an order, and that none is left at the end")
        ->excludes(noDataFlag);
    return [&] {
      isa::Program program = isa::Program::read(input);
      if (check) {
        isa::Code code(program);
        std::optional<isa::Fault> fault = isa::checkProgram(code);
        if (!fault)
          fault = isa::checkOrder(code);
        if (fault)
          throw Error(input + ": " + fault->text(code));
        std::cout << input << ": ok\n";
        return 0;
      }
      std::cout << isa::formatListing(
          program, noData ? isa::ListingData::Omit : isa::ListingData::Include);
      return 0;
    };
  });
}
