//===- RunProfile.h - Where the time of compiled code goes ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_RUNPROFILE_H
#define FACT_LIB_COMPILER_RUNPROFILE_H

#include "fact/Execution/Jit.h"

#include <string>
#include <vector>

namespace mlir::fact {

/// What a processor can do at most, measured here and now by one thread.
struct ProfilePeak {
  double multiplications = 0; ///< a second, of the tier's product in the cache
  double bytes = 0;           ///< a second, read from memory
};

/// The regions of a module that was compiled with `profile`. Compiled code
/// calls functions that have no argument to say whose: all share one log, which
/// making one of these clears.
class RunProfile {
public:
  RunProfile();
  ~RunProfile();

  /// Takes the names of the regions off the module.
  void takeRegions(ModuleOp module);
  /// What the module calls.
  static JitSymbols symbols();
  /// Forgets what has run so far.
  void clear();
  /// A table of `calls` calls that took so many milliseconds together.
  std::string table(int64_t calls, double milliseconds,
                    const ProfilePeak &peak) const;
  /// The rate of the fastest region so far, in multiplications a second.
  double fastest() const;

private:
  struct Region {
    std::string name, source;
  };
  std::vector<Region> regions;
};

/// Compiles and runs a product whose operands fit the nearest caches, and reads
/// through memory.
llvm::Expected<ProfilePeak> measurePeak(MLIRContext *context,
                                        const CpuPipelineOptions &pipeline,
                                        const std::string &cpu);

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_RUNPROFILE_H
