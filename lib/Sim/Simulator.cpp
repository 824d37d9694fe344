//===- Simulator.cpp - Runs programs --------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Simulator.h"

#include "Core.h"
#include "Host.h"
#include "fact/ISA/CheckOrder.h"
#include "fact/ISA/CheckProgram.h"
#include "fact/Numerics/FloatMode.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cstring>

namespace fact::sim {

Simulator::Simulator(isa::Program program)
    : source(std::make_unique<const isa::Program>(std::move(program))),
      code(std::make_unique<const isa::Code>(*source)),
      described(isa::Metadata::parse(source->metadata)) {}

Simulator::~Simulator() = default;

static void prepare(State &state, const isa::Program &program,
                    const std::vector<NpyArray> &inputs,
                    const isa::Sequence &sequence, const RunOptions &options) {
  state.length = sequence.length;
  if (options.fillUndefined)
    state.fillUndefined(*options.fillUndefined);
  if (program.constantsSize() > 0)
    std::memcpy(state.dram.data(), program.constants(),
                program.constantsSize());
  for (size_t i = 0; i < inputs.size(); ++i)
    writeInput(program.inputs[i], inputs[i], sequence, state);
  state.readOnly = program.readOnly();
}

RunResult Simulator::run(const std::vector<NpyArray> &inputs,
                         const RunOptions &options) const {
  int64_t sequences = countSequences(*source, described, inputs);
  if (sequences == 1)
    return runSequence(inputs, options);
  if (options.masks || !options.timeObservers.empty())
    throw Error("masks and traces are for one sequence (was given " +
                std::to_string(sequences) + ")");
  RunResult result;
  BatchOutputs outputs(described.outputBatch);
  for (int64_t i = 0; i < sequences; ++i) {
    RunResult one =
        runSequence(takeSequence(described.inputBatch, inputs, i), options);
    outputs.add(std::move(one.outputs), one.report.length);
    result.report.add(one.report);
  }
  result.outputs = outputs.join();
  return result;
}

RunResult Simulator::runSequence(const std::vector<NpyArray> &given,
                                 const RunOptions &options) const {
  numerics::FloatMode contract;
  const isa::Program &program = *source;
  std::vector<NpyArray> inputs = given;
  std::optional<int64_t> rows;
  std::optional<int64_t> length =
      takeTokenInputs(program, described, inputs, options.length, rows);
  isa::Sequence sequence = sequenceOf(program, inputs, length);
  if (rows && *rows != sequence.rows)
    throw Error("the padding mask has " + std::to_string(*rows) +
                " tokens, other inputs have " + std::to_string(sequence.rows));
  if (options.checkHazards) {
    std::optional<isa::Fault> fault = isa::checkProgram(*code, sequence);
    if (!fault)
      fault = isa::checkOrder(*code, sequence);
    if (fault)
      throw Error(fault->text(*code));
  }
  State state(program.machine, program.dramBytes);
  prepare(state, program, inputs, sequence, options);

  RunResult result;
  Report &report = result.report;
  SelectionObserver selection(described, sequence.length, options.masks);
  Timing timing(program.machine, options.timeObservers);
  std::vector<Observer *> observers = {&report.counters, &selection};
  // Times are worked out in program order.
  bool timed = !options.functional && !options.randomSchedule;
  if (timed)
    observers.push_back(&timing);
  observers.insert(observers.end(), options.observers.begin(),
                   options.observers.end());
  runProgram(*code, state, observers, options.randomSchedule);

  for (const isa::Port &port : program.outputs)
    result.outputs.push_back(readOutput(port, sequence, state));
  if (options.masks)
    result.masks = selection.masks();
  report.machine = &program.machine;
  report.length = sequence.length;
  report.dense = denseMacs(described, sequence.length);
  report.policy = described.policy.value_or("{}");
  report.layers = selection.shares();
  const Work &total = report.counters.total;
  report.dramBoundCycles = static_cast<double>(total.dramMoved) /
                           program.machine.dramBytesPerCycle();
  if (timed) {
    Report::Times times;
    times.cycles = timing.cycles();
    times.seconds =
        static_cast<double>(times.cycles) / (program.machine.clockMHz * 1e6);
    for (unsigned i = 0; i < isa::numEngines; ++i)
      times.engines[i] = timing.engine(static_cast<isa::Engine>(i));
    report.times = times;
  }
  return result;
}

} // namespace fact::sim
