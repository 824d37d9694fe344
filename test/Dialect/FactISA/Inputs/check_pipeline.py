# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: check_pipeline.py < IR

What must hold of loops whose iterations overlap, whatever their schedule is: an instruction
works for one iteration, the same with its rows, its places in DRAM and the slots of rings;
there are as many iterations more as the last one is behind, or happens in an iteration that
no block has. Prints what it counted.
"""
import re
import sys


def main():
    constants, values, loops, counts = {}, {}, [], {"loops": 0, "instructions": 0, "slots": 0}
    wrong, late = [], []

    def stages(value, counter, step):
        """By how many iterations a value is behind the loop's counter: all that it says."""
        if value == counter:
            return {0}
        kind, *parts = values.get(value, ("other",))
        if kind == "sum":
            for a, b in (parts, parts[::-1]):
                if a == counter and b in constants:
                    return {-constants[b] // step if constants[b] % step == 0 else "no whole iterations"}
            return stages(parts[0], counter, step) | stages(parts[1], counter, step)
        if kind == "phase":
            counts["slots"] += parts[0] == counter
            return {parts[1]} if parts[0] == counter else set()
        if kind == "only":
            late.append(behind(parts[0], counter, step))
            kind, *sums = values.get(parts[0], ("other",))
            # Of counter - n it is the stage, the iteration, or the sum of both.
            return set() if kind == "sum" and counter in sums else stages(parts[0], counter, step)
        if kind == "some":
            return set().union(*(stages(part, counter, step) for part in parts))
        return set()

    def behind(value, counter, step):
        """The whole number of iterations by which a sum is behind the counter."""
        if value == counter:
            return 0
        kind, *parts = values.get(value, ("other",))
        if kind != "sum":
            return -constants.get(value, 0) // step
        return sum(behind(part, counter, step) for part in parts)

    for number, line in enumerate(sys.stdin, 1):
        if "func.func" in line:
            constants.clear(), values.clear()
        elif match := re.search(r"(%\S+) = arith\.constant (-?\d+) : index", line):
            constants[match[1]] = int(match[2])
        elif match := re.search(r"(%\S+) = arith\.addi (%\S+), (%\S+) :", line):
            values[match[1]] = ("sum", match[2], match[3])
        elif match := re.search(r"(%\S+) = factisa\.phase (%\S+) delay (\d+) slots (\d+)", line):
            values[match[1]] = ("phase", match[2], int(match[3]))
        elif match := re.search(r"(%\S+) = factisa\.view (%\S+) \+ \d+(?:\[([^]]*)\])?", line):
            values[match[1]] = ("some", match[2], *(match[3] or "").replace(" ", "").split(","))
        elif match := re.search(r"(%\S+) = factisa\.in_range (%\S+) below", line):
            values[match[1]] = ("only" if line.rstrip().endswith("below 1") else "some", match[2])
        elif match := re.match(r" *(%\S+) = ", line):
            values.pop(match[1], None)
        elif match := re.search(r"scf\.for (%\S+) = \S+ to \S+ step (%\S+) {", line):
            loops.append((match[1], constants[match[2]], []))
        elif loops and re.match(r" *}", line):
            counter, step, body = loops.pop()
            extra = re.search(r"factisa\.extra = (\d+)", line)
            if not extra:
                continue
            counts["loops"] += 1
            found = set()
            late.clear()
            for at, operands in body:
                known = len(late)
                of = set().union(*(stages(operand, counter, step) for operand in operands))
                if len(of) > 1 or not (of or len(late) > known):
                    wrong.append(f"line {at}: works for the iterations {sorted(map(str, of))}")
                found |= of
            if min(found) != 0 or max(found | set(late)) != int(extra[1]):
                wrong.append(f"line {number}: {extra[1]} iterations more, where stages are {sorted(found)}")
        elif loops and (match := re.match(r" *factisa\.\S+ (.*)", line)):
            counts["instructions"] += 1
            loops[-1][2].append((number, re.findall(r"\w+=(%[\w-]+)", match[1])))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{counts['loops']} loops, {counts['instructions']} instructions, {counts['slots']} slots:", "wrong" if wrong else "all agree")


main()
