"""fact.options: the command lines of our scripts."""
import pathlib
import re
import subprocess
import sys

import pytest

from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parser():
    made = OptionParser(prog="fact-x")
    made.add_argument("file")
    made.add_argument("--name", default="")
    made.add_argument("--count", type=int, default=0)
    made.add_argument("--all", action="store_true")
    return made


@pytest.mark.parametrize("arguments, text", [
    (["a", "--name="], "a value must follow '--name='"),
    (["--count=", "3", "a"], "a value must follow '--count='"),
    (["a", "--unknown="], "a value must follow '--unknown='"),
    (["a", "--name", ""], "'--name' must not be empty"),
    ([""], "an argument must not be empty"),
    (["a", "--coun=3"], "unrecognized arguments: --coun=3"),
    (["a", "--count=x"], "argument --count: invalid int value: 'x'"),
])
def test_wrong_usage_is_one_line_and_status_2(arguments, text, capsys):
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"fact-x: error: {text}\n"


def test_values_may_end_in_an_equals_sign():
    options = parser().parse_args(["--name=x=", "--all", "--", "--file="])
    assert (options.name, options.all, options.file) == ("x=", True, "--file=")


def sources():
    return [path for folder in ("benchmarks", "examples", "utils") for path in sorted((ROOT / folder).rglob("*.py"))]


def scripts():
    # The recogniser needs Debian packages that only the demo installs.
    return [path for path in sources() if "OptionParser(" in path.read_text() and path.name != "recognise.py"]


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_every_script_refuses_an_empty_flag(script):
    # The last argument is for damage_file.py, which runs what stands behind '--'.
    run = subprocess.run([sys.executable, script, "--seed=", "--"], capture_output=True, text=True)
    assert run.returncode == 2 and run.stdout == ""
    assert re.fullmatch(r"\S+: error: a value must follow '--seed='\n", run.stderr)


def test_no_script_reads_its_flags_otherwise():
    assert [path for path in sources() if "argparse.ArgumentParser" in path.read_text()] == []
