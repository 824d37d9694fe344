//===- Scalars.cpp - Registers of loop counters and addresses -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scalars.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

#include <set>
#include <tuple>

using namespace mlir;
using namespace mlir::factisa;
namespace target = ::fact::isa;

bool Scalars::Expression::operator<(const Expression &other) const {
  auto key = [](const Expression &e) {
    return std::tuple(e.kind, e.plus, e.atom.getAsOpaquePointer(), e.factor,
                      e.addend, e.limit);
  };
  return key(*this) < key(other);
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

FailureOr<unsigned> Scalars::allocate(Operation *user) {
  if (free.empty() && next < limit)
    free.push_back(next++);
  if (free.empty()) {
    auto oldest = entries.end();
    for (auto it = entries.begin(); it != entries.end(); ++it)
      if (it->second.block + 1 == blocks.size() &&
          !llvm::is_contained(inUse, it->second.reg) &&
          !llvm::is_contained(working, it->second.reg) &&
          (oldest == entries.end() || it->second.time < oldest->second.time))
        oldest = it;
    if (oldest == entries.end())
      return user->emitOpError() << "needs more scalar registers than there "
                                    "are ("
                                 << limit << ")";
    llvm::erase(blocks.back(), oldest->second.reg);
    free.push_back(oldest->second.reg);
    forget(oldest);
  }
  unsigned reg = free.back();
  free.pop_back();
  blocks.back().push_back(reg);
  return reg;
}

/// Whatever was worked out with a register cannot be found by it any more. Its
/// own register, which an operand may have, is the next one to give way.
void Scalars::forget(Entries::iterator entry) {
  unsigned reg = entry->second.reg;
  entries.erase(entry);
  SmallVector<Expression> lost;
  for (const auto &[expression, other] : entries)
    if (expression.plus == reg && expression.kind != Kind::Lost)
      lost.push_back(expression);
  for (const Expression &expression : lost) {
    Entry other = entries[expression];
    entries.erase(expression);
    other.time = 0;
    entries[{Kind::Lost, other.reg}] = other;
  }
}

void Scalars::leaveBlock() {
  for (unsigned reg : blocks.back()) {
    free.push_back(reg);
    for (auto it = entries.begin(); it != entries.end();)
      it = it->second.reg == reg ? entries.erase(it) : std::next(it);
  }
  blocks.pop_back();
}

/// How many slots the rings of a loop have.
static std::set<uint64_t> ringsOf(scf::ForOp loop) {
  std::set<uint64_t> rings;
  loop.walk([&](PhaseOp op) {
    if (op.getCounter() == loop.getInductionVar())
      rings.insert(op.getSlots());
  });
  return rings;
}

FailureOr<unsigned> Scalars::enterLoop(scf::ForOp loop) {
  FailureOr<unsigned> counter = allocate(loop);
  if (failed(counter))
    return failure();
  pinned[loop.getInductionVar()] = *counter;
  for (uint64_t slots : ringsOf(loop)) {
    FailureOr<unsigned> reg = allocate(loop);
    if (failed(reg))
      return failure();
    rings[{loop.getInductionVar(), slots}] = *reg;
    target::MulAdd begin;
    begin.rd = *reg;
    emit(begin, loop);
  }
  return *counter;
}

void Scalars::nextIteration(scf::ForOp loop) {
  for (uint64_t slots : ringsOf(loop)) {
    target::Rotate rotate;
    rotate.rd = rings.lookup({loop.getInductionVar(), slots});
    rotate.step = 1;
    rotate.size = static_cast<uint32_t>(slots);
    emit(rotate, loop);
  }
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Adds value * factor.
LogicalResult Scalars::add(Value value, int64_t factor, Linear &sum) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    sum.constant += constant.getSExtValue() * factor;
    return success();
  }
  Operation *op = value.getDefiningOp();
  if (auto phase = dyn_cast_or_null<PhaseOp>(op)) {
    uint64_t slots = phase.getSlots();
    value = phases
                .try_emplace({phase.getCounter().getAsOpaquePointer(), slots,
                              phase.getDelay() % slots},
                             value)
                .first->second;
  }
  if (!op || isa<PhaseOp, InRangeOp, AtLeastOp>(op)) {
    for (auto &[atom, known] : sum.terms)
      if (atom == value) {
        known += factor;
        return success();
      }
    sum.terms.push_back({value, factor});
    return success();
  }
  if (isa<arith::AddIOp>(op))
    return failure(failed(add(op->getOperand(0), factor, sum)) ||
                   failed(add(op->getOperand(1), factor, sum)));
  if (isa<arith::MulIOp>(op))
    for (unsigned other : {1, 0})
      if (matchPattern(op->getOperand(other), m_ConstantInt(&constant)))
        return add(op->getOperand(1 - other), factor * constant.getSExtValue(),
                   sum);
  InFlightDiagnostic diagnostic = op->emitOpError()
                                  << "is no linear function of loop counters";
  for (Value operand : op->getOperands())
    diagnostic.attachNote(operand.getLoc()) << "an operand is made here";
  return diagnostic;
}

FailureOr<unsigned> Scalars::registerOf(const Expression &expression,
                                        Operation *user) {
  auto found = entries.find(expression);
  if (found != entries.end()) {
    found->second.time = ++time;
    working.push_back(found->second.reg);
    return found->second.reg;
  }
  unsigned source = 0;
  if (expression.atom) {
    FailureOr<unsigned> reg = atom(expression.atom, user);
    if (failed(reg))
      return failure();
    source = *reg;
  }
  if (expression.kind == Kind::Sum && expression.factor == 1 &&
      expression.plus == 0 && expression.addend == 0)
    return source;
  FailureOr<unsigned> reg = allocate(user);
  if (failed(reg))
    return failure();
  switch (expression.kind) {
  case Kind::InRange: {
    target::Clip clip;
    clip.rd = *reg;
    clip.rs = expression.plus;
    clip.limit = static_cast<uint32_t>(expression.limit);
    emit(clip, user);
    break;
  }
  case Kind::AtLeast: {
    target::Clamp clamp;
    clamp.rd = *reg;
    clamp.rs = expression.plus;
    clamp.least = static_cast<uint32_t>(expression.limit);
    emit(clamp, user);
    break;
  }
  case Kind::Slot: {
    target::MulAdd copy;
    copy.rd = *reg;
    copy.rt = expression.plus;
    emit(copy, user);
    target::Rotate rotate;
    rotate.rd = *reg;
    rotate.step = static_cast<uint32_t>(expression.addend);
    rotate.size = static_cast<uint32_t>(expression.limit);
    emit(rotate, user);
    break;
  }
  case Kind::Sum: {
    target::MulAdd sum;
    sum.rd = *reg;
    sum.rs = source;
    sum.rt = expression.plus;
    sum.factor = expression.factor;
    sum.addend = expression.addend;
    emit(sum, user);
    break;
  }
  case Kind::Lost:
    llvm_unreachable("nobody asks for it");
  }
  entries[expression] = {*reg, blocks.size() - 1, ++time};
  working.push_back(*reg);
  return *reg;
}

FailureOr<unsigned> Scalars::atom(Value value, Operation *user) {
  auto found = pinned.find(value);
  if (found != pinned.end())
    return found->second;
  if (auto phase = value.getDefiningOp<PhaseOp>()) {
    auto slots = static_cast<int64_t>(phase.getSlots());
    auto delay = static_cast<int64_t>(phase.getDelay()) % slots;
    unsigned now = rings.lookup({phase.getCounter(), phase.getSlots()});
    if (delay == 0)
      return now;
    return registerOf({Kind::Slot, now, {}, 0, slots - delay, slots}, user);
  }
  auto limited = [&](Kind kind, Value of,
                     uint64_t limit) -> FailureOr<unsigned> {
    Linear index;
    if (failed(add(of, 1, index)))
      return failure();
    // The whole number has to be in a register.
    FailureOr<Resolved> whole = resolve(index, /*bits=*/0, user);
    if (failed(whole))
      return failure();
    return registerOf({kind, whole->reg, {}, 0, 0, static_cast<int64_t>(limit)},
                      user);
  };
  if (auto range = value.getDefiningOp<InRangeOp>())
    return limited(Kind::InRange, range.getIndex(), range.getLimit());
  auto atLeast = cast<AtLeastOp>(value.getDefiningOp());
  return limited(Kind::AtLeast, atLeast.getIndex(), atLeast.getLeast());
}

FailureOr<Resolved> Scalars::resolve(Linear sum, unsigned bits,
                                     Operation *user) {
  Resolved resolved;
  // Outer counters come first, so that inner ones share what is worked out.
  llvm::stable_sort(sum.terms, [&](const auto &a, const auto &b) {
    auto rank = [&](Value atom) {
      auto found = pinned.find(atom);
      return found == pinned.end() ? ~0u : found->second;
    };
    return rank(a.first) < rank(b.first);
  });
  for (auto [value, factor] : sum.terms) {
    if (factor == 0)
      continue;
    FailureOr<unsigned> reg =
        registerOf({Kind::Sum, resolved.reg, value, factor}, user);
    if (failed(reg))
      return failure();
    resolved.reg = *reg;
  }
  // Immediates are not negative.
  if (sum.constant >= 0 && sum.constant >> bits == 0) {
    resolved.immediate = sum.constant;
    return resolved;
  }
  if (resolved.reg == 0 && bits != 0) {
    resolved.immediate = sum.constant; // the caller's error
    return resolved;
  }
  FailureOr<unsigned> reg =
      registerOf({Kind::Sum, resolved.reg, {}, 0, sum.constant}, user);
  if (failed(reg))
    return failure();
  resolved.reg = *reg;
  return resolved;
}

FailureOr<Resolved> Scalars::number(Value value, unsigned bits,
                                    Operation *user) {
  Linear sum;
  if (failed(add(value, 1, sum)))
    return failure();
  return operand(resolve(std::move(sum), bits, user));
}

/// What an operand was made of is not needed for it any more.
FailureOr<Resolved> Scalars::operand(FailureOr<Resolved> resolved) {
  working.clear();
  if (succeeded(resolved))
    inUse.push_back(resolved->reg);
  return resolved;
}

FailureOr<Resolved> Scalars::address(Value value, unsigned bits,
                                     Operation *user) {
  Linear sum;
  while (auto view = value.getDefiningOp<ViewOp>()) {
    sum.constant += view.getOffset();
    for (auto [index, stride] : llvm::zip(view.getIndices(), view.getStrides()))
      if (failed(add(index, stride, sum)))
        return failure();
    value = view.getBase();
  }
  std::optional<int64_t> address;
  if (auto buffer = value.getDefiningOp<SramBufferOp>())
    address = buffer.getAddress();
  else if (auto buffer = value.getDefiningOp<DramBufferOp>())
    address = buffer.getAddress();
  if (!address) {
    InFlightDiagnostic diagnostic = user->emitOpError()
                                    << "has an operand without an address: run "
                                       "--factisa-plan-memory first";
    diagnostic.attachNote(value.getLoc()) << "the buffer is made here";
    return diagnostic;
  }
  sum.constant += *address;
  return operand(resolve(std::move(sum), bits, user));
}
