//===- Simulator.h - Runs programs ----------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   Simulator simulator(isa::Program::read("model.fact"));
//   RunResult result = simulator.run({readNpy("x.npy")}, {});
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SIM_SIMULATOR_H
#define FACT_SIM_SIMULATOR_H

#include "fact/ISA/Metadata.h"
#include "fact/ISA/Walker.h"
#include "fact/Sim/Report.h"
#include "fact/Support/Npy.h"

#include <memory>
#include <optional>
#include <vector>

namespace fact::sim {

struct RunOptions {
  /// Only the first rows of the inputs count; by default all do.
  std::optional<int64_t> length;
  /// Results only, no times.
  bool functional = false;
  /// Gather the masks of every layer.
  bool masks = false;
  /// Fill scratchpad and DRAM with pseudo-random bytes of this seed before the
  /// run: must not change any result.
  std::optional<uint64_t> fillUndefined;
  /// Which engine goes on is drawn with this seed, among those that can: must
  /// not change any result. Results only, no times.
  std::optional<uint64_t> randomSchedule;
  /// First checkProgram and checkOrder, for this length.
  bool checkHazards = false;
  /// Those of times; none without times.
  std::vector<TimeObserver *> timeObservers;
  /// Further observers; they live at least as long as the run.
  std::vector<Observer *> observers;
};

struct RunResult {
  /// In the program's order. As many rows as the inputs have, zeros past the
  /// length.
  std::vector<NpyArray> outputs;
  Report report;
  NpzArchive masks; ///< empty unless asked for
};

/// A program, ready to run any number of times, from any thread.
class Simulator {
public:
  /// Decodes and checks all of the program; fact::Error if it is not valid.
  explicit Simulator(isa::Program program);
  ~Simulator();

  const isa::Program &program() const { return *source; }
  const isa::Metadata &metadata() const { return described; }

  /// Runs once, whatever the caller's float mode is. Inputs in the program's
  /// order, float32 unless the program says otherwise, with its own rank and an
  /// extent of 1 .. bound where the program's shape is open. fact::Error for
  /// inputs that do not fit, NaN, infinity or |x| > 2^50 in a row that counts,
  /// whatever goes wrong in the program, and an output that is not finite.
  ///
  /// Where the model has a batch, inputs and outputs have all of its sequences,
  /// which run one after the other; masks, and observers of times, are for one.
  RunResult run(const std::vector<NpyArray> &inputs,
                const RunOptions &options) const;

private:
  RunResult runSequence(const std::vector<NpyArray> &inputs,
                        const RunOptions &options) const;

  std::unique_ptr<const isa::Program> source;
  std::unique_ptr<const isa::Code> code;
  isa::Metadata described;
};

} // namespace fact::sim

#endif // FACT_SIM_SIMULATOR_H
