//===- OnnxFuzzer.cpp - Fuzzes the import of ONNX models ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"
#include "fact/Import/ONNX/Import.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // The importer reads files.
  int file = memfd_create("fuzz.onnx", MFD_CLOEXEC);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size))
    std::abort();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  bool hasError = false;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    hasError |= diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
    return mlir::success();
  });
  auto module = mlir::fact::importOnnx("/proc/self/fd/" + std::to_string(file),
                                       {}, &context);
  fact::fuzz::require(static_cast<bool>(module) != hasError,
                      "a module or an error, not both");
  if (module)
    module->print(llvm::nulls());
  close(file);
  return 0;
}
