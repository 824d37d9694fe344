# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Command lines of our scripts, read as our tools read theirs."""
import argparse
import sys


class OptionParser(argparse.ArgumentParser):
    """An ArgumentParser that takes no abbreviations and, like the tools, answers
    wrong usage with one line and exit status 2; an empty value (`--seed=`) is
    wrong usage for every option."""

    def __init__(self, *arguments, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, allow_abbrev=False, **options)

    def parse_known_args(self, args=None, namespace=None):
        args = sys.argv[1:] if args is None else list(args)
        for position, argument in enumerate(args):
            if argument == "--":
                break
            if argument.startswith("--") and argument.find("=") == len(argument) - 1:
                self.error(f"a value must follow '{argument}'")
            if argument == "":
                before = args[position - 1] if position else ""
                self.error(f"'{before}' must not be empty" if before.startswith("-") else "an argument must not be empty")
        return super().parse_known_args(args, namespace)

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}\n")
