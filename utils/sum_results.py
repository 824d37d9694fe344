#!/usr/bin/python3
"""Sums the result files of all test runners into one line.

usage: sum_results.py FOLDER

FOLDER holds NAME.gtest.xml and NAME.pytest.xml (JUnit form), lit.json, and
NAME.status with the runner's exit status. A runner that failed without a
failed test in its file (a crash, say) counts as one failed test. Prints every
failed and skipped test, then `N passed, N failed` or, where something was
skipped, `N passed, N failed, N skipped`. Exit status 1 if anything failed.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def read_junit(path):
    """[(name, 'passed'|'failed'|'skipped', reason)] of a JUnit XML file."""
    cases = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        outcome, reason = "passed", ""
        if case.find("failure") is not None or case.find("error") is not None:
            outcome = "failed"
        elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
            outcome = "skipped"
            element = case.find("skipped")
            if element is not None:
                reason = (element.get("message") or "").strip().split("\n")[-1]
        elif case.get("status") == "notrun":
            outcome, reason = "skipped", "disabled"
        cases.append((name, outcome, reason))
    return cases


LIT_OUTCOMES = {"PASS": "passed", "FLAKYPASS": "passed", "XFAIL": "passed",
                "UNSUPPORTED": "skipped", "SKIPPED": "skipped", "EXCLUDED": "skipped"}


def read_lit(path):
    """The same of lit's JSON; unknown outcomes (FAIL, XPASS, TIMEOUT ...) failed."""
    cases = []
    for test in json.loads(path.read_text())["tests"]:
        outcome = LIT_OUTCOMES.get(test["code"], "failed")
        reason = " ".join(test["output"].split())[:120] if outcome == "skipped" else ""
        cases.append((test["name"], outcome, reason))
    return cases


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    cases = []
    for status_file in sorted(folder.glob("*.status")):
        runner = status_file.name[:-len(".status")]
        status = int(status_file.read_text())
        results = []
        unreadable = False
        for suffix, read in ((".xml", read_junit), (".json", read_lit)):
            path = folder / (runner + suffix)
            if path.exists():
                try:
                    results += read(path)
                except (ElementTree.ParseError, ValueError, KeyError):
                    unreadable = True
        if unreadable or (status != 0 and not any(c[1] == "failed" for c in results)):
            results.append((runner, "failed", f"exit status {status}"))
        cases += [(f"{runner}: {name}", outcome, reason) for name, outcome, reason in results]

    count = {"passed": 0, "failed": 0, "skipped": 0}
    for name, outcome, reason in cases:
        count[outcome] += 1
        if outcome != "passed":
            print(f"{outcome}: {name}" + (f" ({reason})" if reason else ""))
    line = f"{count['passed']} passed, {count['failed']} failed"
    if count["skipped"]:
        line += f", {count['skipped']} skipped"
    print(line)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
