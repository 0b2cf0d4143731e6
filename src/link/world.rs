//! What the evaluation of one unit sees of all others.

use super::give::home;
use super::index::Index;
use super::patch::Patched;
use super::place::{Fresh, Place, Root};
use super::summary::{Ambience, Frame, Summary};
use super::term::{Argument, ClassRef, Fields, Lock, Mix, Object, Opaque, Pending, Term, UnitRef};
use crate::calls::{Call, Calls, Gives};
use crate::facts::run::Setup;
use crate::facts::{Language, ParamKind, Shape};
use crate::text::FileId;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one evaluation sees of the others, and which of them it looked at.
pub struct World<'a> {
    pub index: &'a Index<'a>,
    pub setup: &'a Setup,
    summaries: &'a [Vec<Arc<Summary>>],
    needs: RefCell<BTreeSet<UnitRef>>,
}

/// Steps of substitution in one another before it is given up.
pub(super) const NESTED: usize = 12;

/// The unit that a callee means, with its receiver and the variables around it.
struct Target<'t> {
    unit: UnitRef,
    recv: Option<Term>,
    captured: &'t [(Arc<str>, Term)],
}

/// What a decorator puts around a function.
pub struct Wrapping {
    pub ambience: Ambience,
    pub guards: Vec<Lock>,
    pub caught: Vec<Arc<str>>,
}

/// Methods whose stores an instance has when others run, in the order in which they run.
pub(super) const INITIALISERS: &[&str] = &[
    "__init__",
    "__post_init__",
    "setUpClass",
    "setup_class",
    "setUp",
    "asyncSetUp",
    "setup_method",
    "setup",
    "__enter__",
    "__aenter__",
];

impl<'a> World<'a> {
    pub fn new(index: &'a Index<'a>, setup: &'a Setup, summaries: &'a [Vec<Arc<Summary>>]) -> Self {
        World { index, setup, summaries, needs: RefCell::default() }
    }

    pub fn summary(&self, unit: UnitRef) -> &'a Summary {
        self.needs.borrow_mut().insert(unit);
        &self.summaries[unit.0.0 as usize][unit.1.0 as usize]
    }

    /// The summaries that were read; a change in one of them makes what was made of it stale.
    pub fn take_needs(&self) -> Vec<UnitRef> {
        self.needs.take().into_iter().collect()
    }

    pub fn language(&self, file: FileId) -> Language {
        self.index.file(file).language
    }

    pub fn calls(&self, file: FileId) -> &'a Calls {
        self.index.calls(self.language(file))
    }

    /// A module's variable.
    pub fn variable(&self, module: UnitRef, name: &str) -> Term {
        store(self.summary(module), name).cloned().unwrap_or(Term::Unknown)
    }

    /// `base.name`, where the base is known well enough; else the field itself, which keeps its identity.
    pub fn field(&self, base: &Term, name: &Arc<str>, nested: usize) -> Term {
        let unsettled = || Term::Field(Arc::new(base.clone()), name.clone()).bounded();
        if nested > NESTED {
            return Term::Unknown;
        }
        match (base.plain(), &**name) {
            (Term::Unknown, _) => return Term::Unknown,
            (Term::Either(terms), _) => {
                return terms.iter().map(|term| self.field(term, name, nested + 1)).reduce(Term::either).unwrap_or(Term::Unknown);
            }
            (Term::Path(_) | Term::Text(_), "<stem>") => return base.clone(),
            (Term::Path(_) | Term::Text(_), "<parent>") => return of_place(base, |place| place.parent()),
            (Term::Path(_) | Term::Text(_), "<name>") => return Place::of(base).map_or(Term::Unknown, |place| place.name()),
            _ => {}
        }
        match base.plain() {
            Term::Object(object) => self.object_field(object, base, name, nested).unwrap_or_else(unsettled),
            Term::Changed(of, fields) => match fields.iter().find(|(field, _)| field == name) {
                Some((_, term)) => term.clone(),
                None => self.field(of, name, nested + 1),
            },
            Term::Class(class) => match self.class_variable(*class, name) {
                Some(variable) => self.got(variable),
                None => unsettled(),
            },
            Term::Module(module) => self.variable(*module, name),
            _ => self.attribute(base, name).unwrap_or_else(unsettled),
        }
    }

    fn object_field(&self, object: &Arc<Object>, this: &Term, name: &str, nested: usize) -> Option<Term> {
        if let Some((_, term)) = object.fields.iter().find(|(field, _)| &**field == name) {
            return Some(term.clone());
        }
        let ambience = Ambience::default();
        let mut params = vec![this.clone()];
        params.extend(object.args.iter().cloned());
        for class in self.index.order(object.class) {
            for initialiser in INITIALISERS {
                let Some(method) = self.index.method(*class, initialiser).filter(|method| self.is_of(*method, *class)) else {
                    continue;
                };
                let summary = self.summary(method);
                if let Some(term) = store(summary, name) {
                    let mut params = params.clone();
                    if *initialiser == "__init__" {
                        self.fill_defaults(&mut params, method);
                    } else {
                        params.truncate(1);
                    }
                    let frame = Frame { world: self, params, captured: &[], ambience: &ambience, site: object.site };
                    return Some(frame.term(term, nested + 1));
                }
            }
            if let Some(term) = self.class_variable_of(*class, name) {
                return Some(term);
            }
        }
        let method = self.index.method(object.class, name)?;
        if self.index.file(method.0).unit(method.1).shape == Shape::Property {
            let gives = self.summary(method).gives.clone()?;
            let frame = Frame { world: self, params: vec![this.clone()], captured: &[], ambience: &ambience, site: None };
            return Some(frame.term(&gives, nested + 1));
        }
        Some(Term::Bound(method, Arc::new(this.clone())))
    }

    /// What a constructor or set-up of a class stores in a field, in its own words.
    pub fn stored(&self, class: ClassRef, name: &str) -> Option<&'a Term> {
        let methods = INITIALISERS.iter().filter_map(|initialiser| self.index.method(class, initialiser));
        methods.map(|method| self.summary(method)).find_map(|summary| store(summary, name))
    }

    /// The class of this project that a value is an instance of.
    pub fn class_of(&self, term: &Term) -> Option<ClassRef> {
        match term {
            Term::Object(object) => Some(object.class),
            Term::Changed(base, _) => self.class_of(base),
            _ => None,
        }
    }

    /// The unit that a callee means, with its receiver and the variables around it.
    fn target<'t>(&self, callee: &'t Term) -> Option<Target<'t>> {
        match callee {
            Term::Function(unit) => Some(Target { unit: *unit, recv: None, captured: &[] }),
            Term::Bound(unit, recv) => Some(Target { unit: *unit, recv: Some((**recv).clone()), captured: &[] }),
            Term::Closure(unit, captured) => Some(Target { unit: *unit, recv: None, captured }),
            Term::Method(recv, name) => {
                let unit = self.index.method(self.class_of(recv)?, name)?;
                let shape = self.index.file(unit.0).unit(unit.1).shape;
                let recv = (shape != Shape::StaticMethod).then(|| (**recv).clone());
                Some(Target { unit, recv, captured: &[] })
            }
            _ => None,
        }
    }

    /// Methods that an instance has others for: `cache.remove = Mock()`.
    pub fn shadowed(&self, recv: &Term) -> Vec<Patched> {
        let fields: &[(Arc<str>, Term)] = match recv {
            Term::Object(object) => &object.fields,
            Term::Changed(_, fields) => fields,
            _ => return Vec::new(),
        };
        // In Rust a field and a method of one name are two things.
        let Some(class) = self.class_of(recv).filter(|class| self.language(class.0) == Language::Python) else {
            return Vec::new();
        };
        fields.iter().filter_map(|(name, _)| self.index.method(class, name)).map(Patched::Unit).collect()
    }

    /// What surrounds the call of the decorated function in the wrapper that a decorator of the project makes. The decorator may be
    /// a function that gives one, or a context manager.
    pub fn wrapped_call(&self, decorator: UnitRef) -> Option<Wrapping> {
        let facts = self.index.file(decorator.0);
        let data = facts.unit(decorator.1);
        let mut summary = self.summary(decorator);
        if data.yields && super::instance::is_context_manager(facts, data) {
            let (ambience, guards) = (summary.after.clone(), summary.held.clone());
            return Some(Wrapping { ambience, guards, caught: Vec::new() });
        }
        for _ in 0..2 {
            let Some(Term::Closure(wrapper, captured)) = &summary.gives else { return None };
            summary = self.summary(*wrapper);
            let is_function = |callee: &Term| match callee {
                Term::Captured(name) => captured.iter().any(|(known, term)| known == name && *term == Term::Param(0)),
                _ => false,
            };
            if let Some(call) = summary.calls.iter().find(|deferred| is_function(&deferred.call.callee)) {
                let around = &call.around;
                let (guards, caught) = (around.guards.clone(), around.caught.clone());
                return Some(Wrapping { ambience: call.ambience.clone(), guards, caught });
            }
        }
        None
    }

    /// What a call gives that waited for its callee; still the call where it waits on.
    pub fn given(&self, pending: Pending, ambience: &Ambience, nested: usize) -> Term {
        let unknown = |ty| Term::Opaque(Arc::new(Opaque { site: pending.site, via: 0, mix: Mix::EMPTY, ty }));
        if nested > NESTED {
            return Term::Unknown;
        }
        if let Term::Class(class) = &pending.callee {
            let init = self.index.method(*class, "__init__");
            let params = init.map(|init| self.arguments(init, Some(Term::Unknown), &pending.args)).unwrap_or_default();
            let args = params.into_iter().skip(1).collect();
            return Term::Object(Arc::new(Object { class: *class, args, fields: Vec::new(), site: Some(pending.site), via: 0 }));
        }
        if let Term::Partial(first) = &pending.callee {
            let args = first.args.iter().chain(&pending.args).cloned().collect();
            return self.given(Pending::new(first.callee.clone(), args, pending.site), ambience, nested + 1);
        }
        let Some(Target { unit, recv, captured }) = self.target(&pending.callee) else {
            return if pending.callee.is_open() { Term::Call(Arc::new(pending)) } else { unknown(None) };
        };
        let mut params = self.arguments(unit, recv, &pending.args);
        self.fill_defaults(&mut params, unit);
        let summary = self.summary(unit);
        let recv = params.first().cloned();
        let frame = Frame { world: self, params, captured, ambience, site: Some(pending.site) };
        match summary.gives.as_ref().map_or(Term::Nil, |gives| frame.term(gives, nested + 1)) {
            Term::Unknown => unknown(None),
            gives if self.index.file(unit.0).unit(unit.1).shape == Shape::Method && Some(&gives) == recv.as_ref() => {
                self.changed(&frame, unit, &gives).map_or(gives, |(_, changed)| changed)
            }
            gives => gives,
        }
    }

    /// The fields of its receiver that a method changes, and the receiver after that.
    pub fn changed(&self, frame: &Frame, unit: UnitRef, recv: &Term) -> Option<(Fields, Term)> {
        let stores = &self.summary(unit).stores;
        let fields: Fields = stores.iter().map(|(name, term)| (name.clone(), frame.term(term, 0))).collect();
        let changed = recv.with_fields(fields.clone()).bounded();
        (!fields.is_empty()).then_some((fields, changed))
    }

    /// The terms of a unit's parameters for a call.
    pub fn arguments(&self, unit: UnitRef, recv: Option<Term>, args: &[Argument]) -> Vec<Term> {
        let facts = self.index.file(unit.0);
        let params = &facts.unit(unit.1).params;
        let mut out: Vec<Term> = vec![Term::Missing; params.len()];
        let mut next = 0;
        if let Some(recv) = recv {
            if let Some(first) = out.first_mut() {
                *first = recv;
            }
            next = 1;
        }
        let mut open = false;
        for arg in args {
            if arg.star {
                open = true;
                continue;
            }
            match &arg.name {
                Some(name) => {
                    if let Some(at) = params.iter().position(|param| facts.name(param.name) == &**name) {
                        out[at] = arg.term.clone();
                    }
                }
                None => {
                    if let (Some(slot), false) = (out.get_mut(next), open) {
                        *slot = arg.term.clone();
                    }
                    next += 1;
                }
            }
        }
        for (param, term) in params.iter().zip(&mut out) {
            if open && *term == Term::Missing {
                *term = Term::Unknown;
            }
            if matches!(param.kind, ParamKind::Rest | ParamKind::Keywords) {
                *term = Term::Unknown;
            }
        }
        out
    }

    fn is_of(&self, method: UnitRef, class: ClassRef) -> bool {
        let owner = self.index.file(method.0).unit(method.1).class;
        owner.is_some_and(|owner| (method.0, owner) == class || self.index.class_of_impl((method.0, owner)) == class)
    }

    /// Defaults for the parameters that a call left out.
    pub fn fill_defaults(&self, params: &mut Vec<Term>, unit: UnitRef) {
        let defaults = &self.summary(unit).defaults;
        while params.len() < defaults.len() {
            params.push(defaults[params.len()].clone().unwrap_or(Term::Unknown));
        }
        for (param, default) in params.iter_mut().zip(defaults) {
            if *param == Term::Missing {
                *param = default.clone().unwrap_or(Term::Unknown);
            }
        }
    }

    /// A variable of the class body, or of a base's.
    pub fn class_variable(&self, class: ClassRef, name: &str) -> Option<Term> {
        self.index.order(class).iter().find_map(|class| self.class_variable_of(*class, name))
    }

    /// What a class gives of a variable of its body.
    pub fn got(&self, variable: Term) -> Term {
        if self.is_descriptor(&variable) { Term::Unknown } else { variable }
    }

    /// What such a class variable gives is made for whoever asks (The Python Language Reference, "Implementing Descriptors").
    pub fn is_descriptor(&self, variable: &Term) -> bool {
        self.class_of(variable).is_some_and(|class| self.index.method(class, "__get__").is_some())
    }

    fn class_variable_of(&self, class: ClassRef, name: &str) -> Option<Term> {
        let body = self.index.file(class.0).class(class.1).body?;
        store(self.summary((class.0, body)), name).cloned()
    }

    /// An attribute of a value whose type is known from outside the project.
    pub fn attribute(&self, base: &Term, name: &str) -> Option<Term> {
        let calls = self.index.calls(Language::Python);
        let call = self.types_of(base).iter().find_map(|ty| calls.method(ty, ".", name)).or_else(|| match base.plain() {
            Term::External(_) | Term::Unknown => None,
            _ => calls.get(&format!(".{name}")),
        })?;
        if !call.attr {
            return None;
        }
        let inner = match &call.gives {
            Some(Gives::Same(_)) => base.plain().clone(),
            Some(Gives::Parent(_)) => of_place(base, |place| place.parent()),
            Some(Gives::Name(_)) => Place::of(base)?.name(),
            Some(Gives::Stem(_)) => Place::of(base)?.stem(),
            Some(Gives::Home(folder, _)) => home(folder, std::slice::from_ref(base.plain())),
            Some(Gives::Derived(_)) => Term::Derived(Arc::from([base.clone()])),
            Some(Gives::TestDir) => Term::Path(Arc::new(Place::root(Root::Fresh(Fresh::of_test())))),
            Some(Gives::Unique(_)) | None => return None,
            _ => return None,
        };
        Some(typed(call, inner))
    }

    /// The types that a value may be taken for, outside the project.
    pub fn types_of(&self, term: &Term) -> Vec<Arc<str>> {
        match term {
            Term::Typed(ty, _) => vec![ty.clone()],
            Term::Opaque(opaque) => opaque.ty.iter().cloned().collect(),
            Term::Path(_) => vec!["pathlib.Path".into(), "builtins.str".into(), "std::path::Path".into()],
            Term::Text(_) | Term::Derived(_) | Term::Setting(_) => {
                vec!["builtins.str".into(), "std::string::String".into(), "std::path::Path".into()]
            }
            Term::Object(object) => self.index.outside_bases(object.class).cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// Puts the type of a call's result around it.
pub fn typed(call: &Call, inner: Term) -> Term {
    match &call.ty {
        Some(ty) => Term::Typed(ty.as_str().into(), Arc::new(inner.plain().clone())),
        None => inner,
    }
}

pub fn of_place(term: &Term, f: impl Fn(&Place) -> Option<Place>) -> Term {
    match Place::of(term).and_then(|place| f(&place)) {
        Some(place) => Term::Path(Arc::new(place)),
        None => Term::Unknown,
    }
}

fn store<'s>(summary: &'s Summary, name: &str) -> Option<&'s Term> {
    summary.stores.iter().find(|(stored, _)| &**stored == name).map(|(_, term)| term)
}
