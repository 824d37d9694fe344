//===- Panels.cpp - A phase as a loop over panels of rows -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Panels.h"
#include "PanelAttention.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

bool PanelLoops::isUsedOutside(Value value) const {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return !isInside(user) ||
           llvm::any_of(user->getOpOperands(), [&](OpOperand &operand) {
             return operand.get() == value && !readsByRow(operand);
           });
  });
}

bool PanelLoops::isProductOperand(Value codes) const {
  return llvm::any_of(codes.getUses(), [&](OpOperand &use) {
    return isInside(use.getOwner()) && use.getOperandNumber() == 0 &&
           isa<QuantizedLinearOp, LogMatmulOp>(use.getOwner());
  });
}

bool PanelLoops::isQuantized(Value rows) const {
  return llvm::any_of(rows.getUsers(), [&](Operation *user) {
    return isInside(user) && isa<QuantizeRowsOp>(user);
  });
}

Value PanelLoops::scratch(Type element, int64_t size) {
  Emitter head(panelHead, e.b.getLoc(), e.options);
  Value memory = head.alloc(element, {roundUp(size, lanes) + lanes});
  if (e.options.fillUndefined)
    head.fillWithGarbage(memory);
  return memory;
}

bool PanelLoops::needsRows(Value codes) const {
  return outputs.contains(codes) ||
         llvm::any_of(codes.getUses(), [&](OpOperand &use) {
           return isInside(use.getOwner()) &&
                  !isa<QuantizedLinearOp, LogMatmulOp>(use.getOwner());
         });
}

RowsAt PanelLoops::rowsOf(Value value) {
  return rowsOf(value, /*ofHeads=*/false);
}
RowsAt PanelLoops::headRowsOf(Value value) {
  return rowsOf(value, /*ofHeads=*/true);
}

RowsAt PanelLoops::rowsOf(Value value, bool ofHeads) {
  ArrayRef<int64_t> shape = shapeOf(value);
  int64_t stride = ofHeads || shape.size() == 1 ? 1 : shape.back();
  auto whole = [&](Value memory) {
    RowsAt rows{memory, e.mul(panelBegin, stride), stride, {}};
    if (ofHeads)
      rows.headStride = length;
    return rows;
  };
  Operation *source = value.getDefiningOp();
  if (!source || !isInside(source) || outputs.contains(value))
    return whole(e.flat(value));
  Value &memory = panelMemory[value];
  if (!memory)
    memory = scratch(getElementTypeOrSelf(value.getType()),
                     (shape.size() == 1 ? 1
                      : ofHeads         ? shape.front()
                                        : shape.back()) *
                         tier.panelRows);
  RowsAt rows{memory, e.index(0), stride, {}};
  if (ofHeads)
    rows.headStride = e.index(tier.panelRows);
  return rows;
}

Value PanelLoops::makeMaxima(Value rows) {
  if (!isQuantized(rows))
    return {};
  Value memory = scratch(e.f32Type, lanes * tier.panelRows);
  maximaMemory[rows] = memory;
  return memory;
}

void PanelLoops::clearMaxima(Value maxima) {
  if (maxima)
    e.forRange(panelSize, [&](Value row) {
      e.storeChunk(e.zeros(), maxima, e.mul(row, lanes));
    });
}

void PanelLoops::raiseMaxima(Value maxima, Value row, const Real &values,
                             int64_t width) {
  if (!maxima)
    return;
  Value magnitudes = absolute(values);
  if (cast<VectorType>(magnitudes.getType()).getDimSize(0) != width)
    magnitudes =
        select(RealMask{e.firstLanes(width)}, e.f32(magnitudes), e.zeros());
  magnitudes = e.foldLanes(
      magnitudes, [&](Value a, Value b) { return e.largerMagnitudes(a, b); });
  Value at = e.mul(row, lanes);
  e.storeChunk(e.largerMagnitudes(magnitudes, e.loadChunk(maxima, at)), maxima,
               at);
}

CodesAt PanelLoops::codesOf(Value codes) {
  int64_t k = shapeOf(codes).back();
  RowLayout layout = RowLayout::of(tier.dot, k);
  Value &memory = operandMemory[codes];
  if (memory)
    return {memory, layout};
  memory = scratch(codeType(e, tier.dot), layout.width * tier.panelRows);
  CodesAt result{memory, layout};
  if (codes.getDefiningOp() && isInside(codes.getDefiningOp()))
    return result; // its op fills it
  RowsAt source = rowsOf(codes);
  Value rows = panelSize;
  e.part("load_codes", {}, [&] {
    e.forRange(rows, [&](Value row) {
      e.forCodes(k, [&](Value column, int64_t n, int64_t width) {
        storeOperand(result, row, column,
                     e.loadLanes(source.memory,
                                 e.add(source.at(e, row), column), n, width));
      });
    });
  });
  return result;
}

void PanelLoops::storeOperand(const CodesAt &codes, Value row, Value column,
                              Value vector) {
  int64_t n = cast<VectorType>(vector.getType()).getDimSize(0);
  if (tier.dot == Dot::Pair)
    vector = arith::ExtSIOp::create(e.b, e.vectorOf(e.i16, n), vector);
  else if (tier.offset)
    vector =
        arith::XOrIOp::create(e.b, vector, e.integer(vector.getType(), -128));
  e.storeChunk(vector, codes.memory,
               e.add(codes.layout.row(e, row), codes.layout.code(e, column)),
               n);
}

//===----------------------------------------------------------------------===//
// The loop over panels
//===----------------------------------------------------------------------===//

PanelLoops::PanelLoops(Phase phase, Emitter &e, WeightPacker &weights)
    : phase(std::move(phase)), members(this->phase.begin(), this->phase.end()),
      e(e), tier(*e.options.tier), weights(weights), panelHead(e.b) {}

PanelLoops::~PanelLoops() = default;

void PanelLoops::emitPart(Operation *op) {
  e.b.setLoc(op->getLoc());
  if (isa<QuantizedAttentionOp>(op)) {
    flushRows();
    attentions[op]->panel();
  } else if (auto linear = dyn_cast<QuantizedLinearOp>(op)) {
    flushRows();
    product(linear);
  } else if (auto log = dyn_cast<LogMatmulOp>(op)) {
    flushRows();
    product(log);
  } else {
    pending.push_back(op);
  }
}

void PanelLoops::emit() {
  length = e.extent(phase.front()->getOperand(0), 0);
  for (Operation *op : phase)
    for (Value result : op->getResults())
      if (isUsedOutside(result)) {
        e.allocResult(result, length);
        outputs.insert(result);
      }
  e.part("phase", phase, [&] {
    for (Operation *op : phase)
      if (auto attend = dyn_cast<QuantizedAttentionOp>(op)) {
        attentions[op] = std::make_unique<Attention>(*this, attend);
        attentions[op]->begin();
      }
    // Panels of like sizes; an even number of them, for threads.
    Value few = e.ceilDiv(length, tier.panelRows);
    Value even = arith::SelectOp::create(
        e.b, e.compare(arith::CmpIPredicate::ugt, few, e.index(1)),
        e.roundUp(few, 2), few);
    Value rows =
        e.roundUp(arith::DivUIOp::create(
                      e.b, e.add(length, e.sub(even, e.index(1))), even),
                  tier.rows);
    Value panels = arith::DivUIOp::create(
        e.b, e.add(length, e.sub(rows, e.index(1))), rows);
    e.parallelFor("panel", {}, panels, [&](Value number) {
      panelHead = OpBuilder(arith::ConstantIndexOp::create(e.b, 0));
      panelBegin = e.mul(number, rows);
      panelSize = e.min(e.sub(length, panelBegin), rows);
      for (Operation *op : phase)
        if (!absorbed.contains(op))
          emitPart(op), emitted.insert(op);
      flushRows();
    });
  });
  for (Operation *op : llvm::reverse(phase))
    e.replace(op);
}

void loops::lowerPhase(const Phase &phase, const LoopOptions &options,
                       WeightPacker &weights) {
  Emitter e(phase.front(), options);
  PanelLoops(phase, e, weights).emit();
}
