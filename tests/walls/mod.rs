//! The walls as a table, and a scanner that reads which paths a file names.
//!
//! It reads tokens, not text: comments, documentation and strings do not count, macro bodies do. It knows paths that are spelt out
//! (`crate::x::y`, `super::super::x`, `use {a, b}` trees, `tree_sitter::Parser`); it does not resolve renames.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::str::FromStr;

/// A row of the table: a room, and the rooms that it may use. A room may always use itself.
pub struct Room {
    pub name: &'static str,
    pub uses: &'static [&'static str],
}

/// Everything below the shell: what `check` puts together.
const CORE: &[&str] = &[
    "text", "notebook", "facts", "calls", "page", "python", "rust", "conf", "link", "finding", "rules", "baseline", "settle",
    "remedy", "config", "cache", "plan",
];

/// Who may use whom. Rules never see a syntax tree, front ends never see a finding, only the shell touches the world.
pub const ROOMS: &[Room] = &[
    Room { name: "text", uses: &[] },
    Room { name: "notebook", uses: &["text"] },
    Room { name: "facts", uses: &["text"] },
    Room { name: "calls", uses: &[] },
    Room { name: "finding", uses: &["text", "facts"] },
    Room { name: "baseline", uses: &["text", "finding"] },
    Room { name: "page", uses: &["finding", "rules"] },
    Room { name: "python", uses: &["text", "facts"] },
    Room { name: "rust", uses: &["text", "facts"] },
    Room { name: "conf", uses: &["text", "facts"] },
    Room { name: "link", uses: &["text", "facts", "calls"] },
    Room { name: "rules", uses: &["text", "facts", "calls", "link", "finding"] },
    Room { name: "plan", uses: &["text", "facts", "calls", "link", "finding", "page"] },
    Room { name: "config", uses: &["text", "facts", "finding", "calls", "page", "baseline"] },
    Room { name: "settle", uses: &["text", "facts", "finding", "page", "baseline", "config", "check"] },
    Room { name: "remedy", uses: &["text", "notebook", "facts", "finding", "check"] },
    Room { name: "render", uses: &["text", "facts", "finding", "page", "check"] },
    Room { name: "check", uses: CORE },
    Room { name: "cache", uses: &["text", "facts"] },
    Room { name: "discover", uses: &["text", "notebook", "facts", "config", "check"] },
    Room {
        name: "lsp",
        uses: &["text", "facts", "finding", "page", "baseline", "config", "check", "discover", "remedy", "render"],
    },
    Room {
        name: "cli",
        // The front ends for `isolint facts FILE`, which shows what they record.
        uses: &[
            "text", "facts", "calls", "finding", "page", "python", "rust", "rules", "baseline", "config", "settle", "check",
            "discover", "remedy", "render", "lsp", "cache", "plan",
        ],
    },
    Room { name: "main", uses: &["cli"] },
    Room { name: "lib", uses: &[] },
];

/// Rooms that touch the world: files, the environment, processes, the network, standard streams.
const SHELL: &[&str] = &["main", "cli", "lsp", "discover", "cache"];

/// Parts of `std` that touch the world.
const WORLD: &[&str] = &["fs", "env", "process", "net"];

/// A dependency and who may use it: a room, or one file of it. Empty: everyone.
struct Owned {
    name: &'static str,
    by: &'static [&'static str],
}

const OWNED: &[Owned] = &[
    Owned { name: "tree_sitter", by: &["python"] },
    Owned { name: "tree_sitter_python", by: &["python"] },
    Owned { name: "syn", by: &["rust"] },
    Owned { name: "proc_macro2", by: &["rust"] },
    Owned { name: "granit_parser", by: &["conf"] },
    Owned { name: "toml", by: &["calls", "page", "conf", "config", "plan"] },
    Owned { name: "ariadne", by: &["src/render/terminal.rs"] },
    Owned { name: "quick_junit", by: &["src/render/junit.rs"] },
    Owned { name: "quick_xml", by: &["src/render/checkstyle.rs"] },
    Owned { name: "anstream", by: &["cli"] },
    Owned { name: "similar", by: &["cli", "lsp"] },
    Owned { name: "lsp_server", by: &["lsp"] },
    Owned { name: "gen_lsp_types", by: &["lsp"] },
    Owned { name: "crossbeam_channel", by: &["lsp"] },
    Owned { name: "terminal_size", by: &["cli"] },
    Owned { name: "clap", by: &["cli"] },
    Owned { name: "clap_complete", by: &["cli"] },
    Owned { name: "clap_mangen", by: &["cli"] },
    Owned { name: "ignore", by: &["discover"] },
    Owned { name: "encoding_rs", by: &["discover", "text"] },
    Owned { name: "rayon", by: &["check", "link", "discover"] },
    Owned { name: "serde_json", by: &["render", "config", "baseline", "cache", "lsp", "cli", "python", "notebook"] },
    Owned { name: "blake3", by: &["render", "cache", "settle", "finding"] },
    Owned { name: "globset", by: &[] },
    Owned { name: "memchr", by: &[] },
    Owned { name: "serde", by: &[] },
];

/// Names of all dependencies that the table knows, as code writes them.
pub fn crates() -> BTreeSet<&'static str> {
    OWNED.iter().map(|owned| owned.name).collect()
}

/// Every breach in `files` (path relative to the project, text), one sentence each.
pub fn breaches(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !is_tests(path)) {
        let module = module_of(path);
        let room = module.first().map_or_else(|| stem(path), String::as_str).to_owned();
        let Some(row) = ROOMS.iter().find(|row| row.name == room) else {
            found.push(format!("{path}: the room `{room}` has no row in tests/walls/mod.rs"));
            continue;
        };
        let tokens = match TokenStream::from_str(text) {
            Ok(tokens) => tokens,
            Err(error) => {
                found.push(format!("{path}: {error}"));
                continue;
            }
        };
        let mut scan = Scan { path, module, own: BTreeSet::new(), named: Vec::new() };
        scan.tokens(tokens);
        found.extend(
            scan.named.iter().filter_map(|(names, line)| breach(row, path, names).map(|why| format!("{path}:{line}: {why}"))),
        );
    }
    found
}

/// A file of unit tests (`#[cfg(test)] mod tests;`): its name says what it is, and the walls do not bind it.
pub fn is_tests(path: &str) -> bool {
    path.ends_with("/tests.rs")
}

/// `src/python/scope.rs` → `python`, `scope`; `src/lib.rs` and `src/main.rs` are the root and have none.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(inner, "lib" | "main") { Vec::new() } else { inner.split('/').map(str::to_owned).collect() }
}

fn stem(path: &str) -> &str {
    path.trim_start_matches("src/").trim_end_matches(".rs")
}

fn breach(row: &Room, path: &str, names: &[String]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let shell = SHELL.contains(&row.name);
    match names.as_slice() {
        ["crate" | "isolint", room, ..] if ROOMS.iter().any(|known| known.name == *room) => {
            let allowed = *room == row.name || row.uses.contains(room);
            (!allowed).then(|| format!("`{}` must not use `{room}`", row.name))
        }
        ["std", part, ..] if WORLD.contains(part) => {
            (!shell).then(|| format!("`{}` must not touch the world (`std::{part}`)", row.name))
        }
        ["std", "io", stream @ ("stdin" | "stdout" | "stderr"), ..] => {
            (!shell).then(|| format!("`{}` must not touch the world (`std::io::{stream}`)", row.name))
        }
        [print @ ("println!" | "print!" | "eprintln!" | "eprint!")] => {
            (!shell).then(|| format!("`{}` must not touch the world (`{print}`)", row.name))
        }
        [outside, ..] => {
            let owned = OWNED.iter().find(|owned| owned.name == *outside)?;
            let allowed = owned.by.is_empty() || owned.by.contains(&row.name) || owned.by.contains(&path);
            (!allowed).then(|| format!("`{outside}` belongs to {}, not to `{}`", owned.by.join(", "), row.name))
        }
        [] => None,
    }
}

/// The paths that one file names, with their lines.
struct Scan<'a> {
    path: &'a str,
    /// Where in the crate the tokens stand.
    module: Vec<String>,
    /// Modules that the file declares: their names hide crates of the same name.
    own: BTreeSet<String>,
    named: Vec<(Vec<String>, usize)>,
}

impl Scan<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        self.own.extend(modules_declared(&tokens));
        let mut at = 0;
        while at < tokens.len() {
            if is_cfg_test(&tokens, at) {
                at = after_item(&tokens, at);
                continue;
            }
            if let (true, Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                (ident(tokens.get(at)).as_deref() == Some("mod"), tokens.get(at + 1), tokens.get(at + 2))
            {
                self.module.push(name.to_string());
                self.tokens(body.stream());
                self.module.pop();
                at += 3;
                continue;
            }
            match &tokens[at] {
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    at += 1;
                }
                TokenTree::Ident(first) if starts_path(&tokens, at) => {
                    let line = first.span().start().line;
                    let alone = at > 0 && ident(tokens.get(at - 1)).as_deref() == Some("use");
                    let mut paths = Vec::new();
                    let end = read_path(&tokens, at, Vec::new(), &mut paths);
                    for names in paths {
                        let local = names.first().is_some_and(|name| self.own.contains(name));
                        if !local && (names.len() > 1 || alone || names.iter().any(|name| name.ends_with('!'))) {
                            let names = self.absolute(names);
                            self.named.push((names, line));
                        }
                    }
                    at = end;
                }
                _ => at += 1,
            }
        }
    }

    /// Resolves leading `self` and `super` against the module that the tokens stand in.
    fn absolute(&self, names: Vec<String>) -> Vec<String> {
        let ups = names.iter().take_while(|name| *name == "super").count();
        let selves = usize::from(names.first().is_some_and(|name| name == "self"));
        if ups + selves == 0 {
            return names;
        }
        assert!(ups <= self.module.len(), "{}: `super` leads out of the crate", self.path);
        let base = self.module[..self.module.len() - ups].iter().cloned();
        std::iter::once("crate".to_owned()).chain(base).chain(names.into_iter().skip(ups + selves)).collect()
    }
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(name)) => Some(name.to_string().trim_start_matches("r#").to_owned()),
        _ => None,
    }
}

fn punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == sign)
}

fn colons(tokens: &[TokenTree], at: usize) -> bool {
    punct(tokens.get(at), ':') && punct(tokens.get(at + 1), ':')
}

/// Keywords that may stand before a path that starts with `::`.
const KEYWORDS: [&str; 10] = ["use", "as", "in", "return", "mut", "dyn", "impl", "match", "if", "else"];

/// Not the middle of a path, and not a field or method.
fn starts_path(tokens: &[TokenTree], at: usize) -> bool {
    let field = at >= 1 && punct(tokens.get(at - 1), '.') && !(at >= 2 && punct(tokens.get(at - 2), '.'));
    let word = (at >= 3 && colons(tokens, at - 2)).then(|| ident(tokens.get(at - 3))).flatten();
    let middle = word.is_some_and(|word| !KEYWORDS.contains(&word.as_str()));
    let keyword = ident(tokens.get(at)).is_some_and(|word| KEYWORDS.contains(&word.as_str()));
    !field && !middle && !keyword
}

fn modules_declared(tokens: &[TokenTree]) -> BTreeSet<String> {
    tokens.windows(2).filter(|two| ident(two.first()).as_deref() == Some("mod")).filter_map(|two| ident(two.get(1))).collect()
}

/// Reads a path or a `use` tree from `at` on, and says where it ends.
fn read_path(tokens: &[TokenTree], mut at: usize, before: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let mut names = before;
    while let Some(name) = ident(tokens.get(at)) {
        names.push(name);
        at += 1;
        if punct(tokens.get(at), '!') && names.len() == 1 {
            names[0].push('!');
        }
        if !colons(tokens, at) {
            break;
        }
        at += 2;
        if let Some(TokenTree::Group(group)) = tokens.get(at)
            && group.delimiter() == Delimiter::Brace
        {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for part in inner.split(|token| punct(Some(token), ',')) {
                read_path(part, 0, names.clone(), paths);
            }
            return at + 1;
        }
    }
    paths.push(names);
    at
}

fn is_cfg_test(tokens: &[TokenTree], at: usize) -> bool {
    let Some(TokenTree::Group(group)) = tokens.get(at + 1) else { return false };
    punct(tokens.get(at), '#') && group.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// The first token after the item that starts (with its attributes) at `at`.
fn after_item(tokens: &[TokenTree], mut at: usize) -> usize {
    let import = tokens[at..].iter().take(8).any(|token| ident(Some(token)).as_deref() == Some("use"));
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(p) if p.as_char() == ';' => return at + 1,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !import => return at + 1,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Vec<String> {
        breaches(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn a_house_in_order_is_silent() {
        let quiet = tree(&[
            ("src/lib.rs", "//! Map.\npub mod text;\npub mod facts;"),
            ("src/main.rs", "fn main() -> std::process::ExitCode { isolint::cli::run() }"),
            (
                "src/facts/mod.rs",
                "//! See [`crate::python`].\nmod ignore;\npub use ignore::Ignore;\nuse crate::text::{FileId, Span};\nfn f() { ignore::parse() }",
            ),
            ("src/python/scope.rs", "use super::names::Name; use crate::facts::{self, Value}; use tree_sitter::Node;"),
            ("src/render/terminal.rs", "use ariadne::Label; use crate::check::Report;"),
            (
                "src/link/mod.rs",
                "fn f() { let s = \"crate::python\"; /* crate::rules::x */ } #[cfg(test)] mod tests { use crate::python::lower; }",
            ),
            ("src/python/tests.rs", "use crate::check::check;"),
            ("src/cli/mod.rs", "use clap::Parser; use std::{env, fs}; fn f() { println!(\"{}\", 1) }"),
        ]);
        assert_eq!(quiet, Vec::<String>::new());
    }

    #[test]
    fn each_kind_of_breach_is_seen() {
        let cases = [
            ("src/rules/mktemp.rs", "use crate::python::lower;", "`rules` must not use `python`"),
            (
                "src/python/mod.rs",
                "//! x\n\nuse crate::{facts::Value, finding::Finding};",
                "src/python/mod.rs:3: `python` must not use `finding`",
            ),
            ("src/python/a.rs", "use super::super::rust::lower;", "`python` must not use `rust`"),
            ("src/conf/yaml.rs", "mod inner { use super::super::super::python::lower; }", "`conf` must not use `python`"),
            ("src/text.rs", "fn f(x: super::facts::Value) {}", "`text` must not use `facts`"),
            ("src/link/mod.rs", "fn f() { let f = vec![crate::settle::settle]; }", "`link` must not use `settle`"),
            ("src/link/mod.rs", "use self::x::Y; use crate::finding;", "`link` must not use `finding`"),
            ("src/render/json.rs", "fn f() -> ariadne::Color {}", "`ariadne` belongs to src/render/terminal.rs, not to `render`"),
            ("src/link/mod.rs", "use ::syn::Expr;", "`syn` belongs to rust, not to `link`"),
            ("src/check.rs", "use clap;", "`clap` belongs to cli, not to `check`"),
            ("src/settle/mod.rs", "use std::{collections::BTreeMap, fs};", "`settle` must not touch the world (`std::fs`)"),
            ("src/config.rs", "fn f() { std::env::var(\"X\"); }", "`config` must not touch the world (`std::env`)"),
            ("src/check.rs", "fn f() { eprintln!(\"x\") }", "`check` must not touch the world (`eprintln!`)"),
            ("src/check.rs", "fn f() { std::io::stdout().flush() }", "`check` must not touch the world (`std::io::stdout`)"),
            ("src/main.rs", "fn main() { isolint::check::check() }", "`main` must not use `check`"),
            ("src/attic.rs", "", "the room `attic` has no row"),
            ("src/attic/mod.rs", "", "the room `attic` has no row"),
            (
                "src/link/mod.rs",
                "#[cfg(test)] use crate::check::{check};\nuse crate::rust::lower;",
                "src/link/mod.rs:2: `link` must not use `rust`",
            ),
        ];
        for (path, text, want) in cases {
            let found = tree(&[(path, text)]);
            assert!(found.len() == 1 && found[0].contains(want), "{path}: {text}\n  wanted: {want}\n  found: {found:#?}");
        }
    }

    #[test]
    fn the_table_has_no_circle_between_the_front_ends_and_what_comes_after() {
        for front in ["python", "rust", "conf"] {
            let row = ROOMS.iter().find(|row| row.name == front).unwrap();
            assert_eq!(row.uses, ["text", "facts"], "front ends know text and facts");
        }
        for row in ROOMS.iter().flat_map(|row| row.uses) {
            assert!(ROOMS.iter().any(|known| known.name == *row), "`{row}` is allowed and is no room");
        }
    }
}
