//! Guards that one end of a meeting holds and the other does not: what nobody has to find out about the thing itself, because the first
//! end says that it needs a guard.

use super::overlap::{Meeting, counts};
use super::suite::{NOWHERE, Suite, Test, TestEffect, last, mark_name};
use super::term::{Lock, Term, UnitRef};
use crate::calls::Reach;
use crate::facts::run::Runner;
use crate::text::Span;

/// A guard that keeps two ends of an encounter apart only where both hold it.
pub struct Lapse {
    /// The end that holds it: test and effect, as indexes.
    pub holder: (usize, usize),
    /// The end that does not.
    pub bare: (usize, usize),
    /// As it is written: `#[serial(home)]`; none for a lock that the test takes.
    pub guard: Option<String>,
    /// What the other end holds in its place.
    pub other: Option<String>,
    /// More tests of this process that reach the thing without it.
    pub more: Vec<usize>,
    /// Where the mark stands, if it is one of the test itself.
    pub mark: Option<Span>,
}

impl Suite<'_> {
    /// The guard of one end that the other lacks, of an encounter between threads. The locks inside the product are no guards of tests.
    pub fn lapse(&self, meeting: &Meeting) -> Option<Lapse> {
        let threads = meeting.run.as_ref().is_some_and(|run| run.runner == Runner::CargoTest);
        if !threads || meeting.with_itself {
            return None;
        }
        let ends = [(meeting.first, meeting.second), (meeting.second, meeting.first)];
        ends.into_iter().find_map(|(holder, bare)| self.lapse_of(meeting, holder, bare))
    }

    fn lapse_of(&self, meeting: &Meeting, holder: (usize, usize), bare: (usize, usize)) -> Option<Lapse> {
        let (a, b) = (&self.tests[holder.0], &self.tests[bare.0]);
        let lock = self.own_guard(a, &a.state[holder.1])?;
        let guard = written(lock);
        let mut others = held(b, &b.state[bare.1]).peekable();
        // Whether two locks that tests take are one is not always known; two marks are what they say.
        let other = match others.peek() {
            None => None,
            Some(_) => Some(others.map(written).collect::<Option<Vec<_>>>().filter(|_| guard.is_some())?.join(" ")),
        };
        let lacks = |&test: &usize| {
            let test = &self.tests[test];
            let mut touches = test.state.iter().filter(|one| counts(one) && one.effect.on == meeting.place);
            test.group == a.group && touches.any(|one| held(test, one).next().is_none())
        };
        let more = meeting.tests.iter().copied().filter(|test| *test != bare.0 && *test != holder.0).filter(lacks).collect();
        Some(Lapse { holder, bare, guard, other, more, mark: self.serial_mark(a.unit) })
    }

    /// An exclusive lock that the test itself holds.
    fn own_guard<'t>(&self, test: &'t Test, one: &'t TestEffect) -> Option<&'t Lock> {
        let inside = self.is_test_code(self.unit_at(one.effect.site));
        let taken = one.effect.guards.iter().filter(|lock| inside && !self.is_of_product(lock));
        test.guards.iter().chain(taken).find(|lock| !lock.shared)
    }

    /// Whether product code makes or takes a lock, or holds it while it does something of its own.
    fn is_of_product(&self, lock: &Lock) -> bool {
        if let Term::Opaque(made) = lock.on.plain()
            && made.site != NOWHERE
            && !self.is_test_code(self.unit_at(made.site))
        {
            return true;
        }
        let mut product = self.units().filter(|(unit, _)| !self.is_test_code(*unit));
        product.any(|(_, summary)| summary.state.iter().chain(&summary.effects).any(|effect| effect.guards.contains(lock)))
    }

    /// The mark of serial_test on a test.
    fn serial_mark(&self, test: UnitRef) -> Option<Span> {
        let facts = self.file(test.0);
        let named = |name: String| matches!(last(&name), "serial" | "file_serial");
        facts.unit(test.1).marks.iter().find(|mark| mark_name(facts, mark).is_some_and(named)).map(|mark| mark.span)
    }
}

/// All that a test holds while it does something.
fn held<'t>(test: &'t Test, one: &'t TestEffect) -> impl Iterator<Item = &'t Lock> {
    test.guards.iter().chain(&one.effect.guards)
}

/// A lock of serial_test as the attribute that takes it.
fn written(lock: &Lock) -> Option<String> {
    let text = lock.on.as_literal()?;
    let key = text.strip_prefix("serial ")?;
    let name = match (lock.reach, lock.shared) {
        (Reach::Process, false) => "serial",
        (Reach::Process, true) => "parallel",
        (_, false) => "file_serial",
        (_, true) => "file_parallel",
    };
    Some(if key.is_empty() { format!("#[{name}]") } else { format!("#[{name}({key})]") })
}
