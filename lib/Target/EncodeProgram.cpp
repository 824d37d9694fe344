//===- EncodeProgram.cpp - From planned factisa ops to a program ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Target/EncodeProgram.h"

#include "Scalars.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"
#include "fact/ISA/Instructions.h"
#include "fact/ISA/Metadata.h"
#include "fact/ISA/Program.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <exception>

using namespace mlir;
using namespace mlir::factisa;
namespace target = ::fact::isa;

std::string factisa::describeSource(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().str();
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    return (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
            Twine(file.getColumn()))
        .str();
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return describeSource(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location inner : fused.getLocations())
      if (std::string text = describeSource(inner); text != "unknown")
        return text;
  return "unknown";
}

namespace {

class Encoder {
public:
  Encoder(func::FuncOp function, target::Program &program,
          ProgramPlaces &places)
      : function(function), program(program), places(places),
        scalars(program.machine.control.registers,
                [this](const target::Instruction &instruction, Operation *op) {
                  emit(instruction, op);
                }) {}

  LogicalResult run() {
    if (function.getNumArguments() || function.getNumResults() ||
        !function.getBody().hasOneBlock())
      return function.emitError() << "a program is a function of one block "
                                     "without arguments and results";
    if (failed(encodeBlock(function.getBody().front())))
      return failure();
    emit(target::Halt(), function);
    return encodeData();
  }

  int64_t dramBytes = 0;

private:
  //===--- Code -----------------------------------------------------------===//

  void emit(const target::Instruction &instruction, Operation *op) {
    program.append(instruction, describeSource(op->getLoc()));
    places.instructions.push_back(op);
  }

  LogicalResult encodeBlock(Block &block) {
    scalars.enterBlock();
    for (Operation &op : block) {
      LogicalResult encoded =
          llvm::TypeSwitch<Operation *, LogicalResult>(&op)
              .Case([&](SramBufferOp buffer) {
                if (std::optional<int64_t> address = buffer.getAddress())
                  places.starts.push_back({program.instructions.size(),
                                           static_cast<uint64_t>(*address),
                                           buffer.getBytes()});
                return success();
              })
              .Case<DramBufferOp, ViewOp, NullOp, LengthOp, PhaseOp, InRangeOp,
                    AtLeastOp, arith::ConstantOp, arith::AddIOp, arith::MulIOp,
                    func::ReturnOp, scf::YieldOp>(
                  [](auto) { return success(); })
              .Case([&](scf::ForOp loop) { return encodeLoop(loop); })
              .Default(
                  [&](Operation *other) { return encodeInstruction(other); });
      if (failed(encoded))
        return failure();
    }
    scalars.leaveBlock();
    return success();
  }

  LogicalResult encodeLoop(scf::ForOp loop) {
    APInt lower, step, upper;
    auto length = loop.getUpperBound().getDefiningOp<LengthOp>();
    bool constantUpper =
        matchPattern(loop.getUpperBound(), m_ConstantInt(&upper));
    if (!matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
        !lower.isZero() ||
        !matchPattern(loop.getStep(), m_ConstantInt(&step)) ||
        (!length && !constantUpper) || loop.getNumResults())
      return loop.emitOpError()
             << "must run from 0 to a constant or to factisa.length in "
                "constant steps, without results";
    int64_t limit = length ? length.getBound() : upper.getSExtValue();
    if (limit < 0 || limit >> 24 != 0 || step.getSExtValue() < 1 ||
        step.getSExtValue() >> 24 != 0)
      return loop.emitOpError()
             << "must have a bound and a step that fit 24 bits (were " << limit
             << " and " << step.getSExtValue() << ")";
    auto extra = loop->getAttrOfType<IntegerAttr>(kExtraAttrName);
    if (extra && (extra.getInt() < 0 || extra.getInt() >> 8 != 0))
      return loop.emitOpError() << "must have extra iterations that fit 8 bits "
                                   "(were "
                                << extra.getInt() << ")";
    // Its counter and rings live as long as the loop.
    scalars.enterBlock();
    FailureOr<unsigned> reg = scalars.enterLoop(loop);
    if (failed(reg))
      return failure();
    target::Loop begin;
    begin.rd = *reg;
    if (extra)
      begin.extra = static_cast<uint32_t>(extra.getInt());
    begin.limit = limit;
    begin.step = step.getSExtValue();
    begin.len = bool(length);
    emit(begin, loop);
    if (failed(encodeBlock(*loop.getBody())))
      return failure();
    scalars.nextIteration(loop);
    emit(target::EndLoop(), loop);
    scalars.leaveBlock();
    return success();
  }

  static LogicalResult withNote(InFlightDiagnostic &&diagnostic, Location place,
                                StringRef text) {
    diagnostic.attachNote(place) << text;
    return std::move(diagnostic);
  }

  /// Of an immediate.
  static unsigned bitsOf(Value operand) {
    return isa<DramType>(operand.getType()) ? target::dramBits
                                            : target::sramBits;
  }

  LogicalResult encodeInstruction(Operation *op) {
    if (!instructionOf(op))
      return op->emitOpError() << "is no instruction";
    if (isa<HaltOp, LoopOp, EndLoopOp, MulAddOp, RotateOp, ClipOp, ClampOp>(op))
      return op->emitOpError() << "exists in programs only: loops are "
                                  "'scf.for', addresses 'factisa.view'";
    // They may emit scalar instructions.
    SmallVector<std::optional<Resolved>> operands;
    scalars.nextInstruction();
    for (Value operand : op->getOperands()) {
      if (operand.getDefiningOp<NullOp>()) {
        operands.push_back(std::nullopt);
        continue;
      }
      unsigned bits = bitsOf(operand);
      FailureOr<Resolved> resolved = isa<IndexType>(operand.getType())
                                         ? scalars.number(operand, bits, op)
                                         : scalars.address(operand, bits, op);
      if (failed(resolved))
        return failure();
      operands.push_back(*resolved);
    }
    for (auto [i, operand] : llvm::enumerate(operands)) {
      unsigned bits = bitsOf(op->getOperand(i));
      Resolved resolved = operand.value_or(Resolved());
      if (resolved.immediate < 0 || resolved.immediate >> bits != 0)
        return withNote(op->emitOpError()
                            << "has an operand that does not fit " << bits
                            << " bits (was " << resolved.immediate << ")",
                        op->getOperand(i).getLoc(), "it is made here");
    }
    emit(makeInstruction(op, operands), op);
    return success();
  }

  //===--- Data -----------------------------------------------------------===//

  LogicalResult encodeData() {
    // The image of the constants has no holes: no address makes it larger than
    // they are.
    int64_t constantBytes = 0;
    function.walk([&](DramBufferOp op) {
      if (op.getKind() == DramKind::Constant)
        constantBytes += llvm::alignTo(op.getBytes(), 64);
    });
    std::string image;
    LogicalResult result = success();
    function.walk([&](DramBufferOp op) {
      if (failed(result))
        return;
      if (!op.getAddress()) {
        result = op.emitOpError()
                 << "has no address: run --factisa-plan-memory first";
        return;
      }
      int64_t address = *op.getAddress();
      dramBytes = std::max<int64_t>(dramBytes, address + op.getBytes());
      if (op.getKind() == DramKind::Input || op.getKind() == DramKind::Output) {
        target::Port port;
        port.name = op.getLabel().str();
        bool open = false;
        for (int64_t size : op.getShapeAttr().asArrayRef()) {
          port.shape.push_back(size < 0 ? target::Port::openDimension : size);
          open |= size < 0;
        }
        if (open)
          port.bound =
              function->getAttrOfType<IntegerAttr>(kBoundAttrName).getInt();
        port.address = address;
        port.rowBytes = port.shape.back() * target::elementTypeBytes(port.type);
        (op.getKind() == DramKind::Input ? program.inputs : program.outputs)
            .push_back(port);
        if (op.getKind() == DramKind::Output)
          places.outputs.push_back(op);
      }
      if (op.getKind() != DramKind::Constant)
        return;
      if (address > constantBytes - static_cast<int64_t>(op.getBytes())) {
        result = op.emitOpError()
                 << "must lie in the first " << constantBytes
                 << " bytes, as all constants do (was at " << address << ")";
        return;
      }
      if (image.size() < static_cast<size_t>(address + op.getBytes()))
        image.resize(address + op.getBytes(), '\0');
      for (auto [i, value] : llvm::enumerate(op.getValuesAttr()))
        if (failed(copyValue(op, cast<ElementsAttr>(value),
                             image.data() + address + i * *op.getStride()))) {
          result = failure();
          return;
        }
    });
    program.setConstants(image);
    return result;
  }

  LogicalResult copyValue(DramBufferOp op, ElementsAttr value, char *to) {
    std::optional<target::WeightPlanes> planes = op.planesOf(value);
    if (!planes)
      return copyElements(op, value, to);
    std::vector<int8_t> weights(value.getNumElements());
    if (failed(
            copyElements(op, value, reinterpret_cast<char *>(weights.data()))))
      return failure();
    if (planes->pack(weights.data(), reinterpret_cast<uint8_t *>(to)))
      return success();
    auto outside = llvm::find_if(weights, [&](int8_t weight) {
      return planes->areCodes() ? ::fact::numerics::leadingOne(weight) != weight
                                : weight < -119 || weight > 119;
    });
    return op.emitOpError()
           << (planes->areCodes()
                   ? "must have codes of a leading one to be nibbles (was "
                   : "must have weights in -119..119 for their planes "
                     "to be nibbles (was ")
           << static_cast<int>(*outside) << ")";
  }

  LogicalResult copyElements(DramBufferOp op, ElementsAttr elements, char *to) {
    auto type = cast<ShapedType>(elements.getType());
    size_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
      AsmResourceBlob *blob = resource.getRawHandle().getBlob();
      if (!blob || blob->getData().size() != bytes)
        return op.emitOpError()
               << "has a constant of " << (blob ? blob->getData().size() : 0)
               << " bytes where its type has " << bytes;
      memcpy(to, blob->getData().data(), bytes);
      return success();
    }
    auto dense = dyn_cast<DenseElementsAttr>(elements);
    if (!dense)
      return op.emitOpError()
             << "has a constant that is neither dense nor a dense resource";
    ArrayRef<char> raw = dense.getRawData(); // (a splat: one element)
    if (dense.isSplat())
      for (size_t i = 0; i < bytes; i += raw.size())
        memcpy(to + i, raw.data(), raw.size());
    else
      memcpy(to, raw.data(), bytes);
    return success();
  }

  func::FuncOp function;
  target::Program &program;
  ProgramPlaces &places;
  Scalars scalars;
};

} // namespace

target::Instruction
factisa::makeInstruction(Operation *op,
                         ArrayRef<std::optional<Resolved>> operands) {
  target::Instruction instruction = *emptyInstruction(op->getName());
  unsigned operand = 0;
  auto attribute = [&](const target::FieldInfo &field) {
    return op->getAttr(field.name);
  };
  target::forEachField(instruction, [&](const target::FieldInfo &field,
                                        auto &value) {
    using T = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<T, target::EngineSet>) {
      if (auto engines = cast_or_null<IntegerAttr>(attribute(field)))
        value = target::EngineSet(static_cast<unsigned>(engines.getInt()));
    } else if constexpr (std::is_same_v<T, target::SramRef>) {
      const std::optional<Resolved> &resolved = operands[operand++];
      value = resolved
                  ? target::SramRef{static_cast<uint32_t>(resolved->immediate),
                                    static_cast<uint8_t>(resolved->reg), true}
                  : target::SramRef::absent();
    } else if constexpr (std::is_same_v<T, target::DramRef>) {
      Resolved resolved = operands[operand++].value_or(Resolved());
      value = {static_cast<uint64_t>(resolved.immediate),
               static_cast<uint8_t>(resolved.reg)};
    } else if constexpr (std::is_same_v<T, target::ScalarRef>) {
      Resolved resolved = operands[operand++].value_or(Resolved());
      value = {static_cast<uint32_t>(resolved.immediate),
               static_cast<uint8_t>(resolved.reg)};
    } else if constexpr (std::is_same_v<T, bool>) {
      value = bool(attribute(field));
    } else if constexpr (std::is_same_v<T, float>) {
      value = cast<FloatAttr>(attribute(field)).getValue().convertToFloat();
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(cast<FieldAttr<T>>(attribute(field)).getValue());
    } else {
      value = static_cast<T>(cast<IntegerAttr>(attribute(field)).getInt());
    }
  });
  return instruction;
}

std::unique_ptr<target::Program>
factisa::encodeProgram(ModuleOp module, const target::Machine &machine,
                       const EncodeOptions &options, ProgramPlaces *places) {
  auto functions = module.getOps<func::FuncOp>();
  if (!llvm::hasSingleElement(functions)) {
    InFlightDiagnostic diagnostic =
        module.emitError() << "a program is one function (were "
                           << std::distance(functions.begin(), functions.end())
                           << ")";
    for (func::FuncOp function : functions)
      diagnostic.attachNote(function.getLoc())
          << "'" << function.getName() << "' is one";
    return nullptr;
  }
  return encodeFunction(*functions.begin(), machine, options, places);
}

std::unique_ptr<target::Program>
factisa::encodeFunction(func::FuncOp function, const target::Machine &machine,
                        const EncodeOptions &options, ProgramPlaces *places) {
  if (!function->getAttrOfType<IntegerAttr>(kBoundAttrName)) {
    function.emitError() << "has no attribute '" << kBoundAttrName
                         << "': run --fact-to-factisa first";
    return nullptr;
  }
  try {
    auto program = std::make_unique<target::Program>();
    program->machine = machine;
    ProgramPlaces found;
    found.function = function;
    Encoder encoder(function, *program, found);
    if (failed(encoder.run()))
      return nullptr;
    if (places)
      *places = std::move(found);
    target::Metadata metadata;
    if (auto text = function->getAttrOfType<StringAttr>(kMetadataAttrName))
      try {
        metadata = target::Metadata::parse(text.getValue().str());
      } catch (const std::exception &error) {
        function.emitError()
            << "attribute '" << kMetadataAttrName << "': " << error.what();
        return nullptr;
      }
    metadata.policy = options.policyJson;
    metadata.bound =
        function->getAttrOfType<IntegerAttr>(kBoundAttrName).getInt();
    program->dramBytes = encoder.dramBytes;
    program->metadata = metadata.toJson();
    if (options.embedIR) {
      program->mlir.emplace();
      llvm::raw_string_ostream os(*program->mlir);
      function->getParentOfType<ModuleOp>().print(
          os, OpPrintingFlags().enableDebugInfo());
    }
    program->validate();
    return program;
  } catch (const std::exception &error) {
    function.emitError() << error.what();
    return nullptr;
  }
}

LogicalResult factisa::writeProgram(const target::Program &program,
                                    StringRef path, Location loc) {
  try {
    program.write(path.str());
    return success();
  } catch (const std::exception &error) {
    emitError(loc) << error.what();
    return failure();
  }
}
