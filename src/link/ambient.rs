//! Settings of the process that a test only looks at: an assertion compares one with a constant, and the test has not set it.

use super::eval::Eval;
use super::leak::is_set_before;
use super::place::{Place, Realm};
use super::spots::mentions;
use super::state::realm;
use super::suite::{Suite, Test, TestEffect};
use super::term::Term;
use crate::calls::{Call, Keeper, Verb};
use crate::facts::{Arg, Comparison, OpId, V, Value, What};

/// Assertions of unittest that two values are the same (Python documentation, "unittest").
const SAME: &[&str] = &["assertEqual", "assertEquals", "assertIs", "assertIsNone"];

/// Functions between a setting and the assertion: `len(active_children())`.
const COUNTS: &[&str] = &["len", "list"];

impl Eval<'_, '_> {
    /// An assertion that a setting of a library has one value.
    pub(super) fn asserted_setting(&mut self, cond: V) {
        match self.facts.value(cond).clone() {
            Value::Compare(Comparison::Equal | Comparison::Is, a, b) => self.compared_setting(a, Some(b)),
            Value::And(all) => all.iter().for_each(|one| self.asserted_setting(*one)),
            _ => {}
        }
    }

    /// The same with the assertions of unittest.
    pub(super) fn asserted_setting_by_call(&mut self, method: &str, args: &[Arg]) {
        match args {
            [one, ..] if method == "assertIsNone" => self.compared_setting(one.value, None),
            [a, b, ..] if SAME.contains(&method) => self.compared_setting(a.value, Some(b.value)),
            _ => {}
        }
    }

    /// One of the two is a constant (`None`, where there is no second), the other asks a library for its setting.
    fn compared_setting(&mut self, a: V, b: Option<V>) {
        let Some(b) = b else { return self.note_setting(a, Term::Nil) };
        for (asked, expected) in [(a, b), (b, a)] {
            let expected = self.value(expected);
            self.note_setting(asked, expected);
        }
    }

    fn note_setting(&mut self, asked: V, expected: Term) {
        let Some((op, place)) = self.asked_setting(asked).filter(|(_, place)| is_default(&expected, place)) else { return };
        self.on_state(op, Verb::Read, place, Some(expected), false);
        let site = self.site(op);
        if let Some(effect) = self.effects.iter_mut().rev().find(|effect| effect.site == site && effect.verb == Verb::Read) {
            effect.asserted = true;
        }
    }

    /// A call that gives a setting of a library, and the setting.
    fn asked_setting(&mut self, asked: V) -> Option<(OpId, Place)> {
        let Value::Result(op) = *self.facts.value(asked) else { return None };
        let What::Call { callee, args } = &self.facts.op(op).what else { return None };
        if let (Value::Name(name), [arg]) = (self.facts.value(*callee), args.as_slice())
            && COUNTS.contains(&self.facts.name(*name))
        {
            return self.asked_setting(arg.value);
        }
        let entry: &Call = self.entries.get(&op).copied()?;
        let keeper = entry.state.as_ref().filter(|keeper| matches!(keeper, Keeper::Library(_)))?;
        let name = entry.does.get(&Verb::Stat)?.iter().next()?.to_owned();
        let of = match name.as_str() {
            "*" => None,
            name => match self.given_at(entry, op).get(name).map(Term::plain) {
                None | Some(Term::Unknown) => return None,
                Some(term) => Some(term.clone()),
            },
        };
        (!self.is_asked_before(keeper)).then(|| (op, Place::state(realm(keeper), of)))
    }

    /// Whether the unit asks for the setting outside of its assertions too: to compare with it, or to put it back. Then it knows that what
    /// it calls may change it.
    fn is_asked_before(&self, keeper: &Keeper) -> bool {
        let asks = |entry: &Call| entry.state.as_ref() == Some(keeper) && entry.does.contains_key(&Verb::Stat);
        let asserted = |asked: OpId| {
            let is = |v: V| *self.facts.value(v) == Value::Result(asked);
            self.facts.ops.iter().any(|op| {
                let mut found = false;
                let mut look = |v: V| mentions(self.facts, v, &is, &mut |_| found = true);
                match &op.what {
                    What::Assert(cond) => look(*cond),
                    What::Call { callee, args }
                        if self.facts.last_name(*callee).is_some_and(|name| name.starts_with("assert")) =>
                    {
                        args.iter().for_each(|arg| look(arg.value));
                    }
                    // `len(active_children())` in an assertion.
                    What::Call { callee, args } if self.facts.last_name(*callee).is_some_and(|name| COUNTS.contains(&name)) => {
                        args.iter().for_each(|arg| look(arg.value));
                    }
                    _ => {}
                }
                found
            })
        };
        self.entries.iter().any(|(op, entry)| asks(entry) && !asserted(*op))
    }
}

/// What a setting may be in a fresh process: a literal, or a constant of the same library (`signal.SIG_DFL`). What the project has for it
/// is what its code has set.
fn is_default(term: &Term, setting: &Place) -> bool {
    match (term.plain(), setting.realm()) {
        (Term::Nil | Term::Int(_) | Term::Bool(_), _) => true,
        (Term::External(name), Some(Realm::Library(library))) => name.split('.').next() == library.split('.').next(),
        (Term::List(all), _) => all.iter().all(|one| is_default(one, setting)),
        (term, _) => term.as_literal().is_some(),
    }
}

impl Suite<'_> {
    /// The settings of a library that a test asserts on as it found them.
    pub fn found_settings<'t>(&self, test: &'t Test) -> impl Iterator<Item = &'t TestEffect> {
        let asserted = |one: &TestEffect| {
            let effect = &one.effect;
            let library = effect.on.realm().is_some_and(Realm::is_of_library);
            effect.verb == Verb::Read && effect.asserted && library && !effect.expected && !effect.flagged
        };
        test.state
            .iter()
            .enumerate()
            .filter(move |(at, one)| asserted(one) && !is_set_before(&test.state, *at))
            .map(|(_, one)| one)
    }
}
