//===- FactDialect.td - The fact dialect ----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_TD
#define FACT_DIALECT_TD

include "mlir/IR/OpBase.td"

def Fact_Dialect : Dialect {
  let name = "fact";
  let cppNamespace = "::mlir::fact";
  let summary = "eager correlation prediction, masking and precision of transformer encoders on tensors";
  let description = [{
    The `fact` dialect says what a transformer encoder computes on a FACT-style
    accelerator, independent of target: dense ops that a front end raises to,
    and the quantized, predicted and masked ops that its passes rewrite them
    into. Every op works on one sequence: `L` tokens (rows, usually `?`), `d`
    features, `h` heads of `d / h` features each.

    Row subsets are masks, never gathered tensors: a tensor keeps its full shape
    and a mask says which rows hold a value; the other rows are undefined, and
    no op may let them reach a defined result. All arithmetic is that of
    docs/numerics.md; section numbers below refer to it.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // FACT_DIALECT_TD
