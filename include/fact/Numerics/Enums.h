//===- Enums.h - The choices of the contract, one list each ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dialects and the instruction set have enumerations of their own (TableGen
// makes them) with the same cases. `as...<To>(value)` is how one becomes
// another: by the cases' names, so that a name that one of them lacks does not
// compile, and a case that is not in the list here is a warning.
//
//   isa::Predictor p = numerics::asPredictor<isa::Predictor>(policy.predictor);
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_ENUMS_H
#define FACT_NUMERICS_ENUMS_H

#include <cstdint>
#include <optional>

/// What a row of an activation function is mapped by (section 2).
#define FACT_ACTIVATIONS(CASE)                                                 \
  CASE(Gelu) CASE(GeluTanh) CASE(QuickGelu) CASE(Swish) CASE(Relu)
#define FACT_NORMS(CASE)                                                       \
  CASE(Layer) /* centred, divided by the deviation */                          \
  CASE(RMS)   /* divided by the root mean square */
#define FACT_ROTARY_STYLES(CASE)                                               \
  CASE(Half)        /* pairs (c, c + p) of p rotated pairs */                  \
  CASE(Interleaved) /* pairs (2c, 2c + 1) */
/// What the prediction sees of its operands (section 4).
#define FACT_PREDICTORS(CASE)                                                  \
  CASE(LeadingOne) CASE(LeadingTwo) CASE(OneSided) CASE(Exact)
/// Which operand of the prediction's two products a code comes from.
#define FACT_PREDICTOR_OPERANDS(CASE)                                          \
  CASE(Activation) /* x8, stage 1 */                                           \
  CASE(Weight)     /* predictor weights of Wq or Wk, stage 1 */                \
  CASE(Query)      /* shifted Hq, stage 2 */                                   \
  CASE(Key)        /* shifted Hk, stage 2 */
/// Those of stage 2, which instructions choose between.
#define FACT_SCORE_OPERANDS(CASE) CASE(Query) CASE(Key)
/// Formats of a low-precision token's linear layer (section 7).
#define FACT_LOW_PRECISIONS(CASE)                                              \
  CASE(A4W4) /* INT4 rows and the high weight plane */                         \
  CASE(A4W8) /* INT4 rows and INT8 weights */
/// Which linear layers run low tokens at low precision (section 7).
#define FACT_SCOPES(CASE)                                                      \
  CASE(FFN) /* both layers of the feed-forward network */                      \
  CASE(All) /* Q, K, V generation and the output projection too */
/// What stands for the keys that a row dropped (section 6).
#define FACT_TAILS(CASE)                                                       \
  CASE(None) /* nothing, as in the paper */                                    \
  CASE(Mean) /* one mean token */

namespace fact::numerics {

#define FACT_ENUMERATOR(NAME) NAME,
enum class Activation : uint8_t { FACT_ACTIVATIONS(FACT_ENUMERATOR) };
enum class Norm : uint8_t { FACT_NORMS(FACT_ENUMERATOR) };
enum class RotaryStyle : uint8_t { FACT_ROTARY_STYLES(FACT_ENUMERATOR) };
enum class Predictor : uint8_t { FACT_PREDICTORS(FACT_ENUMERATOR) };
enum class PredictorOperand : uint8_t {
  FACT_PREDICTOR_OPERANDS(FACT_ENUMERATOR)
};
enum class LowPrecision : uint8_t { FACT_LOW_PRECISIONS(FACT_ENUMERATOR) };
enum class Scope : uint8_t { FACT_SCOPES(FACT_ENUMERATOR) };
enum class Tail : uint8_t { FACT_TAILS(FACT_ENUMERATOR) };
#undef FACT_ENUMERATOR

// A value that is no case (a damaged one) must not come here.
#define FACT_CONVERTED_CASE(NAME)                                              \
  case From::NAME:                                                             \
    return To::NAME;
#define FACT_CONVERSION(FUNCTION, CASES)                                       \
  template <typename To, typename From> constexpr To FUNCTION(From from) {     \
    switch (from) { CASES(FACT_CONVERTED_CASE) }                               \
    __builtin_unreachable();                                                   \
  }
FACT_CONVERSION(asActivation, FACT_ACTIVATIONS)
FACT_CONVERSION(asNorm, FACT_NORMS)
FACT_CONVERSION(asRotaryStyle, FACT_ROTARY_STYLES)
FACT_CONVERSION(asPredictor, FACT_PREDICTORS)
FACT_CONVERSION(asPredictorOperand, FACT_PREDICTOR_OPERANDS)
FACT_CONVERSION(asScoreOperand, FACT_SCORE_OPERANDS)
FACT_CONVERSION(asLowPrecision, FACT_LOW_PRECISIONS)
FACT_CONVERSION(asScope, FACT_SCOPES)
FACT_CONVERSION(asTail, FACT_TAILS)
#undef FACT_CONVERSION

/// What an activation that may be none is; null for none.
template <typename From>
constexpr std::optional<Activation> activationOrNone(From from) {
  using To = Activation;
  switch (from) {
    FACT_ACTIVATIONS(FACT_CONVERTED_CASE)
  case From::None:
    return std::nullopt;
  }
  __builtin_unreachable();
}
#undef FACT_CONVERTED_CASE

} // namespace fact::numerics

#endif // FACT_NUMERICS_ENUMS_H
