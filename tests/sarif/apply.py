"""Applies the fixes of a SARIF log to the files below a folder, by the standard alone (SARIF 2.1.0, 3.55 to 3.57).

    apply.py LOG ROOT [unsafe]

Without `unsafe`, only fixes whose property `applicability` is `safe`. Of fixes that overlap, the first is taken; the number of fixes
that were made is printed.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote


def line_starts(text, sequences):
    ends = re.finditer("|".join(map(re.escape, sequences)), text)
    return [0] + [end.end() for end in ends]


def offset(text, starts, line, column, kind):
    """The index of a position in the text; columns count from 1, in what `columnKind` says."""
    start = starts[line - 1]
    if kind == "unicodeCodePoints":
        return start + column - 1
    units, at = 0, start
    while units < column - 1:
        units += 2 if ord(text[at]) > 0xFFFF else 1
        at += 1
    return at


def edits(fix, run, texts, root):
    found = []
    for change in fix["artifactChanges"]:
        uri = unquote(change["artifactLocation"]["uri"])
        if uri not in texts:
            texts[uri] = (root / uri).read_bytes().decode("utf-8")
        text = texts[uri]
        starts = line_starts(text, run["newlineSequences"])
        for replacement in change["replacements"]:
            region = replacement["deletedRegion"]
            place = lambda end: offset(text, starts, region[end + "Line"], region[end + "Column"], run["columnKind"])
            found.append((uri, place("start"), place("end"), replacement["insertedContent"]["text"]))
    return found


def overlap(a, b):
    return a[0] == b[0] and (a[1] == b[1] or a[1] < b[2] and b[1] < a[2])


def main(log, root, *flags):
    made, taken, texts = 0, [], {}
    root = Path(root)
    (run,) = json.loads(Path(log).read_text(encoding="utf-8"))["runs"]
    for result in run["results"]:
        for fix in result.get("fixes", []):
            if fix["properties"]["applicability"] != "safe" and "unsafe" not in flags:
                continue
            wanted = edits(fix, run, texts, root)
            if any(overlap(one, other) and one != other for one in wanted for other in taken):
                continue
            taken += wanted
            made += 1
    for uri, start, end, new in sorted(set(taken), reverse=True):
        texts[uri] = texts[uri][:start] + new + texts[uri][end:]
    for uri in {uri for uri, *_ in taken}:
        (root / uri).write_bytes(texts[uri].encode("utf-8"))
    print(made)


main(*sys.argv[1:])
