//! Conditions that hang on what a unit is called with: a call with literals or enum constants tells which ways of the callee it
//! takes.

use super::eval::{Eval, truth};
use super::summary::Frame;
use super::term::Term;
use crate::facts::{Arm, Sym, V};
use std::sync::Arc;

/// A condition on the way to an operation, and the answer that leads there.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    pub term: Term,
    pub holds: bool,
}

/// Conditions kept in mind on one way, and how deep one of them may be nested.
const CONDITIONS: usize = 6;
const NESTED: usize = 4;

/// Whether two values are equal, where both are known well enough.
pub(super) fn equal(left: &Term, right: &Term) -> Option<bool> {
    match (left.plain(), right.plain()) {
        (Term::Nil, Term::Nil) => Some(true),
        (Term::Nil, other) | (other, Term::Nil) => match other {
            Term::Path(_)
            | Term::Text(_)
            | Term::Int(_)
            | Term::List(_)
            | Term::Object(_)
            | Term::Bool(_)
            | Term::Handle(_)
            | Term::Function(_)
            | Term::Closure(..)
            | Term::Class(_) => Some(false),
            _ => None,
        },
        (Term::Bool(a), Term::Bool(b)) => Some(a == b),
        (Term::Int(a), Term::Int(b)) => Some(a == b),
        // Constants of an enumeration.
        (Term::Field(a, left), Term::Field(b, right)) if a == b && matches!(**a, Term::Class(_)) => Some(left == right),
        _ => match (left.as_literal(), right.as_literal()) {
            (Some(a), Some(b)) => Some(a == b),
            _ => None,
        },
    }
}

/// `left == right`: its answer, or the question itself where a call of the unit answers it.
pub(super) fn equality(left: Term, right: Term) -> Term {
    match equal(&left, &right) {
        Some(answer) => Term::Bool(answer),
        None => Some(Term::Equal(Arc::new(left), Arc::new(right))).filter(hangs_on_call).unwrap_or(Term::Unknown),
    }
}

/// Whether a call of the unit answers a condition: it hangs on a parameter, or on a field of one. What a field holds at the call is known
/// where the caller made the object, and nothing that may have changed it came in between.
pub(super) fn hangs_on_call(term: &Term) -> bool {
    fn open(term: &Term) -> bool {
        match term.plain() {
            Term::Param(_) | Term::Captured(_) => true,
            Term::Field(base, name) => !name.starts_with('<') && matches!(base.plain(), Term::Param(_) | Term::Captured(_)),
            _ => false,
        }
    }
    match term.plain() {
        Term::Not(inner) => hangs_on_call(inner),
        Term::Equal(a, b) => open(a) && (open(b) || is_constant(b)) || is_constant(a) && open(b),
        Term::All(terms) | Term::Any(terms) => {
            terms.iter().all(|term| hangs_on_call(term) || is_constant(term)) && terms.iter().any(hangs_on_call)
        }
        other => open(other),
    }
}

fn is_constant(term: &Term) -> bool {
    match term.plain() {
        Term::Nil | Term::Int(_) | Term::Bool(_) | Term::Text(_) => true,
        Term::Field(base, _) => matches!(**base, Term::Class(_)),
        _ => false,
    }
}

/// Adds a condition to those that lead here.
fn add(when: &mut Vec<Condition>, term: &Term, holds: bool) {
    match (term, holds) {
        (Term::Not(inner), _) => add(when, inner, !holds),
        (Term::All(terms), true) | (Term::Any(terms), false) => terms.iter().for_each(|term| add(when, term, holds)),
        _ if hangs_on_call(term) && term.depth() <= NESTED && when.len() < CONDITIONS => {
            when.push(Condition { term: term.clone(), holds });
        }
        _ => {}
    }
}

/// What two ways that come together have in common.
pub(super) fn common(mine: &mut Vec<Condition>, theirs: &[Condition]) {
    mine.retain(|condition| theirs.contains(condition));
}

impl Frame<'_> {
    /// The conditions as they stand at the call; none where the call takes another way.
    pub(super) fn conditions(&self, when: &[Condition]) -> Option<Vec<Condition>> {
        let mut open = Vec::new();
        for Condition { term, holds } in when {
            let term = self.term(term, 0);
            match truth(&term) {
                Some(answer) if answer != *holds => return None,
                Some(_) => {}
                None => add(&mut open, &term, *holds),
            }
        }
        Some(open)
    }
}

impl Eval<'_, '_> {
    /// From here on, on this way, the condition holds, or does not.
    pub(super) fn given(&mut self, term: &Term, holds: bool) {
        add(&mut self.state.when, term, holds);
    }

    /// What a pattern asks of the value that is matched: a constant of an enumeration, `None`, `Some`.
    fn asked_by(&mut self, subject: &Term, pattern: &[Sym]) -> Option<Term> {
        let name = pattern.last().map(|name| self.facts.name(*name).to_owned())?;
        match name.as_str() {
            "None" => Some(equality(subject.clone(), Term::Nil)),
            "Some" => Some(match equality(subject.clone(), Term::Nil) {
                Term::Unknown => Term::Unknown,
                nothing => Term::Not(Arc::new(nothing)),
            }),
            "Ok" | "Err" => None,
            _ => match self.path(pattern) {
                constant @ Term::Field(..) if pattern.len() > 1 => Some(equality(subject.clone(), constant)),
                _ => None,
            },
        }
    }

    /// The conditions under which each arm of a match is taken. A guard or the inside of a pattern may still refuse it.
    pub(super) fn arm_conditions(&mut self, subject: V, arms: &[Arm]) -> Vec<Vec<Condition>> {
        let subject = self.value(subject);
        let mut before: Vec<Condition> = Vec::new();
        let mut all = Vec::new();
        for arm in arms {
            let mut when = before.clone();
            if let Some(asked) = arm.pattern.as_ref().and_then(|pattern| self.asked_by(&subject, pattern)) {
                when.push(Condition { term: asked.clone(), holds: true });
                // What `Some` holds may be refused.
                if arm.guard.is_none() && matches!(asked, Term::Equal(..) | Term::Bool(_)) {
                    before.push(Condition { term: asked, holds: false });
                }
            }
            all.push(when);
        }
        all
    }
}
