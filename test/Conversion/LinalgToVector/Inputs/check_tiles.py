#!/usr/bin/env python3
"""Float ops that are not raised, as the CPU runs them, hold against sums in order in numpy, bit by bit.

check_tiles.py FOLDER CLANG: writes models to FOLDER, runs them, and calls them from object files of several processors.
"""
import ctypes
import pathlib
import platform
import subprocess
import sys

import numpy as np

ADD_PRODUCT = "%p = arith.mulf %a, %b : f32\n%s = arith.addf %c, %p : f32\nlinalg.yield %s : f32"


def text_of(array):
    return f'dense<"0x{np.ascontiguousarray(array, "<f4").tobytes().hex().upper()}">'


def tensor(shape):
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + "f32>"


class Model:
    """A function of one input, the results of ops on it, and what they must be."""

    def __init__(self, shape):
        self.lines, self.results, self.expected, self.count = [], [], {}, 0
        self.input, self.random = shape, np.random.default_rng(5)

    def line(self, text):
        self.count += 1
        self.lines.append(f"%v{self.count} = {text}")
        return f"%v{self.count}"

    def weight(self, *shape):
        array = self.random.normal(size=shape).astype(np.float32)
        return array, self.line(f"arith.constant {text_of(array)} : {tensor(shape)}")

    def filled(self, value, shape, sizes=""):
        empty = self.line(f"tensor.empty({sizes}) : {tensor(shape)}")
        start = self.line(f"arith.constant {value} : f32")
        return self.line(f"linalg.fill ins({start} : f32) outs({empty} : {tensor(shape)}) -> {tensor(shape)}")

    def generic(self, loops, maps, kinds, inputs, output, body=ADD_PRODUCT):
        """inputs, output: (value, shape); body: of %a, %b and %c, the last of them the output's."""
        arguments = [f"%{name}: f32" for name in ["a", "b"][:len(inputs)] + ["c"]]
        maps = ", ".join(f"affine_map<({loops}) -> ({each})>" for each in maps)
        kinds = ", ".join('"reduction"' if kind == "r" else '"parallel"' for kind in kinds)
        return self.line(
            f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} "
            f"ins({', '.join(v for v, _ in inputs)} : {', '.join(tensor(s) for _, s in inputs)}) "
            f"outs({output[0]} : {tensor(output[1])}) {{\n^bb0({', '.join(arguments)}):\n{body}\n}} -> {tensor(output[1])}")

    def returns(self, name, value, shape, expected):
        self.results.append((name, value, shape))
        self.expected[name] = expected

    def write(self, path):
        bound = " {fact.bound = 100 : i64}" if "?" in self.input else ""
        types = ", ".join(f'{tensor(shape)} {{fact.name = "{name}"}}' for name, _, shape in self.results)
        body = "\n".join(self.lines)
        path.write_text(f"func.func @main(%x: {tensor(self.input)}{bound}) -> ({types}) {{\n{body}\n"
                        f"return {', '.join(v for _, v, _ in self.results)} : "
                        f"{', '.join(tensor(s) for _, _, s in self.results)}\n}}\n")


def images():
    """Convolutions of all kinds, pools, sums along and across rows."""
    shape = (1, 7, 9, 37)
    m = Model(shape)
    x = m.random.normal(size=shape).astype(np.float32)

    def convolution(name, outputs, kernel, stride):
        h, w = ((shape[2 + i] - kernel[i]) // stride[i] + 1 for i in range(2))
        weights, value = m.weight(outputs, 7, *kernel)
        y = np.full((1, outputs, h, w), 0.5, np.float32)
        for c, i, j in np.ndindex(7, *kernel):
            y = y + x[:, c, None, i:i + h * stride[0]:stride[0], j:j + w * stride[1]:stride[1]][:, :, :h, :w] \
                * weights[None, :, c, i, j, None, None]
        start = m.filled("0.5", y.shape)
        made = m.generic("n, o, c, i, j, y, x", (f"n, c, y * {stride[0]} + i, x * {stride[1]} + j", "o, c, i, j", "n, o, y, x"),
                         "pprrrpp", [("%x", shape), (value, weights.shape)], (start, y.shape))
        m.returns(name, made, y.shape, y)

    def depthwise(name, kernel, stride):
        h, w = ((shape[2 + i] - kernel[i]) // stride[i] + 1 for i in range(2))
        weights, value = m.weight(7, *kernel)
        y = np.zeros((1, 7, h, w), np.float32)
        for i, j in np.ndindex(*kernel):
            y = y + x[:, :, i:i + h * stride[0]:stride[0], j:j + w * stride[1]:stride[1]][:, :, :h, :w] * weights[None, :, i, j, None, None]
        start = m.filled("0.0", y.shape)
        made = m.generic("n, c, i, j, y, x", (f"n, c, y * {stride[0]} + i, x * {stride[1]} + j", "c, i, j", "n, c, y, x"),
                         "pprrpp", [("%x", shape), (value, weights.shape)], (start, y.shape))
        m.returns(name, made, y.shape, y)

    convolution("dense", 11, (3, 3), (2, 2))
    convolution("wide", 17, (1, 3), (1, 1))
    convolution("point", 10, (1, 1), (1, 1))
    convolution("every-third", 3, (2, 2), (1, 3))
    depthwise("depth", (3, 3), (1, 1))
    depthwise("depth-strided", (5, 5), (1, 2))

    y = np.full((1, 7, 3, 18), -np.inf, np.float32)
    for i, j in np.ndindex(3, 2):
        y = np.maximum(y, x[:, :, i::3, j::2][:, :, :3, :18])
    window = m.line("tensor.empty() : tensor<3x2xf32>")
    start = m.filled("0xFF800000", y.shape)
    made = m.generic("n, c, i, j, y, x", ("n, c, y * 3 + i, x * 2 + j", "i, j", "n, c, y, x"), "pprrpp",
                     [("%x", shape), (window, (3, 2))], (start, y.shape), "%s = arith.maximumf %c, %a : f32\nlinalg.yield %s : f32")
    m.returns("pool", made, y.shape, y)

    for name, axes, maps, kinds in (("mean", (2, 3), ("n, c, y, x", "n, c"), "pprr"),
                                    ("across", (1,), ("n, c, y, x", "n, y, x"), "prpp")):
        moved = np.moveaxis(x, axes, range(len(axes)))
        y = np.zeros(moved.shape[len(axes):], np.float32)
        for place in np.ndindex(*moved.shape[:len(axes)]):
            y = y + moved[place]
        start = m.filled("0.0", y.shape)
        made = m.generic("n, c, y, x", maps, kinds, [("%x", shape)], (start, y.shape), "%s = arith.addf %c, %a : f32\nlinalg.yield %s : f32")
        m.returns(name, made, y.shape, y)

    # Chains that become one op, with a value that is read twice.
    y = np.minimum(np.maximum(x + np.float32(3), np.float32(0)), np.float32(6))
    y = x * y
    y = y / np.float32(6)
    value = ("%x", shape)
    empty = (m.line(f"tensor.empty() : {tensor(shape)}"), shape)
    maps, constants = ("n, c, y, x",) * 2, "%k = arith.constant 3.0 : f32\n%l = arith.constant 0.0 : f32\n%m = arith.constant 6.0 : f32\n"
    for line in ("%s = arith.addf %a, %k : f32", "%t = arith.maximumf %a, %l : f32\n%s = arith.minimumf %t, %m : f32"):
        value = (m.generic("n, c, y, x", maps, "pppp", [value], empty, constants + line + "\nlinalg.yield %s : f32"), shape)
    value = m.generic("n, c, y, x", ("n, c, y, x",) * 3, "pppp", [("%x", shape), value], empty,
                      "%s = arith.mulf %a, %b : f32\nlinalg.yield %s : f32")
    value = m.generic("n, c, y, x", maps, "pppp", [(value, shape)], empty, constants + "%s = arith.divf %a, %m : f32\nlinalg.yield %s : f32")
    m.returns("swish", value, shape, y)
    return m, x


def rows(length):
    """Open lengths: along rows, along vectors, in sums, and a condition."""
    m = Model(("?", 13))
    x = np.random.default_rng(length).normal(size=(length, 13)).astype(np.float32)
    zero = m.line("arith.constant 0 : index")
    size = m.line(f"tensor.dim %x, {zero} : {tensor(m.input)}")

    def product(name, loops, maps, shape, sizes, other, terms):
        start = m.filled("0.0", shape, sizes)
        # A product of rows and a weight would be raised.
        made = m.generic(loops, maps, "ppr", [("%x", m.input), other], (start, shape), ADD_PRODUCT.replace("addf", "subf"))
        y = np.float32(0)
        for a, b in terms:
            y = y - a * b
        m.returns(name, made, shape, y)

    w, value = m.weight(13, 50)
    product("rows", "m, n, k", ("m, k", "k, n", "m, n"), ("?", 50), size, (value, w.shape),
            [(x[:, k, None], w[None, k]) for k in range(13)])
    product("columns", "n, m, k", ("m, k", "k, n", "n, m"), (50, "?"), size, (value, w.shape),
            [(x[None, :, k], w[k, :, None]) for k in range(13)])
    product("pairs", "m, n, k", ("m, k", "n, k", "m, n"), ("?", "?"), f"{size}, {size}", ("%x", m.input),
            [(x[:, k, None], x[None, :, k]) for k in range(13)])
    product("inner", "m, n, k", ("k, m", "k, n", "m, n"), (13, 13), "", ("%x", m.input),
            [(x[k, :, None], x[None, k]) for k in range(length)])
    empty = m.line(f"tensor.empty({size}) : tensor<13x?xf32>")
    made = m.generic("n, m", ("m, n", "n, m"), "pp", [("%x", m.input)], (empty, (13, "?")), "linalg.yield %a : f32")
    m.returns("turned", made, (13, "?"), np.ascontiguousarray(x.T))
    empty = m.line(f"tensor.empty({size}) : {tensor(m.input)}")
    made = m.generic("m, n", ("m, n", "m, n"), "pp", [("%x", m.input)], (empty, m.input),
                     "%k = arith.constant 0.25 : f32\n%d = arith.cmpf ogt, %a, %k : f32\n"
                     "%n = arith.negf %a : f32\n%s = arith.select %d, %n, %k : f32\nlinalg.yield %s : f32")
    m.returns("selected", made, m.input, np.where(x > np.float32(0.25), -x, np.float32(0.25)))
    return m, x


def compare(what, model, got):
    for name, wanted in model.expected.items():
        if got[name].shape != wanted.shape or got[name].tobytes() != np.ascontiguousarray(wanted).tobytes():
            sys.exit(f"check_tiles.py: {what}: '{name}' differs")
    print(f"{what}: {len(got)} results")


def run(path, model, x, folder):
    np.save(folder / "x.npy", x)
    outputs = [f"--output={folder}/{name}.npy" for name in model.expected]
    subprocess.run(["fact-run", path, f"--input={folder}/x.npy", *outputs], check=True)
    return {name: np.load(folder / f"{name}.npy") for name in model.expected}


def call(library, model, x):
    made = {name: np.empty(wanted.shape, np.float32) for name, wanted in model.expected.items()}
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in made.values()]
    if library.model(ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(x.shape[-2]), *pointers, None):
        sys.exit("check_tiles.py: the object file's function failed")
    return made


def processors():
    flags = pathlib.Path("/proc/cpuinfo").read_text().split() if platform.machine() == "x86_64" else []
    yield "native"
    if flags:
        yield "x86-64"
    if "avx2" in flags and "bmi2" in flags:
        yield "x86-64-v3"


def main():
    folder, clang = pathlib.Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.mlir"
    for what, lengths in (("images", (9,)), ("rows", (1, 16, 45))):
        models = [images()] if what == "images" else [rows(length) for length in lengths]
        models[0][0].write(path)
        for model, x in models:
            compare(f"fact-run, {what} {x.shape[-2]}", model, run(path, model, x, folder))
        for cpu in processors():
            objects = folder / f"{what}-{cpu}"
            objects.mkdir(exist_ok=True)
            subprocess.run(["fact-compile", path, "--target=cpu", f"--cpu={cpu}", "-o", objects / "model.o"], check=True)
            subprocess.run([clang, "-shared", objects / "model.o", "-o", objects / "model.so"], check=True)
            library = ctypes.CDLL(objects / "model.so")
            for model, x in models:
                compare(f"{cpu}, {what} {x.shape[-2]}", model, call(library, model, x))


if __name__ == "__main__":
    main()
