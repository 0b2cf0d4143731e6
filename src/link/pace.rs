//! The course of a test in time: where work is started that goes on beside it, where it sleeps, waits, ends the work and asserts.

use super::eval::Eval;
use super::summary::TRAIL;
use super::term::Site;
use crate::calls::Flow;
use crate::facts::{Arg, Comparison, OpId, V, Value, What};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beat {
    /// Work starts that goes on beside its caller.
    Start,
    /// A sleep of fixed length.
    Sleep,
    /// Somebody waits until something has happened.
    Wait,
    /// The work is told to end.
    End,
    /// An assertion that asks for something to have happened.
    Assert,
}

/// One of these, with the calls through which it is reached, outermost first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub beat: Beat,
    pub site: Site,
    pub via: Vec<Site>,
}

/// Parts of the names of assertions that hold as long as something has not happened.
const ABSENT: &[&str] = &["ot_called", "False", "None", "NotIn", "_err", "_pending", "_empty", "_none", "aises"];

/// Events kept of one unit.
const EVENTS: usize = 64;

impl Eval<'_, '_> {
    fn beat(&mut self, op: OpId, beat: Beat) {
        if self.events.len() < EVENTS && self.spread.is_empty() {
            let site = self.site(op);
            self.events.push(Event { beat, site, via: Vec::new() });
        }
    }

    /// A call, with what the tables say of it.
    pub(super) fn pace(&mut self, op: OpId, callee: V, args: &[Arg], flow: Option<Flow>) {
        let name = self.last_name(callee).unwrap_or_default().to_owned();
        match flow {
            Some(Flow::Sleep) => {
                let length = args.first().and_then(|arg| self.seconds(arg.value, 0));
                if length.is_some_and(|seconds| seconds > 0.0) {
                    self.beat(op, Beat::Sleep);
                }
            }
            Some(Flow::Start) => {
                // What the work itself does is not done here: neither the closure's, nor that of the coroutine that it is given.
                let own = std::iter::once(op).chain(args.iter().filter_map(|arg| match self.facts.value(arg.value) {
                    Value::Result(op) => Some(*op),
                    _ => None,
                }));
                let first = own.filter_map(|op| self.begun.get(&op)).min().copied();
                self.events.truncate(first.unwrap_or(self.events.len()));
                self.beat(op, Beat::Start);
            }
            // `options.get("key")` waits for nothing.
            Some(Flow::Wait)
                if name == "get" && matches!(args.first().map(|arg| self.facts.value(arg.value)), Some(Value::Text(_))) => {}
            Some(Flow::Wait | Flow::Completion) => self.beat(op, Beat::Wait),
            Some(Flow::End) => self.beat(op, Beat::End),
            _ if name == "join" => self.beat(op, Beat::Wait),
            _ if name.starts_with("assert") && !ABSENT.iter().any(|absent| name.contains(absent)) => {
                let empty = args.iter().any(|arg| self.is_nothing(arg.value));
                if !empty {
                    self.beat(op, Beat::Assert);
                }
            }
            _ => {}
        }
    }

    /// A value is awaited. A call that is awaited says by itself what it is; what was made elsewhere is waited for.
    pub(super) fn awaited(&mut self, op: OpId, of: V) {
        if !matches!(self.facts.value(of), Value::Result(_)) {
            self.beat(op, Beat::Wait);
        }
    }

    /// An assertion. One that nothing has happened passes on a slow machine too.
    pub(super) fn pace_asserted(&mut self, op: OpId, cond: V) {
        if !self.is_absence(cond) {
            self.beat(op, Beat::Assert);
        }
    }

    fn is_absence(&self, cond: V) -> bool {
        match self.facts.value(cond) {
            Value::Not(_) => true,
            Value::Compare(Comparison::NotIn, ..) => true,
            Value::Compare(Comparison::Equal | Comparison::Is | Comparison::Less, a, b) => {
                self.is_nothing(*a) || self.is_nothing(*b)
            }
            Value::And(all) => all.iter().all(|one| self.is_absence(*one)),
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, .. } => {
                    matches!(
                        self.last_name(*callee),
                        Some("is_alive" | "is_empty" | "is_none" | "empty" | "is_running" | "running" | "is_err" | "is_pending")
                    )
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn is_nothing(&self, v: V) -> bool {
        match self.facts.value(v) {
            Value::Nil | Value::Int(0) | Value::Bool(false) => true,
            Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.is_empty(),
            Value::Dict(all) => all.is_empty(),
            Value::Name(name) => matches!(self.facts.name(*name), "None"),
            _ => false,
        }
    }

    /// A loop has ended that began after so many events: with a sleep in it, it waits for something.
    pub(super) fn polled(&mut self, first: usize) {
        let first = first.min(self.events.len());
        if let Some(sleep) = self.events[first..].iter().find(|event| event.beat == Beat::Sleep).cloned() {
            self.events.truncate(first);
            self.events.push(Event { beat: Beat::Wait, ..sleep });
        }
    }

    /// What a unit does in time, seen from a call of it.
    pub(super) fn paced(&mut self, site: Option<Site>, events: &[Event]) {
        if !self.spread.is_empty() {
            return;
        }
        for event in events.iter().filter(|event| event.via.len() < TRAIL) {
            if self.events.len() < EVENTS {
                let via = site.into_iter().chain(event.via.iter().copied()).collect();
                self.events.push(Event { via, ..event.clone() });
            }
        }
    }
}
