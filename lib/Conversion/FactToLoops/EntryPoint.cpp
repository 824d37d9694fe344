//===- EntryPoint.cpp - The C entry point of the main function ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"
#include "FloatControl.h"

#include "fact/Conversion/FactToLoops/EntryPoint.h"
#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::fact {
#define GEN_PASS_DEF_ENTRYPOINTPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
using Predicate = arith::CmpIPredicate;

namespace {

struct FeatureBit;

/// Whether main's last argument is what --fact-parallel-loops adds.
bool takesParallel(func::FuncOp main) {
  return main.getNumArguments() != 0 &&
         isa<LLVM::LLVMPointerType>(main.getArgumentTypes().back());
}

/// Builds the body of one entry point.
class EntryBuilder {
public:
  EntryBuilder(OpBuilder &builder, func::FuncOp main, StringRef floatControl)
      : e(builder, main.getLoc(), LoopOptions()), main(main),
        floatControl(floatControl), isParallel(takesParallel(main)),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())),
        converter(builder.getContext()) {}

  LogicalResult build(func::FuncOp entry, bool packed);
  /// Calls `entry` where the processor has what is required.
  void buildCheck(func::FuncOp check, func::FuncOp entry,
                  ArrayRef<std::string> required);

private:
  Value describe(MemRefType type, Value address,
                 llvm::function_ref<Value(int64_t)> sizeOf);
  Value argument(MemRefType type, Value address, Value length);
  Value copyTarget(Value result, Value address);
  void handOver(Value result, Value place);
  Value nameOf(DictionaryAttr attributes, const Twine &otherwise);
  Value globalText(StringRef text);
  void report(Value error, int32_t code, Value name, Value row, Value column);
  Value firstBad(Value memref, bool limited);
  Value elements(Value memref);
  Value flat(Value memref, Value count);
  Value hasFeature(const FeatureBit &feature);
  Value hasDotProduct();
  Value askForTiles();

  Emitter e;
  func::FuncOp main;
  StringRef floatControl;
  bool isParallel; ///< Whether main takes a fact_parallel at its end.
  Type pointer;
  LLVMTypeConverter converter;
};

/// Dense memory at an address, of the given sizes.
Value EntryBuilder::describe(MemRefType type, Value address,
                             llvm::function_ref<Value(int64_t)> sizeOf) {
  Location loc = e.b.getLoc();
  auto descriptor =
      MemRefDescriptor::poison(e.b, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(e.b, loc, address);
  descriptor.setAlignedPtr(e.b, loc, address);
  descriptor.setConstantOffset(e.b, loc, 0);
  Value stride = e.integer(e.i64, 1);
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    Value size = sizeOf(i);
    descriptor.setSize(e.b, loc, i, size);
    descriptor.setStride(e.b, loc, i, stride);
    if (i > 0)
      stride = e.mul(stride, size);
  }
  return UnrealizedConversionCastOp::create(e.b, type, Value(descriptor))
      .getResult(0);
}

/// An argument of main at the caller's address.
Value EntryBuilder::argument(MemRefType type, Value address, Value length) {
  return describe(type, address, [&](int64_t i) {
    return type.isDynamicDim(i) ? length : e.integer(e.i64, type.getDimSize(i));
  });
}

/// A buffer of the caller with the shape of a result of main.
Value EntryBuilder::copyTarget(Value result, Value address) {
  return describe(cast<MemRefType>(result.getType()), address, [&](int64_t i) {
    return e.fromIndex(e.dim(result, i), e.i64);
  });
}

/// Tells the caller where a result of main is, which is the caller's from
/// then on (packedExtents).
void EntryBuilder::handOver(Value result, Value place) {
  Location loc = e.b.getLoc();
  auto type = cast<MemRefType>(result.getType());
  MemRefDescriptor descriptor(UnrealizedConversionCastOp::create(
                                  e.b, converter.convertType(type), result)
                                  .getResult(0));
  SmallVector<Value> words = {descriptor.allocatedPtr(e.b, loc),
                              descriptor.alignedPtr(e.b, loc)};
  for (int64_t i = 0; i < type.getRank(); ++i)
    words.push_back(descriptor.size(e.b, loc, i));
  for (auto [i, word] : llvm::enumerate(words)) {
    Value at =
        LLVM::GEPOp::create(e.b, pointer, e.i64, place,
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    LLVM::StoreOp::create(e.b, word, at);
  }
}

Value EntryBuilder::globalText(StringRef text) {
  auto module = main->getParentOfType<ModuleOp>();
  std::string name =
      "__fact_name_" + std::to_string(std::distance(module.getBody()->begin(),
                                                    module.getBody()->end()));
  std::string bytes = text.str();
  bytes.push_back('\0');
  auto type = LLVM::LLVMArrayType::get(e.i8, bytes.size());
  {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(e.b, type, /*isConstant=*/true,
                           LLVM::Linkage::Private, name,
                           e.b.getStringAttr(bytes));
  }
  return LLVM::AddressOfOp::create(e.b, pointer, name);
}

Value EntryBuilder::nameOf(DictionaryAttr attributes, const Twine &otherwise) {
  auto name =
      attributes ? attributes.getAs<StringAttr>(kNameAttrName) : StringAttr();
  return globalText(name ? name.str() : otherwise.str());
}

void EntryBuilder::report(Value error, int32_t code, Value name, Value row,
                          Value column) {
  Value null = LLVM::ZeroOp::create(e.b, pointer);
  Value wanted =
      LLVM::ICmpOp::create(e.b, LLVM::ICmpPredicate::ne, error, null);
  e.ifThen(wanted, [&] {
    auto layout = LLVM::LLVMStructType::getLiteral(
        e.b.getContext(), {e.i32, pointer, e.i64, e.i64});
    Value fields[] = {e.integer(e.i32, code), name, row, column};
    for (int32_t i = 0; i < 4; ++i) {
      Value at = LLVM::GEPOp::create(e.b, pointer, layout, error,
                                     ArrayRef<LLVM::GEPArg>{0, i});
      LLVM::StoreOp::create(e.b, fields[i], at);
    }
  });
}

Value EntryBuilder::elements(Value memref) {
  Value count = e.index(1);
  for (int64_t i = 0; i < cast<MemRefType>(memref.getType()).getRank(); ++i)
    count = e.mul(count, e.dim(memref, i));
  return count;
}

Value EntryBuilder::flat(Value memref, Value count) {
  auto type = cast<MemRefType>(memref.getType());
  auto flatType =
      MemRefType::get({ShapedType::kDynamic}, type.getElementType());
  return memref::ReinterpretCastOp::create(
      e.b, flatType, memref, OpFoldResult(e.b.getIndexAttr(0)),
      ArrayRef<OpFoldResult>{count},
      ArrayRef<OpFoldResult>{e.b.getIndexAttr(1)});
}

/// Index of the first element that is not usable, or -1, as i64.
Value EntryBuilder::firstBad(Value memref, bool limited) {
  Value count = elements(memref), data = flat(memref, count);
  Value bound = e.f32(limited ? 0x1p50f : std::numeric_limits<float>::max());
  auto isBad = [&](const Real &x, Value limit) {
    // Also where x is NaN.
    return arith::CmpFOp::create(e.b, arith::CmpFPredicate::UGT,
                                 absolute(x).value, limit)
        .getResult();
  };
  Value whole = e.mul(e.div(count, lanes), lanes);
  Value bounds = e.splatValue(bound);
  Value some = e.forReduce(
      e.index(0), whole, lanes, e.integer(e.vectorOf(e.i1), 0),
      [&](Value at, ValueRange carried) {
        Value bad = isBad(e.loadReal(data, at), bounds);
        return SmallVector<Value>{arith::OrIOp::create(e.b, carried[0], bad)};
      })[0];
  Value any = vector::ReductionOp::create(e.b, vector::CombiningKind::OR, some);
  any = e.forReduce(whole, count, 1, any, [&](Value at, ValueRange carried) {
    return SmallVector<Value>{arith::OrIOp::create(
        e.b, carried[0], isBad(e.loadScalar(data, at), bound))};
  })[0];
  auto search = [&] {
    return e.forReduce(e.index(0), count, 1, e.integer(e.i64, -1),
                       [&](Value at, ValueRange carried) {
                         Value none = e.compare(Predicate::slt, carried[0],
                                                e.integer(e.i64, 0));
                         Value hit = arith::AndIOp::create(
                             e.b, none, isBad(e.loadScalar(data, at), bound));
                         return SmallVector<Value>{arith::SelectOp::create(
                             e.b, hit, e.fromIndex(at, e.i64), carried[0])};
                       });
  };
  return e.select(any, search,
                  [&] { return SmallVector<Value>{e.integer(e.i64, -1)}; })[0];
}

//===----------------------------------------------------------------------===//
// What the processor has
//===----------------------------------------------------------------------===//

/// Where CPUID says whether an x86 processor has a feature.
struct FeatureBit {
  StringLiteral name;
  int32_t leaf, subleaf;
  int64_t reg; ///< eax, ebx, ecx, edx
  int64_t bit;
  /// State that the operating system must keep, in XCR0.
  int32_t state;
};

constexpr int32_t vectorState = 0x6, maskState = 0xe6, tileState = 0x60000;

constexpr FeatureBit featureBits[] = {
    {"sse4.1", 1, 0, 2, 19, 0},
    {"popcnt", 1, 0, 2, 23, 0},
    {"fma", 1, 0, 2, 12, vectorState},
    {"avx2", 7, 0, 1, 5, vectorState},
    {"avx512f", 7, 0, 1, 16, maskState},
    {"avx512dq", 7, 0, 1, 17, maskState},
    {"avx512bw", 7, 0, 1, 30, maskState},
    {"avx512vl", 7, 0, 1, 31, maskState},
    {"avx512vnni", 7, 0, 2, 11, maskState},
    {"avx512vbmi2", 7, 0, 2, 6, maskState},
    {"gfni", 7, 0, 2, 8, 0},
    {"avxvnni", 7, 1, 0, 4, vectorState},
    {"amx-tile", 7, 0, 3, 24, tileState},
    {"amx-int8", 7, 0, 3, 25, tileState},
};

/// Linux lets a process read what an AArch64 processor has: bits 44 to 47 are
/// those of dot products.
Value EntryBuilder::hasDotProduct() {
  Value has = emitAssembly(e.b, e.i64, {}, "mrs $0, ID_AA64ISAR0_EL1", "=r")
                  .getResult(0);
  return e.compare(
      Predicate::ne,
      arith::AndIOp::create(e.b, has, e.integer(e.i64, int64_t(15) << 44)),
      e.integer(e.i64, 0));
}

/// The processor has a feature, and the operating system keeps its state.
Value EntryBuilder::hasFeature(const FeatureBit &feature) {
  auto word = [&](Value value, int64_t member) -> Value {
    return LLVM::ExtractValueOp::create(e.b, value, member);
  };
  auto words = [&](unsigned count) {
    return LLVM::LLVMStructType::getLiteral(e.b.getContext(),
                                            SmallVector<Type>(count, e.i32));
  };
  auto cpuid = [&](int32_t leaf, int32_t subleaf) {
    return emitAssembly(e.b, words(4),
                        {e.integer(e.i32, leaf), e.integer(e.i32, subleaf)},
                        "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx}")
        .getResult(0);
  };
  auto hasAll = [&](Value value, int32_t bits) {
    Value wanted = e.integer(e.i32, bits);
    return e.compare(Predicate::eq, arith::AndIOp::create(e.b, value, wanted),
                     wanted);
  };
  Value largest = word(cpuid(0, 0), 0);
  Value known =
      e.compare(Predicate::uge, largest, e.integer(e.i32, feature.leaf));
  auto no = [&] { return SmallVector<Value>{e.integer(e.i1, 0)}; };
  auto ask = [&] {
    Value has = hasAll(word(cpuid(feature.leaf, feature.subleaf), feature.reg),
                       static_cast<int32_t>(1u << feature.bit));
    if (!feature.state)
      return SmallVector<Value>{has};
    constexpr int32_t osxsave = 1 << 27;
    Value kept = e.select(
        hasAll(word(cpuid(1, 0), 2), osxsave),
        [&] {
          Value state = emitAssembly(e.b, words(2), e.integer(e.i32, 0),
                                     "xgetbv", "={ax},={dx},{cx}")
                            .getResult(0);
          return SmallVector<Value>{hasAll(word(state, 0), feature.state)};
        },
        no)[0];
    return SmallVector<Value>{arith::AndIOp::create(e.b, has, kept)};
  };
  return e.select(known, ask, no)[0];
}

/// Linux lends a process its tiles once it has asked for them.
Value EntryBuilder::askForTiles() {
  constexpr int64_t archPrctl = 158, requestPermission = 0x1023, tileData = 18;
  Value answer =
      emitAssembly(
          e.b, e.i64,
          {e.integer(e.i64, archPrctl), e.integer(e.i64, requestPermission),
           e.integer(e.i64, tileData)},
          "syscall", "={rax},{rax},{rdi},{rsi},~{rcx},~{r11},~{memory}")
          .getResult(0);
  return e.compare(Predicate::eq, answer, e.integer(e.i64, 0));
}

void EntryBuilder::buildCheck(func::FuncOp check, func::FuncOp entry,
                              ArrayRef<std::string> required) {
  Block *body = check.addEntryBlock();
  e.b.setInsertionPointToStart(body);
  SmallVector<Value> operands(body->getArguments());
  unsigned wanted = entry.getNumArguments();
  Value error = operands[isParallel ? wanted - 2 : wanted - 1],
        zero = e.integer(e.i64, 0);
  if (operands.size() < wanted) // alone
    operands.push_back(LLVM::ZeroOp::create(e.b, pointer));
  std::function<SmallVector<Value>(size_t)> ask = [&](size_t next) {
    if (next == required.size()) {
      auto call = func::CallOp::create(e.b, entry, operands);
      return SmallVector<Value>{call.getResult(0)};
    }
    StringRef name = required[next];
    const FeatureBit *feature = llvm::find_if(
        featureBits, [&](const FeatureBit &each) { return each.name == name; });
    bool isX86 = feature != std::end(featureBits);
    if (!isX86 && name != "dotprod")
      return ask(next + 1);
    Value has = isX86 ? hasFeature(*feature) : hasDotProduct();
    if (name == "amx-int8")
      has = e.select(
          has, [&] { return SmallVector<Value>{askForTiles()}; },
          [&] { return SmallVector<Value>{e.integer(e.i1, 0)}; })[0];
    return e.select(
        has, [&] { return ask(next + 1); },
        [&] {
          auto status = static_cast<int32_t>(EntryStatus::BadHost);
          report(error, status, globalText(name), zero, zero);
          return SmallVector<Value>{e.integer(e.i32, status)};
        });
  };
  func::ReturnOp::create(e.b, ask(0));
}

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

LogicalResult EntryBuilder::build(func::FuncOp entry, bool packed) {
  Block *body = entry.addEntryBlock();
  e.b.setInsertionPointToStart(body);
  FunctionType type = main.getFunctionType();
  unsigned inputs = type.getNumInputs() - isParallel,
           outputs = type.getNumResults();
  SmallVector<Value> addresses;
  Value length, error, parallel;
  if (packed) {
    for (unsigned i = 0; i < inputs + outputs; ++i) {
      Value at =
          LLVM::GEPOp::create(e.b, pointer, pointer, body->getArgument(0),
                              ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
      addresses.push_back(LLVM::LoadOp::create(e.b, pointer, at));
    }
    length = body->getArgument(1);
    error = body->getArgument(2);
    if (isParallel)
      parallel = body->getArgument(3);
  } else {
    for (unsigned i = 0; i < inputs; ++i)
      addresses.push_back(body->getArgument(i));
    length = body->getArgument(inputs);
    for (unsigned i = 0; i < outputs; ++i)
      addresses.push_back(body->getArgument(inputs + 1 + i));
    error = body->getArgument(inputs + 1 + outputs);
    if (isParallel)
      parallel = body->getArgument(inputs + 2 + outputs);
  }

  EntryLength expected = entryLength(main);
  Value tooShort =
      e.compare(Predicate::slt, length, e.integer(e.i64, expected.smallest));
  Value tooLong =
      e.compare(Predicate::sgt, length, e.integer(e.i64, expected.largest));
  Value wrong = arith::OrIOp::create(e.b, tooShort, tooLong);
  Value zero = e.integer(e.i64, 0);
  auto fail = [&](EntryStatus status, Value name, Value row, Value column) {
    report(error, static_cast<int32_t>(status), name, row, column);
    return SmallVector<Value>{e.integer(e.i32, static_cast<int32_t>(status))};
  };

  auto run = [&]() -> SmallVector<Value> {
    FloatControl control(e.b, floatControl);
    control.set();
    SmallVector<Value> buffers;
    for (unsigned i = 0; i < inputs; ++i)
      buffers.push_back(
          argument(cast<MemRefType>(type.getInput(i)), addresses[i], length));
    // Checks of float inputs, each only where all before it passed.
    Value status = e.integer(e.i32, 0);
    auto check = [&](Value memref, bool isInput, unsigned number) {
      auto memrefType = cast<MemRefType>(memref.getType());
      if (!memrefType.getElementType().isF32())
        return;
      auto test = [&]() -> SmallVector<Value> {
        Value bad = firstBad(memref, isInput);
        Value isBad = e.compare(Predicate::sge, bad, zero);
        auto complain = [&] {
          int64_t rank = memrefType.getRank();
          Value columns = rank ? e.fromIndex(e.dim(memref, rank - 1), e.i64)
                               : e.integer(e.i64, 1);
          Value name = isInput ? nameOf(main.getArgAttrDict(number),
                                        "input " + Twine(number))
                               : nameOf(main.getResultAttrDict(number),
                                        "output " + Twine(number));
          return fail(isInput ? EntryStatus::BadInput : EntryStatus::BadOutput,
                      name, arith::DivSIOp::create(e.b, bad, columns),
                      arith::RemSIOp::create(e.b, bad, columns));
        };
        return e.select(isBad, complain, [&] {
          return SmallVector<Value>{e.integer(e.i32, 0)};
        });
      };
      Value fine = e.compare(Predicate::eq, status, e.integer(e.i32, 0));
      status =
          e.select(fine, test, [&] { return SmallVector<Value>{status}; })[0];
    };
    for (unsigned i = 0; i < inputs; ++i)
      check(buffers[i], true, i);

    Value fine = e.compare(Predicate::eq, status, e.integer(e.i32, 0));
    auto compute = [&]() -> SmallVector<Value> {
      SmallVector<Value> operands = buffers;
      if (isParallel)
        operands.push_back(parallel);
      auto call = func::CallOp::create(e.b, main, operands);
      for (unsigned i = 0; i < outputs; ++i)
        check(call.getResult(i), false, i);
      auto free = [&] {
        for (Value result : call.getResults())
          memref::DeallocOp::create(e.b, result);
      };
      e.ifThen(e.compare(Predicate::eq, status, e.integer(e.i32, 0)), [&] {
        for (auto [result, address] : llvm::zip(
                 call.getResults(), ArrayRef(addresses).drop_front(inputs)))
          if (packed)
            handOver(result, address);
          else
            memref::CopyOp::create(e.b, result, copyTarget(result, address));
      });
      if (packed)
        e.ifThen(e.compare(Predicate::ne, status, e.integer(e.i32, 0)), free);
      else
        free();
      return {status};
    };
    Value before = status;
    Value after =
        e.select(fine, compute, [&] { return SmallVector<Value>{before}; })[0];
    control.restore();
    return {after};
  };
  Value status = e.select(
      wrong,
      [&] {
        return fail(EntryStatus::BadLength, globalText("length"), length, zero);
      },
      run)[0];
  func::ReturnOp::create(e.b, status);
  return success();
}

struct EntryPointPass : mlir::fact::impl::EntryPointPassBase<EntryPointPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      module.emitError("has no function 'main'");
      return signalPassFailure();
    }
    auto isBuffer = [](Type type) {
      auto memref = dyn_cast<MemRefType>(type);
      return memref && memref.getLayout().isIdentity();
    };
    bool isParallel = takesParallel(main);
    if (!llvm::all_of(main.getArgumentTypes().drop_back(isParallel),
                      isBuffer) ||
        !llvm::all_of(main.getResultTypes(), isBuffer)) {
      main.emitError("takes or returns something that is no tensor");
      return signalPassFailure();
    }
    OpBuilder builder(module.getContext());
    Type pointer = LLVM::LLVMPointerType::get(module.getContext());
    SmallVector<Type> arguments(
        packed ? 1 : main.getNumArguments() - isParallel, pointer);
    arguments.push_back(builder.getI64Type());
    if (!packed)
      arguments.append(main.getNumResults(), pointer);
    arguments.push_back(pointer);

    // The symbol `main` would be a program's own.
    if (failed(SymbolTable::replaceAllSymbolUses(
            main, builder.getStringAttr("__fact_main"), module)))
      return signalPassFailure();
    main.setName("__fact_main");
    main.setPrivate();
    // Its float operations must not move across the change of mode.
    main->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    if (Operation *other = module.lookupSymbol(name)) {
      InFlightDiagnostic diagnostic =
          module.emitError("has a function with the name of the entry point '")
          << name << "'";
      diagnostic.attachNote(other->getLoc()) << "this one";
      return signalPassFailure();
    }
    builder.setInsertionPointToEnd(module.getBody());
    // What is behind all entry points, or the only one.
    auto typeOf = [&](bool withParallel) {
      SmallVector<Type> types = arguments;
      if (withParallel)
        types.push_back(pointer);
      return builder.getFunctionType(types, builder.getI32Type());
    };
    EntryBuilder entries(builder, main, floatControl);
    auto entry =
        func::FuncOp::create(builder, main.getLoc(), name, typeOf(isParallel));
    if (failed(entries.build(entry, packed)))
      return signalPassFailure();
    if (isParallel || !required.empty()) {
      entry.setName("__fact_entry");
      entry.setPrivate();
      entry->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
      auto addPublic = [&](const Twine &publicName, bool withParallel) {
        builder.setInsertionPointToEnd(module.getBody());
        auto check = func::FuncOp::create(
            builder, main.getLoc(), publicName.str(), typeOf(withParallel));
        if (!required.empty()) // runs on any processor
          check->setAttr(
              "passthrough",
              builder.getArrayAttr(
                  {builder.getStrArrayAttr({"target-cpu", floatControl == "x86"
                                                              ? "x86-64"
                                                              : "generic"}),
                   builder.getStrArrayAttr({"target-features", ""})}));
        entries.buildCheck(check, entry, llvm::to_vector(required));
      };
      if (packed) {
        addPublic(name, isParallel);
      } else {
        addPublic(name, false);
        if (isParallel)
          addPublic(name + "_parallel", true);
      }
    }
    // They were for the entry point; LLVM knows nothing of them.
    main->removeAttr(kLayersAttrName);
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      main.setArgAttrs(i, DictionaryAttr());
    for (unsigned i = 0; i < main.getNumResults(); ++i)
      main.setResultAttrs(i, DictionaryAttr::get(main.getContext()));
  }
};

} // namespace
