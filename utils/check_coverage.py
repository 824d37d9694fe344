#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Says what has no test or no description; nothing is listed by hand.

usage: check_coverage.py --fact-opt=TOOL --fact-reduce=TOOL --tblgen=LLVM_TBLGEN --include=FOLDER...

* Every pass and pipeline of ours in `fact-opt --help` or `fact-reduce --help`
  (--fact-*, --factisa-*) has a sentence there and is run by name in the RUN lines of some test; every pass in a
  Passes.td has a description, and so has each of its options.
* Every op of both dialects and every instruction has a summary and a description, and
  stands in a test: in IR, or in what a test checks.
* Every remark that a pass can make is named by a test.

Prints a line for each gap and, if there are none, what it counted.
"""
import json
import pathlib
import re
import subprocess
import sys

from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
OURS = re.compile(r"^fact(isa)?-")
SUFFIXES = (".mlir", ".test", ".td", ".s")


def output(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


class Tests:
    """What the lit tests run, and the IR and the checks in them."""

    def __init__(self, folder):
        runs, bodies = [], []
        for path in sorted(folder.rglob("*")):
            if path.suffix not in SUFFIXES or "Inputs" in path.parts:
                continue
            text = path.read_text()
            runs += re.findall(r"RUN:(.*)", text)
            for line in text.splitlines():
                comment = line.lstrip().startswith(("//", "#"))
                if "RUN:" not in line and (not comment or re.search(r"[A-Z0-9]+(-[A-Z0-9]+)*:|expected-", line)):
                    bodies.append(line)
        self.runs, self.bodies = "\n".join(runs), "\n".join(bodies)

    def run(self, name):
        # As a flag, or inside of --pass-pipeline.
        return re.search(rf"(--|[('\",]){re.escape(name)}(?![\w-])", self.runs)

    def contain(self, word):
        return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", self.bodies)


def registered(fact_opt):
    """Name -> sentence of our passes and pipelines."""
    found = {}
    for name, text in re.findall(r"^ +--([a-z][a-z0-9-]*)(?:=<[^>]*>)? +- *(.*)$", output(fact_opt, "--help"), re.MULTILINE):
        if OURS.match(name):
            found[name] = text.strip()
    return found


def records(tblgen, includes, path):
    """(kind, record) of the ops and passes that a .td file defines or includes."""
    flags = [f"-I{include}" for include in includes]
    dump = json.loads(output(tblgen, "--dump-json", path, *flags))
    for kind, base in (("op", "Op"), ("pass", "PassBase")):
        for name in dump["!instanceof"].get(base, []):
            yield kind, dump[name], dump


def remarks(folder):
    names = {}
    call = re.compile(r"\b(?:missed|passed|analysis|failed|remarkOn|options)\(\s*(?:[^,;\"]+,\s*)?\"([A-Z][A-Za-z]*)\"")
    for path in sorted(folder.rglob("*.cpp")):
        text = path.read_text()
        if "emark" in text:
            for name in call.findall(text):
                names[name] = path.relative_to(ROOT)
    return names


def stem(argument):
    """The stem of a pass in lower case, from its flag: docs/adding-a-pass.md."""
    return re.sub(r"^fact(isa)?-(?!to-)", "", argument).replace("-", "")


def misnamed(passes):
    """What breaks the rule for names; passes is (record, flag)..."""
    wrong = []
    for name, flag in passes:
        if name.lower() != stem(flag) + "pass":
            wrong.append(f"pass '{flag}' must not be named '{name}'")
        sources = (ROOT / "lib").rglob(f"{name.removesuffix('Pass')}.cpp")
        if not any(f"#define GEN_PASS_DEF_{name.upper()}\n" in source.read_text() for source in sources):
            wrong.append(f"no file {name.removesuffix('Pass')}.cpp has the pass '{name}'")
    for path in (ROOT / "lib").rglob("CMakeLists.txt"):
        folders = [part for part in path.relative_to(ROOT / "lib").parent.parts if part not in ("Dialect", "Conversion")]
        folder = "".join(folders)
        expected = folder if folder.startswith("Fact") else "Fact" + folder
        for name in re.findall(r"fact_add_(?:mlir_)?library\((\w+)", path.read_text()):
            if not name.startswith(expected):
                wrong.append(f"library '{name}' must be named '{expected}...'")
    return wrong


def main():
    parser = OptionParser(usage=__doc__.split("\n")[2][7:])
    parser.add_argument("--fact-opt", required=True)
    parser.add_argument("--fact-reduce", required=True)
    parser.add_argument("--tblgen", required=True)
    parser.add_argument("--include", action="append", default=[])
    arguments = parser.parse_args()
    tests = Tests(ROOT / "test")
    gaps = []

    passes = {**registered(arguments.fact_opt), **registered(arguments.fact_reduce)}
    for name, sentence in passes.items():
        if not sentence:
            gaps.append(f"pass '{name}' has no sentence in --help")
        if not tests.run(name):
            gaps.append(f"no test runs --{name}")

    includes = [ROOT / "include", *arguments.include]
    ops, described, named = set(), set(), []
    for path in sorted((ROOT / "include").rglob("*.td")):
        if not re.search(r"(Ops|Passes)\.td$", path.name):
            continue
        for kind, record, dump in records(arguments.tblgen, includes, path):
            if kind == "op":
                dialect = dump[record["opDialect"]["def"]]["name"]
                name = f"{dialect}.{record['opName']}"
                if not name.startswith(("fact.", "factisa.")):
                    continue
                ops.add(name)
                if not tests.contain(name):
                    gaps.append(f"op '{name}' is in no test")
            else:
                name = record["argument"]
                named.append((record["!name"], name))
                described.add(name)
                if name not in passes:
                    gaps.append(f"pass '{name}' is not registered in fact-opt or fact-reduce")
                for option in record["options"]:
                    if not dump[option["def"]]["description"].strip():
                        gaps.append(f"option '{dump[option['def']]['argument']}' of '{name}' has no description")
            for what in ("summary", "description"):
                if not record[what].strip():
                    gaps.append(f"{kind} '{name}' has no {what}")

    gaps += misnamed(named)

    names = remarks(ROOT / "lib")
    for name, path in names.items():
        if not re.search(rf"\b{name} \| Category", tests.bodies):
            gaps.append(f"no test checks the remark '{name}' of {path}")

    # (Something would be wrong with this script.)
    if not passes or not ops or not described or not names:
        gaps.append(f"found {len(passes)} passes, {len(ops)} ops, {len(described)} descriptions, {len(names)} remarks")
    if gaps:
        print("\n".join(sorted(set(gaps))))
        sys.exit(1)
    print(f"{len(passes)} passes and pipelines, {len(ops)} ops, {len(names)} remarks: all described and tested")


if __name__ == "__main__":
    main()
