//! What the rules on assertions that depend on chance share.

use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Chance, Doubtful, Site, Suite, Test, UnitRef};
use std::collections::BTreeSet;

/// Every doubtful assertion of test code with its unit. Those of one unit that depend on one thing are one matter.
pub fn all<'s>(suite: &'s Suite) -> Vec<(UnitRef, &'s Doubtful)> {
    let mut seen = BTreeSet::new();
    let in_tests = suite.units().filter(|(unit, _)| suite.is_test_code(*unit) && !suite.is_beside(unit.0));
    let each = in_tests.flat_map(|(unit, summary)| summary.doubtful.iter().map(move |one| (unit, one)));
    each.filter(|(unit, one)| seen.insert((*unit, one.of.chance, one.of.file, one.of.span))).collect()
}

/// The tests whose text holds a place.
pub fn tests_at(suite: &Suite, site: Site) -> Vec<String> {
    let holds = |test: &&Test| !test.skipped && suite.stands_in(site, test.unit);
    super::words::names(suite.tests.iter().filter(holds))
}

/// Whether a file or a `conftest.py` above it speaks of one of these.
pub fn speaks_of(suite: &Suite, unit: UnitRef, told: &dyn Fn(&str) -> bool) -> bool {
    let path = suite.path(unit.0);
    let above = |other: &str| other.strip_suffix("conftest.py").is_some_and(|folder| path.starts_with(folder));
    let mut files = suite.sources.iter().zip(suite.facts).filter(|(source, _)| *source.path == *path || above(&source.path));
    files.any(|(_, facts)| facts.names.iter().any(|name| told(name)))
}

/// A name for what brings it in, as a person says it.
pub fn chance(of: Chance, rust: bool) -> &'static str {
    match of {
        Chance::Hash if rust => "a hash map or set",
        Chance::Hash => "a set",
        Chance::Listing => "a directory listing",
        Chance::Completion => "work that runs at once",
        Chance::Clock => "a clock",
        Chance::Elapsed => "elapsed time",
        Chance::Random => "a random number generator with no seed",
    }
}

/// What a rule says of one assertion.
pub struct Said {
    pub rule: &'static str,
    pub severity: Severity,
    pub confidence: Confidence,
    pub message: String,
    /// What happens at the assertion, and where what differs comes from.
    pub here: String,
    pub there: String,
    pub help: &'static str,
    pub notes: Vec<String>,
    pub remedy: Option<Remedy>,
}

impl Said {
    pub fn finding(self, suite: &Suite, unit: UnitRef, one: &Doubtful) -> Finding {
        let mut labels = vec![Label { file: unit.0, span: suite.span(one.site), text: self.here, role: Role::Primary }];
        if (one.of.file, one.of.span) != (unit.0, suite.span(one.site)) {
            labels.push(Label { file: one.of.file, span: one.of.span, text: self.there, role: Role::Evidence });
        }
        Finding {
            rule: self.rule,
            severity: self.severity,
            confidence: self.confidence,
            message: self.message,
            labels,
            help: self.help.to_owned(),
            notes: self.notes,
            tests: tests_at(suite, one.site),
            reproduce: None,
            key: suite.unit_name(unit),
            remedy: self.remedy,
            fix: None,
        }
    }
}
