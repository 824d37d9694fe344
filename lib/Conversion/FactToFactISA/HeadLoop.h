//===- HeadLoop.h - One loop over the heads of a layer --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOFACTISA_HEADLOOP_H
#define FACT_LIB_CONVERSION_FACTTOFACTISA_HEADLOOP_H

#include "HeadNest.h"
#include "Lowering.h"

namespace mlir::factisa {

/// Rows over the sequence of each head, from the part of the loop that makes
/// them to the last one that reads them: in the scratchpad, or by way of DRAM.
struct HeadRows {
  Value buffer; ///< !factisa.sram; of rows in DRAM: where they are read as a
                ///< whole
  int64_t rowBytes = 0, slotBytes = 0, slots = 1;
  int64_t memberBytes = 0; ///< Of one head of Q, where a slot has a group's.
  bool isOfQueries = false;
  bool isStored = false;
  Storage storage; ///< Where they are stored.
};

/// Lowers a nest to a loop over heads of K and V and row blocks; what is of Q
/// is done for all heads of the group that reads one of K and V, side by side.
/// The parts of a head follow each other, one iteration of the outer loop after
/// the other: stage 1, stage 2 and selection, generation, attention. What is
/// done once for a head is done in its first block, or in its first few
/// iterations if it is to load weights: the inner loop has all the work.
class HeadLoop {
public:
  HeadLoop(Lowering &lowering, const HeadNest &nest);

  LogicalResult lower();

private:
  // --- What comes before the loop.
  LogicalResult prepare();
  LogicalResult prepareTokens();
  LogicalResult prepareSelection();
  LogicalResult prepareAttention();
  LogicalResult prepareTail();
  LogicalResult prepareMadeTail();
  LogicalResult prepareSpeculation();
  LogicalResult stored(Value value, bool headMajor, Storage &result);
  HeadRows makeRows(int64_t count, int64_t rowBytes, int64_t slots,
                    Memory memory, StringRef label, bool isOfQueries = false);
  HeadRows makeStored(int64_t rowBytes, StringRef label, bool isOfQueries);
  /// Rows that are made and read block by block, or read as a whole; in the
  /// scratchpad as far as the tiling says.
  HeadRows makeBlocks(int64_t rowBytes, int64_t slots, StringRef label);
  HeadRows makeKeys(int64_t rowBytes, int64_t slots, StringRef label);
  /// What dresses rows: vectors and tables, in the scratchpad.
  LogicalResult prepareDressing(const Dressing &dressing);
  LogicalResult prepareTable(Value table);
  struct Weights {
    Weight of;     ///< all heads
    HeadRows tile; ///< [k, n] of a head; rows are those of the weight
    int64_t k = 0;
  };
  FailureOr<Weights> makeWeights(Value weight, StringRef label,
                                 bool isOfQueries);

  // --- Where an iteration is. `part` is how many iterations after the first
  // part a part works on a head.
  /// Of K and V.
  Value group(int64_t part);
  /// Of Q: the member of the group that is worked on.
  Value queryHead(int64_t part);
  Value headOf(const HeadRows &rows, int64_t part) {
    return rows.isOfQueries ? queryHead(part) : group(part);
  }
  /// Calls body() for each head of Q of a group.
  void forEachMember(function_ref<void()> body);
  /// First row of the block, no row where the head does not exist.
  Value row(int64_t part) { return sum(block, inHeads(part)); }
  /// First row of the block, no row where none of these parts has a head.
  Value anyRow(int64_t firstPart, int64_t lastPart);
  /// 0 in the first block of a head that exists, or in a later iteration.
  Value first(int64_t part, int64_t iteration = 0);
  Value inHeads(int64_t part);
  Value sum(Value a, Value b);
  /// A head's rows from the block on, or all of them.
  Value blockOf(const HeadRows &rows, int64_t part);
  Value allOf(const HeadRows &rows, int64_t part);
  /// Where a part makes a block; done() follows the last instruction that does.
  Value making(const HeadRows &rows, int64_t part);
  void done(const HeadRows &rows, Value block, int64_t part);
  /// Where a part reads a block, or all rows.
  Value readBlock(const HeadRows &rows, int64_t part);
  Value readAll(const HeadRows &rows, int64_t part);
  /// A block of what is in DRAM head by head; `at` is the part's row().
  Value loadBlock(const Storage &from, Value head, Value at, Memory memory,
                  StringRef label);
  void storeBlock(const Storage &to, Value made, Value head, Value at);

  // --- The parts of a block.
  void loadTokens();
  void loadWeights(const Weights &weights, int64_t part, Value needed);
  bool comesOnlyForExact(int64_t part) const;
  void loadFirstWeights(const Weights &weights, int64_t part, Value needed);
  void lowerBlock();
  void lowerParts();
  void selectBlock(Value keys, Value keyScale);
  void storeFlags();
  struct Side;
  LogicalResult prepareSide(Side &side, const HeadPrediction &of,
                            StringRef label);
  void project(Side &side);
  void predict();
  struct Generated;
  LogicalResult prepareGenerated(Generated &each, int64_t part,
                                 const HeadProjection &of, StringRef label);
  void generate(Generated &each, int64_t part);
  void generateNew(Generated &each);
  void speculate(Generated &each, int64_t part);
  void generateTail(Generated &each, int64_t part);
  Value exactFor(const Generated &each);
  /// INT8 rows that a head's columns of a weight multiply, and which of them.
  struct Tokens {
    Value rows, scales, at, list, low; ///< at: their first row
    int64_t count = 0;
    Value position; ///< Of the first row in the sequence.
  };
  /// Dresses f32 rows of a head in place; `maximum` is that of the result.
  void dress(const Dressing &dressing, Value made, const Tokens &rows,
             Value maximum);
  /// The rows of a table from row `from` of the sequence on.
  Value tableRows(Value table, Value from, int64_t count);
  void generateRows(const Generated &each, HeadProjection op,
                    const Tokens &tokens, int64_t part, Value made,
                    Value scales);
  void attendScores();
  void attendScoresOf(Value keys);
  void attendValues();
  void attendValuesOf();
  LogicalResult finish();

  Lowering &lowering;
  OpBuilder &builder;
  HeadNest nest;
  HeadTiling tiling;
  int64_t groups, members; ///< Heads of K and V; heads of Q that read one.
  int64_t features, n, rows, padded;
  int64_t queryBytes = 0, keyBytes = 0; ///< Of a row of a head's codes.
  WindowFields window{{}};
  bool hasMask = false, hasDominated = false, hasTail = false;
  // Which part is done how many iterations after the first one.
  int64_t projecting = -1, predicting = -1, speculating = -1,
          speculatingQuery = -1, querying = -1, generating = -1, attending = -1,
          last = 0;
  Value counter, block, zero, none; ///< counter: of groups
  int64_t member = 0;               ///< Head of Q in its group.

  /// In how many iterations of a head weights are loaded at most: as many more
  /// than its last one as a body of three stages has.
  static constexpr int64_t weightIterations = 3;

  // Before the loop.
  const SpeculatedRows *speculated = nullptr;
  Value tokenScale, low, predictorScales, policy, counts;
  Value lowTokenScale, lowTokenRows, allLow; ///< Where rows are speculated.
  Value exact; ///< How many rows are precise, where some may be low.
  /// Rows of a list of new ones, at least, and how many such lists there are at
  /// most.
  static constexpr int64_t pieceRows = 128, mostPieces = 8;
  static constexpr int64_t listBytes =
      8;            ///< Of a list, for each row it may have.
  Value allTokens;  ///< Rows of the sequence, where K and V may need any.
  Value exactLists; ///< Which rows of a block are made again, by first row.
  Storage tokens, context, mask, dominated, argmax;
  Storage kStorage, vStorage; ///< Of a selection for other loops.
  /// K and V of the mean token, where they are made by another loop than the
  /// attention's.
  Storage tailKey, tailKeyScale, tailValue, tailValueScale;
  HeadRows kFlags, vFlags, dominatedRows, argmaxRows;
  HeadRows tailKeyRow, tailKeyScaleRow, tailValueRow, tailValueScaleRow;
  Value meanRow, meanScale; ///< INT8, where its K and V are made here

  struct Side {
    HeadPrediction op;
    Weights weights;
    Value bias;
    Value weightScale; ///< Of dressed rows: for each column of a head.
    HeadRows codes, scales;
  } queryCode, keyCode;
  /// What dresses rows: a norm's vectors, and tables that are in the scratchpad
  /// as a whole, or in DRAM.
  DenseMap<Value, Value> vectors, tables;
  DenseMap<Value, Storage> storedTables;
  Storage queryCodes, queryScales, keyCodes,
      keyScales; ///< Of stage 1, if done.
  HeadRows keyCodeRows, keyScaleRows;
  struct Generated {
    HeadProjection op;
    Weights weights;
    Value weightScale, bias;
    HeadRows rows, scales;
    /// Of the mean token; null where it is made elsewhere.
    HeadProjection tail;
    HeadRows *tailRow = nullptr, *tailScale = nullptr;
    /// Flags of the rows that are generated; of a selection elsewhere they are
    /// in DRAM.
    bool hasFlags = false, inverted = false;
    const HeadRows *flags = nullptr;
    Value named; ///< Flags of those that are made, where blocks add new ones.
    Storage storedFlags;
    const Storage *low = nullptr, *lowScale = nullptr; ///< If speculated.
  } query, key, value;

  // Of a block.
  int64_t weightLoads = 0; ///< So far, for heads to come.
  Value tokenRows, attendedValues;
  /// Blocks of stored tables, by table.
  DenseMap<Value, Value> tableBlocks;
  DenseMap<std::pair<int64_t, int64_t>, Value> queryHeads; ///< By part, member.
  /// Of one head of Q.
  struct Attended {
    Value selectedMask, scores, probabilities, stats, tailScores, maskRows,
        flags, argmax;
  };
  SmallVector<Attended, 1> attended;
};

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_HEADLOOP_H
