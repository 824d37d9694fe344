//===- Selection.cpp - Python bindings of the selection -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Selection.h"
#include "Arrays.h"

#include <limits>
#include <optional>

using namespace fact::python;
namespace n = fact::numerics;

namespace {

int32_t keepOf(double keep) {
  if (!(keep > 0 && keep <= 1))
    throw fact::Error("keep must be in (0, 1] (was " + std::to_string(keep) +
                      ")");
  return n::keepIn1024ths(keep);
}

py::array_t<bool> topK(const Array<float> &scores, double keep) {
  Rows<float> rows = rowsOf("scores", scores);
  int64_t k = n::keptKeys(keepOf(keep), rows.length);
  py::array_t<bool> mask(shapeOf(scores));
  std::vector<uint8_t> row(rows.length);
  for (int64_t i = 0; i < rows.count; ++i) {
    n::selectRow(rows[i], rows.length, k, row.data());
    std::copy(row.begin(), row.end(), mask.mutable_data() + i * rows.length);
  }
  return mask;
}

py::array_t<bool> dominated(const Array<float> &gap, const Array<float> &unit,
                            float threshold, const std::string &kind) {
  requireShape("unit", unit, shapeOf(gap));
  std::optional<n::Predictor> predictor = n::parsePredictor(kind);
  if (!predictor)
    throw fact::Error("predictor must be 'leading-one', 'leading-two', "
                      "'one-sided' or 'exact' (was '" +
                      kind + "')");
  py::array_t<bool> result(shapeOf(gap));
  for (py::ssize_t i = 0; i < gap.size(); ++i) {
    n::TopTwo top{gap.data()[i], 0.0f, 0};
    result.mutable_data()[i] = n::isDominated(
        top, 2, unit.data()[i], n::logitGain(*predictor), threshold);
  }
  return result;
}

py::array_t<bool> lowTokens(const Array<int64_t> &count, double importance) {
  requireRank("count", count, 1);
  if (!(importance >= 0 &&
        importance <= std::numeric_limits<int32_t>::max() / 256.0))
    throw fact::Error("importance must not be negative (was " +
                      std::to_string(importance) + ")");
  int64_t length = count.shape(0);
  std::vector<uint8_t> low(length);
  n::lowPrecisionTokens(count.data(), length, n::importanceIn256ths(importance),
                        low.data());
  return arrayOf<bool>({length}, low);
}

} // namespace

void fact::python::addSelection(py::module_ &m) {
  m.def("top_k", &topK, py::arg("scores"), py::arg("keep"),
        "top_k(scores, keep): mask of the kept columns of every row.\n\n"
        "scores: float32 [..., n]; returns bool [..., n] with max(1,\n"
        "(rne(keep * 1024) * n + 1023) >> 10) columns per row, ties to the\n"
        "lower. Section 5. ValueError unless 0 < keep <= 1.");
  m.def(
      "dominated", &dominated, py::arg("gap"), py::arg("unit"),
      py::arg("threshold"), py::arg("predictor") = "leading-one",
      "dominated(gap, unit, threshold, predictor): rows that one key wins.\n\n"
      "gap: float32, T_top1 - T_top2 of every row; unit: the same shape;\n"
      "threshold in logits, 0 = off; returns bool. Section 5.");
  m.def("low_tokens", &lowTokens, py::arg("count"), py::arg("importance"),
        "low_tokens(count, importance): tokens that run at INT4.\n\n"
        "count: int64 [L], (head, row) pairs that keep each token; importance\n"
        "as a multiple of the mean, 0 = none; returns bool [L]. Section 5.");
}
