//! Tests, their fixtures, and everything they do: the frozen whole that rules ask.

use super::chain::{Chain, chains};
use super::closing::{Closing, closings};
use super::context::{leads_to_files, moves_directory};
use super::eval::Eval;
use super::fault::caught;
use super::fixtures::{OfFile, Plugins, conftests, fixtures, plugins, uncollected};
use super::idle;
use super::imports::Imports;
use super::index::Index;
use super::kept::kept;
use super::leak::{Leak, leaks};
use super::life::{Fork, Lives, Work, lives};
use super::listing::{Listing, listings};
use super::overlap::{Ask, Meeting, meetings, runs_of};
use super::pace::{Event, unfold};
use super::place::{Fresh, Place, Realm, Root};
use super::pool::TestPool;
use super::ports::{Probe, probes};
use super::registry::{Registration, registrations};
use super::rounds::{self, Wanted};
use super::rust_tests::{constructors, is_orphan};
use super::summary::{Ambience, Effect, Frame, Summary, Where};
use super::term::{ClassRef, Lock, Mix, Object, Opaque, Site, Term, UnitRef};
use super::unfilled::{Unfilled, unfilled};
use super::world::World;
use crate::calls::{self, Calls, Discriminator, Flag, Lifetime, Redirected, Tables, Verb};
use crate::facts::run::{Run, Runner, Setup, Target, Workers};
use crate::facts::{FileFacts, Language, Mark, OpId, Shape, UnitId, V, Value};
use crate::text::{FileId, Source, Span};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// When in the life of a test something happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// In what serves several tests: a fixture or set-up of a class, module or session, a hook, an initialiser that runs once. It runs once
    /// in each process, its tear-down included.
    WideSetup,
    Setup,
    Body,
    Teardown,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TestEffect {
    pub effect: Effect,
    pub phase: Phase,
    /// The test, fixture, set-up or hook that it is part of.
    pub within: UnitRef,
    /// Written as a relative path, although the working directory is known: Cargo starts tests in the package's folder.
    pub relative: bool,
}

/// One test, as its runner names it.
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    /// `tests/test_a.py::TestX::test_y`, `krate::module::test`.
    pub name: String,
    /// The file that its runner finds it in, relative to the project.
    pub path: String,
    pub unit: UnitRef,
    pub class: Option<ClassRef>,
    /// What shares a process under `cargo test`: the root file of the test binary.
    pub group: FileId,
    /// Several instances of it run: parametrised, several cases.
    pub many: bool,
    pub skipped: bool,
    /// The names of its marks, where all of them are known.
    pub marks: Option<BTreeSet<String>>,
    /// Name of its `xdist_group`.
    pub xdist_group: Option<String>,
    /// The nextest group of one thread that it runs in.
    pub queue: Option<String>,
    /// nextest runs nothing beside it.
    pub alone: bool,
    /// It asks for a fixture that neither the project nor a known plugin has: it does not run as it is written here.
    pub unmet: bool,
    /// Held for the whole test: `#[serial]`.
    pub guards: Vec<Lock>,
    pub effects: Vec<TestEffect>,
    /// What it does to things that are no paths, in order.
    pub state: Vec<TestEffect>,
    /// Pools of all CPUs that it surely starts.
    pub pools: Vec<TestPool>,
    /// What its body does in time.
    pub events: Vec<Event>,
}

/// Everything joined.
pub struct Suite<'a> {
    pub sources: &'a [Source],
    pub facts: &'a [Arc<FileFacts>],
    pub setup: &'a Setup,
    tables: &'a Tables,
    /// Names that the user declares, of modules of the project that do not have them.
    pub unmet: Vec<String>,
    /// What broke down: the file, and what was said. Nothing is known of that part.
    pub faults: BTreeSet<String>,
    pub tests: Vec<Test>,
    pub meetings: Vec<Meeting>,
    /// Pairs whose names are meant to differ, and need not.
    pub namesakes: Vec<Meeting>,
    pub listings: Vec<Listing>,
    /// What tests that may overlap do to one thing that is no path; the effects are those of [`Test::state`].
    pub encounters: Vec<Meeting>,
    pub leaks: Vec<Leak>,
    /// What units start and do not surely end.
    pub works: Vec<Work>,
    /// Processes that are forked beside a running thread.
    pub forks: Vec<Fork>,
    /// What is closed while a thread or task reads it.
    pub closings: Vec<Closing>,
    pub imports: Imports,
    pub registrations: Vec<Registration>,
    /// Registries of Rust that tests fill for one another.
    pub unfilled: Vec<Unfilled>,
    /// What tests leave for others that need it.
    pub chains: Vec<Chain>,
    /// By test file: the `conftest.py` files that it sees.
    conftests: BTreeMap<FileId, Vec<FileId>>,
    /// Sockets that look for a free port, and are closed before its number is used.
    pub probes: Vec<Probe>,
    summaries: Vec<Vec<Arc<Summary>>>,
    by_site: BTreeMap<Site, Vec<(usize, usize)>>,
    /// Units that only tests have: tests, fixtures, helpers in test files.
    test_files: BTreeSet<FileId>,
    /// Operations that some call reaches in threads, tasks or processes of its own.
    spread: BTreeSet<Site>,
    /// Units that nothing runs.
    skipped: BTreeSet<UnitRef>,
    /// Operations that product code reaches under a lock only.
    locked: BTreeSet<Site>,
    /// Operations on files that one object has to itself.
    kept: BTreeSet<Site>,
    /// By file: see [`Suite::is_beside`].
    beside: Vec<bool>,
}

#[derive(Clone)]
pub(super) struct Fixture {
    pub unit: UnitRef,
    pub wide: bool,
    pub autouse: bool,
    pub class: Option<ClassRef>,
}

pub(super) struct Maker<'a, 'i> {
    pub world: World<'i>,
    pub index: &'i Index<'i>,
    pub setup: &'a Setup,
    pub ground: &'a Ground,
}

/// What all tests stand on.
pub(super) struct Ground {
    /// Fixtures by the file that defines them.
    pub fixtures: HashMap<FileId, OfFile>,
    pub plugins: Plugins,
    /// Files that a `conftest.py` keeps pytest from.
    pub uncollected: BTreeSet<FileId>,
    /// What runs before `main` in a Rust binary (`#[ctor]`), by its root file.
    pub constructors: HashMap<FileId, Vec<UnitRef>>,
    /// Some code gives tests marks while they are collected.
    pub adds_marks: bool,
}

/// What a test has gathered so far.
#[derive(Default)]
pub(super) struct Making {
    pub values: HashMap<Arc<str>, Term>,
    /// The instance whose methods run.
    pub this: Option<Term>,
    pub ambience: Ambience,
    /// Held by fixtures and set-ups.
    pub guards: Vec<Lock>,
    pub effects: Vec<TestEffect>,
    pub teardown: Vec<TestEffect>,
    pub pools: Vec<TestPool>,
    pub events: Vec<Event>,
    pub open: Vec<Arc<str>>,
    /// A fixture was asked for that is defined nowhere.
    pub unmet: bool,
}

impl Making {
    /// The test whose parts have run: what it did, in order, with nothing said of how it is run.
    pub(super) fn done(mut self, name: String, path: &str, unit: UnitRef) -> Test {
        self.effects.append(&mut self.teardown);
        let (state, effects) = super::state::apart(self.effects);
        Test {
            name,
            path: path.to_owned(),
            unit,
            class: None,
            group: FileId(0),
            many: false,
            skipped: false,
            marks: None,
            xdist_group: None,
            queue: None,
            alone: false,
            unmet: self.unmet,
            guards: Vec::new(),
            effects,
            state,
            pools: self.pools,
            events: self.events,
        }
    }
}

/// What the user says about the project, beside its files.
pub struct Declared<'a> {
    pub tables: &'a Tables,
    /// Whether a path, as reports write it, is one that each test has to itself; none where nothing is said.
    pub is_private: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
}

impl<'a> Suite<'a> {
    /// None where it was not wanted to its end.
    pub fn new(
        sources: &'a [Source],
        facts: &'a [Arc<FileFacts>],
        setup: &'a Setup,
        declared: &Declared<'a>,
        wanted: Wanted,
    ) -> Option<Self> {
        let index = Index::new(sources, facts, setup, declared.tables);
        let (mut summaries, mut faults) = rounds::summaries(&index, setup, wanted)?;
        if let Some(is_private) = declared.is_private {
            let kept = |effect: &Effect| !is_private(&effect.on.show());
            for summary in summaries.iter_mut().flatten().filter(|summary| !summary.effects.iter().all(kept)) {
                Arc::make_mut(summary).effects.retain(kept);
            }
        }
        let imports = Imports::new(&index);
        let world = World::new(&index, setup, &summaries);
        let ground = Ground {
            adds_marks: facts.iter().any(|file| file.names.iter().any(|name| matches!(&**name, "add_marker" | "own_markers"))),
            fixtures: fixtures(&index),
            plugins: plugins(&world),
            uncollected: uncollected(&world),
            constructors: constructors(&index),
        };
        let of_file = |i: usize| {
            let world = World::new(&index, setup, &summaries);
            caught(&sources[i].path, || Maker { world, index: &index, setup, ground: &ground }.tests_of(FileId(i as u32)))
        };
        let made: Vec<Result<Vec<Test>, String>> = (0..facts.len()).into_par_iter().map(of_file).collect();
        let mut tests: Vec<Test> = Vec::new();
        for one in made {
            match one {
                Ok(more) => tests.extend(more),
                Err(fault) => drop(faults.insert(fault)),
            }
        }
        if let Some(is_private) = declared.is_private {
            // A helper's path may be known only now.
            tests.iter_mut().for_each(|test| test.effects.retain(|one| !is_private(&one.effect.on.show())));
        }
        idle::leave_out(&mut tests, &summaries);
        let mut test_files: BTreeSet<FileId> = tests.iter().map(|test| test.unit.0).collect();
        let conftests: BTreeMap<FileId, Vec<FileId>> = test_files.iter().map(|file| (*file, conftests(&index, *file))).collect();
        for (i, source) in sources.iter().enumerate() {
            // A notebook is run as a test, or by hand; what others import of it is in a module.
            if setup.is_test_support(&source.path) || is_below_tests(&source.path) || source.cells.is_some() {
                test_files.insert(FileId(i as u32));
            }
        }
        let mut by_site: BTreeMap<Site, Vec<(usize, usize)>> = BTreeMap::new();
        for (t, test) in tests.iter().enumerate() {
            for (e, one) in test.effects.iter().enumerate() {
                by_site.entry(one.effect.site).or_default().push((t, e));
            }
        }
        let meetings = |ask: Ask| meetings(&tests, setup, facts, ask);
        let of_paths = || (meetings(Ask::Name), meetings(Ask::Harm), listings(&tests, setup, facts));
        let of_state = || (meetings(Ask::State), leaks(&tests, &World::new(&index, setup, &summaries), facts));
        let of_imports = || registrations(&tests, &imports, setup, facts, &summaries, &conftests, &test_files);
        let of_units = || (lives(&index, &summaries), closings(&index, &summaries), probes(&index, &summaries));
        let ((of_paths, (encounters, leaks)), (registrations, of_units)) =
            rayon::join(|| rayon::join(of_paths, of_state), || rayon::join(of_imports, of_units));
        let (namesakes, meetings, listings) = of_paths;
        let (Lives { mut works, mut forks }, mut closings, mut probes) = of_units;
        let everything = summaries.iter().flatten().flat_map(|summary| &summary.effects);
        let spread = everything.filter(|effect| effect.spread.is_some()).map(|effect| effect.site).collect();
        let skipped = super::skipped::skipped(&index, &tests);
        let runs = |unit: &UnitRef| !skipped.contains(unit);
        works.retain(|work| runs(&work.unit));
        forks.retain(|fork| runs(&fork.unit));
        closings.retain(|closing| runs(&closing.closer));
        probes.retain(|probe| runs(&probe.unit));
        let locked = BTreeSet::new();
        let chains = chains(&index, &tests);
        let kept = kept(&index, &summaries);
        let mut suite = Suite {
            sources,
            facts,
            setup,
            tables: declared.tables,
            unmet: index.unmet().to_vec(),
            faults,
            tests,
            meetings,
            namesakes,
            listings,
            encounters,
            leaks,
            works,
            forks,
            closings,
            imports,
            registrations,
            unfilled: Vec::new(),
            chains,
            conftests,
            probes,
            summaries,
            by_site,
            test_files,
            spread,
            skipped,
            locked,
            kept,
            beside: Vec::new(),
        };
        let lies_beside = |i: usize| {
            let file = FileId(i as u32);
            suite.lies_beside(file) || suite.language(file) == Language::Rust && is_orphan(&index, setup, file)
        };
        suite.beside = (0..facts.len()).map(lies_beside).collect();
        suite.locked = locked_by_callers(&suite.summaries, |unit| !suite.is_test_code(unit));
        suite.unfilled = unfilled(&index, &suite.tests, setup, &|unit| suite.is_test_code(unit));
        Some(suite)
    }

    pub fn path(&self, file: FileId) -> &'a str {
        &self.sources[file.0 as usize].path
    }

    pub fn file(&self, file: FileId) -> &'a FileFacts {
        &self.facts[file.0 as usize]
    }

    pub fn language(&self, file: FileId) -> Language {
        self.file(file).language
    }

    /// What is known of the libraries of a language.
    pub fn calls(&self, language: Language) -> &'a Calls {
        self.tables.of(language == Language::Rust)
    }

    pub fn span(&self, site: Site) -> Span {
        self.file(site.file).span(site.op)
    }

    /// Whether a file holds tests or what only tests use.
    pub fn is_test_file(&self, file: FileId) -> bool {
        self.test_files.contains(&file)
    }

    /// Whether a runner collects tests from a file.
    pub fn holds_tests(&self, file: FileId) -> bool {
        self.conftests.contains_key(&file)
    }

    /// The innermost unit whose text holds an operation.
    pub fn unit_at(&self, site: Site) -> UnitRef {
        let facts = self.file(site.file);
        let span = self.span(site);
        let around = facts.units.iter().enumerate().filter(|(_, unit)| unit.span.contains(span) && unit.shape != Shape::Closure);
        let inner = around.min_by_key(|(_, unit)| unit.span.end - unit.span.start).map_or(0, |(unit, _)| unit);
        (site.file, UnitId(inner as u32))
    }

    /// Whether a unit is a test, or code that only tests have: for Rust, below a `#[test]` or `#[cfg(test)]`.
    pub fn is_test_code(&self, unit: UnitRef) -> bool {
        let facts = self.file(unit.0);
        if facts.language == Language::Python {
            return self.is_test_file(unit.0);
        }
        let path = self.path(unit.0);
        let target = self.setup.crate_of(path).and_then(|package| package.target_of(path));
        let product = matches!(target, None | Some(Target::Lib | Target::Bin | Target::BuildScript));
        if !product || is_below_tests(path) {
            return true;
        }
        let mut at = Some(unit.1);
        while let Some(id) = at {
            let data = facts.unit(id);
            let marked = data.marks.iter().any(|mark| {
                let name = mark_name(facts, mark).unwrap_or_default();
                let about_tests = mark.args.iter().any(|arg| facts.dotted(arg.value).as_deref() == Some("test"));
                matches!(last(&name), "test" | "rstest" | "test_case") || last(&name) == "cfg" && about_tests
            });
            if marked {
                return true;
            }
            at = data.parent;
        }
        false
    }

    /// Whether a Python file is a program of its own: it asks whether it is `__main__`, lies in a folder that is no package, and nothing
    /// imports it. As a rule one person or one job runs it, once.
    fn is_script(&self, file: FileId) -> bool {
        let path = self.path(file);
        let dir = super::index::dir_of(path);
        let has = |path: String| self.sources.binary_search_by(|source| (*source.path).cmp(&path)).is_ok();
        self.language(file) == Language::Python
            && self.file(file).names.iter().any(|name| &**name == "__main__")
            && !self.is_test_file(file)
            && !self.imports.is_imported(file)
            && !has(super::index::join(&dir, "__init__.py"))
    }

    /// Whether a file is run by hand, is not the project's own, or is not run at all: documentation, examples, tools, build scripts,
    /// vendored packages, Rust that no target compiles.
    pub fn is_beside(&self, file: FileId) -> bool {
        self.beside[file.0 as usize]
    }

    fn lies_beside(&self, file: FileId) -> bool {
        let path = self.path(file);
        let name = path.rsplit('/').next().unwrap_or(path);
        let folder = |folder: &str| {
            matches!(
                folder,
                "doc"
                    | "docs"
                    | "example"
                    | "examples"
                    | "tools"
                    | "scripts"
                    | "script"
                    | "devscripts"
                    | "hack"
                    | "extra"
                    | "contrib"
                    | "packaging"
                    | "release"
                    | "releases"
                    | "xtask"
                    | "misc"
                    | "ci"
                    | "demo"
                    | "demos"
                    | "samples"
                    | "tutorials"
                    | "vendor"
                    | "_vendor"
                    | "vendored"
                    | "_vendored"
                    | "third_party"
                    | "external"
                    | "extern"
                    | "site-packages"
                    | "_build"
                    | "benchmark"
                    | "benchmarks"
                    | "benches"
                    | "asv_bench"
                    | "website"
                    | "web"
                    | ".github"
            )
        };
        let samples = self.setup.python_is_data && self.language(file) == Language::Python;
        samples
            || self.is_script(file)
            || path
                .rsplit('/')
                .skip(1)
                .any(|name| folder(name) || ["_dev", "-dev", "_benchmarks", "-benchmarks"].iter().any(|end| name.ends_with(end)))
            || matches!(
                name,
                "setup.py"
                    | "noxfile.py"
                    | "conf.py"
                    | "build.rs"
                    | "tasks.py"
                    | "fabfile.py"
                    | "dodo.py"
                    | "versioneer.py"
                    | "demo.py"
            )
    }

    /// Whether an operation stands in the text of a unit.
    pub fn stands_in(&self, site: Site, unit: UnitRef) -> bool {
        site.file == unit.0 && self.file(unit.0).unit(unit.1).span.contains(self.span(site))
    }

    /// Every unit with what it does, in file order.
    pub fn units(&self) -> impl Iterator<Item = (UnitRef, &Summary)> {
        self.summaries
            .iter()
            .enumerate()
            .flat_map(|(file, units)| {
                units.iter().enumerate().map(move |(unit, summary)| ((FileId(file as u32), UnitId(unit as u32)), &**summary))
            })
            .filter(|(unit, _)| !self.skipped.contains(unit))
    }

    pub fn summary(&self, unit: UnitRef) -> &Summary {
        &self.summaries[unit.0.0 as usize][unit.1.0 as usize]
    }

    /// What a place in the source does when tests run it: the effects at it, with the path as each test gives it, and whether the test
    /// is skipped.
    pub fn in_tests(&self, site: Site) -> impl Iterator<Item = (&Test, &Effect)> {
        let at = self.by_site.get(&site).map_or(&[][..], Vec::as_slice);
        at.iter().map(|(test, effect)| (&self.tests[*test], &self.tests[*test].effects[*effect].effect))
    }

    /// Whether a run of a test says where the user's directories are.
    pub fn has_own_home(&self, test: usize) -> bool {
        runs_of(&self.tests[test], self.setup, self.facts).any(|run| run.own_home)
    }

    /// The configured run that carries out this test beside others, in several workers.
    pub fn parallel_run(&self, test: &Test) -> Option<&'a Run> {
        let several =
            |run: &&Run| (run.place.is_some() || run.declared) && matches!(run.workers, Workers::Cpus | Workers::Fixed(2..));
        let rust = self.file(test.unit.0).language == Language::Rust;
        self.setup.runs_of(&test.path, rust).filter(several).find(|run| run.runner != Runner::Sequential)
    }

    /// The places of a meeting's two ends.
    pub fn ends(&self, meeting: &Meeting) -> [Site; 2] {
        [meeting.first, meeting.second].map(|(test, effect)| self.tests[test].effects[effect].effect.site)
    }

    /// Whether several threads, tasks or processes of one program may reach this operation at once.
    pub fn is_spread(&self, site: Site) -> bool {
        self.spread.contains(&site)
    }

    /// Whether the product code that reaches this operation holds a lock around it, on every way that is seen.
    pub fn is_locked_by_callers(&self, site: Site) -> bool {
        self.locked.contains(&site)
    }

    /// Whether a method acts here, by itself or through a call, on a file that its object has to itself.
    pub fn is_of_object(&self, site: Site) -> bool {
        self.kept.contains(&site)
    }

    /// The places that a meeting cites as one of its ends.
    pub fn met(&self) -> BTreeSet<Site> {
        self.meetings.iter().flat_map(|meeting| self.ends(meeting)).collect()
    }

    /// Whether what a place in the source does is a matter of a set-up that each worker runs.
    pub fn repeats_per_worker(&self, site: Site) -> bool {
        self.meetings.iter().any(|meeting| meeting.wide && self.ends(meeting).contains(&site))
    }

    /// The name of a unit as its users know it, without its file: `Cache.save`, `save`, `module body`.
    pub fn unit_name(&self, unit: UnitRef) -> String {
        let facts = self.file(unit.0);
        let data = facts.unit(unit.1);
        let name = facts.name(data.name);
        match (data.class, data.shape) {
            (_, Shape::Module) if name.is_empty() => match self.sources[unit.0.0 as usize].cells {
                Some(_) => "the notebook".to_owned(),
                None => "the module".to_owned(),
            },
            (Some(class), _) => {
                let separator = if facts.language == Language::Rust { "::" } else { "." };
                format!("{}{separator}{name}", facts.name(facts.class(class).name))
            }
            (None, Shape::Closure) => {
                data.parent.map_or_else(|| "a closure".to_owned(), |parent| self.unit_name((unit.0, parent)))
            }
            _ => name.to_owned(),
        }
    }

    /// The `conftest.py` files that a test file sees.
    pub fn conftests(&self, file: FileId) -> Vec<FileId> {
        self.conftests.get(&file).cloned().unwrap_or_default()
    }

    /// The dotted name of a Python module.
    pub fn module_name(&self, file: FileId) -> &str {
        self.imports.name(file)
    }

    /// A path in the words of the unit that uses it: parameters by their names.
    pub fn show(&self, place: &Place, unit: UnitRef) -> String {
        let facts = self.file(unit.0);
        let params = &facts.unit(unit.1).params;
        place.show_with(&|n| params.get(usize::from(n)).map(|param| facts.name(param.name).to_owned()))
    }

    /// The named unit around a unit: itself, or for a closure the function that holds it.
    pub fn owner(&self, unit: UnitRef) -> UnitRef {
        let facts = self.file(unit.0);
        let mut at = unit.1;
        while facts.unit(at).shape == Shape::Closure {
            match facts.unit(at).parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        (unit.0, at)
    }

    /// Whether a unit is decorated or attributed by a mark with this last name.
    pub fn has_mark(&self, unit: UnitRef, name: &str) -> bool {
        let facts = self.file(unit.0);
        facts.unit(unit.1).marks.iter().any(|mark| mark_name(facts, mark).is_some_and(|full| last(&full) == name))
    }
}

/// Operations that every caller, or every caller of it, reaches under more locks than they take themselves.
fn locked_by_callers(summaries: &[Vec<Arc<Summary>>], is_product: impl Fn(UnitRef) -> bool) -> BTreeSet<Site> {
    let direct = summaries.iter().flatten().flat_map(|summary| &summary.effects).filter(|effect| effect.via.is_empty());
    let own: HashMap<Site, usize> = direct.map(|effect| (effect.site, effect.guards.len())).collect();
    // By operation, the ways to it: the calls, outermost first, and whether they take a lock.
    let mut ways: BTreeMap<Site, BTreeMap<&[Site], bool>> = BTreeMap::new();
    for (file, units) in summaries.iter().enumerate() {
        for (unit, summary) in units.iter().enumerate() {
            if !is_product((FileId(file as u32), UnitId(unit as u32))) {
                continue;
            }
            for effect in summary.effects.iter().filter(|effect| !effect.via.is_empty()) {
                let locked = effect.guards.len() > own.get(&effect.site).copied().unwrap_or(0);
                *ways.entry(effect.site).or_default().entry(&effect.via).or_insert(true) &= locked;
            }
        }
    }
    let covered = |ways: &BTreeMap<&[Site], bool>| {
        // The longest first: a way that takes no lock is covered where all ways that lead to it are.
        let mut all: Vec<(&[Site], bool)> = ways.iter().map(|(way, locked)| (*way, *locked)).collect();
        all.sort_by_key(|(way, _)| std::cmp::Reverse(way.len()));
        let mut behind: HashMap<&[Site], bool> = HashMap::new();
        let mut first = Vec::new();
        for (way, locked) in all {
            let covered = locked || behind.get(way).copied().unwrap_or(false);
            match way {
                [_] => first.push(covered),
                _ => *behind.entry(&way[1..]).or_insert(true) &= covered,
            }
        }
        !first.is_empty() && first.into_iter().all(|covered| covered)
    };
    ways.iter().filter(|(_, ways)| covered(ways)).map(|(site, _)| *site).collect()
}

/// In a folder that holds tests and what they need.
fn is_below_tests(path: &str) -> bool {
    path.rsplit('/').skip(1).any(|folder| matches!(folder, "tests" | "test" | "testing" | "testsuite" | "benches" | "benchmarks"))
}

pub(super) fn last(name: &str) -> &str {
    name.rsplit(['.', ':']).next().unwrap_or(name)
}

pub(super) fn mark_name(facts: &FileFacts, mark: &Mark) -> Option<String> {
    facts.dotted(mark.callee)
}

impl<'i> Maker<'_, 'i> {
    pub(super) fn file(&self, file: FileId) -> &'i FileFacts {
        self.index.file(file)
    }

    /// The names by which the call tables may know a mark: as written, and as its import says.
    fn mark_keys(&self, unit: UnitRef, mark: &Mark) -> Vec<String> {
        let facts = self.file(unit.0);
        let mut keys = Vec::new();
        let around = facts.unit(unit.1).parent.unwrap_or(unit.1);
        if let Some(super::index::Binding::External(name)) = self.index.resolve_value(unit.0, around, mark.callee) {
            keys.push(format!("mark:{name}"));
        }
        if let Some(name) = facts.dotted(mark.callee) {
            keys.push(format!("mark:{name}"));
        }
        keys
    }

    pub(super) fn mark_entry(&self, unit: UnitRef, mark: &Mark) -> Option<&'i calls::Call> {
        let calls = self.world.calls(unit.0);
        self.mark_keys(unit, mark).iter().find_map(|key| calls.get(key))
    }

    fn tests_of(&self, file: FileId) -> Vec<Test> {
        let mut out = Vec::new();
        match self.file(file).language {
            Language::Python if self.index.sources[file.0 as usize].cells.is_some() => out.extend(self.notebook_test(file)),
            Language::Python => self.python_tests(file, &mut out),
            Language::Rust => self.rust_tests(file, &mut out),
        }
        out
    }

    fn python_tests(&self, file: FileId, out: &mut Vec<Test>) {
        let path = self.index.path(file);
        let facts = self.file(file);
        if self.ground.uncollected.contains(&file) {
            return;
        }
        let is_test_file = self.setup.is_test_file(path);
        let discovery = self.setup.discovery_for(path);
        if is_test_file {
            for (u, unit) in facts.units.iter().enumerate() {
                let name = facts.name(unit.name);
                if unit.shape == Shape::Function
                    && unit.class.is_none()
                    && unit.parent == Some(UnitId(0))
                    && discovery.names_function(name)
                {
                    let unit = (file, UnitId(u as u32));
                    if self
                        .ground
                        .fixtures
                        .get(&file)
                        .is_some_and(|all| all.values().flatten().any(|fixture| fixture.unit == unit))
                    {
                        continue;
                    }
                    out.push(self.python_test(format!("{path}::{name}"), unit, None));
                }
            }
        }
        for (c, class) in facts.classes.iter().enumerate() {
            let class_ref = (file, crate::facts::ClassId(c as u32));
            // A class in a class is collected with it; one in a function is not.
            let Some(class_name) = self.nested_name(class_ref, is_test_file) else { continue };
            let unittest = self.index.outside_bases(class_ref).any(|base| is_test_case(base));
            let methods = self.index.methods(class_ref);
            let plain = is_test_file && discovery.names_class(facts.name(class.name)) && !methods.contains_key("__init__");
            // A TestCase in a file that no runner collects is a base for others.
            if !(plain || unittest && (is_test_file || self.setup.is_test_support(path))) {
                continue;
            }
            for (name, unit) in &methods {
                let named = name.starts_with("test") || plain && discovery.names_function(name);
                if !named {
                    continue;
                }
                out.push(self.python_test(format!("{path}::{class_name}::{name}"), *unit, Some(class_ref)));
            }
        }
    }

    /// `Outer::Inner`, where all classes around are test classes.
    fn nested_name(&self, class: ClassRef, is_test_file: bool) -> Option<String> {
        let facts = self.file(class.0);
        let data = facts.class(class.1);
        let name = facts.name(data.name).to_owned();
        if data.parent == UnitId(0) {
            return Some(name);
        }
        let around = facts.unit(data.parent);
        let outer = around.class.filter(|_| is_test_file && around.shape == Shape::ClassBody)?;
        let discovery = self.setup.discovery_for(self.index.path(class.0));
        let outer_name = self.nested_name((class.0, outer), is_test_file)?;
        discovery.names_class(facts.name(facts.class(outer).name)).then(|| format!("{outer_name}::{name}"))
    }

    /// A function of the module that pytest runs around tests by its name.
    fn run_named(&self, file: FileId, name: &str, phase: Phase, making: &mut Making) {
        if let Some(super::index::Binding::Function(unit)) = self.index.in_module((file, UnitId(0)), name, 0) {
            self.run(unit, vec![Term::Unknown], phase, making);
        }
    }

    /// Marks of the test, its class and its module.
    pub(super) fn marks_around(&self, unit: UnitRef, class: Option<ClassRef>) -> Vec<(UnitRef, Mark)> {
        let facts = self.file(unit.0);
        let mut all: Vec<(UnitRef, Mark)> = facts.unit(unit.1).marks.iter().map(|mark| (unit, mark.clone())).collect();
        for class in class.iter().flat_map(|class| self.index.order(*class)) {
            let data = self.file(class.0).class(class.1);
            all.extend(data.marks.iter().map(|mark| ((class.0, data.parent), mark.clone())));
        }
        all.into_iter().map(|(at, mark)| (at, self.named_mark(at, mark))).collect()
    }

    /// The mark that a variable of the module stands for: `with_home = pytest.mark.usefixtures("home")`.
    fn named_mark(&self, at: UnitRef, mark: Mark) -> Mark {
        let facts = self.file(at.0);
        let Value::Name(name) = facts.value(mark.callee) else { return mark };
        let is_mark = |callee: V| facts.dotted(callee).is_some_and(|name| name.contains("mark."));
        let mut named = None;
        super::index::walk_ops(&facts.units[0].body, &mut |op| {
            let crate::facts::What::Store { to, value, .. } = &facts.op(op).what else { return };
            if !matches!(facts.value(*to), Value::Name(stored) if stored == name) {
                return;
            }
            if let Value::Result(call) = facts.value(*value)
                && let crate::facts::What::Call { callee, args } = &facts.op(*call).what
                && is_mark(*callee)
            {
                named = Some(Mark { callee: *callee, args: args.clone(), span: mark.span });
            }
        });
        named.unwrap_or(mark)
    }

    fn python_test(&self, name: String, unit: UnitRef, class: Option<ClassRef>) -> Test {
        let facts = self.file(unit.0);
        let discovery = self.setup.discovery_for(self.index.path(class.map_or(unit.0, |class| class.0)));
        let mut many = false;
        let mut skipped = false;
        let mut expected = false;
        let mut xdist_group = None;
        let mut wanted: Vec<Arc<str>> = Vec::new();
        let mut parameters: BTreeSet<String> = BTreeSet::new();
        let mut making = Making::default();
        for (at, mark) in self.marks_around(unit, class) {
            let marked = self.file(at.0);
            let Some(full) = mark_name(marked, &mark) else { continue };
            if let Some(entry) = self.mark_entry(at, &mark) {
                skipped |= entry.skips.as_ref().is_some_and(|flag| is_set(flag, entry, marked, &mark));
                expected |= entry.expects_failure && mark.args.iter().all(|arg| arg.name.is_some());
                if entry.redirects.is_some() {
                    making.ambience.in_memory |= entry.redirects == Some(Redirected::Files);
                }
            }
            // `@patch("app.CACHE_DIR", …)`, `@patch.dict(os.environ, …)`.
            if full.split('.').any(|part| part == "patch") {
                let mut leads = full.ends_with(".dict");
                mark.args.iter().for_each(|arg| texts(marked, arg.value, &mut |text| leads |= leads_to_files(text)));
                if leads {
                    making.ambience.home = Some(Where::Unknown);
                }
            }
            match last(&full) {
                "parametrize" => {
                    many |= mark.args.get(1).is_none_or(
                        |arg| !matches!(marked.value(arg.value), Value::List(all) | Value::Tuple(all) if all.len() < 2),
                    );
                    if let Some(arg) = mark.args.first() {
                        texts(marked, arg.value, &mut |text| {
                            parameters.extend(text.split(',').map(|name| name.trim().to_owned()));
                        });
                    }
                }
                "usefixtures" => {
                    for arg in &mark.args {
                        texts(marked, arg.value, &mut |text| wanted.push(text.into()));
                    }
                }
                "skip" => skipped = true,
                "skipif" => skipped |= mark.args.first().is_some_and(|arg| *marked.value(arg.value) == Value::Bool(true)),
                "xdist_group" => xdist_group = xdist_group.or_else(|| group_name(marked, &mark.args)),
                // `unittest.mock.patch("builtins.open")`.
                "patch" | "object" => making.ambience.patch(self.world.patched_by_mark(at, &mark)),
                // A decorator that we do not know and whose name says that it moves directories.
                other if moves_directory(other) && !full.contains("mark.") => making.ambience.cwd = Some(Where::Unknown),
                _ => {}
            }
        }
        let file = class.map_or(unit.0, |class| class.0);
        if self.setup.runs_in_own_folders(self.index.path(file)) {
            making.ambience.cwd = Some(Where::At(Arc::new(Place::root(Root::Fresh(Fresh::of_process())))));
        }
        self.start_modules(file, &mut making);
        // `pytestmark = pytest.mark.usefixtures("x")`.
        self.module_marks(file, class, &mut wanted, &mut skipped, &mut xdist_group);
        wanted.extend(discovery.usefixtures.iter().map(|name| Arc::from(name.as_str())));
        making.this =
            class.map(|class| Term::Object(Arc::new(Object { class, args: Vec::new(), fields: Vec::new(), site: None, via: 0 })));
        let autouse = self.autouse(file, class);
        for name in autouse.into_iter().chain(wanted) {
            self.use_fixture(&name, file, class, &mut making);
        }
        let method = |name: &str| class.and_then(|class| self.index.method(class, name));
        for (name, phase) in [
            ("setUpClass", Phase::WideSetup),
            ("setup_class", Phase::WideSetup),
            ("setUp", Phase::Setup),
            ("asyncSetUp", Phase::Setup),
            ("setup_method", Phase::Setup),
        ] {
            if let Some(setup) = method(name) {
                let this = making.this.clone().unwrap_or(Term::Unknown);
                self.run(setup, vec![this], phase, &mut making);
            }
        }
        if class.is_none() {
            self.run_named(file, "setup_function", Phase::Setup, &mut making);
        }
        let data = facts.unit(unit.1);
        let asks = self.asks_for_fixtures(unit, class);
        let mut params = Vec::new();
        for (n, param) in data.params.iter().enumerate() {
            let name = facts.name(param.name);
            params.push(match &making.this {
                Some(this) if n == 0 && data.shape != Shape::StaticMethod => this.clone(),
                _ if parameters.contains(name) => {
                    Term::Opaque(Arc::new(Opaque { site: NOWHERE, via: n as u64, mix: Mix::of(Discriminator::Param), ty: None }))
                }
                _ if name == "request" => self.request(unit, file, class, &mut making),
                _ => {
                    let unmet = making.unmet;
                    let value = self.use_fixture(name, file, class, &mut making);
                    making.unmet = unmet || making.unmet && asks && param.default.is_none();
                    value
                }
            });
        }
        if making.ambience.cwd.is_some() {
            making.effects.push(self.kept_directory(unit));
        }
        self.run(unit, params, Phase::Body, &mut making);
        let body = making.effects.len();
        if class.is_none() {
            self.run_named(file, "teardown_function", Phase::Teardown, &mut making);
        }
        for (name, phase) in [
            ("tearDown", Phase::Teardown),
            ("asyncTearDown", Phase::Teardown),
            ("teardown_method", Phase::Teardown),
            ("tearDownClass", Phase::WideSetup),
            ("teardown_class", Phase::WideSetup),
        ] {
            if let Some(teardown) = method(name) {
                let this = making.this.clone().unwrap_or(Term::Unknown);
                self.run(teardown, vec![this], phase, &mut making);
            }
        }
        self.end_modules(file, &mut making);
        // A tear-down runs however the test ends.
        making.effects[body..].iter_mut().for_each(|one| one.effect.assured = true);
        making.effects.iter_mut().chain(&mut making.teardown).for_each(|one| one.effect.expected |= expected);
        let marks = self.mark_names(unit, class);
        Test { class, many, skipped, marks, xdist_group, ..making.done(name, self.index.path(file), unit) }
    }

    /// Whether nobody but pytest's fixtures hands a test its arguments: no decorator of another kind, no hook that
    /// makes parameters, no plugin that has fixtures of its own.
    fn asks_for_fixtures(&self, unit: UnitRef, class: Option<ClassRef>) -> bool {
        const HOOK: &str = "pytest_generate_tests";
        let of_pytest = |(at, mark): &(UnitRef, Mark)| {
            let full = mark_name(self.file(at.0), mark).unwrap_or_default();
            full.contains("mark.") && last(&full) != "parametrize"
                || last(&full) == "parametrize" && mark.args.first().is_some_and(|arg| is_text(self.file(at.0), arg.value))
        };
        let file = class.map_or(unit.0, |class| class.0);
        let mut modules = [file].into_iter().chain(conftests(self.index, file)).chain(self.ground.plugins.files.iter().copied());
        !self.ground.plugins.outside
            && self.marks_around(unit, class).iter().all(of_pytest)
            && !modules.any(|module| self.index.in_module((module, UnitId(0)), HOOK, 0).is_some())
            && class.is_none_or(|class| self.index.method(class, HOOK).is_none())
    }

    /// A set-up moved the test to another directory, and takes it back: what the test does with it meanwhile does not last.
    fn kept_directory(&self, unit: UnitRef) -> TestEffect {
        let on = Place::state(Realm::WorkingDirectory, None);
        let effect = Effect { undone: true, ..Eval::new(&self.world, unit).new_effect(OpId(0), Verb::Read, on) };
        TestEffect { effect, phase: Phase::Setup, within: unit, relative: false }
    }

    /// What the module itself and hooks around it redirect and do, before its first test.
    fn start_modules(&self, file: FileId, making: &mut Making) {
        for module in conftests(self.index, file).into_iter().rev().chain([file]) {
            let mut redirects = self.world.summary((module, UnitId(0))).after.cwd.is_some();
            for (u, hook) in self.file(module).units.iter().enumerate() {
                let name = self.file(module).name(hook.name);
                let of_conftest = name.starts_with("pytest_");
                if hook.shape != Shape::Function || hook.class.is_some() || !(of_conftest || MODULE_STARTS.contains(&name)) {
                    continue;
                }
                let unit = (module, UnitId(u as u32));
                if if of_conftest { STARTING.contains(&name) && module != file } else { module == file } {
                    self.run(unit, Vec::new(), Phase::WideSetup, making);
                }
                let after = &self.world.summary(unit).after;
                redirects |= after.cwd.is_some();
                if after.temp.is_some() {
                    making.ambience.temp = Some(Where::Unknown);
                }
                if after.home.is_some() {
                    making.ambience.home = Some(Where::Unknown);
                }
            }
            if redirects {
                making.ambience.cwd = Some(Where::Unknown);
            }
        }
    }

    /// What the module and the hooks around it do after the last test.
    fn end_modules(&self, file: FileId, making: &mut Making) {
        for module in [file].into_iter().chain(conftests(self.index, file)) {
            for name in if module == file { MODULE_ENDS } else { ENDING } {
                if let Some(super::index::Binding::Function(unit)) = self.index.in_module((module, UnitId(0)), name, 0) {
                    self.run(unit, Vec::new(), Phase::WideSetup, making);
                }
            }
        }
    }

    /// Names of the autouse fixtures that a test of this file and class has, widest first.
    fn autouse(&self, file: FileId, class: Option<ClassRef>) -> Vec<Arc<str>> {
        let mut all: Vec<(bool, Arc<str>)> = Vec::new();
        let mut files = conftests(self.index, file);
        files.extend(&self.ground.plugins.files);
        files.reverse();
        files.push(file);
        for class in class.iter().flat_map(|class| self.index.order(*class)) {
            files.push(class.0);
        }
        files.dedup();
        for file in files {
            let of_file = self.ground.fixtures.get(&file).into_iter().flatten();
            for (name, fixture) in of_file.flat_map(|(name, all)| all.iter().map(move |fixture| (name, fixture))) {
                let fits = fixture.class.is_none_or(|owner| class.is_some_and(|class| self.index.order(class).contains(&owner)));
                if fixture.autouse && fits && !all.iter().any(|(_, known)| known == name) {
                    all.push((!fixture.wide, name.clone()));
                }
            }
        }
        all.sort_by_key(|(narrow, _)| *narrow);
        all.into_iter().map(|(_, name)| name).collect()
    }

    /// A fixture that pytest or a plugin provides.
    pub(super) fn outside_fixture(&self, name: &str, making: &mut Making) -> Term {
        let calls = self.index.calls(Language::Python);
        let Some(entry) = calls.get(&format!("fixture:{name}")) else {
            if moves_directory(name) {
                making.ambience.cwd = Some(Where::Unknown);
            }
            if leads_to_files(name) {
                making.ambience.home = Some(Where::Unknown);
            }
            making.unmet = true;
            return Term::Unknown;
        };
        match entry.redirects {
            Some(Redirected::Files) => making.ambience.in_memory = true,
            Some(Redirected::Cwd) => {
                let test = Place::root(Root::Fresh(Fresh::of_test()));
                making.ambience.cwd = Some(Where::At(Arc::new(test)));
            }
            Some(Redirected::Home) => making.ambience.home = Some(Where::Unknown),
            Some(_) => making.ambience.cwd = Some(Where::Unknown),
            None => {}
        }
        debug_assert!(entry.lifetime != Some(Lifetime::Block) || entry.redirects.is_none());
        match Eval::fixture(entry) {
            Some(value) => value,
            None => match &entry.ty {
                Some(ty) => {
                    Term::Opaque(Arc::new(Opaque { site: NOWHERE, via: 0, mix: Mix::EMPTY, ty: Some(ty.as_str().into()) }))
                }
                None => Term::Unknown,
            },
        }
    }

    /// Runs a unit as part of a test.
    pub(super) fn run(&self, unit: UnitRef, params: Vec<Term>, phase: Phase, making: &mut Making) -> Term {
        let mut eval = Eval::new(&self.world, unit);
        let gives = eval.instantiate(None, unit, params, &[]);
        let ambience = making.ambience.clone();
        let frame = Frame { world: &self.world, params: Vec::new(), captured: &[], ambience: &ambience, site: None };
        for effect in &eval.effects {
            let relative = matches!(effect.on.root, Root::Cwd | Root::Start);
            let Some(mut effect) = frame.effect(effect) else { continue };
            let relative = relative && effect.on.root == Root::Project;
            if effect.on.root == Root::Start {
                effect.on = Arc::new(Place { root: Root::Cwd, segments: effect.on.segments.clone() });
            }
            let leave = effect.leave;
            let phase = match phase {
                Phase::Setup if leave => Phase::Teardown,
                _ if effect.once => Phase::WideSetup,
                phase => phase,
            };
            effect.guards.extend(making.guards.iter().cloned());
            let one = TestEffect { effect, phase, within: unit, relative };
            if leave { making.teardown.push(one) } else { making.effects.push(one) }
        }
        let pools = eval.pools.iter().filter(|pool| !frame.ambience.replaces_pool(&self.world, pool));
        making.pools.extend(pools.map(|pool| TestPool { pool: pool.clone(), phase, within: unit }));
        if phase == Phase::Body {
            making.events.extend(unfold(&eval.course, &|unit| &self.world.summary(unit).events));
        }
        making.ambience = frame.ambience(&eval.state.ambience);
        making.guards.extend(eval.state.guards.iter().map(|lock| frame.lock(lock)));
        self.after_method(unit, eval.changed, making);
        frame.term(&gives, 0)
    }
}

/// Hooks of a `conftest.py` that every worker calls when it starts, and when it ends (pytest documentation, "API Reference", "Hooks").
pub(super) const STARTING: &[&str] = &["pytest_configure", "pytest_sessionstart"];
const ENDING: &[&str] = &["pytest_sessionfinish", "pytest_unconfigure"];

/// What a test module does before its first test, and after its last.
const MODULE_STARTS: &[&str] = &["setUpModule", "setup_module"];
const MODULE_ENDS: &[&str] = &["tearDownModule", "teardown_module"];

/// The site of what no operation made.
pub(super) const NOWHERE: Site = Site { file: FileId(u32::MAX), op: OpId(0) };

fn is_test_case(base: &str) -> bool {
    let name = last(base);
    name.ends_with("TestCase") || name.ends_with("TestBase") || base.starts_with("unittest.")
}

/// Whether the flag of a mark is set, as far as its arguments are literals.
fn is_set(flag: &Flag, entry: &calls::Call, facts: &FileFacts, mark: &Mark) -> bool {
    let name = match flag {
        Flag::Always(always) => return *always,
        Flag::Param(name) => name,
    };
    let at = entry.params.iter().position(|param| param == name);
    let named = mark.args.iter().find(|arg| arg.name.is_some_and(|arg| facts.name(arg) == name));
    let arg = named.or_else(|| mark.args.iter().filter(|arg| arg.name.is_none()).nth(at?));
    let unless = facts.dotted(mark.callee).is_some_and(|name| name.ends_with("Unless"));
    arg.is_some_and(|arg| match facts.value(arg.value) {
        Value::Bool(set) => *set != unless,
        Value::Text(text) => facts.name(*text) == "True",
        Value::Int(n) => *n != 0,
        _ => false,
    })
}

/// The name of an `xdist_group` mark (pytest-xdist documentation, "Running tests across multiple CPUs").
pub(super) fn group_name(facts: &FileFacts, args: &[crate::facts::Arg]) -> Option<String> {
    let mut name = None;
    for arg in args {
        texts(facts, arg.value, &mut |text| name = Some(text.to_owned()));
    }
    Some(name.unwrap_or_else(|| "default".to_owned()))
}

/// Whether a value is a text, or a list of texts.
fn is_text(facts: &FileFacts, value: V) -> bool {
    match facts.value(value) {
        Value::Text(_) => true,
        Value::List(all) | Value::Tuple(all) => all.iter().all(|one| is_text(facts, *one)),
        _ => false,
    }
}

/// All texts in a value: one, or those of a list.
pub(super) fn texts(facts: &FileFacts, value: V, f: &mut dyn FnMut(&str)) {
    match facts.value(value) {
        Value::Text(text) => f(facts.name(*text)),
        Value::List(all) | Value::Tuple(all) => all.iter().for_each(|one| texts(facts, *one, f)),
        _ => {}
    }
}
