//===- fact-test-reference.cpp - Runs ONNX models for the tests -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// fact-test-reference MODEL DATA.npz: imports MODEL, runs it on the inputs
// `in<run>.<argument>` of the archive and compares with `out<run>`. One line
// per model; exit status 1 where the difference is above the tolerance.
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunner.h"

#include "fact/Support/Error.h"
#include "fact/Support/Npy.h"
#include "fact/Support/Tool.h"

#include <cmath>
#include <cstdio>

static RunnerTensor toTensor(const fact::NpyArray &array,
                             const std::string &name) {
  const float *data = array.as<float>("array '" + name + "'");
  return {array.shape, std::vector<float>(data, data + array.numElements())};
}

/// Largest difference; infinite where shapes differ or a number is none.
static double difference(const RunnerTensor &a, const RunnerTensor &b) {
  if (a.shape != b.shape)
    return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    double each = std::fabs(double(a.data[i]) - double(b.data[i]));
    largest = std::isnan(each) ? INFINITY : std::max(largest, each);
  }
  return largest;
}

int main(int argc, char **argv) {
  std::string model, data, to;
  std::vector<std::string> from, shapes;
  double tolerance = 1e-5;
  return fact::toolMain(argc, argv, "fact-test-reference", [&](CLI::App &app) {
    app.add_option("model", model)->required();
    app.add_option("data", data)->required();
    app.add_option("--from", from)->delimiter(',');
    app.add_option("--to", to);
    app.add_option("--shape", shapes);
    app.add_option("--tolerance", tolerance);
    return [&] {
      fact::NpzArchive archive = fact::readNpz(data);
      std::vector<std::vector<RunnerTensor>> runs;
      std::vector<RunnerTensor> expected, outputs;
      for (size_t run = 0;; ++run) {
        std::string prefix = "in" + std::to_string(run) + ".";
        std::vector<RunnerTensor> inputs;
        for (size_t i = 0; archive.count(prefix + std::to_string(i)); ++i) {
          std::string name = prefix + std::to_string(i);
          inputs.push_back(toTensor(archive.at(name), name));
        }
        std::string name = "out" + std::to_string(run);
        if (inputs.empty() || archive.count(name) == 0)
          break;
        runs.push_back(std::move(inputs));
        expected.push_back(toTensor(archive.at(name), name));
      }
      if (runs.empty())
        throw fact::Error("'" + data + "' has no run");
      std::string error = runReference(model, from, to, shapes, runs, outputs);
      if (!error.empty())
        throw fact::Error(model + ": " + error);
      double largest = 0;
      for (size_t i = 0; i < runs.size(); ++i)
        largest = std::max(largest, difference(outputs[i], expected[i]));
      std::printf("%s: %zu runs, largest difference %g\n",
                  model.substr(model.rfind('/') + 1).c_str(), runs.size(),
                  largest);
      if (!(largest <= tolerance))
        throw fact::Error(model + ": difference is above " +
                          std::to_string(tolerance));
      return 0;
    };
  });
}
