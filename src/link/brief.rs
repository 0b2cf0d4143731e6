//! Work that ends by itself: whether what a thread or process runs waits, goes round or serves until somebody ends it.

use super::index::Binding;
use super::life::Life;
use super::spots::{Spot, parts, spots};
use super::term::UnitRef;
use crate::facts::{Arg, Block, FileFacts, OpId, Step, V, Value, What};

/// Parts of the names of methods that go on until they are told to end, where what they are called on is not known.
const LASTING: &[&str] =
    &["serve", "forever", "loop", "run", "listen", "start", "watch", "consume", "poll", "work", "monitor", "main", "accept"];

/// Methods that wait for somebody else.
const WAITS: &[&str] = &["wait", "wait_for", "recv", "recv_into", "accept", "acquire", "select", "pause", "input"];

/// The same, where they are called without an argument: `queue.get()`, and not `mapping.get(key)`.
const BARE_WAITS: &[&str] = &["get", "join", "result", "read", "readline"];

/// From here on, in seconds, a sleep is long.
const LONG: f64 = 5.0;

/// Calls that are followed from what is run.
const DEEP: usize = 3;

impl Life<'_> {
    /// Whether what a thread or process runs is done soon, as far as it is seen: how much of it is left over when the test ends is not
    /// known.
    pub(super) fn is_brief(&self, made: OpId) -> bool {
        let What::Call { callee, args } = &self.facts.op(made).what else { return false };
        match self.target(args) {
            Some(target) => !self.lasts(target),
            // A class of its own: what `run` does.
            None => match self.index.resolve_value(self.unit.0, self.unit.1, *callee) {
                Some(Binding::Class(class)) => self.index.method(class, "run").is_some_and(|run| !self.body_lasts(run, 0)),
                _ => false,
            },
        }
    }

    /// `python -c CODE`, where the code neither waits nor goes round.
    pub(super) fn is_brief_command(&self, made: OpId) -> bool {
        let What::Call { args, .. } = &self.facts.op(made).what else { return false };
        let mut texts = Vec::new();
        args.iter().for_each(|arg| texts_in(self.facts, arg.value, &mut texts));
        let code = texts.iter().position(|text| *text == "-c").and_then(|at| texts.get(at + 1));
        let waits = |code: &&str| {
            let sleeps = code.split("sleep(").skip(1).any(|rest| {
                let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                number.parse::<f64>().map_or(true, |seconds| seconds >= LONG)
            });
            sleeps || ["while", "serve", "forever", "input(", "read(", "wait(", "stdin"].iter().any(|word| code.contains(word))
        };
        code.is_some_and(|code| !waits(code))
    }

    /// Whether what a process runs leaves it: the process ends by itself, and what goes on is nobody's child.
    pub(super) fn is_detached(&self, made: OpId) -> bool {
        let What::Call { args, .. } = &self.facts.op(made).what else { return false };
        let target = self.target(args).and_then(|target| self.index.resolve_value(self.unit.0, self.unit.1, target));
        matches!(target, Some(Binding::Function(unit)) if self.detaches(unit, 0))
    }

    fn detaches(&self, unit: UnitRef, depth: usize) -> bool {
        let facts = self.index.file(unit.0);
        spots(&facts.unit(unit.1).body).iter().filter_map(Spot::op).any(|op| match &facts.op(op).what {
            What::Call { callee, .. } => match self.index.resolve_value(unit.0, unit.1, *callee) {
                Some(Binding::External(name)) => self.index.calls(facts.language).get(&name).is_some_and(|entry| entry.detaches),
                Some(Binding::Function(function)) => depth < DEEP && self.detaches(function, depth + 1),
                _ => false,
            },
            _ => false,
        })
    }

    /// What is to be run: `target=`, or what stands for it by its place.
    pub(super) fn target(&self, args: &[Arg]) -> Option<V> {
        let named = |arg: &&Arg| arg.name.is_some_and(|name| matches!(self.facts.name(name), "target" | "function"));
        let placed = || args.get(1).filter(|arg| arg.name.is_none());
        args.iter().find(named).or_else(placed).map(|arg| arg.value)
    }

    fn lasts(&self, target: V) -> bool {
        if let Some(unit) = self.runs(target) {
            return self.body_lasts((self.unit.0, unit), 0);
        }
        match self.facts.value(target) {
            Value::Closure(unit) => self.body_lasts((self.unit.0, *unit), 0),
            _ => self.callee_lasts(self.unit, target, 0),
        }
    }

    /// A function or method of the project by what it does, any other one by its name.
    fn callee_lasts(&self, unit: UnitRef, callee: V, depth: usize) -> bool {
        let facts = self.index.file(unit.0);
        match facts.value(callee) {
            Value::Attr(base, name) => {
                let own = matches!(facts.value(*base), Value::Name(this) if facts.name(*this) == "self");
                let class = facts.unit(unit.1).class.filter(|_| own).map(|class| self.index.class_of_impl((unit.0, class)));
                match class.and_then(|class| self.index.method(class, facts.name(*name))) {
                    Some(method) => self.body_lasts(method, depth + 1),
                    None => LASTING.iter().any(|word| facts.name(*name).contains(word)),
                }
            }
            Value::Name(name) => match self.index.resolve_value(unit.0, unit.1, callee) {
                Some(Binding::Function(function)) => self.body_lasts(function, depth + 1),
                Some(_) => false,
                // A function that the unit was given.
                None => LASTING.iter().any(|word| facts.name(*name).contains(word)),
            },
            _ => false,
        }
    }

    fn body_lasts(&self, unit: UnitRef, depth: usize) -> bool {
        depth <= DEEP && self.block_lasts(unit, &self.index.file(unit.0).unit(unit.1).body, depth)
    }

    fn block_lasts(&self, unit: UnitRef, block: &Block, depth: usize) -> bool {
        let inside = |block: &Block| self.block_lasts(unit, block, depth);
        block.iter().any(|step| match step {
            Step::Op(op) => self.op_lasts(unit, *op, depth),
            Step::Loop { over, body, .. } => over.is_none() || inside(body),
            Step::If { then, other, .. } => inside(then) || inside(other),
            Step::Try { body, handlers, other, last } => {
                inside(body) || inside(other) || inside(last) || handlers.iter().any(|handler| inside(&handler.body))
            }
            Step::With { body, .. } | Step::Scope(body) => inside(body),
            Step::Match { arms, .. } => arms.iter().any(|arm| inside(&arm.body)),
        })
    }

    fn op_lasts(&self, unit: UnitRef, op: OpId, depth: usize) -> bool {
        let facts = self.index.file(unit.0);
        let What::Call { callee, args } = &facts.op(op).what else { return false };
        let name = match facts.value(*callee) {
            Value::Attr(_, name) | Value::Name(name) => facts.name(*name),
            _ => return false,
        };
        if name == "sleep" {
            return args.first().is_some_and(|arg| seconds(facts, arg.value).is_some_and(|seconds| seconds >= LONG));
        }
        let bare = args.iter().all(|arg| arg.name.is_some());
        WAITS.contains(&name) || bare && BARE_WAITS.contains(&name) || self.callee_lasts(unit, *callee, depth)
    }
}

fn seconds(facts: &FileFacts, v: V) -> Option<f64> {
    match facts.value(v) {
        Value::Int(n) => Some(*n as f64),
        Value::Float(text) => facts.name(*text).parse().ok(),
        _ => None,
    }
}

/// All texts of a value, in their order.
fn texts_in<'f>(facts: &'f FileFacts, v: V, out: &mut Vec<&'f str>) {
    match facts.value(v) {
        Value::Text(text) => out.push(facts.name(*text)),
        value => parts(value, &mut |part| texts_in(facts, part, out)),
    }
}
