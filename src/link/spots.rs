//! The body of a unit as a row of places, each with the regions around it: what stands before what, and on which ways.

use crate::facts::{Block, FileFacts, OpId, Step, UnitId, V, Value, What};

/// A place in a body, in the order of evaluation.
pub(super) struct Spot {
    pub look: Look,
    /// The regions around it, outermost first.
    pub around: Vec<Region>,
}

#[derive(Clone, Copy)]
pub(super) enum Look {
    Op(OpId),
    /// A condition, a subject, what a loop goes over.
    Ask(V),
    /// A context manager is entered.
    Enter(V),
}

/// A part of a compound statement; the number tells the statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    Body(u32),
    Handler(u32),
    Else(u32),
    Last(u32),
    With(u32),
    /// One of several ways, and which.
    Arm(u32, u32),
    Loop(u32),
}

pub(super) fn spots(block: &Block) -> Vec<Spot> {
    let mut walk = Walk { out: Vec::new(), around: Vec::new(), last: 0 };
    walk.block(block);
    walk.out
}

struct Walk {
    out: Vec<Spot>,
    around: Vec<Region>,
    last: u32,
}

impl Walk {
    fn look(&mut self, look: Look) {
        self.out.push(Spot { look, around: self.around.clone() });
    }

    fn inside(&mut self, region: Region, block: &Block) {
        self.around.push(region);
        self.block(block);
        self.around.pop();
    }

    fn block(&mut self, block: &Block) {
        for step in block {
            self.last += 1;
            let n = self.last;
            match step {
                Step::Op(op) => self.look(Look::Op(*op)),
                Step::If { cond, then, other, .. } => {
                    self.look(Look::Ask(*cond));
                    self.inside(Region::Arm(n, 0), then);
                    self.inside(Region::Arm(n, 1), other);
                }
                Step::Loop { over, cond, body, other } => {
                    over.iter().for_each(|(_, iter)| self.look(Look::Ask(*iter)));
                    cond.iter().for_each(|cond| self.look(Look::Ask(*cond)));
                    self.inside(Region::Loop(n), body);
                    self.block(other);
                }
                Step::Try { body, handlers, other, last } => {
                    self.inside(Region::Body(n), body);
                    handlers.iter().for_each(|handler| self.inside(Region::Handler(n), &handler.body));
                    self.inside(Region::Else(n), other);
                    self.inside(Region::Last(n), last);
                }
                Step::With { items, body, .. } => {
                    items.iter().for_each(|item| self.look(Look::Enter(item.context)));
                    self.inside(Region::With(n), body);
                }
                Step::Scope(body) => self.block(body),
                Step::Match { subject, arms } => {
                    self.look(Look::Ask(*subject));
                    for (arm, k) in arms.iter().zip(0..) {
                        self.inside(Region::Arm(n, k), &arm.body);
                    }
                }
            }
        }
    }
}

/// How a value speaks of something that somebody holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mention {
    /// It is the thing, or holds it.
    Whole,
    /// An attribute of it, or a method that is not called here.
    Part(crate::facts::Sym),
    /// A closure or nested function speaks of it.
    Inner,
}

/// Calls `f` on every mention in a value.
pub(super) fn mentions(facts: &FileFacts, v: V, is: &dyn Fn(V) -> bool, f: &mut dyn FnMut(Mention)) {
    if is(v) {
        return f(Mention::Whole);
    }
    match facts.value(v) {
        Value::Attr(base, name) if is(*base) => f(Mention::Part(*name)),
        Value::Closure(unit) if speaks(facts, *unit, is, 0) => f(Mention::Inner),
        value => parts(value, &mut |part| mentions(facts, part, is, f)),
    }
}

/// Whether the body of a unit has a value of which `is` is true.
pub(super) fn speaks(facts: &FileFacts, unit: UnitId, is: &dyn Fn(V) -> bool, depth: usize) -> bool {
    if depth > 8 {
        return true;
    }
    let mut found = false;
    let mut look = |v: V| mentions(facts, v, is, &mut |_| found = true);
    for spot in spots(&facts.unit(unit).body) {
        match spot.look {
            Look::Ask(v) | Look::Enter(v) => look(v),
            Look::Op(op) => each_value(&facts.op(op).what, &mut look),
        }
    }
    found || defined(facts, unit).any(|inner| speaks(facts, inner, is, depth + 1))
}

/// Functions defined in the body of a unit.
pub(super) fn defined(facts: &FileFacts, unit: UnitId) -> impl Iterator<Item = UnitId> + '_ {
    let all = spots(&facts.unit(unit).body);
    all.into_iter().filter_map(|spot| match spot.look {
        Look::Op(op) => match facts.op(op).what {
            What::Define(inner) => Some(inner),
            _ => None,
        },
        _ => None,
    })
}

/// The values that an operation names itself.
pub(super) fn each_value(what: &What, f: &mut dyn FnMut(V)) {
    match what {
        What::Call { callee, args } => {
            f(*callee);
            args.iter().for_each(|arg| f(arg.value));
        }
        What::Store { to, value, .. } => {
            f(*to);
            f(*value);
        }
        What::Delete(v) | What::Await(v) | What::Assert(v) => f(*v),
        What::Return(v) | What::Yield(v) | What::Raise(v) => v.iter().for_each(|v| f(*v)),
        What::Import(_) | What::Break | What::Continue | What::Define(_) | What::DefineClass(_) => {}
    }
}

pub(super) fn parts(value: &Value, f: &mut dyn FnMut(V)) {
    match value {
        Value::Attr(a, _) | Value::Not(a) | Value::Star(a) => f(*a),
        Value::Item(a, b) | Value::Binary(_, a, b) | Value::Compare(_, a, b) => [*a, *b].into_iter().for_each(f),
        Value::Format(all) | Value::And(all) | Value::Or(all) | Value::List(all) | Value::Tuple(all) | Value::Set(all) => {
            all.iter().copied().for_each(f);
        }
        Value::Dict(pairs) => pairs.iter().for_each(|(key, value)| {
            f(*key);
            f(*value);
        }),
        Value::Choice { cond, then, other } => [*cond, *then, *other].into_iter().for_each(f),
        Value::Record { fields, .. } => fields.iter().for_each(|(_, value)| f(*value)),
        _ => {}
    }
}
