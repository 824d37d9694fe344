//===- Transpose.h - Transposition of what a model has --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by Transpose and Gemm.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_TRANSPOSE_H
#define FACT_LIB_IMPORT_ONNX_TRANSPOSE_H

#include "NodeImport.h"

namespace mlir::fact {

/// Transposes \p tensor: a constant at once (so that a weight arrives as it is
/// multiplied), what is computed by linalg.transpose. \p permutation must be
/// one of the tensor's rank.
LogicalResult transpose(NodeImport &node, ModelTensor &tensor,
                        llvm::ArrayRef<int64_t> permutation);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_TRANSPOSE_H
