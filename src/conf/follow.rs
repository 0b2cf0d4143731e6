//! Recipes called by name: make, just, tox, hatch and the task runners.

use super::env::Env;
use super::launch::{behind_options, go};
use super::recipes::{POSARGS, Tool, push_word};
use super::runs::{At, DEEPEST, Reader, Said};
use super::script::Script;
use super::shell::Word;
use super::tree;
use crate::facts::run::{below, fnmatch};
use std::rc::Rc;

impl Reader<'_> {
    /// The recipe of that name which is nearest above a folder.
    pub(super) fn find(&self, tool: Tool, name: &str, dir: &str) -> Option<usize> {
        let recipes = self.project.recipes;
        self.by_name
            .get(&(tool, name))?
            .iter()
            .copied()
            .filter(|n| below(dir, &recipes[*n].home).is_some())
            .max_by_key(|n| (recipes[*n].home.len(), std::cmp::Reverse(*n)))
    }

    pub(super) fn recipe(&mut self, n: usize, args: &[Word], at: &At) {
        let Some(recipe) = self.project.recipes.get(n) else { return };
        if self.stack.contains(&n) || self.stack.len() as u32 > DEEPEST || self.budget == 0 {
            return;
        }
        self.budget -= 1;
        self.stack.push(n);
        let mut env = match &recipe.pass {
            Some(pass) => at.env.filtered(|name| pass.iter().any(|pattern| fnmatch(pattern, name))),
            None => Env::inside(&at.env),
        };
        for (name, value) in &recipe.env {
            env.set(name, value.clone());
        }
        if !args.is_empty() {
            let mut line = Script::default();
            for word in args {
                push_word(&mut line, Some(word.text.clone()));
            }
            env.set(POSARGS, Some(line));
        } else if at.env.get(POSARGS).is_some() {
            env.set(POSARGS, Some(Script::default()));
        }
        let here = At { env: Rc::new(env), dir: recipe.dir.clone(), depth: at.depth + 1, ..at.clone() };
        for need in &recipe.needs {
            // Looking a name up costs too: a thousand names in a thousand recipes are a trap.
            self.budget = self.budget.saturating_sub(1);
            if self.budget == 0 {
                break;
            }
            if let Some(next) = self.find(recipe.tool, need, &recipe.home) {
                self.recipe(next, &[], &here);
            }
        }
        for script in &recipe.scripts {
            self.script(script, &here);
        }
        self.stack.pop();
    }

    /// Tools that run recipes by name.
    pub(super) fn recipes(&mut self, name: &str, words: &[Word], at: &At) {
        // Looking through all recipes is dear where there are thousands.
        self.budget = self.budget.saturating_sub(self.project.recipes.len() as u32 / 50);
        if name == "tox" {
            return self.tox(words, at);
        }
        let tools: &[Tool] = match name {
            "make" | "gmake" => &[Tool::Make],
            "just" => &[Tool::Just],
            "poe" => &[Tool::Poe],
            _ => &[Tool::Taskfile, Tool::Taskipy],
        };
        let mut at = at.clone();
        let mut env = Env::inside(&at.env);
        let mut called: Vec<(usize, usize)> = Vec::new();
        let mut named = false;
        let mut n = 0;
        while let Some(word) = words.get(n) {
            let text = word.str();
            n += 1;
            match text {
                "-C" | "--directory" | "-d" | "--dir" | "--working-directory" => {
                    if let Some(dir) = words.get(n) {
                        at.dir = go(&at.dir, dir);
                    }
                    n += 1;
                }
                "-f" | "--file" | "--makefile" | "--justfile" | "-t" | "--taskfile" => {
                    if let Some(dir) = words.get(n).and_then(|file| tree::join(&at.dir, file.str())) {
                        at.dir = tree::folder(&dir).to_owned();
                    }
                    n += 1;
                }
                "-n" | "--dry-run" | "--list" | "-l" | "--summary" => return,
                "--" => {}
                _ if text.starts_with("-C") && text.len() > 2 => at.dir = go(&at.dir, &word.tail(2)),
                _ if text.starts_with('-') => {}
                _ => match text.split_once('=') {
                    Some((key, _)) => {
                        let value = word.tail(key.len() + 1);
                        env.set(key, value.expansions.is_empty().then_some(value.text));
                    }
                    None => {
                        named = true;
                        let found = tools.iter().find_map(|tool| self.find(*tool, text, &at.dir));
                        // Only make takes several; for the others the rest are arguments.
                        called.extend(found.map(|recipe| (recipe, n)));
                        if tools != [Tool::Make] && found.is_some() {
                            break;
                        }
                    }
                },
            }
        }
        at.env = Rc::new(env);
        if !named && matches!(tools, [Tool::Make | Tool::Just]) {
            // The first of the file is the default.
            let first = self.project.recipes.iter().position(|recipe| recipe.tool == tools[0] && recipe.home == at.dir);
            called.extend(first.map(|recipe| (recipe, words.len())));
        }
        for (recipe, behind) in called {
            let args = if tools == [Tool::Make] || tools == [Tool::Just] { &[] } else { words.get(behind..).unwrap_or(&[]) };
            self.recipe(recipe, args, &at);
        }
    }

    /// tox documentation, "CLI interface".
    fn tox(&mut self, words: &[Word], at: &At) {
        let split = words.iter().position(|word| word.str() == "--").unwrap_or(words.len());
        let (own, args) = (&words[..split], words.get(split + 1..).unwrap_or(&[]));
        let mut wanted: Vec<String> = at.env.value("TOXENV").map(|value| vec![value.text.clone()]).unwrap_or_default();
        let mut dir = at.dir.clone();
        let mut n = 0;
        while let Some(word) = own.get(n) {
            n += 1;
            let text = word.str();
            let value = match text {
                "-e" | "--env" | "-c" | "--conf" | "--root" => {
                    n += 1;
                    own.get(n - 1).cloned()
                }
                _ if text.starts_with("-e") => Some(word.tail(if text.starts_with("-e=") { 3 } else { 2 })),
                _ => None,
            };
            match (text, value) {
                ("-l" | "--listenvs" | "list" | "l" | "config" | "--notest" | "--showconfig" | "--version", _) => return,
                ("-c" | "--conf", Some(value)) => {
                    if let Some(path) = tree::join(&at.dir, value.str()) {
                        let folder = self.project.tree.file(&path).is_some();
                        dir = if folder { tree::folder(&path).to_owned() } else { path };
                    }
                }
                ("--root", Some(value)) => dir = go(&at.dir, &value),
                (_, Some(value)) if !value.expansions.is_empty() => wanted.clear(),
                (_, Some(value)) => wanted = value.str().split(',').map(|name| name.trim().to_owned()).collect(),
                _ => {}
            }
        }
        let recipes = self.project.recipes;
        let home = recipes
            .iter()
            .filter(|recipe| recipe.tool == Tool::Tox && below(&dir, &recipe.home).is_some())
            .map(|recipe| recipe.home.as_str())
            .max_by_key(|home| home.len());
        let Some(home) = home else { return };
        let all: Vec<usize> = (0..recipes.len()).filter(|n| recipes[*n].tool == Tool::Tox && recipes[*n].home == home).collect();
        let mut called: Vec<usize> = Vec::new();
        for name in wanted.iter().flat_map(|name| generated(name)).filter(|name| name != "ALL") {
            let exact = all.iter().find(|n| generated(&recipes[**n].name).contains(&name));
            called.extend(exact.or_else(|| all.iter().find(|n| recipes[**n].name.is_empty())));
        }
        if called.is_empty() {
            called = all;
        }
        called.sort_unstable();
        called.dedup();
        for n in called {
            self.recipe(n, args, &At { dir: dir.clone(), ..at.clone() });
        }
    }

    /// hatch documentation, "Environments" and "Testing": `hatch run [ENV:]SCRIPT`, `hatch test`.
    pub(super) fn hatch(&mut self, words: &[Word], said: &Said, at: &At) -> Option<Vec<Word>> {
        let mut rest = behind_options(words, &["-e", "--env", "-p", "--project", "--config"], 0);
        while rest.first().is_some_and(|word| word.str() == "env") {
            rest.remove(0);
        }
        match rest.first()?.str() {
            "run" => {
                let mut rest =
                    behind_options(&rest[1..], &["-e", "--env", "-i", "-x", "--include", "--exclude", "-f", "--filter"], 0);
                let first = rest.first()?.clone();
                let name = first.str().rsplit(':').next().unwrap_or("");
                if let Some(n) = self.find(Tool::Hatch, name, &at.dir) {
                    self.recipe(n, &rest[1..], at);
                    return None;
                }
                rest[0] = first.tail(first.str().len() - name.len());
                Some(rest)
            }
            "test" => {
                // `--parallel` is `-n logical` (hatch documentation, "Test configuration").
                let mut args: Vec<Word> = Vec::new();
                for word in &rest[1..] {
                    if matches!(word.str(), "-p" | "--parallel") {
                        let mut text = Script::default();
                        if let Some((file, span)) = word.place {
                            text.push_as(file, span.start as usize..span.end as usize, "-nlogical");
                        }
                        args.push(Word { text, ..word.clone() });
                    } else if !matches!(
                        word.str(),
                        "-c" | "--cover" | "-r" | "--randomize" | "-a" | "--all" | "-py" | "--python" | "--"
                    ) {
                        args.push(word.clone());
                    }
                }
                self.pytest(&args, said, at);
                None
            }
            _ => None,
        }
    }
}

/// tox's names: `py{38,39}-{a,b}` are four, `a,b` are two. At most sixty-four.
fn generated(name: &str) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if done.len() + open.len() > 64 {
            break;
        }
        let Some((head, rest)) = name.split_once('{') else {
            done.extend(name.split(',').map(|part| part.trim().to_owned()));
            continue;
        };
        let Some((inner, tail)) = rest.split_once('}') else {
            done.push(name);
            continue;
        };
        for option in inner.split(',').take(64) {
            open.push(format!("{head}{}{tail}", option.trim()));
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_environments() {
        assert_eq!(generated("lint"), ["lint"]);
        let mut names = generated("py{38,39}-{a,b}");
        names.sort();
        assert_eq!(names, ["py38-a", "py38-b", "py39-a", "py39-b"]);
        assert_eq!(generated("a, b"), ["a", "b"]);
        assert_eq!(generated("a{"), ["a{"]);
        assert!(generated(&"{a,b}".repeat(60)).len() <= 64);
    }
}
