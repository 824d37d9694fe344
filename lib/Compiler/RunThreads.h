//===- RunThreads.h - Threads for compiled code ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_RUNTHREADS_H
#define FACT_LIB_COMPILER_RUNTHREADS_H

#include "fact/Conversion/FactToLoops/EntryPoint.h"

#include "llvm/Support/ThreadPool.h"

#include <atomic>
#include <memory>

namespace mlir::fact {

/// LLVM's thread pool as the parallel-for of an entry point. The calling thread
/// works too.
class RunThreads {
public:
  explicit RunThreads(int64_t threads) {
    if (threads > 1)
      pool = std::make_unique<llvm::DefaultThreadPool>(
          llvm::hardware_concurrency(static_cast<unsigned>(threads - 1)));
  }

  /// Null for one thread.
  const EntryParallel *parallel() {
    if (!pool)
      return nullptr;
    self = {&RunThreads::run, this};
    return &self;
  }

private:
  static void run(void *context, int64_t count,
                  void (*task)(void *arguments, int64_t index),
                  void *arguments) {
    llvm::DefaultThreadPool &pool = *static_cast<RunThreads *>(context)->pool;
    std::atomic<int64_t> next = 0;
    auto work = [&] {
      for (int64_t i; (i = next++) < count;)
        task(arguments, i);
    };
    int64_t helpers = std::min<int64_t>(pool.getMaxConcurrency(), count - 1);
    for (int64_t i = 0; i < helpers; ++i)
      pool.async(work);
    work();
    pool.wait();
  }

  std::unique_ptr<llvm::DefaultThreadPool> pool;
  EntryParallel self{};
};

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_RUNTHREADS_H
