//===- Selection.h - What the selection unit chose ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_SELECTION_H
#define FACT_SIM_SELECTION_H

#include "fact/ISA/Metadata.h"
#include "fact/Sim/Observer.h"
#include "fact/Support/Npy.h"

#include <map>
#include <vector>

namespace fact::sim {

/// Fractions of a layer's work that are left after selection.
struct LayerShares {
  double keptK = 1;      ///< (head, token) pairs whose K is generated
  double keptV = 1;      ///< the same for V
  double liveQ = 1;      ///< (head, token) pairs that are not dominated
  double keptScores = 1; ///< allowed (head, row, column) that the masks keep
  double int8Tokens = 1; ///< tokens that are not low precision
};

/// Gathers what sel.topk and sel.precision decide, by their fields `layer` and
/// `head`. Layers that predict nothing keep everything that they may.
class SelectionObserver : public Observer {
public:
  /// `keepMasks`: remember the masks themselves, [heads, L, L] per layer.
  SelectionObserver(const isa::Metadata &metadata, int64_t length,
                    bool keepMasks);

  void onInstruction(const Executed &executed) override;

  std::vector<LayerShares> shares() const;

  /// `layer{i}.mask` [heads, L, L], `.dominated` [heads, L], `.k_rows`,
  /// `.v_rows` [key heads, L] and `.low` [L], all bool; `.low` alone where the
  /// model gives the mask.
  NpzArchive masks() const;

private:
  struct Head {
    std::vector<uint8_t> mask;                    ///< [L, L], or empty
    std::vector<uint8_t> dominated, kRows, vRows; ///< [L]
    int64_t kept = 0;
    int64_t allowed = 0;
  };
  struct Layer {
    std::map<int64_t, Head> heads;
    std::vector<uint8_t> low; ///< [L], or empty
  };

  /// What counts for a layer, its own or what it shares with one before.
  struct Selected {
    bool given = false;                        ///< the mask is the model's
    const Layer *layer = nullptr;              ///< null: everything
    const std::vector<uint8_t> *low = nullptr; ///< null: no token
  };

  Selected selected(int64_t layer) const;
  /// Rows of K, or of V, [L], that the heads of a selection want, by key head
  /// of a layer: layers that share a selection may have others. Nothing of key
  /// heads of which no head selects.
  std::map<int64_t, std::vector<uint8_t>>
  wanted(int64_t layer, const Layer &selection,
         std::vector<uint8_t> Head::*rows) const;
  void onTopK(const isa::SelTopK &i, const Executed &executed);
  int64_t numLayers() const;
  int64_t numHeads(int64_t layer) const;
  int64_t numKeyHeads(int64_t layer) const;
  numerics::Window window(int64_t layer) const;
  const Layer *find(int64_t layer) const;

  const isa::Metadata &metadata;
  int64_t length;
  bool keepMasks;
  std::map<int64_t, Layer> layers;
};

} // namespace fact::sim

#endif // FACT_SIM_SELECTION_H
