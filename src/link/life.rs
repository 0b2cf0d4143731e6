//! The lives of threads, processes, tasks, pools, loops and servers: what a unit starts, and on which ways it waits for the end.
//!
//! What somebody else may have taken along (an argument, a field, a return value, a closure) is his to end: nothing is said of it.

use super::eval::Eval;
use super::index::{Binding, Index};
use super::instance::is_context_manager;
use super::spots::{Look, Mention, Region, Spot, each_value, mentions, speaks, spots};
use super::summary::Summary;
use super::suspend::Suspends;
use super::term::{Site, Term, UnitRef};
use crate::calls::{Kind, Thing};
use crate::facts::{Comparison, FileFacts, Language, OpId, Shape, Sym, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An operation that gives or stores a thing with a life of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Born {
    pub op: OpId,
    /// The type of the thing.
    pub ty: Arc<str>,
    /// The thing is made by this very operation, and not by what it calls.
    pub made: bool,
    /// For the number of a port: where it was read off a socket.
    pub read: Option<Site>,
}

/// Something that a unit starts and that nobody else has.
#[derive(Clone, PartialEq, Debug)]
pub struct Work {
    pub unit: UnitRef,
    pub kind: Kind,
    /// The call that makes it.
    pub made: Site,
    /// The call that starts it; the same where it runs at once.
    pub started: Site,
    /// The process does not wait for it.
    pub daemon: bool,
    /// The variable that holds it.
    pub held: Option<Arc<str>>,
    pub end: End,
    /// An assertion in what it runs.
    pub asserts: Option<Site>,
    pub heard: Heard,
    /// For a task: what its coroutine waits for.
    pub suspends: Suspends,
}

/// Whether its end, or its failure, reaches the unit on another way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Heard {
    Not,
    /// Something of it does; whether that is the last is not known.
    Perhaps,
    Surely,
}

/// How it ends, as far as the unit that starts it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Nobody waits for it or ends it.
    Never,
    /// Somebody does, where nothing fails before.
    OnSuccess {
        end: Site,
        /// What may fail.
        fails: Site,
        /// What tells it to end; without that it may have ended by itself.
        told: Option<Site>,
    },
}

/// A process that is forked while a thread of the same unit runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Fork {
    pub unit: UnitRef,
    /// The call that starts the thread.
    pub thread: Site,
    /// The call that forks.
    pub fork: Site,
    /// The fork is asked for by name, so it is one on every version of Python.
    pub asked: bool,
}

/// What works start and fork.
#[derive(Default)]
pub(super) struct Lives {
    pub works: Vec<Work>,
    pub forks: Vec<Fork>,
}

/// Names of methods that tell a running thing to end, where what they are called on is not known.
pub(super) const TELLS: &[&str] =
    &["shutdown", "stop", "close", "terminate", "kill", "send_signal", "quit", "request_stop", "aclose", "stop_all"];

impl Eval<'_, '_> {
    /// Takes note of an operation that gives or stores a thing with a life of its own.
    pub(super) fn bear(&mut self, op: OpId, term: &Term, declared: Option<V>) {
        if self.at.is_some() {
            return;
        }
        if let Some(read) = super::ports::read_at(term) {
            self.born.push(Born { op, ty: super::ports::CHOSEN.into(), made: false, read: Some(read) });
        }
        let calls = self.world.calls(self.file);
        let mut types = self.world.types_of(term);
        types.extend(declared.and_then(|ty| self.type_name(ty)));
        let listed = if types.is_empty() { self.made_by_parameter(op) } else { Vec::new() };
        if let Some(ty) = listed.into_iter().find(|ty| calls.thing(ty).is_some()) {
            return self.born.push(Born { op, ty, made: true, read: None });
        }
        if let Some(ty) = types.into_iter().find(|ty| calls.thing(ty).is_some()) {
            let site = match term {
                Term::Opaque(opaque) if opaque.via == 0 => Some(opaque.site),
                Term::Object(object) => object.site,
                _ => None,
            };
            self.born.push(Born { op, ty, made: site == Some(self.site(op)), read: None });
        }
    }
}

impl Eval<'_, '_> {
    /// The types of what a parameter of a test makes, whose mark lists them: `parametrize("factory", [Pool, Executor])`.
    fn made_by_parameter(&self, op: OpId) -> Vec<Arc<str>> {
        let What::Call { callee, .. } = &self.facts.op(op).what else { return Vec::new() };
        let Value::Name(name) = self.facts.value(*callee) else { return Vec::new() };
        let data = self.facts.unit(self.unit);
        if !data.params.iter().any(|param| param.name == *name) {
            return Vec::new();
        }
        let index = self.world.index;
        let mut out = Vec::new();
        for mark in &data.marks {
            let [names, listed, ..] = mark.args.as_slice() else { continue };
            let (Value::Text(names), Value::List(listed) | Value::Tuple(listed)) =
                (self.facts.value(names.value), self.facts.value(listed.value))
            else {
                continue;
            };
            if self.facts.name(*names) != self.facts.name(*name) {
                continue;
            }
            for one in listed {
                match index.resolve_value(self.file, UnitId(0), *one) {
                    Some(Binding::External(ty)) => out.push(ty),
                    Some(Binding::Class(class)) => out.extend(index.outside_bases(class).cloned()),
                    _ => {}
                }
            }
        }
        out
    }
}

/// All that units start and do not surely end, and the processes that they fork meanwhile.
pub(super) fn lives(index: &Index, summaries: &[Vec<Arc<Summary>>]) -> Lives {
    let mut out = Lives::default();
    let spawns = spawns(index);
    for (f, units) in summaries.iter().enumerate() {
        let file = FileId(f as u32);
        for (u, summary) in units.iter().enumerate() {
            let unit = (file, UnitId(u as u32));
            let facts = index.file(file);
            let data = facts.unit(unit.1);
            if matches!(data.shape, Shape::Module | Shape::ClassBody) {
                continue;
            }
            if data.is_async && facts.language == Language::Python {
                out.works.extend(unawaited(index, unit));
            }
            out.works.extend(super::around::halves(index, summaries, unit));
            if summary.born.is_empty() {
                continue;
            }
            let row = spots(&data.body);
            let here: BTreeSet<OpId> = row.iter().filter_map(Spot::op).collect();
            let mut seen = BTreeSet::new();
            for born in summary.born.iter().filter(|born| born.made && here.contains(&born.op)) {
                if !matches!(facts.op(born.op).what, What::Call { .. }) || !seen.insert(born.op) {
                    continue;
                }
                let Some(thing) = index.calls(facts.language).thing(&born.ty) else { continue };
                let life = Life { index, unit, facts, row: &row, thing, born: &summary.born, ty: &born.ty };
                out.works.extend(life.work(born.op));
                if matches!(thing.kind, Kind::Thread | Kind::Timer) && facts.language == Language::Python {
                    out.forks.extend(life.forks(born.op).into_iter().filter(|fork| fork.asked || !spawns));
                }
            }
        }
    }
    out
}

/// Whether the project chooses another start method than `fork` for its processes.
fn spawns(index: &Index) -> bool {
    index.facts.iter().any(|facts| {
        facts.ops.iter().any(|op| match &op.what {
            What::Call { callee, args } => {
                let sets = facts.dotted(*callee).is_some_and(|name| name.ends_with("set_start_method"));
                sets && !args.first().is_some_and(|arg| is_text(facts, arg.value, "fork"))
            }
            _ => false,
        })
    })
}

fn is_text(facts: &FileFacts, v: V, text: &str) -> bool {
    matches!(facts.value(v), Value::Text(name) if facts.name(*name) == text)
}

/// Coroutines of functions of the project that nobody awaits, keeps or hands on.
fn unawaited(index: &Index, unit: UnitRef) -> Vec<Work> {
    let facts = index.file(unit.0);
    let row = spots(&facts.unit(unit.1).body);
    let mut called = Vec::new();
    for op in row.iter().filter_map(Spot::op) {
        let What::Call { callee, .. } = &facts.op(op).what else { continue };
        let callee = match facts.value(*callee) {
            Value::Attr(base, name) if facts.is_self(*base) => {
                let class = facts.unit(unit.1).class.map(|class| index.class_of_impl((unit.0, class)));
                class.and_then(|class| index.method(class, facts.name(*name)))
            }
            Value::Name(_) => match index.resolve_value(unit.0, unit.1, *callee) {
                Some(Binding::Function(unit)) => Some(unit),
                _ => None,
            },
            _ => None,
        };
        let is_plain = |callee: UnitRef| {
            let data = index.file(callee.0).unit(callee.1);
            data.is_async && !data.yields && data.marks.is_empty()
        };
        if callee.is_some_and(is_plain) {
            called.push(op);
        }
    }
    called.retain(|op| {
        let is = |v: V| *facts.value(v) == Value::Result(*op);
        let mut kept = false;
        let mut look = |v: V| mentions(facts, v, &is, &mut |_| kept = true);
        for spot in &row {
            match spot.look {
                Look::Ask(v) | Look::Enter(v) => look(v),
                Look::Op(op) => each_value(&facts.op(op).what, &mut look),
            }
        }
        !kept
    });
    let work = |op: OpId| {
        let site = Site { file: unit.0, op };
        let kind = Kind::Coroutine;
        Work {
            unit,
            kind,
            made: site,
            started: site,
            daemon: false,
            held: None,
            end: End::Never,
            asserts: None,
            heard: Heard::Not,
            suspends: Suspends::Perhaps,
        }
    };
    called.into_iter().map(work).collect()
}

impl Spot {
    pub(super) fn op(&self) -> Option<OpId> {
        match self.look {
            Look::Op(op) => Some(op),
            _ => None,
        }
    }
}

/// One thing in the unit that makes it.
pub(super) struct Life<'a> {
    pub index: &'a Index<'a>,
    pub unit: UnitRef,
    pub facts: &'a FileFacts,
    pub row: &'a [Spot],
    pub thing: &'a Thing,
    born: &'a [Born],
    ty: &'a str,
}

/// What the unit does with it, by place in its row.
#[derive(Default)]
struct Deeds {
    started: Option<usize>,
    ends: Vec<usize>,
    daemon: bool,
    /// Somebody else has it, or sees to its end.
    elsewhere: bool,
}

impl Life<'_> {
    fn work(&self, made: OpId) -> Option<Work> {
        if self.is_handed_on(made) {
            return None;
        }
        let (at, held, deeds) = self.deeds(made)?;
        if deeds.elsewhere {
            return None;
        }
        let started = if self.thing.starts.is_empty() { at } else { deeds.started? };
        let site = |i: usize| self.row[i].op().map(|op| Site { file: self.unit.0, op });
        let end = match deeds.ends.iter().find(|end| **end > started) {
            None if deeds.ends.is_empty() => End::Never,
            None => return None,
            Some(_) => self.on_success(started, &deeds.ends, held)?,
        };
        let heard = match end {
            End::Never => self.heard(made, started, held),
            End::OnSuccess { .. } => Heard::Not,
        };
        if heard == Heard::Surely {
            return None;
        }
        Some(Work {
            unit: self.unit,
            kind: self.thing.kind,
            made: Site { file: self.unit.0, op: made },
            started: site(started)?,
            daemon: deeds.daemon,
            held: held.map(|name| self.facts.name(name).into()),
            end,
            asserts: self.asserts_in(made),
            heard,
            suspends: if self.thing.kind == Kind::Task { self.suspends(made) } else { Suspends::Perhaps },
        })
    }

    /// Where it is made, the variable that holds it, and all that the unit does with it.
    fn deeds(&self, made: OpId) -> Option<(usize, Option<Sym>, Deeds)> {
        let at = self.row.iter().position(|spot| spot.op() == Some(made))?;
        let (results, held) = self.holders(made)?;
        let is = |v: V| match self.facts.value(v) {
            Value::Result(op) => results.contains(op),
            Value::Name(name) => held == Some(*name),
            _ => false,
        };
        let mut deeds = Deeds { daemon: self.is_daemon(made), ..Deeds::default() };
        let service = self.service(made);
        for (i, spot) in self.row.iter().enumerate().skip(at) {
            self.look(i, spot, &is, held, &mut deeds);
            if service.is_some_and(|service| self.is_end_of(service, spot)) {
                deeds.ends.push(i);
            }
        }
        deeds.elsewhere |= deeds.ends.is_empty() && service.is_some_and(|service| self.is_ended_elsewhere(service));
        Some((at, held, deeds))
    }

    /// Processes that are forked between the start of a thread and the first wait for its end.
    fn forks(&self, made: OpId) -> Option<Fork> {
        let (_, _, deeds) = self.deeds(made)?;
        let started = deeds.started.filter(|_| !deeds.elsewhere)?;
        let until = deeds.ends.iter().copied().find(|end| *end > started).unwrap_or(self.row.len());
        let arms = |spot: &Spot| -> Vec<Region> {
            spot.around.iter().copied().filter(|region| matches!(region, Region::Arm(..) | Region::Handler(_))).collect()
        };
        let on_the_way = arms(&self.row[started]);
        let (fork, asked) = (started + 1..until).find_map(|i| {
            let op = self.row[i].op().filter(|_| on_the_way.iter().all(|arm| self.row[i].around.contains(arm)))?;
            self.fork_at(op).map(|asked| (op, asked))
        })?;
        let site = |op: OpId| Site { file: self.unit.0, op };
        Some(Fork { unit: self.unit, thread: site(self.row[started].op()?), fork: site(fork), asked })
    }

    /// Whether a call forks, and whether it is told to.
    fn fork_at(&self, op: OpId) -> Option<bool> {
        let What::Call { callee, args } = &self.facts.op(op).what else { return None };
        if self.called(*callee).as_deref() == Some("os.fork") {
            return Some(true);
        }
        // A process forks when it starts, a pool when it is made.
        let maker = match self.facts.value(*callee) {
            Value::Attr(base, name) if self.facts.name(*name) == "start" => self.maker(*base)?,
            _ => op,
        };
        let born = self.born.iter().find(|born| born.op == maker && born.made)?;
        let kind = self.index.calls(self.facts.language).thing(&born.ty)?.kind;
        if !(kind == Kind::Process && maker != op || kind == Kind::Processes && maker == op) {
            return None;
        }
        let What::Call { callee, .. } = &self.facts.op(maker).what else { return None };
        if args.iter().any(|arg| arg.name.is_some_and(|name| matches!(self.facts.name(name), "mp_context" | "context"))) {
            return None;
        }
        match self.called(*callee) {
            Some(name) => (name.starts_with("multiprocessing.") || name.starts_with("concurrent.futures.")).then_some(false),
            // `get_context("fork").Process(…)`.
            None => match self.facts.value(*callee) {
                Value::Attr(context, _) => match &self.facts.op(self.maker(*context)?).what {
                    What::Call { args, .. } => is_text(self.facts, args.first()?.value, "fork").then_some(true),
                    _ => None,
                },
                _ => None,
            },
        }
    }

    /// The call that gave a value, or what a variable holds.
    fn maker(&self, v: V) -> Option<OpId> {
        match self.facts.value(v) {
            Value::Result(op) => Some(*op),
            Value::Name(name) => self.row.iter().filter_map(Spot::op).find_map(|op| match &self.facts.op(op).what {
                What::Store { to, value, .. } if *self.facts.value(*to) == Value::Name(*name) => match self.facts.value(*value) {
                    Value::Result(op) => Some(*op),
                    _ => None,
                },
                _ => None,
            }),
            _ => None,
        }
    }

    /// `Command::spawn(…)` below `.unwrap()`: the receiver of a call that gives it was there first.
    fn is_handed_on(&self, made: OpId) -> bool {
        let What::Call { callee, args } = &self.facts.op(made).what else { return true };
        let is_call = |v: V| matches!(self.facts.value(v), Value::Result(_));
        if self.thing.handed_on && !args.first().is_some_and(|arg| is_call(arg.value)) {
            return true;
        }
        match self.facts.value(*callee) {
            Value::Attr(base, _) => self.is_result_of_born(*base),
            _ => false,
        }
    }

    fn is_result_of_born(&self, v: V) -> bool {
        matches!(self.facts.value(v), Value::Result(op) if self.born.iter().any(|born| born.op == *op && *born.ty == *self.ty))
    }

    /// The results that stand for it, and the one variable that holds it; none where a variable holds other things, too.
    fn holders(&self, made: OpId) -> Option<(BTreeSet<OpId>, Option<Sym>)> {
        let mut results = BTreeSet::from([made]);
        let mut held = None;
        for op in self.row.iter().filter_map(Spot::op) {
            match &self.facts.op(op).what {
                What::Call { callee, .. } => {
                    if let Value::Attr(base, _) = self.facts.value(*callee)
                        && matches!(self.facts.value(*base), Value::Result(of) if results.contains(of))
                        && self.born.iter().any(|born| born.op == op && *born.ty == *self.ty)
                    {
                        results.insert(op);
                    }
                }
                What::Store { to, value, .. } if matches!(self.facts.value(*value), Value::Result(of) if results.contains(of)) => {
                    let Value::Name(name) = self.facts.value(*to) else { return None };
                    if held.replace(*name).is_some() {
                        return None;
                    }
                }
                _ => {}
            }
        }
        let data = self.facts.unit(self.unit.1);
        let Some(name) = held else { return Some((results, None)) };
        let stores = self.row.iter().filter_map(Spot::op).filter(|op| {
            let What::Store { to, .. } = &self.facts.op(*op).what else { return false };
            let mut named = false;
            mentions(self.facts, *to, &|v| *self.facts.value(v) == Value::Name(name), &mut |one| named |= one == Mention::Whole);
            named
        });
        // `_` holds nothing.
        let single = stores.count() == 1 && !data.globals.contains(&name);
        single.then_some((results, Some(name)))
    }

    fn look(&self, i: usize, spot: &Spot, is: &dyn Fn(V) -> bool, held: Option<Sym>, deeds: &mut Deeds) {
        let has = |all: &[String], name: Sym| all.iter().any(|one| one == self.facts.name(name));
        let escape = |v: V, deeds: &mut Deeds| {
            mentions(self.facts, v, is, &mut |mention| match mention {
                Mention::Part(name) if has(&self.thing.starts, name) => deeds.started = deeds.started.or(Some(i)),
                Mention::Part(name) if has(&self.thing.looks, name) => {}
                _ => deeds.elsewhere = true,
            });
        };
        let op = match spot.look {
            // A question takes nothing along.
            Look::Ask(v) => {
                mentions(self.facts, v, is, &mut |mention| deeds.elsewhere |= mention == Mention::Inner);
                return;
            }
            Look::Enter(v) => {
                mentions(self.facts, v, is, &mut |_| deeds.elsewhere = true);
                return;
            }
            Look::Op(op) => op,
        };
        match &self.facts.op(op).what {
            What::Call { callee, args } => {
                match self.facts.value(*callee) {
                    Value::Attr(base, name) if is(*base) => {
                        if has(&self.thing.starts, *name) {
                            deeds.started = deeds.started.or(Some(i));
                        } else if has(&self.thing.joins, *name) || has(&self.thing.ends, *name) {
                            deeds.ends.push(i);
                        } else {
                            let handed_on = self.born.iter().any(|born| born.op == op);
                            let known = has(&self.thing.looks, *name) || self.thing.closed.contains_key(self.facts.name(*name));
                            deeds.elsewhere |= !handed_on && !known;
                        }
                    }
                    _ => escape(*callee, deeds),
                }
                let waits = || self.called(*callee).is_some_and(|name| self.thing.joined_by.contains(&name));
                for arg in args {
                    match is(arg.value) && waits() {
                        true => deeds.ends.push(i),
                        false => escape(arg.value, deeds),
                    }
                }
            }
            What::Store { to, value, .. } => {
                if !is(*value) {
                    escape(*value, deeds);
                }
                match self.facts.value(*to) {
                    Value::Name(name) => deeds.elsewhere |= held == Some(*name) && !is(*value),
                    Value::Attr(base, name) if is(*base) => {
                        let daemon = self.thing.daemon.as_deref() == Some(self.facts.name(*name));
                        deeds.daemon |= daemon && *self.facts.value(*value) != Value::Bool(false);
                    }
                    // Kept in an attribute or item of something else, it is left to whoever owns that.
                    _ => {
                        deeds.elsewhere |= is(*value);
                        escape(*to, deeds);
                    }
                }
            }
            What::Await(v) if is(*v) => deeds.ends.push(i),
            What::Await(v) | What::Delete(v) => escape(*v, deeds),
            What::Return(Some(v)) | What::Yield(Some(v)) | What::Raise(Some(v)) => escape(*v, deeds),
            What::Assert(v) => mentions(self.facts, *v, is, &mut |mention| deeds.elsewhere |= mention == Mention::Inner),
            What::Define(unit) => deeds.elsewhere |= speaks(self.facts, *unit, is, 0),
            _ => {}
        }
    }

    /// The dotted name of what is called, where it comes from outside the project.
    fn called(&self, callee: V) -> Option<String> {
        match self.index.resolve_value(self.unit.0, self.unit.1, callee)? {
            Binding::External(name) => Some(name.to_string()),
            _ => None,
        }
    }

    /// Made as a daemon: `Thread(…, daemon=True)`.
    fn is_daemon(&self, made: OpId) -> bool {
        let What::Call { args, .. } = &self.facts.op(made).what else { return false };
        let Some(daemon) = &self.thing.daemon else { return false };
        args.iter().any(|arg| {
            let named = arg.name.is_some_and(|name| self.facts.name(name) == daemon);
            named && *self.facts.value(arg.value) != Value::Bool(false)
        })
    }

    /// The end is reached where nothing fails between: what may fail, and what tells the thing to end. None where the end is reached
    /// on every way, or where a condition decides about it.
    fn on_success(&self, started: usize, ends: &[usize], held: Option<Sym>) -> Option<End> {
        let around = &self.row[started].around;
        let mut first = usize::MAX;
        for end in ends.iter().copied().filter(|end| *end > started) {
            for region in &self.row[end].around {
                match region {
                    // A handler or `finally` of a `try` behind the start or around it.
                    Region::Handler(n) | Region::Last(n) => {
                        let body = |spot: &Spot| spot.around.contains(&Region::Body(*n));
                        let enters = self.row.iter().position(body).unwrap_or(end).max(started);
                        return self.fails(started, enters, held).map(|fails| self.end(end, fails));
                    }
                    Region::Arm(..) | Region::Body(_) | Region::Else(_) if !around.contains(region) => {
                        if matches!(region, Region::Arm(..)) {
                            return None;
                        }
                    }
                    _ => {}
                }
            }
            first = first.min(end);
        }
        let fails = self.fails(started, first, held)?;
        Some(self.end(first, fails))
    }

    fn end(&self, end: usize, fails: usize) -> End {
        let site = |i: usize| Site { file: self.unit.0, op: self.row[i].op().unwrap_or(OpId(0)) };
        let ends_it = |i: usize| match self.row[i].op().map(|op| &self.facts.op(op).what) {
            Some(What::Call { callee, .. }) => match self.facts.value(*callee) {
                Value::Attr(_, name) => {
                    let name = self.facts.name(*name);
                    // A loop cancels the tasks that are left when it ends, those that wait for an event among them.
                    let own = self.thing.kind != Kind::Task;
                    own && (self.thing.ends.iter().any(|one| one == name) || matches!(name, "set" | "cancel"))
                        || TELLS.contains(&name)
                }
                _ => false,
            },
            _ => false,
        };
        let told = (fails..=end).find(|i| ends_it(*i)).map(site);
        End::OnSuccess { end: site(end), fails: site(fails), told }
    }

    /// The first assertion between two places of the row, or the yield of a context manager, whose block may raise.
    fn fails(&self, from: usize, to: usize, held: Option<Sym>) -> Option<usize> {
        let raises_at_yield = is_context_manager(self.facts, self.facts.unit(self.unit.1));
        let around = &self.row[from].around;
        (from + 1..to.min(self.row.len())).find(|i| {
            let spot = &self.row[*i];
            // On this way, and where no handler takes it.
            let plain = spot.around.iter().all(|region| match region {
                Region::Arm(..) | Region::Body(_) | Region::Handler(_) => around.contains(region),
                _ => true,
            });
            let Some(op) = spot.op().filter(|_| plain) else { return false };
            match &self.facts.op(op).what {
                What::Assert(cond) => !self.narrows(*cond) && !self.is_of_thing(*cond, held),
                What::Yield(_) => raises_at_yield,
                What::Call { callee, .. } => self.facts.own_field(*callee).is_some_and(|name| name.starts_with("assert")),
                _ => false,
            }
        })
    }

    /// An assertion on the thing itself: where `process.is_alive()` does not hold, nothing is left running.
    fn is_of_thing(&self, cond: V, held: Option<Sym>) -> bool {
        let looks = |name: Sym| self.thing.looks.iter().any(|look| look == self.facts.name(name));
        let part = |v: V| match self.facts.value(v) {
            Value::Attr(base, name) => {
                looks(*name) && matches!(self.facts.value(*base), Value::Name(name) if held == Some(*name))
            }
            _ => false,
        };
        match self.facts.value(cond) {
            Value::Result(op) => matches!(&self.facts.op(*op).what, What::Call { callee, .. } if part(*callee)),
            _ => part(cond),
        }
    }

    /// An assertion for a type checker: `x is not None`, `isinstance(x, T)`.
    fn narrows(&self, cond: V) -> bool {
        match self.facts.value(cond) {
            Value::Compare(Comparison::IsNot, _, other) => *self.facts.value(*other) == Value::Nil,
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, .. } => self.facts.dotted(*callee).as_deref() == Some("isinstance"),
                _ => false,
            },
            _ => false,
        }
    }

    /// The first assertion in a closure that the call is handed.
    fn asserts_in(&self, made: OpId) -> Option<Site> {
        let What::Call { args, .. } = &self.facts.op(made).what else { return None };
        let closures = args.iter().filter_map(|arg| match self.facts.value(arg.value) {
            Value::Closure(unit) => Some(*unit),
            _ => None,
        });
        closures.filter_map(|unit| self.assertion(unit)).map(|op| Site { file: self.unit.0, op }).next()
    }

    fn assertion(&self, unit: UnitId) -> Option<OpId> {
        let row = spots(&self.facts.unit(unit).body);
        row.iter().filter_map(Spot::op).find(|op| matches!(self.facts.op(*op).what, What::Assert(_)))
    }
}
