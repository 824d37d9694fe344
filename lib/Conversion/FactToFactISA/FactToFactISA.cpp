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

namespace mlir::fact {
#define GEN_PASS_DEF_FACTTOFACTISAPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::factisa;

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

    // The first tiling whose buffers all find a place; the smallest one's
    // failure explains itself.
    SmallVector<Tiling> tilings = candidates(bound, *loaded);
    func::FuncOp program;
    for (const Tiling &tiling : tilings) {
      bool last = &tiling == &tilings.back();
      std::string metadata;
      program = lower(source, bound, tiling, metadata);
      if (!program)
        return signalPassFailure();
      Pipelining pipelining;
      if (tiling.turns > 0)
        pipelining = pipelineLoops(program, *loaded, tiling.turns);
      if (succeeded(planMemory(program, *loaded, /*explain=*/last))) {
        program->setAttr(kMetadataAttrName,
                         StringAttr::get(&getContext(), metadata));
        program->setAttr(
            kBoundAttrName,
            IntegerAttr::get(IntegerType::get(&getContext(), 64), bound));
        rowsPerBlock = tiling.rows;
        remarkMissed(program, pipelining);
        break;
      }
      program.erase();
      program = nullptr;
    }
    if (!program)
      return signalPassFailure();

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

  SmallVector<Tiling> candidates(int64_t bound,
                                 const ::fact::isa::Machine &machine) {
    int64_t weights = machine.buffer(::fact::isa::Buffer::Weight).bytes;
    SmallVector<Tiling> all;
    int64_t everything = llvm::alignTo(bound, 64);
    // Blocks of about the same size.
    SmallVector<int64_t> heights;
    for (int64_t rows : {64, 48, 40, 32, 24, 16, 8, 4, 2, 1}) {
      int64_t blocks = llvm::divideCeil(bound, rows);
      int64_t even = llvm::divideCeil(bound, blocks);
      even = std::min<int64_t>(llvm::alignTo(even, std::min<int64_t>(rows, 4)),
                               rows);
      if (heights.empty() || even < heights.back())
        heights.push_back(even);
    }
    all.push_back({heights.front(), everything, weights, /*keepWeights=*/true,
                   heights.front(), /*turns=*/4});
    for (int64_t rows : heights)
      for (int64_t headRows : heights)
        for (int64_t turns : {4, 3})
          if (headRows <= 32 || headRows == heights.front())
            all.push_back({rows, everything, weights / 5,
                           /*keepWeights=*/false, headRows, turns});
    for (int64_t rows : heights)
      for (int64_t cols :
           {everything, int64_t(1024), int64_t(256), int64_t(64), int64_t(8)})
        if (cols == everything || cols < bound)
          for (int64_t share : {5, 16, 64, 512})
            for (int64_t turns : {4, 2, 0})
              if (turns > 0 || rows == 1) // the last resort: half of the buffers
                all.push_back({rows, cols, std::max<int64_t>(weights / share, 64),
                               /*keepWeights=*/false, /*headRows=*/0, turns});
    // Prefer many rows, then wide key blocks, as listed.
    return all;
  }

  func::FuncOp lower(func::FuncOp source, int64_t bound, const Tiling &tiling,
                     std::string &metadata) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(getOperation().getBody());
    auto program = func::FuncOp::create(builder, source.getLoc(),
                                        (source.getName() + ".program").str(),
                                        builder.getFunctionType({}, {}));
    program.addEntryBlock();
    builder.setInsertionPointToStart(&program.getBody().front());
    func::ReturnOp::create(builder, source.getLoc());
    Lowering lowering(program, bound, tiling);
    if (failed(lowering.lowerMain(source))) {
      program.erase();
      return {};
    }
    metadata = lowering.metadata();
    return program;
  }
};

} // namespace
