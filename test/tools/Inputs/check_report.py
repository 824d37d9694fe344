# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Checks a report of fact-sim against its schema and against what it reports on.

usage: check_report.py SCHEMA.json REPORT.json MASKS.npz FIELD=VALUE...

FIELD is a path such as policy.keep; VALUE is JSON or plain text.
"""
import json
import sys

import numpy as np

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}


def check(value, schema, root, path):
    """Yields what is wrong. A keyword that is not known here is wrong, too."""
    for key, rule in schema.items():
        if key == "$ref":
            yield from check(value, root["$defs"][rule.split("/")[-1]], root, path)
        elif key == "type":
            if not isinstance(value, TYPES[rule]) or isinstance(value, bool):
                yield f"{path} is no {rule}"
                return
        elif key == "required":
            yield from (f"{path} has no '{name}'" for name in rule if name not in value)
        elif key == "dependentRequired":
            for name, needed in rule.items():
                if name in value:
                    yield from (f"{path} has '{name}' but no '{other}'" for other in needed if other not in value)
        elif key == "properties":
            for name in value:
                if name in rule:
                    yield from check(value[name], rule[name], root, f"{path}.{name}")
                elif schema.get("additionalProperties") is False:
                    yield f"{path} must not have '{name}'"
        elif key == "items":
            for i, item in enumerate(value):
                yield from check(item, rule, root, f"{path}[{i}]")
        elif key in ("minimum", "maximum"):
            if (value < rule) if key == "minimum" else (value > rule):
                yield f"{path} is out of range: {value}"
        elif key not in ("$schema", "$defs", "title", "description", "additionalProperties"):
            yield f"the schema of {path} has an unknown keyword '{key}'"


def accounting(report):
    for name, engine in report.get("engines", {}).items():
        if engine["busy"] + sum(engine["wait"].values()) != report["cycles"]:
            yield f"engine {name}: busy and wait are not {report['cycles']} cycles"


def fractions(report, masks):
    """The layers as the dumped masks say they are."""
    for i, layer in enumerate(report["layers"]):
        get = lambda name: masks[f"layer{i}.{name}"]
        expected = {"kept_k": get("k_rows").mean(), "kept_v": get("v_rows").mean(), "live_q": 1 - get("dominated").mean(),
                    "kept_scores": get("mask").mean(), "int8_tokens": 1 - get("low").mean()}
        for name, value in expected.items():
            if abs(layer[name] - value) > 1e-6:
                yield f"layers[{i}].{name} is {layer[name]}, the masks say {value}"


def main(schema_path, report_path, masks_path, *wanted):
    with open(schema_path) as file:
        schema = json.load(file)
    with open(report_path) as file:
        report = json.load(file)
    with np.load(masks_path) as file:
        masks = dict(file)
    wrong = list(check(report, schema, schema, "report"))
    if not wrong:
        wrong = [*accounting(report), *fractions(report, masks)]
    for text in wanted:
        name, value = text.split("=")
        found = report
        for key in name.split("."):
            found = found[int(key) if key.isdigit() else key]
        try:
            value = json.loads(value)
        except ValueError:
            pass
        if found != value:
            wrong.append(f"{name} is {found}, not {value}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{report_path}: {len(report)} fields, {len(report['layers'])} layers")


main(*sys.argv[1:])
