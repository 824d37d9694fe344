//===- Arrays.h - NumPy arrays in and out of the bindings -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Array types of the bindings, and the checks of shapes that every function
// makes before it touches a value.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_PYTHON_ARRAYS_H
#define FACT_PYTHON_ARRAYS_H

#include "fact/Numerics/Window.h"
#include "fact/Support/Error.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fact::python {

namespace py = pybind11;

/// A C-contiguous array of T; what the caller gives is converted to it.
template <typename T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

using Shape = std::vector<py::ssize_t>;

template <typename T> Shape shapeOf(const Array<T> &array) {
  return Shape(array.shape(), array.shape() + array.ndim());
}

inline std::string print(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// Throws unless the array has `rank` dimensions.
template <typename T>
void requireRank(const char *name, const Array<T> &array, py::ssize_t rank) {
  if (array.ndim() != rank)
    throw Error(std::string("'") + name + "' must have rank " +
                std::to_string(rank) + " (was " + std::to_string(array.ndim()) +
                ")");
}

/// Throws unless the array has exactly this shape.
template <typename T>
void requireShape(const char *name, const Array<T> &array, const Shape &shape) {
  if (shapeOf(array) != shape)
    throw Error(std::string("'") + name + "' must have shape " + print(shape) +
                " (was " + print(shapeOf(array)) + ")");
}

/// A row-major view of an array as rows of its last dimension.
template <typename T> struct Rows {
  int64_t count;
  int64_t length;
  const T *data;
  const T *operator[](int64_t i) const { return data + i * length; }
};

template <typename T> Rows<T> rowsOf(const char *name, const Array<T> &array) {
  if (array.ndim() < 1 || array.shape(array.ndim() - 1) < 1)
    throw Error(std::string("'") + name +
                "' must have at least one dimension and one column (was " +
                print(shapeOf(array)) + ")");
  int64_t length = array.shape(array.ndim() - 1);
  return {array.size() / length, length, array.data()};
}

/// The shape without its last dimension: one value per row.
template <typename T> Shape rowShape(const Array<T> &array) {
  Shape shape = shapeOf(array);
  shape.pop_back();
  return shape;
}

/// A new array of that shape with a vector's elements.
template <typename T, typename Source>
py::array_t<T> arrayOf(const Shape &shape, const std::vector<Source> &values) {
  py::array_t<T> array(shape);
  T *data = array.mutable_data();
  for (size_t i = 0; i < values.size(); ++i)
    data[i] = static_cast<T>(values[i]);
  return array;
}

/// Keys before and after its own that a row sees; None is unlimited.
using WindowEnds = std::pair<std::optional<int64_t>, std::optional<int64_t>>;
inline numerics::Window windowOf(const WindowEnds &ends) {
  auto end = [](std::optional<int64_t> number) {
    if (number && *number < 0)
      throw Error("a window's end must not be negative (was " +
                  std::to_string(*number) + ")");
    return number.value_or(numerics::Window::unlimited);
  };
  return {end(ends.first), end(ends.second)};
}

// One per file of this folder; each adds its functions to a module.
void addChoices(py::module_ &m);
void addFloatRules(py::module_ &m);
void addFormats(py::module_ &m);
void addLayer(py::module_ &m);
void addPrediction(py::module_ &m);
void addProgram(py::module_ &m);
void addSelection(py::module_ &m);

} // namespace fact::python

#endif // FACT_PYTHON_ARRAYS_H
