//===- Passes.td - Passes that make a failing model small -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_REDUCER_PASSES_TD
#define FACT_REDUCER_PASSES_TD

include "mlir/Pass/PassBase.td"

def ShrinkPass : Pass<"fact-shrink", "::mlir::ModuleOp"> {
  let summary = "make a model smaller as long as a script exits with 1 for it";
  let description = [{
    A pass of `fact-reduce`. It knows what a smaller model is: MLIR's own reductions
    erase ops in ranges, and an op on rows that others read cannot be erased.

    The script runs with its arguments and the path of a module, and exits with 1
    where the module still shows what one looks for (as for MLIR's own reductions).
    Steps go from large to small: a result of `main` less, an earlier op's rows
    returned, functions erased, calls inlined, an op replaced by an operand, optional
    operands and constants. A step stays where the module is legal and shows it.

    Before, the script looking for a layer norm:
    ```mlir
    %0 = fact.linear %x, %w, %b : ...
    %1 = fact.norm layer %0, %gamma, %beta : ...
    %2 = fact.add %1, %x : ...
    return %2 : tensor<?x16xf32>
    ```
    After:
    ```mlir
    %0 = fact.norm layer %x, %zero, %zero : ...
    return %0 : tensor<?x16xf32>
    ```

    Before: a module that the script exits with 1 for; any other is an error.
    After: a legal module that no step makes smaller, or what was found by the last
    run of the script that `max-tests` allows.
  }];
  let options = [
    Option<"script", "test", "std::string", "", "script to run">,
    ListOption<"scriptArguments", "test-arg", "std::string", "arguments of the script">,
    Option<"maxTests", "max-tests", "int64_t", "0", "runs of the script, 0 = any number">,
  ];
}

#endif // FACT_REDUCER_PASSES_TD
