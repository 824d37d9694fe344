//===- HeadPlaces.cpp - Where heads have their rows in a loop over heads --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::factisa;

HeadRows HeadLoop::makeRows(int64_t count, int64_t rowBytes, int64_t slots,
                            Memory memory, StringRef label, bool isOfQueries) {
  HeadRows result;
  result.rowBytes = rowBytes;
  result.isOfQueries = isOfQueries;
  result.memberBytes = llvm::alignTo(count * rowBytes, 64);
  result.slotBytes = result.memberBytes * (isOfQueries ? members : 1);
  result.slots = slots;
  result.buffer = lowering.sram(memory, result.slotBytes * slots, label);
  return result;
}

HeadRows HeadLoop::makeStored(int64_t rowBytes, StringRef label,
                              bool isOfQueries) {
  HeadRows result;
  result.rowBytes = rowBytes;
  result.isOfQueries = isOfQueries;
  result.isStored = true;
  result.storage = lowering.allocateStorage(
      Layout{isOfQueries ? groups * members : groups, rowBytes,
             /*single=*/false},
      label);
  return result;
}

HeadRows HeadLoop::makeBlocks(int64_t rowBytes, int64_t slots,
                              StringRef label) {
  if (tiling.stored == 0)
    return makeRows(padded, rowBytes, slots, Memory::Temp, label,
                    /*isOfQueries=*/true);
  return makeStored(rowBytes, label, /*isOfQueries=*/true);
}

HeadRows HeadLoop::makeKeys(int64_t rowBytes, int64_t slots, StringRef label) {
  if (tiling.stored < 2)
    return makeRows(padded, rowBytes, slots, Memory::Temp, label);
  HeadRows result = makeStored(rowBytes, label, /*isOfQueries=*/false);
  result.buffer =
      makeRows(padded, rowBytes, /*slots=*/1, Memory::Temp, label).buffer;
  return result;
}

FailureOr<HeadLoop::Weights>
HeadLoop::makeWeights(Value weight, StringRef label, bool isOfQueries) {
  Weights result;
  FailureOr<Weight> found = lowering.weightOf(weight);
  if (failed(found))
    return failure();
  result.of = *found;
  result.k = found->k;
  result.tile = makeRows(result.k, result.of.rowBytes(n), tiling.weightSlots,
                         Memory::Weight, label, isOfQueries);
  return result;
}

Value HeadLoop::sum(Value a, Value b) {
  if (matchPattern(a, m_Zero()))
    return b;
  if (matchPattern(b, m_Zero()))
    return a;
  return arith::AddIOp::create(builder, lowering.loc, a, b);
}

Value HeadLoop::group(int64_t part) {
  return part == 0 ? counter : sum(counter, lowering.index(-part));
}

Value HeadLoop::queryHead(int64_t part) {
  // One value for all who ask: what compares addresses looks no further.
  Value &head = queryHeads[{part, member}];
  if (!head)
    head = lowering.headIn(group(part), members, member);
  return head;
}

void HeadLoop::forEachMember(function_ref<void()> body) {
  for (member = 0; member < members; ++member)
    body();
  member = 0;
}

Value HeadLoop::inHeads(int64_t part) {
  return InRangeOp::create(builder, lowering.loc, group(part),
                           static_cast<uint64_t>(groups));
}

Value HeadLoop::anyRow(int64_t firstPart, int64_t lastPart) {
  Value exists =
      InRangeOp::create(builder, lowering.loc, group(firstPart),
                        static_cast<uint64_t>(groups + lastPart - firstPart));
  return sum(block, exists);
}

Value HeadLoop::first(int64_t part, int64_t iteration) {
  if (matchPattern(block, m_Zero()))
    return inHeads(part);
  return sum(inHeads(part),
             InRangeOp::create(builder, lowering.loc,
                               sum(block, lowering.index(-iteration * rows)),
                               1));
}

Value HeadLoop::allOf(const HeadRows &rows, int64_t part) {
  int64_t offset = rows.isOfQueries ? member * rows.memberBytes : 0;
  if (rows.slots == 1)
    return offset == 0 ? rows.buffer : lowering.view(rows.buffer, offset);
  // The slot of a head to come is that of one so many before it.
  int64_t delay = part < 0 ? part + rows.slots : part;
  Value phase = PhaseOp::create(builder, lowering.loc, counter, delay,
                                static_cast<uint64_t>(rows.slots));
  return lowering.view(rows.buffer, offset, {{phase, rows.slotBytes}});
}

Value HeadLoop::blockOf(const HeadRows &rows, int64_t part) {
  return lowering.view(allOf(rows, part), 0, {{block, rows.rowBytes}});
}

Value HeadLoop::making(const HeadRows &rows, int64_t part) {
  if (!rows.isStored)
    return blockOf(rows, part);
  return lowering.sram(Memory::Temp, this->rows * rows.rowBytes, "made");
}

void HeadLoop::done(const HeadRows &rows, Value made, int64_t part) {
  if (rows.isStored)
    storeBlock(rows.storage, made, headOf(rows, part), row(part));
}

Value HeadLoop::readBlock(const HeadRows &rows, int64_t part) {
  if (!rows.isStored)
    return blockOf(rows, part);
  return loadBlock(rows.storage, headOf(rows, part), row(part), Memory::Temp,
                   "read");
}

Value HeadLoop::readAll(const HeadRows &rows, int64_t part) {
  if (rows.isStored)
    lowering.loadRows(rows.buffer, rows.storage, headOf(rows, part), zero,
                      padded, first(part));
  return allOf(rows, part);
}

Value HeadLoop::loadBlock(const Storage &from, Value head, Value at,
                          Memory memory, StringRef label) {
  Value buffer = lowering.sram(memory, rows * from.layout.rowBytes, label);
  lowering.loadRows(buffer, from, head, block, rows, at);
  return buffer;
}

void HeadLoop::storeBlock(const Storage &to, Value made, Value head, Value at) {
  lowering.storeRows(to, made, head, block, rows, at);
}
