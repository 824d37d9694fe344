//===- ReferenceRunner.cpp - Import a model and run it in f32 -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunner.h"

#include "fact/Execution/Reference.h"
#include "fact/Import/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::fact;

std::string runReference(const std::string &model,
                         const std::vector<std::string> &from,
                         const std::string &to,
                         const std::vector<std::string> &shapes,
                         const std::vector<std::vector<RunnerTensor>> &runs,
                         std::vector<RunnerTensor> &outputs) {
  OnnxImportOptions options;
  options.from = from;
  if (!to.empty())
    options.to = {to};
  for (const std::string &text : shapes)
    if (std::string error = parseShapeOption(text, options.shapes);
        !error.empty())
      return error;
  MLIRContext context;
  // Remarks, too; the default handler prints errors only.
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler(sources, &context);
  OwningOpRef<ModuleOp> module = importOnnx(model, options, &context);
  if (!module)
    return "import failed";
  auto function = compileReference(*module);
  if (!function)
    return llvm::toString(function.takeError());
  for (const std::vector<RunnerTensor> &run : runs) {
    std::vector<::fact::NpyArray> inputs;
    for (const RunnerTensor &input : run)
      inputs.push_back(
          ::fact::NpyArray::from<float>(input.shape, input.data.data()));
    auto results = (*function)->invoke(inputs);
    if (!results)
      return llvm::toString(results.takeError());
    const ::fact::NpyArray &first = results->front();
    const float *data = first.as<float>("result");
    outputs.push_back({first.shape, {data, data + first.numElements()}});
  }
  return "";
}
