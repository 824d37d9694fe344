//===- fact-tblgen.cpp - TableGen backend of the instruction set ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionSet.h"

#include "llvm/Support/InitLLVM.h"
#include "llvm/TableGen/TableGenBackend.h"

using namespace fact::tblgen;

static llvm::TableGen::Emitter::Opt
    declarations("gen-isa-decls", emitDeclarations,
                 "C++ structures and enumerations of the instructions");
static llvm::TableGen::Emitter::Opt
    definitions("gen-isa-defs", emitDefinitions,
                "C++ tables and extents of the instructions");
static llvm::TableGen::Emitter::Opt manual("gen-isa-docs", emitManual,
                                           "Markdown manual");

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::ParseCommandLineOptions(argc, argv);
  return llvm::TableGenMain(
      argv[0], static_cast<llvm::MultiFileTableGenMainFn>(nullptr));
}
