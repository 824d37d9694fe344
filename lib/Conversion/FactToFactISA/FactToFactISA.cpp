//===- FactToFactISA.cpp - Sparse fact ops to instructions ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/Transforms/InlineCalls.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/ISA/Machine.h"
#include "fact/Numerics/Policy.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FACTTOFACTISAPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::factisa;
using mlir::fact::Schedule;

namespace {

struct FactToFactISAPass
    : public mlir::fact::impl::FactToFactISAPassBase<FactToFactISAPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    func::FuncOp source;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function.isPublic())
        continue;
      if (source) {
        function.emitError("a program has one public function")
                .attachNote(source.getLoc())
            << "first one here";
        return signalPassFailure();
      }
      source = function;
    }
    if (!source || source.isExternal()) {
      module.emitError()
          << "there is no public function with a body to make a program of";
      return signalPassFailure();
    }
    if (failed(mlir::fact::inlineCalls(source)))
      return signalPassFailure();
    int64_t bound = boundOf(source);
    if (bound < 1) {
      InFlightDiagnostic diagnostic = source.emitError()
                                      << "the sequence of '" << source.getName()
                                      << "' has no upper bound";
      diagnostic.attachNote()
          << "give its inputs the attribute '" << mlir::fact::kBoundAttrName
          << "', or a shape by --shape";
      return signalPassFailure();
    }
    if (failed(mlir::fact::verifySequenceLength(source)))
      return signalPassFailure();
    FailureOr<::fact::isa::Machine> loaded =
        loadMachine(machine, source.getLoc());
    if (failed(loaded))
      return signalPassFailure();

    codes.emplace(module);
    func::FuncOp program = findTiling(source, bound, *loaded);
    if (!program)
      return signalPassFailure();
    if (resident)
      program = keepResidents(program, source, bound, *loaded);
    remarkMissed(program, missed);
    for (auto [loc, reason] : notDifferential)
      remark::missed(loc, remark::RemarkOpts::name("NotDifferential")
                              .category("fact-to-factisa")
                              .function(source.getName()))
          << remark::reason("{0}", reason);

    StringAttr name = source.getNameAttr();
    for (auto function :
         llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
      if (function != program)
        function.erase();
    program.setName(name);
  }

private:
  /// The upper bound of the one sequence that the inputs have rows of: the
  /// least of theirs, as all are equally long; 0 if there is none. An input of
  /// one row is one for every token where others have more.
  int64_t boundOf(func::FuncOp source) {
    int64_t bound = 0;
    for (BlockArgument argument : source.getArguments()) {
      int64_t own = mlir::fact::sequenceBound(source, argument);
      if (own > 0 && (bound <= 1 || (own > 1 && own < bound)))
        bound = own;
    }
    return bound;
  }

  /// Rows of a block, the most first, such that blocks are of about the same
  /// size.
  static SmallVector<int64_t> blockRows(int64_t bound) {
    SmallVector<int64_t> heights;
    for (int64_t rows : {64, 48, 40, 32, 24, 16, 8, 4, 2, 1}) {
      // What comes before the first block and after the last one is as long as
      // a block.
      if (rows > std::max<int64_t>(32, bound / 12))
        continue;
      int64_t blocks = llvm::divideCeil(bound, rows);
      int64_t even = llvm::divideCeil(bound, blocks);
      even = std::min<int64_t>(llvm::alignTo(even, std::min<int64_t>(rows, 4)),
                               rows);
      if (heights.empty() || even < heights.back())
        heights.push_back(even);
    }
    return heights;
  }

  /// Sizes of loops over rows, the best first: many rows, then wide key blocks.
  SmallVector<Tiling> rowTilings(int64_t bound,
                                 const ::fact::isa::Machine &machine) const {
    int64_t weights = machine.buffer(::fact::isa::Buffer::Weight).bytes;
    SmallVector<Tiling> all;
    int64_t everything = llvm::alignTo(bound, 64);
    Tiling atOnce;
    atOnce.rows = blockRows(bound).front();
    atOnce.cols = everything;
    atOnce.weightBytes = weights;
    atOnce.keepWeights = true;
    atOnce.turns = schedule == Schedule::InOrder ? 0 : 4;
    all.push_back(atOnce);
    auto add = [&](bool isSmall, bool hasSmallTiles,
                   ArrayRef<int64_t> turnsToTry) {
      for (int64_t share : hasSmallTiles ? std::array<int64_t, 2>{64, 512}
                                         : std::array<int64_t, 2>{5, 16})
        for (int64_t rows : blockRows(bound))
          for (int64_t cols : {everything, int64_t(1024), int64_t(256),
                               int64_t(64), int64_t(8)})
            for (int64_t turns : turnsToTry)
              if ((cols == everything || cols < bound) &&
                  isSmall == (rows < std::min<int64_t>(bound, 8))) {
                Tiling tiling;
                tiling.rows = rows;
                tiling.cols = cols;
                tiling.weightBytes = std::max<int64_t>(weights / share, 64);
                tiling.turns = turns;
                tiling.isLastResort = isSmall || hasSmallTiles || turns == 0;
                all.push_back(tiling);
              }
    };
    // Small tiles make long programs: down to 8, fewer rows are better. Without
    // turns a loop needs the fewest buffers.
    for (bool isSmall : {false, true})
      for (bool hasSmallTiles : {false, true}) {
        // Of a large weight memory small tiles make room for nothing.
        if (hasSmallTiles && weights >= 65536)
          continue;
        if (schedule != Schedule::InOrder) {
          add(isSmall, hasSmallTiles, {4, 2});
          add(isSmall, hasSmallTiles, {1});
        }
        add(isSmall, hasSmallTiles, {0});
      }
    return all;
  }

  /// Sizes of loops over heads, the best first: those that speculate, the
  /// others, and at last no such loops.
  SmallVector<HeadTiling> headTilings(int64_t bound, bool canSpeculate) const {
    SmallVector<HeadTiling> all;
    if (schedule == Schedule::InOrder)
      return {{}};
    auto add = [&](bool isDifferential, bool speculates, bool selectsApart,
                   ArrayRef<int64_t> turnsToTry) {
      // Blocks of few rows cost more than a way through DRAM.
      for (bool hasFewRows : {false, true})
        for (int64_t stored : {0, 1, 2})
          for (int64_t rows : blockRows(bound))
            for (int64_t weightSlots : {2, 1})
              for (bool hasQueriesInPlace : {false, true})
                for (int64_t turns : turnsToTry) {
                  bool mayHaveQueriesInPlace =
                      stored == 0 && !isDifferential && !hasFewRows;
                  if (rows > 32 || rows < std::min<int64_t>(bound, 8) ||
                      hasFewRows != (rows < 16) ||
                      (hasQueriesInPlace && !mayHaveQueriesInPlace))
                    continue;
                  HeadTiling tiling;
                  tiling.rows = rows;
                  tiling.stored = stored;
                  tiling.turns = turns;
                  tiling.weightSlots = weightSlots;
                  tiling.hasQueriesInPlace = hasQueriesInPlace;
                  tiling.selectsApart = selectsApart;
                  tiling.isDifferential = isDifferential;
                  tiling.speculates = speculates;
                  all.push_back(tiling);
                }
    };
    for (bool isDifferential : {true, false})
      for (bool speculates : {true, false})
        for (bool selectsApart : {false, true})
          if ((canSpeculate || !speculates) &&
              (schedule == Schedule::Differential || !isDifferential) &&
              !(selectsApart && (speculates || isDifferential))) {
            add(isDifferential, speculates, selectsApart, {6, 4, 3});
            add(isDifferential, speculates, selectsApart, {1});
          }
    all.push_back({});
    return all;
  }

  /// The program with the best sizes with which all buffers find a place. Those
  /// of loops over rows and over heads hardly depend on each other, as their
  /// buffers do not live at the same time: each is looked for beside the
  /// smallest of the other. If nothing fits, the smallest explains itself.
  func::FuncOp findTiling(func::FuncOp source, int64_t bound,
                          const ::fact::isa::Machine &machine) {
    SmallVector<Tiling> tilings = rowTilings(bound, machine);
    bool canSpeculate = false;
    if (speculate)
      for (auto function : getOperation().getOps<func::FuncOp>())
        for (Block &block : function.getBody())
          canSpeculate |=
              !findSpeculations(
                   llvm::to_vector(llvm::make_pointer_range(block)), *codes)
                   .empty();
    SmallVector<HeadTiling> heads = headTilings(bound, canSpeculate);
    auto isWorthTrying = [&](const Tiling &rows, const HeadTiling &head) {
      if (head.rows == 0)
        return true;
      // Loops over heads have all keys at once.
      return rows.cols >= bound && !(head.speculates && rows.isLastResort);
    };
    auto fits = [&](const Tiling &rows, const HeadTiling &head,
                    bool explain = false, const HeadTiling &readers = {}) {
      Tiling tiling = rows;
      tiling.heads = head;
      tiling.readers = readers;
      return tryTiling(source, bound, tiling, machine, explain);
    };
    // What reads speculated rows comes after what makes them, and has all of
    // the scratchpad again.
    auto withBestReaders = [&](func::FuncOp program, const Tiling &rows,
                               size_t head) -> func::FuncOp {
      for (size_t better = 0; heads[head].speculates && better < head;
           ++better) {
        if (heads[better].isDifferential != heads[head].isDifferential ||
            !heads[better].speculates)
          continue;
        FailureOr<func::FuncOp> other =
            fits(rows, heads[head], /*explain=*/false, heads[better]);
        if (succeeded(other) && !*other)
          continue;
        program->erase();
        return failed(other) ? func::FuncOp() : *other;
      }
      return program;
    };
    // Speculation is worth more than a few rows: it comes first.
    size_t none = heads.size() - 1;
    SmallVector<size_t> smallest;
    for (size_t i = 0; i < none; ++i)
      if (heads[i].speculates != heads[i + 1].speculates ||
          heads[i].selectsApart != heads[i + 1].selectsApart ||
          heads[i].isDifferential != heads[i + 1].isDifferential ||
          i + 1 == none)
        smallest.push_back(i);
    smallest.push_back(none);
    size_t largest = 0; // of the same kind
    for (size_t least : smallest) {
      for (const Tiling &tiling : tilings) {
        if (!isWorthTrying(tiling, heads[least]))
          continue;
        bool isLast = least == none && &tiling == &tilings.back();
        FailureOr<func::FuncOp> program = fits(tiling, heads[least], isLast);
        if (failed(program))
          return {};
        if (!*program)
          continue;
        for (size_t better = largest; better < least; ++better) {
          if (!isWorthTrying(tiling, heads[better]))
            continue;
          FailureOr<func::FuncOp> other = fits(tiling, heads[better]);
          if (failed(other) || *other) {
            program->erase();
            return failed(other) ? func::FuncOp()
                                 : withBestReaders(*other, tiling, better);
          }
        }
        return withBestReaders(*program, tiling, least);
      }
      largest = least + 1;
    }
    return {};
  }

  /// The program of these sizes; null where they do not fit, failure after an
  /// error.
  FailureOr<func::FuncOp> tryTiling(func::FuncOp source, int64_t bound,
                                    const Tiling &tiling,
                                    const ::fact::isa::Machine &machine,
                                    bool explain) {
    Lowered lowered = lower(source, bound, tiling);
    func::FuncOp program = lowered.program;
    if (!program)
      return failure();
    std::optional<Pipelining> pipelining =
        finish(program, tiling, machine, explain);
    if (!pipelining) {
      program.erase();
      if (explain)
        return failure();
      return func::FuncOp();
    }
    program->setAttr(kMetadataAttrName,
                     StringAttr::get(&getContext(), lowered.metadata));
    program->setAttr(
        kBoundAttrName,
        IntegerAttr::get(IntegerType::get(&getContext(), 64), bound));
    chosen = tiling;
    rowsPerBlock = tiling.rows;
    missed = std::move(*pipelining);
    notDifferential = std::move(lowered.notDifferential);
    if (schedule == Schedule::Differential && !tiling.heads.isDifferential)
      notDifferential.push_back(
          {source.getLoc(),
           "no loop over heads fits the scratchpad that keeps all rows of "
           "the sequence there, of which a block may want any in K and V"});
    return program;
  }

  /// Overlaps the loops of a program and plans its memory; null where that
  /// does not fit.
  std::optional<Pipelining> finish(func::FuncOp program, const Tiling &tiling,
                                   const ::fact::isa::Machine &machine,
                                   bool explain) {
    Pipelining pipelining;
    if (tiling.turns > 0 || tiling.heads.turns > 0)
      pipelining = pipelineLoops(program, machine);
    if (failed(planMemory(program, machine, explain)))
      return std::nullopt;
    return pipelining;
  }

  static SmallVector<DramBufferOp> tensorsIn(func::FuncOp program) {
    SmallVector<DramBufferOp> all;
    program.walk([&](DramBufferOp tensor) { all.push_back(tensor); });
    return all;
  }

  /// The program with as many tensors in the scratchpad as it has room for
  /// beside the buffers of the chosen sizes, those first that save the most
  /// traffic.
  func::FuncOp keepResidents(func::FuncOp program, func::FuncOp source,
                             int64_t bound,
                             const ::fact::isa::Machine &machine) {
    func::FuncOp plain = lower(source, bound, chosen).program;
    if (!plain)
      return program;
    SmallVector<DramBufferOp> all = tensorsIn(plain);
    SmallVector<size_t> candidates, kept; // numbers in all
    for (DramBufferOp tensor : findResidents(plain, bound))
      candidates.push_back(llvm::find(all, tensor) - all.begin());

    auto tryMore = [&](ArrayRef<size_t> more) {
      func::FuncOp attempt = plain.clone();
      getOperation().push_back(attempt);
      SmallVector<DramBufferOp> tensors = tensorsIn(attempt);
      SmallVector<size_t> stay;
      for (size_t number : llvm::concat<const size_t>(kept, more))
        // One that was kept may have taken another one's blocks.
        if (keepInScratchpad(tensors[number], bound))
          stay.push_back(number);
      std::optional<Pipelining> pipelining;
      if (stay.size() > kept.size())
        pipelining = finish(attempt, chosen, machine, /*explain=*/false);
      // No traffic is worth a loop whose iterations do not overlap.
      if (!pipelining || pipelining->missed.size() > missed.missed.size()) {
        attempt.erase();
        return false;
      }
      attempt->setAttrs(program->getAttrs());
      program.erase();
      program = attempt;
      missed = std::move(*pipelining);
      kept = std::move(stay);
      return true;
    };
    // Halves of what does not fit together.
    std::function<void(ArrayRef<size_t>)> keepMost =
        [&](ArrayRef<size_t> more) {
          if (more.empty() || tryMore(more) || more.size() == 1)
            return;
          keepMost(more.take_front(more.size() / 2));
          keepMost(more.drop_front(more.size() / 2));
        };
    keepMost(candidates);
    plain.erase();
    residents = static_cast<int64_t>(kept.size());
    size_t inDram = candidates.size() - kept.size();
    if (inDram > 0)
      remark::missed(source.getLoc(), remark::RemarkOpts::name("TensorsInDram")
                                          .category("fact-to-factisa")
                                          .function(source.getName()))
          << remark::reason("{0} of {1} tensors between loops find no room in "
                            "the scratchpad",
                            inDram, candidates.size())
          << remark::suggest("a machine with larger buffers moves less data");
    return program;
  }

  std::optional<PredictorCodes> codes; ///< Of the source.
  // Of the last tiling that fits.
  Tiling chosen;
  Pipelining missed;
  Lowering::Reasons notDifferential;

  struct Lowered {
    func::FuncOp program; ///< Null after an error.
    std::string metadata;
    Lowering::Reasons notDifferential;
  };

  Lowered lower(func::FuncOp source, int64_t bound, const Tiling &tiling) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(getOperation().getBody());
    auto program = func::FuncOp::create(builder, source.getLoc(),
                                        (source.getName() + ".program").str(),
                                        builder.getFunctionType({}, {}));
    program.addEntryBlock();
    builder.setInsertionPointToStart(&program.getBody().front());
    func::ReturnOp::create(builder, source.getLoc());
    Lowering lowering(program, bound, tiling, *codes);
    if (failed(lowering.lowerMain(source))) {
      program.erase();
      return {};
    }
    return {program, lowering.metadata(), std::move(lowering.notDifferential)};
  }
};

} // namespace
