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
                            float threshold, const std::string &kind,
                            int headNorms) {
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
        top, 2, unit.data()[i], n::logitGain(*predictor, headNorms), threshold);
  }
  return result;
}

py::array_t<bool> allowed(int64_t length, const WindowEnds &ends) {
  if (length < 0)
    throw fact::Error("length must not be negative (was " +
                      std::to_string(length) + ")");
  n::Window window = windowOf(ends);
  std::vector<uint8_t> mask(length * length, 0);
  for (int64_t i = 0; i < length; ++i)
    std::fill_n(mask.data() + i * length + window.first(i),
                window.keysOf(i, length), uint8_t(1));
  return arrayOf<bool>({length, length}, mask);
}

py::array_t<bool> lowTokens(const Array<int64_t> &count, double importance,
                            const WindowEnds &window) {
  requireRank("count", count, 1);
  if (!(importance >= 0 &&
        importance <= std::numeric_limits<int32_t>::max() / 256.0))
    throw fact::Error("importance must not be negative (was " +
                      std::to_string(importance) + ")");
  int64_t length = count.shape(0);
  std::vector<uint8_t> low(length);
  n::lowPrecisionTokens(count.data(), windowOf(window), length,
                        n::importanceIn256ths(importance), low.data());
  return arrayOf<bool>({length}, low);
}

} // namespace

void fact::python::addSelection(py::module_ &m) {
  m.def(
      "allowed", &allowed, py::arg("length"), py::arg("window"),
      "allowed(length, window): which keys each row may attend to.\n\n"
      "window: numbers of keys before and after its own, None = all; returns\n"
      "bool [length, length]. Section 10.");
  m.def("top_k", &topK, py::arg("scores"), py::arg("keep"),
        "top_k(scores, keep): mask of the kept columns of every row.\n\n"
        "scores: float32 [..., n]; returns bool [..., n] with max(1,\n"
        "(rne(keep * 1024) * n + 1023) >> 10) columns per row, ties to the\n"
        "lower. Section 5. ValueError unless 0 < keep <= 1.");
  m.def(
      "logit_gain",
      [](const std::string &kind, int headNorms) {
        std::optional<n::Predictor> predictor = n::parsePredictor(kind);
        if (!predictor)
          throw fact::Error("there is no predictor '" + kind + "'");
        return py::array_t<float>(
            py::array_t<float>::ShapeContainer{},
            std::vector<float>{n::logitGain(*predictor, headNorms)}.data());
      },
      py::arg("predictor"), py::arg("head_norms") = 0,
      "logit_gain(predictor, head_norms=0): what a difference of scores is\n"
      "multiplied with, float32; head_norms: on how many of Q and K.\n"
      "Sections 4 and 10.");
  m.def("dominated", &dominated, py::arg("gap"), py::arg("unit"),
        py::arg("threshold"), py::arg("predictor") = "leading-one",
        py::arg("head_norms") = 0,
        "dominated(gap, unit, threshold, predictor, head_norms=0): rows that "
        "one\n"
        "key wins.\n\n"
        "gap: float32, T_top1 - T_top2 of every row; unit: the same shape;\n"
        "threshold in logits, 0 = off; head_norms: on how many of Q and K;\n"
        "returns bool. Sections 5 and 10.");
  m.def("low_tokens", &lowTokens, py::arg("count"), py::arg("importance"),
        py::arg("window") = WindowEnds(),
        "low_tokens(count, importance, window=(None, None)): tokens that run\n"
        "at INT4.\n\n"
        "count: int64 [L], (head, row) pairs that keep each token; importance\n"
        "as a multiple of the mean, 0 = none; window: keys before and after\n"
        "its own that a row sees, None = all; returns bool [L]. Section 5.");
}
