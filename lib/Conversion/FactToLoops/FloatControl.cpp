//===- FloatControl.cpp - The floating-point mode of compiled code --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatControl.h"

#include "fact/Numerics/FloatMode.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

LLVM::InlineAsmOp loops::emitAssembly(ImplicitLocOpBuilder &b,
                                      TypeRange results, ValueRange operands,
                                      StringRef text, StringRef constraints) {
  return LLVM::InlineAsmOp::create(
      b, results, operands, text, constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
      /*asm_dialect=*/{},
      /*operand_attrs=*/{});
}

void FloatControl::set() {
  auto integer = [&](Type type, int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, type, b.getIntegerAttr(type, value));
  };
  if (kind == "x86") {
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value one = integer(b.getI32Type(), 1);
    saved = LLVM::AllocaOp::create(b, pointer, b.getI32Type(), one);
    Value ours = LLVM::AllocaOp::create(b, pointer, b.getI32Type(), one);
    LLVM::StoreOp::create(
        b, integer(b.getI32Type(), ::fact::numerics::contractMxcsr), ours);
    LLVM::CallIntrinsicOp::create(b, b.getStringAttr("llvm.x86.sse.stmxcsr"),
                                  ValueRange{saved});
    LLVM::CallIntrinsicOp::create(b, b.getStringAttr("llvm.x86.sse.ldmxcsr"),
                                  ValueRange{ours});
  } else if (kind == "aarch64") {
    saved =
        emitAssembly(b, b.getI64Type(), {}, "mrs $0, fpcr", "=r").getResult(0);
    emitAssembly(b, {}, integer(b.getI64Type(), ::fact::numerics::contractFpcr),
                 "msr fpcr, $0", "r");
  }
}

void FloatControl::restore() {
  if (kind == "x86")
    LLVM::CallIntrinsicOp::create(b, b.getStringAttr("llvm.x86.sse.ldmxcsr"),
                                  ValueRange{saved});
  else if (kind == "aarch64")
    emitAssembly(b, {}, saved, "msr fpcr, $0", "r");
}
