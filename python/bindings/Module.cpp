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

using namespace fact::python;

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

  py::module_ numerics = m.def_submodule(
      "numerics", "Every rule of docs/numerics.md on arrays, bit by bit.");
  addFloatRules(numerics);
  addFormats(numerics);
  addLayer(numerics);
  addPrediction(numerics);
  addSelection(numerics);
  addProgram(m);
}
