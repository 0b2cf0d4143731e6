//! One unit, evaluated: its operations in order, with what is known of variables, locks, redirections and earlier checks.

use super::condition::{Condition, common};
use super::context::leads_to_files;
use super::life::Born;
use super::names::is_environ;
use super::own::Owned;
use super::pace::Moment;
use super::patch::Patched;
use super::place::{Place, Realm};
use super::pool::Pool;
use super::summary::{Ambience, Deferred, EFFECTS, Effect, Gone, Known, Spread, Summary, Try, Where, harm};
use super::term::{Lock, Mix, Site, Term, UnitRef};
use super::vary::{Vary, Varying};
use super::world::World;
use crate::calls::{Call, Flow, Verb};
use crate::facts::run::HOMES;
use crate::facts::{Arm, Block, FileFacts, Handler, Language, OpId, Shape, Step, Sym, UnitId, V, Value, What, WithItem};
use crate::text::FileId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Evaluates a unit on its own, its parameters symbolic.
pub fn evaluate(world: &World, unit: UnitRef) -> Summary {
    let mut eval = Eval::new(world, unit);
    let data = eval.facts.unit(unit.1);
    for (n, param) in data.params.iter().enumerate() {
        let term = eval.parameter(n as u16, param.ty);
        let term = match term {
            Term::Param(_) if is_injected(eval.facts, data) => eval.injected(n as u16, eval.facts.name(param.name)),
            term => term,
        };
        eval.state.vars.insert(param.name, term);
    }
    eval.varying_parameters();
    eval.defaults = data.params.iter().map(|param| param.default.map(|default| eval.value(default).bounded())).collect();
    let marks = data.marks.iter().filter(|_| eval.facts.language == Language::Python);
    marks.clone().for_each(|mark| eval.patched_state(mark));
    let around = data.class.map_or(&[][..], |class| &eval.facts.class(class).marks);
    around.iter().filter(|_| eval.facts.language == Language::Python).for_each(|mark| eval.patched_state(mark));
    let patched: Vec<Patched> = marks.flat_map(|mark| world.patched_by_mark(unit, mark)).collect();
    eval.state.ambience.patch(patched.clone());
    let mut held = eval.held_by_class();
    let before = eval.state.ambience.clone();
    for wrapping in eval.decorated() {
        eval.state.ambience.move_to(&wrapping.ambience);
        held.extend(wrapping.guards);
        eval.caught.extend(wrapping.caught);
    }
    let moved = eval.state.ambience != before;
    eval.state.guards.extend(held.iter().cloned());
    eval.block(&data.body);
    eval.put_back_by_marks();
    eval.leave_unit();
    let mut summary = eval.finish();
    // What decorators replace, hold and redirect, and what the class holds, is the unit's own matter.
    if moved {
        summary.after = before;
    }
    summary.after.patched.retain(|one| !patched.contains(one));
    summary.held.retain(|lock| !held.contains(lock));
    summary
}

/// What changes along the way.
#[derive(Clone)]
pub(super) struct State {
    pub vars: HashMap<Sym, Term>,
    /// Where each variable was last stored.
    pub stored: HashMap<Sym, OpId>,
    /// Attributes stored in this unit: base and name.
    pub attrs: BTreeMap<(Term, Arc<str>), Term>,
    pub ambience: Ambience,
    pub guards: Vec<Lock>,
    pub known: Vec<Known>,
    /// New files and directories that have gone with their owners.
    pub gone: Vec<Gone>,
    /// By variable: the reads that its value is made of.
    pub made_of: HashMap<Sym, Vec<Site>>,
    /// By variable: what of its value differs from run to run.
    pub varying: HashMap<Sym, Vec<Varying>>,
    /// The other way ended under a flag: what follows is only done when asked for.
    pub flagged: bool,
    /// What must hold of the parameters on this way.
    pub when: Vec<Condition>,
    /// This way has ended: returned, raised, broken off.
    pub dead: bool,
}

pub(super) struct Eval<'a, 'w> {
    pub world: &'w World<'a>,
    pub file: FileId,
    pub unit: UnitId,
    pub facts: &'a FileFacts,
    pub state: State,
    pub results: HashMap<OpId, Term>,
    pub effects: Vec<Effect>,
    /// Pools of all CPUs that are started on every way.
    pub pools: Vec<Pool>,
    /// Calls that wait for their callee, and how many of others' were made here, and inside one another.
    pub calls: Vec<Deferred>,
    pub made: usize,
    pub making: usize,
    /// The call at hand stands in another unit.
    pub at: Option<Site>,
    /// The receiver of the last call, where the callee changed fields of it.
    pub changed: Option<Term>,
    pub gives: Option<Term>,
    pub defaults: Vec<Option<Term>>,
    pub stores: Vec<(Arc<str>, Term)>,
    /// What the caller of a context manager or fixture sees.
    pub at_yield: Option<(Ambience, Vec<Lock>)>,
    pub caught: Vec<Arc<str>>,
    /// The `try` statements around, outermost first.
    pub tries: Vec<Arc<Try>>,
    pub maybe: usize,
    pub expected: usize,
    pub flagged: usize,
    /// In a `finally` or an `__exit__`.
    pub assured: usize,
    /// The operation at hand, or the value that a branch asks for.
    pub here: OpId,
    /// The threads and processes that we are in, outermost first.
    pub spread: Vec<Spread>,
    pub once: usize,
    /// Table entries of the calls made, for `with`.
    pub entries: HashMap<OpId, &'a Call>,
    /// Context managers of the project that were called and not yet entered.
    pub contexts: HashMap<OpId, Context>,
    /// Calls that stand as the context of a `with`.
    pub entered: HashSet<OpId>,
    /// What the current loop's target is.
    pub elements: HashMap<V, Term>,
    /// Nested functions being evaluated in place.
    pub inside: Vec<UnitId>,
    /// The arms and bodies that we are in, by number, and the last number given.
    pub ways: Vec<u32>,
    pub last_way: u32,
    /// The other arm of the condition at hand ends in an error.
    pub refusing: bool,
    /// The table entry being applied.
    pub calling: Arc<str>,
    /// By call: the reads that its result is made of.
    pub made_of: HashMap<OpId, Vec<Site>>,
    pub vary: Vary,
    /// By call: what the tables say of its values.
    pub flows: HashMap<OpId, Flow>,
    /// The course in time, and by call how many steps were there before it.
    pub course: Vec<Moment>,
    pub begun: HashMap<OpId, usize>,
    /// New files and directories whose owners were made here, and those that went with them, on whatever way.
    pub owned: Vec<Owned>,
    pub gone: Vec<Gone>,
    /// What was returned or yielded while there were such.
    pub returns: Vec<(Site, Term)>,
    pub born: Vec<Born>,
    /// Rust blocks open around, and in which of them a variable was first named.
    pub depth: usize,
    pub declared: HashMap<Sym, usize>,
}

/// The part of a context manager that runs around the block.
#[derive(Clone, Default)]
pub(super) struct Context {
    pub leave: Vec<Effect>,
    pub ambience: Option<Ambience>,
    pub held: Vec<Lock>,
}

/// Earlier checks kept in mind.
const KNOWN: usize = 16;

impl<'a, 'w> Eval<'a, 'w> {
    pub fn new(world: &'w World<'a>, unit: UnitRef) -> Self {
        Eval {
            world,
            file: unit.0,
            unit: unit.1,
            facts: world.index.file(unit.0),
            state: State {
                vars: HashMap::new(),
                stored: HashMap::new(),
                attrs: BTreeMap::new(),
                ambience: Ambience::default(),
                guards: Vec::new(),
                known: Vec::new(),
                gone: Vec::new(),
                made_of: HashMap::new(),
                varying: HashMap::new(),
                flagged: false,
                when: Vec::new(),
                dead: false,
            },
            results: HashMap::new(),
            effects: Vec::new(),
            pools: Vec::new(),
            calls: Vec::new(),
            made: 0,
            making: 0,
            at: None,
            changed: None,
            gives: None,
            defaults: Vec::new(),
            stores: Vec::new(),
            at_yield: None,
            caught: Vec::new(),
            tries: Vec::new(),
            maybe: 0,
            expected: 0,
            flagged: 0,
            assured: 0,
            here: OpId(0),
            spread: Vec::new(),
            once: 0,
            entries: HashMap::new(),
            contexts: HashMap::new(),
            entered: HashSet::new(),
            elements: HashMap::new(),
            inside: Vec::new(),
            ways: Vec::new(),
            last_way: 0,
            refusing: false,
            calling: "".into(),
            made_of: HashMap::new(),
            vary: Vary::default(),
            flows: HashMap::new(),
            course: Vec::new(),
            begun: HashMap::new(),
            owned: Vec::new(),
            gone: Vec::new(),
            returns: Vec::new(),
            born: Vec::new(),
            depth: 0,
            declared: HashMap::new(),
        }
    }

    fn finish(mut self) -> Summary {
        self.release_owned();
        let gone = self.gone_at_end();
        let shape = self.facts.unit(self.unit).shape;
        if matches!(shape, Shape::Module | Shape::ClassBody) {
            let mut vars: Vec<(Sym, Term)> = std::mem::take(&mut self.state.vars).into_iter().collect();
            vars.sort_by_key(|(sym, _)| *sym);
            for (sym, term) in vars {
                let name = self.facts.name(sym).into();
                self.stores.push((name, term.bounded()));
            }
        }
        self.stores.retain(|(_, term)| *term != Term::Unknown);
        let (effects, state) = super::state::split(self.effects);
        let (after, held) = self.at_yield.unwrap_or((self.state.ambience, self.state.guards));
        Summary {
            effects: most_harmful(effects),
            state: most_harmful(state),
            pools: self.pools,
            calls: self.calls,
            gives: self.gives.map(Term::bounded),
            defaults: self.defaults,
            stores: self.stores,
            after,
            held,
            gone,
            born: self.born,
            varying: self.vary.gives,
            doubtful: self.vary.doubtful,
            parameters: self.vary.parameters,
            unstable: self.vary.unstable,
            course: self.course,
            events: Vec::new(),
            needs: Vec::new(),
        }
    }

    pub fn site(&self, op: OpId) -> Site {
        self.at.unwrap_or(Site { file: self.file, op })
    }

    /// A parameter, with its declared type where that is one from outside.
    pub fn parameter(&mut self, n: u16, ty: Option<V>) -> Term {
        match ty.and_then(|ty| self.type_name(ty)) {
            Some(ty) => Term::Typed(ty, Arc::new(Term::Param(n))),
            None => Term::Param(n),
        }
    }

    /// A parameter that pytest fills in: what its own fixtures and well-known plugins' give is known by their names.
    fn injected(&self, n: u16, name: &str) -> Term {
        match self.world.calls(self.file).get(&format!("fixture:{name}")).and_then(|entry| entry.ty.as_deref()) {
            Some(ty) => Term::Typed(ty.into(), Arc::new(Term::Param(n))),
            None => Term::Param(n),
        }
    }

    pub fn block(&mut self, block: &Block) {
        for step in block {
            if let Step::With { items, .. } = step {
                let op = |item: &WithItem| match self.facts.value(item.context) {
                    Value::Result(op) => Some(*op),
                    _ => None,
                };
                self.entered.extend(items.iter().filter_map(op));
            }
        }
        for step in block {
            if self.state.dead {
                return;
            }
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Op(op) => self.operation(*op),
            Step::If { cond, then, other, .. } => self.branch(*cond, then, other),
            Step::Loop { over, body, other, .. } => self.repeat(*over, body, other),
            Step::Try { body, handlers, other, last } => self.attempt(body, handlers, other, last),
            Step::With { items, body, .. } => self.with(items, body),
            Step::Scope(body) => {
                let guards = self.state.guards.len();
                let ambience = self.state.ambience.clone();
                let before = self.state.vars.clone();
                self.depth += 1;
                self.block(body);
                self.leave_block();
                self.depth -= 1;
                self.leave_scope(&before);
                // Guards bound in a Rust block are dropped at its end, and with them what they redirect.
                self.state.guards.truncate(guards);
                if self.facts.language == crate::facts::Language::Python {
                    self.state.ambience = ambience;
                }
            }
            Step::Match { subject, arms } => self.choose(*subject, arms),
        }
    }

    fn operation(&mut self, id: OpId) {
        let op = self.facts.op(id);
        self.here = id;
        match &op.what {
            What::Call { callee, args } => {
                let first = self.effects.len();
                let given = std::mem::take(&mut self.vary.gives);
                self.begun.insert(id, self.course.len());
                let result = self.call(id, *callee, args).bounded();
                self.call_reads(id, *callee, args, first);
                self.results.insert(id, result.clone());
                self.call_varying(id, *callee, args, given);
                self.own(id, &result);
                self.bear(id, &result, None);
            }
            What::Store { to, value, ty } => {
                let mut term = match self.elements.get(to) {
                    Some(element) => element.clone(),
                    None => self.value(*value),
                };
                if let (Some(ty), Term::Param(_) | Term::Captured(_) | Term::Call(_) | Term::Opaque(_) | Term::Field(..)) =
                    (ty.and_then(|ty| self.type_name(ty)), &term)
                {
                    term = Term::Typed(ty, Arc::new(term));
                }
                if matches!(self.facts.value(*to), Value::Name(name) if self.facts.name(*name) == "_") {
                    self.forgive(*value);
                }
                self.bear(id, &term, *ty);
                self.named_as_value(id, &term);
                self.bind_owner(*to, &term, id);
                self.bind_reads(*to, *value);
                self.change_shared(id, *to, Verb::Write, Some(term.clone()));
                self.bind_varying(*to, *value, *ty);
                self.store(*to, term, id);
            }
            What::Delete(of) => self.change_shared(id, *of, Verb::Delete, None),
            What::Await(of) => self.awaited(id, *of),
            What::Import(import) => self.import(id, *import),
            What::DefineClass(class) => self.class_defined(id, *class),
            What::Assert(cond) => {
                self.asserted(*cond);
                self.asserted_whole(id, *cond);
                self.doubt_condition(id, *cond);
                self.pace_asserted(id, *cond);
            }
            What::Define(unit) => {
                self.defined(id, *unit);
                self.mark_varying(*unit);
                let name = self.facts.unit(*unit).name;
                if !matches!(self.facts.unit(self.unit).shape, Shape::Module | Shape::ClassBody) {
                    self.state.vars.insert(name, Term::Function((self.file, *unit)));
                }
                self.registered_by_marks(id, *unit);
            }
            What::Return(value) => {
                if let Some(value) = value {
                    let term = self.value(*value);
                    self.named_as_value(id, &term);
                    self.hand_out(id, &term);
                    self.give_varying(*value, false);
                    let term = self.escape(term);
                    self.give(term);
                } else {
                    self.give(Term::Nil);
                }
                self.state.dead = true;
            }
            What::Yield(value) => {
                let term = value.map_or(Term::Nil, |value| self.value(value));
                value.iter().for_each(|value| self.give_varying(*value, true));
                if Place::of(&term).is_some_and(|place| self.gone_from(&place).is_some()) {
                    self.hand_out(id, &term);
                }
                let term = self.escape(term);
                self.give(term);
                if self.at_yield.is_none() {
                    self.at_yield = Some((self.state.ambience.clone(), self.state.guards.clone()));
                }
            }
            What::Raise(_) | What::Break | What::Continue => self.state.dead = true,
        }
    }

    fn give(&mut self, term: Term) {
        self.gives = Some(match self.gives.take() {
            // A function that gives `None` on one way gives the other value where it matters.
            None | Some(Term::Nil) => term,
            Some(old) if term == Term::Nil => old,
            Some(old) => Term::either(old, term),
        });
    }

    /// A nested function that leaves its unit takes the variables along.
    pub(super) fn escape(&mut self, term: Term) -> Term {
        let here = |parent: UnitId| parent == self.unit || self.inside.contains(&parent);
        match term {
            Term::Function((file, unit)) if file == self.file && self.facts.unit(unit).parent.is_some_and(here) => {
                if matches!(self.facts.unit(self.unit).shape, Shape::Module | Shape::ClassBody) {
                    return Term::Function((file, unit));
                }
                let mut captured: Vec<(Arc<str>, Term)> = self
                    .state
                    .vars
                    .iter()
                    .filter(|(_, term)| !matches!(term, Term::Unknown | Term::Function(_)))
                    .map(|(sym, term)| (Arc::from(self.facts.name(*sym)), term.clone()))
                    .collect();
                captured.sort();
                captured.truncate(24);
                Term::Closure((file, unit), Arc::new(captured))
            }
            other => other,
        }
    }

    /// Binds a value to a name, attribute, item or the parts of a tuple.
    pub fn store(&mut self, to: V, term: Term, op: OpId) {
        let term = term.bounded();
        match self.facts.value(to) {
            Value::Name(name) => {
                self.state.stored.insert(*name, op);
                self.state.vars.insert(*name, term);
            }
            Value::Attr(base, name) => {
                let holder = *base;
                let base = self.value(holder);
                let name: Arc<str> = self.facts.name(*name).into();
                match &base {
                    Term::Param(0) if self.facts.unit(self.unit).class.is_some() => {
                        // What is not known of it, or not always so, is still another value than before.
                        let sure = self.maybe == 0 || self.is_initialiser();
                        let kept =
                            if sure && term != Term::Unknown { term.clone() } else { Term::opaque(self.site(op), Mix::EMPTY) };
                        self.stores.retain(|(stored, _)| *stored != name);
                        self.stores.push((name.clone(), kept));
                    }
                    Term::Object(_) | Term::Changed(..) => {
                        let changed = base.with_fields(vec![(name, term)]);
                        return self.assign(holder, &base, changed);
                    }
                    Term::External(module) if &**module == "tempfile" && &*name == "tempdir" => {
                        self.state.ambience.temp = Some(match Place::of(&term) {
                            Some(place) => Where::At(Arc::new(place)),
                            None => Where::Unknown,
                        });
                    }
                    _ => {}
                }
                self.state.attrs.insert((base, name), term);
            }
            Value::Item(base, key) => {
                let base = self.value(*base);
                let key = self.value(*key);
                if is_environ(&base) {
                    match key.as_literal() {
                        Some(key) => self.set_variable(&key, &term),
                        // Any variable, by a helper's parameter.
                        None => self.state.ambience.home = Some(Where::Unknown),
                    }
                }
            }
            Value::Tuple(targets) | Value::List(targets) => {
                let targets = targets.clone();
                for (i, target) in targets.iter().enumerate() {
                    let part = self.part(&term, i, targets.len(), op);
                    self.store(*target, part, op);
                }
            }
            Value::Star(target) => {
                let target = *target;
                self.store(target, Term::Unknown, op);
            }
            _ => {}
        }
    }

    /// Whether this is a method whose stores every instance has.
    fn is_initialiser(&self) -> bool {
        super::world::INITIALISERS.contains(&self.facts.name(self.facts.unit(self.unit).name))
    }

    /// One of the values that a tuple target takes.
    fn part(&self, term: &Term, i: usize, of: usize, op: OpId) -> Term {
        match term {
            Term::List(terms) if terms.len() == of => terms[i].clone(),
            // `mkstemp` gives a descriptor and the path.
            Term::Path(_) | Term::Typed(..) if of == 2 && i == 1 => term.clone(),
            // `os.walk` gives the folder first.
            Term::Path(_) | Term::Typed(..) if of == 3 && i == 0 => term.clone(),
            Term::Unknown => Term::Unknown,
            _ => Term::Item(Arc::new(term.clone()), Arc::new(Term::Int(i as i64 + (i64::from(op.0) << 16)))),
        }
    }

    /// An environment variable that moves a well-known directory.
    pub fn set_variable(&mut self, key: &str, term: &Term) {
        let to = Some(match Place::of(term) {
            Some(place) => Where::At(Arc::new(place)),
            None => Where::Unknown,
        });
        match key {
            "TMPDIR" | "TEMP" | "TMP" => self.state.ambience.temp = to,
            _ if HOMES.iter().any(|(name, _)| *name == key) => self.state.ambience.home = to,
            // A project's own setting: the directories that it keeps for the user may follow it.
            _ if leads_to_files(key) => self.state.ambience.home = Some(Where::Unknown),
            _ => {}
        }
    }

    fn branch(&mut self, cond: V, then: &Block, other: &Block) {
        self.here = OpId::reading(cond);
        let term = self.value(cond);
        match truth(&term) {
            Some(true) => return self.block(then),
            Some(false) => return self.block(other),
            None => {}
        }
        let flag = self.flag(cond, &term);
        let before = self.state.clone();
        self.refusing = raises(self.facts, other);
        self.learn(&term, true);
        self.given(&term, true);
        self.refusing = false;
        self.maybe += 1;
        // What comes before a test fails itself is what it does when it fails: generated code is written anew.
        let asked_then = flag == Some(true) || fails(self.facts, then);
        self.flagged += usize::from(asked_then);
        self.way(then);
        self.flagged -= usize::from(asked_then);
        let ended = self.state.dead;
        let after_then = std::mem::replace(&mut self.state, before);
        self.refusing = raises(self.facts, then);
        self.learn(&term, false);
        self.given(&term, false);
        self.refusing = false;
        self.flagged += usize::from(flag == Some(false));
        self.way(other);
        self.flagged -= usize::from(flag == Some(false));
        self.maybe -= 1;
        // `if RUN_SLOW is not set: return`: the rest is done only when asked for.
        let asked = match (ended, self.state.dead) {
            (true, false) => flag == Some(false),
            (false, true) => flag == Some(true),
            _ => false,
        };
        self.merge(after_then);
        self.state.flagged |= asked;
    }

    /// Whether what comes next is only done when asked for.
    pub fn is_flagged(&self) -> bool {
        self.flagged > 0 || self.state.flagged
    }

    /// A block on a way of its own.
    fn way(&mut self, block: &Block) {
        self.last_way += 1;
        self.ways.push(self.last_way);
        self.block(block);
        self.ways.pop();
    }

    /// Joins another way into this one.
    pub fn merge(&mut self, other: State) {
        if other.dead {
            return;
        }
        if self.state.dead {
            self.state = other;
            return;
        }
        for (name, term) in other.vars {
            match self.state.vars.get_mut(&name) {
                Some(mine) if *mine == term => {}
                Some(mine) => {
                    let known = *mine != Term::Unknown && term != Term::Unknown;
                    let mix = mine.mix().and(term.mix());
                    *mine = join(std::mem::replace(mine, Term::Unknown), term);
                    // One of too many values is still one value.
                    if let Some(op) = self.state.stored.get(&name).or(other.stored.get(&name)).filter(|_| known)
                        && *mine == Term::Unknown
                    {
                        *mine = Term::opaque(self.at.unwrap_or(Site { file: self.file, op: *op }), mix);
                    }
                }
                None => {
                    self.state.vars.insert(name, term);
                }
            }
        }
        for (name, op) in other.stored {
            let mine = self.state.stored.entry(name).or_insert(op);
            *mine = (*mine).max(op);
        }
        for (key, term) in other.attrs {
            match self.state.attrs.get_mut(&key) {
                Some(mine) if *mine == term => {}
                Some(mine) => *mine = join(std::mem::replace(mine, Term::Unknown), term),
                None => {
                    self.state.attrs.insert(key, term);
                }
            }
        }
        for (name, varying) in other.varying {
            super::vary::join(self.state.varying.entry(name).or_default(), varying);
        }
        for (name, reads) in &other.made_of {
            super::flow::add(self.state.made_of.entry(*name).or_default(), reads);
        }
        let theirs = other.known;
        self.state.known.retain(|known| theirs.contains(known));
        self.state.gone.retain(|gone| other.gone.contains(gone));
        let guards = other.guards;
        self.state.guards.retain(|lock| guards.contains(lock));
        self.state.flagged &= other.flagged;
        common(&mut self.state.when, &other.when);
        let ambience = &mut self.state.ambience;
        for (mine, theirs) in [
            (&mut ambience.cwd, other.ambience.cwd),
            (&mut ambience.home, other.ambience.home),
            (&mut ambience.temp, other.ambience.temp),
        ] {
            if *mine != theirs {
                *mine = Some(Where::Unknown);
            }
        }
        ambience.in_memory |= other.ambience.in_memory;
    }

    /// What a condition tells about paths when it holds, or does not.
    fn learn(&mut self, cond: &Term, holds: bool) {
        match (cond, holds) {
            (Term::Not(inner), _) => self.learn(inner, !holds),
            (Term::All(terms), true) | (Term::Any(terms), false) => terms.iter().for_each(|term| self.learn(term, holds)),
            // `if exists(p) and not force`: whoever goes on acts as if it were missing.
            (Term::All(terms), false) => {
                let mut checks = terms.iter().filter(|term| matches!(term, Term::Check(..)));
                if let (Some(check), None) = (checks.next(), checks.next()) {
                    self.learn(check, false);
                }
            }
            (Term::Check(on, site), _) => {
                for term in on.alternatives() {
                    if let Some(place) = Place::of(term).and_then(|place| self.reach(&place)) {
                        self.state.known.retain(|known| *known.on != place);
                        let known = Known {
                            on: Arc::new(place),
                            exists: holds,
                            refused: self.refusing,
                            site: *site,
                            guards: self.state.guards.clone(),
                        };
                        self.state.known.push(known);
                    }
                }
                if self.state.known.len() > KNOWN {
                    self.state.known.remove(0);
                }
            }
            _ => {}
        }
    }

    fn repeat(&mut self, over: Option<(V, V)>, body: &Block, other: &Block) {
        if let Some((target, iter)) = over {
            let term = self.value(iter);
            let element = match term.plain() {
                Term::List(terms) if !terms.is_empty() && terms.len() <= 8 => {
                    terms.iter().cloned().reduce(Term::either).unwrap_or(Term::Unknown)
                }
                // What a listing gives is one thing inside the folder.
                Term::Path(_) => term.clone(),
                Term::Field(_, name) if &**name == "<entry>" => term.clone(),
                _ => Term::Unknown,
            };
            self.elements.insert(target, element);
            self.read_whole(body, iter);
        }
        let walks = self.walk(over.map(|(_, iter)| iter));
        let steps = self.course.len();
        let before = self.state.clone();
        self.maybe += 1;
        self.block(body);
        self.maybe -= 1;
        self.polled(steps);
        self.walked(walks);
        // A value that is built from its own last round has no bound.
        let grown: Vec<Sym> = self
            .state
            .vars
            .iter()
            .filter(|(name, term)| {
                before.vars.get(name).is_some_and(|old| old != *term && old != &Term::Unknown && holds(term, old))
            })
            .map(|(name, _)| *name)
            .collect();
        for name in grown {
            self.state.vars.insert(name, Term::Unknown);
        }
        self.state.dead &= before.dead;
        self.merge(before);
        self.block(other);
    }

    fn attempt(&mut self, body: &Block, handlers: &[Handler], other: &Block, last: &Block) {
        let before = self.state.clone();
        let caught = self.caught.len();
        let tries = self.tries.len();
        for handler in handlers {
            if handler.catches.is_empty() {
                self.caught.push("*".into());
            }
            for value in &handler.catches {
                match self.facts.value(*value) {
                    Value::Tuple(all) => {
                        for value in all {
                            self.caught.extend(self.facts.dotted(*value).map(Arc::from));
                        }
                    }
                    _ => self.caught.extend(self.facts.dotted(*value).map(Arc::from)),
                }
            }
        }
        // A program that is expected to end: how far it comes is not known.
        let ends = self.caught[caught..].iter().any(|name| name.rsplit('.').next() == Some("SystemExit"));
        self.expected += usize::from(ends);
        if !handlers.is_empty() {
            let around = self.handlers_of(handlers);
            self.tries.push(around);
        }
        self.way(body);
        self.tries.truncate(tries);
        self.expected -= usize::from(ends);
        self.caught.truncate(caught);
        let after_body = self.state.clone();
        if !self.state.dead {
            self.block(other);
        }
        let mut ways = Vec::new();
        for handler in handlers.iter().filter(|handler| !super::handle::is_never_raised(self.facts, body, handler)) {
            let mut start = before.clone();
            start.dead = false;
            let mut mid = State { dead: false, ..after_body.clone() };
            // The body failed: what it relied on is in doubt.
            mid.known.clear();
            start.known.retain(|known| !known.exists);
            self.maybe += 1;
            let main = std::mem::replace(&mut self.state, start);
            self.merge(mid);
            self.way(&handler.body);
            self.maybe -= 1;
            ways.push(std::mem::replace(&mut self.state, main));
        }
        for way in ways {
            self.merge(way);
        }
        let dead = self.state.dead;
        self.state.dead = false;
        self.assured += 1;
        self.block(last);
        self.assured -= 1;
        self.state.dead |= dead;
    }

    fn choose(&mut self, subject: V, arms: &[Arm]) {
        let term = self.value(subject);
        // An arm that takes the error and goes on makes it no failure.
        let forgiving = arms.iter().any(|arm| {
            let error = arm.pattern.as_ref().and_then(|path| path.last()).is_some_and(|name| self.facts.name(*name) == "Err");
            error && !ends(self.facts, &arm.body)
        });
        let matched_on_ok = arms.iter().any(|arm| {
            arm.pattern.as_ref().and_then(|path| path.last()).is_some_and(|name| matches!(self.facts.name(*name), "Ok" | "Err"))
        });
        if forgiving || (matched_on_ok && arms.len() > 1 && arms.iter().any(|arm| arm.pattern.is_none())) {
            self.forgive(subject);
        }
        self.handled_by_kind(subject, arms);
        let before = self.state.clone();
        let mut ways = Vec::new();
        self.maybe += 1;
        let conditions = self.arm_conditions(subject, arms);
        for (arm, conditions) in arms.iter().zip(conditions) {
            self.state = before.clone();
            if conditions.iter().any(|one| truth(&one.term) == Some(!one.holds)) {
                continue;
            }
            conditions.iter().for_each(|one| self.given(&one.term, one.holds));
            if let (Term::Check(..), Some(pattern)) = (&term, &arm.pattern) {
                match pattern.last().map(|name| self.facts.name(*name)) {
                    Some("true") => self.learn(&term.clone(), true),
                    Some("false") => self.learn(&term.clone(), false),
                    _ => {}
                }
            }
            self.way(&arm.body);
            ways.push(self.state.clone());
        }
        self.maybe -= 1;
        self.state = State { dead: !ways.is_empty(), ..before };
        for way in ways {
            self.merge(way);
        }
    }

    /// The error of a call is thrown away: its effects are tolerant of it.
    pub fn forgive(&mut self, value: V) {
        if let Value::Result(op) = self.facts.value(value) {
            let site = self.site(*op);
            for effect in
                self.effects.iter_mut().rev().take(8).filter(|effect| effect.site == site || effect.via.first() == Some(&site))
            {
                effect.caught.push("*".into());
            }
            // `remove(p).ok()`, `create(p).map_err(f)`: the receiver's error too.
            if let What::Call { callee, .. } = &self.facts.op(*op).what
                && let Value::Attr(base, _) = self.facts.value(*callee)
            {
                self.forgive(*base);
            }
        }
    }

    /// A call is asked whether it failed: its effects are expected to.
    pub fn expect_failure(&mut self, value: V) {
        if let Value::Result(op) = self.facts.value(value) {
            let site = self.site(*op);
            for effect in
                self.effects.iter_mut().rev().take(8).filter(|effect| effect.site == site || effect.via.first() == Some(&site))
            {
                // That a variable is not set is an answer, and no failure.
                effect.expected |= effect.on.realm() != Some(&Realm::Environment);
            }
        }
    }

    /// What the runs of the code at hand have in common, where there are several: threads of any kind, before processes.
    pub fn spread(&self) -> Option<Spread> {
        self.spread.iter().copied().max()
    }

    /// Records that something is done to a path.
    pub fn effect(&mut self, op: OpId, verb: Verb, on: &Term, tolerant: bool, format: Option<&str>, argument: Option<V>) {
        if self.state.ambience.in_memory || self.state.ambience.replaces(&self.calling) {
            return;
        }
        let alternatives = on.alternatives().to_vec();
        for term in &alternatives {
            let place = Place::of(term).and_then(|place| self.reach(&place));
            let Some(place) = place.filter(|place| !self.state.ambience.hides(place)) else { continue };
            let steps = argument.map_or(Vec::new(), |argument| self.derivation(argument));
            let known = self.state.known.clone();
            let gone = self.gone_from(&place).cloned();
            if super::overlap::changes(verb) {
                // What was seen before does not hold after one's own act.
                self.state.known.retain(|known| *known.on != place);
            }
            let one_of = alternatives.len() > 1;
            let format = format.map(Arc::from);
            self.effects.push(Effect { known, tolerant, format, one_of, steps, gone, ..self.new_effect(op, verb, place) });
        }
    }

    /// Something done here, with all that surrounds it.
    pub fn new_effect(&self, op: OpId, verb: Verb, place: Place) -> Effect {
        Effect {
            verb,
            on: Arc::new(place),
            site: self.site(op),
            via: Vec::new(),
            guards: self.state.guards.clone(),
            known: Vec::new(),
            caught: self.caught.clone(),
            tolerant: false,
            format: None,
            maybe: self.maybe > 0,
            one_of: false,
            ways: self.ways.clone(),
            when: self.state.when.clone(),
            call: self.calling.clone(),
            asserted: false,
            runs: false,
            expected: self.expected > 0,
            flagged: self.is_flagged(),
            leave: self.at_yield.is_some(),
            assured: self.assured > 0,
            undone: false,
            value: None,
            spread: self.spread(),
            once: self.once > 0,
            steps: Vec::new(),
            tries: self.tries_here(),
            made_of: Vec::new(),
            gone: None,
        }
    }

    /// The operations that put a value together, nearest first.
    fn derivation(&self, value: V) -> Vec<Site> {
        let mut out = Vec::new();
        self.derive(value, 0, &mut out);
        out.truncate(6);
        out
    }

    fn derive(&self, value: V, depth: usize, out: &mut Vec<Site>) {
        if depth > 6 || out.len() >= 6 {
            return;
        }
        match self.facts.value(value) {
            Value::Name(name) => {
                if let Some(op) = self.state.stored.get(name) {
                    let site = self.site(*op);
                    if !out.contains(&site) {
                        out.push(site);
                        if let What::Store { value, .. } = &self.facts.op(*op).what {
                            self.derive(*value, depth + 1, out);
                        }
                    }
                } else if let Some(op) = self.world.index.variable_store(self.file, self.unit, *name) {
                    out.push(self.site(op));
                }
            }
            Value::Result(op) => {
                if let What::Call { callee, args } = &self.facts.op(*op).what {
                    if let Value::Attr(base, _) = self.facts.value(*callee) {
                        self.derive(*base, depth + 1, out);
                    }
                    for arg in args {
                        self.derive(arg.value, depth + 1, out);
                    }
                }
            }
            Value::Binary(_, a, b) => {
                self.derive(*a, depth + 1, out);
                self.derive(*b, depth + 1, out);
            }
            Value::Attr(a, _) => self.derive(*a, depth + 1, out),
            Value::Format(parts) => parts.iter().for_each(|part| self.derive(*part, depth + 1, out)),
            _ => {}
        }
    }
}

/// As many effects as a summary keeps, the most harmful of them.
fn most_harmful(effects: Vec<Effect>) -> Vec<Effect> {
    if effects.len() <= EFFECTS {
        return effects;
    }
    let mut ranked: Vec<usize> = (0..effects.len()).collect();
    ranked.sort_by_key(|i| {
        let effect = &effects[*i];
        // What puts a thing back speaks for all that happens to it meanwhile.
        (!effect.undone, harm(effect.verb), effect.via.len(), effect.site, *i)
    });
    ranked.truncate(EFFECTS);
    ranked.sort_unstable();
    ranked.into_iter().map(|i| effects[i].clone()).collect()
}

/// A test or a fixture: a Python function whose parameters pytest fills in.
pub(super) fn is_injected(facts: &FileFacts, unit: &crate::facts::Unit) -> bool {
    facts.language == crate::facts::Language::Python
        && (facts.name(unit.name).starts_with("test")
            || unit
                .marks
                .iter()
                .any(|mark| facts.dotted(mark.callee).is_some_and(|name| name.rsplit('.').next() == Some("fixture"))))
}

pub(super) fn join(a: Term, b: Term) -> Term {
    match (a, b) {
        // A variable that is `None` on one way is the other value where it is used.
        (Term::Nil, other) | (other, Term::Nil) => other,
        (Term::Unknown, _) | (_, Term::Unknown) => Term::Unknown,
        (a, b) => Term::either(a, b),
    }
}

pub(super) fn truth(term: &Term) -> Option<bool> {
    match term {
        Term::Bool(b) => Some(*b),
        Term::Nil => Some(false),
        Term::Int(n) => Some(*n != 0),
        Term::Not(inner) => truth(inner).map(|b| !b),
        Term::All(terms) if terms.iter().any(|term| truth(term) == Some(false)) => Some(false),
        Term::All(terms) => terms.iter().all(|term| truth(term) == Some(true)).then_some(true),
        Term::Any(terms) if terms.iter().any(|term| truth(term) == Some(true)) => Some(true),
        Term::Any(terms) => terms.iter().all(|term| truth(term) == Some(false)).then_some(false),
        Term::Text(_) => term.as_literal().map(|text| !text.is_empty()),
        Term::Typed(_, inner) => truth(inner),
        Term::Path(_) => Some(true),
        Term::List(terms) => Some(!terms.is_empty()),
        Term::Object(_) | Term::Handle(_) | Term::Function(_) | Term::Class(_) => Some(true),
        _ => None,
    }
}

fn holds(term: &Term, part: &Term) -> bool {
    let mut found = false;
    term.visit(&mut |inner| found |= inner == part);
    // `i += 1`: another number each time.
    found || matches!((term, part), (Term::Int(_), Term::Int(_)))
}

/// Whether a block ends the way: returns, raises, panics, leaves the loop.
fn ends(facts: &FileFacts, block: &Block) -> bool {
    block.iter().any(|step| match step {
        Step::Op(op) => match &facts.op(*op).what {
            What::Return(_) | What::Raise(_) | What::Break | What::Continue => true,
            What::Call { callee, .. } => facts.dotted(*callee).is_some_and(|name| {
                matches!(name.rsplit("::").next(), Some("panic!" | "unreachable!" | "todo!" | "unimplemented!" | "bail!"))
            }),
            _ => false,
        },
        Step::Scope(body) => ends(facts, body),
        Step::If { then, other, .. } => ends(facts, then) && ends(facts, other),
        _ => false,
    })
}

/// Whether a block ends in an error.
fn raises(facts: &FileFacts, block: &Block) -> bool {
    block.iter().any(|step| match step {
        Step::Op(op) => match &facts.op(*op).what {
            What::Raise(_) => true,
            // `return Err(…)`.
            What::Return(Some(value)) => match facts.value(*value) {
                Value::Result(op) => {
                    matches!(&facts.op(*op).what, What::Call { callee, .. } if facts.dotted(*callee).as_deref() == Some("Err"))
                }
                _ => false,
            },
            What::Call { callee, .. } => facts.dotted(*callee).is_some_and(|name| {
                matches!(name.rsplit([':', '.']).next(), Some("bail!" | "panic!" | "exit" | "abort" | "fail" | "skip"))
            }),
            _ => false,
        },
        Step::Scope(body) => raises(facts, body),
        _ => false,
    }) || matches!(block.as_slice(), [before @ .., Step::If { then, .. }] if before.iter().all(|step| asks(facts, step)) && raises(facts, then))
}

/// A call whose result nobody keeps: the question of the condition that follows.
fn asks(facts: &FileFacts, step: &Step) -> bool {
    matches!(step, Step::Op(op) if matches!(facts.op(*op).what, What::Call { .. }))
}

/// Whether a block ends in a failure of the test: `panic!`, `pytest.fail`, an `AssertionError`.
fn fails(facts: &FileFacts, block: &Block) -> bool {
    let last = |value: V| facts.dotted(value).map(|name| name.rsplit([':', '.']).next().unwrap_or(&name).to_owned());
    block.iter().any(|step| match step {
        Step::Op(op) => match &facts.op(*op).what {
            What::Call { callee, .. } => matches!(last(*callee).as_deref(), Some("panic!" | "fail")),
            What::Raise(Some(value)) => {
                let error = match facts.value(*value) {
                    Value::Result(op) => match &facts.op(*op).what {
                        What::Call { callee, .. } => last(*callee),
                        _ => None,
                    },
                    _ => last(*value),
                };
                error.as_deref() == Some("AssertionError")
            }
            _ => false,
        },
        Step::Scope(body) => fails(facts, body),
        _ => false,
    })
}
