//! Calls of the project's own units: their summaries, seen from the call.

use super::call::Passed;
use super::context::names_lock;
use super::eval::{Context, Eval};
use super::index::{Binding, walk_ops};
use super::place::Root;
use super::summary::{Ambience, Around, Deferred, Effect, Frame, TRAIL};
use super::term::{Argument, ClassRef, Lock, Mix, Object, Opaque, Pending, Site, Term, UnitRef};
use super::world::Wrapping;
use crate::calls::Reach;
use crate::facts::{FileFacts, Language, OpId, Shape, V, Value, What};
use std::sync::Arc;

/// Effects that one unit gathers from calls before the most harmful are kept.
const GATHERED: usize = 512;

/// Nested functions evaluated in place inside one another.
const INSIDE: usize = 4;

/// Calls of one unit that wait for their callee.
const CALLS: usize = 24;

/// Callers that a call waits for, one after the other.
const CARRIED: usize = 3;

/// Calls that waited, made inside one another, and in one unit.
const MAKING: usize = 4;
const MADE: usize = 128;

/// Nesting of a call that is kept as the value it gives.
const KEPT: usize = 5;

/// Methods after which an object is in use, and those that end it.
const OPENERS: &[&str] = &["__init__", "__enter__", "__aenter__", "open", "connect"];
const CLOSERS: &[&str] = &["__exit__", "__aexit__", "close", "__del__"];

/// Whether an effect of a unit is what a variable of it does when it is dropped (`scope.rs`): it stands where that got its value.
fn is_drop(facts: &FileFacts, unit: UnitRef, effect: &Effect) -> bool {
    let stored = |site: &Site| site.file == unit.0 && matches!(facts.op(site.op).what, What::Store { .. });
    facts.language == Language::Rust && effect.assured && effect.via.first().is_some_and(stored)
}

impl Eval<'_, '_> {
    pub(super) fn construct(&mut self, op: OpId, class: ClassRef, args: &[Passed]) -> Term {
        let init = self.world.index.method(class, "__init__");
        let given: Vec<Argument> = args.iter().map(|arg| self.argument(arg)).collect();
        let params = init.map(|init| self.world.arguments(init, Some(Term::Unknown), &given)).unwrap_or_default();
        let object = Term::Object(Arc::new(Object {
            class,
            args: params.into_iter().skip(1).collect(),
            fields: Vec::new(),
            site: Some(self.site(op)),
            via: 0,
        }));
        if let Some(init) = init {
            self.call_unit(op, init, Some(object.clone()), args);
        }
        self.changed = None;
        if self.facts.language == Language::Rust {
            // A tuple struct's fields are its constructor's arguments.
            let fields = args.iter().enumerate().map(|(n, arg)| (Arc::from(n.to_string()), arg.term.clone()));
            return object.with_fields(fields.collect());
        }
        object
    }

    /// An argument as the callee sees it: a nested function takes the variables around it along.
    pub(super) fn argument(&mut self, arg: &Passed) -> Argument {
        Argument { term: self.escape(arg.term.clone()), ..arg.argument() }
    }

    /// Calls a unit of the project: its summary, seen from here.
    pub(super) fn call_unit(&mut self, op: OpId, unit: UnitRef, recv: Option<Term>, args: &[Passed]) -> Term {
        let data = self.world.index.file(unit.0).unit(unit.1);
        let nested = unit.0 == self.file
            && data.parent.is_some_and(|parent| parent == self.unit || self.inside.contains(&parent))
            && !matches!(self.facts.unit(self.unit).shape, Shape::Module | Shape::ClassBody);
        if (nested && data.class.is_none()) || data.shape == Shape::Closure {
            if unit.0 != self.file {
                return self.call_closure(op, unit, &[], args);
            }
            return self.call_in_place(op, unit, args);
        }
        let takes_self = matches!(data.shape, Shape::Method | Shape::ClassMethod | Shape::Property);
        let given: Vec<Argument> = args.iter().map(|arg| self.argument(arg)).collect();
        let params = self.world.arguments(unit, recv.filter(|_| takes_self), &given);
        let site = self.site(op);
        self.instantiate(Some(site), unit, params, &[])
    }

    /// Calls a nested function that has left its unit.
    pub(super) fn call_closure(&mut self, op: OpId, unit: UnitRef, captured: &[(Arc<str>, Term)], args: &[Passed]) -> Term {
        let given: Vec<Argument> = args.iter().map(|arg| self.argument(arg)).collect();
        let params = self.world.arguments(unit, None, &given);
        let site = self.site(op);
        self.instantiate(Some(site), unit, params, captured)
    }

    /// What a unit does and gives for these parameters. Without a call it is a test's own unit or fixture.
    pub(super) fn instantiate(
        &mut self,
        site: Option<Site>,
        unit: UnitRef,
        mut params: Vec<Term>,
        captured: &[(Arc<str>, Term)],
    ) -> Term {
        if let Some(site) = site.filter(|_| self.state.ambience.replaces_unit(unit)) {
            self.changed = None;
            return Term::opaque(site, Mix::EMPTY);
        }
        let facts = self.world.index.file(unit.0);
        let data = facts.unit(unit.1);
        self.world.fill_defaults(&mut params, unit);
        if let Some(site) = site {
            // What is not known of an argument is still one thing for the whole call.
            for (n, param) in params.iter_mut().enumerate().filter(|(_, param)| **param == Term::Unknown) {
                *param = Term::Opaque(Arc::new(Opaque { site, via: n as u64 + 1, mix: Mix::EMPTY, ty: None }));
            }
        }
        let recv = params.first().filter(|_| data.shape == Shape::Method).cloned();
        let summary = self.world.summary(unit);
        let before = self.state.ambience.clone();
        let mut ambience = before.clone();
        ambience.patch(recv.as_ref().map(|recv| self.world.shadowed(recv)).unwrap_or_default());
        let frame = Frame { world: self.world, params, captured, ambience: &ambience, site };
        let is_context = site.is_some() && data.yields && is_context_manager(facts, data);
        let is_generator = site.is_some() && data.yields && !is_context;
        let around = self.around();
        let mut leave = Vec::new();
        // A trail that passes through one call twice tells nothing that a shorter one does not.
        let turns_back = |via: &[Site]| site.is_some_and(|site| via.contains(&site));
        // Where in the unit what is done to a relative path stands, by its place among our effects.
        let mut relative: Vec<(usize, Site)> = Vec::new();
        let mut dropped: Vec<usize> = Vec::new();
        for effect in summary.effects.iter().chain(&summary.state).filter(|effect| !turns_back(&effect.via)) {
            let stands = (effect.on.root == Root::Cwd).then(|| effect.via.first().copied().unwrap_or(effect.site));
            let drops = is_drop(facts, unit, effect);
            let Some(mut effect) = frame.effect(effect) else { continue };
            let after_yield = effect.leave && is_context;
            effect.leave &= !is_context;
            around.enclose(&mut effect, 0);
            if effect.gone.is_none() {
                effect.gone = self.gone_from(&effect.on).cloned();
            }
            match after_yield {
                true => leave.push(effect),
                // What a unit gathers is bounded; what it has already stays, since callers hold places in it.
                false if self.effects.len() < GATHERED => {
                    relative.extend(stands.map(|stands| (self.effects.len(), stands)));
                    dropped.extend(drops.then_some(self.effects.len()));
                    self.effects.push(effect);
                }
                false => {}
            }
        }
        for pool in summary.pools.iter().filter(|pool| !frame.ambience.replaces_pool(self.world, pool)) {
            self.add_pool(pool.clone());
        }
        self.paced(site, unit);
        let mut after = frame.ambience(&summary.after);
        after.patched.retain(|one| before.patched.contains(one) || !ambience.patched.contains(one));
        let held: Vec<Lock> = summary.held.iter().map(|lock| frame.lock(lock)).collect();
        let mut gives = summary.gives.as_ref().map_or(Term::Nil, |gives| frame.term(gives, 0));
        let waiting = summary.calls.iter().filter(|deferred| !turns_back(&deferred.around.via));
        let waiting: Vec<Deferred> = waiting.filter_map(|deferred| frame.deferred(deferred, CARRIED)).collect();
        let changed = recv.as_ref().and_then(|recv| self.world.changed(&frame, unit, recv));
        let gathered = self.effects.len();
        let moved = self.make_all(site, &waiting, &around).map(|(at, after)| {
            if after.cwd != before.cwd {
                self.forget_relative(&relative, at, gathered);
            }
            after
        });
        if moved.is_none() && self.effects.len() > gathered {
            // What it was handed ran before its own variables were dropped.
            let last: Vec<Effect> = dropped.iter().rev().map(|place| self.effects.remove(*place)).collect();
            self.effects.extend(last.into_iter().rev());
        }
        self.vary.called = summary.varying.clone();
        if is_context {
            match (site, self.at) {
                (Some(site), None) => {
                    self.contexts.insert(site.op, Context { leave, ambience: Some(after), held });
                }
                _ => self.effects.extend(leave),
            }
        } else if data.is_async && site.is_some() && !is_generator {
            // A guard that it hands out is held by whoever awaits it.
            self.state.guards.extend(held);
        } else if !is_generator {
            self.state.ambience = moved.unwrap_or(after);
            self.state.guards.extend(held);
        }
        if let (Some(recv), Some((fields, changed))) = (recv, changed) {
            if gives == recv {
                gives = changed.clone();
            }
            if recv == Term::Param(0) && site.is_some() {
                fields.into_iter().for_each(|(name, term)| self.store_own(name, term));
            }
            self.changed = Some(changed);
        }
        match (gives, site) {
            (Term::Unknown, Some(site)) => Term::opaque(site, Mix::EMPTY),
            // A generator's elements are not known one by one.
            (_, Some(site)) if is_generator => Term::opaque(site, Mix::EMPTY),
            (gives, _) => gives,
        }
    }

    /// What surrounds the operation at hand.
    fn around(&self) -> Around {
        Around {
            via: Vec::new(),
            guards: self.state.guards.clone(),
            known: self.state.known.clone(),
            caught: self.caught.clone(),
            tries: self.tries_here(),
            maybe: self.maybe > 0,
            ways: self.ways.clone(),
            when: self.state.when.clone(),
            expected: self.expected > 0,
            flagged: self.is_flagged(),
            leave: self.at_yield.is_some(),
            assured: self.assured > 0,
            spread: self.spread(),
            once: self.once > 0,
        }
    }

    /// Leaves a call to whoever knows the callee, and gives the call itself for its value.
    pub(super) fn defer(&mut self, op: OpId, callee: Term, args: &[Passed]) -> Term {
        let site = self.site(op);
        let args: Vec<Argument> = args.iter().map(|arg| self.argument(arg)).collect();
        let call = Arc::new(Pending::new(callee, args, site));
        if self.calls.len() < CALLS && !self.state.ambience.in_memory {
            self.calls.push(Deferred { call: call.clone(), ambience: self.state.ambience.clone(), around: self.around() });
        }
        let gives = Term::Call(call);
        if gives.depth() > KEPT { Term::opaque(site, Mix::EMPTY) } else { gives }
    }

    /// Takes out what was done to relative paths behind a call that is known only now, and that went to another directory.
    fn forget_relative(&mut self, relative: &[(usize, Site)], at: Site, until: usize) {
        let behind = |(_, stands): &&(usize, Site)| stands.file == at.file && *stands > at;
        let lost: Vec<usize> = relative.iter().filter(behind).map(|(place, _)| *place).filter(|place| *place < until).collect();
        lost.iter().rev().for_each(|place| drop(self.effects.remove(*place)));
    }

    /// Makes the calls that waited for this one, or carries them on. Gives what relative paths mean afterwards, where one of them changed
    /// it, and where the first of those stands.
    fn make_all(&mut self, site: Option<Site>, waiting: &[Deferred], around: &Around) -> Option<(Site, Ambience)> {
        let mut moved: Option<(Site, Ambience)> = None;
        for deferred in waiting {
            if deferred.call.callee.is_open() {
                if self.calls.len() < CALLS && deferred.around.via.len() < CARRIED {
                    let outer = Around { via: site.into_iter().collect(), ..around.clone() };
                    self.calls.push(Deferred { around: deferred.around.within(&outer), ..deferred.clone() });
                }
            } else if self.making < MAKING && self.made < MADE {
                self.made += 1;
                if let Some(after) = self.make(site, deferred) {
                    let here = deferred.around.via.first().copied().unwrap_or(deferred.call.site);
                    moved = Some((moved.map_or(here, |(first, _)| first.min(here)), after));
                }
            }
        }
        moved
    }

    /// Makes a call that stands in another unit.
    fn make(&mut self, site: Option<Site>, deferred: &Deferred) -> Option<Ambience> {
        let pending = &deferred.call;
        let sites = deferred.around.via.iter().copied().chain([pending.site]);
        if self.state.ambience.replaces_any(self.world, sites) {
            return None;
        }
        let args: Vec<Passed> = pending.args.iter().map(Passed::from).collect();
        let (first, calls, ways) = (self.effects.len(), self.calls.len(), self.ways.len());
        let pools = self.pools.len();
        let at = self.at.replace(pending.site);
        let ambience = std::mem::replace(&mut self.state.ambience, deferred.ambience.clone());
        let dead = self.state.dead;
        self.making += 1;
        self.call_term(pending.site.op, &pending.callee, &args);
        self.making -= 1;
        self.state.dead = dead;
        self.at = at;
        // What still waits inside would need to know us as well.
        self.calls.truncate(calls);
        let after = std::mem::replace(&mut self.state.ambience, ambience);
        let mut made = self.effects.split_off(first.min(self.effects.len()));
        if deferred.around.is_unsure() {
            self.pools.truncate(pools);
        }
        made.retain(|effect| effect.via.len() + deferred.around.via.len() < TRAIL);
        for effect in &mut made {
            deferred.around.enclose(effect, ways);
            if let Some(site) = site {
                effect.via.insert(0, site);
            }
        }
        self.effects.extend(made);
        (after != deferred.ambience).then_some(after)
    }

    /// A method of a lock of the project that takes it: a class called so that can be acquired and released.
    pub(super) fn take_own_lock(&mut self, class: ClassRef, recv: &Term, method: &str) {
        let is_lock = self.world.index.class_name(class).ends_with("Lock");
        let has = |name: &str| self.world.index.method(class, name).is_some();
        if !is_lock || !has("acquire") || !has("release") {
            return;
        }
        let lock = Lock { reach: Reach::Host, shared: false, on: recv.clone() };
        match method {
            "acquire" | "__enter__" => self.state.guards.push(lock),
            "release" | "__exit__" => self.state.guards.retain(|held| *held != lock),
            _ => {}
        }
    }

    /// What the decorators of the project put around this unit: where it runs, and under which locks.
    pub(super) fn decorated(&self) -> Vec<Wrapping> {
        let data = self.facts.unit(self.unit);
        let around = data.parent.unwrap_or(self.unit);
        let decorators = data.marks.iter().filter_map(|mark| self.world.index.resolve_value(self.file, around, mark.callee));
        let calls = decorators.filter_map(|decorator| match decorator {
            Binding::Function(decorator) if decorator != (self.file, self.unit) => self.world.wrapped_call(decorator),
            _ => None,
        });
        calls.collect()
    }

    /// A class of the project may hand out its methods under locks: `__getattribute__` then says so by the names of what it calls.
    fn held_by_access(&self, class: ClassRef) -> Option<Lock> {
        let (file, unit) = self.world.index.method(class, "__getattribute__")?;
        let facts = self.world.index.file(file);
        let mut locks = false;
        walk_ops(&facts.unit(unit).body, &mut |op| {
            if let What::Call { callee, .. } = &facts.op(op).what {
                locks |= facts.dotted(*callee).is_some_and(|name| names_lock(&name));
            }
        });
        locks.then_some(Lock { reach: Reach::Host, shared: false, on: Term::Param(0) })
    }

    /// Locks that an object holds since it was made, opened or entered: its other methods run under them.
    pub(super) fn held_by_class(&self) -> Vec<Lock> {
        let data = self.facts.unit(self.unit);
        let Some(class) = data.class.filter(|_| data.shape == Shape::Method) else { return Vec::new() };
        let name = self.facts.name(data.name);
        if OPENERS.contains(&name) || CLOSERS.contains(&name) {
            return Vec::new();
        }
        let class = self.world.index.class_of_impl((self.file, class));
        let openers = OPENERS.iter().filter_map(|opener| self.world.index.method(class, opener));
        let held = openers.flat_map(|opener| self.world.summary(opener).held.iter());
        // Only what is known through the object itself means the same thing in another method.
        let held = held.filter(|lock| matches!(&lock.on, Term::Field(base, _) if **base == Term::Param(0))).cloned();
        held.chain(self.held_by_access(class)).collect()
    }

    /// A method of our own changed a field of `self`.
    fn store_own(&mut self, name: Arc<str>, term: Term) {
        self.state.attrs.insert((Term::Param(0), name.clone()), term.clone());
        self.stores.retain(|(stored, _)| *stored != name);
        self.stores.push((name, term));
    }

    /// An object that was changed in place, under the name or in the field that holds it.
    pub(super) fn assign(&mut self, holder: V, old: &Term, new: Term) {
        if *old == Term::Param(0) {
            return;
        }
        match self.facts.value(holder) {
            Value::Name(name) => {
                if let Some(var) = self.state.vars.get_mut(name) {
                    *var = new;
                }
            }
            Value::Attr(holder, name) => {
                let name: Arc<str> = self.facts.name(*name).into();
                let base = self.value(*holder);
                if base == Term::Param(0) && self.facts.unit(self.unit).class.is_some() {
                    self.store_own(name, new);
                } else if matches!(base, Term::Object(_) | Term::Changed(..)) {
                    // `config.storage.path = …` changes the configuration, too.
                    let changed = base.with_fields(vec![(name, new)]);
                    self.assign(*holder, &base, changed);
                } else {
                    self.state.attrs.insert((base, name), new);
                }
            }
            _ => {}
        }
    }

    /// Evaluates a nested function or closure where it is called, with the variables of its surroundings.
    fn call_in_place(&mut self, op: OpId, unit: UnitRef, args: &[Passed]) -> Term {
        if self.inside.len() >= INSIDE || self.inside.contains(&unit.1) {
            return Term::Unknown;
        }
        let data = self.facts.unit(unit.1);
        let site = self.site(op);
        let at = self.at.take();
        let given: Vec<Argument> = args.iter().map(Passed::argument).collect();
        let mut params = self.world.arguments(unit, None, &given);
        for (param, term) in data.params.iter().zip(&mut params) {
            if *term == Term::Missing {
                *term = param.default.map_or(Term::Unknown, |default| self.value(default));
            }
        }
        let before = self.state.clone();
        let (gives, at_yield) = (self.gives.take(), self.at_yield.take());
        for (param, term) in data.params.iter().zip(params) {
            self.state.vars.insert(param.name, term);
        }
        self.inside.push(unit.1);
        let first = self.effects.len();
        self.depth += 1;
        self.block(&data.body);
        self.release_owned();
        self.depth -= 1;
        self.inside.pop();
        self.at = at;
        for effect in &mut self.effects[first..] {
            effect.via.insert(0, site);
        }
        let result = std::mem::replace(&mut self.gives, gives).unwrap_or(Term::Nil);
        let inner = std::mem::replace(&mut self.at_yield, at_yield);
        let ambience = self.state.ambience.clone();
        let vars = std::mem::take(&mut self.state.vars);
        let gone = std::mem::take(&mut self.state.gone);
        let made_of = std::mem::take(&mut self.state.made_of);
        self.state = before;
        self.state.gone = gone;
        self.state.made_of = made_of;
        if data.yields {
            let (ambience, held) = inner.unwrap_or((ambience, Vec::new()));
            self.contexts.insert(op, Context { leave: Vec::new(), ambience: Some(ambience), held });
        } else {
            self.state.ambience = ambience;
            // `nonlocal` and Rust's captured variables.
            for name in &data.globals {
                if let Some(term) = vars.get(name) {
                    self.state.vars.insert(*name, term.clone());
                }
            }
        }
        result
    }
}

/// A generator that `contextlib` makes a context manager of.
pub(super) fn is_context_manager(facts: &crate::facts::FileFacts, unit: &crate::facts::Unit) -> bool {
    unit.marks.iter().any(|mark| {
        facts.dotted(mark.callee).is_some_and(|name| {
            let last = name.rsplit('.').next().unwrap_or(&name);
            matches!(last, "contextmanager" | "asynccontextmanager")
        })
    })
}
