//===- FactISADialect.cpp - The factisa dialect ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::factisa;

#include "fact/Dialect/FactISA/IR/FactISADialect.cpp.inc"

#include "fact/Dialect/FactISA/IR/FactISAEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "fact/Dialect/FactISA/IR/FactISATypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "fact/Dialect/FactISA/IR/FactISAAttributes.cpp.inc"

void FactISADialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "fact/Dialect/FactISA/IR/FactISATypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fact/Dialect/FactISA/IR/FactISAAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fact/Dialect/FactISA/IR/FactISAOps.cpp.inc"
      >();
}
