//===- OrderEngines.cpp - Order between engines ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Target/OrderEngines.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/Target/LoadMachine.h"

namespace mlir::factisa {
#define GEN_PASS_DEF_ORDERENGINESPASS
#include "fact/Dialect/FactISA/Transforms/Passes.h.inc"
} // namespace mlir::factisa

using namespace mlir;
using namespace mlir::factisa;

namespace {

struct OrderEnginesPass
    : public factisa::impl::OrderEnginesPassBase<OrderEnginesPass> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    FailureOr<::fact::isa::Machine> loaded =
        loadMachine(machine, getOperation().getLoc());
    if (failed(loaded))
      return signalPassFailure();
    ProgramPlaces places;
    std::unique_ptr<::fact::isa::Program> program =
        encodeFunction(getOperation(), *loaded, {}, &places);
    if (!program)
      return signalPassFailure();
    FailureOr<::fact::isa::EngineOrder> order = orderEngines(*program, places);
    if (failed(order))
      return signalPassFailure();
    numDependences += order->dependences;
    numPairs += order->pairs;
    numCarried += order->carried;
  }
};

} // namespace
