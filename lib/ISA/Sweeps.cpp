//===- Sweeps.cpp - How the float32 lanes go over rows --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an element takes is counted in docs/numerics.md's own operations,
// sections 1 to 3 and 6.
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Sweeps.h"

#include "fact/ISA/Cost.h"
#include "fact/Numerics/Enums.h"

#include <algorithm>

using namespace fact;
using namespace fact::isa;

int64_t Sweep::laneSteps(const Machine &machine) const {
  const Machine::AuxiliaryUnit &apu = machine.apu;
  return std::max({int64_t(1), divideUp(perElement.add, apu.addUnits),
                   divideUp(perElement.multiply, apu.multiplyUnits),
                   divideUp(perElement.scale, apu.scaleUnits),
                   divideUp(perElement.max, apu.maxUnits),
                   divideUp(perElement.quantize, apu.quantizeUnits)});
}

int64_t Sweep::pipelinePasses(const Machine &machine) const {
  const Machine::AuxiliaryUnit &apu = machine.apu;
  return perElement.exp * apu.expPasses + perElement.erf * apu.erfPasses +
         perElement.divide * apu.dividePasses +
         perElement.squareRoot * apu.squareRootPasses;
}

int64_t Sweep::cycles(const Machine &machine) const {
  return rows *
         std::max(divideUp(elements, machine.apu.lanes) * laneSteps(machine),
                  divideUp(elements * pipelinePasses(machine),
                           machine.apu.pipelines));
}

double Sweep::idealCycles(const Machine &machine) const {
  return static_cast<double>(rows * elements) *
         std::max(static_cast<double>(laneSteps(machine)) /
                      static_cast<double>(machine.apu.lanes),
                  static_cast<double>(pipelinePasses(machine)) /
                      static_cast<double>(machine.apu.pipelines));
}

Sweeps isa::sweepsOf(const ApuNorm &i, int64_t rows) {
  bool isCentred = i.kind == Norm::Layer;
  FloatSteps sum, squares, perRow, result;
  sum.add = 1;
  squares.add = 1 + isCentred; // x - mu, sum
  squares.multiply = 1;
  perRow.divide = 2 + isCentred;
  perRow.squareRoot = perRow.add = 1;
  result.add = isCentred + i.beta.present;
  result.multiply = 2;
  result.max = i.maximum.present;
  int64_t n = i.n;
  return {{{isCentred ? rows : 0, n, sum},
           {rows, n, squares},
           {1, rows, perRow},
           {rows, n, result}}};
}

Sweeps isa::sweepsOf(const ApuRotate &i, int64_t rows) {
  FloatSteps rotated, kept;
  rotated.multiply = 2; // of each feature of a pair
  rotated.add = 1;
  rotated.max = kept.max = i.maximum.present;
  int64_t features = 2 * int64_t(i.pairs);
  return {{{rows, features, rotated}, {rows, i.n - features, kept}}};
}

Sweeps isa::sweepsOf(const ApuQuantize &i, int64_t rows) {
  FloatSteps largest, code;
  largest.max = 1;
  code.quantize = 1;
  return {{{i.maximum.present ? 0 : rows, i.n, largest}, {rows, i.n, code}}};
}

/// Adds the steps of an activation function.
static void addSteps(numerics::Activation kind, FloatSteps &per) {
  switch (kind) {
  case numerics::Activation::Gelu: // (0.5 * x) * (1 + erf(x * c))
    per.multiply += 3;
    per.add += 1;
    per.erf += 1;
    return;
  case numerics::Activation::GeluTanh:
    per.multiply += 4;
    per.add += 2;
    per.exp += 1;
    per.divide += 1;
    return;
  case numerics::Activation::QuickGelu:
    per.multiply += 1;
    [[fallthrough]];
  case numerics::Activation::Swish:
    per.add += 1;
    per.exp += 1;
    per.divide += 1;
    return;
  case numerics::Activation::Relu:
    per.max += 1;
    return;
  }
}

Sweeps isa::sweepsOf(const ApuRescale &i, int64_t rows) {
  FloatSteps per;
  per.multiply = 2;
  per.add = int64_t(i.bias.present) + int64_t(i.residual.present);
  per.max = i.maximum.present;
  if (auto activation = numerics::activationOrNone(i.activation))
    addSteps(*activation, per);
  return {{{rows, i.n, per}}};
}

Sweeps isa::sweepsOf(const ApuActivation &i, int64_t rows) {
  FloatSteps per;
  addSteps(numerics::asActivation<numerics::Activation>(i.kind), per);
  return {{{rows, i.n, per}}};
}

Sweeps isa::sweepsOf(const ApuAdd &i, int64_t rows) {
  FloatSteps per;
  per.add = 1;
  return {{{rows, i.n, per}}};
}

Sweeps isa::sweepsOf(const ApuMultiply &i, int64_t rows) {
  FloatSteps per;
  per.multiply = 1;
  return {{{rows, i.n, per}}};
}

Sweeps isa::sweepsOf(const ApuColumnSum &i, int64_t rows) {
  FloatSteps per;
  per.add = 1;
  return {{{rows, i.n, per}}};
}

Sweeps isa::sweepsOf(const ApuMean &i) {
  FloatSteps per;
  per.divide = 1;
  return {{{1, i.n, per}}};
}

Sweeps isa::sweepsOf(const ApuSoftmax &, int64_t rows, int64_t columns,
                     int64_t finished) {
  FloatSteps maximum, terms, probabilities, perRow;
  // Scales of rows of K and V are powers of two.
  maximum.multiply = maximum.scale = 1; // the two of S
  maximum.max = 1;
  terms.add = 2; // S - mx, the sum
  terms.exp = 1;
  terms.multiply = terms.scale = 1; // E * 65535, g
  terms.max = 1;
  probabilities.multiply = probabilities.scale = 1; // g * factor, g
  probabilities.quantize = 1;
  perRow.divide = 2; // den, 255 / gm
  return {{{rows, columns, maximum},
           {rows, columns, terms},
           {rows, columns, probabilities},
           {1, finished, perRow}}};
}

Sweeps isa::sweepsOf(const ApuContext &i, int64_t rows, int64_t tails) {
  FloatSteps per, perTail, perRow, perTailRow;
  per.multiply = 2;
  perTail.multiply = 3; // num * r, w * (value), value's scale
  perTail.add = 1;
  perRow.divide = 2; // gm / 255, 1 / den
  perTailRow.exp = 2;
  perTailRow.multiply = 4;
  perTailRow.add = 3;
  perTailRow.max = 1;
  return {{{rows, i.n, per},
           {1, rows, perRow},
           {tails, i.n, perTail},
           {1, tails, perTailRow}}};
}

Sweeps isa::sweepsOf(const ApuCopyDominated &i, int64_t rows) {
  FloatSteps per;
  per.multiply = 1;
  return {{{rows, i.n, per}}};
}
