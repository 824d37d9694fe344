#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""How time and memory of an object file grow with the sequence and with the layers.

usage: scaling.py [--lengths=128,512,1024,2048,4096] [--layers=2,4] [--length=512] [--preset=dense] [--cpu=NAME] [--repeat=5]

BERT-base layers with random weights as an object file (`fact-compile --target=cpu`) and a C program that
calls it, on one core: one layer at each of `lengths`, then `layers` of them at one `length`. Prints the median
time of a call, its arithmetic in multiplications and additions, and the process's peak of memory beside what
it may hold: the packed weights, input and output, and twice the largest set of activations, which is that of
the FFN in float32 (rows of d and of ff features). Needs gcc.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from fact import linalg_ir, tools
from fact.options import OptionParser

from processor import processor

D, FF = 768, 3072
DRIVER = r"""
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
static int order(const void *a, const void *b) { double x = *(const double *)a, y = *(const double *)b; return (x > y) - (x < y); }
int main(int argc, char **argv) {
  long length = atol(argv[1]), repeat = atol(argv[2]), n = length * D;
  float *x = malloc(n * sizeof(float)), *y = malloc(n * sizeof(float));
  double *times = malloc(repeat * sizeof(double));
  unsigned state = 1;
  for (long i = 0; i < n; ++i) { /* about a normal distribution */
    float sum = 0;
    for (int k = 0; k < 6; ++k) { state = state * 1664525u + 1013904223u; sum += (float)(state >> 16) / 65536 - 0.5f; }
    x[i] = sum * 1.4f;
  }
  for (long i = 0; i < repeat; ++i) {
    fact_error error;
    double begin = now();
    if (model(x, length, y, &error)) return 1;
    times[i] = now() - begin;
  }
  qsort(times, repeat, sizeof(double), order);
  printf("median %.3f ms\n", times[repeat / 2]);
  FILE *status = fopen("/proc/self/status", "r");
  for (char line[256]; fgets(line, sizeof line, status);)
    if (!strncmp(line, "VmHWM", 5)) fputs(line, stdout);
  return 0;
}
"""


def build(folder, layers, length, options):
    """The program of so many layers that take up to `length` tokens."""
    model = linalg_ir.random_model("bert-base", layers, 0, length)
    (folder / "model.mlir").write_text(linalg_ir.to_text(model, length))
    tools.call("fact-compile", folder / "model.mlir", "--target=cpu", f"--cpu={options.cpu}", f"--preset={options.preset}", "-o", folder / "model.o")
    (folder / "main.c").write_text(DRIVER)
    subprocess.run(["gcc", "-O2", f"-DD={D}", "-o", folder / "main", folder / "main.c", folder / "model.o"], check=True)


def row(folder, layers, length, options):
    printed = subprocess.run([folder / "main", str(length), str(options.repeat)], check=True, capture_output=True, text=True).stdout
    milliseconds = tools.median_of(printed)
    peak = int(re.search(r"VmHWM:\s*(\d+) kB", printed).group(1)) / 1024
    operations = 2 * layers * (length * (4 * D * D + 2 * D * FF) + 2 * length * length * D)
    weights = layers * (4 * D * D + 2 * D * FF) / 2**20
    activations = length * (D + FF) * 4 / 2**20
    allowed = weights + 2 * length * D * 4 / 2**20 + 2 * activations
    print(f"| {layers} | {length} | {milliseconds:.1f} | {operations / 1e9:.2f} | {operations / milliseconds / 1e6:.0f} | {peak:.1f} | {weights:.1f} | {activations:.1f} "
          f"| {peak / allowed:.2f} |", flush=True)


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--lengths", default="128,512,1024,2048,4096")
    parser.add_argument("--layers", default="2,4")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--preset", default="dense")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    lengths = [int(length) for length in options.lengths.split(",")]
    print(f"--preset={options.preset}, one thread, {processor()}\n")
    print("| layers | L | ms | GOP | GOP/s | peak, MB | weights, MB | activations, MB | of what it may hold |\n" + "|---" * 9 + "|")
    with tempfile.TemporaryDirectory(prefix="fact-bench-") as name:
        folder = pathlib.Path(name)
        build(folder, 1, max(lengths), options)
        for length in lengths:
            row(folder, 1, length, options)
        for layers in map(int, options.layers.split(",")):
            build(folder, layers, options.length, options)
            row(folder, layers, options.length, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (tools.ToolError, subprocess.CalledProcessError) as error:
        sys.exit(f"scaling.py: error: {error}")
