//! The course of a test in time: where work is started that goes on beside it, where it sleeps, waits, ends the work and asserts.

use super::eval::Eval;
use super::summary::{Summary, TRAIL};
use super::term::{Site, UnitRef};
use crate::calls::Flow;
use crate::facts::{Arg, Comparison, OpId, V, Value, What};
use rayon::prelude::*;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beat {
    /// Work starts that goes on beside its caller.
    Start,
    /// A sleep of fixed length.
    Sleep,
    /// A sleep whose length is not known, or a look at a clock: a loop around it waits for something.
    Pause,
    /// Somebody waits until something has happened.
    Wait,
    /// The work is told to end.
    End,
    /// An assertion that asks for something to have happened.
    Assert,
}

/// A step in the course of one unit. What its callees do in time is put in at the end ([`unfold`]): it is asked of tests alone, and would
/// make every caller stale whenever a callee's course grows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moment {
    Beat(Beat, Site),
    /// A call of a unit of the project; without a place where the runner calls it.
    Call(Option<Site>, UnitRef),
    Loop(Vec<Moment>),
}

/// A beat, with the calls through which it is reached, outermost first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub beat: Beat,
    pub site: Site,
    pub via: Vec<Site>,
}

/// Parts of the names of assertions that hold as long as something has not happened.
const ABSENT: &[&str] = &["ot_called", "False", "None", "NotIn", "_err", "_pending", "_empty", "_none", "aises", "Less"];

/// Words in the names of functions that come back when something has happened.
const WAITS: &[&str] = &["wait", "until", "eventually", "poll", "retry", "recv", "receive"];

/// Whether a function waits for something, by its name.
fn waits(name: &str) -> bool {
    let asks = name.starts_with("try_") || name.ends_with("_nowait");
    !asks && (name.starts_with("next_") || name.split('_').any(|word| WAITS.contains(&word)))
}

/// Events kept of one unit.
const EVENTS: usize = 64;

/// Steps kept of one unit.
const MOMENTS: usize = 512;

/// The events of a course, with those of the units that it calls.
pub(super) fn unfold<'s>(course: &[Moment], of: &impl Fn(UnitRef) -> &'s [Event]) -> Vec<Event> {
    let mut out = Vec::new();
    for moment in course {
        match moment {
            Moment::Beat(beat, site) => out.push(Event { beat: *beat, site: *site, via: Vec::new() }),
            Moment::Call(site, unit) => {
                let turns_back = |event: &&Event| site.is_some_and(|site| event.via.contains(&site));
                let inner = of(*unit).iter().filter(|event| event.via.len() < TRAIL && !turns_back(event));
                out.extend(inner.map(|event| Event { via: site.iter().chain(&event.via).copied().collect(), ..event.clone() }));
            }
            // With a sleep in it, a loop waits for something.
            Moment::Loop(inner) => {
                let inner = unfold(inner, of);
                match inner.iter().find(|event| matches!(event.beat, Beat::Sleep | Beat::Pause)) {
                    Some(sleep) => out.push(Event { beat: Beat::Wait, ..sleep.clone() }),
                    None => out.extend(inner),
                }
            }
        }
        if out.len() >= EVENTS {
            out.truncate(EVENTS);
            break;
        }
    }
    out
}

/// Puts into each summary what the unit does in time, its callees included, as far as a trail may be long.
pub(super) fn unfold_all(all: &mut [Vec<Arc<Summary>>]) {
    for _ in 0..=TRAIL {
        let events = |unit: &Arc<Summary>| {
            let of = |unit: UnitRef| &*all[unit.0.0 as usize][unit.1.0 as usize].events;
            let events = unfold(&unit.course, &of);
            (events != unit.events).then_some(events)
        };
        let fresh: Vec<Vec<Option<Vec<Event>>>> = all.par_iter().map(|file| file.iter().map(events).collect()).collect();
        let mut grown = false;
        for (summary, events) in all.iter_mut().flatten().zip(fresh.into_iter().flatten()) {
            if let Some(events) = events {
                grown = true;
                Arc::make_mut(summary).events = events;
            }
        }
        if !grown {
            break;
        }
    }
}

impl Eval<'_, '_> {
    fn moment(&mut self, moment: Moment) {
        if self.course.len() < MOMENTS && self.spread.is_empty() {
            self.course.push(moment);
        }
    }

    fn beat(&mut self, op: OpId, beat: Beat) {
        let site = self.site(op);
        self.moment(Moment::Beat(beat, site));
    }

    /// A call, with what the tables say of it.
    pub(super) fn pace(&mut self, op: OpId, callee: V, args: &[Arg], flow: Option<Flow>) {
        let name = self.facts.last_name(callee).unwrap_or_default().to_owned();
        match flow {
            Some(Flow::Sleep) => {
                let length = args.first().and_then(|arg| self.seconds(arg.value, 0));
                let fixed = length.is_some_and(|seconds| seconds > 0.0);
                self.beat(op, if fixed { Beat::Sleep } else { Beat::Pause });
            }
            Some(Flow::Now | Flow::Clock | Flow::Elapsed) => self.beat(op, Beat::Pause),
            Some(Flow::Start) => {
                // What the work itself does is not done here: neither the closure's, nor that of the coroutine that it is given.
                let own = std::iter::once(op).chain(args.iter().filter_map(|arg| match self.facts.value(arg.value) {
                    Value::Result(op) => Some(*op),
                    _ => None,
                }));
                let first = own.filter_map(|op| self.begun.get(&op)).min().copied();
                self.course.truncate(first.unwrap_or(self.course.len()));
                self.beat(op, Beat::Start);
            }
            // `options.get("key")` waits for nothing.
            Some(Flow::Wait)
                if name == "get" && matches!(args.first().map(|arg| self.facts.value(arg.value)), Some(Value::Text(_))) => {}
            Some(Flow::Wait | Flow::Completion) => self.beat(op, Beat::Wait),
            Some(Flow::End) => self.beat(op, Beat::End),
            _ if name == "join" || waits(&name) => self.beat(op, Beat::Wait),
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
            // What has not begun is below every bound.
            Value::Compare(Comparison::Less, _, bound) if self.seconds(*bound, 0).is_some() => true,
            Value::Compare(Comparison::Equal | Comparison::Is | Comparison::Less, a, b) => {
                self.is_nothing(*a) || self.is_nothing(*b)
            }
            Value::And(all) => all.iter().all(|one| self.is_absence(*one)),
            Value::Or(all) => all.iter().any(|one| self.is_absence(*one)),
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, .. } => {
                    matches!(
                        self.facts.last_name(*callee),
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
            Value::Text(text) => self.facts.name(*text).is_empty(),
            Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.is_empty(),
            Value::Dict(all) => all.is_empty(),
            Value::Name(name) => matches!(self.facts.name(*name), "None"),
            Value::Path(path) => path.last().is_some_and(|last| self.facts.name(*last) == "Pending"),
            // `Err(…)`, `Vec::new()`, `set()`.
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, args } => match self.facts.last_name(*callee) {
                    Some("Err") => true,
                    Some("new" | "default" | "empty" | "set" | "list" | "dict") => args.is_empty(),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// A loop has ended that began after so many steps.
    pub(super) fn polled(&mut self, first: usize) {
        let inner = self.course.split_off(first.min(self.course.len()));
        if !inner.is_empty() {
            self.course.push(Moment::Loop(inner));
        }
    }

    /// A call of a unit.
    pub(super) fn paced(&mut self, site: Option<Site>, unit: UnitRef) {
        self.moment(Moment::Call(site, unit));
    }
}
