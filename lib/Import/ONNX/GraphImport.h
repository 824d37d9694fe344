//===- GraphImport.h - From the nodes of a cut to a function --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_GRAPHIMPORT_H
#define FACT_LIB_IMPORT_ONNX_GRAPHIMPORT_H

#include "Cut.h"

namespace mlir::fact {

/// Why a graph cannot be imported.
struct ImportError {
  std::string text;
  /// What is to be said at other nodes, by their names.
  std::vector<std::pair<std::string, std::string>> notes;
  /// A bound of the sequence with which the import might succeed, or 0.
  int64_t lowerBound = 0;
};

/// Builds `@main` for \p cut, with the sequence open or at its bound. Returns
/// null with \p error set where some node cannot be imported: whether that is
/// the user's error or a reason to try the other form is the caller's to say.
OwningOpRef<ModuleOp> importGraph(const ::fact::onnx::Model &model,
                                  const Cut &cut, bool open,
                                  MLIRContext *context, ImportError &error);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_GRAPHIMPORT_H
