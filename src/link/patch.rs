//! Mocks: what is replaced while a test or a block runs, of libraries and of the project itself (Python documentation,
//! "unittest.mock — the patchers"; pytest documentation, "How to monkeypatch").

use super::call::Passed;
use super::eval::Eval;
use super::index::Binding;
use super::place::Place;
use super::summary::{Ambience, Where};
use super::term::{Site, Term, UnitRef};
use super::world::World;
use crate::facts::{FileFacts, Mark, OpId, V, Value, What};
use crate::text::FileId;
use std::sync::Arc;

/// Something that stands for itself no longer.
#[derive(Clone, PartialEq, Debug)]
pub enum Patched {
    /// A library call, or what could not be resolved: `shutil.rmtree`.
    Call(Arc<str>),
    /// A function or method of the project.
    Unit(UnitRef),
    /// The path that a variable of the project held: whoever reads the variable sees another one.
    Path(Arc<Place>),
}

impl Ambience {
    /// Whether a library call is replaced by something else here.
    pub fn replaces(&self, call: &str) -> bool {
        let last = |name: &str| name.rsplit(['.', ':']).next().unwrap_or(name).to_owned();
        self.patched.iter().any(|patched| match patched {
            // `patch("package.module.shutil.rmtree")` and `patch("package.module.open")` name it through a module of the project.
            Patched::Call(patched) => {
                last(patched) == last(call)
                    && (call.starts_with("builtins.")
                        || !call.contains('.')
                        || patched.ends_with(call)
                        || call.ends_with(&**patched))
            }
            _ => false,
        })
    }

    /// Whether a unit of the project is replaced.
    pub fn replaces_unit(&self, unit: UnitRef) -> bool {
        self.patched.contains(&Patched::Unit(unit))
    }

    /// Whether one of these operations stands in a unit that is replaced.
    pub fn replaces_any(&self, world: &World, sites: impl Iterator<Item = Site>) -> bool {
        let units = self.patched.iter().any(|patched| matches!(patched, Patched::Unit(_)));
        units && sites.flat_map(|site| world.index.units_at(site)).any(|unit| self.replaces_unit(unit))
    }

    /// Whether one of these operations keeps what a replaced unit gives: a path that comes from it is another one.
    pub fn replaces_source(&self, world: &World, sites: &[Site]) -> bool {
        let units = self.patched.iter().any(|patched| matches!(patched, Patched::Unit(_)));
        units && sites.iter().filter_map(|site| world.index.source_unit(*site)).any(|unit| self.replaces_unit(unit))
    }

    /// Whether a path is one that a patched variable held, or lies below it.
    pub fn hides(&self, place: &Place) -> bool {
        self.patched.iter().any(|patched| match patched {
            Patched::Path(path) => path.root == place.root && place.segments.starts_with(&path.segments),
            _ => false,
        })
    }

    /// Takes on what another one says about where paths lead.
    pub fn move_to(&mut self, other: &Ambience) {
        self.cwd = other.cwd.clone().or(self.cwd.take());
        self.home = other.home.clone().or(self.home.take());
        self.temp = other.temp.clone().or(self.temp.take());
        self.in_memory |= other.in_memory;
        self.patch(other.patched.clone());
    }

    pub fn patch(&mut self, more: Vec<Patched>) {
        for patched in more {
            if !self.patched.contains(&patched) {
                self.patched.push(patched);
            }
        }
    }
}

impl World<'_> {
    /// What `patch("package.module.name")` replaces.
    pub fn patched_name(&self, file: FileId, name: &str) -> Vec<Patched> {
        let mut all = vec![Patched::Call(name.into())];
        if let Some((holder, name)) = name.rsplit_once('.')
            && let Some(binding) = self.index.dotted(holder, file)
        {
            all.extend(self.patched_member(&binding, name));
        }
        all
    }

    /// What `patch.object(holder, "name")` replaces in a module or class of the project.
    pub fn patched_member(&self, holder: &Binding, name: &str) -> Vec<Patched> {
        let path = |term: Term| Place::of(&term).filter(|place| place.is_settled() && !place.segments.is_empty());
        let variable = |term: Term| path(term).map(|place| Patched::Path(Arc::new(place))).into_iter().collect();
        match holder {
            Binding::Module(module) => match self.index.in_module(*module, name, 0) {
                Some(Binding::Function(unit)) => vec![Patched::Unit(unit)],
                // None of a class that is replaced is made.
                Some(Binding::Class(class)) => {
                    self.index.methods(self.index.class_of_impl(class)).into_values().map(Patched::Unit).collect()
                }
                Some(Binding::Variable(module, name)) => variable(self.variable(module, &name)),
                Some(Binding::External(name)) => vec![Patched::Call(name)],
                Some(Binding::Module(_)) | None => Vec::new(),
            },
            Binding::Class(class) => match self.index.method(*class, name) {
                Some(unit) => vec![Patched::Unit(unit)],
                None => self.class_variable(*class, name).map(variable).unwrap_or_default(),
            },
            Binding::External(holder) => vec![Patched::Call(format!("{holder}.{name}").into())],
            _ => Vec::new(),
        }
    }

    /// What a decorator of `unittest.mock` replaces, seen from a unit.
    pub fn patched_by_mark(&self, unit: UnitRef, mark: &Mark) -> Vec<Patched> {
        let facts = self.index.file(unit.0);
        let text = |n: usize| mark.args.get(n).and_then(|arg| literal(facts, arg.value));
        let Some(callee) = facts.dotted(mark.callee) else { return Vec::new() };
        if callee == "patch" || callee.ends_with(".patch") {
            return text(0).map(|name| self.patched_name(unit.0, name)).unwrap_or_default();
        }
        let Some(holder) = mark.args.first().filter(|_| callee.ends_with("patch.object")).map(|arg| arg.value) else {
            return Vec::new();
        };
        let Some(name) = text(1) else { return Vec::new() };
        let mut all: Vec<Patched> =
            facts.dotted(holder).map(|holder| Patched::Call(format!("{holder}.{name}").into())).into_iter().collect();
        if let Some(binding) = self.index.resolve_value(unit.0, unit.1, holder) {
            all.extend(self.patched_member(&binding, name));
        }
        all
    }
}

fn literal(facts: &FileFacts, value: V) -> Option<&str> {
    match facts.value(value) {
        Value::Text(text) => Some(facts.name(*text)),
        _ => None,
    }
}

impl Eval<'_, '_> {
    /// What a call of `patch("a.b")` or `patch.object(a, "b")` replaces.
    pub(super) fn patches(&mut self, op: OpId) -> Vec<Patched> {
        let What::Call { callee, args } = &self.facts.op(op).what else { return Vec::new() };
        let (Value::Name(last) | Value::Attr(_, last)) = self.facts.value(*callee) else { return Vec::new() };
        if !matches!(self.facts.name(*last), "patch" | "object") {
            return Vec::new();
        }
        let Some(callee) = self.facts.dotted(*callee) else { return Vec::new() };
        let (first, second) = (args.first().map(|arg| arg.value), args.get(1).map(|arg| arg.value));
        if callee == "patch" || callee.ends_with(".patch") {
            let name = first.and_then(|name| self.value(name).as_literal());
            return name.map(|name| self.world.patched_name(self.file, &name)).unwrap_or_default();
        }
        match (first, second) {
            (Some(holder), Some(name)) if callee.ends_with("patch.object") => {
                let written = self.facts.dotted(holder);
                let (holder, name) = (self.value(holder), self.value(name).as_literal());
                name.map(|name| self.patched_in(&holder, written.as_deref(), &name)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// What is replaced of an object under a name; `written` is how the source names the object.
    fn patched_in(&self, holder: &Term, written: Option<&str>, name: &str) -> Vec<Patched> {
        let mut all: Vec<Patched> =
            written.map(|written| Patched::Call(format!("{written}.{name}").into())).into_iter().collect();
        let binding = match holder {
            Term::Module(module) => Some(Binding::Module(*module)),
            Term::Class(class) => Some(Binding::Class(*class)),
            Term::External(name) => Some(Binding::External(name.clone())),
            other => self.class_of(other).map(Binding::Class),
        };
        all.extend(binding.into_iter().flat_map(|binding| self.world.patched_member(&binding, name)));
        all
    }

    /// `setattr(module, "name", value)`, by hand or through monkeypatch.
    pub(super) fn set_attribute(&mut self, args: &[Passed]) {
        let (patched, name, value) = match args {
            [holder, name, value, ..] => {
                let Some(name) = name.term.as_literal() else { return };
                let written = holder.value.and_then(|holder| self.facts.dotted(holder));
                let full = match &holder.term {
                    Term::External(module) => format!("{module}.{name}"),
                    _ => String::new(),
                };
                (self.patched_in(&holder.term, written.as_deref(), &name), full, value)
            }
            [name, value] => match name.term.as_literal() {
                Some(name) => (self.world.patched_name(self.file, &name), name, value),
                None => return,
            },
            _ => return,
        };
        self.state.ambience.patch(patched);
        if name == "tempfile.tempdir" {
            self.state.ambience.temp = Some(match Place::of(&value.term) {
                Some(place) => Where::At(Arc::new(place)),
                None => Where::Unknown,
            });
        }
    }
}
