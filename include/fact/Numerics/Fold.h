//===- Fold.h - Functions of constants, the same on every machine ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Section 10 of docs/numerics.md: what a model computes from its constants is
// folded operation by operation, each in double on its f32 operands, rounded to
// f32. The functions here round correctly in double, so that no C library
// decides a bit of a constant. (+, -, *, / and the square root are exact by
// IEEE 754: two roundings, to double and to f32, are then one.) They are for
// constants only: at run time a layer uses FloatRules.h.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_FOLD_H
#define FACT_NUMERICS_FOLD_H

namespace fact::numerics::fold {

/// Values and special cases as in C: NaN stays NaN, exp(-inf) is 0, log(0) is
/// -inf, pow(-8, 0.5) is NaN.
float exp(float x);
float log(float x);
float pow(float x, float y);
float tanh(float x);
float erf(float x);
/// Of an angle in radians, however large.
float sin(float x);
float cos(float x);
/// 1 / (1 + exp(-x)).
float sigmoid(float x);

} // namespace fact::numerics::fold

#endif // FACT_NUMERICS_FOLD_H
