//===- Module.cpp - The Python module fact._fact --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Entry point of the bindings of the C++-only libraries (no LLVM in here).
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "fact/Numerics/FloatMode.h"

#include <memory>

using namespace fact::python;

namespace {
/// numerics::FloatMode as a context manager.
struct PyFloatMode {
  std::unique_ptr<fact::numerics::FloatMode> mode;
};
} // namespace

PYBIND11_MODULE(_fact, m) {
  m.doc() = "Bindings of the fact project's C++-only libraries.";
  // A user error of ours is a wrong value, as far as Python is concerned.
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer)
        std::rethrow_exception(pointer);
    } catch (const fact::Error &error) {
      PyErr_SetString(PyExc_ValueError, error.what());
    }
  });

  // Python, NumPy and pybind11 convert arguments to float32 before a function
  // of ours begins, so that a guard inside of it would come too late.
  py::class_<PyFloatMode>(m, "FloatMode",
                          "with FloatMode(): round to nearest even and keep "
                          "denormals, as the contract does.")
      .def(py::init<>())
      .def("__enter__",
           [](PyFloatMode &self) {
             self.mode = std::make_unique<fact::numerics::FloatMode>();
           })
      .def("__exit__",
           [](PyFloatMode &self, const py::args &) { self.mode.reset(); });

  py::module_ numerics = m.def_submodule(
      "numerics", "Every rule of docs/numerics.md on arrays, bit by bit.");
  addChoices(numerics);
  addFloatRules(numerics);
  addFormats(numerics);
  addLayer(numerics);
  addPrediction(numerics);
  addSelection(numerics);
  addProgram(m);
}
