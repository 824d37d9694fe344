//===- fact-sim.cpp - Runs a program on a simulated machine ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Simulator.h"
#include "fact/Sim/Trace.h"
#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"
#include "fact/Support/Tool.h"

#include <iostream>

using namespace fact;

namespace {
struct Arguments {
  std::string program;
  std::vector<std::string> inputs, outputs;
  std::string report, masks, trace;
  sim::RunOptions options;
};
} // namespace

static void addOptions(CLI::App &app, Arguments &arguments) {
  app.description("Runs a program on the machine that it was compiled for");
  app.add_option("program", arguments.program, "program (.fact)")
      ->required()
      ->type_name("PROGRAM");
  app.add_option("--input", arguments.inputs,
                 "input array, one option each, in the program's order")
      ->type_name("FILE.npy")
      ->allow_extra_args(false);
  app.add_option("--output", arguments.outputs,
                 "where to write an output array, one option each")
      ->type_name("FILE.npy")
      ->allow_extra_args(false);
  app.add_option("--length", arguments.options.length,
                 "only the first N rows of the inputs count")
      ->check(atLeast(1))
      ->type_name("N");
  app.add_flag("--functional", arguments.options.functional,
               "compute results without times");
  app.add_option("--report", arguments.report, "write a report")
      ->type_name("FILE.json");
  app.add_option("--dump-masks", arguments.masks,
                 "write what was selected in every layer")
      ->type_name("FILE.npz");
  app.add_option("--fill-undefined", arguments.options.fillUndefined,
                 "fill memory with garbage first; must not change a bit")
      ->check(atLeast(0))
      ->type_name("SEED");
  app.add_flag("--check-hazards", arguments.options.checkHazards,
               "first check that every byte is written before it is read and "
               "that engines wait for each other");
  app.add_option("--random-schedule", arguments.options.randomSchedule,
                 "draw which engine goes on, among those that can; results "
                 "without times; must not change a bit")
      ->check(atLeast(0))
      ->type_name("SEED");
  app.add_option("--trace", arguments.trace,
                 "write a trace for Perfetto (ui.perfetto.dev) or Chrome")
      ->type_name("FILE.json")
      ->excludes("--functional")
      ->excludes("--random-schedule");
}

static void run(Arguments &arguments) {
  sim::Simulator simulator(isa::Program::read(arguments.program));
  size_t numOutputs = simulator.program().outputs.size();
  if (!arguments.outputs.empty() && arguments.outputs.size() != numOutputs)
    throw Error("the program has " + std::to_string(numOutputs) +
                " outputs (--output was given " +
                std::to_string(arguments.outputs.size()) + " times)");
  std::vector<NpyArray> inputs;
  for (const std::string &path : arguments.inputs)
    inputs.push_back(readInput(path));

  // Opened first, so that a wrong path is found before a long run; committed
  // last, so that a failed run leaves nothing behind.
  OutputFiles files;
  std::vector<OutputFile *> outputs;
  for (const std::string &path : arguments.outputs)
    outputs.push_back(&files.open(path));
  OutputFile *report = nullptr, *masks = nullptr, *traceFile = nullptr;
  if (!arguments.report.empty())
    report = &files.open(arguments.report);
  if (!arguments.masks.empty())
    masks = &files.open(arguments.masks);
  std::optional<sim::Trace> trace;
  if (!arguments.trace.empty()) {
    traceFile = &files.open(arguments.trace);
    trace.emplace(simulator.program());
    arguments.options.timeObservers.push_back(&*trace);
  }

  arguments.options.masks = masks;
  sim::RunResult result = simulator.run(inputs, arguments.options);
  result.report.program = arguments.program;
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i]->write(formatNpy(result.outputs[i]));
  if (report)
    report->write(result.report.toJson());
  if (masks)
    masks->write(formatNpz(result.masks));
  if (traceFile)
    traceFile->write(trace->json());
  files.commit();
  std::cout << result.report.summary();
}

int main(int argc, char **argv) {
  Arguments arguments;
  return toolMain(argc, argv, "fact-sim", [&](CLI::App &app) -> ToolBody {
    addOptions(app, arguments);
    return [&] {
      run(arguments);
      return 0;
    };
  });
}
