//===- FusedAttention.cpp - Attention operators of both domains -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScoredHeads.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ElementType;
using Tensor = Composition::Tensor;

/// 1 / sqrt(h), from heads [B, N, L, h]; 0 after an error.
static float usualScale(Composition &op, Tensor heads) {
  if (op.failed())
    return 0;
  if (heads->shape[3].isConstant())
    return 1 / std::sqrt(static_cast<float>(heads->shape[3].offset));
  op.fail("heads must have a fixed size (is " + heads->shape[3].str() + ")");
  return 0;
}

/// Fails where the node has one of the inputs: states of an earlier run have no
/// meaning here.
static LogicalResult refuse(NodeImport &node, size_t first, size_t last) {
  for (size_t i = first; i <= last; ++i)
    if (node.hasInput(i))
      return node.fail("its input '" + node.node.inputs[i] + "' (number " +
                       Twine(i) + ") is not supported");
  return success();
}

/// Results 1 and 2 where the model asks for them: the keys and values [B, N, S,
/// h] of a later run's state.
static void setPresent(Composition &op, Tensor k, Tensor v) {
  if (op.node.wantsResult(1))
    (void)op.setResult(k, 1);
  if (op.node.wantsResult(2))
    (void)op.setResult(v, 2);
}

//===----------------------------------------------------------------------===//
// The default domain
//===----------------------------------------------------------------------===//

namespace {

/// Attributes of ai.onnx.Attention.
struct AttentionAttributes {
  int64_t qHeads, kvHeads;
  bool isCausal;
  std::optional<float> scale;
  float softcap;
};

} // namespace

static FailureOr<AttentionAttributes> readAttributes(NodeImport &node) {
  FailureOr<int64_t> qHeads = node.intAttribute("q_num_heads", 0),
                     kvHeads = node.intAttribute("kv_num_heads", 0),
                     isCausal = node.intAttribute("is_causal", 0);
  FailureOr<float> scale = node.floatAttribute("scale", 0),
                   softcap = node.floatAttribute("softcap", 0);
  // Everything is computed in float32; the mode is of a result that is refused.
  node.ignoreAttribute("softmax_precision");
  node.ignoreAttribute("qk_matmul_output_mode");
  if (failed(qHeads) || failed(kvHeads) || failed(isCausal) || failed(scale) ||
      failed(softcap))
    return failure();
  if (!(*scale >= 0) || !(*softcap >= 0))
    return node.fail("attributes 'scale' and 'softcap' must not be negative");
  AttentionAttributes attributes{
      *qHeads, *kvHeads, *isCausal != 0, {}, *softcap};
  if (node.hasAttribute("scale"))
    attributes.scale = *scale;
  return attributes;
}

/// The scores of Q and K: each is scaled by the root, so that their product
/// stays small.
static Tensor scoresOf(Composition &op, Tensor q, Tensor k,
                       const AttentionAttributes &attributes) {
  float scale =
      std::sqrt(attributes.scale ? *attributes.scale : usualScale(op, q));
  Tensor transposed = op.transpose(k, {0, 1, 3, 2});
  Tensor scores =
      op.matmul(op.multiply(q, scale), op.multiply(transposed, scale));
  if (attributes.softcap == 0)
    return scores;
  Tensor capped =
      op("Tanh", {op.divide(scores, op.number(attributes.softcap))});
  return op.multiply(capped, attributes.softcap);
}

/// Adds what hides keys, by input 3 and by the order.
static Tensor addMasks(Composition &op, Tensor scores, bool isCausal) {
  constexpr float hidden = -std::numeric_limits<float>::infinity();
  if (op.failed())
    return nullptr;
  Dim rows = scores->shape[2], columns = scores->shape[3];
  if (Tensor mask = op.input(3)) {
    if (mask->shape.empty() || mask->shape.back() != columns)
      return op.fail("mask of shape " + str(mask->shape) +
                     " is not of all keys (scores are " + str(scores->shape) +
                     ")");
    if (mask->type == ElementType::Bool)
      mask = maskOf(op, mask, hidden);
    scores = addMask(op, scores, mask, "mask");
  }
  if (isCausal)
    scores = addMask(op, scores, causalMask(op, rows, columns, hidden),
                     "causal mask");
  return scores;
}

static LogicalResult importAttention(NodeImport &node) {
  FailureOr<AttentionAttributes> attributes = readAttributes(node);
  if (failed(attributes) || failed(refuse(node, 4, 6)))
    return failure();
  Composition op(node);
  Tensor q = op.input(0), k = op.input(1), v = op.input(2);
  bool isMerged = q->rank() == 3;
  if (isMerged) {
    q = splitHeads(op, q, attributes->qHeads, "Q");
    k = splitHeads(op, k, attributes->kvHeads, "K");
    v = splitHeads(op, v, attributes->kvHeads, "V");
  }
  if (!checkHeads(op, q, k, v))
    return failure();
  Dim qHeads = q->shape[1], kvHeads = k->shape[1];
  if (!qHeads.isConstant() || !kvHeads.isConstant() || kvHeads.offset == 0 ||
      qHeads.offset % kvHeads.offset != 0)
    return node.fail("has " + qHeads.str() + " heads of Q for " +
                     kvHeads.str() + " of K");
  int64_t times = qHeads.offset / kvHeads.offset;
  setPresent(op, k, v);
  k = repeatHeads(op, k, times);
  v = repeatHeads(op, v, times);
  Tensor scores = scoresOf(op, q, k, *attributes);
  Tensor result = weigh(op, addMasks(op, scores, attributes->isCausal), v);
  return op.setResult(isMerged ? mergeHeads(op, result) : result);
}

//===----------------------------------------------------------------------===//
// ONNX Runtime's domain
//===----------------------------------------------------------------------===//

namespace {

/// What com.microsoft's Attention and MultiHeadAttention have in common.
struct RuntimeAttributes {
  int64_t heads;
  bool isCausal;
  float scale, hidden;
};

} // namespace

static FailureOr<RuntimeAttributes> readRuntimeAttributes(NodeImport &node) {
  FailureOr<int64_t> heads = node.intAttribute("num_heads", std::nullopt),
                     isCausal = node.intAttribute("unidirectional", 0);
  FailureOr<float> scale = node.floatAttribute("scale", 0),
                   hidden = node.floatAttribute("mask_filter_value", -10000);
  if (failed(heads) || failed(isCausal) || failed(scale) || failed(hidden))
    return failure();
  for (StringRef name : {"do_rotary", "past_present_share_buffer"}) {
    FailureOr<int64_t> flag = node.intAttribute(name, 0);
    if (failed(flag))
      return failure();
    if (*flag)
      return node.fail("attribute '" + name + "' is not supported");
  }
  node.ignoreAttribute("rotary_embedding_dim");
  return RuntimeAttributes{*heads, *isCausal != 0, *scale, *hidden};
}

/// Which keys input \p i keeps, for scores [B, N, L, S]: numbers [B, S] or
/// [B, L, S] that are positive, or the lengths [B].
static Tensor keptKeys(Composition &op, size_t i, const Shape &scores) {
  Tensor mask = op.input(i);
  Dim batch = scores[0], rows = scores[2], columns = scores[3];
  if (mask->isFloat() || mask->type == ElementType::Bool)
    return op.fail("mask '" + op.node.node.inputs[i] + "' must hold integers");
  if (llvm::equal(mask->shape, ArrayRef<Dim>{batch})) {
    Tensor positions =
        op("Range", {op.integers({Dim(0)}), op.integers({columns}),
                     op.integers({Dim(1)})});
    Tensor lengths = op.cast(mask, ElementType::Int64);
    return op("Less",
              {positions, op.unsqueeze(lengths, {Dim(1), Dim(2), Dim(3)})});
  }
  SmallVector<Dim> added;
  if (llvm::equal(mask->shape, ArrayRef<Dim>{batch, columns}))
    added = {Dim(1), Dim(2)};
  else if (llvm::equal(mask->shape, ArrayRef<Dim>{batch, rows, columns}))
    added = {Dim(1)};
  else
    return op.fail("mask '" + op.node.node.inputs[i] + "' of shape " +
                   str(mask->shape) + " does not fit scores of " + str(scores));
  Tensor zero = op.keep(ModelTensor::numbers({}, {Dim(0)}, mask->type));
  return op("Greater", {op.unsqueeze(mask, added), zero});
}

/// The rest, from heads [B, N, L, h] on.
static LogicalResult importHeads(Composition &op, Tensor q, Tensor k, Tensor v,
                                 const RuntimeAttributes &attributes,
                                 size_t mask, size_t bias) {
  if (!checkHeads(op, q, k, v))
    return failure();
  if (q->shape[1] != k->shape[1])
    return op.node.fail("has " + q->shape[1].str() + " heads of Q for " +
                        k->shape[1].str() + " of K");
  float scale = attributes.scale == 0 ? usualScale(op, q) : attributes.scale;
  Tensor scores = op.matmul(q, op.transpose(k, {0, 1, 3, 2}));
  scores = op.multiply(scores, scale);
  if (op.failed())
    return failure();
  Shape shape = scores->shape;
  if (op.input(bias))
    scores = addMask(op, scores, op.input(bias), "bias");
  if (op.input(mask))
    scores = addMask(op, scores,
                     maskOf(op, keptKeys(op, mask, shape), attributes.hidden),
                     "mask");
  if (attributes.isCausal)
    scores = addMask(op, scores,
                     causalMask(op, shape[2], shape[3],
                                std::numeric_limits<float>::lowest()),
                     "causal mask");
  return op.setResult(mergeHeads(op, weigh(op, scores, v)));
}

/// Widths of Q, K and V in the packed weights.
static FailureOr<SmallVector<int64_t>> packedWidths(NodeImport &node,
                                                    Dim columns) {
  FailureOr<SmallVector<int64_t>> widths = node.intsAttribute(
      "qkv_hidden_sizes", SmallVector<int64_t>(3, columns.offset / 3));
  if (failed(widths))
    return failure();
  int64_t total = 0;
  for (int64_t width : *widths)
    if (width <= 0 || llvm::AddOverflow(total, width, total))
      return node.fail("attribute 'qkv_hidden_sizes' must be three positive "
                       "numbers");
  if (widths->size() != 3 || !columns.isConstant(total))
    return node.fail("weights of " + columns.str() +
                     " columns are not those of Q, K and V");
  return widths;
}

/// Inputs: [B, L, d], weights of Q, K and V side by side, their biases, mask,
/// state, what is added to the scores.
static LogicalResult importPackedAttention(NodeImport &node) {
  FailureOr<RuntimeAttributes> attributes = readRuntimeAttributes(node);
  if (failed(attributes) || failed(refuse(node, 4, 4)) ||
      failed(refuse(node, 6, 6)))
    return failure();
  Composition op(node);
  Tensor weights = op.input(1), bias = op.input(2);
  if (weights->rank() != 2)
    return node.fail("weights must be a matrix (are " + str(weights->shape) +
                     ")");
  FailureOr<SmallVector<int64_t>> widths =
      packedWidths(node, weights->shape[1]);
  if (failed(widths))
    return failure();
  if (bias && !llvm::equal(bias->shape, ArrayRef<Dim>{weights->shape[1]}))
    return node.fail("bias of shape " + str(bias->shape) +
                     " does not fit weights of " + str(weights->shape));
  SmallVector<Tensor, 3> heads;
  Dim first(0);
  for (int64_t width : *widths) {
    Dim last(first.offset + width);
    Tensor part = op.matmul(op.input(0), op.slice(weights, 1, first, last));
    if (bias)
      part = op.add(part, op.slice(bias, 0, first, last));
    heads.push_back(splitHeads(op, part, attributes->heads, "product"));
    first = last;
  }
  // The state is keys and values in one.
  if (node.wantsResult(1))
    (void)op.setResult(op.concat({op.unsqueeze(heads[1], {Dim(0)}),
                                  op.unsqueeze(heads[2], {Dim(0)})},
                                 0),
                       1);
  return importHeads(op, heads[0], heads[1], heads[2], *attributes, 3, 5);
}

/// Q, K and V, or K and V, of [B, L, heads, count, h]: rows [B, L, d] of each.
static SmallVector<Tensor, 3> unpack(Composition &op, Tensor packed,
                                     int64_t heads, int64_t count) {
  const Shape &shape = packed->shape;
  std::optional<Dim> width =
      shape.size() == 5 ? multiply(shape[2], shape[4]) : std::nullopt;
  if (!width || shape[2] != Dim(heads) || shape[3] != Dim(count)) {
    op.fail("packed input of shape " + str(shape) +
            " must be [batch, length, " + Twine(heads) + ", " + Twine(count) +
            ", size]");
    return {};
  }
  SmallVector<Tensor, 3> parts;
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(op.reshape(op.slice(packed, 3, Dim(i), Dim(i + 1)),
                               {shape[0], shape[1], *width}));
  return parts;
}

/// Inputs: Q, K and V [B, L, d] (K and V may be [B, N, S, h], or all or these
/// two packed), their biases one after the other, mask, what is added to the
/// scores, states.
static LogicalResult importMultiHeadAttention(NodeImport &node) {
  FailureOr<RuntimeAttributes> attributes = readRuntimeAttributes(node);
  if (failed(attributes) || failed(refuse(node, 6, 9)))
    return failure();
  Composition op(node);
  SmallVector<Tensor, 3> parts{op.input(0), op.input(1), op.input(2)};
  if (!op.input(1) && !op.input(2))
    parts = unpack(op, op.input(0), attributes->heads, 3);
  else if (op.input(1) && !op.input(2))
    llvm::copy(unpack(op, op.input(1), attributes->heads, 2),
               parts.begin() + 1);
  if (op.failed() || llvm::is_contained(parts, nullptr))
    return op.failed() ? failure() : node.fail("lacks K or V");
  Dim first(0);
  SmallVector<Tensor, 3> heads;
  for (size_t i : {0, 1, 2}) {
    Tensor part = parts[i];
    if (i > 0 && part->rank() == 4 && !op.input(3)) {
      heads.push_back(part);
      continue;
    }
    if (Tensor bias = op.input(3)) {
      std::optional<Dim> last =
          part->shape.empty() ? std::nullopt : add(first, part->shape.back());
      if (bias->rank() != 1 || !last || !last->isConstant() ||
          !bias->shape[0].isConstant() ||
          last->offset > bias->shape[0].offset ||
          (i == 2 && *last != bias->shape[0]))
        return node.fail("bias of shape " + str(bias->shape) +
                         " does not fit Q, K and V");
      part = op.add(part, op.slice(bias, 0, first, *last));
      first = *last;
    }
    size_t input = !op.input(1) ? 0 : i == 2 && !op.input(2) ? 1 : i;
    heads.push_back(splitHeads(op, part, attributes->heads,
                               "input '" + node.node.inputs[input] + "'"));
  }
  setPresent(op, heads[1], heads[2]);
  return importHeads(op, heads[0], heads[1], heads[2], *attributes, 4, 5);
}

llvm::ArrayRef<Operator> mlir::fact::fusedAttentionOperators() {
  static const Operator operators[] = {
      {"Attention", 23, 3, 7, importAttention},
      {"Attention", 1, 2, 7, importPackedAttention, "com.microsoft"},
      {"MultiHeadAttention", 1, 1, 10, importMultiHeadAttention,
       "com.microsoft"},
  };
  return operators;
}
