//===- Operands.h - What instructions are made of -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_OPERANDS_H
#define FACT_ISA_OPERANDS_H

#include <cstddef>
#include <cstdint>

namespace fact::isa {

/// Layer of a selection that belongs to no attention of the model: observers
/// pass it over. All layers of a program have lower numbers.
inline constexpr int64_t noLayer = (1 << 14) - 1;

// Widths that all instructions share (InstructionBase.td).
constexpr unsigned registerBits = 6;
constexpr unsigned numRegisters = 1 << registerBits;
constexpr unsigned sramBits = 24;
constexpr unsigned dramBits = 40;
constexpr unsigned scalarBits = 24;

/// What a counter of tokens counts to at most in program order.
constexpr int64_t maximumTokens = (1 << 10) - 1;

/// What `clip` gives for a number out of its range.
constexpr int64_t clippedRow = -(int64_t(1) << 30);

enum class Engine : uint8_t;

/// Engines other than the control processor: bit e - 1 is engine e.
class EngineSet {
public:
  EngineSet() = default;
  explicit EngineSet(unsigned bits) : bits(static_cast<uint8_t>(bits)) {}

  bool contains(Engine engine) const { return bits >> shift(engine) & 1; }
  bool empty() const { return bits == 0; }
  void insert(Engine engine) {
    bits = static_cast<uint8_t>(bits | 1 << shift(engine));
  }
  void insert(EngineSet other) {
    bits = static_cast<uint8_t>(bits | other.bits);
  }
  unsigned asBits() const { return bits; }
  /// Calls body(engine) for each, by rising number.
  template <typename Body> void forEach(Body &&body) const {
    unsigned number = 1;
    for (unsigned rest = bits; rest != 0; rest >>= 1, ++number)
      if (rest & 1)
        body(static_cast<Engine>(number));
  }
  friend bool operator==(EngineSet a, EngineSet b) { return a.bits == b.bits; }

private:
  static unsigned shift(Engine engine) {
    return static_cast<unsigned>(engine) - 1;
  }
  uint8_t bits = 0;
};

/// A place in the scratchpad: byte offset + register. The scratchpad is the
/// token, weight, temp and index buffer, one after the other. An optional
/// operand may be absent; then offset and register are 0.
struct SramRef {
  uint32_t offset = 0;
  uint8_t reg = 0;
  bool present = true;

  static SramRef absent() { return {0, 0, false}; }
  friend bool operator==(const SramRef &a, const SramRef &b) {
    return a.offset == b.offset && a.reg == b.reg && a.present == b.present;
  }
};

/// A place in DRAM: byte offset + register.
struct DramRef {
  uint64_t offset = 0;
  uint8_t reg = 0;

  friend bool operator==(const DramRef &a, const DramRef &b) {
    return a.offset == b.offset && a.reg == b.reg;
  }
};

/// A number: immediate + register.
struct ScalarRef {
  uint32_t value = 0;
  uint8_t reg = 0;

  friend bool operator==(const ScalarRef &a, const ScalarRef &b) {
    return a.value == b.value && a.reg == b.reg;
  }
};

/// Equality of fields. Floats are equal if their bits are.
template <typename T> bool sameField(const T &a, const T &b) { return a == b; }
bool sameField(float a, float b);

/// What operands depend on at run time. Sums wrap around, so that a wrong
/// program gives a wrong address and nothing worse.
struct Resolver {
  const int64_t *registers; ///< numRegisters of them; r0 is 0.
  int64_t length;           ///< LEN, the length of the sequence.

  int64_t resolve(const SramRef &ref) const { return sum(ref.offset, ref.reg); }
  int64_t resolve(const DramRef &ref) const { return sum(ref.offset, ref.reg); }
  int64_t resolve(const ScalarRef &ref) const {
    return sum(ref.value, ref.reg);
  }

  /// clamp(LEN - first, 0, count): how many of `count` rows or columns there
  /// are from `first` on.
  int64_t extent(const ScalarRef &first, int64_t count) const {
    int64_t begin = resolve(first);
    // Iterations before the first row, like those behind the last, are empty.
    if (begin < 0 || begin >= length)
      return 0;
    return length - begin < count ? length - begin : count;
  }

private:
  int64_t sum(uint64_t immediate, uint8_t reg) const {
    return static_cast<int64_t>(immediate +
                                static_cast<uint64_t>(registers[reg]));
  }
};

/// Rows of bytes from an address on: an operand's extent.
struct Rows {
  int64_t count = 0;  ///< 0: none.
  int64_t stride = 0; ///< From one row to the next.
  int64_t bytes = 0;  ///< Of each row.

  Rows() = default;
  /// One row; none of 0 bytes.
  Rows(int64_t bytes) : count(bytes != 0), bytes(bytes) {}
  Rows(int64_t count, int64_t stride, int64_t bytes)
      : count(bytes != 0 ? count : 0), stride(stride), bytes(bytes) {}

  /// From the first byte to the last one's end.
  int64_t span() const { return count ? (count - 1) * stride + bytes : 0; }
};

/// Bytes that an instruction may touch through one operand: an upper bound.
struct Access {
  bool dram; ///< Else in the scratchpad.
  bool read, write;
  int64_t address; ///< Of the first byte; a wrong program's may be anywhere.
  int64_t bytes;   ///< 0: the operand is absent or there is nothing to do.
  Rows rows;       ///< What of these bytes; the gaps are not touched.
  const char *operand;
  unsigned field; ///< Index among the instruction's fields.

  Access(bool dram, bool read, bool write, int64_t address, const Rows &rows,
         const char *operand, unsigned field)
      : dram(dram), read(read), write(write), address(address),
        bytes(rows.span()), rows(rows), operand(operand), field(field) {}
  Access() = default;
};

/// One entry per address operand, in the order of the description, absent ones
/// included: so accesses()[k] is always the same operand.
class AccessList {
public:
  const Access *begin() const { return items; }
  const Access *end() const { return items + count; }
  size_t size() const { return count; }
  const Access &operator[](size_t i) const { return items[i]; }
  void push_back(const Access &access) { items[count++] = access; }

  static constexpr size_t capacity = 12;

private:
  Access items[capacity];
  size_t count = 0;
};

enum class FieldKind : uint8_t {
  Sram,
  Dram,
  Scalar,
  Immediate,
  SignedImmediate,
  Float,
  Flag,
  Enum,
  Engines
};

/// Whether a field is an address or a number that may depend on registers: an
/// SSA value in the IR, where all others are attributes.
inline bool isOperand(FieldKind kind) {
  return kind == FieldKind::Sram || kind == FieldKind::Dram ||
         kind == FieldKind::Scalar;
}

struct EnumCaseInfo {
  int64_t value;
  const char *text;
};

/// What is known of a field without its value.
struct FieldInfo {
  const char *name;
  FieldKind kind;
  unsigned bits;             ///< In the encoding.
  int64_t minimum, maximum;  ///< Of immediates.
  bool optional;             ///< Scratchpad operands only.
  const char *access;        ///< "r", "w", "rw"; "" where it is no address.
  const char *extent;        ///< Bytes of an address, as described; else "".
  const EnumCaseInfo *cases; ///< Of choices, else null.
  unsigned numCases;
};

} // namespace fact::isa

#endif // FACT_ISA_OPERANDS_H
