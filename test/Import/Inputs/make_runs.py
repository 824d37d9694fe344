#!/usr/bin/env python3
"""make_runs.py ARCHIVE OUT INPUT:OUTPUT INDEX...: picks rows of an archive's
arrays as runs for fact-test-reference."""
import sys

import numpy as np


def main():
    archive, out, names = np.load(sys.argv[1]), sys.argv[2], sys.argv[3].split(":")
    arrays = {}
    for run, index in enumerate(int(i) for i in sys.argv[4:]):
        arrays[f"in{run}.0"] = archive[names[0]][index:index + 1].astype(np.float32)
        arrays[f"out{run}"] = archive[names[1]][index:index + 1].astype(np.float32)
    np.savez(out, **arrays)


if __name__ == "__main__":
    main()
