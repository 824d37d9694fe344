//===- Passes.td - Conversions between dialects -*- tablegen -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_PASSES_TD
#define FACT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def FactToFactISAPass : Pass<"fact-to-factisa", "::mlir::ModuleOp"> {
  let summary = "lower sparse fact ops to instructions on SSA buffers";
  let description = [{
    Turns the one public function of a module and the layers that it calls into a
    program: a function without arguments of `factisa` instructions in `scf.for` loops.
    Equal layers in a row become one loop with their weights side by side in DRAM.
    Block sizes are the largest with which the machine's scratchpad holds every buffer
    (docs/schedule.md says how blocks, groups and loops are made).

    Before: quantized, sparse fact IR, weights constant (`fact-sparsify`), an upper
    bound of the sequence length on each input (`fact.bound`) or in its type.
    After: no address and no order between engines yet; `factisa-plan-memory` and
    `factisa-insert-semaphores` add them. An op without instruction is an error.

    ```mlir
    %y = fact.add %a, %b : tensor<?x64xf32>    // before

    scf.for %row = %c0 to %length step %c64 {  // after
      factisa.load %0, %1, %row {rows = 64, ...}
      ...
      factisa.apu.add %4, %0, %2, %row {rows = 64, n = 64, ...}
    }
    ```
  }];
  let options = [Option<"machine", "machine", "std::string", "", "machine description (JSON file); default: fact-28nm">];
  let statistics = [Statistic<"rowsPerBlock", "rows-per-block", "Rows of a row block">];
  let dependentDialects = ["::mlir::factisa::FactISADialect", "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect"];
}

#endif // FACT_CONVERSION_PASSES_TD
