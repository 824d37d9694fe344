//===- Lowering.h - State of lowering sparse fact ops to instructions -----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How the schedule works: rows of a sequence are processed in blocks. Ops that
// need nothing but their own row (layer norm, linear layers, ...) are gathered
// into groups; a group is one loop over row blocks in which intermediate rows
// stay in the scratchpad, and only what another group reads goes to DRAM.
// Selection, generation of Q, K and V and attention are one loop over heads and
// row blocks (HeadLoop.h), which keeps a few heads' rows in the scratchpad;
// where they do not fit, loops of their own, for which nothing but vectors over
// the keys of one head has to.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOFACTISA_LOWERING_H
#define FACT_LIB_CONVERSION_FACTTOFACTISA_LOWERING_H

#include "Codes.h"
#include "HeadNest.h"
#include "Tilings.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/ISA/Instructions.h"
#include "fact/ISA/Metadata.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <list>

namespace mlir::factisa {

/// What a loop counts. Iterations over rows (or keys) and heads do not depend
/// on each other, other than by adding up in one place, in order.
/// Parts: heads of a loop that works on several, in order.
enum class Over { Rows, Heads, Layers, Parts };

/// How the rows of a tensor lie in memory: `planes` (heads) of rows.
struct Layout {
  int64_t planes = 1;
  int64_t rowBytes = 0; ///< Bytes of a row, and from one row to the next.
  bool single =
      false; ///< One row that is no row of the sequence (the mean token).
};

/// A window as instructions have it.
struct WindowFields {
  uint64_t left, right;
  explicit WindowFields(fact::WindowAttr window)
      : left(::fact::isa::windowField(fact::windowOf(window).left)),
        right(::fact::isa::windowField(fact::windowOf(window).right)) {}
};

/// A tensor in DRAM.
struct Storage {
  Value base; ///< !factisa.dram
  Layout layout;
  int64_t planeStride = 0;
};

/// Weights of a run of equal layers, side by side.
struct Constant {
  Value base;
  int64_t layerStride = 0;
  SmallVector<ElementsAttr> values; ///< one for all layers, or one each
};

/// A weight [k, n] of the current layer in DRAM.
struct Weight {
  Value address; ///< !factisa.dram
  int64_t k = 0, n = 0;
  std::optional<::fact::isa::WeightPlanes> planes;

  /// Bytes of a row of so many columns in the scratchpad.
  int64_t rowBytes(int64_t columns) const;
};

/// A speculation, and where its results lie.
struct SpeculatedRows {
  SpeculatedHeads of;
  Storage tokens, tokenScale; ///< The INT4 rows that Q, K and V are made of.
  Storage query, queryScale, key, keyScale, value, valueScale; ///< By heads.
};

/// What the layers of one function are, for instructions that carry a number or
/// a role.
struct LayerNumbers {
  LayerNumbers() = default;
  /// Attentions count in program order, those of callees where they are called.
  explicit LayerNumbers(func::FuncOp function);

  /// What says which keys and tokens of an attention's layer count.
  struct Selection {
    Operation *select = nullptr, *precision = nullptr;
    bool given = false; ///< the mask is the model's
  };

  /// Of an attention, a select or a precision: the first attention that reads
  /// it.
  DenseMap<Operation *, int64_t> number;
  DenseMap<Operation *, Selection> selections; ///< by attention
  DenseMap<Operation *, Role> roles;           ///< of linear layers
};

class Lowering {
public:
  Lowering(func::FuncOp program, int64_t bound, const Tiling &tiling,
           const PredictorCodes &codes);

  /// Lowers the source function into the program. Errors are reported at the
  /// op.
  LogicalResult lowerMain(func::FuncOp source);

private:
  // --- Calls and chains of equal layers (Calls.cpp).
  LogicalResult lowerCalls(ArrayRef<func::CallOp> calls);
  /// The arguments of a run of calls' function: the rows that come in, and the
  /// calls' weights side by side.
  void bindArguments(ArrayRef<func::CallOp> calls, BlockArgument stream,
                     const Storage &input);
  /// Several equal layers as a loop, whose rows come and go in `place`.
  LogicalResult lowerLayers(ArrayRef<Operation *> body, int64_t times,
                            BlockArgument stream, Value result,
                            const Storage &place);
  /// DRAM of an input or output, in the model's own shape; an input may lie in
  /// `place`, where an output will be.
  FailureOr<Storage> makePort(Value value, DramKind kind, StringRef name,
                              Value place = Value());
  /// Those of the program; `copies` are outputs that nothing makes in place.
  LogicalResult makePorts(func::FuncOp source,
                          ArrayRef<SmallVector<func::CallOp>> chains,
                          SmallVectorImpl<std::pair<Value, Storage>> &copies);
  LogicalResult copyRows(const Storage &from, const Storage &to, Location loc);
  static bool sameChain(func::CallOp previous, func::CallOp next);
  /// Calls of one layer function in a row, each taking the last one's result.
  static SmallVector<SmallVector<func::CallOp>> chainsOf(func::FuncOp source);
  /// Rows that come into a chain of several layers, and that nobody else reads,
  /// lie where the chain's result will, in which all layers work.
  LogicalResult placeStreams(ArrayRef<SmallVector<func::CallOp>> chains);
  /// Notes where the model's arguments and results have a batch.
  void noteBatch(func::FuncOp source);
  /// Notes an argument that only says which tokens are padding, or what
  /// positions they have: it has no storage.
  bool noteTokenInput(func::FuncOp source, BlockArgument argument,
                      StringRef name);
  /// Number of the layer that an op of the function belongs to, as an index.
public:
  Value layerOf(Operation *op);

private:
  /// Records the shapes of the layers among ops; returns how many there are.
  int64_t noteLayers(ArrayRef<Operation *> ops, int64_t times);

  // --- Order of work (Schedule.cpp).
  class Order;
  /// `next`, where there are some, are the first ops of the next of several
  /// equal layers: they read its stream where this one's result is made.
  LogicalResult lowerOps(ArrayRef<Operation *> ops,
                         ArrayRef<Operation *> next = {});
  void addSpeculations(ArrayRef<Operation *> ops);
  LogicalResult checkSequence(Operation *op);
  LogicalResult lowerWhole(Operation *op);

  // --- Ops that see the whole sequence (Selection.cpp, Attention.cpp).
  LogicalResult lowerSelect(fact::SelectOp op);
  LogicalResult lowerSelectAll(fact::SelectAllOp op);
  LogicalResult lowerSelectPrecision(fact::SelectPrecisionOp op);
  LogicalResult lowerAttention(fact::QuantizedAttentionOp op);

public:
  // --- Memory (Memory.cpp); used by the emitters of all files.
  /// The value whose bytes hold `value`: casts, reshapes and codes that are
  /// their operand's bytes are free.
  static Value root(Value value);
  /// How a value lies in memory; of rank 2 as [tokens, features] or with
  /// `headMajor` as [heads, tokens].
  FailureOr<Layout> layoutOf(Value value, bool headMajor);
  FailureOr<Layout> layoutOf(Value value) {
    return layoutOf(value, isHeadMajor(value));
  }
  /// Whether a tensor of rank 2 is [heads, tokens] by what makes it.
  static bool isHeadMajor(Value value);
  /// Whether a value has its type's rows where its source, of that layout, has
  /// them; else an error at the op that is lowered.
  LogicalResult checkView(Value value, bool headMajor, const Layout &stored);
  /// Whether a value is one row that is no row of the sequence.
  bool isSingle(Value value) { return isSingle(value, isHeadMajor(value)); }
  bool isSingle(Value value, bool headMajor);
  /// DRAM for the whole tensor; made on first use, of a constant with its
  /// values.
  FailureOr<Storage> storageOf(Value value) {
    return storageOf(value, isHeadMajor(value));
  }
  /// DRAM of scales, argmax or flags [heads, tokens].
  FailureOr<Storage> headsOf(Value value) {
    return storageOf(value, /*headMajor=*/true);
  }
  FailureOr<Storage> storageOf(Value value, bool headMajor);
  void setStorage(Value value, const Storage &storage) {
    storages[root(value)] = storage;
  }
  bool hasStorage(Value value) { return storages.contains(root(value)); }
  /// The rows of one value for the rows of another, in the next layer.
  struct NextLayer {
    Value stream, result; ///< Of the layer: its argument, and what it returns.
  } nextLayer;
  /// What an op makes rows for, or reads them of, beside its own: the
  /// selection, the attention, or what quantizes the rows (for several it does
  /// so once).
  const SpeculatedRows *speculationOf(Operation *op) const;
  /// DRAM for the rows of K and V that attention reads, by-products of a
  /// selection.
  LogicalResult allocateFlags(fact::SelectOp op, int64_t heads, Storage &kRows,
                              Storage &vRows);
  /// The scales of the weights of Q and K, side by side in a new buffer; null
  /// of dressed rows, which have them already.
  FailureOr<Value> loadWeightScales(fact::PredictOp op);
  /// What a constant of the model is: one for all layers of this loop, or one
  /// each; none of other values.
  SmallVector<ElementsAttr> constantValues(Value value);
  /// A number of the policy, in the layers of this loop: what an operand may
  /// be, or the literal.
  SmallVector<double> policyNumbers(Value operand, Attribute literal);
  /// Keep and dominance of the current layer's policy, in a new buffer.
  FailureOr<Value> loadPolicy(fact::SelectOp op);
  /// The share that is expected of a number of the policy, of which `whole` is
  /// all: the mean of the layers, for what estimates work.
  FloatAttr expectedShare(Value operand, Attribute literal, double whole);
  /// Of the keys that a selection keeps.
  FloatAttr expectedShare(fact::SelectOp op);
  /// Loads one number of the current layer's policy.
  LogicalResult loadPolicyNumber(Value to, Value operand, Attribute literal);
  /// How often each row is selected, none yet.
  Value clearedCounts();
  /// Flags of so many rows, all set.
  Value allFlags(int64_t rows);
  /// Flags [heads, tokens] of the rows that `mask` names; null where nobody
  /// knows them, and every row is generated, which is more than anybody reads.
  struct NamedRows {
    Value flags;
    bool inverted = false; ///< Rows without a flag are named.
  };
  NamedRows namedRows(Value mask);
  Storage allocateStorage(const Layout &layout, StringRef label);
  /// Address of a weight of the current layer; fails for a value that is none.
  FailureOr<Value> constantAddress(Value value);
  FailureOr<Weight> weightOf(Value value);
  bool isConstant(Value value);
  /// DRAM that holds the values side by side, shared between equal ones.
  using Planes = std::optional<::fact::isa::WeightPlanes>;
  Constant constantBuffer(ArrayRef<ElementsAttr> values,
                          const Planes &planes = {});
  /// How a weight's planes lie apart, as some rows multiply the high one alone,
  /// or its packed codes; nothing where it lies as it is.
  Planes planesOf(Value weight) const;
  /// DRAM that holds a constant as rows of a sequence.
  FailureOr<Storage> constantRows(arith::ConstantOp constant,
                                  const Layout &layout);

  Value sram(Memory memory, int64_t bytes, StringRef label);
  /// The head of Q that is this member of a group, of so many.
  Value headIn(Value group, int64_t members, int64_t member);
  Value layerIndex; ///< Loop counter over equal layers, or null.
  Value null() { return NullOp::create(builder, loc); }
  Value index(int64_t value);
  /// base + offset + sum of indices * strides.
  Value view(Value base, int64_t offset,
             ArrayRef<std::pair<Value, int64_t>> indices = {});
  /// Whole bytes from DRAM to a new buffer.
  FailureOr<Value> loadConstant(Value constant, Memory memory, StringRef label);
  /// A number of the current layer, `n` times, from DRAM to a new buffer.
  FailureOr<Value> loadRepeated(Value scalar, int64_t n, Memory memory,
                                StringRef label);
  /// A table [positions, p] of the current layer, as rows of the sequence.
  FailureOr<Storage> tableOf(Value table);
  /// A number for each token, of the whole sequence, from DRAM to a new buffer.
  FailureOr<Value> loadVector(Value vector, StringRef label);
  /// Rows k0 .. k0 + k of n columns of a weight: from n0 on, or with `head` the
  /// head's n. Nothing where `first` is no row of the sequence; `exact` and
  /// `onlyExact` as for load.weight.
  void loadWeight(Value buffer, const Weight &from, int64_t k0, int64_t k,
                  int64_t n0, Value head, int64_t n, int64_t bufferStride,
                  Value first, Value exact, bool onlyExact = false);
  /// Rows row0 .. of one plane into a buffer; `first` where the instruction's
  /// first row is another one than that of its address.
  void loadRows(Value buffer, const Storage &from, Value plane, Value row0,
                int64_t rows, Value first = {});
  void storeRows(const Storage &to, Value buffer, Value plane, Value row0,
                 int64_t rows, Value first = {});
  /// The same of a head's `n` numbers of a code.
  void loadCodes(Value buffer, Value code, const Storage &from, Value head,
                 int64_t n, Value row0, int64_t rows, Value first = {});
  /// The same with one head's columns, of so many bytes, of rows of all heads.
  void loadHead(Value buffer, const Storage &from, Value head, int64_t bytes,
                Value row0, int64_t rows, Value first = {});
  void storeHead(const Storage &to, Value buffer, Value head, int64_t bytes,
                 Value row0, int64_t rows, Value first = {});
  /// A loop 0, step, ... below `limit` (and the sequence's length, over rows);
  /// `body` builds its inside.
  scf::ForOp loop(Over over, int64_t limit, int64_t step,
                  function_ref<void(Value)> body);
  /// Rows of a row block.
  int64_t blockRows() const { return std::min(tiling.rows, paddedRows); }

  /// How blocks of queries get the keys that they see.
  struct KeyTile {
    enum class Of {
      Head,  ///< All of a head's, there for all blocks.
      Block, ///< Those that the block sees, at once.
      Part   ///< Parts of a head's, one after the other.
    } of;
    int64_t rows; ///< Queries of a block.
    int64_t cols; ///< Keys at a time.
    /// Of a block's own: how many keys before its first query they begin.
    int64_t before = 0;

    bool isAtOnce() const { return of != Of::Part; }
  };
  /// `compact`: of scores that are no wider, whatever a block sees.
  KeyTile keyTile(fact::WindowAttr window,
                  std::optional<int64_t> compact = std::nullopt) const;
  /// The first key of those that a block has scores of, and how many there are.
  Value firstKey(const KeyTile &tile, Value row0);
  int64_t scoredKeys(const KeyTile &tile) const {
    return tile.of == KeyTile::Of::Block ? tile.cols : paddedRows;
  }

  OpBuilder builder;
  Location loc;
  int64_t loopTurns; ///< `turns` of the loops that are made.
  int64_t bound;
  Tiling tiling;
  const PredictorCodes &codes;
  /// Tensors reach this many rows in DRAM, so that no block overruns.
  int64_t paddedRows;
  /// Columns of a row of scores, and bytes of one of probabilities: those that
  /// a selection keeps of the longest sequence, all where it is not known.
  int64_t scoreColumns(fact::QuantizedAttentionOp op);
  /// Bytes of a row of mask bits.
  int64_t maskStride() const { return (paddedRows + 7) / 8; }
  /// Layers of the function that is being lowered.
  LayerNumbers numbers;
  /// Attentions that are not lowered differentially though the tiling says so,
  /// and why.
  using Reasons = SmallVector<std::pair<Location, const char *>>;
  Reasons notDifferential;
  /// JSON object of the layers' shapes, for observers.
  std::string metadata() const { return described.toJson(); }

private:
  func::FuncOp program;
  DenseMap<Value, Storage> storages;
  DenseMap<std::pair<Value, unsigned>, Storage>
      constantStorages; ///< by whether they are read head by head
  DenseMap<Value, Constant> constants;
  DenseMap<std::tuple<Attribute, int64_t, unsigned>, Value>
      constantBuffers; ///< by values, columns of a tile, and if they are codes
  DenseMap<int64_t, Value> indices;
  std::list<SpeculatedRows> speculations; ///< Nests point into it.
  int64_t layersDone = 0;                 ///< Layers that are recorded.
  int64_t firstLayer = 0;                 ///< What `numbers` count from.
  int64_t layersPerCall = 1;              ///< Attentions of a layer's function.
  ::fact::isa::Metadata described;
  /// Linear layers before the first attention.
  std::vector<::fact::isa::LinearInfo> linearsBefore;
};

/// Bytes of an element as instructions store it (i1: a byte, counts: u32).
int64_t storedBytes(Type elementType);
/// All users of a value that read more than its length, looking through ops
/// that are free.
SmallVector<Operation *> realUsers(Value value);

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_LOWERING_H
