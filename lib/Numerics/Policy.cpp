//===- Policy.cpp - What may be skipped and what may be INT4 --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Policy.h"

#include "Named.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace fact::numerics {

namespace {

constexpr Named<Tail> tails[] = {{Tail::None, "none"}, {Tail::Mean, "mean"}};
constexpr Named<LowPrecision> lowPrecisions[] = {{LowPrecision::A4W4, "a4w4"},
                                                 {LowPrecision::A4W8, "a4w8"}};
constexpr Named<Scope> scopes[] = {{Scope::FFN, "ffn"}, {Scope::All, "all"}};
constexpr Named<Predictor> predictors[] = {
    {Predictor::LeadingOne, "leading-one"},
    {Predictor::LeadingTwo, "leading-two"},
    {Predictor::OneSided, "one-sided"},
    {Predictor::Exact, "exact"}};

template <typename E, size_t N>
std::string setIn(const Named<E> (&table)[N], std::string_view field,
                  std::string_view text, E &value) {
  if (std::optional<E> parsed = parseIn(table, text)) {
    value = *parsed;
    return {};
  }
  std::string message(field);
  message += " must be ";
  for (size_t i = 0; i < N; ++i) {
    message += i == 0 ? "" : i + 1 == N ? " or " : ", ";
    message += table[i].name;
  }
  return message + " (was '" + std::string(text) + "')";
}

std::optional<double> parseNumber(std::string_view text) {
  double value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

double nearestEven(double x) {
  double down = std::floor(x);
  double rest = x - down;
  if (rest < 0.5 || (rest == 0.5 && std::fmod(down, 2.0) == 0))
    return down;
  return down + 1;
}

/// The shortest decimal whose multiple by `unit` rounds to `value`; never 0
/// for a field where 0 itself is not allowed.
std::string shortest(int32_t value, double unit, bool positive) {
  for (int digits = 0; digits < 12; ++digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value / unit);
    std::optional<double> read = parseNumber(text);
    if (read && nearestEven(*read * unit) == value && (!positive || *read > 0))
      return text;
    // A share that rounds to no 1024th at all is still positive.
    if (positive && value == 0 && digits == 4)
      return "0.0001";
  }
  return std::to_string(value / unit);
}

std::string shortest(float value) {
  char text[64];
  auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : std::string("?");
}

} // namespace

std::string_view name(Tail tail) { return nameIn(tails, tail); }
std::string_view name(LowPrecision lowPrecision) {
  return nameIn(lowPrecisions, lowPrecision);
}
std::string_view name(Scope scope) { return nameIn(scopes, scope); }
std::string_view name(Predictor predictor) {
  return nameIn(predictors, predictor);
}

std::optional<Tail> parseTail(std::string_view text) {
  return parseIn(tails, text);
}
std::optional<LowPrecision> parseLowPrecision(std::string_view text) {
  return parseIn(lowPrecisions, text);
}
std::optional<Scope> parseScope(std::string_view text) {
  return parseIn(scopes, text);
}
std::optional<Predictor> parsePredictor(std::string_view text) {
  return parseIn(predictors, text);
}

int32_t keepIn1024ths(double keep) {
  return static_cast<int32_t>(nearestEven(keep * 1024));
}

int32_t importanceIn256ths(double importance) {
  auto rounded = static_cast<int32_t>(nearestEven(importance * 256));
  return rounded == 0 && importance > 0 ? keptByNone : rounded;
}

std::string Policy::set(std::string_view field, std::string_view value) {
  auto range = [&](const char *what) {
    return std::string(field) + " must be " + what + " (was '" +
           std::string(value) + "')";
  };
  std::optional<double> number = parseNumber(value);
  if (field == "keep") {
    if (!number || !(*number > 0 && *number <= 1))
      return range("a number above 0 and at most 1");
    keep = keepIn1024ths(*number);
    return {};
  }
  if (field == "dominance") {
    if (!number || !(*number >= 0 && *number <= largestDominance))
      return range("a number of logits from 0 to 1e30");
    dominance = static_cast<float>(*number);
    return {};
  }
  if (field == "importance") {
    if (!number || !(*number >= 0 && *number <= largestImportance))
      return range(
          ("a number from 0 to " + std::to_string(largestImportance)).c_str());
    importance = importanceIn256ths(*number);
    return {};
  }
  if (field == "tail")
    return setIn(tails, field, value, tail);
  if (field == "low-precision")
    return setIn(lowPrecisions, field, value, lowPrecision);
  if (field == "scope")
    return setIn(scopes, field, value, scope);
  if (field == "predictor")
    return setIn(predictors, field, value, predictor);
  return "unknown policy field '" + std::string(field) + "'";
}

std::string Policy::get(std::string_view field) const {
  if (field == "keep")
    return shortest(keep, 1024, /*positive=*/true);
  if (field == "dominance")
    return shortest(dominance);
  if (field == "importance")
    return importance == keptByNone
               ? "0.001"
               : shortest(importance, 256, /*positive=*/false);
  if (field == "tail")
    return std::string(name(tail));
  if (field == "low-precision")
    return std::string(name(lowPrecision));
  if (field == "scope")
    return std::string(name(scope));
  if (field == "predictor")
    return std::string(name(predictor));
  return {};
}

const std::vector<std::string> &policyFields() {
  static const std::vector<std::string> fields = {
      "keep",          "tail",  "dominance", "importance",
      "low-precision", "scope", "predictor"};
  return fields;
}

std::string Policy::print() const {
  std::string text;
  for (const std::string &field : policyFields())
    text += (text.empty() ? "" : " ") + field + "=" + get(field);
  return text;
}

bool Policy::operator==(const Policy &other) const {
  return keep == other.keep && tail == other.tail &&
         dominance == other.dominance && importance == other.importance &&
         lowPrecision == other.lowPrecision && scope == other.scope &&
         predictor == other.predictor;
}

bool Policy::hasFormOf(const Policy &other) const {
  return (keep < keepAll) == (other.keep < keepAll) &&
         (dominance > 0) == (other.dominance > 0) &&
         hasLowTokens() == other.hasLowTokens() && tail == other.tail &&
         lowPrecision == other.lowPrecision && scope == other.scope &&
         predictor == other.predictor;
}

const std::vector<std::string> &policyPresets() {
  static const std::vector<std::string> presets = {"dense", "paper", "balanced",
                                                   "fast"};
  return presets;
}

std::optional<Policy> policyPreset(std::string_view preset) {
  Policy policy;
  if (preset == "dense")
    return policy;
  policy.keep = keepIn1024ths(0.2);
  policy.dominance = 3;
  policy.importance = importanceIn256ths(1);
  if (preset == "paper")
    return policy;
  policy.tail = Tail::Mean;
  if (preset == "balanced")
    return policy;
  policy.keep = keepIn1024ths(0.1);
  policy.importance = importanceIn256ths(2);
  policy.scope = Scope::All;
  if (preset == "fast")
    return policy;
  return std::nullopt;
}

std::string parsePolicy(std::string_view text, Policy &policy) {
  Policy result;
  std::string error = overridePolicy(text, result);
  if (error.empty())
    policy = result;
  return error;
}

std::string overridePolicy(std::string_view text, Policy &policy) {
  Policy result = policy;
  bool first = true;
  while (true) {
    size_t begin = text.find_first_not_of(" ,");
    if (begin == std::string_view::npos)
      break;
    text.remove_prefix(begin);
    size_t end = std::min(text.find_first_of(" ,"), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    size_t equal = word.find('=');
    if (equal != std::string_view::npos) {
      std::string error =
          result.set(word.substr(0, equal), word.substr(equal + 1));
      if (!error.empty())
        return error;
    } else if (std::optional<Policy> preset = policyPreset(word)) {
      if (!first)
        return "a preset must come first (was '" + std::string(word) + "')";
      result = *preset;
    } else {
      return "unknown preset '" + std::string(word) + "'";
    }
    first = false;
  }
  policy = result;
  return {};
}

std::string parseLayerPolicy(std::string_view text, LayerPolicy &policy) {
  auto wrong = [&](const std::string &what) {
    return what + " (was '" + std::string(text) + "')";
  };
  size_t colon = text.find(':');
  std::string_view layers = text.substr(0, colon);
  auto number = [](std::string_view digits, int64_t &value) {
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() &&
           value >= 0;
  };
  LayerPolicy result;
  size_t dash = layers.find('-');
  bool isRange = dash != std::string_view::npos;
  if (colon == std::string_view::npos ||
      !number(layers.substr(0, dash), result.first) ||
      (isRange && !number(layers.substr(dash + 1), result.last)))
    return wrong("must be LAYERS:POLICY, as 0:dense or 0-3:keep=0.5,tail=none");
  if (!isRange)
    result.last = result.first;
  if (result.last < result.first)
    return wrong("layers must be in rising order");
  result.text = text.substr(colon + 1);
  if (result.text.find_first_not_of(" ,") == std::string::npos)
    return wrong("names no preset and no field for the layers");
  Policy scratch;
  if (std::string error = overridePolicy(result.text, scratch); !error.empty())
    return error;
  policy = std::move(result);
  return {};
}

} // namespace fact::numerics
