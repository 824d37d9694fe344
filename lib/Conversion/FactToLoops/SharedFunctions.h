//===- SharedFunctions.h - One function for equal ones --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_SHAREDFUNCTIONS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_SHAREDFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::fact::loops {

/// Functions of a module that are taken out of others, each text once.
class SharedFunctions {
public:
  explicit SharedFunctions(ModuleOp module) : symbols(module) {}

  /// Puts a function that is in no module into this one, or drops it where an
  /// equal one is there: that one, and whether it is new.
  std::pair<func::FuncOp, bool> add(func::FuncOp function) {
    std::string text;
    llvm::raw_string_ostream(text) << function;
    auto [entry, isNew] = known.try_emplace(text, function);
    if (isNew)
      symbols.insert(function);
    else
      function->destroy();
    return {entry->second, isNew};
  }

private:
  SymbolTable symbols;
  llvm::StringMap<func::FuncOp> known;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_SHAREDFUNCTIONS_H
