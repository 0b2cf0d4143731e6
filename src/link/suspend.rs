//! How far the coroutine of a task goes by itself. The event loop holds what is ready to go on, and what a timer is to wake up; of a task
//! that waits for anything else it knows only through what that task waits for.

use super::index::Binding;
use super::life::Life;
use super::term::UnitRef;
use crate::calls::Flow;
use crate::facts::{Block, OpId, Step, V, Value, What};

/// The most that a coroutine waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Suspends {
    /// It runs to its end in one go.
    Never,
    /// For a time.
    Timer,
    /// For what a function does that it was given.
    Given,
    /// For something else, as far as it is known.
    Perhaps,
}

/// Coroutines that are followed from the task's.
const DEEP: usize = 4;

impl Life<'_> {
    /// What the coroutine that a task is made of waits for.
    pub(super) fn suspends(&self, made: OpId) -> Suspends {
        let What::Call { args, .. } = &self.facts.op(made).what else { return Suspends::Perhaps };
        match args.first() {
            Some(arg) => self.of_call(self.unit, arg.value, 0),
            None => Suspends::Perhaps,
        }
    }

    /// What is waited for where a value is awaited.
    fn of_call(&self, unit: UnitRef, v: V, depth: usize) -> Suspends {
        let facts = self.index.file(unit.0);
        let Value::Result(op) = facts.value(v) else { return Suspends::Perhaps };
        let What::Call { callee, .. } = &facts.op(*op).what else { return Suspends::Perhaps };
        let data = facts.unit(unit.1);
        let target = match facts.value(*callee) {
            Value::Attr(base, name) if facts.is_self(*base) => {
                let class = data.class.map(|class| self.index.class_of_impl((unit.0, class)));
                match class.and_then(|class| self.index.method(class, facts.name(*name))) {
                    Some(method) => method,
                    None => return Suspends::Given,
                }
            }
            Value::Name(name) if data.params.iter().any(|param| param.name == *name) => return Suspends::Given,
            _ => match self.index.resolve_value(unit.0, unit.1, *callee) {
                Some(Binding::Function(function)) => function,
                Some(Binding::External(name)) if self.index.calls(facts.language).flow(&name) == Some(Flow::Sleep) => {
                    return Suspends::Timer;
                }
                _ => match self.runs(*callee).filter(|_| unit == self.unit) {
                    Some(nested) => (unit.0, nested),
                    None => return Suspends::Perhaps,
                },
            },
        };
        let made = self.index.file(target.0).unit(target.1);
        if depth > DEEP || !made.is_async || made.yields || !made.marks.is_empty() {
            return Suspends::Perhaps;
        }
        self.of_block(target, &made.body, depth)
    }

    /// A handler runs when the wait is over, and a task that is cancelled is held by whoever does that.
    fn of_block(&self, unit: UnitRef, block: &Block, depth: usize) -> Suspends {
        let facts = self.index.file(unit.0);
        let inside = |block: &Block| self.of_block(unit, block, depth);
        let one = |step: &Step| match step {
            Step::Op(op) => match &facts.op(*op).what {
                What::Await(v) => self.of_call(unit, *v, depth + 1),
                _ => Suspends::Never,
            },
            Step::If { then, other, .. } | Step::Loop { body: then, other, .. } => inside(then).max(inside(other)),
            Step::Try { body, other, last, .. } => inside(body).max(inside(other)).max(inside(last)),
            // It may be entered with `async with`.
            Step::With { .. } => Suspends::Perhaps,
            Step::Scope(body) => inside(body),
            Step::Match { arms, .. } => arms.iter().map(|arm| inside(&arm.body)).max().unwrap_or(Suspends::Never),
        };
        block.iter().map(one).max().unwrap_or(Suspends::Never)
    }
}
