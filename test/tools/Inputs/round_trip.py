# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Checks that a program's listing says where everything comes from, and loses nothing.

usage: round_trip.py PROGRAM [--onnx=MODEL]

fact-objdump prints a source with every instruction: a place in an MLIR file, or
with --onnx the name of one of the model's nodes or of the first output of a node
without one. fact-as makes the same file of it, also with sources and comments
that stand elsewhere; fact-objdump then prints the same text.
"""
import pathlib
import re
import subprocess
import sys
import tempfile


def main(program, onnx_flag=None):
    program = pathlib.Path(program)
    names = None
    if onnx_flag:
        import onnx
        graph = onnx.load(onnx_flag.split("=", 1)[1], load_external_data=False).graph
        names = {node.name or node.output[0] for node in graph.node}

    listing = subprocess.run(["fact-objdump", program], capture_output=True, text=True, check=True).stdout
    lines = listing.splitlines()
    count = int(re.match(r"; (\d+) instructions", listing).group(1))
    begin = lines.index(".code")
    code = [line for line in lines[begin + 1:lines.index(".end", begin)] if not line.startswith(".source ")]
    if len(code) != count:
        sys.exit(f"{len(code)} lines of code for {count} instructions")
    for index, line in enumerate(code):
        match = re.fullmatch(r' *[a-z][^;]*; (\d+) "(.+)"', line)
        if not match or int(match.group(1)) != index:
            sys.exit(f"no number or source: {line}")
        source = match.group(2)
        if source not in names if names else not re.search(r"\.mlir:[1-9]\d*:[1-9]\d*$", source):
            sys.exit(f"not a source: {line}")

    with tempfile.TemporaryDirectory(prefix="fact-") as folder:
        text, again = pathlib.Path(folder) / "p.s", pathlib.Path(folder) / "p.fact"
        # Comments and indentation mean nothing.
        plain = "\n".join(line.split(";")[0].strip() if line in code else line for line in lines) + "\n"
        for version in (listing, plain):
            text.write_text(version)
            subprocess.run(["fact-as", text, "-o", again], check=True)
            if again.read_bytes() != program.read_bytes():
                sys.exit("fact-as makes another file of the listing")
        if subprocess.run(["fact-objdump", again], capture_output=True, text=True, check=True).stdout != listing:
            sys.exit("the listing of the same file is another")
    print(f"{count} instructions, all with a source; the same bytes")


main(*sys.argv[1:])
