//===- ImportTrial.h - Imports that may not be taken ------------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_IMPORTTRIAL_H
#define FACT_LIB_COMPILER_IMPORTTRIAL_H

#include "fact/Import/ONNX/Import.h"

namespace mlir::fact {

/// Imports a model, as importBatch does, in the way in which most of it is
/// recognised:
/// * where it fixes the sequence's length, and tokens have numbers of their
///   own, with an open length, if one of these is then a padding mask that can
///   be left out;
/// * where an extent of tokens or of a batch of rows is open, with the sequence
///   first, if there are attentions then and else none.
///
/// Null after an error.
OwningOpRef<ModuleOp> importModel(const OnnxFile &file,
                                  const OnnxImportOptions &options);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_IMPORTTRIAL_H
