//===- Reference.h - One encoder layer, as the contract has it ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A whole layer by docs/numerics.md, on one thread and in the order of the
// text: what back ends and simulator are compared with.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_REFERENCE_H
#define FACT_NUMERICS_REFERENCE_H

#include "fact/Numerics/AttentionForm.h"
#include "fact/Numerics/Dressing.h"
#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Policy.h"
#include "fact/Numerics/Prediction.h"
#include "fact/Numerics/RowOps.h"
#include "fact/Numerics/Selection.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fact::numerics {

/// A linear layer as the model has it: y = x W + b.
struct LinearLayer {
  int64_t in = 0;
  int64_t out = 0;
  std::vector<float> weights; ///< [in, out]
  std::vector<float> bias;    ///< [out], or empty
};

/// A layer of the model (docs/numerics.md, sections 3 and 10). The query is
/// heads * headSize wide, key and value are keyHeads * headSize wide.
struct Layer {
  bool preNorm = true;
  Activation activation = Activation::Gelu;
  int64_t heads = 1;
  int64_t keyHeads = 1; ///< divides heads
  Window window;
  float scale = 1; ///< of the scores, 1/sqrt(head size) in most models
  LinearLayer query, key, value, output, ffn1, ffn2;
  std::optional<LinearLayer> gate; ///< linear3 of a gated FFN
  NormLayer norm1, norm2;
  std::optional<NormLayer> queryNorm, keyNorm; ///< over a head's features
  std::optional<RotaryEmbedding> rotary;       ///< of Q and K

  AttentionForm form() const;
};

/// Every intermediate of a layer, over the actual length. All Q, K and V rows
/// are generated where a trace is wanted, and dominated rows are computed as
/// if they were not; neither has an effect on the result.
struct LayerTrace {
  std::vector<int8_t> x8;         ///< [L, d] rows of a
  std::vector<float> xScale;      ///< [L]
  Prediction prediction;          ///< empty where nothing is predicted
  std::vector<int8_t> q8, k8, v8; ///< [heads or keyHeads, L, headSize]
  std::vector<float> qs, ks, vs;  ///< [heads or keyHeads, L], 2^e
  std::vector<float> mx, den;     ///< [heads, L], den with the tail in
  std::vector<int32_t> e16;       ///< [heads, L, L]
  std::vector<uint8_t> p8;        ///< [heads, L, L]
  std::vector<float> num;         ///< [heads, L, headSize], tail in
  std::vector<int8_t> kb8, vb8;   ///< [keyHeads, headSize], mean token
  std::vector<float> kbs, vbs;    ///< [keyHeads]
  std::vector<float> sb, w;       ///< [heads, L], 0 where no tail
  std::vector<float> context;     ///< [L, heads * headSize]
  std::vector<float> output;      ///< [L, d] output projection
  std::vector<float> r;           ///< [L, d]
  std::vector<float> hidden;      ///< [L, ff] after activation and gate
};

struct LayerResult {
  std::vector<float> y; ///< [rows, d], 0 past the actual length
  Selection selection;  ///< over the actual length
};

/// A layer with its weights quantized, to be run on any number of inputs.
/// Fails with a fact::Error on shapes that do not fit and on weights that are
/// not finite or above 2^50.
class ReferenceLayer {
public:
  explicit ReferenceLayer(const Layer &layer);

  /// Runs the layer on x[rows, d], of which the first `length` rows count
  /// (1 <= length <= rows). Fails with a fact::Error on an input that is not
  /// finite or above 2^50, and on an output that is not finite. `name` is the
  /// input's name in messages.
  LayerResult run(const Policy &policy, const float *x, int64_t rows,
                  int64_t length, LayerTrace *trace = nullptr,
                  const std::string &name = "x") const;

private:
  struct Heads;
  Heads generate(const Policy &policy, const QuantizedWeights &weights,
                 const std::vector<float> &bias, const std::vector<float> &a,
                 const std::vector<uint8_t> *low, const uint8_t *wanted,
                 int64_t length, const Dressing &dressing) const;
  std::vector<float> attention(const Policy &policy,
                               const std::vector<float> &a, int64_t length,
                               Selection &selection, LayerTrace *trace) const;
  std::vector<float> linear(const LinearLayer &linear,
                            const QuantizedWeights &weights,
                            const std::vector<float> &x, int64_t length,
                            LowPrecision lowPrecision,
                            const std::vector<uint8_t> *low) const;

  Dressing dressingOf(const std::optional<NormLayer> &norm) const;

  Layer layer;
  AttentionForm form;
  int64_t d = 0, headSize = 0;
  QuantizedWeights query, key, value, output, ffn1, ffn2, gate;
};

/// One run of one layer.
LayerResult referenceLayer(const Layer &layer, const Policy &policy,
                           const float *x, int64_t rows, int64_t length,
                           LayerTrace *trace = nullptr);

} // namespace fact::numerics

#endif // FACT_NUMERICS_REFERENCE_H
