//! What is no path, and is shared all the same: the environment, the working directory, variables of modules and classes, what a
//! library keeps for the whole process, ports and named things of services.
//!
//! The effects stand in their own list (`Summary::state`, `Test::state`), so rules on paths never meet them.

use super::call::Passed;
use super::eval::Eval;
use super::give::Given;
use super::index::Binding;
use super::names::is_environ;
use super::place::{Holder, Place, Realm, Root, STARRED};
use super::ports::{in_url, port};
use super::suite::TestEffect;
use super::summary::Effect;
use super::term::{ClassRef, Piece, Term, UnitRef, pieces};
use crate::calls::{Call, Keeper, Verb};
use crate::facts::{Arg, Comparison, FileFacts, Language, Mark, OpId, Shape, Sym, UnitId, V, Value, What};
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

    /// What the thing holds under a key. The brackets tell it from an attribute.
    pub(super) fn item(mut self, key: Term) -> Place {
        self.segments.push(vec![Piece::Lit("[".into()), Piece::name(key), Piece::Lit("]".into())]);
        self
    }

    /// Whether this is an item of something, and no attribute or variable.
    pub fn is_item(&self) -> bool {
        self.segments.last().and_then(|segment| segment.first()).is_some_and(|first| *first == Piece::Lit("[".into()))
    }

    /// The key of an item, where it is a literal.
    pub fn item_key(&self) -> Option<&str> {
        match self.segments.last()?.as_slice() {
            [Piece::Lit(open), Piece::Lit(key), Piece::Lit(_)] if &**open == "[" => Some(key),
            _ => None,
        }
    }

    /// The realm, of what is no path.
    pub fn realm(&self) -> Option<&Realm> {
        match &self.root {
            Root::State(realm) => Some(realm),
            _ => None,
        }
    }

    /// The dotted name of what a library keeps; empty for anything else.
    fn root_name(&self) -> &str {
        match &self.root {
            Root::State(Realm::Library(name)) => name,
            _ => "",
        }
    }

    /// The list, where this is an item of it by its number.
    fn without_number(mut self) -> Place {
        let number = |piece: &Piece| matches!(piece, Piece::Lit(text) if text.parse::<i64>().is_ok());
        if self.is_item() && self.segments.last().and_then(|segment| segment.get(1)).is_some_and(number) {
            self.segments.pop();
        }
        self
    }

    /// A variable of the environment, where it is told as an item of an `os.environ` that was replaced.
    fn into_environment(self) -> Place {
        match (self.root_name(), self.segments.as_slice()) {
            ("os.environ", []) => Place::state(Realm::Environment, None),
            ("os.environ", [segment]) if self.is_item() && segment.len() == 3 => {
                Place { root: Root::State(Realm::Environment), segments: vec![vec![segment[1].clone()]] }
            }
            _ => self,
        }
    }

    /// The name of the variable that this is, or is a part of.
    pub fn variable(&self) -> Option<&str> {
        match self.segments.first()?.as_slice() {
            [Piece::Lit(name)] => Some(name),
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

/// The name itself, or the first of a pair.
fn first_name(one: &Term) -> Option<Term> {
    let name = match one.plain() {
        Term::List(pair) => pair.first()?.plain(),
        name => name,
    };
    name.as_literal().map(|text| Term::text(&text))
}

/// The realm that a table entry speaks of.
pub(super) fn realm(keeper: &Keeper) -> Realm {
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
    pub(super) fn act_on_state(&mut self, op: OpId, entry: &Call, given: &Given, tolerant: bool) {
        let Some(keeper) = &entry.state else { return };
        if entry.when.as_ref().is_some_and(|when| given.get(when) != Some(&Term::Bool(true))) {
            return;
        }
        if matches!(keeper, Keeper::Command | Keeper::Sql) {
            return self.act_by_words(op, entry, given);
        }
        let value = entry.value.as_ref().and_then(|name| given.get(name)).cloned();
        // A setter without a value only asks: `locale.setlocale(category)`.
        if entry.value.is_some() && matches!(value, None | Some(Term::Missing)) {
            return;
        }
        // Who asks for a setting relies on it where an assertion hangs on the answer (`asserted_setting`); else it may be to put it back.
        for (verb, of) in entry.does.iter().filter(|(verb, _)| **verb != Verb::Stat) {
            for name in of.iter() {
                let place = match name {
                    "*" => Place::state(realm(keeper), None),
                    name if name.starts_with('=') => Place::state(realm(keeper), Some(Term::text(&name[1..]))),
                    name => match given.get(name).map(Term::plain) {
                        // Which one it is matters less than that it may be any.
                        Some(Term::Unknown) if !matches!(keeper, Keeper::Environment | Keeper::WorkingDirectory) => continue,
                        None | Some(Term::Nil | Term::Missing) => match left_out(entry, given) {
                            Some(value) => Place::state(realm(keeper), Some(Term::Int(value))),
                            None => continue,
                        },
                        // Several variables: names, or pairs of name and value.
                        Some(Term::List(all)) if *keeper == Keeper::Environment => {
                            for name in all.iter().filter_map(first_name) {
                                self.on_state(op, *verb, Place::state(Realm::Environment, Some(name)), None, entry.undone);
                            }
                            continue;
                        }
                        Some(term) => Place::state(realm(keeper), Some(term.clone())),
                    },
                };
                let back = *verb == Verb::Write && is_start(keeper, value.as_ref());
                let verb = match *verb {
                    _ if back => Verb::Delete,
                    // It is set, whatever was there.
                    Verb::Create if tolerant => Verb::Write,
                    verb => verb,
                };
                self.on_state(op, verb, place, value.clone(), entry.undone);
            }
        }
    }

    /// Records that something is done to what is no path.
    pub(super) fn on_state(&mut self, op: OpId, verb: Verb, place: Place, value: Option<Term>, undone: bool) {
        let place = place.into_environment();
        if self.is_per_context(&place) {
            return;
        }
        let site = self.site(op);
        if verb != Verb::Read {
            // To change a list one has to name it: that is no use of what it holds.
            self.effects.retain(|old| {
                old.undone || !(old.site == site && old.via.is_empty() && old.verb == Verb::Read && old.on.touches(&place))
            });
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

    /// Whether a variable holds what is another object in each context: `g = LocalProxy(…)`, `flask.g`.
    fn is_per_context(&self, place: &Place) -> bool {
        let calls = self.world.calls(self.file);
        let told = |name: &str| calls.get(name).is_some_and(|entry| entry.per_context);
        match (place.realm(), place.segments.first().map(Vec::as_slice)) {
            (Some(Realm::Library(name)), _) => {
                std::iter::successors(Some(&**name), |name| Some(name.rsplit_once('.')?.0)).any(told)
            }
            (Some(Realm::Variable(holder)), Some([Piece::Lit(name)])) => {
                let held = self.world.variable(holder.unit, name);
                self.world.types_of(&held).iter().any(|ty| told(ty))
            }
            _ => false,
        }
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

    /// An assertion: the variables of modules and classes whose whole content, or whose item, decides it. One more entry changes neither
    /// `x in names` nor `assert names`.
    pub(super) fn asserted_globals(&mut self, cond: V) {
        match self.facts.value(cond).clone() {
            Value::Compare(Comparison::Equal | Comparison::Is, ..) if self.is_snapshot(cond) => {}
            Value::Compare(Comparison::Equal | Comparison::Is, a, b) => {
                self.asserted_global(a, 0);
                self.asserted_global(b, 0);
            }
            Value::Not(inner) => self.asserted_global(inner, 0),
            Value::And(all) => all.iter().for_each(|one| self.asserted_globals(*one)),
            _ => {}
        }
    }

    /// One side of such an assertion: a variable, an item of it, or how many it holds.
    pub(super) fn asserted_global(&mut self, value: V, depth: usize) {
        match self.facts.value(value).clone() {
            Value::Result(op) if depth < ASSERTED => {
                if let What::Call { callee, args } = &self.facts.op(op).what
                    && let Value::Name(name) = self.facts.value(*callee)
                    && matches!(self.facts.name(*name), "dict" | "len" | "list" | "set" | "sorted" | "tuple")
                {
                    args.iter().for_each(|arg| self.asserted_global(arg.value, depth + 1));
                }
            }
            Value::Name(_) | Value::Attr(..) | Value::Item(..) => {
                let Some(place) = self.shared_thing(value) else { return };
                let named = matches!(place.segments.first().map(Vec::as_slice),
                    Some([Piece::Lit(name)]) if self.world.index.is_changed(name));
                if named && matches!(place.realm(), Some(Realm::Variable(_))) && !self.is_ours(&place) {
                    self.read_state(place.clone());
                    let site = self.site(self.here);
                    let read = |effect: &&mut Effect| effect.site == site && effect.verb == Verb::Read && *effect.on == place;
                    if let Some(effect) = self.effects.iter_mut().rev().find(read) {
                        effect.asserted = true;
                    }
                }
            }
            _ => {}
        }
    }

    /// A variable of a module or class body.
    pub(super) fn variable_of_unit(&self, unit: UnitRef, name: &str) -> Place {
        let holder = Holder { unit, name: self.world.index.dotted_name(unit).into() };
        Place::state(Realm::Variable(holder), Some(Term::text(name)))
    }

    /// A variable of a class, or of the base that has it.
    fn variable_of_class(&self, class: ClassRef, name: &str) -> Place {
        let index = self.world.index;
        let body = |class: &ClassRef| Some((class.0, index.file(class.0).class(class.1).body?));
        let has = |unit: &UnitRef| index.binds(*unit, name);
        let holder = index.order(class).iter().filter_map(body).find(has).or_else(|| body(&class));
        self.variable_of_unit(holder.unwrap_or((class.0, UnitId(0))), name)
    }

    /// A name that only `from x import *` of a library can have brought.
    fn starred(&self, name: Sym) -> Option<Place> {
        let text = self.facts.name(name);
        let module = (self.file, self.world.index.module_of(self.file, self.unit));
        let unknown = self.facts.language == Language::Python
            && self.world.calls(self.file).get(&format!("builtins.{text}")).is_none()
            && !self.world.index.is_captured(self.file, self.unit, name)
            && self.world.index.has_outside_star(module);
        unknown.then(|| Place::state(Realm::Library(format!("{STARRED}{text}").into()), None))
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
                match self.world.index.resolve(self.file, self.unit, name) {
                    Some(Binding::Variable(module, name)) => Some(self.variable_of_unit(module, &name)),
                    Some(Binding::External(name)) if name.contains('.') => Some(Place::state(Realm::Library(name), None)),
                    Some(_) => None,
                    None => self.starred(name),
                }
            }
            Value::Attr(base, name) => {
                let text = self.facts.name(name).to_owned();
                self.shared_attribute(base, &text)
            }
            Value::Item(base, key) => {
                let key = self.value(key);
                let base = self.shared_thing(base)?;
                Some(match key {
                    Term::Unknown => base,
                    key => base.item(key),
                })
            }
            _ => None,
        }
    }

    /// The same of what is stored to: a class gets a variable of its own, whatever its bases have.
    fn stored_thing(&mut self, to: V) -> Option<Place> {
        if let Value::Attr(base, name) = self.facts.value(to)
            && let Term::Class(class) = self.value(*base).plain()
            && let Some(body) = self.world.index.file(class.0).class(class.1).body
        {
            return Some(self.variable_of_unit((class.0, body), self.facts.name(*name)));
        }
        self.shared_thing(to)
    }

    /// An attribute of a module, a class or something else that is shared.
    fn shared_attribute(&mut self, base: V, name: &str) -> Option<Place> {
        let term = self.value(base);
        // `let mut address = Address::ZERO`: a variable of Rust holds a copy of a constant.
        let copy = self.facts.language == Language::Rust
            && matches!(term.plain(), Term::External(_) | Term::Class(_))
            && matches!(self.facts.value(base), Value::Name(name) if self.state.vars.contains_key(name));
        if copy {
            return None;
        }
        // `cls` in a class method: the class that has the variable.
        if *term.plain() == Term::Param(0) && self.facts.unit(self.unit).shape == Shape::ClassMethod {
            let class = self.class_of(&term).filter(|class| self.world.class_variable(*class, name).is_some())?;
            return Some(self.variable_of_class(class, name));
        }
        if let Term::Class(class) = term.plain()
            && self.world.class_variable(*class, name).is_some_and(|variable| self.world.is_descriptor(&variable))
        {
            return None;
        }
        match self.attribute_of(&term, name) {
            None => Some(self.shared_thing(base)?.child(Piece::Lit(name.into()))),
            known => known,
        }
    }

    /// An attribute of a module or class.
    fn attribute_of(&self, holder: &Term, name: &str) -> Option<Place> {
        match holder.plain() {
            Term::Module(module) => match self.world.index.in_module(*module, name, 0) {
                Some(Binding::Variable(module, name)) => Some(self.variable_of_unit(module, &name)),
                // A function, a class or an import that is replaced, or a new name.
                _ => Some(self.variable_of_unit(*module, name)),
            },
            Term::Class(class) => Some(self.variable_of_class(*class, name)),
            Term::External(library) => Some(Place::state(Realm::Library(format!("{library}.{name}").into()), None)),
            _ => None,
        }
    }

    /// `setattr(module, "name", value)`, `delattr(module, "name")`.
    pub(super) fn change_attribute(&mut self, op: OpId, verb: Verb, args: &[Passed]) {
        let [on, name, rest @ ..] = args else { return };
        let Some(base) = on.value else { return };
        let place = match name.term.as_literal() {
            Some(name) => self.shared_attribute(base, &name),
            // `for name, value in saved.items(): setattr(settings, name, value)`: any of them.
            None => self.any_attribute(&on.term),
        };
        let Some(place) = place else { return };
        if !self.is_ours(&place) {
            self.on_state(op, verb, place, rest.first().map(|value| value.term.clone()), false);
        }
    }

    /// Some attribute of a module or class; which one is not known.
    fn any_attribute(&self, holder: &Term) -> Option<Place> {
        let mut place = self.attribute_of(holder, "").filter(|place| matches!(place.realm(), Some(Realm::Variable(_))))?;
        place.segments = vec![vec![Piece::Hole(Term::Unknown)]];
        Some(place)
    }

    /// `operator.setitem(table, key, value)`, `operator.delitem(table, key)`.
    pub(super) fn change_item(&mut self, op: OpId, verb: Verb, args: &[Passed]) {
        let [on, key, rest @ ..] = args else { return };
        let place = match on.value {
            _ if is_environ(&on.term) => Some(Place::state(Realm::Environment, Some(key.term.clone()))),
            Some(base) => self.shared_thing(base).map(|table| table.item(key.term.clone())),
            None => None,
        };
        if let Some(place) = place.filter(|place| !self.is_ours(place)) {
            self.on_state(op, verb, place, rest.first().map(|value| value.term.clone()), false);
        }
    }

    /// A store or removal that reaches beyond the unit: a declared global, an attribute of a module or class, an item of a variable that is
    /// not the unit's own.
    pub(super) fn change_shared(&mut self, op: OpId, to: V, verb: Verb, value: Option<Term>) {
        match self.facts.value(to).clone() {
            Value::Name(name) if !self.facts.unit(self.unit).globals.contains(&name) => return,
            Value::Item(base, key) if is_environ(&self.value(base)) => {
                let key = self.value(key);
                self.on_state(op, verb, Place::state(Realm::Environment, Some(key)), value, false);
                return;
            }
            Value::Attr(..) if is_environ(&self.value(to)) => {
                self.on_state(op, verb, Place::state(Realm::Environment, None), value, false);
                return;
            }
            Value::Tuple(all) | Value::List(all) => {
                return all.iter().for_each(|one| self.change_shared(op, *one, verb, None));
            }
            Value::Name(_) | Value::Attr(..) | Value::Item(..) => {}
            _ => return,
        }
        // An instance of a class that was found for a variable of its own is no class.
        let holder = match self.facts.value(to) {
            Value::Attr(base, _) => matches!(self.facts.value(*base), Value::Name(name) if self.state.vars.contains_key(name)),
            _ => false,
        };
        let Some(place) = self.stored_thing(to).filter(|_| !holder) else { return };
        // `del sys.path[0]`: which one it is depends on what else the list holds.
        let place = if verb == Verb::Delete { place.without_number() } else { place };
        if !self.is_ours(&place) {
            let value = if self.stores_empty(op) { Some(Term::List([].into())) } else { value };
            self.on_state(op, verb, place, value, false);
        }
    }

    /// Whether what is stored is an empty display or container: `{}`, `OrderedDict()`.
    fn stores_empty(&self, op: OpId) -> bool {
        const CONTAINERS: &[&str] =
            &["Counter", "OrderedDict", "WeakValueDictionary", "defaultdict", "deque", "dict", "list", "set"];
        let What::Store { value, .. } = &self.facts.op(op).what else { return false };
        match self.facts.value(*value) {
            Value::Dict(all) => all.is_empty(),
            Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.is_empty(),
            Value::Result(call) => match &self.facts.op(*call).what {
                What::Call { callee, args } => {
                    let name = self.facts.dotted(*callee).unwrap_or_default();
                    args.is_empty() && CONTAINERS.contains(&name.rsplit('.').next().unwrap_or(&name))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a variable belongs to the body that is being run: a module that fills its own table.
    pub(super) fn is_ours(&self, place: &Place) -> bool {
        matches!(place.realm(), Some(Realm::Variable(holder)) if holder.unit == (self.file, self.unit))
    }

    /// A method that changes what it is called on: `REGISTRY.append(x)`, `os.environ.update(X="1")`.
    pub(super) fn mutate(&mut self, op: OpId, base: V, recv: &Term, method: &str, args: &[Passed]) {
        // What a library's module calls so may be any function of it; the lists of `sys` and the settings of matplotlib are known.
        let is_function = match recv.plain() {
            Term::External(name) => !name.starts_with("sys.") && !name.ends_with(".rcParams"),
            _ => false,
        };
        if is_function || is_environ(recv) || !MUTATORS.contains(&method) {
            return;
        }
        let Some(place) = self.shared_thing(base).filter(|place| !self.is_ours(place)) else { return };
        let verb = match method {
            "clear" => Verb::DeleteTree,
            "pop" | "popitem" | "popleft" | "remove" | "discard" => Verb::Delete,
            "append" | "add" | "extend" | "insert" | "appendleft" | "extendleft" => Verb::Append,
            _ => Verb::Update,
        };
        let keyed = matches!(method, "pop" | "setdefault").then(|| args.first().map(|arg| arg.term.clone())).flatten();
        let place = match keyed {
            Some(key) if key != Term::Unknown && !matches!(key, Term::Int(_)) => place.item(key),
            _ => place,
        };
        let value = if method == "setdefault" { args.get(1) } else { args.first() };
        self.on_state(op, verb, place, value.map(|arg| arg.term.clone()), false);
    }

    /// Methods of `os.environ` that concern several variables, or one behind another name (Python documentation, "os.environ").
    pub(super) fn change_environment(&mut self, op: OpId, method: &str, args: &[Passed]) {
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
                        all.push((key, value));
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// `patch("module.name", …)`, `patch.object(module, "name")`, `patch.dict(os.environ, {…})`, `monkeypatch.setattr(module, "name", …)`, as
    /// a context manager or called: changed here, and put back at the end with all that happens to it meanwhile.
    pub(super) fn patch_state(&mut self, op: OpId, callee: V, args: &[Arg]) {
        let (base, name) = match self.facts.value(callee) {
            Value::Attr(base, name) => (self.facts.dotted(*base).unwrap_or_default(), self.facts.name(*name)),
            Value::Name(name) => (String::new(), self.facts.name(*name)),
            _ => return,
        };
        let Some(first) = args.first() else { return };
        let of_patch = base.ends_with("patch");
        let place = match name {
            "object" if of_patch => self.attribute_told(args),
            "setattr" | "delattr" if !base.is_empty() => self.attribute_told(args).or_else(|| self.thing_called(first.value)),
            "setitem" | "delitem" if !base.is_empty() && args.len() > 1 => {
                let key = self.value(args[1].value);
                self.shared_thing(first.value).map(|table| table.item(key))
            }
            // `patch("module.name", …)`, and trial's `self.patch(module, "name", value)`.
            "patch" => self.thing_called(first.value).or_else(|| self.attribute_told(args).filter(|_| args.len() == 3)),
            "dict" if of_patch => self.thing_called(first.value).or_else(|| self.shared_thing(first.value)),
            _ => None,
        };
        let Some(place) = place else { return };
        if place.root_name() != "os.environ" {
            return self.on_state(op, Verb::Write, place, None, true);
        }
        self.on_state(op, Verb::Read, Place::state(Realm::Environment, None), None, true);
        let passed = self.passed(&args[1..]);
        for (key, value) in self.pairs(&passed) {
            self.on_state(op, Verb::Write, Place::state(Realm::Environment, Some(key)), Some(value), true);
        }
    }

    /// The attribute that a holder and a name in text are the first arguments for.
    fn attribute_told(&mut self, args: &[Arg]) -> Option<Place> {
        let Value::Text(name) = self.facts.value(args.get(1)?.value) else { return None };
        self.shared_attribute(args[0].value, self.facts.name(*name))
    }

    /// What a dotted name in text means: `"package.module.name"`.
    fn thing_called(&mut self, text: V) -> Option<Place> {
        let text = self.value(text).as_literal()?;
        let (holder, name) = text.rsplit_once('.')?;
        match self.world.index.dotted(holder, self.file) {
            Some(binding) => {
                let holder = self.bound(binding);
                self.attribute_of(&holder, name)
            }
            None => Some(Place::state(Realm::Library(text.as_str().into()), None)),
        }
    }

    /// The same as a decorator of the unit at hand.
    pub(super) fn patched_state(&mut self, mark: &Mark) {
        self.patch_state(OpId::reading(mark.callee), mark.callee, &mark.args);
    }
}

/// Calls around a variable in an assertion: `sorted(list(NAMES))`.
const ASSERTED: usize = 3;

/// Whether the process goes back to the directory it was started in.
fn is_start(keeper: &Keeper, value: Option<&Term>) -> bool {
    let start = |place: &Place| place.root == Root::Start && place.segments.is_empty();
    *keeper == Keeper::WorkingDirectory && value.and_then(Place::of).is_some_and(|place| start(&place))
}

/// Splits what a unit does into paths and the rest.
pub(super) fn split(effects: Vec<Effect>) -> (Vec<Effect>, Vec<Effect>) {
    effects.into_iter().partition(|effect| !effect.on.is_state())
}

/// What a test does to things that are no paths, and what it does to paths. Whoever uses a relative path relies on the working directory.
pub(super) fn apart(all: Vec<TestEffect>) -> (Vec<TestEffect>, Vec<TestEffect>) {
    let (mut state, mut paths) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for one in all {
        if one.effect.on.is_state() {
            state.push(one);
            continue;
        }
        // A path that is relative or below a folder that was handed in, as the case may be, is none for sure.
        let relative = (one.relative || one.effect.on.root == Root::Cwd) && !one.effect.one_of;
        if relative && seen.len() < RELATIVE && seen.insert(one.effect.site) {
            let on = Arc::new(Place::state(Realm::WorkingDirectory, None));
            state.push(TestEffect { effect: Effect { on, verb: Verb::Read, ..one.effect.clone() }, ..one.clone() });
        }
        paths.push(one);
    }
    (state, paths)
}

/// Uses of relative paths that are kept of one test.
const RELATIVE: usize = 4;

/// A name that is known but for what sets two instances apart.
pub fn is_named(place: &Place) -> bool {
    place.is_settled()
        && pieces(place.segments.iter().flatten().map(|piece| match piece {
            Piece::Lit(text) => Term::text(text),
            Piece::Hole(term) => term.clone(),
        })) != Term::Unknown
}
