//===- ScoredHeads.h - The inside of fused attentions ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the attention operators of both domains: [B, L, d] and [B, N, L, h]
// and back, masks, and the two products around a softmax.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_SCOREDHEADS_H
#define FACT_LIB_IMPORT_ONNX_SCOREDHEADS_H

#include "Compose.h"

namespace mlir::fact {

/// [B, L, N * h] as [B, N, L, h]; \p what names it in an error.
Composition::Tensor splitHeads(Composition &op, Composition::Tensor x,
                               int64_t heads, const Twine &what);
/// [B, N, L, h] as [B, L, N * h].
Composition::Tensor mergeHeads(Composition &op, Composition::Tensor x);
/// Each of the heads \p times in a row.
Composition::Tensor repeatHeads(Composition &op, Composition::Tensor x,
                                int64_t times);

/// Fails where the extents of [B, N, L, h] do not belong together.
bool checkHeads(Composition &op, Composition::Tensor q, Composition::Tensor k,
                Composition::Tensor v);

/// 0 where \p keeps is true, else \p hidden.
Composition::Tensor maskOf(Composition &op, Composition::Tensor keeps,
                           float hidden);
/// The mask [rows, columns] of a decoder: a query sees no later key.
Composition::Tensor causalMask(Composition &op, Dim rows, Dim columns,
                               float hidden);
/// Adds \p mask to the scores [B, N, L, S], where it must not make them larger.
Composition::Tensor addMask(Composition &op, Composition::Tensor scores,
                            Composition::Tensor mask, StringRef what);
/// softmax(scores) * V.
Composition::Tensor weigh(Composition &op, Composition::Tensor scores,
                          Composition::Tensor v);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_SCOREDHEADS_H
