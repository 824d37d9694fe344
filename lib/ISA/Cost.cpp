//===- Cost.cpp - How long an instruction will take, about ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Cost.h"

#include "fact/ISA/Sweeps.h"

#include <algorithm>
#include <cmath>

using namespace fact;
using namespace fact::isa;

int64_t isa::addsPerProduct(Predictor predictor, const Machine &machine) {
  switch (predictor) {
  case Predictor::LeadingOne:
    return machine.ep.addsLeadingOne;
  case Predictor::LeadingTwo:
    return machine.ep.addsLeadingTwo;
  case Predictor::OneSided:
    return machine.ep.addsOneSided;
  case Predictor::Exact:
    return machine.ep.addsExact;
  }
  return machine.ep.addsExact;
}

int64_t isa::codeTiles(int64_t k, int64_t n, const Machine &machine) {
  int64_t wide = std::min<int64_t>(64, machine.ep.lanes),
          deep = machine.ep.lanes / wide;
  return std::min(divideUp(k, wide) * divideUp(n, deep),
                  divideUp(k, deep) * divideUp(n, wide));
}

namespace {
class Estimate {
public:
  Estimate(const Machine &machine, const Expectation &expected)
      : machine(machine), length(expected.length), kept(expected.kept),
        low(expected.low) {}

  int64_t operator()(const PeGemm &i) const {
    int64_t rows = machine.pe.rows, columns = machine.pe.columns;
    int64_t lowRows = i.low.present ? std::lround(low * i.rows) : 0,
            rate = i.precision == Precision::A4W4 ? machine.pe.rateA4W4
                                                  : machine.pe.rateA4W8;
    return (i.rows - lowRows + divideUp(lowRows, rate)) *
           std::min(divideUp(i.k, columns) * divideUp(i.n, rows),
                    divideUp(i.k, rows) * divideUp(i.n, columns));
  }
  int64_t operator()(const PeQk &i) const {
    return i.tail ? i.rows * divideUp(i.n, machine.pe.columns) : gather(i);
  }
  int64_t operator()(const PePv &i) const { return gather(i); }

  int64_t operator()(const EpProject &i) const {
    return products(i.rows, i.k, i.n, i.predictor);
  }
  int64_t operator()(const EpBias &i) const {
    return divideUp(int64_t(i.rows) * i.n, machine.ep.lanes);
  }
  int64_t operator()(const EpNormalize &i) const {
    return divideUp(2 * int64_t(i.rows) * i.n, machine.ep.lanes);
  }
  int64_t operator()(const EpEncode &i) const {
    return divideUp(int64_t(i.rows) * i.n, machine.ep.lanes);
  }
  int64_t operator()(const EpScore &i) const {
    int64_t seen = seenBy(i, i.rows);
    return products(i.rows, i.n, std::min<int64_t>(i.cols, seen), i.predictor);
  }

  int64_t operator()(const SelTopK &i) const {
    return i.rows * machine.sel.topKPasses() *
           divideUp(seenBy(i, 1), machine.sel.scoresPerCycle);
  }
  int64_t operator()(const SelFill &i) const {
    return divideUp(int64_t(i.rows) * i.width,
                    machine.buffer(Buffer::Index).wordBytes);
  }
  int64_t operator()(const SelCountAll &i) const { return flags(i.rows); }
  int64_t operator()(const SelPrecision &) const { return flags(2 * length); }
  int64_t operator()(const SelList &i) const { return flags(i.rows); }
  int64_t operator()(const SelListNew &i) const { return flags(i.rows); }
  int64_t operator()(const SelCount &i) const { return flags(i.rows); }

  int64_t operator()(const ApuSoftmax &i) const {
    return cycles(sweepsOf(i, i.rows, keptOf(i, seenBy(i, 1)), i.rows));
  }
  int64_t operator()(const ApuContext &i) const {
    return cycles(sweepsOf(i, i.rows, i.tail_score.present ? i.rows : 0));
  }
  int64_t operator()(const ApuMean &i) const { return cycles(sweepsOf(i)); }
  int64_t operator()(const ApuNorm &i) const { return sweepRows(i); }
  int64_t operator()(const ApuRotate &i) const { return sweepRows(i); }
  int64_t operator()(const ApuQuantize &i) const { return sweepRows(i); }
  int64_t operator()(const ApuRescale &i) const { return sweepRows(i); }
  int64_t operator()(const ApuActivation &i) const { return sweepRows(i); }
  int64_t operator()(const ApuAdd &i) const { return sweepRows(i); }
  int64_t operator()(const ApuMultiply &i) const { return sweepRows(i); }
  int64_t operator()(const ApuCopyDominated &i) const { return sweepRows(i); }
  int64_t operator()(const ApuColumnSum &i) const { return sweepRows(i); }

  int64_t operator()(const Load &i) const {
    return transfer(int64_t(i.rows) * i.row_bytes);
  }
  int64_t operator()(const LoadListed &i) const {
    return transfer(std::lround((1 - low) * i.rows) * i.row_bytes);
  }
  int64_t operator()(const LoadWeight &i) const {
    // One row that needs the low plane is enough.
    int64_t planes = !i.exact.present || low < 1 ? 2 : i.only_exact ? 0 : 1;
    return transfer(int64_t(i.rows) * divideUp(i.n, 2) * planes);
  }
  int64_t operator()(const Store &i) const {
    return transfer(int64_t(i.rows) * i.row_bytes);
  }
  template <typename Control> int64_t operator()(const Control &) const {
    return 0;
  }

private:
  template <typename I> int64_t gather(const I &i) const {
    int64_t columns = keptOf(i, std::min<int64_t>(i.cols, seenBy(i, 1)));
    return i.rows * divideUp(columns, machine.pe.rows) *
           divideUp(i.n, machine.pe.columns);
  }
  /// The columns that some of `rows` rows in the middle of the sequence see.
  template <typename I> int64_t seenBy(const I &i, int64_t rows) const {
    numerics::Window window = windowOf(i);
    int64_t first = (length - rows) / 2;
    return window.end(first + rows - 1, length) - window.first(first);
  }
  /// Of a row's columns, those that its mask keeps.
  template <typename I> int64_t keptOf(const I &i, int64_t columns) const {
    if (!i.mask.present)
      return columns;
    return std::max<int64_t>(
        1, static_cast<int64_t>(static_cast<double>(columns) * kept));
  }
  int64_t products(int64_t rows, int64_t k, int64_t n,
                   Predictor predictor) const {
    return rows * addsPerProduct(predictor, machine) * codeTiles(k, n, machine);
  }
  int64_t flags(int64_t count) const {
    return divideUp(count, machine.sel.scoresPerCycle);
  }
  template <typename I> int64_t sweepRows(const I &i) const {
    return cycles(sweepsOf(i, i.rows));
  }
  int64_t cycles(const Sweeps &sweeps) const {
    int64_t total = 0;
    for (const Sweep &sweep : sweeps)
      total += sweep.cycles(machine);
    return total;
  }
  int64_t transfer(int64_t bytes) const {
    return static_cast<int64_t>(
        std::ceil(static_cast<double>(bytes) / machine.dramBytesPerCycle()));
  }

  const Machine &machine;
  int64_t length;
  double kept, low;
};
} // namespace

int64_t isa::estimateCycles(const Instruction &instruction,
                            const Machine &machine,
                            const Expectation &expected) {
  return std::visit(Estimate(machine, expected), instruction);
}
