//! Assertions that compare a container with what a test saw of it before: `count = len(REGISTRY)`, later `len(REGISTRY) == count + 1`.
//! What was in it when the test began makes no difference to them.

use super::eval::Eval;
use crate::facts::{Arg, Comparison, FileFacts, V, Value, What};

/// Functions that keep or count all of what they are given.
const KEEPS: &[&str] = &["Counter", "deepcopy", "dict", "frozenset", "id", "len", "list", "set", "sorted", "str", "tuple"];

/// Methods that give a copy or a view of all.
const KEEPING: &[&str] = &["copy", "items", "keys", "values"];

/// Steps followed from an assertion back to the container.
const STEPS: usize = 6;

impl Eval<'_, '_> {
    /// Whether a condition compares a container with what was kept of it.
    pub(super) fn is_snapshot(&self, cond: V) -> bool {
        match self.facts.value(cond) {
            Value::Compare(Comparison::Equal | Comparison::Is, a, b) => self.has_before(&[*a, *b]),
            Value::Not(inner) => self.is_snapshot(*inner),
            _ => false,
        }
    }

    /// The same of the sides of an assertion that is a call.
    pub(super) fn is_snapshot_call(&self, args: &[Arg]) -> bool {
        let sides: Vec<V> = args.iter().take(2).map(|arg| arg.value).collect();
        self.has_before(&sides)
    }

    /// Whether one container stands behind two parts, and behind one of them as it was before.
    fn has_before(&self, sides: &[V]) -> bool {
        let mut seen = Vec::new();
        sides.iter().for_each(|side| self.containers(*side, false, 0, &mut seen));
        let before = seen.iter().enumerate().filter(|(_, (_, kept))| *kept);
        before.clone().any(|(at, (container, _))| {
            seen.iter().enumerate().any(|(other, (also, _))| other != at && is_same(self.facts, *container, *also))
        })
    }

    /// The containers that an expression is made of, and whether as they were before.
    fn containers(&self, value: V, kept: bool, depth: usize, out: &mut Vec<(V, bool)>) {
        if depth > STEPS {
            return;
        }
        let next = depth + 1;
        match self.facts.value(value) {
            Value::Binary(_, a, b) => {
                self.containers(*a, kept, next, out);
                self.containers(*b, kept, next, out);
            }
            Value::Result(op) => {
                let What::Call { callee, args } = &self.facts.op(*op).what else { return };
                match self.facts.value(*callee) {
                    Value::Attr(base, name) if KEEPING.contains(&self.facts.name(*name)) => {
                        self.containers(*base, kept, next, out);
                    }
                    Value::Name(name) | Value::Attr(_, name) if KEEPS.contains(&self.facts.name(*name)) => {
                        args.iter().for_each(|arg| self.containers(arg.value, kept, next, out));
                    }
                    _ => {}
                }
            }
            Value::Name(name) => match self.state.stored.get(name).map(|op| &self.facts.op(*op).what) {
                Some(What::Store { value, .. }) => self.containers(*value, true, next, out),
                _ => out.push((value, kept)),
            },
            // What a set-up kept: `self.count = len(REGISTRY)`.
            Value::Attr(base, name) if matches!(self.facts.value(*base), Value::Name(_)) => {
                let before = out.len();
                for op in &self.facts.ops {
                    if let What::Store { to, value: stored, .. } = &op.what
                        && let Value::Attr(of, stored_name) = self.facts.value(*to)
                        && stored_name == name
                        && is_same(self.facts, *of, *base)
                    {
                        self.containers(*stored, true, next, out);
                    }
                }
                if out.len() == before {
                    out.push((value, kept));
                }
            }
            Value::Attr(..) | Value::Item(..) => out.push((value, kept)),
            _ => {}
        }
    }
}

/// Whether two expressions name the same thing in the same words.
fn is_same(facts: &FileFacts, a: V, b: V) -> bool {
    match (facts.value(a), facts.value(b)) {
        (Value::Attr(a, left), Value::Attr(b, right)) => left == right && is_same(facts, *a, *b),
        (Value::Item(a, left), Value::Item(b, right)) => is_same(facts, *a, *b) && is_same(facts, *left, *right),
        (a @ (Value::Name(_) | Value::Text(_) | Value::Int(_) | Value::Path(_)), b) => a == b,
        _ => false,
    }
}
