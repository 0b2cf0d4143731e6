//! What a runner's command line or a settings file says about the running of tests.

use super::cargo;
use super::count::Counted;
use super::discovery;
use super::follow::passes;
use super::launch::behind_options;
use super::notebooks;
use super::pytest;
use super::recipes::Tool;
use super::runners;
use super::runs::{At, Outcome, Reader, Said, Strength, WAYS, one_line};
use super::shell::{self, Expansion, Word};
use super::tree;
use crate::facts::run::{HOMES, Notebooks, Run, Runner, Workers, below};
use crate::facts::trace::{Bound, Command, Count, Link, Part, Place, Stop, Unread, Variable};
use crate::text::{FileId, Kind, Span};
use std::collections::BTreeSet;

/// A test command that was understood.
struct Tests<'s> {
    program: &'s str,
    runner: Runner,
    counted: Counted,
    scopes: Vec<String>,
    timeout: Option<Place>,
    slow_only: Option<Place>,
    retries: Option<(u32, Place)>,
    reports: Vec<(String, Place)>,
    basetemp: Option<(String, Place)>,
    doctests: bool,
    profile: Option<String>,
    notebooks: Notebooks,
    own_folder: bool,
    /// Files and folders that it leaves out, or globs of them.
    left_out: Vec<String>,
    /// The expression by which it chooses tests by their marks.
    marks: Option<String>,
    /// Some of its words are not known.
    open: bool,
}

impl<'s> Tests<'s> {
    fn of(program: &'s str, runner: Runner, counted: Counted) -> Tests<'s> {
        Tests {
            program,
            runner,
            counted,
            scopes: Vec::new(),
            timeout: None,
            slow_only: None,
            retries: None,
            reports: Vec::new(),
            basetemp: None,
            doctests: false,
            profile: None,
            notebooks: Notebooks::None,
            own_folder: false,
            left_out: Vec::new(),
            marks: None,
            open: false,
        }
    }
}

/// The words of pytest as they may be, four ways at most, and whether some are not known: a service's expression chooses among
/// texts, in the command or in PYTEST_ADDOPTS.
fn variants(first: &[Word], words: &[Word], said: &Said, at: &At) -> (Vec<Vec<Word>>, bool) {
    const MOST: usize = 4;
    let of = |text: &str| {
        let mut script = super::script::Script::default();
        let (file, span) = said.place.unwrap_or((FileId(0), Span::new(0, 0)));
        script.push_as(file, span.start as usize..span.end as usize, text);
        shell::words(&script)
    };
    let mut open = false;
    let mut all = match at.env.get("PYTEST_ADDOPTS") {
        None => vec![first.to_vec()],
        Some(Some(value)) => vec![[first, &shell::words(value)].concat()],
        Some(None) => {
            let among = at.env.choices("PYTEST_ADDOPTS");
            open |= among.is_empty();
            let each = among.iter().take(MOST).map(|text| [first, &of(text)].concat());
            if among.is_empty() { vec![first.to_vec()] } else { each.collect() }
        }
    };
    for word in words {
        let name = match word.expansions.as_slice() {
            [(range, Expansion::Expression(name))] if !word.quoted && *range == (0..word.str().len()) => name,
            _ => {
                all.iter_mut().for_each(|words| words.push(word.clone()));
                continue;
            }
        };
        let among = at.env.choices(name);
        if among.is_empty() {
            // One of a matrix that is no option is a path or a name.
            open |= !name.starts_with("matrix.");
            all.iter_mut().for_each(|words| words.push(word.clone()));
        } else if among.iter().any(|text| text.starts_with('-')) && all.len() * among.len() <= MOST {
            all = all.iter().flat_map(|words| among.iter().map(|text| [words.as_slice(), &of(text)].concat())).collect();
        }
    }
    (all, open)
}

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
        let first: Vec<Word> = own.addopts.clone().or_else(|| root.map(|root| root.addopts.clone())).unwrap_or_default();
        let (variants, open) = variants(&first, words, said, at);
        let all = variants.first().cloned().unwrap_or_default();
        let merged = pytest::read(&all);
        let auto = self.auto(&paths, &base, root);
        if let (Some((_, Some(place))), None) = (merged.most, &merged.workers) {
            self.unread(
                at,
                "--maxprocesses",
                place,
                "`--maxprocesses` without `-n` does nothing",
                "add `-n auto`, or drop it",
                None,
            );
        }
        let (_, counted) = merged.runner(&auto);
        // What is set decides whether there are workers at all.
        let mut set = merged.clone();
        for given in [&mut set.workers, &mut set.threads, &mut set.processes].into_iter().flatten() {
            given.count = at.filled(&given.count);
        }
        let (runner, _) = set.runner(&Counted { count: at.filled(&auto.count), ..auto.clone() });
        let others: Vec<(Runner, Counted)> = variants.iter().skip(1).map(|words| pytest::read(words).runner(&auto)).collect();
        let counts: Vec<Count> =
            [&counted].into_iter().chain(others.iter().map(|(_, other)| other)).map(|one| one.count.clone()).collect();
        let parallel = |runner: &Runner| *runner != Runner::Sequential;
        let (runner, mut counted) = match others.iter().find(|(other, _)| parallel(other) && !parallel(&runner)) {
            Some(other) => other.clone(),
            None => (runner, counted),
        };
        counted.count = Count::any(counts);
        self.outcome.pytest |= at.dir.is_empty() || self.project.tree.exists(&at.dir);
        let timeout = merged.timeout.or_else(|| root.and_then(|root| root.timeout));
        let tests = Tests {
            scopes: paths,
            timeout,
            // Files that are named are a choice.
            retries: merged.reruns.filter(|_| own.paths.is_empty() || own.paths.iter().any(|path| !path.contains(".py"))),
            reports: merged.reports,
            basetemp: merged.basetemp,
            notebooks: merged.notebooks.map_or(Notebooks::None, Notebooks::InKernels),
            marks: merged.marks.filter(|_| variants.len() == 1),
            left_out: own.left_out.iter().filter_map(|path| tree::join(&at.dir, path)).collect(),
            open: open && merged.workers.is_none(),
            ..Tests::of("pytest", runner, counted)
        };
        self.add(at, said, tests);
    }

    /// What `-n auto` comes to: a hook of an initial `conftest.py` is asked before xdist's own answer.
    fn auto(&self, paths: &[String], base: &str, root: Option<&discovery::Root>) -> Counted {
        let rootdir = root.map_or("", |root| root.discovery.root.as_str());
        let testpaths: Vec<String> = match root {
            Some(root) if paths.is_empty() => {
                root.discovery.testpaths.iter().filter_map(|path| tree::join(&root.discovery.root, path)).collect()
            }
            _ => paths.to_vec(),
        };
        // pytest documentation, "Plugin discovery order at tool startup": those of the folders of the arguments, their `test*`
        // folders, and all above.
        let initial = |dir: &str| {
            below(base, dir).is_some()
                || testpaths.iter().any(|path| {
                    below(path, dir).is_some()
                        || dir
                            .strip_prefix(path.as_str())
                            .is_some_and(|rest| rest.starts_with("/test") && rest[1..].find('/').is_none())
                })
                || (testpaths.is_empty()
                    && below(dir, rootdir).is_some_and(|rest| rest.starts_with("test") && !rest.contains('/')))
        };
        let hook = self.project.programs.hooks.iter().filter(|hook| initial(&hook.dir)).max_by_key(|hook| hook.dir.len());
        match hook {
            Some(hook) => Counted { links: hook.chain.clone(), ..Counted::plain(hook.count.clone()) },
            None => pytest::auto(),
        }
    }

    /// nox documentation, "Command-line usage": `-s`, `-e`, `-t`, and what is handed on behind `--`.
    pub(super) fn nox(&mut self, words: &[Word], said: &Said, at: &At) {
        let split = words.iter().position(|word| word.str() == "--").unwrap_or(words.len());
        let (own, args) = (&words[..split], words.get(split + 1..).unwrap_or(&[]));
        let mut wanted: Vec<String> = Vec::new();
        let mut dir = at.dir.clone();
        let mut known = true;
        let mut n = 0;
        while let Some(word) = own.get(n) {
            n += 1;
            let text = word.str();
            match text {
                "-s" | "--session" | "--sessions" | "-e" => {
                    while let Some(name) = own.get(n).filter(|word| !word.str().starts_with('-')) {
                        known &= name.expansions.is_empty();
                        wanted.push(name.str().to_owned());
                        n += 1;
                    }
                }
                "-f" | "--noxfile" => {
                    if let Some(path) = own.get(n).and_then(|file| tree::join(&at.dir, file.str())) {
                        dir = tree::folder(&path).to_owned();
                    }
                    n += 1;
                }
                "-l" | "--list" | "--list-sessions" | "--install-only" => return,
                "-t"
                | "--tags"
                | "-k"
                | "--keywords"
                | "-p"
                | "--python"
                | "--pythons"
                | "--default-venv-backend"
                | "-db"
                | "--force-python"
                | "-P" => {
                    known &= !matches!(text, "-t" | "--tags" | "-k" | "--keywords");
                    n += 1;
                }
                _ => {
                    for option in ["--session=", "--sessions=", "-s"] {
                        if let Some(name) = text.strip_prefix(option) {
                            known &= word.expansions.is_empty();
                            wanted.push(name.to_owned());
                            break;
                        }
                    }
                }
            }
        }
        let recipes = self.project.recipes;
        let home = recipes
            .iter()
            .filter(|recipe| recipe.tool == Tool::Nox && below(&dir, &recipe.home).is_some())
            .map(|recipe| recipe.home.as_str())
            .max_by_key(|home| home.len());
        let mut called: Vec<usize> = Vec::new();
        for (n, recipe) in
            recipes.iter().enumerate().filter(|(_, recipe)| recipe.tool == Tool::Nox && Some(recipe.home.as_str()) == home)
        {
            // What follows an expression is not known, and mostly the interpreter.
            let plain = |name: &str| name.split(['(', '$']).next().unwrap_or(name).trim_end_matches('-').to_owned();
            let asked = wanted.iter().any(|name| {
                let name = plain(name);
                // `tests-3.12`: the interpreter is part of the name.
                name == recipe.name
                    || name.strip_prefix(&recipe.name).is_some_and(|rest| {
                        rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_ascii_digit() || c == 'p')
                    })
            });
            if asked || (wanted.is_empty() && known && recipe.default) {
                called.push(n);
            }
        }
        if called.is_empty() && pytest::read(args).workers.is_some() {
            // Sessions that are not known: what is handed on goes to pytest where it is an option of xdist.
            return self.pytest(args, said, at);
        }
        for n in called {
            self.recipe(n, args, at);
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
                // A package in the folder around all others has its own tests alone.
                let around = |dir: &str| scopes.iter().any(|scope| scope != dir && below(dir, scope).is_some());
                let chosen = |dir: &str| scopes.iter().any(|scope| below(scope, dir).is_some());
                let others = self.project.crates.iter().map(|package| package.dir.clone());
                let left_out = others.filter(|dir| !tests.packages.is_empty() && around(dir) && !chosen(dir)).collect();
                scopes.retain(|scope| !scope.is_empty());
                let cargo = self.project.cargo;
                let nextest = tests.runner == Runner::Nextest;
                let profile = tests.profile.clone().or_else(|| at.env.value("NEXTEST_PROFILE").map(|value| value.text.clone()));
                let tests = cargo::Tests { profile: profile.clone(), ..tests };
                let counted = cargo.count(&tests);
                let of = profile.as_deref();
                let slow = if nextest { cargo.of_profile(of, |profile| profile.slow) } else { None };
                let retries =
                    tests.retries.or_else(|| if nextest { cargo.of_profile(of, |profile| profile.retries) } else { None });
                let program = if nextest { "cargo nextest run" } else { "cargo test" };
                let found = Tests {
                    scopes,
                    timeout: slow.filter(|(_, ends)| *ends).map(|(place, _)| place),
                    slow_only: slow.filter(|(_, ends)| !*ends).map(|(place, _)| place),
                    retries,
                    doctests: tests.doctests,
                    profile,
                    left_out,
                    ..Tests::of(program, tests.runner, counted)
                };
                self.add(at, said, found);
            }
            // Documentation examples alone: no unit of code, but they are run.
            None if words.iter().any(|word| word.str() == "--doc") => self.outcome.doctests = true,
            None => {}
        }
    }

    pub(super) fn runner(&mut self, name: &str, words: &[Word], said: &Said, at: &At) {
        let Some(call) = runners::read(name, words) else { return };
        if at.dir.is_empty() || self.project.tree.exists(&at.dir) {
            self.outcome.unittest.extend(call.pattern);
        }
        let mut scopes = self.paths(&call.start.into_iter().collect::<Vec<_>>(), &at.dir);
        let mut notebooks = Notebooks::None;
        if call.notebooks {
            notebooks = Notebooks::InWorkers;
            if scopes.is_empty() {
                let all = notebooks::nbdev(self.project.tree).into_iter();
                scopes.extend(all.filter(|nbdev| below(&at.dir, &nbdev.root).is_some()).map(|nbdev| nbdev.scope));
            }
        }
        self.add(at, said, Tests { scopes, notebooks, own_folder: call.own_folder, ..Tests::of(name, call.runner, call.count) });
    }

    pub(super) fn unread(&mut self, at: &At, what: &str, place: Place, why: &str, instead: &str, reader: Option<Place>) {
        let unread =
            Unread { what: what.to_owned(), place, job: at.job, why: why.to_owned(), instead: instead.to_owned(), reader };
        if !self.outcome.unread.iter().any(|known| known.place == unread.place && known.what == unread.what) {
            self.outcome.unread.push(unread);
        }
    }

    /// Adds a run for each scope, or for the folder of the command; and the command with its chain.
    fn add(&mut self, at: &At, said: &Said, tests: Tests) {
        let mut scopes = tests.scopes.clone();
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
        let count = at.filled(&tests.counted.count);
        let runner = match (count.bound(), tests.runner) {
            (Bound::At(0 | 1), Runner::Xdist(_) | Runner::ProcessPool | Runner::PythonThreads | Runner::Copies) => {
                Runner::Sequential
            }
            (_, runner) => runner,
        };
        let option = tests.counted.place;
        let text = self.text(said, option);
        let place = option.or(said.place);
        let own_home = HOMES.iter().any(|(name, _)| at.env.get(name).is_some());
        for scope in scopes.iter().cloned() {
            let notebooks = tests.notebooks;
            let run = Run {
                runner,
                workers: count.workers(),
                scope,
                place,
                text: text.clone(),
                own_home,
                own_folder: tests.own_folder,
                notebooks,
                left_out: tests.left_out.clone(),
                marks: tests.marks.clone(),
                declared: false,
            };
            self.found.push((at.strength, run));
        }
        self.trace(at, said, tests, runner, (count, scopes), text);
    }

    fn trace(&mut self, at: &At, said: &Said, tests: Tests, runner: Runner, how: (Count, Vec<String>), text: String) {
        let (count, scopes) = how;
        let Some(place) = said.place.or(tests.counted.place) else { return };
        let mut chain = at.chain.to_vec();
        chain.push(Link { what: Part::Command, text: said.text.clone(), place });
        if let Some(option) = tests.counted.place.filter(|option| *option != place) {
            let written = self.project.tree.text(option.0).get(option.1.start as usize..option.1.end as usize).unwrap_or("");
            chain.push(Link { what: Part::Option, text: one_line(written), place: option });
        }
        // The variables that had a say.
        for name in tests.counted.count.knobs() {
            if let Some(script) = at.env.value(name)
                && let Some(place) = script.whole()
            {
                chain.push(Link { what: Part::Variable, text: format!("{name}={}", one_line(&script.text)), place });
            }
        }
        // Where a variable decides, the function that reads it; not what it would do without.
        let count = if tests.open && runner == Runner::Sequential { Count::Unknown } else { count };
        let decided = chain.last().is_some_and(|link| link.what == Part::Variable);
        chain.extend(tests.counted.links.iter().filter(|link| !decided || link.what == Part::Function).cloned());
        let knobs: Vec<String> = tests.counted.count.knobs().into_iter().map(str::to_owned).collect();
        let mut env = Vec::new();
        for (name, value) in at.env.all() {
            if let Some(place) = value.and_then(super::script::Script::whole)
                && (knobs.iter().any(|knob| knob == name) || value.is_some_and(|value| value.text.trim().parse::<u32>().is_ok()))
            {
                env.push(Variable { name: name.to_owned(), value: value.map(|value| value.text.clone()), place });
            }
        }
        let stops = count.knobs().into_iter().filter_map(|knob| {
            let filter = at.filters.iter().find(|filter| !filter.through.iter().any(|pattern| passes(pattern, knob)))?;
            Some(Stop { name: knob.to_owned(), by: filter.by, place: filter.place })
        });
        let stops = stops.collect();
        let lost = at.lost.iter().filter(|lost| knobs.contains(&lost.variable.name)).cloned().collect();
        let command = Command {
            job: at.job,
            program: tests.program.to_owned(),
            runner,
            text,
            place,
            count,
            chain,
            env,
            lost,
            stops,
            literal: tests.counted.literal,
            masked: at.masked.clone(),
            timeout: tests.timeout.or(at.timeout),
            slow_only: tests.slow_only,
            retries: tests.retries,
            reports: tests.reports,
            basetemp: tests.basetemp,
            beside: at.beside.clone(),
            doctests: tests.doctests,
            profile: tests.profile,
            scopes,
        };
        // Two ways to one command are one, where they say the same.
        let ways = self.ways.entry(place).or_default();
        if ways.len() < WAYS && ways.iter().all(|way| self.outcome.commands[*way] != command) {
            ways.push(self.outcome.commands.len());
            self.outcome.commands.push(command);
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
            let read = pytest::read(&root.addopts);
            let (runner, counted) = read.runner(&pytest::auto());
            let notebooks = read.notebooks.map_or(Notebooks::None, Notebooks::InKernels);
            let (workers, option) = (counted.count.workers(), counted.place);
            if runner != Runner::Sequential {
                // The words, not the text of the file: there they stand in quotes or in a list, by the format.
                let words: Vec<&str> = root.addopts.iter().map(Word::str).collect();
                let text = one_line(&format!("addopts = {}", words.join(" ")));
                let place = option.or(root.addopts_key);
                self.found.push((
                    Strength::Settings,
                    Run {
                        runner,
                        workers,
                        scope: root.discovery.root.clone(),
                        place,
                        text,
                        own_home: false,
                        own_folder: false,
                        notebooks,
                        left_out: Vec::new(),
                        marks: None,
                        declared: false,
                    },
                ));
            }
        }
        self.nbdev();
        let is_python =
            |run: &Run| !matches!(run.runner, Runner::CargoTest | Runner::Nextest) && run.notebooks != Notebooks::InWorkers;
        let sequential = |scope: &str, place, option: Option<&'static str>| Run {
            runner: Runner::Sequential,
            workers: Workers::One,
            scope: scope.to_owned(),
            place,
            text: "pytest".to_owned(),
            own_home: false,
            own_folder: false,
            notebooks: option.map_or(Notebooks::None, Notebooks::InKernels),
            left_out: Vec::new(),
            marks: None,
            declared: false,
        };
        if !self.found.iter().any(|(_, run)| is_python(run)) {
            for root in self.project.roots {
                let option = pytest::read(&root.addopts).notebooks;
                self.found.push((Strength::Settings, sequential(&root.discovery.root, Some(root.place), option)));
            }
            if self.project.roots.is_empty() && self.project.tree.sources.iter().any(|source| source.kind == Kind::Python) {
                self.found.push((Strength::Default, sequential("", None, None)));
            }
        }
        let cargo = self.project.cargo;
        for (dir, file, span) in &cargo.nextest {
            let workers = cargo.count(&cargo::Tests::plain(Runner::Nextest)).count.workers();
            let text = "cargo nextest run".to_owned();
            self.found.push((
                Strength::Settings,
                Run {
                    runner: Runner::Nextest,
                    workers,
                    scope: dir.clone(),
                    place: Some((*file, *span)),
                    text,
                    own_home: false,
                    own_folder: false,
                    notebooks: Notebooks::None,
                    left_out: Vec::new(),
                    marks: None,
                    declared: false,
                },
            ));
        }
        if self.project.tree.files().any(|(path, _)| tree::name(path) == "Cargo.toml") {
            let workers = cargo.count(&cargo::Tests::plain(Runner::CargoTest)).count.workers();
            let place = cargo.threads.as_ref().and_then(|threads| threads.place);
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
                    own_folder: false,
                    notebooks: Notebooks::None,
                    left_out: Vec::new(),
                    marks: None,
                    declared: false,
                },
            ));
        }
    }

    /// nbdev's notebooks are tests, run by a pool whose processes serve one notebook after the other (nbdev documentation, "test").
    fn nbdev(&mut self) {
        for nbdev in notebooks::nbdev(self.project.tree) {
            let run = Run {
                runner: Runner::ProcessPool,
                workers: Workers::Cpus,
                scope: nbdev.scope,
                place: Some(nbdev.place),
                text: "nbdev_test".to_owned(),
                own_home: false,
                own_folder: false,
                notebooks: Notebooks::InWorkers,
                left_out: Vec::new(),
                marks: None,
                declared: false,
            };
            self.found.push((Strength::Settings, run));
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
