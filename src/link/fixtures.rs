//! Which fixture a name means to a test, and what pytest does to make it (pytest documentation, "How to use fixtures" and "Fixtures
//! reference").

use super::index::{Binding, Index, dir_of, join, walk_ops};
use super::suite::{Fixture, Maker, Making, Phase, last};
use super::term::{ClassRef, Term, UnitRef};
use super::world::World;
use crate::facts::run::{below, left_out};
use crate::facts::{FileFacts, Language, Operator, Shape, Unit, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Fixtures that need one another.
const OPEN: usize = 12;

/// Fixtures of one file by name: those of the module, and methods of several classes.
pub(super) type OfFile = BTreeMap<Arc<str>, Vec<Fixture>>;

/// The fixtures of the project, by the file that defines them.
pub(super) fn fixtures(index: &Index) -> HashMap<FileId, OfFile> {
    let of_file = |(i, facts): (usize, &Arc<FileFacts>)| {
        let file = FileId(i as u32);
        let mut found = OfFile::new();
        for (u, unit) in facts.units.iter().enumerate() {
            if let Some((name, fixture)) = fixture(facts, (file, UnitId(u as u32)), unit) {
                found.entry(name).or_default().push(fixture);
            }
        }
        (!found.is_empty()).then_some((file, found))
    };
    let python = index.facts.iter().enumerate().filter(|(_, facts)| facts.language == Language::Python);
    python.filter_map(of_file).collect()
}

/// What the decorator `@pytest.fixture` of a function says, with the name that tests ask for.
fn fixture(facts: &FileFacts, unit: UnitRef, data: &Unit) -> Option<(Arc<str>, Fixture)> {
    let is_fixture = |name: String| matches!(last(&name), "fixture" | "yield_fixture");
    let mark = data.marks.iter().find(|mark| facts.dotted(mark.callee).is_some_and(is_fixture))?;
    let arg = |name: &str| mark.args.iter().find(|arg| arg.name.is_some_and(|n| facts.name(n) == name)).map(|arg| arg.value);
    let text = |value: V| match facts.value(value) {
        Value::Text(text) => Some(facts.name(*text)),
        _ => None,
    };
    let name = arg("name").and_then(text).unwrap_or_else(|| facts.name(data.name));
    let scope = arg("scope").map(|scope| text(scope).unwrap_or("session"));
    let fixture = Fixture {
        unit,
        wide: scope.is_some_and(|scope| scope != "function"),
        autouse: arg("autouse").is_some_and(|value| matches!(facts.value(value), Value::Bool(true))),
        class: data.class.map(|class| (unit.0, class)),
    };
    Some((name.into(), fixture))
}

/// Plugins that the configuration, a `conftest.py` or the distribution names.
pub(super) struct Plugins {
    /// Files of the project whose fixtures every test sees.
    pub files: Vec<FileId>,
    /// One is not part of the project: which fixtures it has is not known.
    pub outside: bool,
}

/// The plugins that are named.
pub(super) fn plugins(world: &World) -> Plugins {
    let index = world.index;
    let mut names: Vec<(FileId, String)> = world.setup.plugins.iter().map(|name| (FileId(0), name.clone())).collect();
    for i in 0..index.facts.len() {
        let file = FileId(i as u32);
        if index.path(file).ends_with(".py") && index.sym(file, "pytest_plugins").is_some() {
            let named = world.variable((file, UnitId(0)), "pytest_plugins");
            let all = match named.plain() {
                Term::List(all) => all.to_vec(),
                one => vec![one.clone()],
            };
            names.extend(all.iter().filter_map(Term::as_literal).map(|name| (file, name)));
        }
    }
    let mut plugins = Plugins { files: Vec::new(), outside: false };
    for (from, name) in names {
        match index.dotted(&name, from) {
            Some(Binding::Module((file, _))) if !plugins.files.contains(&file) => plugins.files.push(file),
            Some(Binding::Module(_)) => {}
            // `-p no:cacheprovider`; pytest's own `pytester` is known.
            _ => plugins.outside |= name != "no" && name != "pytester",
        }
    }
    plugins
}

/// Files that no test is collected from, since `collect_ignore` or `collect_ignore_glob` of a `conftest.py` names them or a folder around
/// them (pytest documentation, "Customizing test collection"). What is left out under a condition counts too.
pub(super) fn uncollected(world: &World) -> BTreeSet<FileId> {
    let index = world.index;
    let mut out = BTreeSet::new();
    for i in 0..index.facts.len() {
        let conftest = FileId(i as u32);
        let path = index.path(conftest);
        if path != "conftest.py" && !path.ends_with("/conftest.py") {
            continue;
        }
        let dir = dir_of(path);
        let patterns: Vec<String> = ["collect_ignore", "collect_ignore_glob"]
            .into_iter()
            .filter(|name| index.sym(conftest, name).is_some())
            .flat_map(|name| entries(world, conftest, name))
            .filter_map(|entry| {
                Some(join(&dir, entry.trim_start_matches("./").trim_end_matches('/'))).filter(|path| !path.is_empty())
            })
            .collect();
        if patterns.is_empty() {
            continue;
        }
        for other in (0..index.facts.len()).map(|i| FileId(i as u32)) {
            let path = index.path(other);
            // What a command names is collected all the same.
            let named =
                || world.setup.runs.iter().any(|run| left_out(&run.scope, &patterns) && below(path, &run.scope).is_some());
            if index.file(other).language == Language::Python && left_out(path, &patterns) && !named() {
                out.insert(other);
            }
        }
    }
    out
}

/// All texts that a module puts into a list of its own, however it does so.
fn entries(world: &World, file: FileId, name: &str) -> Vec<String> {
    let facts = world.index.file(file);
    let list = |value: V| matches!(facts.value(value), Value::Name(sym) if facts.name(*sym) == name);
    let mut found: Vec<String> = match world.variable((file, UnitId(0)), name).plain() {
        Term::List(all) => all.iter().filter_map(Term::as_literal).collect(),
        _ => Vec::new(),
    };
    walk_ops(&facts.units[0].body, &mut |op| match &facts.op(op).what {
        What::Store { to, value, .. } if list(*to) => written(facts, *value, &mut found),
        What::Call { callee, args } => {
            if let Value::Attr(base, method) = facts.value(*callee)
                && list(*base)
                && matches!(facts.name(*method), "append" | "extend")
            {
                args.iter().for_each(|arg| written(facts, arg.value, &mut found));
            }
        }
        _ => {}
    });
    found
}

/// The texts of a display, and of displays that are put together.
fn written(facts: &FileFacts, value: V, out: &mut Vec<String>) {
    match facts.value(value) {
        Value::Text(text) => out.push(facts.name(*text).to_owned()),
        Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.iter().for_each(|one| written(facts, *one, out)),
        Value::Star(inner) => written(facts, *inner, out),
        Value::Binary(Operator::Add, a, b) => [a, b].into_iter().for_each(|one| written(facts, *one, out)),
        Value::Choice { then, other, .. } => [then, other].into_iter().for_each(|one| written(facts, *one, out)),
        _ => {}
    }
}

/// The `conftest.py` files that a test file sees, nearest first.
pub(super) fn conftests(index: &Index, file: FileId) -> Vec<FileId> {
    let mut out = Vec::new();
    let mut dir = dir_of(index.path(file));
    loop {
        if let Some(found) = index.file_at(&join(&dir, "conftest.py")) {
            out.push(found);
        }
        if dir.is_empty() {
            return out;
        }
        dir = dir_of(&dir);
    }
}

impl Maker<'_, '_> {
    /// All fixtures of a name that a test of this file and class sees: the one that counts, then those that it overrides.
    fn fixtures_named(&self, file: FileId, class: Option<ClassRef>, name: &str) -> Vec<Fixture> {
        let mut all: Vec<Fixture> = Vec::new();
        let mut add = |fixture: Option<Fixture>| {
            if let Some(fixture) = fixture.filter(|fixture| all.iter().all(|known| known.unit != fixture.unit)) {
                all.push(fixture);
            }
        };
        let own = |file: FileId, class: Option<ClassRef>| {
            let all = self.ground.fixtures.get(&file).and_then(|all| all.get(name))?;
            all.iter().rfind(|fixture| fixture.class == class).cloned()
        };
        for class in class.iter().flat_map(|class| self.index.order(*class)) {
            add(own(class.0, Some(*class)));
        }
        for module in [file].into_iter().chain(conftests(self.index, file)).chain(self.ground.plugins.files.iter().copied()) {
            add(own(module, None));
            // A fixture that the module imports.
            if let Some(Binding::Function(unit)) = self.index.in_module((module, UnitId(0)), name, 0) {
                let there = self.ground.fixtures.get(&unit.0);
                add(there.and_then(|all| all.values().flatten().find(|fixture| fixture.unit == unit)).cloned());
            }
        }
        all
    }

    /// The value of a fixture; what it does and redirects goes into the test.
    pub(super) fn use_fixture(&self, name: &str, file: FileId, class: Option<ClassRef>, making: &mut Making) -> Term {
        if let Some(value) = making.values.get(name) {
            return value.clone();
        }
        if making.open.len() > OPEN || making.open.iter().any(|open| &**open == name) {
            return Term::Unknown;
        }
        let value = match self.fixtures_named(file, class, name).as_slice() {
            [] => self.outside_fixture(name, making),
            found => {
                // A project's own `pytester` is still one: it goes to a directory of its own.
                if self
                    .index
                    .calls(Language::Python)
                    .get(&format!("fixture:{name}"))
                    .is_some_and(|entry| entry.redirects.is_some())
                {
                    self.outside_fixture(name, making);
                }
                making.open.push(name.into());
                let value = self.make_fixture(name, found, file, class, making);
                making.open.pop();
                value
            }
        };
        making.values.insert(name.into(), value.clone());
        value
    }

    /// Makes the first of several fixtures of one name; the others are what it overrides, and may ask for.
    fn make_fixture(&self, name: &str, found: &[Fixture], file: FileId, class: Option<ClassRef>, making: &mut Making) -> Term {
        let Some((fixture, overridden)) = found.split_first() else { return self.outside_fixture(name, making) };
        let facts = self.index.file(fixture.unit.0);
        let data = facts.unit(fixture.unit.1);
        let mut params = Vec::new();
        for (n, param) in data.params.iter().enumerate() {
            let param = facts.name(param.name);
            params.push(if n == 0 && data.class.is_some() {
                making.this.clone().unwrap_or(Term::Unknown)
            } else if param == name {
                self.make_fixture(name, overridden, file, class, making)
            } else if param == "request" {
                self.request(fixture.unit, file, class, making)
            } else if self.fixtures_named(file, class, param).is_empty() {
                self.use_fixture(param, fixture.unit.0, class, making)
            } else {
                self.use_fixture(param, file, class, making)
            });
        }
        let phase = if fixture.wide { Phase::WideSetup } else { Phase::Setup };
        self.run(fixture.unit, params, phase, making)
    }

    /// The `request` of a test or fixture, with the fixtures that it asks for by literal names.
    pub(super) fn request(&self, unit: UnitRef, file: FileId, class: Option<ClassRef>, making: &mut Making) -> Term {
        let facts = self.index.file(unit.0);
        let mut names = Vec::new();
        walk_ops(&facts.unit(unit.1).body, &mut |op| {
            let What::Call { callee, args } = &facts.op(op).what else { return };
            if let (Value::Attr(_, name), Some(arg)) = (facts.value(*callee), args.first())
                && facts.name(*name) == "getfixturevalue"
                && let Value::Text(text) = facts.value(arg.value)
            {
                names.push(facts.name(*text));
            }
        });
        let request = self.outside_fixture("request", making);
        let fields = names.into_iter().map(|name| (asked(name), self.use_fixture(name, file, class, making))).collect();
        request.with_fields(fields)
    }

    /// The object whose methods are run, after one of them.
    pub(super) fn after_method(&self, unit: UnitRef, changed: Option<Term>, making: &mut Making) {
        let method = self.index.file(unit.0).unit(unit.1).shape == Shape::Method;
        if let Some(this) = changed.filter(|_| method && making.this.is_some()) {
            making.this = Some(this);
        }
    }
}

/// The field of `request` that holds a fixture that is asked for by name.
pub(super) fn asked(name: &str) -> Arc<str> {
    format!("<fixture {name}>").into()
}
