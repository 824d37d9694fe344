//===- Choices.cpp - Names that policies and ops choose from --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "fact/Numerics/Enums.h"
#include "fact/Numerics/Policy.h"
#include "fact/Numerics/RowOps.h"

using namespace fact::python;
namespace n = fact::numerics;

namespace {
/// A tuple of names, in the order of the list.
template <typename List> py::tuple namesOf(const List &list) {
  py::tuple names(list.size());
  size_t i = 0;
  for (const auto &value : list)
    if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>)
      names[i++] = std::string(n::name(value));
    else
      names[i++] = value;
  return names;
}
} // namespace

void fact::python::addChoices(py::module_ &m) {
#define FACT_ACTIVATION(NAME) n::Activation::NAME,
#define FACT_LOW_PRECISION(NAME) n::LowPrecision::NAME,
#define FACT_PREDICTOR(NAME) n::Predictor::NAME,
#define FACT_SCOPE(NAME) n::Scope::NAME,
#define FACT_TAIL(NAME) n::Tail::NAME,
  m.attr("ACTIVATIONS") =
      namesOf(std::vector{FACT_ACTIVATIONS(FACT_ACTIVATION)});
  m.attr("LOW_PRECISIONS") =
      namesOf(std::vector{FACT_LOW_PRECISIONS(FACT_LOW_PRECISION)});
  m.attr("POLICY_PRESETS") = namesOf(n::policyPresets());
  m.attr("PREDICTORS") = namesOf(std::vector{FACT_PREDICTORS(FACT_PREDICTOR)});
  m.attr("SCOPES") = namesOf(std::vector{FACT_SCOPES(FACT_SCOPE)});
  m.attr("TAILS") = namesOf(std::vector{FACT_TAILS(FACT_TAIL)});
#undef FACT_TAIL
#undef FACT_SCOPE
#undef FACT_PREDICTOR
#undef FACT_LOW_PRECISION
#undef FACT_ACTIVATION
}
