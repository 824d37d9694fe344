# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: one_process.py COMMAND...: runs it where it can start no process. Root,
who has no such limit, becomes nobody, who may not get at the files: status 77."""
import os
import resource
import sys

resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
if os.geteuid() == 0:
    os.setgroups([])
    os.setresuid(65534, 65534, 65534)
try:
    os.execvp(sys.argv[1], sys.argv[1:])
except PermissionError as error:
    print("not run:", error)
    sys.exit(77)
