//! Rust tests, and what their macros do around them: rstest's fixtures, test_context's contexts, serial_test's locks (the crates'
//! documentation), nextest's groups.

use super::index::{Binding, Index};
use super::place::{Fresh, Place, Realm, Root};
use super::suite::{Maker, Making, NOWHERE, Phase, Test, last, mark_name};
use super::summary::Where;
use super::term::{ClassRef, Lock, Mix, Opaque, Piece, Term, UnitRef};
use crate::calls::{Discriminator, Reach, Redirected};
use crate::facts::run::{Hold, Setup};
use crate::facts::{FileFacts, Language, Mark, Param, Shape, UnitId, V, Value};
use crate::text::FileId;
use std::collections::HashMap;
use std::sync::Arc;

/// Fixtures that need one another.
const OPEN: usize = 12;

/// What runs before `main` in a Rust binary (`#[ctor]`), by its root file.
pub(super) fn constructors(index: &Index) -> HashMap<FileId, Vec<UnitRef>> {
    let mut out: HashMap<FileId, Vec<UnitRef>> = HashMap::new();
    for (i, facts) in index.facts.iter().enumerate().filter(|(_, facts)| facts.language == Language::Rust) {
        let file = FileId(i as u32);
        for (u, unit) in facts.units.iter().enumerate() {
            if unit.marks.iter().any(|mark| mark_name(facts, mark).is_some_and(|name| last(&name) == "ctor")) {
                out.entry(index.crate_root(file).0).or_default().push((file, UnitId(u as u32)));
            }
        }
    }
    out
}

impl Maker<'_, '_> {
    pub(super) fn rust_tests(&self, file: FileId, out: &mut Vec<Test>) {
        if is_orphan(self.index, self.setup, file) {
            return;
        }
        for (u, unit) in self.file(file).units.iter().enumerate() {
            if matches!(unit.shape, Shape::Function | Shape::StaticMethod) {
                out.extend(self.rust_test((file, UnitId(u as u32))));
            }
        }
    }

    fn rust_test(&self, unit: UnitRef) -> Option<Test> {
        let (file, facts) = (unit.0, self.file(unit.0));
        let data = facts.unit(unit.1);
        let path = self.index.path(file);
        let mut is_test = false;
        let mut many = 0;
        let mut skipped = false;
        let mut moved = false;
        for mark in &data.marks {
            let Some(name) = mark_name(facts, mark) else { continue };
            let entry = self.mark_entry(unit, mark);
            is_test |= is_test_mark(&name) || entry.is_some_and(|entry| entry.test);
            moved |= entry.is_some_and(|entry| entry.redirects == Some(Redirected::Cwd));
            many += match last(&name) {
                "values" => mark.args.len(),
                "case" | "test_case" => 1,
                _ => usize::from(entry.is_some_and(|entry| entry.repeats)),
            };
            skipped |= last(&name) == "ignore";
        }
        if !is_test {
            return None;
        }
        let root = self.index.crate_root(file);
        let package = self.setup.crate_of(path);
        let mut making = Making::default();
        let mut home = Place::root(Root::Project);
        let dir = package.map_or("", |package| package.dir.as_str());
        home.segments.extend(dir.split('/').filter(|part| !part.is_empty()).map(|part| vec![Piece::Lit(part.into())]));
        let home = if moved { Place::root(Root::Fresh(Fresh::of_test())) } else { home };
        making.ambience.cwd = Some(Where::At(Arc::new(home)));
        for constructor in self.ground.constructors.get(&root.0).into_iter().flatten() {
            self.run(*constructor, Vec::new(), Phase::WideSetup, &mut making);
        }
        let context = self.context(unit);
        let setup = context.and_then(|class| self.index.method(class, "setup"));
        let given = setup.map(|setup| self.run(setup, Vec::new(), Phase::Setup, &mut making));
        let injected = data.marks.iter().filter_map(|mark| mark_name(facts, mark)).any(|name| last(&name) == "rstest");
        let mut params = Vec::new();
        for (n, param) in data.params.iter().enumerate() {
            params.push(match &given {
                Some(context) if n == 0 => context.clone(),
                _ if injected => self.injected(unit, n, param, &mut making),
                _ => parameter(n),
            });
        }
        self.run(unit, params, Phase::Body, &mut making);
        if let (Some(given), Some(class)) = (given, context)
            && let Some(teardown) = self.index.method(class, "teardown")
        {
            self.run(teardown, vec![given], Phase::Teardown, &mut making);
        }
        let name = self.rust_name(file, unit.1, package.map(|package| package.name.as_str()));
        let (queue, alone) = self.queue(unit, root.0, package.map_or("", |package| package.name.as_str()));
        let guards = self.serial_locks(unit);
        let mut made = making.done(name, path, unit);
        if moved {
            // The working directory belongs to the process: a mark that gives a test one of its own runs it in another process (sealed_test
            // documentation, "How it works"), and nobody else meets what it does there.
            made.state.retain(|one| !one.effect.on.realm().is_some_and(Realm::is_of_process));
        }
        Some(Test { group: root.0, many: many > 1, skipped, queue, alone, guards, ..made })
    }

    /// Locks of `#[serial]` and its kin, on the test and on the modules around it.
    fn serial_locks(&self, unit: UnitRef) -> Vec<Lock> {
        let facts = self.file(unit.0);
        let mut guards = Vec::new();
        let mut at = Some(unit.1);
        while let Some(id) = at {
            let data = facts.unit(id);
            for mark in &data.marks {
                let Some(name) = mark_name(facts, mark) else { continue };
                let (reach, shared) = match last(&name) {
                    "serial" => (Reach::Process, false),
                    "parallel" => (Reach::Process, true),
                    "file_serial" => (Reach::Host, false),
                    "file_parallel" => (Reach::Host, true),
                    _ => continue,
                };
                let keys = mark.args.iter().filter(|arg| arg.name.is_none()).filter_map(|arg| facts.dotted(arg.value));
                let mut keys: Vec<String> = keys.collect();
                if keys.is_empty() {
                    keys.push(String::new());
                }
                guards.extend(keys.iter().map(|key| Lock { reach, shared, on: Term::text(&format!("serial {key}")) }));
            }
            at = data.parent;
        }
        guards
    }

    /// The context type of `#[test_context(Type)]`.
    fn context(&self, unit: UnitRef) -> Option<ClassRef> {
        let facts = self.file(unit.0);
        let mark = facts
            .unit(unit.1)
            .marks
            .iter()
            .find(|mark| mark_name(facts, mark).is_some_and(|name| last(&name) == "test_context"))?;
        match self.index.resolve_value(unit.0, unit.1, mark.args.first()?.value)? {
            Binding::Class(class) => Some(self.index.class_of_impl(class)),
            _ => None,
        }
    }

    /// What rstest passes for a parameter: a case, a value, or the fixture of its name.
    fn injected(&self, unit: UnitRef, n: usize, param: &Param, making: &mut Making) -> Term {
        let facts = self.file(unit.0);
        let marked = |name: &str| param.marks.iter().find(|mark| mark_name(facts, mark).is_some_and(|full| last(&full) == name));
        if ["case", "values", "files", "values_from", "context"].iter().any(|name| marked(name).is_some()) {
            return parameter(n);
        }
        let with: Vec<Term> = marked("with").map(|mark| literals(facts, mark)).unwrap_or_default();
        let fixture = match marked("from").and_then(|mark| mark.args.first()) {
            Some(from) => self.index.resolve_value(unit.0, unit.1, from.value),
            None => {
                // `_name` is the fixture `name`, not used in the body.
                let name = facts.name(param.name).trim_start_matches('_');
                self.index.in_module((unit.0, self.index.module_of(unit.0, unit.1)), name, 0)
            }
        };
        match fixture {
            Some(Binding::Function(fixture)) => self.rust_fixture(fixture, with, making).unwrap_or_else(|| parameter(n)),
            _ => parameter(n),
        }
    }

    fn rust_fixture(&self, fixture: UnitRef, with: Vec<Term>, making: &mut Making) -> Option<Term> {
        let facts = self.file(fixture.0);
        let data = facts.unit(fixture.1);
        let marked = |marks: &[Mark], name: &str| {
            marks.iter().find(|mark| mark_name(facts, mark).is_some_and(|full| last(&full) == name)).cloned()
        };
        marked(&data.marks, "fixture")?;
        let name: Arc<str> = facts.name(data.name).into();
        if making.open.len() > OPEN || making.open.contains(&name) {
            return None;
        }
        let once = marked(&data.marks, "once").is_some();
        if let Some(value) = making.values.get(&name).filter(|_| once) {
            return Some(value.clone());
        }
        making.open.push(name.clone());
        let mut params = Vec::new();
        for (n, param) in data.params.iter().enumerate() {
            let default = || marked(&param.marks, "default").and_then(|mark| Some(literal(facts, mark.args.first()?.value)));
            params.push(match with.get(n).cloned().or_else(default) {
                Some(term) => term,
                None => self.injected(fixture, n, param, making),
            });
        }
        making.open.pop();
        let phase = if once { Phase::WideSetup } else { Phase::Setup };
        let value = self.run(fixture, params, phase, making);
        if once {
            making.values.insert(name, value.clone());
        }
        Some(value)
    }

    /// The nextest group of one thread that holds a test, and whether nothing runs beside it.
    fn queue(&self, unit: UnitRef, root: FileId, package: &str) -> (Option<String>, bool) {
        let path = self.index.path(root);
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
        let binary = if matches!(stem, "lib" | "main") { package } else { stem };
        let full = self.rust_name(unit.0, unit.1, None);
        let name = full.strip_prefix(stem).and_then(|name| name.strip_prefix("::")).unwrap_or(&full);
        let mut queue = None;
        let mut alone = false;
        for one in self.setup.queues.iter().filter(|one| crate::facts::run::below(path, &one.scope).is_some()) {
            // Whether it is meant is not always known; then it is taken to be.
            if one.filter.matches(name, binary, package) == Some(false) {
                continue;
            }
            match &one.hold {
                Hold::Alone => alone = true,
                // The first override that names a group counts.
                Hold::Group(name, threads) if queue.is_none() => queue = Some((name, *threads)),
                Hold::Group(..) => {}
            }
        }
        (queue.filter(|(_, threads)| *threads == 1).map(|(name, _)| name.clone()), alone)
    }

    /// `krate::module::test`.
    fn rust_name(&self, file: FileId, unit: UnitId, package: Option<&str>) -> String {
        let facts = self.file(file);
        let mut parts = vec![facts.name(facts.unit(unit).name).to_owned()];
        let mut at = facts.unit(unit).parent;
        while let Some(id) = at {
            let unit = facts.unit(id);
            if unit.shape == Shape::Module && unit.parent.is_some() {
                parts.push(facts.name(unit.name).to_owned());
            }
            at = unit.parent;
        }
        let path = self.index.path(file).trim_end_matches(".rs");
        let below = package
            .and_then(|_| self.setup.crate_of(self.index.path(file)))
            .and_then(|package| path.strip_prefix(package.dir.as_str()))
            .unwrap_or(path)
            .trim_start_matches('/');
        let modules = below.trim_start_matches("src/").trim_end_matches("/mod");
        if !matches!(modules, "lib" | "main") {
            parts.extend(modules.split('/').rev().filter(|part| *part != "tests").map(str::to_owned));
        }
        parts.extend(package.map(str::to_owned));
        parts.reverse();
        parts.join("::")
    }
}

/// A parameter that a macro fills in: another value for each instance of the test.
fn parameter(n: usize) -> Term {
    Term::Opaque(Arc::new(Opaque { site: NOWHERE, via: n as u64, mix: Mix::of(Discriminator::Param), ty: None }))
}

/// The positional arguments of a mark.
fn literals(facts: &FileFacts, mark: &Mark) -> Vec<Term> {
    mark.args.iter().filter(|arg| arg.name.is_none()).map(|arg| literal(facts, arg.value)).collect()
}

fn literal(facts: &FileFacts, value: V) -> Term {
    match facts.value(value) {
        Value::Text(text) => Term::text(facts.name(*text)),
        Value::Int(n) => Term::Int(*n),
        Value::Bool(b) => Term::Bool(*b),
        _ => Term::Opaque(Arc::new(Opaque { site: NOWHERE, via: u64::from(value.0) + (1 << 32), mix: Mix::EMPTY, ty: None })),
    }
}

/// Whether an attribute makes a function a test, by its name.
pub(super) fn is_test_mark(name: &str) -> bool {
    matches!(last(name), "test" | "rstest" | "test_case" | "apply" | "quickcheck") || last(name).ends_with("_test")
}
/// A Rust file that no target of its crate holds: it is not compiled.
pub(super) fn is_orphan(index: &Index, setup: &Setup, file: FileId) -> bool {
    let root = index.path(index.crate_root(file).0);
    let package = setup.crate_of(root);
    package.is_some_and(|package| !package.targets.is_empty() && package.target_of(root).is_none())
}
