//! What a runner's command line or a settings file says about the running of tests.

use super::cargo;
use super::discovery;
use super::env::Env;
use super::ini::Ini;
use super::launch::behind_options;
use super::pytest::{self, Count};
use super::recipes::Tool;
use super::runners;
use super::runs::{At, Outcome, Reader, Said, Strength, one_line};
use super::shell::{self, Word};
use super::toml::{Item, Toml};
use super::tree;
use crate::facts::run::{HOMES, Run, Runner, Workers, below};
use crate::text::{FileId, Kind, Span};
use std::collections::BTreeSet;

impl Reader<'_> {
    pub(super) fn pytest(&mut self, words: &[Word], said: &Said, at: &At) {
        let own = pytest::read(words);
        if own.dry {
            return;
        }
        let tree = self.project.tree;
        let paths = self.paths(&own.paths, &at.dir);
        let given = own
            .config
            .as_ref()
            .and_then(|path| tree::join(&at.dir, path))
            .and_then(|path| discovery::read(tree, tree.file(&path)?));
        let base = common(&paths).unwrap_or_else(|| at.dir.clone());
        let root = given.as_ref().or_else(|| discovery::root_of(self.project.roots, &base));
        // pytest puts `addopts` first, then the variable, then the command line.
        let mut all: Vec<Word> = own.addopts.clone().or_else(|| root.map(|root| root.addopts.clone())).unwrap_or_default();
        all.extend(at.env.value("PYTEST_ADDOPTS").map(shell::words).unwrap_or_default());
        all.extend_from_slice(words);
        let merged = pytest::read(&all);
        let auto = at.env.value("PYTEST_XDIST_AUTO_NUM_WORKERS").and_then(|value| value.text.trim().parse().ok());
        let (runner, workers, option) = merged.runner(auto);
        let text = self.text(said, option);
        self.outcome.pytest |= at.dir.is_empty() || self.project.tree.exists(&at.dir);
        self.add(at, runner, workers, &paths, option.or(said.place), text);
    }

    /// nox's sessions are Python and not read here; what is handed on behind `--` goes to pytest where it is an option of xdist.
    pub(super) fn nox(&mut self, words: &[Word], said: &Said, at: &At) {
        let Some(split) = words.iter().position(|word| word.str() == "--") else { return };
        let args = &words[split + 1..];
        if pytest::read(args).workers.is_some() {
            self.pytest(args, said, at);
        }
    }

    /// Those of the arguments that are there, as paths from the project's root.
    fn paths(&self, paths: &[String], dir: &str) -> Vec<String> {
        paths
            .iter()
            .filter_map(|path| tree::join(dir, path.split("::").next().unwrap_or(path)))
            .filter(|path| self.project.tree.exists(path) && !path.is_empty())
            .collect()
    }

    pub(super) fn cargo(&mut self, words: &[Word], said: &Said, at: &At) {
        match self.project.cargo.read(words) {
            Some(cargo::Call::Make(words)) => {
                let words =
                    behind_options(&words, &["-p", "--profile", "-t", "--task", "--cwd", "--makefile", "-e", "--env", "-l"], 0);
                if let Some((first, rest)) = words.split_first()
                    && let Some(n) = self.find(Tool::CargoMake, first.str(), &at.dir)
                {
                    self.recipe(n, rest, at);
                }
            }
            Some(cargo::Call::Tests(tests)) => {
                let mut scopes: Vec<String> = Vec::new();
                if let Some(path) = tests.manifest.as_ref().and_then(|path| tree::join(&at.dir, path)) {
                    scopes.push(tree::folder(&path).to_owned());
                }
                for name in &tests.packages {
                    let name = name.split(['@', '#']).next().unwrap_or(name).replace('-', "_");
                    scopes.extend(
                        self.project.crates.iter().find(|package| package.name == name).map(|package| package.dir.clone()),
                    );
                }
                scopes.retain(|scope| !scope.is_empty());
                let workers = self.project.cargo.workers(&tests, &at.env);
                let option = tests.count.and_then(|(_, place)| place);
                let text = self.text(said, option);
                self.add(at, tests.runner, workers, &scopes, option.or(said.place), text);
            }
            None => {}
        }
    }

    pub(super) fn runner(&mut self, name: &str, words: &[Word], said: &Said, at: &At) {
        let Some(call) = runners::read(name, words) else { return };
        let mut workers = call.workers;
        // Django's `--parallel auto` asks this variable.
        if name.contains("django") || name == "manage.py" {
            let most = at.env.value("DJANGO_TEST_PROCESSES").and_then(|value| value.text.trim().parse().ok());
            if let (Workers::Cpus, Some(most)) = (workers, most) {
                workers = Count::Number(most).workers();
            }
        }
        if at.dir.is_empty() || self.project.tree.exists(&at.dir) {
            self.outcome.unittest.extend(call.pattern);
        }
        let scopes = self.paths(&call.start.into_iter().collect::<Vec<_>>(), &at.dir);
        let text = self.text(said, call.place);
        self.add(at, call.runner, workers, &scopes, call.place.or(said.place), text);
    }

    /// Adds a run for each scope, or for the folder of the command.
    fn add(&mut self, at: &At, runner: Runner, workers: Workers, scopes: &[String], place: Option<(FileId, Span)>, text: String) {
        let mut scopes: Vec<String> = scopes.to_vec();
        if scopes.len() > 8 {
            scopes = common(&scopes).into_iter().collect();
        }
        if scopes.is_empty() {
            // A folder that is not here belongs to another repository, or is built.
            if !at.dir.is_empty() && !self.project.tree.exists(&at.dir) {
                return;
            }
            scopes.push(at.dir.clone());
        }
        let own_home = HOMES.iter().any(|(name, _)| at.env.get(name).is_some());
        for scope in scopes {
            self.found.push((at.strength, Run { runner, workers, scope, place, text: text.clone(), own_home }));
        }
    }

    /// The command as written, on one line; an option from another place is added in brackets.
    fn text(&self, said: &Said, option: Option<(FileId, Span)>) -> String {
        let mut text = said.text.clone();
        // Our own spelling of what a caller may add.
        while let Some(at) = text.find("${posargs:-") {
            let close = text[at..].find('}').map(|n| at + n);
            if let Some(close) = close {
                text.remove(close);
            }
            text.replace_range(at..at + "${posargs:-".len(), "");
        }
        let mut text = text.trim().to_owned();
        if let Some((file, span)) = option
            && !said.place.is_some_and(|(other, whole)| other == file && whole.contains(span))
        {
            let option = self.project.tree.text(file).get(span.start as usize..span.end as usize).unwrap_or("");
            text = format!("{text} ({} in {})", one_line(option), self.project.tree.path(file));
        }
        text
    }

    /// What files say without a command.
    pub(super) fn settings(&mut self) {
        for root in self.project.roots {
            let (runner, workers, option) = pytest::read(&root.addopts).runner(None);
            if runner != Runner::Sequential {
                // The words, not the text of the file: there they stand in quotes or in a list, by the format.
                let words: Vec<&str> = root.addopts.iter().map(Word::str).collect();
                let text = one_line(&format!("addopts = {}", words.join(" ")));
                let place = option.or(root.addopts_key);
                self.found.push((
                    Strength::Settings,
                    Run { runner, workers, scope: root.discovery.root.clone(), place, text, own_home: false },
                ));
            }
        }
        self.nbdev();
        let is_python = |run: &Run| !matches!(run.runner, Runner::CargoTest | Runner::Nextest);
        let sequential = |scope: &str, place| Run {
            runner: Runner::Sequential,
            workers: Workers::One,
            scope: scope.to_owned(),
            place,
            text: "pytest".to_owned(),
            own_home: false,
        };
        if !self.found.iter().any(|(_, run)| is_python(run)) {
            for root in self.project.roots {
                self.found.push((Strength::Settings, sequential(&root.discovery.root, Some(root.place))));
            }
            if self.project.roots.is_empty() && self.project.tree.sources.iter().any(|source| source.kind == Kind::Python) {
                self.found.push((Strength::Default, sequential("", None)));
            }
        }
        let cargo = self.project.cargo;
        for (dir, file, span) in &cargo.nextest {
            let workers = cargo.workers(&cargo::Tests::plain(Runner::Nextest), &Env::default());
            let text = "cargo nextest run".to_owned();
            self.found.push((
                Strength::Settings,
                Run { runner: Runner::Nextest, workers, scope: dir.clone(), place: Some((*file, *span)), text, own_home: false },
            ));
        }
        if self.project.tree.files().any(|(path, _)| tree::name(path) == "Cargo.toml") {
            let workers = cargo.workers(&cargo::Tests::plain(Runner::CargoTest), &Env::default());
            let place = cargo.threads.map(|(_, place)| place);
            let strength = if place.is_some() { Strength::Settings } else { Strength::Default };
            self.found.push((
                strength,
                Run {
                    runner: Runner::CargoTest,
                    workers,
                    scope: String::new(),
                    place,
                    text: "cargo test".to_owned(),
                    own_home: false,
                },
            ));
        }
    }

    /// nbdev's notebooks are tests, run by a pool whose processes serve one notebook after the other (nbdev documentation, "test").
    fn nbdev(&mut self) {
        let tree = self.project.tree;
        for (path, file) in tree.files() {
            let (folder, place) = match tree::name(path) {
                "settings.ini" => {
                    let ini = Ini::parse(file, tree.text(file));
                    let Some(setting) = ini.section("DEFAULT").and_then(|section| section.get("nbs_path")) else { continue };
                    (setting.value.text.clone(), setting.place)
                }
                "pyproject.toml" => {
                    let toml = Toml::parse(file, tree.text(file));
                    let Some(table) = toml.at(&["tool", "nbdev"]) else { continue };
                    (table.at(&["nbs_path"]).and_then(Item::str).unwrap_or("nbs").to_owned(), table.place())
                }
                _ => continue,
            };
            let Some(scope) = tree::join(tree::folder(path), &folder) else { continue };
            let (runner, workers) = (Runner::ProcessPool, Workers::Cpus);
            self.found.push((
                Strength::Settings,
                Run { runner, workers, scope, place: Some(place), text: "nbdev_test".to_owned(), own_home: false },
            ));
        }
    }

    pub(super) fn finish(mut self) -> Outcome {
        self.found.sort_by(|(a, left), (b, right)| {
            let key = |run: &Run| (run.place.is_none(), run.place);
            a.cmp(b).then_with(|| key(left).cmp(&key(right))).then_with(|| left.scope.cmp(&right.scope))
        });
        let mut seen = BTreeSet::new();
        for (_, run) in self.found {
            if seen.insert((run.place, run.runner, run.workers, run.scope.clone())) {
                self.outcome.runs.push(run);
            }
        }
        self.outcome
    }
}

/// The deepest folder (or the one path) that holds all paths.
fn common(paths: &[String]) -> Option<String> {
    let (first, rest) = paths.split_first()?;
    let mut shared = first.as_str();
    for path in rest {
        while below(path, shared).is_none() {
            shared = tree::folder(shared);
        }
    }
    Some(shared.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_common_folder() {
        let common = |paths: &[&str]| common(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(common(&["a/b/c.py", "a/b/d"]).as_deref(), Some("a/b"));
        assert_eq!(common(&["a/b", "a/bc"]).as_deref(), Some("a"));
        assert_eq!(common(&["a", "b"]).as_deref(), Some(""));
        assert_eq!(common(&["a/b.py"]).as_deref(), Some("a/b.py"));
        assert_eq!(common(&[]), None);
    }
}
