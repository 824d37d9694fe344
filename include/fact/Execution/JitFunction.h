//===- JitFunction.h - A compiled function on float tensors ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What fact-run executes: a module in the LLVM dialect, compiled into this
// process and called with plain float buffers.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_EXECUTION_JITFUNCTION_H
#define FACT_EXECUTION_JITFUNCTION_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include "fact/Support/Npy.h"

#include <memory>
#include <string>
#include <vector>

namespace mlir {
class ExecutionEngine;
} // namespace mlir

namespace mlir::fact {

/// Types of a function's arguments and results: float32, integers of 32 or 64
/// bits, truth values. ShapedType::kDynamic is the sequence length: the same
/// number wherever it occurs among the arguments.
struct JitSignature {
  struct Tensor {
    SmallVector<int64_t> shape;
    std::string dtype; ///< NumPy's name.
  };
  SmallVector<Tensor> inputs, outputs;

  /// From a function on tensors or memrefs, before it is lowered. An error
  /// names the argument or result that is something else.
  static llvm::Expected<JitSignature> of(FunctionType type);
};

class JitFunction {
public:
  /// Compiles \p function of \p module, which must be in the LLVM dialect. The
  /// function, before its lowering, took and returned memrefs without a
  /// layout and had the attribute `llvm.emit_c_interface`; each result is a
  /// buffer of its own that the caller frees (what
  /// `buffer-deallocation-pipeline` leaves). \p optLevel is LLVM's, 0 to 3.
  static llvm::Expected<std::unique_ptr<JitFunction>>
  compile(ModuleOp module, StringRef function, JitSignature signature,
          unsigned optLevel = 2);
  ~JitFunction();

  const JitSignature &signature() const { return signature_; }

  /// Runs the function. An error tells which input has a wrong type, rank,
  /// extent or length; nothing has run then.
  llvm::Expected<std::vector<::fact::NpyArray>>
  invoke(llvm::ArrayRef<::fact::NpyArray> inputs);

private:
  JitFunction(std::unique_ptr<ExecutionEngine> engine, std::string name,
              JitSignature signature);

  std::unique_ptr<ExecutionEngine> engine;
  std::string name;
  JitSignature signature_;
};

} // namespace mlir::fact

#endif // FACT_EXECUTION_JITFUNCTION_H
