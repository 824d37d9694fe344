//===- Reference.cpp - Float reference of an imported model ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Execution/Reference.h"

#include "fact/Execution/Jit.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/AllInterfaces.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::fact;

/// External models that bufferization and convert-to-llvm look for.
static void registerInterfaces(MLIRContext *context) {
  DialectRegistry registry;
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  linalg::registerAllDialectInterfaceImplementations(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  registerConvertFuncToLLVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertMathToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  context->appendDialectRegistry(registry);
}

static void buildLowering(OpPassManager &manager,
                          const CpuPipelineOptions &options) {
  buildPrepareLinalgPipeline(manager);
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  buildBuffersToLoopsPipeline(manager, options);
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  // As FactToLoops does it: an intrinsic where there is one (absi has no
  // function), which calls the C library's function as well.
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createConvertMathToLibmPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createConvertToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

LogicalResult
mlir::fact::lowerReferenceToLLVM(ModuleOp module,
                                 const CpuPipelineOptions &options) {
  registerInterfaces(module->getContext());
  // Names and bounds were for the tools; LLVM knows nothing of them.
  for (auto function : module.getOps<func::FuncOp>()) {
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
    if (function.isPublic())
      function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                        UnitAttr::get(module->getContext()));
  }
  PassManager lowering(module->getContext());
  buildLowering(lowering, options);
  return lowering.run(module);
}

llvm::Expected<std::unique_ptr<JitFunction>>
mlir::fact::compileReference(ModuleOp module, StringRef function) {
  auto error = [](const Twine &text) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
  };
  auto op = module.lookupSymbol<func::FuncOp>(function);
  if (!op)
    return error("module has no function '" + function + "'");
  llvm::Expected<JitSignature> signature =
      JitSignature::of(op.getFunctionType());
  if (!signature)
    return signature.takeError();
  auto machine = createTargetMachine();
  if (!machine)
    return machine.takeError();
  OwningOpRef<ModuleOp> copy(module.clone());
  if (failed(lowerReferenceToLLVM(*copy, pipelineOptionsFor(**machine))))
    return error("cannot lower '" + function + "' to LLVM");
  return JitFunction::compile(*copy, function, std::move(*signature));
}
