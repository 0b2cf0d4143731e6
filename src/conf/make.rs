//! Makefiles and justfiles to recipes.
//!
//! GNU make manual, "Rules" and "How to Use Variables"; the just manual. Every branch of a conditional is read, includes are not
//! followed. A variable that is not set in the file stays as written.

use super::recipes::{Recipe, Tool};
use super::script::Script;
use super::tree::{self, Tree};
use crate::text::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Longest recipe line after variables were filled in, in bytes.
const LONGEST: usize = 1 << 14;
/// Variables filled in per file: real Makefiles stay below a few thousand, and variables that hold variables double with each step.
const STEPS: u32 = 100_000;

/// The recipes of all Makefiles and justfiles, in the order of the files.
pub fn read(tree: &Tree) -> Vec<Recipe> {
    let mut all = Vec::new();
    for (path, file) in tree.files() {
        let (home, text) = (tree::folder(path), tree.text(file));
        match tree::name(path) {
            "Makefile" | "makefile" | "GNUmakefile" => makefile(file, text, home, &mut all),
            name if name.ends_with(".mk") => makefile(file, text, home, &mut all),
            "justfile" | "Justfile" | ".justfile" => justfile(file, text, home, &mut all),
            name if name.ends_with(".just") => justfile(file, text, home, &mut all),
            _ => {}
        }
    }
    all
}

/// Lines with the byte at which each starts; those that end in a backslash are joined with the next.
fn logical_lines(text: &str) -> Vec<(usize, &str)> {
    let mut all = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') {
            all.push((start, &text[start..at]));
            start = at;
        }
    }
    if start < text.len() {
        all.push((start, &text[start..]));
    }
    all
}

fn makefile(file: FileId, text: &str, home: &str, all: &mut Vec<Recipe>) {
    let first = all.len();
    let mut variables: BTreeMap<String, Script> = BTreeMap::new();
    let mut exported: Vec<String> = Vec::new();
    // Set with `?=`: the caller may say otherwise.
    let mut soft: BTreeSet<String> = BTreeSet::new();
    // The recipes that a following line with a tab belongs to.
    let mut open: Vec<usize> = Vec::new();
    // One target can have several rules; they add up.
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut define = false;
    for (start, line) in logical_lines(text) {
        let content = line.trim_end();
        let body = content.trim_start();
        let indent = content.len() - body.len();
        if define {
            define = body != "endef";
            continue;
        }
        if line.starts_with('\t') {
            if !body.is_empty() {
                let script = Script::verbatim(file, start + indent, body);
                for n in &open {
                    all[*n].scripts.push(script.clone());
                }
            }
            continue;
        }
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        let word = body.split_whitespace().next().unwrap_or("");
        match word {
            "define" => {
                define = true;
                continue;
            }
            "ifeq" | "ifneq" | "ifdef" | "ifndef" | "else" | "endif" | "include" | "-include" | "sinclude" | "vpath"
            | "unexport" => continue,
            _ => {}
        }
        let mut from = start + indent;
        let mut rest = body;
        let mut export = false;
        while let Some(keyword) = ["export ", "override ", "private "].iter().find(|keyword| rest.starts_with(**keyword)) {
            export |= *keyword == "export ";
            let next = rest[keyword.len()..].trim_start();
            from += rest.len() - next.len();
            rest = next;
        }
        if let Some((name, value)) = assignment(file, from, rest) {
            if export {
                exported.push(name.clone());
            }
            if rest[name.len()..].trim_start().starts_with("?=") {
                soft.insert(name.clone());
            }
            variables.insert(name, value);
            continue;
        }
        if export {
            exported.extend(rest.split_whitespace().map(str::to_owned));
            continue;
        }
        let Some(colon) = rest.find(':') else { continue };
        let names = &rest[..colon];
        let skip = colon + 1 + usize::from(rest[colon + 1..].starts_with(':'));
        let after = &rest[skip..];
        if let Some((name, value)) = assignment(file, from + skip + (after.len() - after.trim_start().len()), after.trim_start())
        {
            // A variable of one target; good enough for all where nothing else sets it.
            variables.entry(name).or_insert(value);
            continue;
        }
        let (needs, inline) = after.split_once(';').map_or((after, None), |(needs, inline)| (needs, Some(inline)));
        let needs: Vec<String> = needs
            .split(['|', ' ', '\t', '\\', '\n', '\r'])
            .filter(|need| !need.is_empty() && !need.starts_with('#'))
            .map(str::to_owned)
            .collect();
        open.clear();
        let mut name_at = 0;
        for name in names.split_whitespace().take(64) {
            name_at += names[name_at..].find(name).unwrap_or(0);
            let place = (file, Span::new(from + name_at, from + name_at + name.len()));
            name_at += name.len();
            if name.starts_with('.') {
                continue;
            }
            let n = *by_name.entry(name).or_insert_with(|| {
                all.push(Recipe::new(Tool::Make, name, place, home));
                all.len() - 1
            });
            if open.contains(&n) {
                continue;
            }
            open.push(n);
            all[n].needs.extend(needs.iter().cloned());
            if let Some(inline) = inline {
                let lead = inline.len() - inline.trim_start().len();
                all[n].scripts.push(Script::verbatim(file, from + rest.len() - inline.len() + lead, inline.trim()));
            }
        }
    }
    // make hands it on without being told.
    if variables.contains_key("MAKEFLAGS") {
        exported.push("MAKEFLAGS".to_owned());
    }
    let mut expand = Expand { variables: &variables, soft: &soft, steps: STEPS };
    let env: Vec<(String, Option<Script>)> =
        exported.into_iter().map(|name| (name.clone(), variables.get(&name).map(|value| expand.script(value)))).collect();
    for recipe in &mut all[first..] {
        recipe.scripts = recipe.scripts.iter().map(|script| without_marks(&expand.script(script))).collect();
        recipe.env = env.clone();
    }
}

/// `NAME = value` with make's operators; `rest` starts at byte `from` of the file.
fn assignment(file: FileId, from: usize, rest: &str) -> Option<(String, Script)> {
    let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))).filter(|n| *n > 0)?;
    let after = rest[name_end..].trim_start();
    let operator = ["=", ":=", "::=", ":::=", "?=", "+=", "!="].into_iter().find(|operator| after.starts_with(operator))?;
    let value = &after[operator.len()..];
    let lead = value.len() - value.trim_start().len();
    let start = from + (rest.len() - value.len()) + lead;
    let value = value.trim();
    // A comment ends a value.
    let value = value.find(" #").map_or(value, |n| value[..n].trim_end());
    Some((rest[..name_end].to_owned(), Script::verbatim(file, start, value)))
}

/// Fills in `$(NAME)`, `${NAME}` and `$$`. What is not set here, and functions, stay as written; what the caller may override
/// becomes the shell's `${NAME:-value}`.
struct Expand<'a> {
    variables: &'a BTreeMap<String, Script>,
    soft: &'a BTreeSet<String>,
    steps: u32,
}

impl Expand<'_> {
    fn script(&mut self, script: &Script) -> Script {
        let mut out = Script::default();
        self.into(script, 0, &mut out);
        out
    }

    fn into(&mut self, script: &Script, depth: u32, out: &mut Script) {
        let text = &script.text;
        let mut at = 0;
        while let Some(dollar) = text[at..].find('$').map(|n| n + at) {
            out.append(script, at..dollar);
            let Some((name, width)) = reference(&text[dollar + 1..]) else {
                out.append(script, dollar..dollar + 1);
                // Behind `$$` stands the shell's variable: not make's.
                at = dollar + 1 + usize::from(text[dollar + 1..].starts_with('$'));
                continue;
            };
            let end = dollar + 1 + width;
            match self.variables.get(name) {
                Some(value) if depth < 8 && out.text.len() < LONGEST && self.steps > 0 => {
                    self.steps -= 1;
                    if depth == 0 && self.soft.contains(name) {
                        self.soft(script, dollar..end, name, value, out);
                    } else {
                        self.into(value, depth + 1, out);
                    }
                }
                _ if name == "MAKE" => {
                    if let Some((file, span)) = script.place(dollar..end) {
                        out.push_as(file, span.start as usize..span.end as usize, "make");
                    }
                }
                _ => out.append(script, dollar..end),
            }
            at = end;
        }
        out.append(script, at..text.len());
    }

    fn soft(&mut self, script: &Script, range: std::ops::Range<usize>, name: &str, value: &Script, out: &mut Script) {
        let mut filled = Script::default();
        self.into(value, 1, &mut filled);
        let Some((file, span)) = script.place(range).filter(|_| !filled.text.contains(['$', '}', '\n'])) else {
            out.append(&filled, 0..filled.text.len());
            return;
        };
        let (start, end) = (span.start as usize, span.end as usize);
        out.push_as(file, start..start, "${");
        out.push_as(file, start..end, name);
        out.push_as(file, start..start, ":-");
        out.append(&filled, 0..filled.text.len());
        out.push_as(file, end..end, "}");
    }
}

/// The name of a variable behind a dollar, and the bytes of the reference.
fn reference(rest: &str) -> Option<(&str, usize)> {
    let (name, width) = match rest.chars().next()? {
        '$' => return None,
        open @ ('(' | '{') => {
            let close = if open == '(' { ')' } else { '}' };
            let name = rest[1..].split([close, '\n', ' ', '$']).next().unwrap_or("");
            if !rest[1 + name.len()..].starts_with(close) {
                return None;
            }
            (name, name.len() + 2)
        }
        c => (&rest[..c.len_utf8()], c.len_utf8()),
    };
    // `$(NAME:.c=.o)`
    Some((name.split(':').next().unwrap_or(name), width))
}

/// Takes make's `@`, `-` and `+` off the start of a recipe line.
fn without_marks(script: &Script) -> Script {
    let start = script.text.len() - script.text.trim_start_matches(['@', '-', '+', ' ', '\t']).len();
    script.slice(start..script.text.len())
}

fn justfile(file: FileId, text: &str, home: &str, all: &mut Vec<Recipe>) {
    let first = all.len();
    let mut variables: BTreeMap<String, Script> = BTreeMap::new();
    let mut env: Vec<(String, Option<Script>)> = Vec::new();
    let mut locals: Vec<BTreeMap<String, Script>> = Vec::new();
    let mut in_recipe = false;
    let mut whole = false;
    for (start, line) in logical_lines(text) {
        let content = line.trim_end();
        let body = content.trim_start();
        let indent = content.len() - body.len();
        if line.starts_with([' ', '\t']) {
            let Some(recipe) = all.last_mut().filter(|_| in_recipe && !body.is_empty()) else { continue };
            // A recipe that starts with `#!` is one script of its own.
            whole |= recipe.scripts.is_empty() && body.starts_with("#!");
            match recipe.scripts.last_mut() {
                Some(last) if whole => {
                    last.push_as(file, start..start, "\n");
                    last.push(file, start + indent, body);
                }
                _ => recipe.scripts.push(Script::verbatim(file, start + indent, body)),
            }
            continue;
        }
        if body.is_empty() || body.starts_with(['#', '[']) {
            continue;
        }
        (in_recipe, whole) = (false, false);
        let export = body.starts_with("export ");
        let rest = if export { body["export ".len()..].trim_start() } else { body };
        let from = start + content.len() - rest.len();
        if let Some((name, value)) = rest.split_once(":=") {
            let lead = value.len() - value.trim_start().len();
            let at = from + rest.len() - value.len() + lead;
            let value = literal(file, at, value.trim());
            let name = name.trim();
            if let Some(target) = name.strip_prefix("alias ") {
                if let Some(recipe) = value_word(rest) {
                    let mut alias = Recipe::new(Tool::Just, target.trim(), (file, Span::new(start, start + content.len())), home);
                    alias.needs.push(recipe.to_owned());
                    all.push(alias);
                    locals.push(BTreeMap::new());
                }
                continue;
            }
            if export {
                env.push((name.to_owned(), value.clone()));
            }
            if let Some(value) = value {
                variables.insert(name.to_owned(), value);
            }
            continue;
        }
        let Some((head, needs)) = header(rest) else { continue };
        let name = head.split_whitespace().next().unwrap_or("").trim_start_matches('@');
        if name.is_empty() {
            continue;
        }
        let name_at = from + rest.find(name).unwrap_or(0);
        let mut recipe = Recipe::new(Tool::Just, name, (file, Span::new(name_at, name_at + name.len())), home);
        recipe.needs = needs
            .split(['(', ')', ' ', '&', '\t'])
            .filter(|need| !need.is_empty() && !need.starts_with(['"', '\'']))
            .map(str::to_owned)
            .collect();
        all.push(recipe);
        // Parameters with a default: `n="4"`.
        let mut local = BTreeMap::new();
        let mut param_at = from;
        for param in head.split_whitespace().skip(1).take(64) {
            param_at += rest.get(param_at - from..).and_then(|rest| rest.find(param)).unwrap_or(0);
            if let Some((name, value)) = param.split_once('=')
                && let Some(value) = literal(file, param_at + name.len() + 1, value)
            {
                local.insert(name.trim_start_matches(['+', '*', '$']).to_owned(), value);
            }
        }
        locals.push(local);
        in_recipe = true;
    }
    for (recipe, local) in all[first..].iter_mut().zip(&locals) {
        recipe.env = env.clone();
        recipe.scripts = recipe.scripts.iter().map(|script| interpolate(&without_marks(script), local, &variables)).collect();
    }
}

/// What stands before the colon of a recipe's header, and behind it.
fn header(line: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (n, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ':') => return Some((&line[..n], &line[n + 1..])),
            _ => {}
        }
    }
    None
}

/// The target of `alias a := b`.
fn value_word(line: &str) -> Option<&str> {
    line.split_once(":=")?.1.split_whitespace().next()
}

/// A quoted text without its quotes.
fn literal(file: FileId, start: usize, value: &str) -> Option<Script> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &value[1..];
    let end = inner.find(quote)?;
    Some(Script::verbatim(file, start + 1, &inner[..end]))
}

/// Fills in `{{name}}`; what is not known stays.
fn interpolate(script: &Script, local: &BTreeMap<String, Script>, global: &BTreeMap<String, Script>) -> Script {
    let text = &script.text;
    let mut out = Script::default();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|n| n + at) {
        let Some(close) = text[open..].find("}}").map(|n| n + open) else { break };
        let name = text[open + 2..close].trim();
        match local.get(name).or_else(|| global.get(name)) {
            Some(value) if out.text.len() < LONGEST => {
                out.append(script, at..open);
                out.append(value, 0..value.text.len());
            }
            _ => out.append(script, at..close + 2),
        }
        at = close + 2;
    }
    out.append(script, at..text.len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    fn read_one(path: &str, text: &str) -> Vec<Recipe> {
        let sources = [Source::of(path, Kind::Config, text)];
        read(&Tree::new(&sources))
    }

    fn lines(recipe: &Recipe) -> Vec<&str> {
        recipe.scripts.iter().map(|script| script.text.as_str()).collect()
    }

    #[test]
    fn rules_variables_and_needs() {
        let text = "PYTEST ?= pytest $(FLAGS)\nFLAGS := -n 4 # four\nexport CI = 1\n.PHONY: test\nall: test lint\ntest unit: build | dir\n\t@$(PYTEST) \\\n\t  $(EXTRA) $$HOME $@\n\t-$(MAKE) other\nlint: ; ruff\nslow: FLAGS = -n 1\nifeq (a,b)\ncov:\n\tpytest --cov\nendif\ndefine x\nno: no\nendef\n";
        let all = read_one("sub/Makefile", text);
        assert_eq!(all.iter().map(|recipe| recipe.name.as_str()).collect::<Vec<_>>(), ["all", "test", "unit", "lint", "cov"]);
        assert_eq!(all[0].needs, ["test", "lint"]);
        assert_eq!(all[1].needs, ["build", "dir"]);
        assert_eq!(lines(&all[1]), ["${PYTEST:-pytest -n 4} \\\n\t  $(EXTRA) $HOME $@", "make other"]);
        assert_eq!(lines(&all[3]), ["ruff"]);
        assert_eq!(all[1].home, "sub");
        assert_eq!(all[1].env[0].1.as_ref().unwrap().text, "1");
        let script = &all[1].scripts[0];
        let start = text.find("-n 4").unwrap();
        let at = script.text.find("-n 4").unwrap();
        assert_eq!(script.place(at..at + 4), Some((FileId(0), Span::new(start, start + 4))));
        let start = text.find("unit").unwrap();
        assert_eq!(all[2].place.1, Span::new(start, start + 4));
        let start = text.find("ruff").unwrap();
        assert_eq!(all[3].scripts[0].whole().unwrap().1, Span::new(start, start + 4));
    }

    #[test]
    fn rules_of_one_target_add_up() {
        let all = read_one("Makefile", "test: a\ntest: b\n\tpytest\nx test:\n\tls\n");
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].needs.join(" "), lines(&all[0]).join(" ")), ("a b".to_owned(), "pytest ls".to_owned()));
    }

    #[test]
    fn just_recipes() {
        let text = "set shell := [\"bash\"]\nn := \"4\"\nexport A := 'x'\nalias t := test\n\n# runs\n[group('a')]\ntest *args=\"-q\": build (gen \"x\")\n    @pytest -n {{n}} {{ args }} {{other}}\n    cargo test\nscript:\n  #!/bin/bash\n  cd sub\n  pytest\nbuild:\n";
        let all = read_one("justfile", text);
        assert_eq!(all.iter().map(|recipe| recipe.name.as_str()).collect::<Vec<_>>(), ["t", "test", "script", "build"]);
        assert_eq!(all[0].needs, ["test"]);
        assert_eq!(all[1].needs, ["build", "gen"]);
        assert_eq!(lines(&all[1]), ["pytest -n 4 -q {{other}}", "cargo test"]);
        assert_eq!(lines(&all[2]), ["#!/bin/bash\ncd sub\npytest"]);
        assert_eq!(all[1].env[0].0, "A");
        let start = text.find("\"4\"").unwrap() + 1;
        assert_eq!(all[1].scripts[0].place(10..11), Some((FileId(0), Span::new(start, start + 1))));
        let start = text.find("pytest\nbuild").unwrap();
        let script = &all[2].scripts[0];
        let at = script.text.find("pytest").unwrap();
        assert_eq!(script.place(at..at + 6).unwrap().1, Span::new(start, start + 6));
    }

    #[test]
    fn loops_and_broken_text_end() {
        let mut bomb = "A0 = x\n".to_owned();
        for n in 1..40 {
            bomb.push_str(&format!("A{n} = $(A{0})$(A{0})$(A{0})$(A{0})\n", n - 1));
        }
        bomb.push_str("a:\n\techo $(A39)\nB = $(B)$(B)\nb:\n\t$(B)\n");
        for recipe in read_one("Makefile", &bomb) {
            assert!(recipe.scripts.iter().all(|script| script.text.len() < 1 << 20));
        }
        for text in
            ["\t", ":", "::", "a:\n\t\\", "$(", "a = $", "a: b\n\t$(", "a:\n\t$", "export", "=", "\\\n\\\n", "é: ü\n\tß$é"]
        {
            read_one("Makefile", text);
            read_one("justfile", text);
        }
        read_one("justfile", "a b='{{': \n  {{\n  }}{{x\n:=\nexport :=\nalias := \n@:\n");
    }
}
