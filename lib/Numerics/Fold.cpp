//===- Fold.cpp - Functions of constants, the same on every machine -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Fold.h"

#include <mpfr.h>

using namespace fact::numerics;

namespace {

/// A number of MPFR with the precision of a double, whose operations it rounds
/// correctly.
class Number {
public:
  explicit Number(double value = 0) {
    mpfr_init2(number, 53);
    mpfr_set_d(number, value, MPFR_RNDN);
  }
  ~Number() { mpfr_clear(number); }
  Number(const Number &) = delete;
  Number &operator=(const Number &) = delete;

  operator mpfr_ptr() { return number; }
  double value() const { return mpfr_get_d(number, MPFR_RNDN); }

private:
  mpfr_t number;
};

using Function = int (*)(mpfr_ptr result, mpfr_srcptr x, mpfr_rnd_t rounding);

double inDouble(Function function, double x) {
  Number number(x);
  function(number, number, MPFR_RNDN);
  return number.value();
}

} // namespace

float fold::exp(float x) { return static_cast<float>(inDouble(mpfr_exp, x)); }
float fold::log(float x) { return static_cast<float>(inDouble(mpfr_log, x)); }
float fold::tanh(float x) { return static_cast<float>(inDouble(mpfr_tanh, x)); }
float fold::erf(float x) { return static_cast<float>(inDouble(mpfr_erf, x)); }
float fold::sin(float x) { return static_cast<float>(inDouble(mpfr_sin, x)); }
float fold::cos(float x) { return static_cast<float>(inDouble(mpfr_cos, x)); }

float fold::pow(float x, float y) {
  Number base(x), exponent(y);
  mpfr_pow(base, base, exponent, MPFR_RNDN);
  return static_cast<float>(base.value());
}

float fold::sigmoid(float x) {
  return static_cast<float>(1 / (1 + inDouble(mpfr_exp, -x)));
}
