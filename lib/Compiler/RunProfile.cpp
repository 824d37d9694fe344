//===- RunProfile.cpp - Where the time of compiled code goes --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunProfile.h"

#include "fact/Conversion/FactToLoops/EntryPoint.h"
#include "fact/Conversion/FactToLoops/Profile.h"
#include "fact/Conversion/FactToLoops/Tier.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Support/Error.h"
#include "fact/Target/EncodeProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>

using namespace mlir;
using namespace mlir::fact;
using Clock = std::chrono::steady_clock;

//===----------------------------------------------------------------------===//
// What compiled code calls
//===----------------------------------------------------------------------===//

namespace {

/// Of a region, in a thread.
struct Spent {
  Clock::duration time{};
  /// The shortest time for a multiplication, in nanoseconds.
  double best = 0;
  int64_t calls = 0, multiplications = 0, bytes = 0;
};

struct ThreadLog {
  std::vector<Spent> regions;
  struct Open {
    size_t region;
    Clock::duration inside{}; ///< of this call, without inner regions
    int64_t multiplications = 0;
  };
  std::vector<Open> open;
  Clock::time_point last;

  /// Time since the last event belongs to the innermost region.
  void charge() {
    Clock::time_point now = Clock::now();
    if (!open.empty())
      open.back().inside += now - last;
    last = now;
  }
};

std::mutex logsMutex;
std::vector<std::unique_ptr<ThreadLog>> logs; // of all threads that ever ran

ThreadLog &threadLog() {
  thread_local ThreadLog *mine = nullptr;
  if (!mine) {
    std::lock_guard<std::mutex> lock(logsMutex);
    mine = logs.emplace_back(std::make_unique<ThreadLog>()).get();
  }
  return *mine;
}

void enter(int64_t region) {
  ThreadLog &log = threadLog();
  log.charge();
  log.open.push_back({static_cast<size_t>(region)});
}

void leave() {
  ThreadLog &log = threadLog();
  log.charge();
  ThreadLog::Open done = log.open.back();
  log.open.pop_back();
  if (log.regions.size() <= done.region)
    log.regions.resize(done.region + 1);
  Spent &spent = log.regions[done.region];
  spent.time += done.inside;
  ++spent.calls;
  if (done.multiplications > 0) {
    double each =
        std::chrono::duration<double, std::nano>(done.inside).count() /
        static_cast<double>(done.multiplications);
    spent.best = spent.best > 0 ? std::min(spent.best, each) : each;
  }
}

void work(int64_t multiplications, int64_t bytes) {
  ThreadLog &log = threadLog();
  size_t region = log.open.back().region;
  log.open.back().multiplications += multiplications;
  if (log.regions.size() <= region)
    log.regions.resize(region + 1);
  log.regions[region].multiplications += multiplications;
  log.regions[region].bytes += bytes;
}

/// Of a region, in all threads.
Spent sumOf(size_t region) {
  Spent sum;
  std::lock_guard<std::mutex> lock(logsMutex);
  for (const auto &log : logs) {
    if (log->regions.size() <= region)
      continue;
    const Spent &each = log->regions[region];
    sum.time += each.time;
    sum.calls += each.calls;
    sum.multiplications += each.multiplications;
    sum.bytes += each.bytes;
    if (each.best > 0)
      sum.best = sum.best > 0 ? std::min(sum.best, each.best) : each.best;
  }
  return sum;
}

} // namespace

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

RunProfile::RunProfile() { clear(); }
RunProfile::~RunProfile() { clear(); }

void RunProfile::takeRegions(ModuleOp module) {
  regions.clear();
  auto known = module->getAttrOfType<ArrayAttr>(kProfileRegionsAttrName);
  if (!known)
    return;
  for (auto region : known.getAsRange<DictionaryAttr>()) {
    std::string name = region.getAs<StringAttr>("name").str();
    SmallVector<StringRef> ops = llvm::to_vector(
        region.getAs<ArrayAttr>("ops").getAsValueRange<StringAttr>());
    // A phase is what its parts say.
    if (!ops.empty() && name != "phase")
      name += ": " + llvm::join(ops, ", ");
    std::string source = ::fact::printable(
        factisa::describeSource(region.getAs<LocationAttr>("source")));
    std::replace(source.begin(), source.end(), '\n', ' ');
    regions.push_back({name, source});
  }
  module->removeAttr(kProfileRegionsAttrName);
}

JitSymbols RunProfile::symbols() {
  return {{profileEnterName, reinterpret_cast<void *>(&enter)},
          {profileLeaveName, reinterpret_cast<void *>(&leave)},
          {profileWorkName, reinterpret_cast<void *>(&work)}};
}

void RunProfile::clear() {
  std::lock_guard<std::mutex> lock(logsMutex);
  for (const auto &log : logs)
    log->regions.clear();
}

double RunProfile::fastest() const {
  double best = 0;
  for (size_t i = 0; i < regions.size(); ++i)
    if (double each = sumOf(i).best; each > 0)
      best = std::max(best, 1e9 / each);
  return best;
}

std::string RunProfile::table(int64_t calls, double milliseconds,
                              const ProfilePeak &peak) const {
  std::vector<Spent> spent;
  double inRegions = 0;
  for (size_t i = 0; i < regions.size(); ++i) {
    spent.push_back(sumOf(i));
    inRegions +=
        std::chrono::duration<double, std::milli>(spent.back().time).count();
  }
  // In threads regions take more time than passes.
  double whole = std::max(milliseconds, inRegions);
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::format("peak: %.1f GOP/s (products in the cache), %.1f GB/s "
                     "(read from memory)\n",
                     2 * peak.multiplications / 1e9, peak.bytes / 1e9);
  os << "       ms  share  calls    GOP/s  peak       GB/s  peak  region\n";
  auto row = [&](double time, const Spent *of, const std::string &name) {
    double each = time / static_cast<double>(calls);
    os << llvm::format("%9.3f %5.1f%%", each, 100 * time / whole);
    if (!of)
      os << std::string(37, ' ');
    else
      os << llvm::format(" %6.0f", static_cast<double>(of->calls) /
                                       static_cast<double>(calls));
    auto rate = [&](double amount, double unit, double most) {
      if (amount > 0 && time > 0)
        os << llvm::format(" %7.1f %4.0f%%", unit * amount / time / 1e6,
                           100 * amount / (time / 1e3) / most);
      else
        os << std::string(14, ' ');
    };
    if (of) {
      rate(static_cast<double>(of->multiplications), 2, peak.multiplications);
      os << "  ";
      rate(static_cast<double>(of->bytes), 1, peak.bytes);
    }
    os << "  " << name << '\n';
  };
  for (auto [region, of] : llvm::zip(regions, spent)) {
    double time = std::chrono::duration<double, std::milli>(of.time).count();
    if (of.calls > 0)
      row(time, &of, region.name + " (" + region.source + ")");
  }
  if (milliseconds > inRegions)
    row(milliseconds - inRegions, nullptr, "the rest");
  return text;
}

//===----------------------------------------------------------------------===//
// Peaks
//===----------------------------------------------------------------------===//

static double readRate() {
  // The C library looks for a byte as fast as memory gives them.
  std::vector<char> memory(size_t(512) << 20, 1);
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    auto begin = Clock::now();
    const void *found = std::memchr(memory.data(), 2, memory.size());
    double seconds =
        std::chrono::duration<double>(Clock::now() - begin).count();
    if (!found)
      best = std::max(best, static_cast<double>(memory.size()) / seconds);
  }
  return best;
}

/// codes [rows, 768] times a weight [768, 32], nothing else.
static OwningOpRef<ModuleOp> makeProduct(MLIRContext *context, int64_t rows) {
  constexpr int64_t k = 768, n = 32;
  OpBuilder b(context);
  Location loc = b.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToEnd(module->getBody());
  auto input = RankedTensorType::get({rows, k}, b.getI8Type()),
       weight = RankedTensorType::get({k, n}, b.getI8Type()),
       result = RankedTensorType::get({rows, n}, b.getI32Type());
  auto main =
      func::FuncOp::create(b, loc, "main", b.getFunctionType(input, result));
  b.setInsertionPointToStart(main.addEntryBlock());
  // Zeros would be faster than what models have.
  std::mt19937 random(0);
  std::vector<int8_t> codes(k * n);
  for (int8_t &code : codes)
    code = static_cast<int8_t>(static_cast<int>(random() % 239) - 119);
  Value constant = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(weight, ArrayRef<int8_t>(codes)));
  Value product = LogMatmulOp::create(b, loc, result, main.getArgument(0),
                                      constant, Value(), Value());
  func::ReturnOp::create(b, loc, product);
  return module;
}

llvm::Expected<ProfilePeak>
mlir::fact::measurePeak(MLIRContext *context,
                        const CpuPipelineOptions &pipeline,
                        const std::string &cpu) {
  int64_t rows = findTier(pipeline.tier)->panelRows;
  OwningOpRef<ModuleOp> module = makeProduct(context, rows);
  RunProfile profile;
  PassManager toLoops(context), toLLVM(context);
  buildFactToLoopsPipeline(toLoops, pipeline);
  buildLoopsToLLVMPipeline(toLLVM, pipeline);
  if (failed(toLoops.run(*module)))
    return llvm::createStringError("cannot measure the peak of products");
  profile.takeRegions(*module);
  if (failed(toLLVM.run(*module)))
    return llvm::createStringError("cannot measure the peak of products");
  auto jit =
      Jit::compile(*module, pipeline.entryPoint, cpu, RunProfile::symbols());
  if (!jit)
    return jit.takeError();
  std::vector<int8_t> input(static_cast<size_t>(rows) * 768);
  std::iota(input.begin(), input.end(), int8_t(0));
  auto entry = reinterpret_cast<PackedEntry>((*jit)->address());
  for (int i = 0; i < 200; ++i) {
    EntryError error;
    int64_t made[packedExtents + 2];
    void *pointers[] = {input.data(), made};
    if (entry(pointers, rows, &error, nullptr) !=
        static_cast<int32_t>(EntryStatus::Ok))
      return llvm::createStringError("cannot measure the peak of products");
    std::free(reinterpret_cast<void *>(made[0]));
  }
  return ProfilePeak{profile.fastest(), readRate()};
}
