#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The cases of utils/check-instructions (which builds first; see its usage)."""
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import numpy as np

from check_golden import describe
from fact import linalg_ir, tools
from fact.options import OptionParser

TIERS = ("amx", "avx512vnni", "avx512", "avxvnni", "avx2", "x86")
HERE = pathlib.Path(__file__).resolve().parent / "emulator"
# Booting takes a minute; one job is at least as many cases.
CASES_OF_A_BOOT = 40
# A boot that says nothing for this long, or a compiler that takes as long, hangs; seconds.
TIMEOUT = 600
# Set by a signal: emulated processors end, and no others begin.
STOP = threading.Event()

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
cd /cases
/call_objects list
echo emulator: end
while true; do /bin/busybox sleep 100; done
"""
# nogui; a second of the guest's is as many instructions as its time stamp
# counter counts.
CONFIGURATION = """
cpu: model=sapphire_rapids, count=1, ips=2000000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file={emulator}/bochs/bios/bios.bin-1.13.0
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path={folder}/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
display_library: nogui
clock: sync=none
log: {folder}/log
panic: action=fatal
error: action=ignore
info: action=ignore
"""
# What Bochs does not emulate as Linux expects it is off.
KERNEL = ("console=ttyS0 quiet nokaslr mitigations=off nowatchdog audit=0 random.trust_cpu=on idle=poll "
          "no_timer_check nosmp noapic acpi=off no5lvl nopku nopcid noinvpcid nogbpages nosmap nosmep "
          "clearcpuid=fsrm,erms,invpcid,pcid,pku")


class Failure(Exception):
    """A case that cannot be called; the message says why."""


def run(*command, **options):
    """Runs a command; raises Failure with what it says."""
    try:
        done = subprocess.run([str(part) for part in command], timeout=TIMEOUT, stdin=None if "input" in options else subprocess.DEVNULL,
                              stderr=subprocess.PIPE, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} took longer than {TIMEOUT} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise Failure(f"{command[0]} ended with status {done.returncode}" + (f": {said}" if said else ""))


class Case:
    """One (layer, policy) on one tier."""

    def __init__(self, name, path, i, tier):
        self.name, self.path, self.i, self.tier = name, path, i, tier

    def compile(self, folder, number):
        """Files of the case in a folder of cases; its line of their list."""
        layer, meta, arrays = linalg_ir.read_golden(self.path)
        stem = f"case{number}"
        with tempfile.TemporaryDirectory() as scratch:
            ir, obj = (pathlib.Path(scratch) / f"{stem}.{end}" for end in ("mlir", "o"))
            with open(ir, "w") as out:
                linalg_ir.write(out, [layer], meta["L"])
            run("fact-compile", ir, "--target=cpu", f"--cpu={self.tier}", *tools.policy_flags(meta["policies"][self.i]), "-o", obj)
            run("clang-22", "-shared", "-fuse-ld=lld-22", "-s", "-o", folder / f"{stem}.so", obj)
        length = meta.get("length", meta["L"])
        for what in ("x", f"p{self.i}.y"):
            np.ascontiguousarray(arrays[what][:length], np.float32).tofile(folder / f"{stem}.{what[-1]}")
        return f"./{stem}.so {stem} {length} {stem}.x {stem}.y\n"


def pack(emulator, caller, cases, folder, boot):
    """An image that boots and calls the cases in a folder."""
    root = folder / "root"
    for sub in ("bin", "proc", "dev", "lib/x86_64-linux-gnu", "lib64"):
        (root / sub).mkdir(parents=True)
    shutil.copy(caller, root)
    shutil.copy("/bin/busybox", root / "bin")
    for library in ("lib/x86_64-linux-gnu/libc.so.6", "lib/x86_64-linux-gnu/libm.so.6", "lib64/ld-linux-x86-64.so.2"):
        shutil.copy(pathlib.Path("/") / library, root / library)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    cases.rename(root / "cases")
    image = folder / "image"
    (image / "isolinux").mkdir(parents=True)
    names = "\0".join(str(path.relative_to(root)) for path in [root, *root.rglob("*")])
    with open(image / "initrd", "wb") as out:
        run("cpio", "-0", "-o", "-H", "newc", "--quiet", cwd=root, input=names.encode(), stdout=out)
    shutil.rmtree(root)
    shutil.copy(emulator / "vmlinuz", image)
    shutil.copy("/usr/lib/ISOLINUX/isolinux.bin", image / "isolinux")
    shutil.copy("/usr/lib/syslinux/modules/bios/ldlinux.c32", image / "isolinux")
    (image / "isolinux/isolinux.cfg").write_text(
        f"default fact\nlabel fact\n kernel /vmlinuz\n append initrd=/initrd {KERNEL}\n")
    run("xorriso", "-as", "mkisofs", "-quiet", "-o", boot, "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat",
        "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", image)
    shutil.rmtree(image)


def emulate(emulator, folder):
    """What the guest prints, a line at a time, until it is done."""
    configuration = folder / "bochsrc"
    configuration.write_text(CONFIGURATION.format(emulator=emulator, folder=folder))
    serial, log = folder / "serial", folder / "log"
    process = subprocess.Popen([str(emulator / "bochs/bochs"), "-q", "-f", str(configuration)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen, last, ended = 0, time.monotonic(), False
        while not ended and not STOP.is_set() and time.monotonic() - last < TIMEOUT:
            time.sleep(0.5)
            ended = process.poll() is not None  # and then its file is read once more
            text = serial.read_text(errors="replace") if serial.exists() else ""
            lines = text.split("\n")[:-1]
            if len(lines) > seen:
                last = time.monotonic()
            for line in lines[seen:]:
                if line.strip() == "emulator: end":
                    return
                yield line.strip()
            seen = len(lines)
        # Bochs' own last words, where it gave up.
        yield from log.read_text(errors="replace").splitlines()[-1:] if log.exists() else []
        yield (f"(Bochs ended with status {process.returncode})" if ended else
               "(stopped)" if STOP.is_set() else f"(nothing for {TIMEOUT} s)")
    finally:
        process.kill()
        process.wait()


def check(emulator, caller, cases, report):
    """Calls report(case, result) for each case, as results come; "ok" is that of one that passed."""
    with tempfile.TemporaryDirectory(prefix="check-instructions-") as scratch:
        folder = pathlib.Path(scratch)
        own = folder / "cases"
        own.mkdir()
        waiting, lines = {}, []
        for i, case in enumerate(cases):
            try:
                if STOP.is_set():
                    raise Failure("stopped")
                lines.append(case.compile(own, i))
                waiting[f"./case{i}.so"] = case
            except Failure as error:
                report(case, str(error))
            except Exception as error:  # a file of vectors may be anything
                report(case, f"{type(error).__name__}: {error}")
        (own / "list").write_text("".join(lines))
        if not waiting:
            return
        called, last = None, "nothing"
        try:
            if STOP.is_set():
                raise Failure("stopped")
            pack(emulator, caller, own, folder, folder / "boot.iso")
            for last in emulate(emulator, folder):
                name, _, result = last.partition(" ")
                if name in waiting and result == "begins":
                    called = name
                elif name in waiting:
                    report(waiting.pop(name), result)
        except (Failure, OSError) as error:
            last = str(error)
        for name, case in waiting.items():
            report(case, f"{'did not return' if name == called else 'was not called'}; the last words were: {last}")


def main():
    parser = OptionParser(prog="check-instructions")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--emulator", type=pathlib.Path, required=True)
    parser.add_argument("--tiers", default=",".join(TIERS), metavar="NAME,...")
    parser.add_argument("--filter", default="", metavar="SUBSTRING", help="only cases whose name contains it")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one case of N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="emulated processors at a time")
    options = parser.parse_args()
    tiers = options.tiers.split(",")
    for tier in tiers:
        if tier not in TIERS:
            parser.error(f"--tiers: no tier '{tier}' among {', '.join(TIERS)}")
    if options.every < 1:
        parser.error(f"--every needs a number from 1 on (was {options.every})")
    if options.jobs < 1:
        parser.error(f"--jobs needs a number from 1 on (was {options.jobs})")
    cases = []
    unreadable = []
    for path in sorted(options.folder.glob("layer_*.npz")):
        try:
            policies = linalg_ir.read_golden(path)[1]["policies"]
        except Exception as error:  # whatever numpy and json say
            unreadable.append(f"FAILED: {path.name}: {type(error).__name__}: {error}")
            continue
        for i, policy in enumerate(policies):
            name = f"{path.stem} p{i} ({describe(policy)})"
            if options.filter in name:
                cases += [Case(f"{tier} {name}", path, i, tier) for tier in tiers]
    if not cases and not unreadable:
        parser.error(f"no case of layer_*.npz in '{options.folder}'" + (f" is called '{options.filter}'" if options.filter else ""))
    # By name: each Nth in order would be the same policies of every layer.
    cases = [case for case in cases if zlib.crc32(case.name.encode()) % options.every == 0]
    if not cases and not unreadable:
        parser.error(f"none is left of the cases with --every={options.every}")
    cases.sort(key=lambda case: tiers.index(case.tier))

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: STOP.set())
    emulator = options.emulator.resolve()
    failed, lock = list(unreadable), threading.Lock()
    for line in unreadable:
        print(line, flush=True)

    def report(case, result):
        with lock:
            line = f"passed: {case.name}" if result == "ok" else f"FAILED: {case.name}: {result}"
            print(line, flush=True)
            if result != "ok":
                failed.append(line)

    size = max(CASES_OF_A_BOOT, -(-len(cases) // (8 * options.jobs)))
    with tempfile.TemporaryDirectory(prefix="check-instructions-") as scratch:
        caller = pathlib.Path(scratch) / "call_objects"
        try:
            run("clang-22", "-O1", "-Wall", "-o", caller, HERE / "call_objects.c")
        except (Failure, OSError) as error:
            print(f"FAILED: {error}\n0 passed, 1 failed")
            sys.exit(1)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda begin: check(emulator, caller, cases[begin:begin + size], report),
                          range(0, len(cases), size)))
    print(f"{len(cases) + len(unreadable) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
