//===- EncoderLayers.h - Which linear layer is what in an encoder ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one place that knows what a projection, an output projection and a
// feed-forward network look like in `fact` IR, dense or quantized, whatever
// casts and reshapes stand between them.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_ENCODERLAYERS_H
#define FACT_DIALECT_FACT_TRANSFORMS_ENCODERLAYERS_H

#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::fact {

/// One layer, seen from its attention. "Linear" below is a `fact.linear` or a
/// `fact.quantized_linear`.
struct EncoderLayer {
  /// `fact.attention` or `fact.quantized_attention`.
  Operation *attention = nullptr;
  /// Gives the attention's mask; null where nothing is predicted. Several
  /// layers may have one.
  SelectOp select;
  /// Says which tokens of the layer are low: by the counts of its select, or
  /// where there is no mask of a `fact.select_all` like the attention. The
  /// first in program order, null where there is none.
  SelectPrecisionOp precision;
  /// Projections; null where the operand does not come from a linear.
  Operation *query = nullptr, *key = nullptr, *value = nullptr;
  /// The mean token's K and V projections.
  SmallVector<Operation *, 2> meanToken;
  /// The linear that reads the attention's result, null if there is none.
  Operation *output = nullptr;
  /// Linears between the output projection and a residual addition of this
  /// layer, in program order.
  SmallVector<Operation *, 2> feedForward;

  /// Whether the attention has a mask that no select made.
  bool hasGivenMask() const;
  int64_t getHeads() const;
  int64_t getGroups() const; ///< heads of K and V
  WindowAttr getWindow() const; ///< null: all keys
  /// Result of the attention, [L, d] f32.
  Value getContext() const { return attention->getResult(0); }
};

/// All layers of one function in program order, and the linears of none.
class EncoderLayers {
public:
  struct Other {
    Operation *linear;
    /// Why it belongs to no layer, as the end of a sentence.
    std::string reason;
  };

  explicit EncoderLayers(Operation *function);

  ArrayRef<EncoderLayer> getLayers() const { return layers; }
  ArrayRef<Other> getOthers() const { return others; }
  /// Layers that use `linear` as one of their projections.
  unsigned countProjectionUses(Operation *linear) const;

  void print(raw_ostream &os) const;

private:
  Operation *function;
  std::vector<EncoderLayer> layers;
  std::vector<Other> others;
};

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_TRANSFORMS_ENCODERLAYERS_H
