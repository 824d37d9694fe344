//===- Scalars.h - Registers of loop counters and addresses ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_TARGET_SCALARS_H
#define FACT_LIB_TARGET_SCALARS_H

#include "fact/Target/EncodeProgram.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <map>
#include <vector>

namespace mlir::factisa {

/// Works out numbers and addresses with scalar instructions. Values that are
/// there already are used again; where registers run out, those of the
/// innermost block give way that were not used for the longest time.
class Scalars {
public:
  using Emit =
      std::function<void(const ::fact::isa::Instruction &, Operation *)>;

  Scalars(int64_t registers, Emit emit)
      : limit(static_cast<unsigned>(registers)), emit(std::move(emit)) {}

  /// Values of a block are forgotten at its end.
  void enterBlock() { blocks.emplace_back(); }
  void leaveBlock();

  /// A register for a loop's counter, and those of its rings, at their first
  /// slots: before the `loop`.
  FailureOr<unsigned> enterLoop(scf::ForOp loop);
  /// The next slots of the rings: before the `endloop`.
  void nextIteration(scf::ForOp loop);

  /// A number in `bits` bits and a register.
  FailureOr<Resolved> number(Value value, unsigned bits, Operation *user);
  /// An address likewise.
  FailureOr<Resolved> address(Value value, unsigned bits, Operation *user);
  /// Registers of one instruction's operands stay until the next one.
  void nextInstruction() { inUse.clear(); }

private:
  /// What is in a register, worked out with the number in register `plus`.
  struct Expression {
    enum class Kind {
      Sum, ///< atom * factor + plus + addend; the atom, if any, is a counter
           ///< or a number that has an instruction of its own.
      InRange, ///< Whether `plus` is below `limit`.
      AtLeast, ///< `plus`, or `limit`, a lower one, where that is more.
      Slot,    ///< The slot `addend` after `plus`, of `limit`.
      Lost,    ///< It is in `plus` itself, and nothing can be found by it: what
               ///< it was worked out with is gone.
    } kind;
    unsigned plus = 0;
    Value atom = {};
    int64_t factor = 0, addend = 0, limit = 0;

    bool operator<(const Expression &other) const;
  };
  using Kind = Expression::Kind;
  struct Entry {
    unsigned reg;
    size_t block;  ///< Which one of `blocks` it belongs to.
    uint64_t time; ///< Of its last use.
  };
  using Entries = std::map<Expression, Entry>;

  /// A sum of atoms, the outermost counters first.
  struct Linear {
    SmallVector<std::pair<Value, int64_t>> terms;
    int64_t constant = 0;
  };

  LogicalResult add(Value value, int64_t factor, Linear &sum);
  FailureOr<Resolved> resolve(Linear sum, unsigned bits, Operation *user);
  FailureOr<Resolved> operand(FailureOr<Resolved> resolved);
  FailureOr<unsigned> registerOf(const Expression &expression, Operation *user);
  FailureOr<unsigned> atom(Value value, Operation *user);
  FailureOr<unsigned> allocate(Operation *user);
  void forget(Entries::iterator entry);

  unsigned limit;
  Emit emit;
  uint64_t time = 0;
  /// Registers that operands have, and what the next one is made of.
  SmallVector<unsigned> inUse, working;
  unsigned next = 1; ///< The first register that was never used.
  std::vector<unsigned> free;
  Entries entries;
  /// Counters, and first slots of rings by how many they have; they stay to the
  /// end of their loop.
  DenseMap<Value, unsigned> pinned;
  DenseMap<std::pair<Value, uint64_t>, unsigned> rings;
  /// Of equal phases, one that stands for all.
  std::map<std::tuple<void *, uint64_t, uint64_t>, Value> phases;
  /// Registers of each block that is open.
  std::vector<SmallVector<unsigned>> blocks;
};

} // namespace mlir::factisa

#endif // FACT_LIB_TARGET_SCALARS_H
