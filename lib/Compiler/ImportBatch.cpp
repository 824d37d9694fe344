//===- ImportBatch.cpp - Models of any number of sequences ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportBatch.h"
#include "Said.h"

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::fact;

//===----------------------------------------------------------------------===//
// Equal functions
//===----------------------------------------------------------------------===//

namespace {

/// Holds what two functions return against each other: equal operations of
/// equal operands, wherever they stand. (Nothing else of an import matters: it
/// has no side effects, and may hold constants that nobody reads any more.)
class Comparison {
public:
  /// The first operation of `a` that is found to be another one in `b`.
  static Operation *firstDifference(func::FuncOp a, func::FuncOp b) {
    Comparison comparison;
    if (!comparison.isSame(a, b, /*inOrder=*/false))
      return a;
    Block *inA = &a.getBody().front(), *inB = &b.getBody().front();
    comparison.blocks[inA] = inB;
    Operation *last = inA->getTerminator();
    if (!comparison.isSame(last, inB->getTerminator(), /*inOrder=*/true))
      return last;
    while (!comparison.open.empty()) {
      auto [x, y] = comparison.open.pop_back_val();
      if (!comparison.isSame(x, y))
        return x.getDefiningOp() ? x.getDefiningOp() : a;
    }
    return nullptr;
  }

private:
  static bool isSame(Attribute x, Attribute y) {
    if (x == y)
      return true;
    auto left = dyn_cast<DenseResourceElementsAttr>(x),
         right = dyn_cast<DenseResourceElementsAttr>(y);
    if (!left || !right || left.getType() != right.getType())
      return false;
    // Imports of one file share the data of its weights.
    const AsmResourceBlob *a = left.getRawHandle().getBlob(),
                          *b = right.getRawHandle().getBlob();
    return a && b &&
           (a->getData().data() == b->getData().data() ||
            a->getData() == b->getData());
  }

  /// Apart from the operands, which are left to be compared. `inOrder`: also
  /// its regions, operation by operation.
  bool isSame(Operation *x, Operation *y, bool inOrder) {
    DictionaryAttr a = x->getAttrDictionary(), b = y->getAttrDictionary();
    if (x->getName() != y->getName() || a.size() != b.size() ||
        x->getResultTypes() != y->getResultTypes() ||
        x->getNumOperands() != y->getNumOperands() ||
        x->getNumRegions() != y->getNumRegions() || x->getNumSuccessors() > 0 ||
        y->getNumSuccessors() > 0)
      return false;
    for (auto [left, right] : llvm::zip(a, b))
      if (left.getName() != right.getName() ||
          !isSame(left.getValue(), right.getValue()))
        return false;
    same.insert({x, y});
    for (auto [left, right] : llvm::zip(x->getOperands(), y->getOperands()))
      open.push_back({left, right});
    if (!inOrder)
      return true;
    return llvm::all_of(llvm::zip(x->getRegions(), y->getRegions()),
                        [&](auto regions) {
                          auto &[left, right] = regions;
                          return isSame(left, right);
                        });
  }

  bool isSame(Region &x, Region &y) {
    if (!llvm::hasNItemsOrLess(x, 1) || !llvm::hasNItemsOrLess(y, 1) ||
        x.empty() != y.empty())
      return false;
    if (x.empty())
      return true;
    Block &left = x.front(), &right = y.front();
    if (left.getArgumentTypes() != right.getArgumentTypes() ||
        left.getOperations().size() != right.getOperations().size())
      return false;
    blocks[&left] = &right;
    return llvm::all_of(llvm::zip(left, right), [&](auto ops) {
      auto &[a, b] = ops;
      return isSame(&a, &b, /*inOrder=*/true);
    });
  }

  bool isSame(Value x, Value y) {
    if (x.getType() != y.getType())
      return false;
    auto left = dyn_cast<BlockArgument>(x), right = dyn_cast<BlockArgument>(y);
    if (left || right)
      return left && right && left.getArgNumber() == right.getArgNumber() &&
             blocks.lookup(left.getOwner()) == right.getOwner();
    if (cast<OpResult>(x).getResultNumber() !=
        cast<OpResult>(y).getResultNumber())
      return false;
    Operation *a = x.getDefiningOp(), *b = y.getDefiningOp();
    return same.contains({a, b}) || isSame(a, b, /*inOrder=*/true);
  }

  DenseMap<Block *, Block *> blocks;
  DenseSet<std::pair<Operation *, Operation *>> same;
  SmallVector<std::pair<Value, Value>> open;
};

} // namespace

//===----------------------------------------------------------------------===//
// The number of sequences
//===----------------------------------------------------------------------===//

/// Whether an operand is but the extent of a tensor.
static bool isExtent(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isa<tensor::EmptyOp, tensor::ExpandShapeOp>(op))
    return true;
  auto part = dyn_cast<OffsetSizeAndStrideOpInterface>(op);
  return part &&
         llvm::any_of(part.getMixedSizes(),
                      [&](OpFoldResult size) {
                        return dyn_cast<Value>(size) == operand.get();
                      }) &&
         llvm::none_of(llvm::concat<OpFoldResult>(part.getMixedOffsets(),
                                                  part.getMixedStrides()),
                       [&](OpFoldResult number) {
                         return dyn_cast<Value>(number) == operand.get();
                       });
}

/// The first operation that computes with an open extent, which must be the
/// batch, other than extents.
static Operation *readerOfOpenExtent(func::FuncOp function) {
  SmallVector<Value> open;
  DenseSet<Value> seen;
  function.walk([&](tensor::DimOp dim) { open.push_back(dim); });
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp>(
              user) &&
          user->getResult(0).getType().isIndex())
        open.push_back(user->getResult(0));
      else if (!isExtent(use))
        return user;
    }
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Imports
//===----------------------------------------------------------------------===//

static func::FuncOp mainOf(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

/// The extent of a batch of any number of sequences, if there is one.
static std::optional<int64_t> openBatch(func::FuncOp main) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto batch =
            main.getArgAttrOfType<DenseI64ArrayAttr>(i, kBatchAttrName))
      return cast<RankedTensorType>(main.getArgument(i).getType())
          .getDimSize(batch[0]);
  return std::nullopt;
}

namespace {

/// The function of one sequence from an import for a number of them.
struct Import {
  Import(const OnnxFile &file, OnnxImportOptions options, int64_t sequences);
  ~Import() {
    if (module)
      freeResources(*module);
  }
  Import(Import &&) = default;
  Import &operator=(Import &&) = default;

  func::FuncOp main() { return mainOf(*module); }

  OwningOpRef<ModuleOp> module; ///< Null after an error.
  bool isOpen = false, isSplit = false;
  Said imported, split;
};

} // namespace

Import::Import(const OnnxFile &file, OnnxImportOptions options,
               int64_t sequences) {
  options.batch = sequences;
  MLIRContext *context = file.getContext();
  imported.during(context, [&] { module = file.import(options); });
  isOpen = module && mainOf(*module) && openBatch(mainOf(*module));
  if (!isOpen)
    return;
  split.during(context, [&] {
    PassManager pm(context);
    pm.addPass(createSplitBatchPass());
    isSplit = succeeded(pm.run(*module)) && openBatch(main()) == 1;
  });
}

/// Says that a batch is not split, and why.
static void miss(Operation *op, StringRef reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("BatchNotSplit")
                                   .category("fact-split-batch")
                                   .function("main"))
      << remark::reason("{0}", reason)
      << remark::suggest("--shape says how many sequences there are");
}

/// What an import with an open number of sequences says of the model.
enum class Counting {
  Never,     ///< The number is but an extent.
  Sometimes, ///< Something is computed from it; a remark says what.
  Unknown,   ///< The import needs the number.
};

/// `any`: an import with an open length, whose longest sequences are looked at.
static Counting findCounting(const OnnxFile &file, OnnxImportOptions options,
                             func::FuncOp any) {
  constexpr int64_t most = 4096;
  options.batch = most;
  options.opensBatch = true;
  for (unsigned i = 0; i < any.getNumArguments(); ++i)
    if (auto bound = any.getArgAttrOfType<IntegerAttr>(i, kBoundAttrName))
      options.length = bound.getInt();
  OwningOpRef<ModuleOp> module;
  Said said;
  said.during(file.getContext(), [&] { module = file.import(options); });
  if (!module)
    return Counting::Unknown;
  Operation *reader = readerOfOpenExtent(mainOf(*module));
  if (reader)
    miss(reader, "it computes with the number of sequences");
  freeResources(*module);
  return reader ? Counting::Sometimes : Counting::Never;
}

/// The names of all nodes that became operations.
static DenseSet<Attribute> nodesOf(func::FuncOp function) {
  DenseSet<Attribute> nodes;
  function.walk([&](Operation *op) {
    if (auto name = op->getLoc()->findInstanceOf<NameLoc>())
      nodes.insert(name.getName());
  });
  return nodes;
}

/// Why a single sequence does not give what it gives beside others, null where
/// nothing says so: a batch of one may be squeezed away, or be a case of its
/// own.
static const char *whyNotAlone(Import &any, Import &one) {
  if (!one.module ||
      failed(verifyCompatibleShapes(any.main().getResultTypes(),
                                    one.main().getResultTypes())))
    return "its results have another shape for one sequence";
  DenseSet<Attribute> nodes = nodesOf(any.main());
  for (Attribute node : nodesOf(one.main()))
    if (!nodes.contains(node))
      return "it does something else for one sequence";
  return nullptr;
}

/// The first difference between the functions of one sequence that are made for
/// two numbers of them; `second` may not be split, which is said.
static Operation *compare(Import &first, Import &second) {
  if (!second.isSplit) {
    second.split.repeat(first.module->getContext());
    if (!second.isOpen)
      miss(first.main(), "there is no other number of sequences");
    return first.main();
  }
  Operation *op = Comparison::firstDifference(first.main(), second.main());
  if (op)
    miss(op, "it is another one for another number of sequences");
  return op;
}

/// The function of one sequence of any number.
static OwningOpRef<ModuleOp> importForAny(const OnnxFile &file,
                                          const OnnxImportOptions &options) {
  MLIRContext *context = file.getContext();
  Import import(file, options, 2);
  auto take = [&](Import &import) {
    import.imported.repeat(context);
    import.split.repeat(context);
    return std::move(import.module);
  };
  if (!import.isOpen)
    return import.module ? take(import) : nullptr;
  if (!import.isSplit) {
    import.split.repeat(context);
    return nullptr;
  }
  if (Import one(file, options, 1);
      const char *why = whyNotAlone(import, one)) {
    miss(import.main(), why);
    return nullptr;
  }
  // Primes: no extent of a model is a multiple of the larger ones by chance.
  // What is computed for them is still small.
  constexpr int64_t many = 61, almostAsMany = 59;
  Import other(file, options, many);
  switch (findCounting(file, options, import.main())) {
  case Counting::Sometimes:
    return nullptr;
  case Counting::Never: {
    if (!other.isSplit ||
        !Comparison::firstDifference(import.main(), other.main()))
      break;
    // Constants that are too large for the import are made by the model: hold
    // two imports against each other that leave the same ones to it.
    Import second(file, options, almostAsMany);
    return compare(other, second) ? nullptr : take(second);
  }
  case Counting::Unknown:
    // What the number decides should show for one of these.
    for (int64_t number : {3, 4, 5, 8, 16, 32})
      if (Import another(file, options, number); compare(import, another))
        return nullptr;
    break;
  }
  return compare(import, other) ? nullptr : take(import);
}

OwningOpRef<ModuleOp> mlir::fact::importBatch(const OnnxFile &file,
                                              OnnxImportOptions options) {
  if (options.arrays.empty())
    if (OwningOpRef<ModuleOp> module = importForAny(file, options))
      return module;
  options.batch = 1;
  return file.import(options);
}
