//===- PanelRows.cpp - Sweeps over the rows of a panel --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops between products, one row through all of them before the next: what one
// hands to the other is in the nearest cache.
//
//===----------------------------------------------------------------------===//

#include "Panels.h"
#include "Rules.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

static int64_t widthOf(Value rows) {
  return cast<ShapedType>(rows.getType()).getShape().back();
}

/// Of what ops of a sweep read and write for a row, but for what one hands to
/// the next.
static int64_t bytesOfRow(ArrayRef<Operation *> ops) {
  SetVector<Value> outside;
  DenseSet<Operation *> members(ops.begin(), ops.end());
  auto isMember = [&](Operation *op) { return op && members.contains(op); };
  for (Operation *op : ops) {
    for (Value operand : op->getOperands())
      if (!isMember(operand.getDefiningOp()))
        outside.insert(operand);
    for (Value result : op->getResults())
      if (!llvm::all_of(result.getUsers(), isMember))
        outside.insert(result);
  }
  int64_t bits = 0;
  for (Value value : outside)
    if (auto type = dyn_cast<RankedTensorType>(value.getType());
        type && type.getRank() == 2 && !type.isDynamicDim(1))
      bits += type.getShape().back() * type.getElementTypeBitWidth();
  return bits / 8;
}

void PanelLoops::flushRows() {
  if (pending.empty())
    return;
  SmallVector<Operation *> ops = std::move(pending);
  pending.clear();
  e.part("rows", ops, [&] {
    e.countWork([&] { return e.index(0); },
                [&] { return e.mul(panelSize, bytesOfRow(ops)); });
    auto sweep = [&](Value row, ArrayRef<Operation *> ops) {
      magnitudes.clear();
      for (Operation *op : ops) {
        e.b.setLoc(op->getLoc());
        emitRow(op, row);
      }
    };
    // Where registers are many, rows whose norms are computed next to each
    // other.
    int64_t normRows = tier.floats / lanes;
    auto norm = dyn_cast<NormOp>(ops.front());
    if (normRows == 1 || !norm || norm.getHeads() || norm.getRows())
      return e.forRange(panelSize, [&](Value row) { sweep(row, ops); });
    makeMaxima(norm.getResult());
    Value last = e.sub(panelSize, e.index(1));
    e.forRange(e.index(0), panelSize, normRows, [&](Value first) {
      SmallVector<Value> rows = {first};
      for (int64_t r = 1; r < normRows; ++r) // maybe the last one again
        rows.push_back(e.min(e.add(first, r), last));
      e.b.setLoc(norm.getLoc());
      this->norm(norm, rows);
      Value end = e.min(e.add(first, normRows), panelSize);
      e.forRange(first, end, 1,
                 [&](Value row) { sweep(row, ArrayRef(ops).drop_front()); });
    });
  });
  magnitudes.clear();
}

void PanelLoops::emitRow(Operation *op, Value row) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](AddOp op) {
        pairs(op.getLhs(), op.getRhs(), op.getResult(), row,
              [](const Real &a, const Real &b) { return a + b; });
      })
      .Case([&](MultiplyOp op) {
        pairs(op.getLhs(), op.getRhs(), op.getResult(), row,
              [](const Real &a, const Real &b) { return a * b; });
      })
      .Case<NormOp, RotateOp, ActivationOp, QuantizeRowsOp, QuantizeHeadsOp,
            EncodeOp, NormalizeHeadsOp, RescaleOp>(
          [&](auto each) { this->row(each, row); })
      .Default([](Operation *) { llvm_unreachable("not a row op"); });
}

void PanelLoops::forHeads(int64_t heads, Value rows, Value row,
                          llvm::function_ref<void(Value)> body) {
  auto ofHead = [&](Value head) {
    if (!rows)
      return body(head);
    RowsAt names = headRowsOf(rows);
    Value named = e.load(names.memory, names.at(e, head, row));
    e.ifThen(named, [&] { body(head); });
  };
  if (heads == 1)
    ofHead(e.index(0));
  else
    e.forRange(e.index(heads), ofHead);
}

SmallVector<Value>
PanelLoops::ofHeads(int64_t heads, Value rows, Value row,
                    llvm::function_ref<Value(Value)> lanesOf,
                    llvm::function_ref<Value(Value, Value)> combine,
                    llvm::function_ref<SmallVector<Value>(Value)> finish) {
  Value wide;
  forHeads(heads, rows, row, [&](Value head) {
    Value vector = lanesOf(head);
    assert(!wide && "emitted once");
    wide = scratch(getElementTypeOrSelf(vector.getType()), heads * lanes);
    e.storeChunk(vector, wide, e.mul(head, lanes));
  });
  SmallVector<Value> results;
  for (int64_t first = 0; first < heads; first += lanes) {
    SmallVector<Value> vectors;
    for (int64_t head = first; head < std::min(first + lanes, heads); ++head)
      vectors.push_back(e.loadChunk(wide, e.index(head * lanes)));
    for (auto [i, numbers] :
         llvm::enumerate(finish(e.foldEach(vectors, combine)))) {
      if (i == results.size())
        results.push_back(
            scratch(getElementTypeOrSelf(numbers.getType()), heads));
      e.storeChunk(numbers, results[i], e.index(first));
    }
  }
  return results;
}

void PanelLoops::pairs(
    Value lhs, Value rhs, Value result, Value row,
    llvm::function_ref<Real(const Real &, const Real &)> of) {
  RowsAt x = rowsOf(lhs), z = rowsOf(rhs), y = rowsOf(result);
  e.forVectors(widthOf(result), [&](Value column, int64_t n, int64_t width) {
    auto load = [&](const RowsAt &rows) {
      return e.f32(
          e.loadLanes(rows.memory, e.add(rows.at(e, row), column), n, width));
    };
    e.storeChunk(of(load(x), load(z)), y.memory, e.add(y.at(e, row), column),
                 width);
  });
}

void PanelLoops::row(ActivationOp op, Value row) {
  RowsAt x = rowsOf(op.getInput()), y = rowsOf(op.getResult());
  e.forVectors(
      widthOf(op.getResult()), [&](Value column, int64_t n, int64_t width) {
        Real in =
            e.f32(e.loadLanes(x.memory, e.add(x.at(e, row), column), n, width));
        e.storeChunk(activate(op.getKind(), in), y.memory,
                     e.add(y.at(e, row), column), width);
      });
}

void PanelLoops::row(RescaleOp op, Value row) {
  RowsAt h = rowsOf(op.getInput()), y = rowsOf(op.getResult()),
         scale = rowsOf(op.getScale());
  Real ofWeight = e.splatReal(e.load(e.flat(op.getWeightScale()), e.index(0))),
       ofRow = e.splatReal(e.load(scale.memory, scale.at(e, row)));
  Value bias = e.flat(op.getBias());
  e.forChunks(widthOf(op.getResult()), [&](Value column, int64_t width) {
    Real sums = fromInteger(
        e.real, e.loadChunk(h.memory, e.add(h.at(e, row), column), width));
    Real result = numerics::rescale(sums, ofWeight, ofRow);
    if (bias)
      result = result + e.loadReal(bias, column, width);
    e.storeChunk(result, y.memory, e.add(y.at(e, row), column), width);
  });
}

//===----------------------------------------------------------------------===//
// Norms and rotary embeddings
//===----------------------------------------------------------------------===//

void PanelLoops::row(NormOp op, Value row) { norm(op, row); }

/// The norms of several rows, whose sums do not wait for each other.
void PanelLoops::norm(NormOp op, ArrayRef<Value> rows) {
  auto heads = static_cast<int64_t>(op.getHeads().value_or(1));
  int64_t width = widthOf(op.getResult()) / heads;
  RowsAt x = rowsOf(op.getInput()), y = rowsOf(op.getResult());
  Value gamma = e.flat(op.getGamma()), beta = e.flat(op.getBeta());
  Real n = e.f32(static_cast<float>(width)),
       epsilon = e.f32(op.getEps().convertToFloat());
  bool isCentred = op.getKind() == Norm::Layer;
  bool wanted = heads == 1 && !op.getRows() && isQuantized(op.getResult());
  // Lanes of all rows, 16 each, and those of one.
  auto ofRows = [&](llvm::function_ref<Value(int64_t)> of) {
    SmallVector<Value> parts;
    for (size_t r = 0; r < rows.size(); ++r)
      parts.push_back(of(static_cast<int64_t>(r)));
    return e.f32(e.join(parts));
  };
  auto ofRow = [&](const Real &all, int64_t r) {
    return e.f32(e.slice(all, r * lanes, lanes));
  };
  Real zeros = ofRows([&](int64_t) { return e.zeros().value; });
  // The lanes past a row are 0.
  auto within = [&](const Real &all, int64_t chunk) {
    if (chunk == lanes)
      return all;
    return ofRows([&](int64_t r) {
      return select(RealMask{e.firstLanes(chunk)}, ofRow(all, r), e.zeros())
          .value;
    });
  };
  forHeads(heads, op.getRows(), rows.front(), [&](Value head) {
    auto at = [&](const RowsAt &memory, int64_t r, Value column) {
      return e.add(
          e.add(memory.at(e, rows[static_cast<size_t>(r)]), e.mul(head, width)),
          column);
    };
    auto element = [&](Value column, int64_t chunk) {
      return ofRows([&](int64_t r) {
        return e.loadReal(x.memory, at(x, r, column), chunk).value;
      });
    };
    auto ofColumns = [&](Value memory, Value column, int64_t chunk) {
      Real once = e.loadReal(memory, column, chunk);
      return ofRows([&](int64_t) { return once.value; });
    };
    // A lane that has no element adds +0. Calls rule(sum of a row).
    auto reduce = [&](llvm::function_ref<Real(Value, int64_t)> term,
                      llvm::function_ref<Real(const Real &)> rule) {
      Real sums = e.f32(
          e.reduceChunks(width, {zeros.value},
                         [&](Value column, int64_t chunk, ValueRange carried) {
                           return SmallVector<Value>{
                               (e.f32(carried[0]) + term(column, chunk)).value};
                         })[0]);
      return ofRows([&](int64_t r) {
        return e.splatReal(rule(e.sumTree(ofRow(sums, r)))).value;
      });
    };
    Real means = isCentred
                     ? reduce(element, [&](const Real &sum) { return sum / n; })
                     : zeros;
    auto load = [&](Value column, int64_t chunk) {
      Real value = element(column, chunk);
      return isCentred ? value - means : value;
    };
    Real inverse = reduce(
        [&](Value column, int64_t chunk) {
          Real centred = load(column, chunk), square = centred * centred;
          // The lanes past the row hold -mean.
          return isCentred ? within(square, chunk) : square;
        },
        [&](const Real &squares) {
          return numerics::inverseDeviation(squares, n, epsilon);
        });
    Real largest = e.f32(e.reduceChunks(
        width, {zeros.value},
        [&](Value column, int64_t chunk, ValueRange carried) {
          Real normal = numerics::normalize(load(column, chunk), inverse,
                                            ofColumns(gamma, column, chunk));
          if (beta)
            normal = normal + ofColumns(beta, column, chunk);
          for (size_t r = 0; r < rows.size(); ++r) {
            auto number = static_cast<int64_t>(r);
            e.storeChunk(ofRow(normal, number), y.memory, at(y, number, column),
                         chunk);
          }
          if (!wanted)
            return SmallVector<Value>(carried);
          return SmallVector<Value>{
              maximum(within(absolute(normal), chunk), e.f32(carried[0]))
                  .value};
        })[0]);
    if (!wanted)
      return;
    if (rows.size() == 1) {
      magnitudes[op.getResult()] = e.largestOfLanes(largest).value;
      return;
    }
    Value maxima = maximaMemory.lookup(op.getResult());
    for (auto [r, row] : llvm::enumerate(rows))
      e.storeChunk(ofRow(largest, static_cast<int64_t>(r)), maxima,
                   e.mul(row, lanes));
  });
}

void PanelLoops::row(RotateOp op, Value row) {
  int64_t heads = static_cast<int64_t>(op.getHeads()),
          width = widthOf(op.getResult()) / heads, pairs = widthOf(op.getCos());
  RowsAt x = rowsOf(op.getInput()), y = rowsOf(op.getResult());
  Value cos = e.flat(op.getCos()), sin = e.flat(op.getSin());
  // Row i reads position i of the tables.
  Value table = e.mul(e.add(panelBegin, row), pairs);
  forHeads(heads, op.getRows(), row, [&](Value head) {
    Value from = e.add(x.at(e, row), e.mul(head, width)),
          to = e.add(y.at(e, row), e.mul(head, width));
    auto rotate = [&](Value angle, Value one, Value other, auto load,
                      auto store) {
      Real a = load(x.memory, e.add(from, one)),
           b = load(x.memory, e.add(from, other)),
           c = load(cos, e.add(table, angle)),
           s = load(sin, e.add(table, angle));
      store(numerics::rotatedFirst(a, b, c, s), e.add(to, one));
      store(numerics::rotatedSecond(a, b, c, s), e.add(to, other));
    };
    if (op.getStyle() == RotaryStyle::Half)
      e.forChunks(pairs, [&](Value column, int64_t chunk) {
        rotate(
            column, column, e.add(column, pairs),
            [&](Value memory, Value at) {
              return e.loadReal(memory, at, chunk);
            },
            [&](const Real &value, Value at) {
              e.storeChunk(value, y.memory, at, chunk);
            });
      });
    else
      e.forRange(e.index(pairs), [&](Value pair) {
        Value one = e.mul(pair, 2);
        rotate(
            pair, one, e.add(one, 1),
            [&](Value memory, Value at) { return e.loadScalar(memory, at); },
            [&](const Real &value, Value at) { e.store(value, y.memory, at); });
      });
    int64_t rotated = 2 * pairs;
    if (rotated < width)
      e.forChunks(width - rotated, [&](Value offset, int64_t chunk) {
        Value column = e.add(offset, rotated);
        e.storeChunk(e.loadChunk(x.memory, e.add(from, column), chunk),
                     y.memory, e.add(to, column), chunk);
      });
  });
}

//===----------------------------------------------------------------------===//
// Rows and heads to integers
//===----------------------------------------------------------------------===//

void PanelLoops::storeCodes(Value codes, Value row, Value column, Value vector,
                            int64_t width) {
  if (isProductOperand(codes))
    storeOperand(codesOf(codes), row, column, vector);
  if (!needsRows(codes))
    return;
  RowsAt rows = rowsOf(codes);
  e.storeChunk(vector, rows.memory, e.add(rows.at(e, row), column), width);
}

Real PanelLoops::magnitudeOf(Value input, Value row) {
  if (Value known = magnitudes.lookup(input))
    return e.f32(known);
  if (Value maxima = maximaMemory.lookup(input))
    return e.largestOfLanes(e.loadChunk(maxima, e.mul(row, lanes)));
  return e.largestOfLanes(
      scanMagnitudes(input, row, e.index(0), widthOf(input)));
}

Value PanelLoops::scanMagnitudes(Value input, Value row, Value column,
                                 int64_t width) {
  RowsAt rows = rowsOf(input);
  Value from = e.add(rows.at(e, row), column);
  return e.magnitudeLanes(rows.memory, from, width);
}

void PanelLoops::quantize(
    Value input, Value codes, Value row, Value column, int64_t width,
    llvm::function_ref<Real(const Real &, int64_t)> rule) {
  RowsAt rows = rowsOf(input);
  e.forVectors(width, [&](Value offset, int64_t n, int64_t chunk) {
    Value at = e.add(column, offset);
    Real value =
        e.f32(e.loadLanes(rows.memory, e.add(rows.at(e, row), at), n, chunk));
    storeCodes(codes, row, at, e.toCodes(rule(value, n), e.i8), chunk);
  });
}

void PanelLoops::quantizeInt8(Value input, Value codes, Value row, Value column,
                              int64_t width, const Real &exponent) {
  quantize(input, codes, row, column, width, [&](const Real &y, int64_t n) {
    return numerics::quantizeInt8(y, e.splatReal(exponent, n));
  });
}

void PanelLoops::row(QuantizeRowsOp op, Value row) {
  int64_t width = widthOf(op.getInput());
  Value input = op.getInput(), codes = op.getQuantized(), first = e.index(0);
  Real magnitude = magnitudeOf(input, row);
  RowsAt scale = rowsOf(op.getScale());
  auto int8 = [&] {
    Real exponent = numerics::rowExponent(magnitude);
    quantizeInt8(input, codes, row, first, width, exponent);
    return SmallVector<Value>{numerics::rowScale(exponent)};
  };
  auto int4 = [&] {
    Real inverse = numerics::int4Inverse(magnitude);
    quantize(input, codes, row, first, width, [&](const Real &y, int64_t n) {
      return numerics::quantizeInt4(y, e.splatReal(inverse, n));
    });
    return SmallVector<Value>{numerics::int4Scale(magnitude)};
  };
  Value value;
  if (op.getLow()) {
    RowsAt low = rowsOf(op.getLow());
    value = e.select(e.load(low.memory, low.at(e, row)), int4, int8)[0];
  } else {
    value = int8()[0];
  }
  e.store(value, scale.memory, scale.at(e, row));
}

void PanelLoops::row(QuantizeHeadsOp op, Value row) {
  int64_t heads = op.getHeads(), width = widthOf(op.getInput()) / heads;
  RowsAt scale = headRowsOf(op.getScale());
  SmallVector<Value> known = ofHeads(
      heads, op.getRows(), row,
      [&](Value head) {
        return scanMagnitudes(op.getInput(), row, e.mul(head, width), width);
      },
      [&](Value a, Value b) { return e.largerMagnitudes(a, b); },
      [&](Value magnitudes) {
        Real exponents = numerics::rowExponent(e.f32(magnitudes));
        return SmallVector<Value>{exponents, numerics::rowScale(exponents)};
      });
  forHeads(heads, op.getRows(), row, [&](Value head) {
    quantizeInt8(op.getInput(), op.getQuantized(), row, e.mul(head, width),
                 width, e.loadScalar(known[0], head));
    e.store(e.load(known[1], head), scale.memory, scale.at(e, head, row));
  });
}

void PanelLoops::row(EncodeOp op, Value row) {
  numerics::PredictorCode code = numerics::codeOf(numericsOf(op.getPredictor()),
                                                  numericsOf(op.getOperand()));
  RowsAt x = rowsOf(op.getInput());
  e.forCodes(widthOf(op.getResult()), [&](Value column, int64_t n,
                                          int64_t width) {
    Value codes = e.loadLanes(x.memory, e.add(x.at(e, row), column), n, width);
    storeCodes(op.getResult(), row, column, encode(e, code, codes), width);
  });
}

void PanelLoops::row(NormalizeHeadsOp op, Value row) {
  int64_t heads = op.getHeads(), width = widthOf(op.getInput()) / heads;
  RowsAt x = rowsOf(op.getInput()), scale = headRowsOf(op.getScale());
  auto at = [&](Value head, Value offset) {
    return e.add(e.add(x.at(e, row), e.mul(head, width)), offset);
  };
  auto split = [&](Value h) -> std::pair<Value, Value> { // sign and magnitude
    Value zeros = e.integer(h.getType(), 0);
    Value negative = e.compare(Predicate::slt, h, zeros);
    Value opposite = arith::SubIOp::create(e.b, zeros, h);
    return {negative, arith::SelectOp::create(e.b, negative, opposite, h)};
  };
  auto larger = [&](Value a, Value b) -> Value {
    return arith::MaxSIOp::create(e.b, a, b);
  };
  SmallVector<Value> known = ofHeads(
      heads, Value(), row,
      [&](Value head) {
        Value zeros = e.integer(e.vectorOf(e.i32), 0);
        return e.reduceChunks(
            width, zeros, [&](Value offset, int64_t chunk, ValueRange carried) {
              Value h = e.loadChunk(x.memory, at(head, offset), chunk);
              return SmallVector<Value>{larger(split(h).second, carried[0])};
            })[0];
      },
      larger,
      [&](Value largest) {
        auto number = [&](int64_t value) {
          return e.integer(largest.getType(), value);
        };
        // floor(log2 m) = 31 - leading zeros; 0 has 32 of them and ends at
        // shift 0.
        Value leading = math::CountLeadingZerosOp::create(e.b, largest);
        Value above = arith::SubIOp::create(e.b, number(31 - 6), leading);
        Value shift = arith::MaxSIOp::create(e.b, above, number(0));
        Value bits =
            arith::ShLIOp::create(e.b, e.add(shift, number(127)), number(23));
        return SmallVector<Value>{
            shift, arith::BitcastOp::create(e.b, e.vectorOf(e.f32Type), bits)};
      });
  e.forRange(e.index(heads), [&](Value head) {
    e.store(e.load(known[1], head), scale.memory, scale.at(e, head, row));
    Value shift = e.load(known[0], head);
    e.forVectors(width, [&](Value offset, int64_t n, int64_t chunk) {
      auto [negative, magnitude] =
          split(e.loadLanes(x.memory, at(head, offset), n, chunk));
      Value shifted =
          arith::ShRUIOp::create(e.b, magnitude, e.splatValue(shift, n));
      Value zeros = e.integer(shifted.getType(), 0);
      Value opposite = arith::SubIOp::create(e.b, zeros, shifted);
      Value code = arith::SelectOp::create(e.b, negative, opposite, shifted);
      storeCodes(op.getResult(), row, e.add(e.mul(head, width), offset),
                 arith::TruncIOp::create(e.b, e.vectorOf(e.i8, n), code),
                 chunk);
    });
  });
}
