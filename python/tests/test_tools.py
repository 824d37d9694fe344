"""fact.tools: flags of a policy, and what a failing tool turns into."""
import os

import numpy as np
import pytest

from fact import tools


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Puts a shell script in place of a tool."""
    def make(name, script):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        monkeypatch.setenv("FACT_BIN", str(tmp_path))
    return make


def test_policy_flags_name_every_field():
    flags = tools.policy_flags({"keep": 0.2, "low": "a4w8", "dominance": 3.0})
    assert flags == ["--keep=0.2", "--tail=none", "--dominance=3.0", "--importance=0.0",
                     "--low-precision=a4w8", "--scope=ffn", "--predictor=leading-one"]


def test_unknown_policy_field():
    with pytest.raises(ValueError, match="unknown policy field 'kepe'"):
        tools.policy_flags({"kepe": 1})


def test_failure_says_what_the_tool_said(fake):
    fake("fact-compile", "echo 'fact-compile: error: no such file' >&2; exit 1")
    with pytest.raises(tools.ToolError, match="fact-compile: exit status 1: fact-compile: error: no such file"):
        tools.compile_program("a.mlir", "a.fact")


def test_crash_is_named(fake):
    fake("fact-run", "kill -SEGV $$")
    with pytest.raises(tools.ToolError, match="fact-run: signal 11"):
        tools.run("a.mlir", [np.zeros(1, np.float32)])


def test_no_result_in_time(fake):
    fake("fact-sim", "exec sleep 20")
    with pytest.raises(tools.ToolError, match="no result after 0.2 s"):
        tools.simulate("a.fact", [np.zeros(1, np.float32)], timeout=0.2)


def test_missing_tool(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(tools.ToolError, match="'fact-nothing' is not built"):
        tools.find("fact-nothing")


def test_an_attempt_may_fail(fake):
    fake("fact-sim", "echo note >&2; echo 'fact-sim: error: no such file' >&2; echo more >&2; exit 1")
    assert tools.attempt("fact-sim") == (1, "fact-sim: error: no such file")
    fake("fact-sim", "kill -SEGV $$")
    assert tools.attempt("fact-sim") == (-11, "")
    fake("fact-sim", "echo 'x.cpp:1: runtime error: shift' >&2; exit 1")
    assert tools.attempt("fact-sim") == (-1, "runtime error: shift")
    fake("fact-sim", "exec sleep 20")
    assert tools.attempt("fact-sim", timeout=0.2) == (-1, "no result after 0.2 s")


def test_files_of_a_run(tmp_path):
    files = tools.Files(tmp_path, "CPU", outputs=2, masks=True, report=True)
    assert files.flags() == [f"--output={tmp_path}/CPU.y0.npy", f"--output={tmp_path}/CPU.y1.npy",
                             f"--dump-masks={tmp_path}/CPU.npz", f"--report={tmp_path}/CPU.json"]
    for i, path in enumerate(files.outputs):
        np.save(path, np.int32(i))
    np.savez(files.masks, mask=np.ones(3, bool))
    files.report.write_text('{"cycles": 7}')
    outputs, masks, report = files.read()
    assert outputs == [0, 1] and masks["mask"].all() and report == {"cycles": 7}
    assert tools.Files(tmp_path, "y").flags() == [f"--output={tmp_path}/y.y0.npy"]
