"""Checks a trace: what Perfetto wants of one, and what the report of the same run
says.

usage: check_trace.py TRACE REPORT PROGRAM'S SOURCE FILE
"""
import collections
import json
import sys

trace_path, report_path, source = sys.argv[1:]
with open(trace_path) as file:
    trace = json.load(file)
with open(report_path) as file:
    report = json.load(file)
events = trace["traceEvents"]
names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
assert sorted(names.values()) == sorted(report["engines"]), names
clock = report["cycles"] / (report["seconds"] * 1e6)

slices = collections.defaultdict(list)
for e in events:
    if e["ph"] == "X":
        begin = round(e["ts"] * clock)
        slices[e["tid"]].append((begin, begin + round(e["dur"] * clock), e))
for tid, found in slices.items():
    # One after the other, as long as the report says.
    for (_, end, _), (begin, _, _) in zip(found, found[1:]):
        assert end <= begin, (names[tid], end, begin)
    engine = report["engines"][names[tid]]
    busy = engine["busy"] + engine["wait"].get("bank_conflict", 0)
    assert sum(end - begin for begin, end, _ in found) == busy, names[tid]
    assert all(begin >= 0 and end <= report["cycles"] for begin, end, _ in found)
    assert all(end - begin == e["args"]["cycles"] for begin, end, e in found)
    assert all(source in e["args"]["source"] for _, _, e in found), names[tid]
assert {names[tid] for tid in slices} == set(names.values())
heads = {e["args"]["head"] for _, _, e in sum(slices.values(), []) if e["name"] == "sel.topk"}
assert len(heads) > 1, heads

arrows = collections.defaultdict(dict)
for e in events:
    if e["ph"] in "sf":
        assert e["ph"] not in arrows[e["id"]]
        arrows[e["id"]][e["ph"]] = e
assert len(arrows) > 10
for arrow in arrows.values():
    begin, end = arrow["s"], arrow["f"]
    at = begin["ts"] * clock
    assert any(a < at < b for a, b, _ in slices[begin["tid"]])
    assert any(a == round(end["ts"] * clock) for a, _, _ in slices[end["tid"]])
    assert begin["tid"] != end["tid"] and begin["ts"] < end["ts"] and end["bp"] == "e"

counters = collections.defaultdict(list)
for e in events:
    if e["ph"] == "C":
        counters[e["name"]].append((e["ts"], e["args"]["value"]))
for name, most in (("DRAM busy (%)", 100), ("scratchpad in use (KB)", 1248)):
    times = [ts for ts, _ in counters[name]]
    assert times == sorted(set(times)) and times[0] == 0
    values = [value for _, value in counters[name]]
    assert 0 <= min(values) < max(values) <= most, (name, min(values), max(values))
print("a trace of", sum(map(len, slices.values())), "slices")
