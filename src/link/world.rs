//! All summaries, and the rounds that compute them.
//!
//! Each round evaluates the units whose needs changed, in parallel, against the summaries of the round before; so cycles need no
//! special case, and the result depends neither on order nor on threads.

use super::eval::evaluate;
use super::give::home;
use super::index::Index;
use super::place::{Fresh, Place, Root};
use super::summary::{Ambience, Frame, Summary, TRAIL};
use super::term::{ClassRef, Object, Term, UnitRef};
use crate::calls::{self, Call, Calls, Gives};
use crate::facts::run::Setup;
use crate::facts::{Language, Shape, UnitId};
use crate::text::FileId;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What one evaluation sees of the others, and which of them it looked at.
pub struct World<'a> {
    pub index: &'a Index<'a>,
    pub setup: &'a Setup,
    summaries: &'a [Vec<Arc<Summary>>],
    needs: RefCell<BTreeSet<UnitRef>>,
}

/// Methods whose stores an instance has when others run, in the order in which they run.
const INITIALISERS: &[&str] = &[
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

    pub fn take_needs(&self) -> Vec<UnitRef> {
        self.needs.take().into_iter().collect()
    }

    pub fn language(&self, file: FileId) -> Language {
        self.index.file(file).language
    }

    pub fn calls(&self, file: FileId) -> &'static Calls {
        match self.language(file) {
            Language::Python => calls::python(),
            Language::Rust => calls::rust(),
        }
    }

    /// A module's variable.
    pub fn variable(&self, module: UnitRef, name: &str) -> Term {
        store(self.summary(module), name).cloned().unwrap_or(Term::Unknown)
    }

    /// `base.name`, where the base is known well enough; else the field itself, which keeps its identity.
    pub fn field(&self, base: &Term, name: &Arc<str>, nested: usize) -> Term {
        let unsettled = || Term::Field(Arc::new(base.clone()), name.clone()).bounded();
        if nested > 12 {
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
            Term::Class(class) => self.class_variable(*class, name).unwrap_or_else(unsettled),
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
                    let frame = Frame { world: self, params, ambience: &ambience, site: object.site };
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
            let frame = Frame { world: self, params: vec![this.clone()], ambience: &ambience, site: None };
            return Some(frame.term(&gives, nested + 1));
        }
        Some(Term::Bound(method, Arc::new(this.clone())))
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

    fn class_variable_of(&self, class: ClassRef, name: &str) -> Option<Term> {
        let body = self.index.file(class.0).class(class.1).body?;
        store(self.summary((class.0, body)), name).cloned()
    }

    /// An attribute of a value whose type is known from outside the project.
    pub fn attribute(&self, base: &Term, name: &str) -> Option<Term> {
        let calls = calls::python();
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

/// Evaluates all units until nothing changes, or effects have come as far as a trail may be long.
pub fn summaries(index: &Index, setup: &Setup) -> Vec<Vec<Arc<Summary>>> {
    let empty = Arc::new(Summary::default());
    let mut all: Vec<Vec<Arc<Summary>>> = index.facts.iter().map(|file| vec![empty.clone(); file.units.len()]).collect();
    let units = |keep: &dyn Fn(Shape) -> bool| -> BTreeSet<UnitRef> {
        let files = index.facts.iter().enumerate();
        files
            .flat_map(|(i, facts)| {
                let file = FileId(i as u32);
                facts
                    .units
                    .iter()
                    .enumerate()
                    .filter(|(_, unit)| keep(unit.shape))
                    .map(move |(u, _)| (file, UnitId(u as u32)))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let mut readers: HashMap<UnitRef, BTreeSet<UnitRef>> = HashMap::new();
    // Constants first, so that most functions are evaluated with the values they read.
    let bodies = units(&|shape| matches!(shape, Shape::Module | Shape::ClassBody));
    let functions = units(&|shape| !matches!(shape, Shape::Module | Shape::ClassBody));
    let mut dirty = bodies;
    let mut waiting = Some(functions);
    for _ in 0..TRAIL + 3 {
        let work: Vec<UnitRef> = dirty.iter().copied().collect();
        let fresh: Vec<(UnitRef, Summary)> = work
            .par_iter()
            .map(|unit| {
                let world = World::new(index, setup, &all);
                (*unit, evaluate(&world, *unit))
            })
            .collect();
        // Who reads whom must be known for all before it is asked who is stale.
        for (unit, summary) in &fresh {
            for need in &summary.needs {
                readers.entry(*need).or_default().insert(*unit);
            }
        }
        dirty = BTreeSet::new();
        for (unit, summary) in fresh {
            let old = &mut all[unit.0.0 as usize][unit.1.0 as usize];
            if **old != summary {
                *old = Arc::new(summary);
                dirty.extend(readers.get(&unit).into_iter().flatten());
            }
        }
        if let Some(functions) = waiting.take() {
            dirty.extend(functions);
        }
        if dirty.is_empty() {
            break;
        }
    }
    all
}
