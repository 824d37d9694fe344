# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Relative links of all documents lead to files; `path/to/file` in backquotes that names a
file or folder of the tree (it begins with one of its folders) exists, too.

usage: check_links.py SOURCE_TREE
"""
import pathlib
import re
import sys


def main(source):
    root = pathlib.Path(source)
    folders = [path.name for path in root.iterdir()
               if path.is_dir() and not path.name.startswith(".") and path.name != "build"]
    wrong, count = [], 0
    documents = [*root.glob("*.md"), *(path for folder in folders for path in (root / folder).rglob("*.md"))]
    for document in sorted(documents):
        text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
        targets = [(target.split("#")[0], document.parent) for target in re.findall(r"\]\(([^)\s]+)\)", text)
                   if not re.match(r"[a-z]+:|#", target)]
        # (docs/adding-*.md name files that their reader makes.)
        if not document.name.startswith("adding-"):
            targets += [(name, root)
                        for name in re.findall(r"`((?:" + "|".join(folders) + r")/[\w./-]*[\w/])`", text)]
        for target, base in targets:
            count += 1
            if not (base / target).exists():
                wrong.append(f"{document.relative_to(root)}: no '{target}'")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{count} links and paths in {len(documents)} documents")


main(*sys.argv[1:])
