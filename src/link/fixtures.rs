//! Which fixture a name means to a test, and what pytest does to make it (pytest documentation, "How to use fixtures" and "Fixtures
//! reference").

use super::index::{Binding, walk_ops};
use super::suite::{Fixture, Maker, Making, Phase};
use super::term::{ClassRef, Term, UnitRef};
use crate::facts::{Language, Shape, UnitId, Value, What};
use crate::text::FileId;
use std::sync::Arc;

/// Fixtures that need one another.
const OPEN: usize = 12;

impl Maker<'_, '_> {
    /// Files whose fixtures every test sees: plugins that the configuration, a `conftest.py` or the distribution names.
    pub(super) fn find_plugins(&mut self) {
        let mut names: Vec<(FileId, String)> = self.setup.plugins.iter().map(|name| (FileId(0), name.clone())).collect();
        for i in 0..self.index.facts.len() {
            let file = FileId(i as u32);
            if self.index.path(file).ends_with(".py") && self.index.sym(file, "pytest_plugins").is_some() {
                let named = self.world.variable((file, UnitId(0)), "pytest_plugins");
                let all = match named.plain() {
                    Term::List(all) => all.to_vec(),
                    one => vec![one.clone()],
                };
                names.extend(all.iter().filter_map(Term::as_literal).map(|name| (file, name)));
            }
        }
        for (from, name) in names {
            if let Some(Binding::Module((file, _))) = self.index.dotted(&name, from)
                && !self.plugins.contains(&file)
            {
                self.plugins.push(file);
            }
        }
    }

    /// All fixtures of a name that a test of this file and class sees: the one that counts, then those that it overrides.
    fn fixtures_named(&self, file: FileId, class: Option<ClassRef>, name: &str) -> Vec<Fixture> {
        let mut all: Vec<Fixture> = Vec::new();
        let mut add = |fixture: Option<Fixture>| {
            if let Some(fixture) = fixture.filter(|fixture| all.iter().all(|known| known.unit != fixture.unit)) {
                all.push(fixture);
            }
        };
        let own = |file: FileId| self.fixtures.get(&file).and_then(|all| all.get(name)).cloned();
        for class in class.iter().flat_map(|class| self.index.order(*class)) {
            add(own(class.0).filter(|fixture| fixture.class == Some(*class)));
        }
        for module in [file].into_iter().chain(self.conftests(file)).chain(self.plugins.iter().copied()) {
            add(own(module).filter(|fixture| fixture.class.is_none()));
            // A fixture that the module imports.
            if let Some(Binding::Function(unit)) = self.index.in_module((module, UnitId(0)), name, 0) {
                let there = self.fixtures.get(&unit.0);
                add(there.and_then(|all| all.values().find(|fixture| fixture.unit == unit)).cloned());
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
