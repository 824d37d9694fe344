//===- RowOps.h - Layer norm, activations, column mean --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The float rules of docs/numerics.md, section 2, over whole rows.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_ROWOPS_H
#define FACT_NUMERICS_ROWOPS_H

#include "fact/Numerics/Enums.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace fact::numerics {

/// gelu, gelu_tanh, quick_gelu, swish, relu.
std::string_view name(Activation activation);
std::optional<Activation> parseActivation(std::string_view text);
std::string_view name(Norm norm); // layer, rms
std::optional<Norm> parseNorm(std::string_view text);
std::string_view name(RotaryStyle style); // half, interleaved
std::optional<RotaryStyle> parseRotaryStyle(std::string_view text);

/// The sum of `n` floats in the order of `rsum`.
float rsum(const float *x, int64_t n);

/// y = norm of a row of `n` floats; y may be x. `beta` may be null: then
/// nothing is added.
void normRow(Norm norm, const float *x, const float *gamma, const float *beta,
             float epsilon, int64_t n, float *y);

/// y = the rotary embedding of one head of one row: the first 2 * pairs of `n`
/// features in pairs, the rest as they are. `cos` and `sin` are the row's
/// [pairs]; y may be x.
void rotateRow(RotaryStyle style, const float *cos, const float *sin,
               int64_t pairs, const float *x, int64_t n, float *y);

/// y[i] = activation(x[i]) of one value.
float activate(Activation activation, float x);

/// y[i] = activation(x[i]); y may be x.
void activateRow(Activation activation, const float *x, int64_t n, float *y);

/// y[i] = e^x[i]; y may be x.
void expRow(const float *x, int64_t n, float *y);

/// y = a + b; y may be either.
void addRow(const float *a, const float *b, int64_t n, float *y);

/// y = a * b; y may be either.
void multiplyRow(const float *a, const float *b, int64_t n, float *y);

/// Column means of rows that arrive one after the other: `columnSumAdd` for
/// each row in token order (`first` for the first one, which is copied), then
/// `columnMeanFinish` with the number of rows.
void columnSumAdd(const float *row, bool first, int64_t n, float *sum);
void columnMeanFinish(const float *sum, int64_t rows, int64_t n, float *mean);

/// mean[n] = column_mean of a[rows, n].
void columnMean(const float *a, int64_t rows, int64_t n, float *mean);

} // namespace fact::numerics

#endif // FACT_NUMERICS_ROWOPS_H
