//===- Cut.h - The part of a model that is imported -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which tensors are arguments, which nodes lie between them and the result,
// and what shapes the arguments have.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_CUT_H
#define FACT_LIB_IMPORT_ONNX_CUT_H

#include "Model.h"

#include "fact/Import/ONNX/Import.h"

namespace mlir::fact {

/// A tensor that becomes an argument of the function.
struct Argument {
  std::string name;
  ::fact::onnx::ElementType type = ::fact::onnx::ElementType::Float;
  /// Extents, as the model fixes them or as they are given; the sequence's is
  /// the largest length.
  SmallVector<int64_t> extents;
  /// The extents that are the sequence length.
  SmallVector<bool> open;
  /// What the model says for each extent, absent where it says nothing.
  SmallVector<std::optional<int64_t>> declared;

  /// Whether tokens [a, b] and rows [a, b, features] have their sequence first.
  bool sequenceFirst = false;
  /// Whether the model leaves a first extent open that is no sequence.
  bool hasBatch = false;
  /// Whether its shape is that of an import of what makes it.
  bool isKnown = false;
  /// Whether it has one number for each sequence of a batch.
  bool isPerSequence = false;
  /// The extent that was taken for an open batch, if one was.
  std::optional<size_t> batchAxis;
  /// Of keys or values of earlier runs, the extent that counts their tokens. It
  /// may be 0.
  std::optional<size_t> pastAxis;

  bool isOpen() const { return llvm::is_contained(open, true); }
  bool hasNoPast() const { return pastAxis && extents[*pastAxis] == 0; }
};

struct Cut {
  std::vector<Argument> arguments;
  /// The tensors to return.
  std::vector<std::string> results;
  /// Indices of the nodes, in the file's order.
  std::vector<size_t> nodes;
  /// Largest sequence length; 1 where no argument has a sequence.
  int64_t bound = 1;
  /// Whether neither the model nor a flag nor an array says how long it is.
  bool isBoundChosen = false;
  /// The length that the model itself fixes, where it is open nevertheless; 0.
  int64_t fixedLength = 0;
  /// What was chosen in the place of who runs the import.
  std::vector<std::string> remarks;
};

/// What is known of tensors inside of the model that become arguments: their
/// shapes, open extents as ShapedType::kDynamic, and the longest sequence.
struct KnownShapes {
  std::map<std::string, SmallVector<int64_t>> shapes;
  /// Which extent of one is an open batch, of those that have one.
  std::map<std::string, size_t> batchAxes;
  int64_t bound = 0;
};

/// Finds the part of \p model that \p options name and the arguments' shapes.
/// Returns an empty text on success, else what is wrong.
std::string makeCut(const ::fact::onnx::Model &model,
                    const OnnxImportOptions &options, const KnownShapes &known,
                    Cut &cut);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_CUT_H
