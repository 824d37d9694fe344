//===- Rules.cpp - Rules of single values
//----------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rules.h"

#include "fact/Numerics/FloatRules.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;

Real loops::activate(Activation kind, const Real &x) {
  switch (kind) {
  case Activation::Gelu:
    return numerics::gelu(x);
  case Activation::GeluTanh:
    return numerics::geluTanh(x);
  case Activation::QuickGelu:
    return numerics::quickGelu(x);
  case Activation::Swish:
    return numerics::swish(x);
  case Activation::Relu:
    return numerics::relu(x);
  }
  llvm_unreachable("unknown activation");
}

/// 2^floor(log2 x) of each lane, 0 of 0; lanes are 0..127.
static Value leadingBit(Emitter &e, Value x) {
  auto shift = [&](Value v, int64_t by) {
    return arith::ShRUIOp::create(e.b, v, e.integer(v.getType(), by))
        .getResult();
  };
  for (int64_t by : {1, 2, 4})
    x = arith::OrIOp::create(e.b, x, shift(x, by));
  return arith::XOrIOp::create(e.b, x, shift(x, 1));
}

Value loops::encode(Emitter &e, numerics::PredictorCode code, Value q) {
  if (code == numerics::PredictorCode::Exact)
    return q;
  Value zero = e.integer(q.getType(), 0);
  Value negative = e.compare(arith::CmpIPredicate::slt, q, zero);
  Value opposite = arith::SubIOp::create(e.b, zero, q);
  Value magnitude = arith::SelectOp::create(e.b, negative, opposite, q);
  Value kept = leadingBit(e, magnitude);
  if (code == numerics::PredictorCode::LeadingTwo)
    kept = arith::AddIOp::create(
        e.b, kept, leadingBit(e, arith::SubIOp::create(e.b, magnitude, kept)));
  return arith::SelectOp::create(e.b, negative,
                                 arith::SubIOp::create(e.b, zero, kept), kept);
}
