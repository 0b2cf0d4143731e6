//! Imports, in the file's own style.

use super::draft::Draft;
use crate::facts::{Import, Statement, Step, What};
use crate::text::Span;

/// Modules of Python's standard library that stand beside those we add.
const STANDARD: &[&str] = &[
    "abc",
    "argparse",
    "array",
    "ast",
    "asyncio",
    "atexit",
    "base64",
    "bisect",
    "builtins",
    "calendar",
    "collections",
    "concurrent",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email",
    "enum",
    "errno",
    "fcntl",
    "filecmp",
    "fnmatch",
    "fractions",
    "functools",
    "gc",
    "getpass",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "html",
    "http",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "locale",
    "logging",
    "math",
    "mimetypes",
    "multiprocessing",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "pkgutil",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "runpy",
    "secrets",
    "select",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "tokenize",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "xml",
    "zipfile",
    "zlib",
];

impl<'a> Draft<'a> {
    /// The name by which code may call a module; imports it where the file does not.
    pub fn module(&mut self, module: &str) -> String {
        let known = self.top_imports().into_iter().find_map(|(_, import)| {
            let same = import.up == 0 && import.name.is_none() && !import.module.is_empty() && {
                let whole: Vec<&str> = import.module.iter().map(|part| self.facts.name(*part)).collect();
                // `import os.path` binds `os`.
                whole == [module] || whole[0] == module && import.bound == Some(import.module[0])
            };
            same.then(|| import.bound.map(|bound| self.facts.name(bound).to_owned())).flatten()
        });
        known.unwrap_or_else(|| {
            self.add_import(module, None);
            module.to_owned()
        })
    }

    /// The name by which code may call what a module holds; imports it where the file does not.
    pub fn imported(&mut self, module: &str, name: &str) -> String {
        let known = self.top_imports().into_iter().find_map(|(_, import)| {
            let from: Vec<&str> = import.module.iter().map(|part| self.facts.name(*part)).collect();
            let same = import.up == 0 && from == [module] && import.name.is_some_and(|known| self.facts.name(known) == name);
            same.then(|| import.bound.map(|bound| self.facts.name(bound).to_owned())).flatten()
        });
        if let Some(known) = known {
            return known;
        }
        let whole = self.top_imports().into_iter().find_map(|(_, import)| {
            let from: Vec<&str> = import.module.iter().map(|part| self.facts.name(*part)).collect();
            (import.up == 0 && from == [module] && import.name.is_none())
                .then(|| import.bound.map(|bound| format!("{}.{name}", self.facts.name(bound))))
                .flatten()
        });
        whole.unwrap_or_else(|| {
            self.add_import(module, Some(name));
            name.to_owned()
        })
    }

    /// How code may call a function of a module: by its own name where that is imported, else through the module.
    pub fn reach(&mut self, module: &str, name: &str) -> String {
        let known = self.top_imports().into_iter().any(|(_, import)| {
            let from: Vec<&str> = import.module.iter().map(|part| self.facts.name(*part)).collect();
            import.up == 0 && from == [module] && import.name.is_some_and(|known| self.facts.name(known) == name)
        });
        if known { self.imported(module, name) } else { format!("{}.{name}", self.module(module)) }
    }

    /// A Rust path as short as the file's own `use` lines let it be.
    pub fn rust_name(&self, path: &[&str]) -> String {
        let used = self.facts.imports.iter().find(|import| {
            let whole: Vec<&str> = import.module.iter().chain(&import.name).map(|part| self.facts.name(*part)).collect();
            import.up == 0 && whole == path
        });
        used.and_then(|import| import.bound).map_or_else(|| path.join("::"), |bound| self.facts.name(bound).to_owned())
    }

    /// Imports that run whenever the file is loaded, with the spans of their statements.
    pub fn top_imports(&self) -> Vec<(Span, &'a Import)> {
        let facts = self.facts;
        let top = facts.units.first().map(|unit| unit.body.as_slice()).unwrap_or_default();
        let ops = top.iter().filter_map(|step| match step {
            Step::Op(op) => facts.ops.get(op.0 as usize),
            _ => None,
        });
        ops.filter_map(|op| match op.what {
            What::Import(import) => Some((op.span, facts.imports.get(import as usize)?)),
            _ => None,
        })
        .collect()
    }

    fn add_import(&mut self, module: &str, name: Option<&str>) {
        let line = match name {
            None => format!("import {module}"),
            Some(name) => format!("from {module} import {name}"),
        };
        if self.edits.iter().any(|edit| edit.text.lines().any(|known| known == line)) {
            return;
        }
        let (at, text) = self.place_of(module, name.is_some(), &line);
        match self.edits.iter_mut().find(|edit| edit.span == Span { start: at, end: at }) {
            // Two imports at one place: sorted as one text.
            Some(edit) if edit.text.starts_with("import ") || edit.text.starts_with("from ") => {
                let newline = if edit.text.ends_with("\r\n") { "\r\n" } else { "\n" };
                let mut lines: Vec<&str> = edit.text.lines().filter(|line| !line.is_empty()).chain([line.as_str()]).collect();
                lines.sort_by_key(|line| (line.starts_with("from "), *line));
                let tail = &edit.text[edit.text.trim_end().len()..];
                edit.text = lines.join(newline) + tail;
            }
            _ => self.insert(at, text),
        }
    }

    /// Where an import goes, and its text with line ends.
    fn place_of(&self, module: &str, from: bool, line: &str) -> (u32, String) {
        let newline = self.newline();
        let head = |import: &Import| import.module.first().map_or("", |part| self.facts.name(*part));
        let mut seen: Vec<(Span, &Import)> = self.top_imports();
        seen.dedup_by_key(|(span, _)| *span);
        let future = seen.iter().rev().find(|(_, import)| head(import) == "__future__").map(|(span, _)| *span);
        seen.retain(|(_, import)| head(import) != "__future__");
        // Groups are what blank lines and other statements part.
        let mut groups: Vec<Vec<(Span, &Import)>> = Vec::new();
        for one in seen {
            let joined = groups
                .last()
                .and_then(|group| group.last())
                .is_some_and(|(last, _)| self.source.line(one.0.start) == self.source.line(last.end) + 1);
            match groups.last_mut() {
                Some(group) if joined => group.push(one),
                _ => groups.push(vec![one]),
            }
        }
        let standard = |(_, import): &&(Span, &Import)| import.up == 0 && STANDARD.contains(&head(import));
        if let Some(group) = groups.iter().find(|group| group.iter().any(|one| standard(&one))) {
            let key = |import: &Import| {
                let whole: Vec<&str> = import.module.iter().map(|part| self.facts.name(*part)).collect();
                (import.name.is_some() || import.star, whole.join("."))
            };
            let mine = (from, module.to_owned());
            let next = group.iter().filter(standard).find(|(_, import)| key(import) > mine);
            if let Some((span, _)) = next {
                return (self.lines(*span).start, format!("{line}{newline}"));
            }
            if let Some((span, _)) = group.iter().rfind(standard) {
                return self.below(*span, format!("{line}{newline}"));
            }
        }
        if let Some((span, _)) = groups.first().and_then(|group| group.first()) {
            return (self.lines(*span).start, format!("{line}{newline}{newline}"));
        }
        let docstring = self.facts.statements.first().filter(|one| self.is_text(one));
        if let Some(span) = future.or(docstring.map(|one| one.span)) {
            let at = self.whole_lines(span);
            let text = self.source.text.get(at.end as usize..).unwrap_or("");
            // One blank line before, and as many after as there were.
            let (at, text) = if text.starts_with(newline) {
                (at.end, format!("{newline}{line}{newline}"))
            } else {
                (at.end, format!("{newline}{line}{newline}{newline}"))
            };
            return (at, text);
        }
        match self.facts.statements.first() {
            Some(first) => {
                let definition = ["def ", "class ", "async ", "@"].iter().any(|word| self.text(first.span).starts_with(word));
                let blank = if definition { newline.repeat(2) } else { newline.to_owned() };
                (self.lines(first.span).start, format!("{line}{newline}{blank}"))
            }
            None => (0, format!("{line}{newline}")),
        }
    }

    fn below(&self, span: Span, text: String) -> (u32, String) {
        let whole = self.whole_lines(span);
        if self.lines(span).end == whole.end {
            return (whole.end, format!("{}{}", self.newline(), text.trim_end_matches(['\r', '\n'])));
        }
        (whole.end, text)
    }

    /// A statement that is nothing but a text.
    fn is_text(&self, statement: &Statement) -> bool {
        let text = self.text(statement.span).trim_start_matches(['r', 'R', 'u', 'U', 'b', 'B']);
        (text.starts_with('"') && text.ends_with('"') || text.starts_with('\'') && text.ends_with('\''))
            && statement.blocks.is_empty()
    }
}
