//! What of a value differs from run to run though code and input do not: an order that nobody set, a time, a random draw; and the
//! assertions that depend on it.
//!
//! Which calls bring it in, keep it or take it away stands in the call tables (`[values]`). What is not known takes it away, so that
//! silence is the default.

use super::eval::Eval;
use super::term::{Mix, Piece, Site, Term};
use crate::calls::Flow;
use crate::facts::{Arg, Comparison, Language, OpId, Operator, Sym, V, Value, What};
use crate::text::{FileId, Span};
use std::collections::HashMap;

/// Where a value gets what differs from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Chance {
    /// Hashes: the order of a set or a hash map.
    Hash,
    /// A folder's order of its entries.
    Listing,
    /// The order in which work that goes on at once ends.
    Completion,
    /// A clock.
    Clock,
    /// How much time went by.
    Elapsed,
    /// A generator that was not given a seed.
    Random,
}

/// How a value holds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Form {
    /// A collection that has no order: equal to another one with the same elements.
    Bag,
    /// Elements one after the other, as the order has it.
    Row,
    /// One of the elements, in a loop over them.
    Each,
    /// All of the value.
    Whole,
}

/// What is known of the elements of a collection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Elements {
    Unknown,
    /// Texts: their hashes differ from process to process.
    Texts,
    /// Numbers, or one element at most: they come in one order always.
    Settled,
}

/// One thing that differs, and where it comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Varying {
    pub chance: Chance,
    pub form: Form,
    pub elements: Elements,
    /// The call or display that brings it in.
    pub file: FileId,
    pub span: Span,
    /// A time that something was added to, or a number made of random ones.
    pub moved: bool,
    /// A time cut to seconds or coarser.
    pub coarse: bool,
    /// Only the day of it.
    pub day: bool,
    /// A time taken against one that is not read here.
    pub against: bool,
}

/// How an assertion depends on it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Doubt {
    /// It holds for one order only; `sure` where the other side says so, `sorted` where that one is in the order of `sorted`.
    Order { sure: bool, sorted: bool },
    /// It holds while no more time has gone by than this many seconds, where they are known.
    Within(Option<f64>),
    /// Two clock reads are the same.
    SameTime,
    /// A number made of random ones is in bounds.
    Bounds,
}

/// An assertion that may fail although nothing changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Doubtful {
    pub doubt: Doubt,
    /// The assertion.
    pub site: Site,
    /// The value in it that differs.
    pub value: Span,
    pub of: Varying,
}

/// A list of parameters for a test, as a mark gives it.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// The mark, and the value in it.
    pub mark: Span,
    pub value: Span,
    pub of: Varying,
    /// A display with braces: its brackets are to be changed.
    pub display: bool,
}

/// A mark whose parameters, or their ids, have other texts in every process.
#[derive(Clone, PartialEq, Debug)]
pub struct Unstable {
    pub mark: Span,
    pub value: Span,
    pub mix: Mix,
}

/// What is known of values in one unit, beside the state that changes along the way.
#[derive(Default)]
pub(super) struct Vary {
    pub results: HashMap<OpId, Vec<Varying>>,
    /// What the unit, or the nested one that is evaluated in place, gives.
    pub gives: Vec<Varying>,
    /// What the last unit that was called gives.
    pub called: Vec<Varying>,
    /// The collections that are walked around the operation at hand.
    walked: Vec<(FileId, Span)>,
    /// Loops around that go on until something happens: a bound on time in them is a time-out.
    polling: usize,
    /// Clocks whose time was handed to somebody.
    told: Vec<(FileId, Span)>,
    pub doubtful: Vec<Doubtful>,
    pub parameters: Vec<Parameters>,
    pub unstable: Vec<Unstable>,
}

/// Kept of one value, and of one unit.
const KINDS: usize = 4;
const DOUBTS: usize = 64;

/// Steps followed from a value to what it was made of.
const STEPS: usize = 8;

/// A relative tolerance that no elapsed time misses, and one that is seconds of the time since 1970.
const HALF: f64 = 0.5;
const A_MOMENT: f64 = 1e-8;

impl Varying {
    fn is_order(&self) -> bool {
        matches!(self.chance, Chance::Hash | Chance::Listing | Chance::Completion)
    }

    fn is_time(&self) -> bool {
        matches!(self.chance, Chance::Clock | Chance::Elapsed)
    }

    fn origin(&self) -> (FileId, Span) {
        (self.file, self.span)
    }

    fn in_form(mut self, form: Form) -> Varying {
        self.form = form;
        self
    }
}

impl Eval<'_, '_> {
    /// What differs in a value.
    pub(super) fn varying(&self, v: V) -> Vec<Varying> {
        self.varying_at(v, 0)
    }

    fn varying_at(&self, v: V, depth: usize) -> Vec<Varying> {
        if depth > STEPS {
            return Vec::new();
        }
        let of = |v: &V| self.varying_at(*v, depth + 1);
        let out: Vec<Varying> = match self.facts.value(v) {
            Value::Name(name) => self.state.varying.get(name).cloned().unwrap_or_default(),
            Value::Result(op) => self.vary.results.get(op).cloned().unwrap_or_default(),
            Value::Item(base, key) if matches!(self.facts.value(*key), Value::Unknown) => {
                let each = of(base).into_iter().filter(Varying::is_order).map(|one| one.in_form(Form::Each));
                each.collect()
            }
            Value::Attr(base, _) => of(base).into_iter().filter(|one| one.form == Form::Each).collect(),
            Value::Format(parts) => parts.iter().flat_map(of).map(|one| self.laid_out(one)).collect(),
            Value::List(all) | Value::Tuple(all) => {
                let parts = all.iter().flat_map(of).filter(|one| one.is_order() && one.form != Form::Bag);
                parts.map(|one| self.laid_out(one)).collect()
            }
            Value::Set(all) => {
                let elements = self.elements_of(all);
                // `{f(x) for x in y}`: one element as written, many in fact.
                let many = all.len() > 1 || all.iter().any(|one| !of(one).is_empty() || self.is_walked_name(*one));
                if many { vec![self.one_by_chance(Chance::Hash, Form::Bag, elements, self.facts.written(v))] } else { Vec::new() }
            }
            Value::Binary(operator, a, b) => self.of_binary(*operator, *a, *b, depth),
            Value::Choice { then, other, .. } => of(then).into_iter().chain(of(other)).collect(),
            Value::Or(all) => all.iter().flat_map(of).collect(),
            Value::Star(inner) => of(inner).into_iter().map(|one| self.laid_out(one)).collect(),
            _ => Vec::new(),
        };
        bounded(out)
    }

    fn one_by_chance(&self, chance: Chance, form: Form, elements: Elements, span: Span) -> Varying {
        Varying { chance, form, elements, file: self.file, span, moved: false, coarse: false, day: false, against: false }
    }

    /// Elements put one after the other: in the loop itself, one is still one.
    fn laid_out(&self, one: Varying) -> Varying {
        match one.form {
            Form::Bag => one.in_form(Form::Row),
            Form::Each if !self.vary.walked.contains(&one.origin()) => one.in_form(Form::Row),
            _ => one,
        }
    }

    /// Whether a name was the target of a loop that has ended: the element of a comprehension.
    fn is_walked_name(&self, v: V) -> bool {
        match self.facts.value(v) {
            Value::Name(name) => self.state.stored.get(name).is_some_and(|op| match &self.facts.op(*op).what {
                What::Store { value, .. } => {
                    matches!(self.facts.value(*value), Value::Item(_, key) if matches!(self.facts.value(*key), Value::Unknown))
                }
                _ => false,
            }),
            Value::Attr(base, _) => self.is_walked_name(*base),
            Value::Item(base, key) => self.is_walked_name(*base) || self.is_walked_name(*key),
            Value::Format(all) | Value::Tuple(all) => all.iter().any(|one| self.is_walked_name(*one)),
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, args } => {
                    self.is_walked_name(*callee) || args.iter().any(|arg| self.is_walked_name(arg.value))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a display is the result of a comprehension.
    fn holds_walked(&self, v: V) -> bool {
        match self.facts.value(v) {
            Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.iter().any(|one| self.is_walked_name(*one)),
            _ => false,
        }
    }

    fn elements_of(&self, all: &[V]) -> Elements {
        let text = |v: &V| matches!(self.facts.value(*v), Value::Text(_) | Value::Format(_));
        let number = |v: &V| match self.facts.value(*v) {
            Value::Int(_) | Value::Bool(_) | Value::Float(_) => true,
            Value::Tuple(all) => all.iter().all(|v| matches!(self.facts.value(*v), Value::Int(_) | Value::Bool(_))),
            _ => false,
        };
        let holds_text = |v: &V| match self.facts.value(*v) {
            Value::Tuple(all) => all.iter().any(text),
            _ => text(v),
        };
        if all.iter().all(number) || all.is_empty() {
            Elements::Settled
        } else if all.iter().any(holds_text) {
            Elements::Texts
        } else {
            Elements::Unknown
        }
    }

    fn of_binary(&self, operator: Operator, a: V, b: V, depth: usize) -> Vec<Varying> {
        let (left, right) = (self.varying_at(a, depth + 1), self.varying_at(b, depth + 1));
        let mut out = Vec::new();
        let clock = |all: &[Varying]| all.iter().find(|one| one.chance == Chance::Clock).cloned();
        match (operator, clock(&left), clock(&right)) {
            (Operator::Subtract, Some(_), Some(start)) => out.push(Varying { chance: Chance::Elapsed, ..start }),
            (Operator::Subtract, Some(one), None) | (Operator::Subtract, None, Some(one)) => {
                let other = if clock(&left).is_some() { b } else { a };
                let timed = left.iter().chain(&right).any(|one| one.chance == Chance::Elapsed);
                if self.is_moment(other, 0) && !timed {
                    if !self.vary.told.contains(&one.origin()) {
                        out.push(Varying { chance: Chance::Elapsed, against: true, ..one });
                    }
                } else {
                    out.push(Varying { moved: true, ..one });
                }
            }
            (_, Some(one), _) | (_, _, Some(one)) => out.push(Varying { moved: true, ..one }),
            _ => {}
        }
        for one in left.into_iter().chain(right) {
            match (one.chance, one.form) {
                (Chance::Clock, _) => {}
                (Chance::Elapsed | Chance::Random, _) => out.push(Varying { moved: true, ..one }),
                // `a | b`, `a - b` of sets.
                (_, Form::Bag) if matches!(operator, Operator::Subtract | Operator::Other) => out.push(one),
                (_, Form::Row) if matches!(operator, Operator::Add | Operator::Modulo) => out.push(one),
                (_, Form::Each) if operator != Operator::Subtract => out.push(one),
                _ => {}
            }
        }
        bounded(out)
    }

    /// Whether a value may be a time that somebody else read: no constant, and no length of time.
    fn is_moment(&self, v: V, depth: usize) -> bool {
        match self.facts.value(v) {
            Value::Attr(..) => true,
            Value::Result(op) => {
                let What::Call { callee, .. } = &self.facts.op(*op).what else { return false };
                let made = self.facts.last_name(*callee).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
                !made && !matches!(self.flow_at(*op), Some(Flow::Period | Flow::Measure | Flow::Random))
            }
            // A variable may be made of itself.
            Value::Name(name) if depth < STEPS => self.stored_value(*name).is_some_and(|value| self.is_moment(value, depth + 1)),
            _ => false,
        }
    }

    fn stored_value(&self, name: Sym) -> Option<V> {
        match &self.facts.op(*self.state.stored.get(&name)?).what {
            What::Store { value, .. } => Some(*value),
            _ => None,
        }
    }

    fn flow_at(&self, op: OpId) -> Option<Flow> {
        self.flows.get(&op).copied()
    }

    /// What the tables say of a call's values.
    fn flow(&mut self, callee: V) -> Option<Flow> {
        let calls = self.world.calls(self.file);
        let separator = if self.facts.language == Language::Rust { "::" } else { "." };
        let term = self.value(callee);
        match (&term, self.facts.value(callee).clone()) {
            (Term::External(name), _) => {
                if let Some(flow) = calls.flow(name) {
                    return Some(flow);
                }
                // `Instant::elapsed(&start)`, and macros by their last name.
                let last = name.rsplit("::").next().filter(|last| last.ends_with('!'))?;
                calls.flow(last)
            }
            (Term::Unknown, Value::Name(name)) if self.facts.language == Language::Python => {
                let known = self.state.vars.contains_key(&name);
                calls.flow(&format!("builtins.{}", self.facts.name(name))).filter(|_| !known)
            }
            (_, Value::Attr(base, name)) => {
                let recv = self.value(base);
                let name = self.facts.name(name).to_owned();
                if let Term::External(module) = &recv {
                    return calls.flow(&format!("{module}{separator}{name}"));
                }
                if self.class_of(&recv).is_some() && !name.starts_with("assert") {
                    return None;
                }
                let types = self.world.types_of(&recv);
                let known = types.iter().find_map(|ty| calls.flow(&format!("{ty}{separator}{name}")));
                known.or_else(|| calls.flow(&format!(".{name}")))
            }
            _ => None,
        }
    }

    /// A call was made: what differs in its result, and what it does to what its receiver and arguments hold. `outer` is what the unit
    /// at hand has given so far.
    pub(super) fn call_varying(&mut self, op: OpId, callee: V, args: &[Arg], outer: Vec<Varying>) {
        let mut inner = std::mem::replace(&mut self.vary.gives, outer);
        inner.append(&mut self.vary.called);
        let flow = self.flow(callee);
        self.flows.extend(flow.map(|flow| (op, flow)));
        let span = self.facts.op(op).span;
        let receiver = match self.facts.value(callee) {
            Value::Attr(base, _) => Some(*base),
            _ => None,
        };
        let external = receiver.is_some_and(|base| matches!(self.value(base), Term::External(_) | Term::Module(_)));
        let receiver = receiver.filter(|_| !external);
        self.pace(op, callee, args, flow);
        // What a method's receiver is, or a function's first argument.
        let joined = self.facts.last_name(callee) == Some("join") && self.facts.language == Language::Python;
        let subject = match receiver {
            Some(base) if !joined => Some(base),
            _ => args.first().map(|arg| arg.value),
        };
        let given: Vec<Varying> = subject.map(|v| self.varying(v)).unwrap_or_default();
        let literal = subject.map(|v| match self.facts.value(v) {
            Value::List(all) | Value::Tuple(all) | Value::Set(all) => self.elements_of(all),
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, .. } if self.facts.last_name(*callee) == Some("range") => Elements::Settled,
                _ => Elements::Unknown,
            },
            Value::Text(_) => Elements::Texts,
            _ => Elements::Unknown,
        });
        let literal = literal.unwrap_or(Elements::Settled);
        let out = match flow {
            Some(Flow::Hash) => {
                // A set of what is known to be in another set has its elements.
                let known = given.iter().find(|one| one.chance == Chance::Hash).map(|one| one.elements);
                let rust = self.facts.language == Language::Rust;
                let elements = if rust { Elements::Texts } else { known.unwrap_or(literal) };
                let few = subject.is_some_and(|v| match self.facts.value(v) {
                    Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.len() < 2,
                    _ => false,
                });
                // A comprehension has one element as written.
                let single = few && given.is_empty() && subject.is_none_or(|v| !self.holds_walked(v));
                if single && !rust { Vec::new() } else { vec![self.one_by_chance(Chance::Hash, Form::Bag, elements, span)] }
            }
            Some(Flow::Listing) => vec![self.one_by_chance(Chance::Listing, Form::Row, Elements::Texts, span)],
            Some(Flow::Completion) => vec![self.one_by_chance(Chance::Completion, Form::Row, Elements::Texts, span)],
            Some(Flow::Now | Flow::Clock) => vec![self.one_by_chance(Chance::Clock, Form::Whole, Elements::Unknown, span)],
            Some(Flow::Date) => {
                let today = self.one_by_chance(Chance::Clock, Form::Whole, Elements::Unknown, span);
                vec![Varying { coarse: true, day: true, ..today }]
            }
            Some(Flow::Elapsed) => {
                // `start.elapsed()` of a clock that was read here.
                let read = given.into_iter().filter(|one| one.chance == Chance::Clock);
                read.map(|start| Varying { chance: Chance::Elapsed, ..start }).collect()
            }
            Some(Flow::Random) => vec![self.one_by_chance(Chance::Random, Form::Whole, Elements::Unknown, span)],
            Some(Flow::Row) => {
                let rows = given
                    .into_iter()
                    .filter(|one| one.form != Form::Bag || literal != Elements::Settled || one.elements != Elements::Settled);
                rows.map(|one| self.laid_out(one))
                    .map(|one| if joined { Varying { elements: Elements::Texts, ..one } } else { one })
                    .collect()
            }
            Some(Flow::Same) => given,
            Some(Flow::Coarse) => {
                let day = match self.facts.last_name(callee) {
                    Some("date" | "date_naive") => true,
                    Some("strftime") => args.iter().any(|arg| is_day(self.facts, arg.value)),
                    _ => false,
                };
                given
                    .into_iter()
                    .filter(Varying::is_time)
                    .map(|one| Varying { coarse: true, day: one.day || day, ..one })
                    .collect()
            }
            Some(Flow::Measure) => {
                let whole = given.into_iter().filter(|one| one.form == Form::Whole);
                whole.map(|one| Varying { moved: true, ..one }).collect()
            }
            Some(Flow::Near) => given.into_iter().filter(Varying::is_time).map(|one| Varying { coarse: true, ..one }).collect(),
            Some(Flow::Sorts) => {
                self.settle_order(receiver);
                Vec::new()
            }
            Some(Flow::Grows) => {
                let added: Vec<Varying> = args.iter().flat_map(|arg| self.varying(arg.value)).filter(Varying::is_order).collect();
                if let Some(Value::Name(name)) = receiver.map(|base| self.facts.value(base)) {
                    let bag = self.state.varying.get(name).is_some_and(|all| all.iter().any(|one| one.form == Form::Bag));
                    if !bag {
                        let rows = added.into_iter().map(|one| one.in_form(Form::Row));
                        let held = self.state.varying.entry(*name).or_default();
                        *held = bounded(held.drain(..).chain(rows).collect());
                    }
                }
                Vec::new()
            }
            Some(Flow::Equal) => {
                if let [a, b, ..] = args {
                    self.doubt_equal(op, a.value, b.value);
                }
                Vec::new()
            }
            Some(Flow::Almost) => {
                if let [a, b, ..] = args {
                    self.doubt_near(op, a.value, b.value);
                }
                Vec::new()
            }
            Some(Flow::Snapshot) => {
                for arg in args {
                    for one in self.varying(arg.value) {
                        if one.chance == Chance::Hash || one.chance == Chance::Listing {
                            self.may_fail(Doubt::Order { sure: true, sorted: false }, op, arg.value, one);
                        }
                    }
                }
                Vec::new()
            }
            Some(Flow::Period | Flow::Sleep | Flow::Start | Flow::Wait | Flow::End) => Vec::new(),
            None => {
                // Who is handed a time may give it back.
                let handed = args.iter().map(|arg| arg.value).chain(receiver);
                let told: Vec<_> =
                    handed.flat_map(|v| self.varying(v)).filter(Varying::is_time).map(|one| one.origin()).collect();
                self.vary.told.extend(told);
                if self.is_own(callee) { inner } else { Vec::new() }
            }
        };
        if !out.is_empty() {
            self.vary.results.insert(op, bounded(out));
        }
    }

    /// Whether a call is one of a unit of the project.
    fn is_own(&mut self, callee: V) -> bool {
        match self.value(callee) {
            Term::Function(_) | Term::Closure(..) | Term::Bound(..) => true,
            _ => match self.facts.value(callee).clone() {
                Value::Attr(base, _) => {
                    let recv = self.value(base);
                    matches!(recv, Term::Module(_) | Term::Class(_)) || self.class_of(&recv).is_some()
                }
                _ => false,
            },
        }
    }

    /// A variable's elements have an order from here on.
    fn settle_order(&mut self, holder: Option<V>) {
        if let Some(Value::Name(name)) = holder.map(|v| self.facts.value(v))
            && let Some(held) = self.state.varying.get_mut(name)
        {
            held.retain(|one| !one.is_order());
        }
    }

    /// A value is bound to a name.
    pub(super) fn bind_varying(&mut self, to: V, value: V, ty: Option<V>) {
        let mut held = self.varying(value);
        match self.facts.value(to).clone() {
            Value::Name(name) => {
                if let Some(ty) = ty.and_then(|ty| self.declared(ty)) {
                    let span = self.facts.written(value);
                    let hashed = self.world.calls(self.file).flow(&ty) == Some(Flow::Hash);
                    if hashed && self.facts.language == Language::Rust {
                        held = vec![self.one_by_chance(Chance::Hash, Form::Bag, Elements::Texts, span)];
                    } else if ty.contains("BTree") || ty.contains("Map") || ty.contains("Set") {
                        held.retain(|one| !one.is_order());
                    }
                }
                if held.is_empty() {
                    self.state.varying.remove(&name);
                } else {
                    self.state.varying.insert(name, held);
                }
            }
            Value::Tuple(all) | Value::List(all) => {
                for target in all {
                    if let Value::Name(name) = self.facts.value(target) {
                        let each: Vec<Varying> = held.iter().filter(|one| one.form == Form::Each).cloned().collect();
                        if each.is_empty() {
                            self.state.varying.remove(name);
                        } else {
                            self.state.varying.insert(*name, each);
                        }
                    }
                }
            }
            // Kept where somebody else may read it.
            _ => self.vary.told.extend(held.iter().filter(|one| one.is_time()).map(Varying::origin)),
        }
    }

    /// The outside name of a declared type, its parameters left out.
    fn declared(&mut self, ty: V) -> Option<std::sync::Arc<str>> {
        match self.facts.value(ty).clone() {
            Value::Item(base, _) => self.declared(base),
            Value::Name(_) | Value::Path(_) | Value::Attr(..) => match self.value(ty) {
                Term::External(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// Parameters of a Rust function that are hash maps and sets by their type.
    pub(super) fn varying_parameters(&mut self) {
        if self.facts.language != Language::Rust {
            return;
        }
        let params: Vec<(Sym, Option<V>, Span)> =
            self.facts.unit(self.unit).params.iter().map(|param| (param.name, param.ty, param.span)).collect();
        for (name, ty, span) in params {
            if let Some(ty) = ty.and_then(|ty| self.declared(ty))
                && self.world.calls(self.file).flow(&ty) == Some(Flow::Hash)
            {
                let one = self.one_by_chance(Chance::Hash, Form::Bag, Elements::Texts, span);
                self.state.varying.insert(name, vec![one]);
            }
        }
    }

    /// A loop begins, over a value or until something happens; gives what was open before.
    pub(super) fn walk(&mut self, iter: Option<V>) -> (usize, usize) {
        let before = (self.vary.walked.len(), self.vary.polling);
        match iter {
            Some(iter) => {
                let walked: Vec<_> = self.varying(iter).iter().map(Varying::origin).collect();
                self.vary.walked.extend(walked);
            }
            None => self.vary.polling += 1,
        }
        before
    }

    pub(super) fn walked(&mut self, before: (usize, usize)) {
        self.vary.walked.truncate(before.0);
        self.vary.polling = before.1;
    }

    /// A value is returned or yielded.
    pub(super) fn give_varying(&mut self, value: V, yields: bool) {
        let given = self.varying(value).into_iter().filter(|one| one.chance != Chance::Random && one.chance != Chance::Elapsed);
        let given: Vec<Varying> = given
            .filter_map(|one| match one.form {
                Form::Each if yields => Some(one.in_form(Form::Row)),
                Form::Each => None,
                _ => Some(one),
            })
            .collect();
        self.vary.gives = bounded(self.vary.gives.drain(..).chain(given).collect());
    }

    /// An assertion on a condition.
    pub(super) fn doubt_condition(&mut self, op: OpId, cond: V) {
        match self.facts.value(cond).clone() {
            Value::And(all) => all.iter().for_each(|one| self.doubt_condition(op, *one)),
            Value::Not(inner) => {
                if let Value::Compare(how, a, b) = self.facts.value(inner) {
                    match how {
                        Comparison::Less => self.doubt_within(op, *b, *a),
                        Comparison::Greater => self.doubt_within(op, *a, *b),
                        _ => {}
                    }
                }
            }
            Value::Compare(Comparison::Equal, a, b) if !self.counted_one(a, b) && !self.counted_one(b, a) => {
                self.doubt_equal(op, a, b);
            }
            Value::Compare(Comparison::Less, a, b) => self.doubt_within(op, a, b),
            Value::Compare(Comparison::Greater, a, b) => self.doubt_within(op, b, a),
            _ => {}
        }
    }

    /// `len(x) == 1`: from here on there is one order.
    fn counted_one(&mut self, counted: V, number: V) -> bool {
        let Value::Result(op) = self.facts.value(counted) else { return false };
        let What::Call { callee, args } = &self.facts.op(*op).what else { return false };
        let of = match self.facts.value(*callee) {
            Value::Attr(base, _) => Some(*base),
            _ => args.first().map(|arg| arg.value),
        };
        if self.facts.last_name(*callee) != Some("len") || !matches!(self.facts.value(number), Value::Int(0 | 1)) {
            return false;
        }
        self.settle_order(of);
        true
    }

    fn doubt_equal(&mut self, op: OpId, a: V, b: V) {
        let (left, right) = (self.varying(a), self.varying(b));
        for (side, value, other, beside) in [(&left, a, b, &right), (&right, b, a, &left)] {
            for one in side {
                let same = beside.iter().any(|other| other.origin() == one.origin());
                if same {
                    continue;
                }
                match one.chance {
                    Chance::Hash | Chance::Listing | Chance::Completion if one.form == Form::Row => {
                        self.doubt_order(op, value, other, one, beside);
                    }
                    Chance::Clock => self.doubt_time(op, value, other, one, beside),
                    Chance::Elapsed if self.is_near(other) && beside.is_empty() && !self.is_wide(other) => {
                        let within = self.tolerance(other);
                        self.may_fail(Doubt::Within(within), op, value, one.clone());
                    }
                    _ => {}
                }
            }
        }
    }

    /// One order against another value.
    fn doubt_order(&mut self, op: OpId, value: V, other: V, one: &Varying, beside: &[Varying]) {
        if one.elements == Elements::Settled {
            return;
        }
        let rust = self.facts.language == Language::Rust;
        let fits = match self.facts.value(self.meant(other)) {
            Value::List(all) | Value::Tuple(all) => {
                // A comprehension has one element as written.
                let many = all.len() > 1;
                let numbers = self.elements_of(all) == Elements::Settled && one.chance == Chance::Hash && !rust;
                if !many || numbers {
                    return;
                }
                let distinct = all.iter().any(|v| !self.is_same_literal(*v, all[0]));
                if !distinct {
                    return;
                }
                let known = one.chance != Chance::Hash || rust || self.elements_of(all) == Elements::Texts;
                known || one.elements == Elements::Texts
            }
            Value::Text(text) => self.facts.name(*text).len() > 1 && one.elements == Elements::Texts,
            // Another order of the same kind may be the same: a folder that nobody changed, a set with the same elements.
            _ => {
                if beside.iter().any(|two| two.form == Form::Bag) {
                    return;
                }
                false
            }
        };
        let sorted = match self.facts.value(other) {
            Value::List(all) if !rust && fits => {
                let texts: Option<Vec<&str>> = {
                    let text = |v: &V| match self.facts.value(*v) {
                        Value::Text(text) => Some(self.facts.name(*text)),
                        _ => None,
                    };
                    all.iter().map(text).collect()
                };
                texts.is_some_and(|texts| texts.is_sorted())
            }
            _ => false,
        };
        let sorted = sorted && self.facts.written(value) != Span::default();
        self.may_fail(Doubt::Order { sure: fits, sorted }, op, value, one.clone());
    }

    fn is_same_literal(&self, a: V, b: V) -> bool {
        match (self.facts.value(a), self.facts.value(b)) {
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Nil, Value::Nil) => true,
            _ => a == b,
        }
    }

    /// A variable's value, where it was stored here.
    fn meant(&self, v: V) -> V {
        match self.facts.value(v) {
            Value::Name(name) => self.stored_value(*name).unwrap_or(v),
            _ => v,
        }
    }

    /// A clock's time against another value: one that is read elsewhere, unless it was made of this one.
    fn doubt_time(&mut self, op: OpId, value: V, other: V, one: &Varying, beside: &[Varying]) {
        if self.is_wide(other) || self.is_wide(value) {
            return;
        }
        let read = beside.iter().any(|two| two.chance == Chance::Clock);
        let rounded = one.coarse || self.is_near(other) || beside.iter().any(|two| two.coarse);
        let elsewhere = read || self.is_moment(other, 0);
        if rounded && elsewhere && !self.vary.told.contains(&one.origin()) {
            // Of more than a second it is a bound on the time in between.
            let bound = self.tolerance(other).or_else(|| self.tolerance(value)).filter(|bound| *bound >= 1.0);
            let doubt = bound.map_or(Doubt::SameTime, |bound| Doubt::Within(Some(bound)));
            self.may_fail(doubt, op, value, one.clone());
        }
    }

    fn is_near(&self, v: V) -> bool {
        matches!(self.facts.value(v), Value::Result(op) if self.flow_at(*op) == Some(Flow::Near))
    }

    /// What `approx` is given: what is expected, and the relative and absolute tolerance. Where no tolerance is given, the relative one is
    /// a millionth (pytest documentation, "pytest.approx").
    fn approx(&self, v: V) -> Option<(V, Option<f64>, Option<f64>)> {
        let Value::Result(op) = self.facts.value(v) else { return None };
        let What::Call { args, .. } = &self.facts.op(*op).what else { return None };
        let given = |name: &str, at: usize| {
            let named = args.iter().find(|arg| arg.name.is_some_and(|arg| self.facts.name(arg) == name));
            named.or_else(|| args.get(at).filter(|arg| arg.name.is_none()))
        };
        let number = |name: &str, at: usize| given(name, at).and_then(|arg| self.seconds(arg.value, 0));
        let relative = if given("rel", 1).is_none() && given("abs", 2).is_none() { Some(1e-6) } else { number("rel", 1) };
        Some((given("expected", 0)?.value, relative, number("abs", 2)))
    }

    /// The tolerance of `approx(x, abs=0.1)`: the greater of the two that it may have.
    fn tolerance(&self, v: V) -> Option<f64> {
        let (expected, relative, absolute) = self.approx(v)?;
        let relative = relative.zip(self.seconds(expected, 0)).map(|(part, whole)| part * whole.abs());
        relative.into_iter().chain(absolute).reduce(f64::max)
    }

    /// Whether a tolerance is a part of the time since 1970, or half of what is expected: no machine is that slow.
    fn is_wide(&mut self, v: V) -> bool {
        if !self.is_near(v) {
            return false;
        }
        let Some((expected, Some(part), _)) = self.approx(v) else { return false };
        part >= HALF || part >= A_MOMENT && self.varying(expected).iter().any(|one| one.chance == Chance::Clock)
    }

    fn doubt_near(&mut self, op: OpId, a: V, b: V) {
        let (left, right) = (self.varying(a), self.varying(b));
        for (side, value, other, beside) in [(&left, a, b, &right), (&right, b, a, &left)] {
            for one in side {
                let constant = beside.is_empty() && self.is_constant(other, 0);
                match one.chance {
                    Chance::Elapsed if beside.is_empty() => self.may_fail(Doubt::Within(None), op, value, one.clone()),
                    Chance::Random if one.moved && constant => self.may_fail(Doubt::Bounds, op, value, one.clone()),
                    _ => {}
                }
            }
        }
    }

    /// `small < big`.
    fn doubt_within(&mut self, op: OpId, small: V, big: V) {
        let (left, right) = (self.varying(small), self.varying(big));
        let find = |all: &[Varying], chance: Chance| all.iter().find(|one| one.chance == chance).cloned();
        let times = |all: &[Varying]| all.iter().any(Varying::is_time);
        if self.vary.polling > 0 {
            return;
        }
        if let Some(one) = find(&left, Chance::Elapsed) {
            // Against another time it is a comparison of two measurements.
            if !times(&right) && self.is_constant(big, 0) {
                let unit = self.unit_of(small, 0);
                let within = self.seconds(big, 0).zip(unit).map(|(bound, unit)| bound * unit);
                self.may_fail(Doubt::Within(within), op, small, one);
            }
        } else if let (Some(one), Some(start)) = (find(&left, Chance::Clock), find(&right, Chance::Clock)) {
            // `now < start + 6`.
            let later = one.file == start.file && one.span.start > start.span.start;
            if start.moved && !one.moved && later {
                let within = self.added(big, 0);
                self.may_fail(Doubt::Within(within), op, small, one);
            }
        }
        for (side, value, other) in [(&left, small, big), (&right, big, small)] {
            if let Some(one) = find(side, Chance::Random).filter(|one| one.moved)
                && self.is_constant(other, 0)
            {
                self.may_fail(Doubt::Bounds, op, value, one);
            }
        }
    }

    /// Numbers, lengths of time, and what is made of them.
    fn is_constant(&self, v: V, depth: usize) -> bool {
        let of = |v: &V| self.is_constant(*v, depth + 1);
        depth < STEPS
            && match self.facts.value(v) {
                Value::Int(_) | Value::Float(_) => true,
                Value::Binary(_, a, b) => of(a) && of(b),
                Value::Result(op) => {
                    let What::Call { args, .. } = &self.facts.op(*op).what else { return false };
                    let fits = matches!(self.flow_at(*op), Some(Flow::Period | Flow::Same | Flow::Near | Flow::Measure));
                    fits && args.iter().all(|arg| of(&arg.value))
                }
                Value::Name(name) => self.stored_value(*name).is_some_and(|value| of(&value)),
                _ => false,
            }
    }

    /// A length of time in seconds, as far as it is written here.
    pub(super) fn seconds(&self, v: V, depth: usize) -> Option<f64> {
        if depth > STEPS {
            return None;
        }
        match self.facts.value(v) {
            Value::Int(n) => Some(*n as f64),
            Value::Float(text) => self.facts.name(*text).replace('_', "").parse().ok(),
            Value::Name(name) => self.seconds(self.stored_value(*name)?, depth + 1),
            Value::Binary(operator, a, b) => {
                let (a, b) = (self.seconds(*a, depth + 1)?, self.seconds(*b, depth + 1)?);
                match operator {
                    Operator::Add => Some(a + b),
                    Operator::Subtract => Some(a - b),
                    Operator::Multiply => Some(a * b),
                    Operator::Divide if b != 0.0 => Some(a / b),
                    _ => None,
                }
            }
            Value::Result(op) => {
                let What::Call { callee, args } = &self.facts.op(*op).what else { return None };
                let unit = |name: &str| match name {
                    "from_secs" | "seconds" | "from_secs_f64" | "from_secs_f32" | "new" => 1.0,
                    "from_millis" | "milliseconds" => 1e-3,
                    "from_micros" | "microseconds" => 1e-6,
                    "from_nanos" => 1e-9,
                    "minutes" => 60.0,
                    "hours" => 3600.0,
                    _ => 86400.0,
                };
                let first = args.first()?;
                let name = first.name.map_or_else(|| self.facts.last_name(*callee), |name| Some(self.facts.name(name)))?;
                Some(self.seconds(first.value, depth + 1)? * unit(name))
            }
            _ => None,
        }
    }

    /// The unit of a length of time as a number, in seconds; none where it is not known.
    fn unit_of(&self, v: V, depth: usize) -> Option<f64> {
        if depth > STEPS {
            return None;
        }
        match self.facts.value(v) {
            Value::Name(name) => self.stored_value(*name).map_or(Some(1.0), |value| self.unit_of(value, depth + 1)),
            Value::Binary(Operator::Multiply, a, b) => match (self.seconds(*a, 0), self.seconds(*b, 0)) {
                (None, Some(by)) => Some(self.unit_of(*a, depth + 1)? / by),
                (Some(by), None) => Some(self.unit_of(*b, depth + 1)? / by),
                _ => None,
            },
            Value::Binary(Operator::Divide, a, b) => Some(self.unit_of(*a, depth + 1)? * self.seconds(*b, 0)?),
            Value::Result(op) => {
                let What::Call { callee, args } = &self.facts.op(*op).what else { return None };
                match self.facts.last_name(*callee) {
                    Some("as_millis") => Some(1e-3),
                    Some("as_micros") => Some(1e-6),
                    Some("as_nanos" | "time_ns" | "perf_counter_ns" | "monotonic_ns") => Some(1e-9),
                    Some("abs" | "round" | "int" | "float") => self.unit_of(args.first()?.value, depth + 1),
                    _ => Some(1.0),
                }
            }
            Value::Binary(Operator::Subtract, a, _) => self.unit_of(*a, depth + 1),
            _ => Some(1.0),
        }
    }

    /// What is added to a time.
    fn added(&self, v: V, depth: usize) -> Option<f64> {
        match self.facts.value(v) {
            Value::Binary(Operator::Add, a, b) => self.seconds(*b, 0).or_else(|| self.seconds(*a, 0)),
            Value::Name(name) if depth < STEPS => self.added(self.stored_value(*name)?, depth + 1),
            _ => None,
        }
    }

    fn may_fail(&mut self, doubt: Doubt, op: OpId, value: V, of: Varying) {
        let site = self.site(op);
        if self.vary.doubtful.len() < DOUBTS && !self.vary.doubtful.iter().any(|known| known.site == site) {
            let written = self.facts.written(value);
            let value = if written == Span::default() { self.facts.op(op).span } else { written };
            self.vary.doubtful.push(Doubtful { doubt, site, value, of });
        }
    }

    /// The marks of a function that is defined here: lists of parameters that have no order.
    pub(super) fn mark_varying(&mut self, unit: crate::facts::UnitId) {
        if self.facts.language != Language::Python {
            return;
        }
        let facts = self.facts;
        for mark in &facts.unit(unit).marks {
            let named = |name: &str| mark.args.iter().find(|arg| arg.name.is_some_and(|known| facts.name(known) == name));
            let values = match self.facts.last_name(mark.callee) {
                Some("parametrize") => named("argvalues").or_else(|| mark.args.iter().filter(|arg| arg.name.is_none()).nth(1)),
                Some("fixture") => named("params"),
                _ => None,
            };
            let Some(values) = values else { continue };
            self.parameters(mark.span, values);
            // Where ids are given, the values have none.
            let ids = named("ids").unwrap_or(values);
            let mix = named_by(&self.value(ids.value), true);
            if !mix.is_empty() {
                self.vary.unstable.push(Unstable { mark: mark.span, value: self.written_at(ids), mix });
            }
        }
    }

    /// Where an argument's value is written; a name has no place of its own.
    fn written_at(&self, arg: &Arg) -> Span {
        let written = self.facts.written(arg.value);
        if written == Span::default() { arg.span } else { written }
    }

    /// A list of parameters.
    fn parameters(&mut self, mark: Span, values: &Arg) {
        let ordered = |one: &Varying| one.is_order() && one.elements != Elements::Settled;
        if let Some(of) = self.varying(values.value).into_iter().find(ordered) {
            let value = self.written_at(values);
            let display = matches!(self.facts.value(values.value), Value::Set(_)) && of.span == value;
            self.vary.parameters.push(Parameters { mark, value, of, display });
        }
    }
}

/// What the ids of parameters are made of: texts and numbers stand in them, other objects are counted.
fn named_by(term: &Term, top: bool) -> Mix {
    match term {
        Term::List(all) if top => all.iter().fold(Mix::EMPTY, |mix, one| mix.or(named_by(one, true))),
        Term::Text(pieces) => pieces.iter().fold(Mix::EMPTY, |mix, piece| match piece {
            Piece::Hole(hole) => mix.or(hole.mix()),
            Piece::Lit(_) => mix,
        }),
        Term::Typed(ty, _) if &**ty == "builtins.str" => term.mix(),
        Term::Opaque(opaque) if opaque.ty.as_deref() == Some("builtins.str") => opaque.mix,
        _ => Mix::EMPTY,
    }
}

/// What differs on one of two ways.
pub(super) fn join(held: &mut Vec<Varying>, other: Vec<Varying>) {
    *held = bounded(held.drain(..).chain(other).collect());
}

fn bounded(mut all: Vec<Varying>) -> Vec<Varying> {
    all.sort();
    all.dedup();
    all.truncate(KINDS);
    all
}

/// Whether the format of a clock's text is a literal that tells nothing finer than the day (Python documentation, "strftime() and
/// strptime() Format Codes").
fn is_day(facts: &crate::facts::FileFacts, format: V) -> bool {
    const FINER: &[char] = &['c', 'f', 'H', 'I', 'M', 'p', 'r', 'R', 's', 'S', 'T', 'X', '+'];
    let Value::Text(text) = facts.value(format) else { return false };
    let mut letters = facts.name(*text).chars();
    let mut any = false;
    while let Some(letter) = letters.next() {
        if letter == '%' {
            // `%-d` and `%_d` have no padding.
            let code = letters.find(|letter| !matches!(letter, '-' | '_' | '#' | '0' | '^'));
            any |= code.is_some_and(|code| code != '%');
            if code.is_some_and(|code| FINER.contains(&code)) {
                return false;
            }
        }
    }
    any
}
