#!/usr/bin/env python3
"""Writes what fuzzing begins with: `fuzz/seeds.py FOLDER`.

Inputs are the projects of the pages and of `testdata/`, as each room of `tests/rooms/` reads them, and the crash corpus. The
dictionary, `words.dict`, holds the words of the call tables and of those projects.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("python", "rust", "yaml", "ini", "notebook", "render", "fix")
# Longer inputs are slow to mutate, and say no more.
LONGEST = 16 << 10


def files(folder, ending=""):
    """Texts of the files below a folder, by their paths in it."""
    found = {}
    for path in sorted(folder.rglob("*" + ending)):
        if path.is_file():
            try:
                found[str(path.relative_to(folder))] = path.read_bytes().decode()
            except UnicodeDecodeError:
                pass
    return found


def blocks(page):
    """The projects of a page: the fenced blocks between two headings."""
    for part in re.split(r"(?m)^(?:#+ .*|---)$", page):
        project = {}
        for info, body in re.findall(r"(?ms)^```+([^\n]+)\n(.*?)^```+$", part):
            name = re.search(r"file=(\S+)", info)
            default = {"python": "test_page.py", "rust": "tests/page.rs"}.get(info.strip())
            if name or default:
                project[name[1] if name else default] = body
        if project:
            yield project


def book(text):
    """Python as a notebook, a cell for each paragraph."""
    cells = [
        {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": part.splitlines(keepends=True)}
        for part in re.split(r"(?<=\n\n\n)", text)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def report(path, text):
    """What the room `render` makes a report of: one source, and two findings with labels and a fix."""
    kind = {"rs": 1, "ipynb": 3, "py": 0}.get(path.rsplit(".")[-1], 2)
    out = b"\0" + path.encode() + b"\0" + text.replace("\0", "").encode() + b"\0" + bytes([kind, 2])
    for n in range(2):
        out += b"\2"
        for label in range(3):
            out += bytes([0, 0, 20 * label + n, 0, 9]) + (bytes([label]) if label else b"") + b"here\0"
        out += b"\1a title\0\1\1\0\0\5\0\3new\0" + bytes([n * 7, n, 2])
        out += b"`test_a` writes `/tmp/x`\0do this\0\1a note\0\2tests/test_a.py::test_a\0test_b\0\1pytest -n 2\0a key\0"
        out += b"\1\0\0\0\0\3" if n else b"\0"
    return out + b"\1\0\0\0\0\4\0\1skipped.py\0over 2 MiB\0\1a fault\0\1a name\0\1pytest -n 4\0\1\2\3"


def inputs(room, project):
    def of(*endings):
        return [text for path, text in project.items() if path.endswith(endings)]

    def together(wanted):
        text = "".join(f"### {path}\n{text}\n" for path, text in project.items() if wanted(path))
        return [text] if text else []

    def is_code(path):
        return path.endswith((".py", ".rs", ".ipynb"))

    def is_yaml(path):
        return path.endswith((".yml", ".yaml"))

    match room:
        case "python":
            return of(".py")
        case "rust":
            return of(".rs")
        case "notebook":
            return of(".ipynb") + [book(text) for text in of(".py")]
        case "yaml":
            return together(lambda path: not is_code(path) and (is_yaml(path) or path.endswith("Makefile")))
        case "ini":
            return together(lambda path: not is_code(path) and not is_yaml(path))
        case "render":
            return [report(path, text) for path, text in project.items()]
        case _:
            return together(lambda path: True)


def words(projects):
    """Words of the tables, and of what the projects write."""
    found = set()
    for text in files(ROOT / "rules", ".toml").values():
        found.update(word for word in re.findall(r'"([^"\n]{2,40})"', text))
    for project in projects:
        for path, text in project.items():
            found.add(f"\n### {path}\n")
            found.update(word for word in re.findall(r"[\w.$@%-]{2,24}", text, re.ASCII))
    found.update(["\u202e", "\x1b[31m", "\r\n", "\r", "\t", "\ufeff", "é", "😀", "::error ::x", "%0A", "]]>", "&amp;", '"""', "'''"])
    found.update(["&a", "*a", "<<: *a", "|-", ">+", "- ", "? ", "${{ ", " }}", "$(", "`", "<<EOF", "&&", "||", "\\\n", "{envdir}"])
    return sorted(word for word in found if len(word.encode()) <= 60)


def escaped(word):
    """As libFuzzer reads a dictionary."""
    plain = set(range(0x20, 0x7F)) - {ord('"'), ord("\\")}
    return "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in word.encode())


def main():
    out = Path(sys.argv[1])
    projects = [
        project for folder in ("rules", "docs/facts") for page in files(ROOT / folder, ".md").values() for project in blocks(page)
    ]
    for folder in ("met", "clean", "broken", "syntax"):
        projects += [files(case) for case in sorted((ROOT / "testdata" / folder).iterdir()) if case.is_dir()]
    for room in ROOMS:
        found = {one if isinstance(one, bytes) else one.encode() for project in projects for one in inputs(room, project)}
        known = ROOT / "testdata" / "crashes" / room
        found |= {path.read_bytes() for path in known.iterdir()} if known.is_dir() else set()
        folder = out / "seeds" / room
        folder.mkdir(parents=True, exist_ok=True)
        for n, one in enumerate(sorted(one for one in found if len(one) <= LONGEST)):
            (folder / f"{n:05}").write_bytes(one)
    (out / "words.dict").write_text("".join(f'"{escaped(word)}"\n' for word in words(projects)))


if __name__ == "__main__":
    main()
