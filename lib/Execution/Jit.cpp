//===- Jit.cpp - Native code of a module in the LLVM dialect --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Execution/Jit.h"

#include "fact/Conversion/FactToLoops/Tier.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::fact;

/// LLVM's own optimizations. Our loops are vectors and blocks already: what
/// would vectorise and unroll them again only costs time to compile.
static llvm::Error optimize(llvm::Module &module,
                            llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.SLPVectorization = false;
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.LoopUnrolling = false;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
  return llvm::Error::success();
}

/// What tiers call it.
static StringRef architectureOf(const llvm::Triple &triple) {
  return triple.isX86() ? "x86" : triple.isAArch64() ? "aarch64" : "";
}

/// What tiers name of that which a processor has: compiled code uses this and
/// nothing else, since entry points ask for it.
static SmallVector<StringRef> tierFeatures(const llvm::Triple &triple,
                                           const llvm::MCSubtargetInfo &info) {
  SmallVector<StringRef> features;
  for (const Tier &tier : tiers())
    if (tier.architecture == architectureOf(triple))
      for (StringRef feature : tier.featureNames())
        if (info.checkFeatures(("+" + feature).str()) &&
            !llvm::is_contained(features, feature))
          features.push_back(feature);
  return features;
}

static llvm::Expected<llvm::orc::JITTargetMachineBuilder> hostBuilder() {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser(); // of entry points
    return true;
  }();
  (void)initialized;
  return llvm::orc::JITTargetMachineBuilder::detectHost();
}

/// For Linux on another architecture than the host's.
static llvm::orc::JITTargetMachineBuilder foreignBuilder(StringRef name) {
  static const bool initialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    return true;
  }();
  (void)initialized;
  return llvm::orc::JITTargetMachineBuilder(llvm::Triple(
      (name == "x86" ? "x86_64" : name.str()) + "-unknown-linux-gnu"));
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
mlir::fact::createTargetMachine(const std::string &cpu) {
  auto builder = hostBuilder();
  if (!builder)
    return builder.takeError();
  const Tier *tier = findTier(cpu);
  if (tier && !tier->architecture.empty() &&
      tier->architecture != architectureOf(builder->getTargetTriple()))
    builder = foreignBuilder(tier->architecture);
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  // Strict: not even llvm.fmuladd would be fused.
  builder->getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  builder->setRelocationModel(llvm::Reloc::PIC_);
  const llvm::Triple &triple = builder->getTargetTriple();
  SmallVector<StringRef> features;
  if (tier) {
    features = tier->featureNames();
  } else {
    if (cpu != "native")
      builder->setCPU(cpu), builder->setFeatures("");
    // MC complains on stderr and goes on where it does not know a processor.
    std::string text;
    const llvm::Target *target =
        llvm::TargetRegistry::lookupTarget(triple, text);
    std::unique_ptr<llvm::MCSubtargetInfo> known(
        target ? target->createMCSubtargetInfo(triple, "", "") : nullptr);
    if (!known || (cpu != "native" && !known->isCPUStringValid(cpu)))
      return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                     "unknown processor or tier '" + cpu + "'");
    std::unique_ptr<llvm::MCSubtargetInfo> info(target->createMCSubtargetInfo(
        triple, builder->getCPU(), builder->getFeatures().getString()));
    if (triple.isX86() && !info->checkFeatures("+64bit"))
      return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                     "processor '" + cpu +
                                         "' runs no code of 64 bits");
    features = tierFeatures(triple, *info);
  }
  builder->setCPU(triple.isX86() ? "x86-64" : "generic");
  builder->setFeatures("");
  for (StringRef feature : features)
    builder->getFeatures().AddFeature(feature);
  return builder->createTargetMachine();
}

CpuPipelineOptions
mlir::fact::pipelineOptionsFor(const llvm::TargetMachine &machine) {
  CpuPipelineOptions options;
  const llvm::Triple &triple = machine.getTargetTriple();
  const llvm::MCSubtargetInfo &info = *machine.getMCSubtargetInfo();
  auto has = [&](StringRef feature) {
    return info.checkFeatures(("+" + feature).str());
  };
  if (triple.isX86()) {
    options.floatControl = "x86";
    if (has("avx512bw")) {
      options.vectorLanes = 16, options.tileRows = 8, options.tileVectors = 3;
    } else if (has("avx2")) {
      options.vectorLanes = 8, options.tileRows = 4, options.tileVectors = 2;
    } else {
      options.vectorLanes = 4, options.tileRows = 4, options.tileVectors = 2;
    }
  } else if (triple.isAArch64()) {
    options.floatControl = "aarch64";
    options.vectorLanes = 4, options.tileRows = 8, options.tileVectors = 2;
  } else {
    options.floatControl = "none";
    options.vectorLanes = 4, options.tileRows = 4, options.tileVectors = 2;
  }
  StringRef architecture = architectureOf(triple);
  const Tier *best = llvm::find_if(tiers(), [&](const Tier &tier) {
    return (tier.architecture.empty() || tier.architecture == architecture) &&
           llvm::all_of(tier.featureNames(), has);
  });
  options.tier = best->name.str();
  // On AArch64 another system than Linux may stop a process that asks.
  if (!triple.isAArch64() || triple.isOSLinux())
    for (StringRef feature : tierFeatures(triple, info))
      options.requiredFeatures.push_back(feature.str());
  return options;
}

Jit::Jit() = default;
Jit::~Jit() = default;

static void registerTranslations(ModuleOp module) {
  registerBuiltinDialectTranslation(*module->getContext());
  registerLLVMDialectTranslation(*module->getContext());
}

llvm::Expected<std::unique_ptr<Jit>> Jit::compile(ModuleOp module,
                                                  const std::string &function,
                                                  const std::string &cpu,
                                                  const JitSymbols &symbols,
                                                  bool keepObject) {
  registerTranslations(module);
  auto machine = createTargetMachine(cpu), second = createTargetMachine(cpu);
  if (!machine)
    return machine.takeError();
  if (!second)
    return second.takeError();
  llvm::Triple host(llvm::sys::getProcessTriple());
  if ((*machine)->getTargetTriple().getArch() != host.getArch())
    return llvm::createStringError("tier '" + cpu +
                                   "' is of another architecture than " +
                                   host.getArchName());
  auto transformer = [&](llvm::Module *translated) {
    return optimize(*translated, **machine);
  };
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Aggressive;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  options.enableObjectDump = keepObject;
  auto engine = ExecutionEngine::create(module, options, std::move(*second));
  if (!engine)
    return engine.takeError();
  (*engine)->registerSymbols([&](llvm::orc::MangleAndInterner mangle) {
    llvm::orc::SymbolMap map;
    for (auto [name, address] : symbols)
      map[mangle(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                           llvm::JITSymbolFlags::Exported};
    return map;
  });
  auto address = (*engine)->lookup(function);
  if (!address)
    return address.takeError();
  std::unique_ptr<Jit> jit(new Jit());
  jit->engine = std::move(*engine);
  jit->address_ = *address;
  return jit;
}

llvm::Expected<std::string> Jit::object() const {
  // The engine hands it to a file alone.
  SmallString<128> path;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("fact", "o", path))
    return llvm::createStringError(error, "cannot make a temporary file");
  llvm::FileRemover remover(path);
  engine->dumpToObjectFile(path);
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return llvm::createStringError(file.getError(),
                                   "cannot read the object file");
  if ((*file)->getBufferSize() == 0)
    return llvm::createStringError("cannot write a temporary object file");
  return (*file)->getBuffer().str();
}

llvm::Expected<std::string> mlir::fact::emitObject(ModuleOp module,
                                                   llvm::TargetMachine &machine,
                                                   const std::string &keep) {
  auto error = [](const Twine &text) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
  };
  registerTranslations(module);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, context);
  if (!translated)
    return error("cannot translate the module to LLVM IR");
  // Machines of a JIT reach everything by 64 bits, which linkers refuse for
  // functions of the C library in static programs; large constants need it.
  machine.setCodeModel(llvm::CodeModel::Medium);
  translated->setDataLayout(machine.createDataLayout());
  translated->setTargetTriple(machine.getTargetTriple());
  for (llvm::Function &function : *translated)
    if (!function.isDeclaration() && function.getName() != keep &&
        function.getName() != keep + "_parallel")
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (llvm::GlobalVariable &global : translated->globals())
    if (!global.isDeclaration())
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
  if (llvm::Error failed = optimize(*translated, machine))
    return std::move(failed);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return error("the target cannot write object files");
  passes.run(*translated);
  return std::string(bytes.begin(), bytes.end());
}
