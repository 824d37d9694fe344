//===- ImportBatch.h - Models of any number of sequences --------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_IMPORTBATCH_H
#define FACT_LIB_COMPILER_IMPORTBATCH_H

#include "fact/Import/ONNX/Import.h"

namespace mlir::fact {

/// Imports a model. Where its batch is open, and nobody says how many sequences
/// it has, it becomes the function of one of them that `fact-split-batch`
/// makes, if that is the same for any number: an import computes constants from
/// the number, so the model is imported for several ones, and must become the
/// same function. Else it is imported for one sequence, with a remark.
///
/// Null after an error.
OwningOpRef<ModuleOp> importBatch(const OnnxFile &file,
                                  OnnxImportOptions options);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_IMPORTBATCH_H
