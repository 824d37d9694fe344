//===- EncoderLayers.cpp - Which linear layer is what in an encoder -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/EncoderLayers.h"

#include "fact/Dialect/Fact/IR/Values.h"

#include "mlir/IR/AsmState.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::fact;

static bool isLinear(Operation *op) {
  return isa_and_nonnull<LinearOp, QuantizedLinearOp>(op);
}

/// The linear that makes an operand of attention, through its quantization and
/// what dresses it.
static Operation *findProjection(Value operand) {
  if (auto heads = definingOp<QuantizeHeadsOp>(operand))
    operand = heads.getInput();
  SmallVector<Operation *> dressing;
  Operation *producer = undressed(operand, dressing).getDefiningOp();
  return isLinear(producer) ? producer : nullptr;
}

/// Ops that work on every row by itself, so that row i of the result is token
/// i.
static bool keepsTokensApart(Operation *op) {
  return isLinear(op) || isReshape(op) ||
         isa<ActivationOp, NormOp, RotateOp, AddOp, MultiplyOp, QuantizeRowsOp>(
             op);
}

int64_t EncoderLayer::getHeads() const {
  if (auto dense = dyn_cast<AttentionOp>(attention))
    return dense.getHeads();
  return cast<QuantizedAttentionOp>(attention).getHeads();
}

int64_t EncoderLayer::getGroups() const {
  if (auto dense = dyn_cast<AttentionOp>(attention))
    return dense.getGroups();
  return cast<QuantizedAttentionOp>(attention).getGroups();
}

WindowAttr EncoderLayer::getWindow() const {
  if (auto dense = dyn_cast<AttentionOp>(attention))
    return dense.getWindowAttr();
  return cast<QuantizedAttentionOp>(attention).getWindowAttr();
}

bool EncoderLayer::hasGivenMask() const {
  auto quantized = dyn_cast<QuantizedAttentionOp>(attention);
  return quantized && quantized.getMask() && !select;
}

static EncoderLayer describe(Operation *attention) {
  EncoderLayer layer;
  layer.attention = attention;
  if (auto dense = dyn_cast<AttentionOp>(attention)) {
    layer.query = findProjection(dense.getQuery());
    layer.key = findProjection(dense.getKey());
    layer.value = findProjection(dense.getValue());
    return layer;
  }
  auto quantized = cast<QuantizedAttentionOp>(attention);
  layer.query = findProjection(quantized.getQuery());
  layer.key = findProjection(quantized.getKey());
  layer.value = findProjection(quantized.getValue());
  layer.select = definingOp<SelectOp>(quantized.getMask());
  for (Value token : {quantized.getTailKey(), quantized.getTailValue()})
    if (Operation *linear = token ? findProjection(token) : nullptr)
      layer.meanToken.push_back(linear);
  return layer;
}

namespace {

/// Where a value stands between an attention and the end of its layer.
struct Flow {
  /// Index of the last attention that it depends on row by row; -1: none.
  int layer = -1;
  /// Whether it is past the output projection.
  bool pastOutput = false;
  /// The op that mixes tokens in a way that is not known, if that is why it
  /// depends on none.
  Operation *lost = nullptr;
};

/// Walks one function forwards and says for every linear what it is.
class LayerFinder {
public:
  LayerFinder(Operation *function, std::vector<EncoderLayer> &layers,
              std::vector<EncoderLayers::Other> &others)
      : layers(layers), others(others) {
    function->walk([&](Operation *op) {
      if (!isa<AttentionOp, QuantizedAttentionOp>(op))
        return;
      layerOf[op] = layers.size();
      layers.push_back(describe(op));
      const EncoderLayer &layer = layers.back();
      for (Operation *projection : {layer.query, layer.key, layer.value})
        if (projection)
          projections.insert(projection);
      projections.insert(layer.meanToken.begin(), layer.meanToken.end());
    });
    function->walk([&](Operation *op) { visit(op); });
    function->walk([&](SelectPrecisionOp op) {
      for (EncoderLayer &layer : this->layers)
        if (!layer.precision && countsOf(layer, op))
          layer.precision = op;
    });
    for (auto [linear, layer] : candidates) {
      if (reachesResidual(linear, layer))
        layers[layer].feedForward.push_back(linear);
      else
        others.push_back(
            {linear, "it does not lead to a residual addition of its layer"});
    }
  }

private:
  /// Whether the counts that an op reads are those of a layer.
  static bool countsOf(const EncoderLayer &layer, SelectPrecisionOp op) {
    if (auto select = definingOp<SelectOp>(op.getCount()))
      return select == layer.select;
    auto all = definingOp<SelectAllOp>(op.getCount());
    if (!all || layer.select || layer.hasGivenMask() ||
        static_cast<int64_t>(all.getHeads()) != layer.getHeads() ||
        all.getWindowAttr() != layer.getWindow())
      return false;
    Value rows = sourceOf(all.getInput());
    if (rows == layer.getContext())
      return true;
    auto projection = dyn_cast_or_null<QuantizedLinearOp>(layer.key);
    auto input = projection ? definingOp<QuantizeRowsOp>(projection.getInput())
                            : QuantizeRowsOp();
    return input && sourceOf(input.getInput()) == rows;
  }

  void visit(Operation *op) {
    Flow flow;
    if (auto attention = layerOf.find(op); attention != layerOf.end())
      flow.layer = attention->second;
    else if (projections.contains(op))
      flow = {};
    else if (auto add = dyn_cast<AddOp>(op))
      flow = join(flows.lookup(add.getLhs()), flows.lookup(add.getRhs()));
    else if (auto product = dyn_cast<MultiplyOp>(op))
      flow =
          later(flows.lookup(product.getLhs()), flows.lookup(product.getRhs()));
    else if (isLinear(op))
      flow = visitLinear(op);
    else if (keepsTokensApart(op))
      flow = flows.lookup(op->getOperand(0));
    else if (llvm::any_of(op->getOperands(),
                          [&](Value v) { return flows.lookup(v).layer >= 0; }))
      flow.lost = op;
    else
      return;
    for (Value result : op->getResults())
      flows[result] = flow;
  }

  /// A sum belongs to the later layer. Adding to a context that no projection
  /// has read says that the layer has no output projection.
  static Flow join(Flow a, Flow b) {
    Flow result = later(a, b);
    if (result.layer >= 0)
      result.pastOutput = true;
    return result;
  }

  /// What reads both is where the later one is.
  static Flow later(Flow a, Flow b) {
    Flow result =
        a.layer > b.layer || (a.layer == b.layer && a.pastOutput) ? a : b;
    if (result.layer < 0 && !result.lost)
      result.lost = a.lost ? a.lost : b.lost;
    return result;
  }

  Flow visitLinear(Operation *op) {
    Flow flow = flows.lookup(op->getOperand(0));
    if (flow.layer < 0) {
      std::string reason = "it depends on no attention in its function";
      if (flow.lost)
        reason =
            ("its input comes through '" + flow.lost->getName().getStringRef() +
             "', which is not known to keep tokens apart")
                .str();
      others.push_back({op, reason});
      return {};
    }
    if (flow.pastOutput) {
      candidates.emplace_back(op, flow.layer);
    } else if (Operation *&output = layers[flow.layer].output; !output) {
      output = op;
    } else {
      others.push_back(
          {op, "another linear layer reads the attention before it"});
    }
    flow.pastOutput = true;
    return flow;
  }

  /// Whether `linear` leads to an addition whose other side is past the output
  /// projection of the same layer: r + FFN(r), or r + FFN(LN(r)).
  bool reachesResidual(Operation *linear, int layer) {
    SetVector<Operation *> work;
    work.insert(linear);
    for (size_t i = 0; i < work.size(); ++i) {
      for (OpOperand *use : readersOf(work[i]->getResult(0))) {
        Operation *user = use->getOwner();
        if (auto add = dyn_cast<AddOp>(user)) {
          Value other =
              use->getOperandNumber() == 0 ? add.getRhs() : add.getLhs();
          Flow flow = flows.lookup(other);
          if (flow.layer == layer && flow.pastOutput)
            return true;
        }
        // What joins a later layer is of that one.
        if (keepsTokensApart(user) && !projections.contains(user) &&
            flows.lookup(user->getResult(0)).layer == layer)
          work.insert(user);
      }
    }
    return false;
  }

  std::vector<EncoderLayer> &layers;
  std::vector<EncoderLayers::Other> &others;
  DenseMap<Operation *, int> layerOf;
  DenseSet<Operation *> projections;
  DenseMap<Value, Flow> flows;
  SmallVector<std::pair<Operation *, int>> candidates;
};

} // namespace

EncoderLayers::EncoderLayers(Operation *function) : function(function) {
  LayerFinder(function, layers, others);
}

unsigned EncoderLayers::countProjectionUses(Operation *linear) const {
  return llvm::count_if(layers, [&](const EncoderLayer &layer) {
    return layer.query == linear || layer.key == linear ||
           layer.value == linear;
  });
}

void EncoderLayers::print(raw_ostream &os) const {
  AsmState state(function, OpPrintingFlags().printGenericOpForm(false));
  auto line = [&](StringRef what, Operation *op) {
    os << "    " << what << ": ";
    if (!op) {
      os << "none\n";
      return;
    }
    os << op->getName().getStringRef() << ' ';
    op->getResult(0).printAsOperand(os, state);
    os << '\n';
  };
  os << "layers of '" << cast<FunctionOpInterface>(function).getName()
     << "': " << layers.size() << '\n';
  for (auto [index, layer] : llvm::enumerate(layers)) {
    os << "  layer " << index << ":\n";
    line("attention", layer.attention);
    line("select", layer.select);
    if (layer.precision)
      line("precision", layer.precision);
    line("query projection", layer.query);
    line("key projection", layer.key);
    line("value projection", layer.value);
    for (Operation *linear : layer.meanToken)
      line("mean token's projection", linear);
    line("output projection", layer.output);
    for (Operation *linear : layer.feedForward)
      line("feed-forward linear", linear);
  }
  for (const Other &other : others) {
    line("other linear", other.linear);
    os << "      because " << other.reason << '\n';
  }
}
