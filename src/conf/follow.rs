//! Recipes called by name: make, just, tox, hatch and the task runners.

use super::count::Counted;
use super::env::Env;
use super::launch::{behind_options, go};
use super::recipes::{POSARGS, Recipe, Tool, push_word};
use super::runs::{At, DEEPEST, Reader, Said, one_line};
use super::script::Script;
use super::shell::{Expansion, Word};
use super::tox::{self, generated};
use super::tree;
use crate::facts::run::{below, fnmatch};
use crate::facts::trace::{Beside, Bound, Count, Cpu, Link, Part};
use std::collections::BTreeSet;
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
        if let Some(recipe) = self.project.recipes.get(n) {
            self.recipe_as(n, recipe, args, at);
        }
    }

    /// A recipe in the form that one call gives it.
    fn recipe_as(&mut self, n: usize, recipe: &Recipe, args: &[Word], at: &At) {
        if self.stack.contains(&n) || self.stack.len() as u32 > DEEPEST || self.budget == 0 {
            return;
        }
        self.budget -= 1;
        self.stack.push(n);
        self.follow(recipe, args, at);
        self.stack.pop();
    }

    /// The commands of a recipe, with the variables that come through.
    pub(super) fn follow(&mut self, recipe: &Recipe, args: &[Word], at: &At) {
        if at.depth > DEEPEST {
            return;
        }
        let link = Link { what: Part::Recipe, text: recipe_name(recipe), place: recipe.place };
        let mut here = at.inside(Some(link));
        here.pipefail = recipe.pipefail;
        here.dir = recipe.dir.clone();
        // What stands in braces is filled in before the filter.
        let mut words = recipe.pass.as_ref().map(|_| Env::inside(&at.env));
        if let Some(pass) = &recipe.pass {
            let mut kept = at.env.filtered(|name| pass.iter().any(|pattern| passes(pattern, name)));
            // What is set anew is not lost.
            recipe.env.iter().for_each(|(name, _)| kept.set(name, None));
            let by = match recipe.tool {
                Tool::Compose => "docker compose",
                Tool::Cibuildwheel => "cibuildwheel",
                _ => "tox",
            };
            here.losing(kept, by, Some(recipe.place), pass.clone());
        }
        let mut env = Env::inside(&here.env);
        // tox looks a variable up where it is asked for, and finds those that stand further down.
        let rounds = if recipe.tool == Tool::Tox { 2 } else { 1 };
        for (round, (name, value)) in (0..rounds).flat_map(|round| recipe.env.iter().map(move |pair| (round, pair))) {
            if round > 0 && value.as_ref().is_none_or(|value| value.text.contains(name.as_str()) || !value.text.contains('$')) {
                continue;
            }
            let value = value.as_ref().map(|value| match &words {
                Some(words) => words.fill_one(&super::shell::quoted_words(value)),
                None => super::shell::quoted_words(value),
            });
            let known = value.filter(|word| word.expansions.is_empty()).map(|word| word.text);
            if let Some(words) = &mut words {
                words.set(name, known.clone());
            }
            env.set(name, known);
        }
        let added = if !args.is_empty() {
            let mut line = Script::default();
            for word in args {
                push_word(&mut line, Some(word.text.clone()));
            }
            Some(line)
        } else {
            at.env.get(POSARGS).map(|_| Script::default())
        };
        if let Some(line) = added {
            if let Some(words) = &mut words {
                words.set(POSARGS, Some(line.clone()));
            }
            env.set(POSARGS, Some(line));
        }
        here.env = Rc::new(env);
        here.words = words.map(Rc::new);
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
        for call in &recipe.calls {
            let mut here = here.clone();
            let mut env = Env::inside(&here.env);
            for (name, value) in &call.env {
                env.set(name, value.clone());
            }
            here.env = Rc::new(env);
            let words = here.env.fill(&call.words);
            let (file, span) = call.place;
            let text = one_line(self.project.tree.text(file).get(span.start as usize..span.end as usize).unwrap_or(""));
            let said = Said { place: Some(call.place), text };
            here.said = Some(Link { what: Part::Command, text: said.text.clone(), place: call.place });
            if !words.is_empty() {
                self.command(&words, &said, here);
            }
        }
        if let Some(call) = &recipe.carries {
            let (file, span) = call.place;
            let text = one_line(self.project.tree.text(file).get(span.start as usize..span.end as usize).unwrap_or(""));
            self.carried(&call.words, &Said { place: Some(call.place), text }, &here);
        }
    }

    /// Tools that run recipes by name.
    pub(super) fn recipes(&mut self, name: &str, words: &[Word], said: &Said, at: &At) {
        // Looking through all recipes is dear where there are thousands.
        self.budget = self.budget.saturating_sub(self.project.recipes.len() as u32 / 50);
        if name == "tox" {
            return self.tox(words, said, at);
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
                "-j" | "--jobs" if tools == [Tool::Make] => {
                    n += usize::from(words.get(n).is_some_and(|word| !Counted::of(word).is_unknown()));
                }
                _ if text.starts_with("-C") && text.len() > 2 => at.dir = go(&at.dir, &word.tail(2)),
                _ if text.starts_with('-') => {}
                _ => match text.split_once('=') {
                    // just's own variables are filled in where the file is read: with another value it is another recipe.
                    Some(_) if tools == [Tool::Just] => return,
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
        if tools == [Tool::Make] {
            // GNU make manual, "Options/Recursion": a Makefile may set the flags, and so may the environment.
            let flags = at.env.value("MAKEFLAGS").cloned().or_else(|| {
                let first = called.first().map(|(recipe, _)| &self.project.recipes[*recipe]);
                first?.env.iter().find(|(name, _)| name == "MAKEFLAGS")?.1.clone()
            });
            let flags = flags.map(|flags| super::shell::commands(&flags)).unwrap_or_default();
            let flags: Vec<Word> = flags.into_iter().flat_map(|command| command.words).collect();
            let count = jobs_of_make(words).or_else(|| jobs_of_make(&flags));
            at.beside = count.and_then(|count| beside("make -j", count, said)).or(at.beside);
        }
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
    fn tox(&mut self, words: &[Word], said: &Said, at: &At) {
        let split = words.iter().position(|word| word.str() == "--").unwrap_or(words.len());
        let (own, args) = (&words[..split], words.get(split + 1..).unwrap_or(&[]));
        let mut wanted: Vec<String> = match at.env.value("TOXENV") {
            Some(value) => vec![value.text.clone()],
            None => at.env.choices("TOXENV").to_vec(),
        };
        let mut asked = at.env.get("TOXENV").is_some();
        let mut factors: Vec<String> = Vec::new();
        let mut dir = at.dir.clone();
        let mut at = at.clone();
        let mut n = 0;
        while let Some(word) = own.get(n) {
            n += 1;
            let text = word.str();
            // tox documentation, "run-parallel": `-p auto` is all CPUs.
            if matches!(text, "-p" | "--parallel") || text.starts_with("--parallel=") || text == "run-parallel" || text == "p" {
                let number = match text {
                    "-p" | "--parallel" => own.get(n).cloned(),
                    _ => text.split_once('=').map(|(option, _)| word.tail(option.len() + 1)),
                };
                let number = number.map(|word| Counted::of(&word)).filter(|counted| !counted.is_unknown());
                n += usize::from(number.is_some() && !text.contains('='));
                let count = number.map_or(Count::Cpus(Cpu::Affinity), |counted| counted.count);
                at.beside = beside("tox -p", count, said).or(at.beside);
                continue;
            }
            let value = match text {
                "-e" | "--env" | "-c" | "--conf" | "--root" | "-f" | "--factors" => {
                    n += 1;
                    own.get(n - 1).cloned()
                }
                _ if text.starts_with("-e") => Some(word.tail(if text.starts_with("-e=") { 3 } else { 2 })),
                _ => None,
            };
            match (text, value) {
                // Sub-commands and options that show or make, and run no command of an environment (tox documentation, "CLI interface").
                (
                    "-l" | "--listenvs" | "list" | "l" | "config" | "c" | "--notest" | "--showconfig" | "--version" | "--help"
                    | "-h" | "devenv" | "d" | "depends" | "de" | "quickstart" | "q" | "schema" | "exec" | "e",
                    _,
                ) => return,
                ("-c" | "--conf", Some(value)) => {
                    if let Some(path) = tree::join(&at.dir, value.str()) {
                        let folder = self.project.tree.file(&path).is_some();
                        dir = if folder { tree::folder(&path).to_owned() } else { path };
                    }
                }
                ("--root", Some(value)) => dir = go(&at.dir, &value),
                // Labels, and what a command prints: which environments these are is not known.
                ("-m" | "--labels", _) => return,
                ("-f" | "--factors", Some(value)) => factors.push(value.str().to_owned()),
                (_, Some(value)) if matches!(value.expansions.as_slice(), [(_, Expansion::Command(_))]) => return,
                (_, Some(value)) if !value.expansions.is_empty() => {
                    asked = true;
                    wanted = chosen(&value, &at.env);
                }
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
        let mut called: BTreeSet<(usize, Option<String>)> = BTreeSet::new();
        for name in wanted.iter().flat_map(|name| generated(name)).filter(|name| name != "ALL" && !name.is_empty()) {
            let exact = all.iter().find(|n| generated(&recipes[**n].name).contains(&name));
            let found = exact.or_else(|| all.iter().find(|n| recipes[**n].name.is_empty()));
            called.extend(found.map(|n| (*n, Some(name))));
        }
        if called.is_empty() {
            // What is asked for is not known, or it is what the list says.
            for n in all.into_iter().filter(|n| asked || recipes[*n].default) {
                let listed = recipes[n].listed.iter().cloned().map(Some);
                called.extend(listed.map(|name| (n, name)));
                if asked || recipes[n].listed.is_empty() {
                    called.insert((n, None));
                }
            }
        }
        let has = |name: &str| factors.iter().all(|factor| name.split('-').any(|own| own == factor));
        called.retain(|(n, name)| factors.is_empty() || has(name.as_deref().unwrap_or(&recipes[*n].name)));
        at.beside = at.beside.filter(|_| called.len() > 1).map(|beside| Beside { runs: called.len(), ..beside });
        // Environments that come to the same are one.
        let mut known: Vec<Recipe> = Vec::new();
        for (n, name) in called {
            let recipe = name.map_or_else(|| recipes[n].clone(), |name| tox::environment(&recipes[n], &name));
            if !known.contains(&recipe) {
                self.recipe_as(n, &recipe, args, &At { dir: dir.clone(), ..at.clone() });
                known.push(recipe);
            }
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

/// What a word may be with values of a matrix in it; empty where that is not known. What is not known of a name is `?`: the factors
/// beside it are.
fn chosen(word: &Word, env: &Env) -> Vec<String> {
    const MOST: usize = 64;
    let mut all = vec![String::new()];
    let mut done = 0;
    for (range, what) in &word.expansions {
        let (Some(before), Expansion::Expression(name) | Expansion::Variable { name, .. } | Expansion::Command(name)) =
            (word.str().get(done..range.start), what)
        else {
            return Vec::new();
        };
        let values = match env.choices(name.trim()) {
            [] => &["?".to_owned()],
            values => values,
        };
        all = all.iter().flat_map(|head| values.iter().map(move |value| format!("{head}{before}{value}"))).take(MOST).collect();
        done = range.end;
    }
    let rest = word.str().get(done..).unwrap_or("");
    let names = all.iter().flat_map(|head| format!("{head}{rest}").split(',').map(str::to_owned).collect::<Vec<_>>());
    names.filter(|name| name.split('-').any(|factor| !factor.is_empty() && !factor.contains('?'))).collect()
}

/// GNU make manual, "Parallel Execution": without a number there is no limit.
fn jobs_of_make(words: &[Word]) -> Option<Count> {
    let at = words.iter().rposition(|word| word.str().starts_with("-j") || word.str().starts_with("--jobs"))?;
    let word = &words[at];
    let value = match word.str() {
        "-j" | "--jobs" => words.get(at + 1).cloned(),
        text => Some(word.tail(text.find('=').map_or("-j".len(), |equals| equals + 1))),
    };
    let counted = value.map(|word| Counted::of(&word)).filter(|counted| !counted.is_unknown());
    Some(counted.map_or(Count::Cpus(Cpu::Machine), |counted| counted.count))
}

/// Several at once, unless the number is one.
fn beside(tool: &str, count: Count, said: &Said) -> Option<Beside> {
    let place = said.place?;
    (!matches!(count.bound(), Bound::At(0 | 1))).then(|| Beside { tool: tool.to_owned(), count, runs: 1, place })
}

/// A name of `pass_env` covers a variable: globs, in any case of letters (tox documentation, "pass_env").
pub(super) fn passes(pattern: &str, name: &str) -> bool {
    fnmatch(&pattern.to_uppercase(), &name.to_uppercase())
}

/// What a recipe is called in messages.
fn recipe_name(recipe: &Recipe) -> String {
    match recipe.tool {
        Tool::Tox if recipe.name.is_empty() => "tox's `testenv`".to_owned(),
        Tool::Tox => format!("tox's `{}`", recipe.name),
        Tool::Nox => format!("nox session `{}`", recipe.name),
        Tool::Make => format!("make target `{}`", recipe.name),
        Tool::Just => format!("just recipe `{}`", recipe.name),
        Tool::Python => recipe.name.clone(),
        Tool::Compose => format!("service `{}`", recipe.name),
        Tool::Cibuildwheel => "cibuildwheel's `test-command`".to_owned(),
        _ => format!("task `{}`", recipe.name),
    }
}
