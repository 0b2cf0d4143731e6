//! What is no path, and is shared all the same: the environment, the working directory, variables of modules and classes, what a
//! library keeps for the whole process, ports and named things of services.
//!
//! The effects stand in their own list (`Summary::state`, `Test::state`), so rules on paths never meet them.

use super::call::Passed;
use super::eval::Eval;
use super::give::Given;
use super::index::Binding;
use super::names::is_environ;
use super::place::{Holder, Place, Realm, Root};
use super::ports::{in_url, port};
use super::summary::Effect;
use super::term::{Piece, Term, UnitRef, pieces};
use crate::calls::{Call, Keeper, Verb};
use crate::facts::{Arg, FileFacts, Mark, OpId, UnitId, V, Value, What};
use std::collections::HashSet;
use std::sync::Arc;

/// Methods that change the list, dict, set or array that they are called on (Python documentation, "Mutable Sequence Types", "Mapping
/// Types", "Set Types", "collections").
const MUTATORS: &[&str] = &[
    "add",
    "append",
    "appendleft",
    "clear",
    "difference_update",
    "discard",
    "extend",
    "extendleft",
    "insert",
    "intersection_update",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "rotate",
    "setdefault",
    "sort",
    "subtract",
    "symmetric_difference_update",
    "update",
];

/// Names of variables and attributes that some function of the project changes in place or stores to from outside: reads of others are no
/// concern of anybody.
pub(super) fn changed_names(facts: &[Arc<FileFacts>]) -> HashSet<Box<str>> {
    let mut names = HashSet::new();
    for file in facts {
        let mut add = |v: V| match file.value(v) {
            Value::Name(name) | Value::Attr(_, name) => drop(names.insert(file.name(*name).into())),
            _ => {}
        };
        for op in &file.ops {
            match &op.what {
                What::Store { to, .. } | What::Delete(to) => match file.value(*to) {
                    Value::Item(base, _) => add(*base),
                    Value::Attr(..) => add(*to),
                    _ => {}
                },
                What::Call { callee, .. } => {
                    if let Value::Attr(base, method) = file.value(*callee)
                        && MUTATORS.contains(&file.name(*method))
                    {
                        add(*base);
                    }
                }
                _ => {}
            }
        }
        names.extend(file.units.iter().flat_map(|unit| &unit.globals).map(|name| file.name(*name).into()));
    }
    names
}

impl Piece {
    /// A part of a name: what a literal or number says, or the value that is not known yet.
    pub fn name(term: Term) -> Piece {
        match term.plain() {
            Term::Int(n) => Piece::Lit(n.to_string().into()),
            plain => match plain.as_literal() {
                Some(text) => Piece::Lit(text.into()),
                None => Piece::Hole(term),
            },
        }
    }
}

/// What a value names in a realm: an address names its port, a URL its database.
pub(super) fn in_realm(realm: &Realm, name: Term) -> Term {
    match realm {
        Realm::Port => port(&name),
        Realm::Named(_) => in_url(name),
        _ => name,
    }
}

impl Place {
    /// A thing in a realm, by its name; without one the realm as a whole.
    pub fn state(realm: Realm, name: Option<Term>) -> Place {
        let segments = name.into_iter().map(|name| vec![Piece::name(in_realm(&realm, name))]).collect();
        Place { root: Root::State(realm), segments }
    }

    /// The realm, of what is no path.
    pub fn realm(&self) -> Option<&Realm> {
        match &self.root {
            Root::State(realm) => Some(realm),
            _ => None,
        }
    }

    /// Whether one of two is the other, or a part of it.
    pub fn touches(&self, other: &Place) -> bool {
        self.root == other.root && (self.segments.starts_with(&other.segments) || other.segments.starts_with(&self.segments))
    }
}

/// What an argument stands for that the call leaves out.
fn left_out(entry: &Call, given: &Given) -> Option<i64> {
    let left_out = entry.left_out.as_ref()?;
    let otherwise = given.is_open || left_out.unless.iter().any(|name| given.get(name).is_some_and(|term| *term != Term::Nil));
    (!otherwise).then_some(left_out.value)
}

/// The realm that a table entry speaks of.
fn realm(keeper: &Keeper) -> Realm {
    match keeper {
        Keeper::Environment => Realm::Environment,
        Keeper::WorkingDirectory => Realm::WorkingDirectory,
        Keeper::Port | Keeper::Command => Realm::Port,
        Keeper::Sql => Realm::Named("database".into()),
        Keeper::Named(kind) => Realm::Named(kind.as_str().into()),
        Keeper::Library(name) => Realm::Library(name.as_str().into()),
    }
}

impl Eval<'_, '_> {
    /// What a table entry does to something that is no path.
    pub(super) fn act_on_state(&mut self, op: OpId, entry: &Call, given: &Given) {
        let Some(keeper) = &entry.state else { return };
        if entry.when.as_ref().is_some_and(|when| given.get(when) != Some(&Term::Bool(true))) {
            return;
        }
        if matches!(keeper, Keeper::Command | Keeper::Sql) {
            return self.act_by_words(op, entry, given);
        }
        let value = entry.value.as_ref().and_then(|name| given.get(name)).cloned();
        for (verb, of) in &entry.does {
            for name in of.iter() {
                let place = match name {
                    "*" => Place::state(realm(keeper), None),
                    name => match given.get(name).map(Term::plain) {
                        Some(Term::Unknown) => continue,
                        None | Some(Term::Nil | Term::Missing) => match left_out(entry, given) {
                            Some(value) => Place::state(realm(keeper), Some(Term::Int(value))),
                            None => continue,
                        },
                        Some(term) => Place::state(realm(keeper), Some(term.clone())),
                    },
                };
                let back = *verb == Verb::Write && is_start(keeper, value.as_ref());
                let verb = if back { Verb::Delete } else { *verb };
                self.on_state(op, verb, place, value.clone(), entry.undone);
            }
        }
    }

    /// Records that something is done to what is no path.
    pub(super) fn on_state(&mut self, op: OpId, verb: Verb, place: Place, value: Option<Term>, undone: bool) {
        let site = self.site(op);
        if verb != Verb::Read {
            // To change a list one has to name it: that is no use of what it holds.
            self.effects
                .retain(|old| !(old.site == site && old.via.is_empty() && old.verb == Verb::Read && old.on.touches(&place)));
        }
        let known = |old: &Effect| old.site == site && old.verb == verb && old.via.is_empty() && *old.on == place;
        if self.effects.iter().rev().take(8).any(known) {
            return;
        }
        let mut effect = self.new_effect(op, verb, place);
        effect.value = value.map(Term::bounded);
        effect.undone = undone;
        self.effects.push(effect);
    }

    /// Reads something that is no path, where the operation at hand stands.
    fn read_state(&mut self, place: Place) {
        self.on_state(self.here, Verb::Read, place, None, false);
    }

    /// Reads a variable of the environment: `os.environ["NAME"]`.
    pub(super) fn read_variable(&mut self, key: &Term) {
        if *key != Term::Unknown {
            self.read_state(Place::state(Realm::Environment, Some(key.clone())));
        }
    }

    /// Reads a variable of a module, where somebody changes it.
    pub(super) fn read_global(&mut self, module: UnitRef, name: &Arc<str>) {
        if self.world.index.is_changed(name) {
            let place = self.variable_of_unit(module, name);
            self.read_state(place);
        }
    }

    /// A variable of a module or class body.
    fn variable_of_unit(&self, unit: UnitRef, name: &str) -> Place {
        let holder = Holder { unit, name: self.world.index.dotted_name(unit).into() };
        Place::state(Realm::Variable(holder), Some(Term::text(name)))
    }

    /// The shared thing that an expression names: a variable of a module or class, a field or item of it, an attribute of a library's
    /// module; none for what is a unit's own.
    pub(super) fn shared_thing(&mut self, v: V) -> Option<Place> {
        match self.facts.value(v).clone() {
            Value::Name(name) => {
                let global = self.facts.unit(self.unit).globals.contains(&name);
                if !global && self.state.vars.contains_key(&name) {
                    return None;
                }
                match self.world.index.resolve(self.file, self.unit, name)? {
                    Binding::Variable(module, name) => Some(self.variable_of_unit(module, &name)),
                    Binding::External(name) if name.contains('.') => Some(Place::state(Realm::Library(name), None)),
                    _ => None,
                }
            }
            Value::Attr(base, name) => {
                let text = self.facts.name(name).to_owned();
                let term = self.value(base);
                match term.plain() {
                    Term::Module(module) => match self.world.index.in_module(*module, &text, 0) {
                        Some(Binding::Variable(module, name)) => Some(self.variable_of_unit(module, &name)),
                        Some(Binding::External(name)) => Some(Place::state(Realm::Library(name), None)),
                        // A function or class that is replaced, or a new name.
                        _ => Some(self.variable_of_unit(*module, &text)),
                    },
                    Term::Class(class) => {
                        let body = self.world.index.file(class.0).class(class.1).body.unwrap_or(UnitId(0));
                        Some(self.variable_of_unit((class.0, body), &text))
                    }
                    Term::External(name) => Some(Place::state(Realm::Library(format!("{name}.{text}").into()), None)),
                    _ => Some(self.shared_thing(base)?.child(Piece::Lit(text.into()))),
                }
            }
            Value::Item(base, key) => {
                let key = self.value(key);
                let base = self.shared_thing(base)?;
                Some(match key {
                    Term::Unknown => base,
                    key => base.child(Piece::name(key)),
                })
            }
            _ => None,
        }
    }

    /// A store or removal that reaches beyond the unit: a declared global, an attribute of a module or class, an item of a variable that is
    /// not the unit's own.
    pub(super) fn change_shared(&mut self, op: OpId, to: V, verb: Verb, value: Option<Term>) {
        match self.facts.value(to).clone() {
            Value::Name(name) if !self.facts.unit(self.unit).globals.contains(&name) => return,
            Value::Item(base, key) if is_environ(&self.value(base)) => {
                let key = self.value(key);
                if key != Term::Unknown {
                    self.on_state(op, verb, Place::state(Realm::Environment, Some(key)), value, false);
                }
                return;
            }
            Value::Tuple(all) | Value::List(all) => {
                return all.iter().for_each(|one| self.change_shared(op, *one, verb, None));
            }
            Value::Name(_) | Value::Attr(..) | Value::Item(..) => {}
            _ => return,
        }
        let Some(place) = self.shared_thing(to) else { return };
        if !self.is_own(&place) {
            self.on_state(op, verb, place, value, false);
        }
    }

    /// Whether a variable belongs to the body that is being run: a module that fills its own table.
    fn is_own(&self, place: &Place) -> bool {
        matches!(place.realm(), Some(Realm::Variable(holder)) if holder.unit == (self.file, self.unit))
    }

    /// A method that changes what it is called on: `REGISTRY.append(x)`, `os.environ.update(X="1")`.
    pub(super) fn mutate(&mut self, op: OpId, base: V, recv: &Term, method: &str, args: &[Passed]) {
        if is_environ(recv) {
            return self.change_environment(op, method, args);
        }
        if !MUTATORS.contains(&method) {
            return;
        }
        let Some(place) = self.shared_thing(base).filter(|place| !self.is_own(place)) else { return };
        let verb = match method {
            "clear" => Verb::DeleteTree,
            "pop" | "popitem" | "popleft" | "remove" | "discard" => Verb::Delete,
            "append" | "add" | "extend" | "insert" | "appendleft" | "extendleft" => Verb::Append,
            _ => Verb::Update,
        };
        let keyed = matches!(method, "pop" | "setdefault").then(|| args.first().map(|arg| arg.term.clone())).flatten();
        let place = match keyed {
            Some(key) if key != Term::Unknown && !matches!(key, Term::Int(_)) => place.child(Piece::name(key)),
            _ => place,
        };
        self.on_state(op, verb, place, args.first().map(|arg| arg.term.clone()), false);
    }

    /// Methods of `os.environ` that concern several variables, or one behind another name (Python documentation, "os.environ").
    fn change_environment(&mut self, op: OpId, method: &str, args: &[Passed]) {
        let place = |key: Option<Term>| Place::state(Realm::Environment, key);
        match method {
            "clear" => self.on_state(op, Verb::DeleteTree, place(None), None, false),
            "update" => {
                for (key, value) in self.pairs(args) {
                    self.on_state(op, Verb::Write, place(Some(key)), Some(value), false);
                }
                // All that was saved before, in a variable of its own.
                let whole = args.iter().any(|arg| arg.name.is_none() && arg.value.is_none_or(|v| !self.is_dict(v)));
                if whole {
                    self.on_state(op, Verb::Write, place(None), None, false);
                }
            }
            "copy" | "items" | "keys" | "values" => self.on_state(op, Verb::Read, place(None), None, false),
            _ => {}
        }
    }

    fn is_dict(&self, v: V) -> bool {
        matches!(self.facts.value(v), Value::Dict(_))
    }

    /// Keys and values of a dict display, and of the keyword arguments.
    fn pairs(&mut self, args: &[Passed]) -> Vec<(Term, Term)> {
        let mut all = Vec::new();
        for arg in args {
            match (&arg.name, arg.value.map(|v| self.facts.value(v).clone())) {
                (Some(name), _) => all.push((Term::text(name), arg.term.clone())),
                (None, Some(Value::Dict(pairs))) => {
                    for (key, value) in pairs {
                        let (key, value) = (self.value(key), self.value(value));
                        if key != Term::Unknown {
                            all.push((key, value));
                        }
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// `patch.dict(os.environ, {…})`, as a context manager or called: set here, and put back at the end.
    pub(super) fn patch_environment(&mut self, op: OpId, callee: V, args: &[Arg]) {
        let Value::Attr(base, name) = self.facts.value(callee) else { return };
        let is_patch = self.facts.name(*name) == "dict" && self.facts.dotted(*base).is_some_and(|base| base.ends_with("patch"));
        let Some(first) = args.first().filter(|_| is_patch) else { return };
        let on = self.value(first.value);
        if !is_environ(&on) && on.as_literal().as_deref() != Some("os.environ") {
            return;
        }
        let passed: Vec<Passed> = args[1..]
            .iter()
            .map(|arg| Passed {
                name: arg.name.map(|name| self.facts.name(name).into()),
                term: self.value(arg.value),
                value: Some(arg.value),
                star: false,
            })
            .collect();
        for (key, value) in self.pairs(&passed) {
            let place = Place::state(Realm::Environment, Some(key));
            self.on_state(op, Verb::Write, place, Some(value), true);
        }
    }

    /// The same as a decorator of the unit at hand.
    pub(super) fn patched_environment(&mut self, mark: &Mark) {
        self.patch_environment(OpId::reading(mark.callee), mark.callee, &mark.args);
    }
}

/// Whether the process goes back to the directory it was started in.
fn is_start(keeper: &Keeper, value: Option<&Term>) -> bool {
    let start = |place: &Place| place.root == Root::Start && place.segments.is_empty();
    *keeper == Keeper::WorkingDirectory && value.and_then(Place::of).is_some_and(|place| start(&place))
}

/// Splits what a unit does into paths and the rest.
pub(super) fn split(effects: Vec<Effect>) -> (Vec<Effect>, Vec<Effect>) {
    effects.into_iter().partition(|effect| !effect.on.is_state())
}

/// A name that is known but for what sets two instances apart.
pub fn is_named(place: &Place) -> bool {
    place.is_settled()
        && pieces(place.segments.iter().flatten().map(|piece| match piece {
            Piece::Lit(text) => Term::text(text),
            Piece::Hole(term) => term.clone(),
        })) != Term::Unknown
}
