//===- FloatControl.h - The floating-point mode of compiled code ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_FLOATCONTROL_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_FLOATCONTROL_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::fact::loops {

/// Assembly with side effects.
LLVM::InlineAsmOp emitAssembly(ImplicitLocOpBuilder &b, TypeRange results,
                               ValueRange operands, StringRef text,
                               StringRef constraints);

/// Sets the contract's mode (denormals, rounding to nearest) whatever that of
/// the caller is, and puts it back; `kind` is x86, aarch64 or none.
class FloatControl {
public:
  FloatControl(ImplicitLocOpBuilder &b, StringRef kind) : b(b), kind(kind) {}

  void set();
  void restore();

private:
  ImplicitLocOpBuilder &b;
  StringRef kind;
  Value saved;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_FLOATCONTROL_H
