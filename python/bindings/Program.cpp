//===- Program.cpp - Python bindings of programs and the simulator --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Program.h"
#include "Arrays.h"
#include "fact/Sim/Simulator.h"

#include <pybind11/stl/filesystem.h>

#include <cstring>
#include <filesystem>
#include <memory>

using namespace fact::python;
namespace isa = fact::isa;
namespace sim = fact::sim;

namespace {

/// A JSON text as Python objects.
py::object parseJson(const std::string &text) {
  return py::module_::import("json").attr("loads")(text);
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// An instruction with the place that it came from.
struct SourcedInstruction {
  isa::Instruction instruction;
  std::string source;
};

py::object valueOf(const isa::FieldInfo &, const isa::SramRef &ref) {
  if (!ref.present)
    return py::none();
  return py::make_tuple(ref.offset, ref.reg);
}
py::object valueOf(const isa::FieldInfo &, const isa::DramRef &ref) {
  return py::make_tuple(ref.offset, ref.reg);
}
py::object valueOf(const isa::FieldInfo &, const isa::ScalarRef &ref) {
  return py::make_tuple(ref.value, ref.reg);
}
py::object valueOf(const isa::FieldInfo &, isa::EngineSet engines) {
  py::list names;
  engines.forEach(
      [&](isa::Engine engine) { names.append(isa::engineName(engine)); });
  return py::tuple(names);
}
template <typename T>
py::object valueOf(const isa::FieldInfo &field, const T &value) {
  if constexpr (std::is_enum_v<T>) {
    for (unsigned i = 0; i < field.numCases; ++i)
      if (field.cases[i].value == static_cast<int64_t>(value))
        return py::str(field.cases[i].text);
    return py::int_(static_cast<int64_t>(value));
  } else {
    return py::cast(value);
  }
}

py::dict fieldsOf(const SourcedInstruction &self) {
  py::dict fields;
  isa::forEachField(self.instruction,
                    [&](const auto &field, const auto &value) {
                      fields[field.name] = valueOf(field, value);
                    });
  return fields;
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

fact::NpyArray toNpy(const py::array &any) {
  py::array array = py::array::ensure(any, py::array::c_style);
  if (!array)
    throw fact::Error("an input must be an array");
  fact::NpyArray result;
  result.dtype = py::str(array.dtype().attr("str"));
  result.shape.assign(array.shape(), array.shape() + array.ndim());
  result.data.resize(array.nbytes());
  if (array.nbytes())
    std::memcpy(result.data.data(), array.data(), array.nbytes());
  return result;
}

py::array fromNpy(const fact::NpyArray &array) {
  py::array result(py::dtype(array.dtype), array.shape);
  if (result.nbytes() != static_cast<py::ssize_t>(array.data.size()))
    throw fact::Error("a result has the wrong size");
  if (result.nbytes())
    std::memcpy(result.mutable_data(), array.data.data(), array.data.size());
  return result;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// A program, checked and ready to run any number of times.
struct PyProgram {
  std::shared_ptr<const sim::Simulator> simulator;

  static PyProgram load(const std::filesystem::path &path) {
    return {
        std::make_shared<sim::Simulator>(isa::Program::read(path.string()))};
  }

  const isa::Program &program() const { return simulator->program(); }

  py::list instructions() const {
    py::list list;
    for (size_t i = 0; i < program().instructions.size(); ++i)
      list.append(SourcedInstruction{program().instructions[i],
                                     program().sources[program().sourceOf[i]]});
    return list;
  }

  static py::list ports(const std::vector<isa::Port> &ports) {
    py::list list;
    for (const isa::Port &port : ports) {
      py::list shape;
      for (int64_t extent : port.shape)
        if (extent == isa::Port::openDimension)
          shape.append(py::none());
        else
          shape.append(extent);
      py::dict entry;
      entry["name"] = port.name;
      entry["shape"] = py::tuple(shape);
      entry["dtype"] = isa::elementTypeName(port.type);
      entry["bound"] = port.bound;
      list.append(entry);
    }
    return list;
  }

  py::tuple run(const py::args &inputs, const std::optional<int64_t> &length,
                bool functional, bool masks) const {
    std::vector<fact::NpyArray> arrays;
    for (const py::handle &input : inputs)
      arrays.push_back(toNpy(py::array::ensure(input)));
    sim::RunOptions options;
    options.length = length;
    options.functional = functional;
    options.masks = masks;
    sim::RunResult result;
    {
      py::gil_scoped_release release;
      result = simulator->run(arrays, options);
    }
    py::list outputs;
    for (const fact::NpyArray &array : result.outputs)
      outputs.append(fromNpy(array));
    py::object y = outputs.size() == 1 ? py::object(outputs[0]) : outputs;
    py::object report = parseJson(result.report.toJson());
    if (!masks)
      return py::make_tuple(y, report);
    py::dict found;
    for (const auto &[key, array] : result.masks)
      found[py::str(key)] = fromNpy(array);
    return py::make_tuple(y, report, found);
  }
};

} // namespace

void fact::python::addProgram(py::module_ &m) {
  py::class_<SourcedInstruction>(m, "Instruction",
                                 "One instruction of a program.")
      .def_property_readonly(
          "mnemonic",
          [](const SourcedInstruction &i) {
            return isa::mnemonic(i.instruction);
          },
          "Its name in assembly text.")
      .def_property_readonly(
          "engine",
          [](const SourcedInstruction &i) {
            return isa::engineName(isa::engineOf(i.instruction));
          },
          "The engine to whose queue it goes.")
      .def_property_readonly(
          "fields", &fieldsOf,
          "Field name -> value; an address or number that may be in a\n"
          "register is (immediate, register), None where it is absent.")
      .def_property_readonly(
          "text",
          [](const SourcedInstruction &i) { return isa::print(i.instruction); },
          "Assembly text, one line.")
      .def_property_readonly(
          "source", [](const SourcedInstruction &i) { return i.source; },
          "The ONNX node or MLIR line that it came from.")
      .def("__repr__", [](const SourcedInstruction &i) {
        return "<fact.Instruction " + isa::print(i.instruction) + ">";
      });

  py::class_<PyProgram>(m, "Program",
                        "A FACT program (.fact file), ready to run.")
      .def_static("load", &PyProgram::load, py::arg("path"),
                  "Reads and validates a file; ValueError says what is wrong.")
      .def_property_readonly("instructions", &PyProgram::instructions,
                             "All instructions in order.")
      .def_property_readonly(
          "inputs",
          [](const PyProgram &p) {
            return PyProgram::ports(p.program().inputs);
          },
          "[{name, shape (None = open), dtype, bound}]")
      .def_property_readonly(
          "outputs",
          [](const PyProgram &p) {
            return PyProgram::ports(p.program().outputs);
          },
          "[{name, shape (None = open), dtype, bound}]")
      .def_property_readonly(
          "machine",
          [](const PyProgram &p) {
            return parseJson(p.program().machine.toJson());
          },
          "The machine description that it was compiled for.")
      .def_property_readonly(
          "metadata",
          [](const PyProgram &p) { return parseJson(p.program().metadata); },
          "Policy, layers and the like.")
      .def_property_readonly(
          "mlir", [](const PyProgram &p) { return p.program().mlir; },
          "MLIR of the stage that it was made from, or None.")
      .def("__len__",
           [](const PyProgram &p) { return p.program().instructions.size(); })
      .def(
          "run", &PyProgram::run, py::kw_only(), py::arg("length") = py::none(),
          py::arg("functional") = false, py::arg("masks") = false,
          "run(x, ..., *, length=None, functional=False, masks=False)\n"
          "-> (y, report), with masks=True (y, report, masks).\n\n"
          "x: an array per input, float32 [1, L, d] with L up to the bound;\n"
          "length: only the first rows count. y has as many rows as x (a list\n"
          "where the program has several outputs), report is the dict of\n"
          "fact-sim --report, masks maps `layer{i}.mask` and so on to bool\n"
          "arrays. ValueError for inputs that do not fit.");
}
