//! Which reads a value was made of: through variables, calls and containers of one unit.
//!
//! Coarse on purpose: a call's result is made of all that the call was given and of all that it read. What decides alone (a
//! condition) is no flow.

use super::eval::Eval;
use super::term::{Site, Term};
use crate::calls::Verb;
use crate::facts::{Arg, OpId, V, Value};

/// Reads kept of one value.
const READS: usize = 12;

impl Eval<'_, '_> {
    /// The reads that a value was made of, each by the operation of this unit that made it.
    pub fn reads_in(&self, value: V) -> Vec<Site> {
        let mut out = Vec::new();
        self.gather(value, 0, &mut out);
        out
    }

    fn gather(&self, value: V, depth: usize, out: &mut Vec<Site>) {
        if depth > 12 {
            return;
        }
        let all = |values: &[V], out: &mut Vec<Site>| values.iter().for_each(|v| self.gather(*v, depth + 1, out));
        match self.facts.value(value) {
            Value::Name(name) => add(out, self.state.made_of.get(name).map_or(&[], Vec::as_slice)),
            Value::Result(op) => add(out, self.made_of.get(op).map_or(&[], Vec::as_slice)),
            Value::Attr(a, _) | Value::Not(a) | Value::Star(a) => self.gather(*a, depth + 1, out),
            Value::Item(a, b) | Value::Binary(_, a, b) => all(&[*a, *b], out),
            Value::Format(many) | Value::List(many) | Value::Tuple(many) | Value::Set(many) | Value::Or(many) => all(many, out),
            Value::Dict(pairs) => pairs.iter().for_each(|(key, value)| all(&[*key, *value], out)),
            Value::Choice { then, other, .. } => all(&[*then, *other], out),
            Value::Record { fields, .. } => fields.iter().for_each(|(_, value)| all(&[*value], out)),
            _ => {}
        }
    }

    /// A value is bound to a name, or put into a part of what a name holds.
    pub fn bind_reads(&mut self, to: V, value: V) {
        let reads = self.reads_in(value);
        self.put_reads(to, &reads, true);
    }

    fn put_reads(&mut self, to: V, reads: &[Site], whole: bool) {
        match self.facts.value(to) {
            Value::Name(name) => {
                let held = self.state.made_of.entry(*name).or_default();
                if whole {
                    held.clear();
                }
                add(held, reads);
            }
            Value::Item(base, _) => self.put_reads(*base, reads, false),
            Value::Tuple(all) | Value::List(all) => {
                for target in all.clone() {
                    self.put_reads(target, reads, whole);
                }
            }
            _ => {}
        }
    }

    /// A call was made: what it gives, what it wrote and what it changed is made of what it was given and of what it read.
    pub fn call_reads(&mut self, op: OpId, callee: V, args: &[Arg], first: usize) {
        let site = self.site(op);
        let receiver = match self.facts.value(callee) {
            Value::Attr(base, _) => Some(*base),
            _ => None,
        };
        let mut given = Vec::new();
        for arg in args {
            self.gather(arg.value, 0, &mut given);
        }
        let mut made_of = given.clone();
        receiver.iter().for_each(|base| self.gather(*base, 0, &mut made_of));
        let first = first.min(self.effects.len());
        if self.effects[first..].iter().any(|effect| matches!(effect.verb, Verb::Read | Verb::Update | Verb::Database)) {
            add(&mut made_of, &[site]);
        }
        if made_of.is_empty() {
            return;
        }
        for effect in &mut self.effects[first..] {
            add(&mut effect.made_of, &made_of);
        }
        // Written through an open file: the effect is the open's.
        let handles = receiver.into_iter().chain(args.iter().map(|arg| arg.value));
        let written: Vec<_> = handles
            .filter_map(|value| match self.value(value).plain() {
                Term::Handle(path) => super::place::Place::of(path),
                _ => None,
            })
            .collect();
        for place in written {
            let opened = self.effects.iter_mut().rev().find(|effect| *effect.on == place && effect.verb != Verb::Stat);
            if let Some(effect) =
                opened.filter(|effect| matches!(effect.verb, Verb::Write | Verb::Create | Verb::Append | Verb::Update))
            {
                add(&mut effect.made_of, &made_of);
            }
        }
        // `lines.append(line)`, `file.read_to_string(&mut text)`.
        let holds = |term: &Term| !matches!(term, Term::External(_) | Term::Module(_) | Term::Class(_));
        if let Some(base) = receiver.filter(|base| holds(&self.value(*base))) {
            self.put_reads(base, &given, false);
            if let Value::Attr(_, name) = self.facts.value(callee)
                && self.facts.name(*name).starts_with("read")
            {
                args.iter().for_each(|arg| self.put_reads(arg.value, &made_of, false));
            }
        }
        self.made_of.insert(op, made_of);
    }
}

pub(super) fn add(to: &mut Vec<Site>, more: &[Site]) {
    for site in more {
        if to.len() < READS && !to.contains(site) {
            to.push(*site);
        }
    }
}
