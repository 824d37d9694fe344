//===- Policy.h - What may be skipped and what may be INT4 ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one definition of the sparsity and precision policy, used by compiler,
// simulator and tools. docs/numerics.md, sections 4 to 7.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_POLICY_H
#define FACT_NUMERICS_POLICY_H

#include "fact/Numerics/Enums.h"
#include "fact/Numerics/Limits.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fact::numerics {

/// Names as flags, attributes and reports spell them.
std::string_view name(Tail tail);                 // none, mean
std::string_view name(LowPrecision lowPrecision); // a4w4, a4w8
std::string_view name(Scope scope);               // ffn, all
std::string_view name(Predictor predictor);       // leading-one, ...
std::optional<Tail> parseTail(std::string_view text);
std::optional<LowPrecision> parseLowPrecision(std::string_view text);
std::optional<Scope> parseScope(std::string_view text);
std::optional<Predictor> parsePredictor(std::string_view text);

struct Policy {
  /// Kept share of each row in 1024ths, 0..keepAll (0 keeps one key per row).
  int32_t keep = keepAll;
  Tail tail = Tail::None;
  /// Threshold in logits above which a row is dominated; 0 = off.
  float dominance = 0.0f;
  /// Importance in 256ths: a token kept no more often than this multiple of
  /// the mean is low precision; 0 = every token INT8. 0..largestImportance256,
  /// or keptByNone.
  int32_t importance = 0;
  LowPrecision lowPrecision = LowPrecision::A4W4;
  Scope scope = Scope::FFN;
  Predictor predictor = Predictor::LeadingOne;

  /// Whether anything is predicted. Where not, every allowed column is kept.
  bool predicts() const { return keep < keepAll || dominance > 0; }
  /// Whether rows with dropped keys get a mean token, in an attention that can
  /// have one (AttentionForm::canHaveMeanToken).
  bool hasMeanToken() const { return tail == Tail::Mean && keep < keepAll; }
  bool hasLowTokens() const { return importance != 0; }
  /// Whether both say the same of a layer but for the values of keep,
  /// dominance and importance: what is on in one is on in the other.
  bool hasFormOf(const Policy &other) const;

  /// Sets one field by its flag name (keep, tail, dominance, importance,
  /// low-precision, scope, predictor). Returns the empty string, or what is
  /// wrong with the value or the name; then nothing changes.
  std::string set(std::string_view field, std::string_view value);

  /// The value of a field by its flag name, in the shortest decimal form that
  /// `set` reads back as the same value.
  std::string get(std::string_view field) const;

  /// "keep=0.2 tail=mean dominance=3 importance=1 low-precision=a4w4
  /// scope=ffn predictor=leading-one": all fields, one line.
  std::string print() const;

  bool operator==(const Policy &other) const;
  bool operator!=(const Policy &other) const { return !(*this == other); }
};

/// The fields' flag names, in the order of `print`.
const std::vector<std::string> &policyFields();

/// dense, paper, balanced or fast.
std::optional<Policy> policyPreset(std::string_view preset);
const std::vector<std::string> &policyPresets();
inline constexpr const char *defaultPolicyPreset = "balanced";

/// Reads "PRESET", "field=value ...", or a preset followed by fields that
/// override it; fields are separated by blanks or commas. Without a preset
/// the dense policy is the base, so that `print` is read back as it was.
/// Returns the empty string, or what is wrong; then `policy` is unchanged.
std::string parsePolicy(std::string_view text, Policy &policy);
/// The same with `policy` itself as the base.
std::string overridePolicy(std::string_view text, Policy &policy);

/// "LAYERS:POLICY": what overrides the policy in some layers. LAYERS is a
/// number or a range of numbers, "0-3", from 0 in the order of the model's
/// attentions; POLICY is as overridePolicy() reads it.
struct LayerPolicy {
  int64_t first = 0, last = 0; ///< layers, both included
  std::string text;
};
/// Returns the empty string, or what is wrong.
std::string parseLayerPolicy(std::string_view text, LayerPolicy &policy);

/// rne(keep * 1024), for 0 < keep <= 1.
int32_t keepIn1024ths(double keep);
/// rne(importance * 256), or keptByNone.
int32_t importanceIn256ths(double importance);

} // namespace fact::numerics

#endif // FACT_NUMERICS_POLICY_H
