#!/usr/bin/env python3
"""Builds the book of docs/ with mdBook, and fails where a link leads nowhere.

    scripts/book.py [FOLDER]        FOLDER is target/book where none is named; the pages are in FOLDER/html

The pages are those of docs/SUMMARY.md, the README among them, and one for each rule, made from `rules/`. What links to a file of the
repository that has no page in the book shows its path. Needs `mdbook` on the PATH.
"""

import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Pages that stand elsewhere in the repository.
ELSEWHERE = {"README.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md", "calls.md": "rules/calls/README.md"}
# Folders whose pages stand below one of the summary.
BELOW = {"- [Rules](rules.md)\n": "rules", "- [Facts](facts.md)\n": "docs/facts", "- [Architecture](architecture.md)\n": "docs/decisions"}
LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]+)\)")
# Code, or what HTML would take for a tag; nobody writes tags into these pages.
TAG = re.compile(r"(`+[^`]*`+|<!--)|<(?=[a-zA-Z/])")
FENCE = re.compile(r"^\s*(```+|~~~+)")


def rule(path):
    """The page of a rule: what its front matter says as a table, then its text."""
    _, front, body = path.read_text().split("+++\n", 2)
    front = tomllib.loads(front)
    rows = [(word, front[word]) for word in ("family", "severity", "confidence", "status", "fix", "since")]
    table = "\n".join(f"| {word} | {value} |" for word, value in rows)
    helps = "\n".join(f"- *{language}*: {text}" for language, text in front["help"].items())
    return f"# {path.stem}\n\n**{front['title'].capitalize()}.**\n\n| | |\n| --- | --- |\n{table}\n\nWhat to do:\n\n{helps}\n\n{body}"


def linked(text, at, pages):
    """A page whose links lead to pages of the book; `at` is where it stands in the repository, `pages` where each is in the book."""
    complaints, fence, lines = [], None, []

    def link(match):
        words, target = match.groups()
        path, _, fragment = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            return match[0]
        file = (ROOT / at.parent / path).resolve()
        if not file.exists() or not file.is_relative_to(ROOT):
            complaints.append(f"{at}: there is no {path}")
            return match[0]
        name = str(file.relative_to(ROOT))
        if name not in pages:
            return f"{words} (`{name}`)" if words.strip("`") != name else f"`{name}`"
        here = pathlib.PurePosixPath(pages[str(at)]).parent
        up = "../" * len(here.parts)
        return f"[{words}]({up}{pages[name]}{'#' + fragment if fragment else ''})"

    for line in text.splitlines():
        if mark := FENCE.match(line):
            fence = None if fence and mark[1].startswith(fence) else fence or mark[1]
        lines.append(line if fence or mark else TAG.sub(lambda tag: tag[1] or "&lt;", LINK.sub(link, line)))
    return "\n".join(lines) + "\n", complaints


class Anchors(html.parser.HTMLParser):
    """The names that a page has, and the links in it."""

    def __init__(self):
        super().__init__()
        self.names, self.links = set(), []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.names.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        target = attributes.get("href" if tag in ("a", "link") else "src")
        if target:
            self.links.append(target)


def broken(folder):
    """Links of the built book that lead nowhere."""
    read = {}
    for page in sorted(folder.rglob("*.html")):
        read[page] = Anchors()
        read[page].feed(page.read_text())
    for page, anchors in read.items():
        for target in anchors.links:
            url = urllib.parse.urlsplit(target)
            # 404.html is served at any depth, with links from the root.
            if url.scheme or url.netloc or page.name == "404.html" or target.startswith("/"):
                continue
            file = (page.parent / urllib.parse.unquote(url.path)).resolve() if url.path else page
            if not file.exists():
                yield f"{page.relative_to(folder)}: {target}: there is no such page"
            elif url.fragment and file in read and urllib.parse.unquote(url.fragment) not in read[file].names:
                yield f"{page.relative_to(folder)}: {target}: the page has no such part"


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "book").resolve()
    shutil.rmtree(out, ignore_errors=True)
    source = out / "source"
    source.mkdir(parents=True)
    summary = (ROOT / "docs" / "SUMMARY.md").read_text()
    named = re.findall(r"\]\(([^)]+\.md)\)", summary)
    pages = {ELSEWHERE.get(name, f"docs/{name}"): name for name in named}
    for line, folder in BELOW.items():
        files = sorted(path for path in (ROOT / folder).glob("*.md") if path.name != "README.md")
        folder = folder.removeprefix("docs/")
        pages |= {str(path.relative_to(ROOT)): f"{folder}/{path.name}" for path in files}
        summary = summary.replace(line, line + "".join(f"  - [{path.stem}]({folder}/{path.name})\n" for path in files))
    (source / "SUMMARY.md").write_text(summary)
    shutil.copy(ROOT / "docs" / "book.toml", source / "book.toml")
    complaints = []
    for name, page in pages.items():
        path = pathlib.Path(name)
        text = rule(ROOT / path) if path.parent == pathlib.Path("rules") else (ROOT / path).read_text()
        text, wrong = linked(text, path, pages)
        complaints += wrong
        (source / page).parent.mkdir(exist_ok=True)
        (source / page).write_text(text)
    done = subprocess.run(["mdbook", "build", source, "--dest-dir", out / "html"], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if re.search(r"\b(WARN|ERROR)\b", line)]
    complaints += said if done.returncode == 0 else [done.stderr]
    complaints += broken(out / "html")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"{len(pages)} pages in {out / 'html'}")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
