//===- fact-translate.cpp - mlir-translate with our formats ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Import/ONNX/Import.h"
#include "fact/Target/EncodeProgram.h"

#include "mlir/InitAllTranslations.h"
#include "mlir/Support/LogicalResult.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"

int main(int argc, char **argv) {
  mlir::registerAllTranslations();
  mlir::fact::registerFromOnnxTranslation();
  mlir::factisa::registerToProgramTranslation();
  return failed(mlir::mlirTranslateMain(argc, argv, "fact translation driver"));
}
