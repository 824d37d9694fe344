//===- JitFunction.cpp - A compiled function on float tensors -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Execution/JitFunction.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <cstdlib>
#include <cstring>
#include <set>

using namespace mlir;
using namespace mlir::fact;
using ::fact::NpyArray;

static llvm::Error makeError(const Twine &text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

static llvm::Expected<JitSignature::Tensor> tensorOf(Type type,
                                                     const Twine &what) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank())
    return makeError(what + " is no ranked tensor");
  Type element = shaped.getElementType();
  std::string dtype = element.isF32()         ? "<f4"
                      : element.isInteger(1)  ? "|b1"
                      : element.isInteger(32) ? "<i4"
                      : element.isInteger(64) ? "<i8"
                                              : "";
  if (dtype.empty())
    return makeError(what + " holds no f32, i1, i32 or i64");
  return JitSignature::Tensor{SmallVector<int64_t>(shaped.getShape()), dtype};
}

llvm::Expected<JitSignature> JitSignature::of(FunctionType type) {
  JitSignature signature;
  for (auto [i, input] : llvm::enumerate(type.getInputs())) {
    auto tensor = tensorOf(input, "argument " + Twine(i));
    if (!tensor)
      return tensor.takeError();
    signature.inputs.push_back(std::move(*tensor));
  }
  for (auto [i, output] : llvm::enumerate(type.getResults())) {
    auto tensor = tensorOf(output, "result " + Twine(i));
    if (!tensor)
      return tensor.takeError();
    signature.outputs.push_back(std::move(*tensor));
  }
  return signature;
}

JitFunction::JitFunction(std::unique_ptr<ExecutionEngine> engine,
                         std::string name, JitSignature signature)
    : engine(std::move(engine)), name(std::move(name)),
      signature_(std::move(signature)) {}

JitFunction::~JitFunction() = default;

llvm::Expected<std::unique_ptr<JitFunction>>
JitFunction::compile(ModuleOp module, StringRef function,
                     JitSignature signature, unsigned optLevel) {
  static bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  registerBuiltinDialectTranslation(*module->getContext());
  registerLLVMDialectTranslation(*module->getContext());

  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  auto level = static_cast<llvm::CodeGenOptLevel>(optLevel);
  builder->setCodeGenOptLevel(level);
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  auto transformer =
      makeOptimizingTransformer(optLevel, /*sizeLevel=*/0, machine->get());
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = level;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  // The engine has a target machine of its own: this one serves the optimizer.
  auto second = builder->createTargetMachine();
  if (!second)
    return second.takeError();
  auto engine = ExecutionEngine::create(module, options, std::move(*second));
  if (!engine)
    return engine.takeError();
  std::string name = ("_mlir_ciface_" + function).str();
  // Compilation happens here, not in the first call.
  if (auto symbol = (*engine)->lookupPacked(name); !symbol)
    return symbol.takeError();
  return std::unique_ptr<JitFunction>(new JitFunction(
      std::move(*engine), std::move(name), std::move(signature)));
}

namespace {

/// A memref descriptor of any rank: two pointers, the offset, extents, strides.
class Descriptor {
public:
  explicit Descriptor(size_t rank) : words(3 + 2 * rank), rank(rank) {}

  void point(const void *data, llvm::ArrayRef<int64_t> shape) {
    words[0] = words[1] = reinterpret_cast<int64_t>(data);
    words[2] = 0;
    int64_t stride = 1;
    for (size_t i = rank; i-- > 0;) {
      words[3 + i] = shape[i];
      words[3 + rank + i] = stride;
      stride *= shape[i];
    }
  }
  void *allocated() const { return reinterpret_cast<void *>(words[0]); }
  void *get() { return words.data(); }

  /// Copies the elements, which may be laid out with any strides.
  NpyArray read(const std::string &dtype) const {
    NpyArray tensor{dtype, {}, {}};
    tensor.shape.assign(words.begin() + 3, words.begin() + 3 + rank);
    int64_t count = tensor.numElements(), size = dtype.back() - '0';
    tensor.data.resize(count * size);
    const char *data =
        reinterpret_cast<const char *>(words[1]) + words[2] * size;
    SmallVector<int64_t> at(rank);
    int64_t position = 0;
    for (int64_t n = 0; n < count; ++n) {
      std::memcpy(tensor.data.data() + n * size, data + position * size, size);
      for (size_t i = rank; i-- > 0;) {
        position += words[3 + rank + i];
        if (++at[i] < tensor.shape[i])
          break;
        position -= words[3 + rank + i] * tensor.shape[i];
        at[i] = 0;
      }
    }
    return tensor;
  }

private:
  static_assert(sizeof(void *) == sizeof(int64_t));
  std::vector<int64_t> words;
  size_t rank;
};

} // namespace

/// Checks the inputs against the signature.
static llvm::Error checkInputs(const JitSignature &signature,
                               llvm::ArrayRef<NpyArray> inputs) {
  if (inputs.size() != signature.inputs.size())
    return makeError("function takes " + Twine(signature.inputs.size()) +
                     " inputs (was given " + Twine(inputs.size()) + ")");
  std::optional<int64_t> length;
  for (size_t n = 0; n < inputs.size(); ++n) {
    const SmallVector<int64_t> &expected = signature.inputs[n].shape;
    const std::string &dtype = signature.inputs[n].dtype;
    const NpyArray &input = inputs[n];
    if (input.dtype != dtype)
      return makeError("elements of input " + Twine(n) + " must be '" + dtype +
                       "' (were '" + input.dtype + "')");
    if (input.shape.size() != expected.size())
      return makeError("input " + Twine(n) + " must have " +
                       Twine(expected.size()) + " dimensions (has " +
                       Twine(input.shape.size()) + ")");
    size_t count = 1;
    for (size_t i = 0; i < expected.size(); ++i) {
      int64_t extent = input.shape[i];
      bool open = ShapedType::isDynamic(expected[i]);
      if (open && !length)
        length = extent;
      int64_t wanted = open ? *length : expected[i];
      // Only what the function fixes may be nothing.
      bool isMissing = open && extent < 1;
      if (extent != wanted || isMissing)
        return makeError("dimension " + Twine(i) + " of input " + Twine(n) +
                         " must be " +
                         (isMissing ? "positive" : Twine(wanted)) + " (was " +
                         Twine(extent) + ")");
      count *= extent;
    }
    size_t size = dtype.back() - '0';
    if (count * size != input.data.size())
      return makeError("input " + Twine(n) + " needs " + Twine(count) +
                       " elements (has " + Twine(input.data.size() / size) +
                       ")");
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<NpyArray>>
JitFunction::invoke(llvm::ArrayRef<NpyArray> inputs) {
  if (llvm::Error error = checkInputs(signature_, inputs))
    return error;

  // The C interface: results come back through a pointer to their descriptors,
  // one behind the other, arguments are pointers to descriptors. The packed
  // form takes a pointer to each of these pointers.
  std::vector<Descriptor> arguments;
  for (const NpyArray &input : inputs) {
    arguments.emplace_back(input.shape.size());
    arguments.back().point(input.data.data(), input.shape);
  }
  size_t words = 0;
  for (const JitSignature::Tensor &tensor : signature_.outputs)
    words += 3 + 2 * tensor.shape.size();
  std::vector<int64_t> results(words);
  std::vector<void *> pointers;
  if (words != 0)
    pointers.push_back(results.data());
  for (Descriptor &argument : arguments)
    pointers.push_back(argument.get());
  std::vector<void *> packed;
  for (void *&pointer : pointers)
    packed.push_back(&pointer);
  if (llvm::Error error = engine->invokePacked(name, packed))
    return error;

  std::vector<NpyArray> outputs;
  // Equal results may be one buffer.
  std::set<void *> allocated;
  auto *word = results.begin().base();
  for (const auto &[shape, dtype] : signature_.outputs) {
    Descriptor result(shape.size());
    std::copy_n(word, 3 + 2 * shape.size(),
                static_cast<int64_t *>(result.get()));
    outputs.push_back(result.read(dtype));
    allocated.insert(result.allocated());
    word += 3 + 2 * shape.size();
  }
  for (void *buffer : allocated)
    std::free(buffer);
  return outputs;
}
