//===- Translation.cpp - fact-translate --import-onnx ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Import/ONNX/Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::fact;

namespace {
/// Flags beside --import-onnx.
struct Flags {
  llvm::cl::list<std::string> from{
      "from", llvm::cl::CommaSeparated,
      llvm::cl::desc("Tensors that become arguments (--import-onnx)"),
      llvm::cl::value_desc("tensor")};
  llvm::cl::opt<std::string> to{
      "to", llvm::cl::desc("Tensor to return (--import-onnx)"),
      llvm::cl::value_desc("tensor")};
  llvm::cl::list<std::string> shapes{
      "shape", llvm::cl::desc("Shape of an argument (--import-onnx)"),
      llvm::cl::value_desc("name:1x512x120")};
};
} // namespace

void mlir::fact::registerFromOnnxTranslation() {
  static Flags flags;
  TranslateToMLIRRegistration registration(
      "import-onnx", "import an ONNX model as linalg on tensors",
      [](llvm::SourceMgr &sources,
         MLIRContext *context) -> OwningOpRef<Operation *> {
        // By name: a model refers to files beside it.
        StringRef path = sources.getMemoryBuffer(sources.getMainFileID())
                             ->getBufferIdentifier();
        OnnxImportOptions options;
        options.from.assign(flags.from.begin(), flags.from.end());
        if (!flags.to.empty())
          options.to = {flags.to};
        for (const std::string &text : flags.shapes)
          if (std::string error = parseShapeOption(text, options.shapes);
              !error.empty()) {
            emitError(UnknownLoc::get(context), error);
            return nullptr;
          }
        return importOnnx(path == "<stdin>" ? "/dev/stdin" : path, options,
                          context);
      },
      [](DialectRegistry &registry) {
        registry.insert<arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect>();
      });
}
