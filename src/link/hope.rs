//! What an assertion behind a sleep depends on: whether it reads what the work that was started before has in hand.

use super::pace::{Beat, Event};
use super::spots::{Look, Region, Spot, defined, each_value, parts, spots};
use super::suite::Suite;
use super::term::Site;
use crate::facts::{Arg, Comparison, FileFacts, Language, OpId, Sym, UnitId, V, Value, What};
use std::collections::{BTreeMap, BTreeSet};

/// Work is started, a sleep follows, and an assertion with no wait between.
pub struct Hope<'t> {
    pub start: &'t Event,
    pub sleep: &'t Event,
    pub assertion: &'t Event,
    /// The work is told to end between the sleep and the assertion.
    ended: bool,
}

impl Suite<'_> {
    /// Whether what is asserted on is the work itself or what it has in hand, is read after the sleep, and does not hold before.
    pub fn is_about_work(&self, one: &Hope) -> bool {
        self.reads_work(one).unwrap_or(false)
    }

    fn reads_work(&self, one: &Hope) -> Option<bool> {
        let chain = |event: &Event| -> Vec<Site> { event.via.iter().copied().chain([event.site]).collect() };
        let chains = [one.start, one.sleep, one.assertion].map(chain);
        let mut at = 0;
        while chains.iter().all(|chain| chain.len() > at + 1 && chain[at] == chains[0][at]) {
            at += 1;
        }
        let [start, sleep, assertion] = [chains[0].get(at)?, chains[1].get(at)?, chains[2].get(at)?];
        // What a helper asserts is most often about a question that it asks itself.
        if chains[2].len() > at + 1 || [start, sleep].iter().any(|site| site.file != assertion.file) {
            return None;
        }
        let facts = self.file(assertion.file);
        let span = facts.span(assertion.op);
        let around = facts.units.iter().enumerate().filter(|(_, unit)| unit.span.contains(span));
        let (unit, data) = around.min_by_key(|(_, unit)| unit.span.end - unit.span.start)?;
        let row = spots(&data.body);
        let position = |op: OpId| row.iter().position(|spot| spot.op() == Some(op));
        let places = [position(start.op)?, position(sleep.op)?, position(assertion.op)?];
        let text = |op: OpId| self.sources[assertion.file.0 as usize].slice(facts.span(op));
        let repeats =
            row[..places[1]].iter().filter_map(Spot::op).any(|op| is_assertion(facts, op) && text(op) == text(assertion.op));
        let course = Course::new(facts, UnitId(unit as u32), &row, places);
        Some(
            !repeats
                && course.is_straight()
                && !course.gives_turns()
                && !course.has_time_to_pass()
                && course.reads_shared(one.ended),
        )
    }
}

/// What a test hopes for, by its course. Once the work is told to end, to wait for its end does not make up for the time that it was given.
pub fn hopes(events: &[Event]) -> Vec<Hope<'_>> {
    let mut out = Vec::new();
    let mut started: Vec<&Event> = Vec::new();
    let mut slept: Option<(Vec<&Event>, &Event)> = None;
    let mut ended = false;
    for event in events {
        match event.beat {
            Beat::Start => {
                started.push(event);
                ended = false;
            }
            Beat::Pause => {}
            // What follows the end gives the work no more time.
            Beat::Sleep if ended => {}
            Beat::Sleep => {
                if !started.is_empty() {
                    slept = Some((started.clone(), event));
                }
            }
            Beat::Wait if slept.is_some() && ended => {}
            Beat::Wait => {
                started.clear();
                (slept, ended) = (None, false);
            }
            Beat::End => ended = slept.is_some(),
            Beat::Assert => {
                let (starts, sleep) = slept.iter().next().map_or((&[][..], event), |(starts, sleep)| (starts, *sleep));
                out.extend(starts.iter().rev().map(|start| Hope { start, sleep, assertion: event, ended }));
            }
        }
    }
    out
}

fn is_assertion(facts: &FileFacts, op: OpId) -> bool {
    match &facts.op(op).what {
        What::Assert(_) => true,
        What::Call { callee, .. } => facts.last_name(*callee).is_some_and(|name| name.starts_with("assert")),
        _ => false,
    }
}

/// A variable, or an attribute of `self`.
type Root = (Sym, Option<Sym>);
type Roots = BTreeSet<Root>;

/// Words in the names of parameters that take a time which has to pass.
const LASTING: &[&str] = &[
    "timeout",
    "interval",
    "ttl",
    "delay",
    "period",
    "expire",
    "expires",
    "expiry",
    "expiration",
    "age",
    "lifetime",
    "debounce",
    "rate",
    "every",
    "seconds",
    "duration",
    "window",
    "heartbeat",
    "after",
    "limit",
    "grace",
    "backoff",
    "cooldown",
    "lease",
];

/// Functions that only look at what they are given.
const LOOKS: &[&str] = &[
    "len",
    "list",
    "sorted",
    "set",
    "tuple",
    "dict",
    "sum",
    "any",
    "all",
    "max",
    "min",
    "str",
    "int",
    "bool",
    "exists",
    "isfile",
    "isdir",
    "listdir",
    "getsize",
    "read_to_string",
    "metadata",
];

/// The course of one unit around a start, a sleep and an assertion.
struct Course<'a> {
    facts: &'a FileFacts,
    row: &'a [Spot],
    start: usize,
    sleep: usize,
    assertion: usize,
    /// Variables of the unit and of those around it that hold no literal, by the stores to them.
    stores: BTreeMap<Sym, Vec<(usize, V)>>,
    /// What is one thing under two names: a clone, the two ends of a channel.
    same: BTreeMap<Sym, Sym>,
    awaited: BTreeSet<OpId>,
}

impl<'a> Course<'a> {
    fn new(facts: &'a FileFacts, unit: UnitId, row: &'a [Spot], places: [usize; 3]) -> Self {
        let [start, sleep, assertion] = places;
        let stores = BTreeMap::new();
        let mut course = Course { facts, row, start, sleep, assertion, stores, same: BTreeMap::new(), awaited: BTreeSet::new() };
        let mut outer = facts.unit(unit).parent;
        let mut around = Vec::new();
        course.parameters(unit);
        while let Some(unit) = outer.filter(|unit| unit.0 > 0) {
            course.parameters(unit);
            around.extend(spots(&facts.unit(unit).body).iter().filter_map(Spot::op));
            outer = facts.unit(unit).parent;
        }
        around.into_iter().for_each(|op| course.note(0, op));
        for (i, spot) in row.iter().enumerate() {
            spot.op().into_iter().for_each(|op| course.note(i, op));
        }
        course
    }

    fn parameters(&mut self, unit: UnitId) {
        for param in &self.facts.unit(unit).params {
            self.stores.entry(param.name).or_default();
        }
    }

    fn note(&mut self, at: usize, op: OpId) {
        match &self.facts.op(op).what {
            What::Store { to, value, .. } => {
                let names = targets(self.facts, *to);
                if names.len() > 1 {
                    self.same.extend(names.iter().skip(1).map(|name| (*name, names[0])));
                } else if let (Some(name), Some(of)) = (names.first(), self.cloned(*value))
                    && *name != of
                {
                    self.same.insert(*name, of);
                }
                if !is_literal(self.facts, *value) {
                    names.into_iter().for_each(|name| self.stores.entry(name).or_default().push((at, *value)));
                }
            }
            What::Await(of) => {
                if let Value::Result(op) = self.facts.value(*of) {
                    self.awaited.insert(*op);
                }
            }
            _ => {}
        }
    }

    /// The variable of which a value is another name.
    fn cloned(&self, value: V) -> Option<Sym> {
        let name = |v: V| match self.facts.value(v) {
            Value::Name(name) => Some(*name),
            _ => None,
        };
        match self.facts.value(value) {
            Value::Name(name) => Some(*name),
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, args } if self.facts.last_name(*callee) == Some("clone") => {
                    match self.facts.value(*callee) {
                        Value::Attr(base, _) => name(*base),
                        _ => args.first().and_then(|arg| name(arg.value)),
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// No condition, handler or loop decides about one of the three that does not decide about the one before.
    fn is_straight(&self) -> bool {
        let decides =
            |region: &&Region| matches!(region, Region::Arm(..) | Region::Handler(_) | Region::Loop(_) | Region::Else(_));
        let follows =
            |from: usize, to: usize| self.row[to].around.iter().filter(decides).all(|one| self.row[from].around.contains(one));
        follows(self.start, self.sleep) && follows(self.sleep, self.assertion)
    }

    fn call(&self, at: usize) -> Option<(V, &'a [Arg])> {
        match &self.facts.op(self.row[at].op()?).what {
            What::Call { callee, args } => Some((*callee, args)),
            _ => None,
        }
    }

    /// A loop gives each of its tasks its turns before a sleep of its own ends, so one is late only where it waits for the outside.
    fn gives_turns(&self) -> bool {
        let task = self.call(self.start).and_then(|(callee, _)| self.facts.last_name(callee));
        let of_loop = matches!(task, Some("create_task" | "ensure_future" | "start_soon"));
        of_loop && self.row[self.sleep].op().is_some_and(|op| self.awaited.contains(&op))
    }

    /// A length of time, or the sleep's own number, is handed to what runs before the sleep: that time has to pass.
    fn has_time_to_pass(&self) -> bool {
        let length = self.call(self.sleep).and_then(|(_, args)| args.first()).map(|arg| arg.value);
        let mut named = BTreeSet::new();
        length.into_iter().for_each(|length| self.names(length, &mut named));
        (0..self.sleep).filter_map(|at| self.call(at)).any(|(callee, args)| {
            let name = self.facts.last_name(callee).unwrap_or_default();
            if name.contains("sleep") || name.contains("wait") || name.starts_with("from_") || name.ends_with("timeout") {
                return false;
            }
            args.iter().any(|arg| {
                let lasts = arg.name.is_some_and(|name| self.facts.name(name).split('_').any(|word| LASTING.contains(&word)));
                let value = self.facts.value(arg.value);
                let same = match (value, length.map(|length| self.facts.value(length))) {
                    (Value::Int(0 | 1), _) => false,
                    (Value::Int(_) | Value::Float(_), Some(length)) => value == length,
                    (Value::Name(name), _) => named.contains(name),
                    _ => false,
                };
                lasts && !matches!(value, Value::Nil) || same || self.is_period(arg.value)
            })
        })
    }

    fn is_period(&self, v: V) -> bool {
        let Value::Result(op) = self.facts.value(v) else { return false };
        match &self.facts.op(*op).what {
            What::Call { callee, .. } => {
                let name = self.facts.dotted(*callee).unwrap_or_default();
                name.contains("Duration::") || name.ends_with("timedelta")
            }
            _ => false,
        }
    }

    /// The names that a value is written with.
    fn names(&self, v: V, out: &mut BTreeSet<Sym>) {
        match self.facts.value(v) {
            Value::Name(name) => drop(out.insert(*name)),
            Value::Result(op) => {
                if let What::Call { args, .. } = &self.facts.op(*op).what {
                    args.iter().for_each(|arg| self.names(arg.value, out));
                }
            }
            value => parts(value, &mut |part| self.names(part, out)),
        }
    }

    /// Whether the assertion reads, after the sleep, what the work has in hand.
    fn reads_shared(&self, ended: bool) -> bool {
        let Some(op) = self.row[self.assertion].op() else { return false };
        let mut read = Read::default();
        let mut bound = false;
        match &self.facts.op(op).what {
            What::Assert(cond) => {
                bound = self.is_lower_bound(*cond);
                self.condition(*cond, &mut read);
            }
            What::Call { callee, args } => self.assert_call(*callee, args, &mut read),
            _ => {}
        }
        let rust = self.facts.language == Language::Rust;
        // What is told to end may do at its end what is asserted; how often it came round is another matter.
        if read.late || rust && !read.fresh || ended && !bound {
            return false;
        }
        let work = self.work();
        let meets = |a: &Roots, b: &Roots| a.iter().any(|one| b.contains(one));
        let (ours, theirs) = (self.one_thing(&read.roots), self.one_thing(&work));
        meets(&ours, &theirs)
            || meets(&self.one_thing(&self.made_of(&work)), &ours)
            || rust && meets(&self.made_of(&read.roots), &work)
    }

    fn is_lower_bound(&self, cond: V) -> bool {
        match self.facts.value(cond) {
            Value::Compare(Comparison::Greater, _, bound) => is_literal(self.facts, *bound),
            Value::Compare(Comparison::Less, bound, _) => is_literal(self.facts, *bound),
            _ => false,
        }
    }

    fn condition(&self, cond: V, read: &mut Read) {
        match self.facts.value(cond) {
            Value::Compare(_, a, b) => self.either(*a, *b, read),
            value @ (Value::Not(_) | Value::And(_) | Value::Or(_)) => parts(value, &mut |part| self.condition(part, read)),
            _ => self.subject(cond, read),
        }
    }

    /// One of the two is what is expected: the one that reads nothing.
    fn either(&self, a: V, b: V, read: &mut Read) {
        let mut first = Read::default();
        self.subject(a, &mut first);
        let says = match self.facts.language {
            Language::Rust => first.fresh,
            Language::Python => !first.roots.is_empty() || first.late,
        };
        match says {
            true => *read = first,
            false => self.subject(b, read),
        }
    }

    fn assert_call(&self, callee: V, args: &[Arg], read: &mut Read) {
        if let Value::Attr(base, _) = self.facts.value(callee) {
            self.subject(*base, read);
        }
        match args {
            _ if !read.roots.is_empty() => {}
            [a, b, ..] => self.either(a.value, b.value, read),
            [one] => self.condition(one.value, read),
            [] => {}
        }
    }

    fn subject(&self, v: V, read: &mut Read) {
        match self.facts.value(v) {
            Value::Name(name) => {
                read.late |= self.stores.get(name).is_some_and(|stores| stores.iter().any(|(at, _)| *at > self.sleep));
                if self.stores.contains_key(name) && self.facts.name(*name) != "self" {
                    read.roots.insert((*name, None));
                }
            }
            Value::Attr(base, name) => match self.facts.value(*base) {
                Value::Name(this) if self.facts.is_self(*base) => drop(read.roots.insert((*this, Some(*name)))),
                _ => self.subject(*base, read),
            },
            Value::Item(base, _) => self.subject(*base, read),
            Value::Result(op) => {
                read.fresh |= self.row[self.sleep..].iter().any(|spot| spot.op() == Some(*op));
                read.late |= self.awaited.contains(op);
                let What::Call { callee, args } = &self.facts.op(*op).what else { return };
                let before = read.roots.len();
                if let Value::Attr(base, _) = self.facts.value(*callee) {
                    self.subject(*base, read);
                }
                if read.roots.len() == before && self.facts.last_name(*callee).is_some_and(|name| LOOKS.contains(&name)) {
                    args.iter().for_each(|arg| self.subject(arg.value, read));
                }
            }
            value => parts(value, &mut |part| self.subject(part, read)),
        }
    }

    /// What the work is, is given and captures.
    fn work(&self) -> Roots {
        let mut out = Roots::new();
        let Some((callee, args)) = self.call(self.start) else { return out };
        if let Value::Attr(base, _) = self.facts.value(callee) {
            self.mentioned(*base, 0, &mut out);
        }
        args.iter().for_each(|arg| self.mentioned(arg.value, 0, &mut out));
        let started = self.row[self.start].op();
        for op in self.row.iter().filter_map(Spot::op) {
            if let What::Store { to, value, .. } = &self.facts.op(op).what
                && self.comes_from(*value, started, 0)
            {
                out.extend(targets(self.facts, *to).into_iter().map(|name| (name, None)));
            }
        }
        out
    }

    fn comes_from(&self, v: V, op: Option<OpId>, depth: usize) -> bool {
        match self.facts.value(v) {
            Value::Result(of) if Some(*of) == op => true,
            Value::Result(of) if depth < 8 => match &self.facts.op(*of).what {
                What::Call { callee, .. } => match self.facts.value(*callee) {
                    Value::Attr(base, _) => self.comes_from(*base, op, depth + 1),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// The variables that a value is made of, those that a closure captures among them.
    fn mentioned(&self, v: V, depth: usize, out: &mut Roots) {
        if depth > 12 {
            return;
        }
        match self.facts.value(v) {
            Value::Name(name) => {
                if self.stores.contains_key(name) && self.facts.name(*name) != "self" {
                    out.insert((*name, None));
                }
            }
            Value::Attr(base, name) => match self.facts.value(*base) {
                Value::Name(this) if self.facts.is_self(*base) => drop(out.insert((*this, Some(*name)))),
                _ => self.mentioned(*base, depth + 1, out),
            },
            Value::Result(op) => self.all_of(&self.facts.op(*op).what, depth, out),
            Value::Closure(unit) => self.inside(*unit, depth, out),
            value => parts(value, &mut |part| self.mentioned(part, depth + 1, out)),
        }
    }

    fn all_of(&self, what: &What, depth: usize, out: &mut Roots) {
        if let What::Call { .. } = what {
            each_value(what, &mut |v| self.mentioned(v, depth + 1, out));
        }
    }

    fn inside(&self, unit: UnitId, depth: usize, out: &mut Roots) {
        if depth > 12 {
            return;
        }
        for spot in spots(&self.facts.unit(unit).body) {
            match spot.look {
                Look::Ask(v) | Look::Enter(v) => self.mentioned(v, depth + 1, out),
                Look::Op(op) => each_value(&self.facts.op(op).what, &mut |v| self.mentioned(v, depth + 1, out)),
            }
        }
        defined(self.facts, unit).for_each(|inner| self.inside(inner, depth + 1, out));
    }

    /// All that these were made of before the sleep.
    fn made_of(&self, roots: &Roots) -> Roots {
        let mut out = roots.clone();
        let mut todo: Vec<Root> = roots.iter().copied().collect();
        while let Some((name, field)) = todo.pop() {
            let stores = self.stores.get(&name).filter(|_| field.is_none());
            for (_, value) in stores.into_iter().flatten().filter(|(at, _)| *at < self.sleep) {
                let mut found = Roots::new();
                self.mentioned(*value, 0, &mut found);
                todo.extend(found.into_iter().filter(|root| out.insert(*root)));
            }
        }
        out
    }

    /// The same by one name each.
    fn one_thing(&self, roots: &Roots) -> Roots {
        let first = |mut name: Sym| {
            for _ in 0..8 {
                match self.same.get(&name) {
                    Some(other) => name = *other,
                    None => break,
                }
            }
            name
        };
        roots.iter().map(|(name, field)| (first(*name), *field)).collect()
    }
}

/// What an assertion reads.
#[derive(Default)]
struct Read {
    roots: Roots,
    /// A call after the sleep reads it.
    fresh: bool,
    /// It was stored, received or awaited after the sleep.
    late: bool,
}

fn targets(facts: &FileFacts, to: V) -> Vec<Sym> {
    match facts.value(to) {
        Value::Name(name) => vec![*name],
        Value::Tuple(all) | Value::List(all) => all.iter().flat_map(|one| targets(facts, *one)).collect(),
        _ => Vec::new(),
    }
}

fn is_literal(facts: &FileFacts, v: V) -> bool {
    match facts.value(v) {
        Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Nil | Value::Format(_) => true,
        Value::Binary(_, a, b) => is_literal(facts, *a) && is_literal(facts, *b),
        _ => false,
    }
}
