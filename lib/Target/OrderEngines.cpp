//===- OrderEngines.cpp - Tokens of a program in its ops ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Target/OrderEngines.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"

#include <exception>

using namespace mlir;
using namespace mlir::factisa;
namespace target = ::fact::isa;

static bool hasTokens(const target::Instruction &instruction) {
  target::Tokens tokens = target::tokensOf(instruction);
  return !tokens.wait.empty() || !tokens.signal.empty();
}

static void setTokens(Operation *op, StringRef name,
                      target::EngineSet engines) {
  if (!engines.empty())
    op->setAttr(name, IntegerAttr::get(IntegerType::get(op->getContext(), 64),
                                       engines.asBits()));
}

static void apply(const target::EngineOrder &order,
                  const ProgramPlaces &places) {
  for (auto [op, tokens] : llvm::zip(places.instructions, order.tokens)) {
    setTokens(op, "wait", tokens.wait);
    setTokens(op, "signal", tokens.signal);
  }
  DenseMap<Operation *, Operation *> last; // behind a loop
  for (const target::EngineOrder::LoopSync &each : order.syncs) {
    Operation *loop = places.instructions[each.loop];
    OpBuilder builder(loop);
    Operation *&before = last.try_emplace(loop, loop).first->second;
    if (each.after)
      builder.setInsertionPointAfter(before);
    Operation *sync = SyncOp::create(
        builder, loop->getLoc(), static_cast<EngineId>(each.sync.engine),
        each.sync.times, each.sync.wait.asBits(), each.sync.signal.asBits());
    if (each.after)
      before = sync;
  }
}

FailureOr<target::EngineOrder>
factisa::orderEngines(const target::Program &program,
                      const ProgramPlaces &places) {
  func::FuncOp function = places.function;
  for (auto [instruction, op] :
       llvm::zip(program.instructions, places.instructions))
    if (hasTokens(instruction)) {
      InFlightDiagnostic diagnostic =
          function.emitError()
          << "has tokens already: --factisa-order-engines runs once";
      diagnostic.attachNote(op->getLoc()) << "the first ones are here";
      return diagnostic;
    }
  try {
    target::EngineOrder order = target::orderEngines(target::Code(program));
    apply(order, places);
    return order;
  } catch (const std::exception &error) {
    function.emitError() << error.what();
    return failure();
  }
}
