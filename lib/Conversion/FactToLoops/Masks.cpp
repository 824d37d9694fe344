//===- Masks.cpp - Masks of attention in bits -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Masks.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

static bool isWords(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 1 && type.getElementType().isInteger(16);
}

bool loops::isPack(Operation *op) {
  auto cast = dyn_cast<UnrealizedConversionCastOp>(op);
  return cast && cast.getNumOperands() == 1 && cast.getNumResults() == 1 &&
         isWords(cast.getResult(0)) && !isWords(cast.getOperand(0));
}

UnrealizedConversionCastOp loops::packOf(Value mask) {
  for (Operation *user : mask.getUsers())
    if (isPack(user))
      return llvm::cast<UnrealizedConversionCastOp>(user);
  return {};
}

static constexpr StringLiteral windowAttrName = "fact_window";

/// mask -> words -> a mask again, which one op reads: the words stay what they
/// are when whoever makes them is lowered.
static void readWords(OpOperand &operand, WindowAttr window) {
  Value mask = operand.get(), root = mask;
  while (auto cast = root.getDefiningOp<tensor::CastOp>())
    root = cast.getSource();
  OpBuilder b(root.getContext());
  b.setInsertionPointAfterValue(root);
  // A selection keeps nothing outside of its window.
  if (root.getDefiningOp<SelectOp>())
    window = {};
  UnrealizedConversionCastOp pack;
  for (Operation *user : root.getUsers())
    if (isPack(user) && user->getAttr(windowAttrName) == window)
      pack = cast<UnrealizedConversionCastOp>(user);
  if (!pack) {
    pack = UnrealizedConversionCastOp::create(
        b, root.getLoc(),
        RankedTensorType::get({ShapedType::kDynamic}, b.getI16Type()), root);
    if (window)
      pack->setAttr(windowAttrName, window);
  }
  b.setInsertionPointAfter(pack);
  operand.set(UnrealizedConversionCastOp::create(
                  b, root.getLoc(), mask.getType(), pack.getResult(0))
                  .getResult(0));
}

void loops::packMasks(ModuleOp module) {
  SmallVector<std::pair<OpOperand *, WindowAttr>> masks;
  module.walk([&](Operation *op) {
    if (auto attention = dyn_cast<QuantizedAttentionOp>(op)) {
      if (attention.getMask())
        masks.push_back(
            {&attention.getMaskMutable()[0], attention.getWindowAttr()});
    } else if (auto rows = dyn_cast<KRowsOp>(op)) {
      masks.push_back({&rows.getMaskMutable(), {}});
    } else if (auto rows = dyn_cast<VRowsOp>(op)) {
      masks.push_back({&rows.getMaskMutable(), {}});
    }
  });
  for (auto [operand, window] : masks)
    readWords(*operand, window);
  // Casts of a mask that nobody reads now.
  module.walk([](tensor::CastOp cast) {
    if (cast.use_empty() && getElementTypeOrSelf(cast.getType()).isInteger(1))
      cast.erase();
  });
}

void loops::dropMaskCasts(ModuleOp module) {
  module.walk([](UnrealizedConversionCastOp cast) {
    if (cast.use_empty() && cast.getNumOperands() == 1 &&
        isWords(cast.getOperand(0)))
      cast.erase();
  });
}

Value loops::wordsOfMask(Value mask) {
  if (!mask)
    return {};
  return mask.getDefiningOp<UnrealizedConversionCastOp>().getOperand(0);
}

Value loops::allocWords(Emitter &e, Value words, int64_t heads, Value length) {
  return e.allocResult(words, e.inFront([&] {
    return e.mul(e.mul(length, heads), wordsOfRow(e, length));
  }));
}

void loops::lowerPack(UnrealizedConversionCastOp pack, Emitter &e) {
  Value mask = e.buffer(pack.getOperand(0));
  Value length = e.extent(pack.getOperand(0), 1);
  auto type = cast<MemRefType>(mask.getType());
  int64_t heads = type.getDimSize(0);
  auto window = pack->getAttrOfType<WindowAttr>(windowAttrName);
  Value words = allocWords(e, pack.getResult(0), heads, length);
  e.part("pack_mask", {}, [&] {
    // An i1 in memory is a byte, so both types become the same descriptor.
    Value bytes = UnrealizedConversionCastOp::create(
                      e.b, MemRefType::Builder(type).setElementType(e.i8), mask)
                      .getResult(0);
    Value rowWords = wordsOfRow(e, length);
    VectorType sixteen = e.vectorOf(e.i8);
    e.parallelFor("pack_mask", {}, e.index(heads), [&](Value head) {
      e.forRange(length, [&](Value row) {
        Value first = e.mul(e.add(e.mul(head, length), row), rowWords);
        ColumnRange columns = e.windowOf(window, row, length);
        e.forPadded(rowWords, [&](Value at) {
          e.storeChunk(e.integer(e.vectorOf(e.i16), 0), words,
                       e.add(first, at));
        });
        e.forRange(e.ceilDiv(length, lanes), [&](Value number) {
          Value column = e.mul(number, lanes);
          Value some = vector::MaskedLoadOp::create(
              e.b, sixteen, bytes, ValueRange{head, row, column},
              e.lanesBelow(column, length), e.integer(sixteen, 0));
          Value keep = arith::AndIOp::create(
              e.b,
              e.compare(arith::CmpIPredicate::ne, some, e.integer(sixteen, 0)),
              e.lanesWithin(column, columns));
          e.store(e.toBits(keep), words, e.add(first, number));
        });
      });
    });
  });
}

Value loops::wordsOfRow(Emitter &e, Value length) {
  return e.mul(e.ceilDiv(length, lanes * lanes), lanes);
}

Value loops::bitOf(Emitter &e, Value words, Value firstWord, Value column) {
  Value word = e.load(words, e.add(firstWord, e.div(column, lanes)));
  Value shift = e.fromIndex(e.rem(column, lanes), e.i16);
  return arith::TruncIOp::create(e.b, e.i1,
                                 arith::ShRUIOp::create(e.b, word, shift));
}
