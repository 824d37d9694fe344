//===- Formats.h - INT8 and INT4 rows and weights -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Quantization of whole rows and matrices: docs/numerics.md, section 1.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_NUMERICS_FORMATS_H
#define FACT_NUMERICS_FORMATS_H

#include <cstdint>
#include <vector>

namespace fact::numerics {

/// Largest |x| of `n` floats; 0 for n = 0.
float largestMagnitude(const float *x, int64_t n);

/// Quantizes a row of `n` floats to INT8 and returns its scale 2^e
/// (exponentOfScale gives e).
float quantizeRowInt8(const float *x, int64_t n, int8_t *q);

/// Quantizes a row of `n` floats to INT4, one code per byte, -7..7, and
/// returns its scale s.
float quantizeRowInt4(const float *x, int64_t n, int8_t *q);

/// One or the other, of a row whose largest magnitude is known.
float quantizeRow(const float *x, int64_t n, float largest, bool toInt4,
                  int8_t *q);

/// Quantizes a row in slices of `headSize`, each with its own exponent: `n` is
/// a multiple of headSize, `scales` has one 2^e per head.
void quantizeHeadsInt8(const float *x, int64_t n, int64_t headSize, int8_t *q,
                       float *scales);

/// y = q * scale, exactly what a quantized row stands for.
void dequantizeRow(const int8_t *q, int64_t n, float scale, float *y);

/// INT8 weights of `in` x `out` floats (row-major, y = x W), codes -119..119,
/// with one scale per output channel in `scales`.
void quantizeWeights(const float *weights, int64_t in, int64_t out, int8_t *w,
                     float *scales);

/// Predictor weights of a whole matrix of `n` floats: codes -127..127, one
/// scale, which is returned.
float quantizePredictorWeights(const float *weights, int64_t n, int8_t *w);

/// The two INT4 planes of a weight: w = 16 * high + low.
inline int8_t highPlane(int8_t w) { return static_cast<int8_t>((w + 8) >> 4); }
inline int8_t lowPlane(int8_t w) {
  return static_cast<int8_t>(w - 16 * highPlane(w));
}

/// Splits `n` weights; `low` may be null.
void splitPlanes(const int8_t *w, int64_t n, int8_t *high, int8_t *low);

/// Packs the planes of `n` weights, two values to a byte, the first one in the
/// lower half, an odd last one beside a zero. False where a weight is not in
/// -119..119, whose planes do not fit.
bool packPlanes(const int8_t *w, int64_t n, uint8_t *high, uint8_t *low);

/// `n` weights of packed planes; without `low` those of the high plane alone,
/// times 16.
void unpackPlanes(const uint8_t *high, const uint8_t *low, int64_t n,
                  int8_t *w);

/// Scale of the high plane of a channel.
inline float highPlaneScale(float scale) { return 16.0f * scale; }

/// A quantized weight matrix with everything that its linear layers need.
struct QuantizedWeights {
  int64_t in = 0;
  int64_t out = 0;
  std::vector<int8_t> codes;     ///< [in, out], -119..119
  std::vector<int8_t> high;      ///< [in, out], high plane, -7..7
  std::vector<float> scales;     ///< [out]
  std::vector<float> highScales; ///< [out], 16 * scales
};

QuantizedWeights quantizeWeights(const float *weights, int64_t in, int64_t out);
/// The same from codes and scales that are there already.
QuantizedWeights quantizedWeights(const int8_t *codes, const float *scales,
                                  int64_t in, int64_t out);

/// Largest magnitude that inputs and weights may have.
inline constexpr float inputLimit = 0x1p50f;

/// Index of the first of `n` floats that is NaN or has |x| > 2^50, or -1.
int64_t findUnusable(const float *x, int64_t n);

/// Index of the first of `n` floats that is not finite, or -1.
int64_t findNotFinite(const float *x, int64_t n);

} // namespace fact::numerics

#endif // FACT_NUMERICS_FORMATS_H
