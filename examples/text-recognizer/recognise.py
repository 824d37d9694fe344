#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Reads lines of text from images, with the model's encoder as a FACT program.

An image goes through the CNN (ONNX Runtime), the two encoder layers (compiled
here: once for the simulator, once for the CPU), and the classifier (ONNX
Runtime), and comes out as text.

usage: recognise.py --model=ONNX --keys=TXT --work=FOLDER [--images=FOLDER]
                    [policy flags of fact-compile, e.g. --preset=fast]

NODE_PATH must name a node_modules with onnxruntime-node. The programs, the
compiled parts, inputs, outputs and reports are left in the work folder. The
exit status is 1 if CPU and FACT program differ in a single value.
"""
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import model as recogniser  # noqa: E402
from fact import tools  # noqa: E402
from fact.options import OptionParser  # noqa: E402

MAX_TOKENS = 512


def say(text):
    print(text, flush=True)


def average_layers(reports):
    """Mean of every share over the reports, layer by layer."""
    return [{share: float(np.mean([r["layers"][i][share] for r in reports])) for share in layer}
            for i, layer in enumerate(reports[0]["layers"])]


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--keys", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=pathlib.Path, default=HERE / "images")
    options, policy = parser.parse_known_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    truth = (HERE / "truth.txt").read_text().splitlines() if options.images == HERE / "images" else None
    images = sorted(options.images.glob("*.png"))
    if not images:
        sys.exit(f"recognise.py: error: no PNG files in '{options.images}'")

    say("cutting the model around its encoder")
    before, after = work / "before.onnx", work / "after.onnx"
    recogniser.split(options.model, before, after)

    cut = [f"--from={recogniser.ENCODER_INPUT}", f"--to={recogniser.ENCODER_OUTPUT}",
           f"--shape={recogniser.ENCODER_INPUT}:1x{MAX_TOKENS}x120"]
    program, dense = work / "encoder.fact", work / "encoder-dense.fact"
    for path, flags in ((program, policy), (dense, ["--preset=dense"])):
        start = time.monotonic()
        said = tools.compile_program(options.model, path, *cut, *flags)
        say(f"compiled {path.name} for up to {MAX_TOKENS} tokens in {time.monotonic() - start:.1f} s")
        for line in said.splitlines():
            if "policy" in line:
                say(f"  {line.strip()}")

    say(f"CNN: {len(images)} images in ONNX Runtime")
    jobs = []
    for i, image in enumerate(images):
        np.save(work / f"image{i}.npy", recogniser.prepare(image))
        names = [recogniser.ENCODER_INPUT, *recogniser.SIDE_TENSORS]
        files = [work / f"{kind}{i}.npy" for kind in ("encoder-in", "side-a", "side-b")]
        jobs.append({"inputs": {"x": str(work / f"image{i}.npy")}, "outputs": dict(zip(names, map(str, files)))})
    recogniser.run_onnx(before, jobs, work)

    say("encoder: FACT program in the simulator, the same on the CPU")
    reports, dense_reports, equal, total = [], [], 0, 0
    jobs = []
    for i, image in enumerate(images):
        x = np.load(work / f"encoder-in{i}.npy")
        if x.shape[1] > MAX_TOKENS:
            sys.exit(f"recognise.py: error: '{image}' is too wide: at most {MAX_TOKENS} tokens (was {x.shape[1]})")
        y, report, _ = tools.simulate(program, [x])
        _, dense_report, _ = tools.simulate(dense, [x])
        on_cpu, _, _ = tools.run(options.model, [x], *cut, *policy)
        same = int(np.sum(y.view(np.uint32) == on_cpu.view(np.uint32))) if y.shape == on_cpu.shape else 0
        equal, total = equal + same, total + y.size
        reports.append(report)
        dense_reports.append(dense_report)
        (work / f"report{i}.json").write_text(json.dumps(report, indent=1))
        np.save(work / f"encoder-out{i}.npy", y)
        np.save(work / f"encoder-out-cpu{i}.npy", on_cpu)
        inputs = [work / f"{kind}{i}.npy" for kind in ("encoder-out", "side-a", "side-b")]
        jobs.append({"inputs": dict(zip([recogniser.ENCODER_OUTPUT, *recogniser.SIDE_TENSORS], map(str, inputs))),
                     "outputs": {"softmax_11.tmp_0": str(work / f"classes{i}.npy")}})
        say(f"  {image.name}: {x.shape[1]} tokens, {report['cycles']} cycles "
            f"(dense {dense_report['cycles']}), {same} of {y.size} values as on the CPU")

    say(f"classifier: {len(images)} outputs in ONNX Runtime")
    recogniser.run_onnx(after, jobs, work)

    alphabet = recogniser.read_alphabet(options.keys)
    right = 0
    say("")
    for i, image in enumerate(images):
        text = recogniser.decode(np.load(work / f"classes{i}.npy"), alphabet)
        say(f"{image.name}  read: {text}")
        if truth:
            right += text == truth[i]
            say(f"{' ' * len(image.name)}  true: {truth[i]}")
    say("")
    if truth:
        say(f"lines read without a mistake: {right} of {len(images)}")
    say(f"CPU and FACT program agree: {equal} of {total} values")
    for i, layer in enumerate(average_layers(reports)):
        say(f"layer {i} keeps: " + ", ".join(
            f"{name} {100 * layer[share]:.0f} %" for share, name in
            (("kept_scores", "scores"), ("kept_k", "K rows"), ("kept_v", "V rows"), ("live_q", "Q rows"),
             ("int8_tokens", "INT8 tokens")) if share in layer))
    cycles, dense_cycles = (sum(r["cycles"] for r in group) for group in (reports, dense_reports))
    say(f"cycles, all lines: {cycles}; the same machine with --preset=dense: {dense_cycles} ({dense_cycles / cycles:.2f}x)")
    say(f"files: {work} (encoder.fact, encoder-dense.fact, report*.json, encoder-in*.npy, encoder-out*.npy)")
    return 0 if equal == total else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"recognise.py: error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"recognise.py: error: ONNX Runtime failed (exit status {error.returncode})")
