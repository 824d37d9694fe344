//===- FactInterfaces.td - Interfaces of the fact dialect -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_INTERFACES_TD
#define FACT_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Fact_CompileTimeInterface : OpInterface<"CompileTimeOpInterface"> {
  let cppNamespace = "::mlir::fact";
  let description = [{
    An op on weights that is computed while compiling: it folds where its operands
    are constants, and moves out of an outlined layer to the call sites where they
    are arguments.
  }];
}

#endif // FACT_INTERFACES_TD
