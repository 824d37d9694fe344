//===- InstructionAssembly.cpp - Instructions as they are read and written ===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One printer and parser for all instructions, from the fields of their
// records. A line of IR reads like one of a listing (lib/ISA/Assembly.cpp):
//
//   factisa.load dst=%x, src=%y, row0=%c0, rows=8, ..., whole {attributes}
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/Instructions.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::factisa;
using ::fact::isa::Engine;
using ::fact::isa::EngineSet;
using ::fact::isa::EnumCaseInfo;
using ::fact::isa::FieldInfo;
using ::fact::isa::FieldKind;
using ::fact::isa::InstructionInfo;

namespace {
ArrayRef<FieldInfo> fieldsOf(const InstructionInfo &info) {
  return ArrayRef(info.fields, info.numFields);
}

/// Whether a field that is not there has a value: none.
bool mayBeMissing(const FieldInfo &field) {
  return field.kind == FieldKind::Flag || field.kind == FieldKind::Engines;
}

ArrayRef<EnumCaseInfo> casesOf(const FieldInfo &field) {
  return ArrayRef(field.cases, field.numCases);
}

/// The name of a choice; null if the attribute is none of the field's.
const char *caseName(const ::fact::isa::Instruction &instruction,
                     const FieldInfo &field, Attribute attribute) {
  const char *name = nullptr;
  ::fact::isa::forEachField(
      instruction, [&](const FieldInfo &other, const auto &value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_enum_v<T>)
          if (&other == &field)
            if (auto choice = dyn_cast_if_present<FieldAttr<T>>(attribute))
              for (const EnumCaseInfo &c : casesOf(field))
                if (c.value == static_cast<int64_t>(choice.getValue()))
                  name = c.text;
      });
  return name;
}

/// The attribute of a choice.
Attribute caseAttribute(MLIRContext *context,
                        const ::fact::isa::Instruction &instruction,
                        const FieldInfo &field, const EnumCaseInfo &choice) {
  Attribute attribute;
  ::fact::isa::forEachField(
      instruction, [&](const FieldInfo &other, const auto &value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_enum_v<T>)
          if (&other == &field)
            attribute = FieldAttr<T>::get(
                context,
                static_cast<decltype(FieldAttr<T>().getValue())>(choice.value));
      });
  return attribute;
}

class InstructionParser {
public:
  InstructionParser(OpAsmParser &parser, OperationState &result,
                    const ::fact::isa::Instruction &instruction)
      : parser(parser), result(result), instruction(instruction),
        fields(fieldsOf(::fact::isa::info(instruction))),
        operands(fields.size()), places(fields.size()) {}

  ParseResult parse() {
    if (!fields.empty())
      do {
        if (parseField())
          return failure();
      } while (succeeded(parser.parseOptionalComma()));
    for (auto [field, place] : llvm::zip(fields, places))
      if (!place.isValid() && !mayBeMissing(field))
        return parser.emitError(parser.getNameLoc())
               << "field '" << field.name << "' of '" << result.name
               << "' is missing";
    return failure(resolveOperands() || parseAttributes());
  }

private:
  /// `name=value`, or the name of a flag.
  ParseResult parseField() {
    llvm::SMLoc place = parser.getCurrentLocation();
    StringRef name;
    bool isName = succeeded(parser.parseOptionalKeyword(&name));
    const FieldInfo *field = llvm::find_if(
        fields, [&](const FieldInfo &field) { return name == field.name; });
    if (field == fields.end()) {
      InFlightDiagnostic error = parser.emitError(place)
                                 << "expected a field of '" << result.name
                                 << "', one of ";
      llvm::interleaveComma(fields, error,
                            [&](const FieldInfo &f) { error << f.name; });
      if (isName)
        error << " (was '" << name << "')";
      return error;
    }
    llvm::SMLoc &first = places[field - fields.begin()];
    if (first.isValid()) {
      InFlightDiagnostic error = parser.emitError(place)
                                 << "field '" << name << "' occurs twice";
      error.attachNote(parser.getEncodedSourceLoc(first)) << "first here";
      return error;
    }
    first = place;
    if (field->kind == FieldKind::Flag) {
      place = parser.getCurrentLocation();
      if (succeeded(parser.parseOptionalEqual()))
        return parser.emitError(place)
               << "flag '" << name
               << "' has no value: it is set where its name stands";
      set(*field, parser.getBuilder().getUnitAttr());
      return success();
    }
    return failure(parser.parseEqual() || parseValue(*field));
  }

  ParseResult parseValue(const FieldInfo &field) {
    llvm::SMLoc place = parser.getCurrentLocation();
    auto mustBe = [&](const Twine &what) {
      return parser.emitError(place)
             << "field '" << field.name << "' must be " << what;
    };
    Builder &builder = parser.getBuilder();
    switch (field.kind) {
    case FieldKind::Sram:
    case FieldKind::Dram:
    case FieldKind::Scalar: {
      OptionalParseResult parsed =
          parser.parseOptionalOperand(operands[&field - fields.begin()]);
      return parsed.has_value() ? *parsed : mustBe("an SSA value");
    }
    case FieldKind::Immediate:
    case FieldKind::SignedImmediate: {
      int64_t value = 0;
      OptionalParseResult parsed = parser.parseOptionalInteger(value);
      if (!parsed.has_value())
        return mustBe("an integer");
      set(field, builder.getI64IntegerAttr(value));
      return *parsed;
    }
    case FieldKind::Float: {
      APFloat value(APFloat::IEEEsingle());
      if (parser.parseFloat(APFloat::IEEEsingle(), value))
        return failure();
      set(field, FloatAttr::get(builder.getF32Type(), value));
      return success();
    }
    case FieldKind::Flag:
      break; // has no value
    case FieldKind::Enum:
      return parseChoice(field);
    case FieldKind::Engines:
      return parseEngines(field);
    }
    llvm_unreachable("not a kind of field with a value");
  }

  ParseResult parseChoice(const FieldInfo &field) {
    llvm::SMLoc place = parser.getCurrentLocation();
    StringRef name;
    bool isName = succeeded(parser.parseOptionalKeyword(&name));
    for (const EnumCaseInfo &choice : casesOf(field))
      if (name == choice.text) {
        set(field,
            caseAttribute(parser.getContext(), instruction, field, choice));
        return success();
      }
    InFlightDiagnostic error = parser.emitError(place)
                               << "field '" << field.name
                               << "' must be one of ";
    llvm::interleaveComma(casesOf(field), error,
                          [&](const EnumCaseInfo &c) { error << c.text; });
    if (isName)
      error << " (was '" << name << "')";
    return error;
  }

  /// `LOAD+PE`.
  ParseResult parseEngines(const FieldInfo &field) {
    EngineSet engines;
    do {
      llvm::SMLoc place = parser.getCurrentLocation();
      StringRef name;
      if (failed(parser.parseOptionalKeyword(&name)))
        name = "";
      std::optional<Engine> engine =
          ::fact::isa::engineNamed(std::string_view(name));
      if (!engine)
        return parser.emitError(place)
               << "field '" << field.name << "' must be engines like LOAD+PE";
      if (engines.contains(*engine))
        return parser.emitError(place)
               << "field '" << field.name << "' names " << name << " twice";
      engines.insert(*engine);
    } while (succeeded(parser.parseOptionalPlus()));
    set(field, parser.getBuilder().getI64IntegerAttr(engines.asBits()));
    return success();
  }

  void set(const FieldInfo &field, Attribute attribute) {
    result.addAttribute(field.name, attribute);
  }

  /// Operands are in the order of the record, however they were written.
  ParseResult resolveOperands() {
    MLIRContext *context = parser.getContext();
    for (auto [field, operand] : llvm::zip(fields, operands)) {
      if (!::fact::isa::isOperand(field.kind))
        continue;
      Type type = field.kind == FieldKind::Sram ? Type(SramType::get(context))
                  : field.kind == FieldKind::Dram
                      ? Type(DramType::get(context))
                      : Type(IndexType::get(context));
      if (parser.resolveOperand(operand, type, result.operands))
        return failure();
    }
    return success();
  }

  /// Attributes that are no fields.
  ParseResult parseAttributes() {
    llvm::SMLoc place = parser.getCurrentLocation();
    NamedAttrList attributes;
    if (parser.parseOptionalAttrDict(attributes))
      return failure();
    for (const FieldInfo &field : fields)
      if (!::fact::isa::isOperand(field.kind) && attributes.get(field.name))
        return parser.emitError(place)
               << "'" << field.name << "' is a field of '" << result.name
               << "': expected it before the attributes";
    result.addAttributes(attributes);
    return success();
  }

  OpAsmParser &parser;
  OperationState &result;
  const ::fact::isa::Instruction &instruction;
  ArrayRef<FieldInfo> fields;
  SmallVector<OpAsmParser::UnresolvedOperand> operands; ///< Of each field.
  SmallVector<llvm::SMLoc> places; ///< Of each field; invalid: not there yet.
};
} // namespace

ParseResult factisa::parseInstruction(OpAsmParser &parser,
                                      OperationState &result) {
  return InstructionParser(parser, result, *emptyInstruction(result.name))
      .parse();
}

void factisa::printInstruction(Operation *op, OpAsmPrinter &printer) {
  const ::fact::isa::Instruction &instruction =
      *emptyInstruction(op->getName());
  unsigned operand = 0;
  StringRef separator = " ";
  for (const FieldInfo &field : fieldsOf(::fact::isa::info(instruction))) {
    Attribute attribute;
    if (!::fact::isa::isOperand(field.kind))
      attribute = op->getAttr(field.name);
    auto integer = dyn_cast_if_present<IntegerAttr>(attribute);
    if (mayBeMissing(field) &&
        (!attribute || (field.kind == FieldKind::Engines && integer &&
                        integer.getValue().isZero())))
      continue;
    printer << separator << field.name;
    separator = ", ";
    if (field.kind == FieldKind::Flag)
      continue;
    printer << '=';
    // An op that its verifier would refuse may be printed, too: what is not of
    // its field's kind is written as it is.
    if (::fact::isa::isOperand(field.kind))
      printer << op->getOperand(operand++);
    else if (integer && field.kind == FieldKind::Engines &&
             integer.getValue().ult(1u << field.bits))
      printer << ::fact::isa::textOf(
          EngineSet(static_cast<unsigned>(integer.getInt())));
    else if (integer)
      printer << integer.getInt();
    else if (auto number = dyn_cast_if_present<FloatAttr>(attribute))
      printer.printFloat(number.getValue());
    else if (const char *name = caseName(instruction, field, attribute))
      printer << name;
    else
      printer << attribute;
  }
  printer.printOptionalAttrDict(op->getDiscardableAttrDictionary().getValue());
}
