//! What tests leave changed in their process, as three rules tell it.

use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::facts::run::Runner;
use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Effect, Leak, Meeting, Realm, Restored, Suite, Test, UnitRef, seeds};
use std::collections::{BTreeMap, BTreeSet};

/// Calls between a test and what reads a thing, from which on the reader is far away.
const FAR: usize = 2;

/// Leaks of one unit: one matter for whoever mends it.
pub struct Left<'s> {
    /// The unit whose text holds the changes.
    pub unit: UnitRef,
    pub leaks: Vec<&'s Leak>,
}

/// The leaks that a rule asks for, by the unit in which they stand.
pub fn by_unit<'s>(suite: &'s Suite, wanted: impl Fn(&Leak, &Effect) -> bool) -> Vec<Left<'s>> {
    let mut all: BTreeMap<UnitRef, Vec<&Leak>> = BTreeMap::new();
    for leak in suite.leaks.iter().filter(|leak| !leak.is_reset) {
        let effect = change(suite, leak);
        if wanted(leak, effect) {
            all.entry(suite.unit_at(effect.site)).or_default().push(leak);
        }
    }
    let removed = |leak: &&Leak| matches!(change(suite, leak).verb, Verb::Delete | Verb::DeleteTree);
    let left = all.into_iter().map(|(unit, mut leaks)| {
        // What is set is the worse half.
        leaks.sort_by_key(removed);
        Left { unit, leaks }
    });
    left.collect()
}

/// What is done to the thing.
pub fn change<'s>(suite: &'s Suite, leak: &Leak) -> &'s Effect {
    &suite.tests[leak.change.0].state[leak.change.1].effect
}

impl Left<'_> {
    /// The first of the changes.
    pub fn first<'s>(&self, suite: &'s Suite) -> &'s Effect {
        change(suite, self.leaks[0])
    }

    /// Indexes of the tests that make them.
    pub fn tests(&self) -> BTreeSet<usize> {
        self.leaks.iter().flat_map(|leak| leak.tests.iter().copied()).collect()
    }

    /// Who makes them: a test, or a helper and how many tests use it.
    pub fn subject(&self, suite: &Suite) -> String {
        let tests = self.tests();
        let test = tests.first().map(|test| &suite.tests[*test]);
        match test.filter(|test| test.unit == self.unit) {
            Some(test) => format!("`{}`", words::short(test)),
            None if tests.len() == 1 => format!("`{}`", suite.unit_name(self.unit)),
            None => format!("`{}`, used by {} tests,", suite.unit_name(self.unit), tests.len()),
        }
    }

    /// What is changed: one thing, or one and how many more.
    pub fn things(&self) -> String {
        let names: BTreeSet<String> = self.leaks.iter().map(|leak| leak.place.show()).collect();
        let first = self.leaks[0].place.show();
        let first = if first.contains(' ') { first } else { format!("`{first}`") };
        match names.len() {
            1 => first,
            n => format!("{first} and {} more", n - 1),
        }
    }

    /// A variable that is only removed was mostly not there.
    fn confidence(&self, suite: &Suite, nobody_seen: bool) -> Confidence {
        let removed = self.leaks.iter().all(|leak| matches!(change(suite, leak).verb, Verb::Delete | Verb::DeleteTree));
        match nobody_seen {
            _ if removed => Confidence::Low,
            true if self.leaks.iter().all(|leak| is_felt_by_nobody(suite, leak)) => Confidence::Low,
            true => Confidence::Medium,
            // A draw several calls away from all tests: what of them hangs on it is not seen.
            false if self.is_far_from_tests(suite) && self.leaks.iter().all(|leak| seeds(change(suite, leak))) => Confidence::Low,
            // No test is seen to fail of it, and what reads it is far from the tests.
            false if self.is_far_from_tests(suite) => words::confidence(&[self.first(suite)]).lower(),
            false => words::confidence(&[self.first(suite)]),
        }
    }

    /// Whether all who read it do so several calls away from their tests, and no assertion hangs on it.
    fn is_far_from_tests(&self, suite: &Suite) -> bool {
        let reads = self.leaks.iter().flat_map(|leak| &leak.victims).map(|(test, at)| &suite.tests[*test].state[*at].effect);
        reads.clone().count() > 0 && reads.clone().all(|read| !read.asserted && read.via.len() > FAR)
    }

    /// What is done in a test itself or in the `setUp` of its class, and never put back, is for `monkeypatch` or a clean-up.
    fn remedy(&self, suite: &Suite) -> Option<Remedy> {
        let mut changes = Vec::new();
        for leak in &self.leaks {
            let effect = change(suite, leak);
            let own = suite.tests[leak.change.0].unit == self.unit || is_set_up(suite, self.unit);
            if !own || !effect.via.is_empty() || leak.restored != Restored::Never {
                return None;
            }
            if !changes.contains(&effect.site) {
                changes.push(effect.site);
            }
        }
        Some(Remedy::PutBack { changes })
    }

    /// A finding whose labels are the changes and the tests that meet them.
    pub fn finding(&self, suite: &Suite, rule: &'static str, message: String, help: &str) -> Finding {
        let effect = self.first(suite);
        let mut labels = vec![words::label(suite, effect.site, format!("{} here", done_to(effect)), Role::Primary)];
        let mut seen = BTreeSet::from([effect.site]);
        for leak in &self.leaks[1..] {
            let more = change(suite, leak);
            if labels.len() < 6 && seen.insert(more.site) {
                let text = format!("`{}` {} here", leak.place.show(), done_to(more));
                labels.push(words::label(suite, more.site, text, Role::OtherEnd));
            }
        }
        let victims: Vec<(usize, usize)> = self.leaks.iter().flat_map(|leak| leak.victims.iter().copied()).collect();
        for &(test, at) in &victims {
            let read = &suite.tests[test].state[at].effect;
            if labels.len() < 9 && seen.insert(read.site) {
                let does = if seeds(effect) { "draws from it" } else { "relies on it" };
                let text = format!("`{}` {does} here", words::short(&suite.tests[test]));
                labels.push(words::label(suite, read.site, text, Role::OtherEnd));
            }
        }
        let more = words::derivation(suite, effect, &labels);
        labels.extend(more);
        let tests = self.tests();
        let polluter = &suite.tests[self.leaks[0].change.0];
        let victim = victims.iter().map(|(test, _)| &suite.tests[*test]).find(|test| test.name != polluter.name);
        Finding {
            rule,
            severity: if victims.is_empty() { Severity::Note } else { Severity::Warning },
            confidence: self.confidence(suite, victims.is_empty()),
            message,
            labels,
            help: help.to_owned(),
            notes: note(suite, victim).into_iter().collect(),
            tests: words::names(tests.iter().map(|test| &suite.tests[*test])),
            reproduce: victim.and_then(|victim| one_after_the_other(suite, polluter, victim)),
            key: format!("{} {}", suite.unit_name(self.unit), self.leaks[0].place.show()),
            remedy: self.remedy(suite),
            fix: None,
        }
    }
}

fn is_set_up(suite: &Suite, (file, unit): UnitRef) -> bool {
    let data = suite.file(file).unit(unit);
    data.class.is_some() && suite.file(file).name(data.name) == "setUp"
}

/// Generators whose draws are known by name: who draws from one is seen.
const DRAWN: &[&str] = &["random", "numpy.random"];

/// What all others set before they read it, a seed of a generator that no other test is seen to draw from, or a variable whose name
/// stands in no other file.
fn is_felt_by_nobody(suite: &Suite, leak: &Leak) -> bool {
    let effect = change(suite, leak);
    leak.is_set_anew
        || match leak.place.realm() {
            Some(Realm::Library(name)) if is_cached(name, leak) => {
                leak.place.item_key().is_some_and(|key| !is_named_beside(suite, effect, key))
            }
            Some(Realm::Library(name)) => seeds(effect) && DRAWN.contains(&&**name),
            Some(Realm::Variable(_)) => {
                let Some(name) = leak.place.variable() else { return false };
                !leak.is_used && !is_named_beside(suite, effect, name)
            }
            _ => false,
        }
}

/// Whether it is an entry of what a library keeps by name, for those who ask for that name: `linecache.cache[name]`.
fn is_cached(library: &str, leak: &Leak) -> bool {
    leak.place.is_item() && library.rsplit('.').next().is_some_and(|last| last.to_ascii_lowercase().contains("cache"))
}

/// Whether another file than that of the change has a name or text.
fn is_named_beside(suite: &Suite, effect: &Effect, name: &str) -> bool {
    let others = suite.facts.iter().enumerate().filter(|(file, _)| *file != effect.site.file.0 as usize);
    others.into_iter().any(|(_, file)| file.names.iter().any(|one| **one == *name))
}

/// Who meets what is left.
fn note(suite: &Suite, victim: Option<&Test>) -> Option<String> {
    let victim = victim?;
    let process = match suite.language(victim.unit.0) {
        Language::Python => "the same process, or on the same worker",
        Language::Rust => "the same test binary",
    };
    Some(format!("`{}` finds it so when it runs later in {process}", words::short(victim)))
}

/// A command that runs one test after another in one process.
fn one_after_the_other(suite: &Suite, first: &Test, second: &Test) -> Option<String> {
    let python = suite.language(first.unit.0) == Language::Python;
    python.then(|| format!("pytest -p no:randomly {} {}", first.name, second.name))
}

/// A change as a past participle: "set", "removed".
fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Delete => "removed",
        Verb::DeleteTree => "cleared",
        Verb::Append | Verb::Update => "changed",
        _ => "set",
    }
}

/// The same of an effect.
fn done_to(effect: &Effect) -> &'static str {
    if seeds(effect) { "seeded" } else { done(effect.verb) }
}

/// The same for who does it: "sets", "removes".
pub fn does(verb: Verb) -> &'static str {
    match verb {
        Verb::Delete => "removes",
        Verb::DeleteTree => "clears",
        Verb::Append | Verb::Update => "changes",
        _ => "sets",
    }
}

/// The same of an effect: a seed is one of many, and no setting.
pub fn does_to(effect: &Effect) -> &'static str {
    if seeds(effect) { "seeds" } else { does(effect.verb) }
}

/// Races on a thing of the process between threads, the cited places grouped by the unit that changes it.
pub fn races<'s>(suite: &'s Suite, realm: &Realm) -> Vec<Vec<&'s Meeting>> {
    let mut all: BTreeMap<UnitRef, Vec<&Meeting>> = BTreeMap::new();
    // A guard that one end lacks is the narrower matter: `partial-guard`.
    let whole = |meeting: &&Meeting| suite.lapse(meeting).is_none();
    for meeting in raced(suite, realm).filter(whole) {
        let (test, at) = meeting.first;
        all.entry(suite.unit_at(suite.tests[test].state[at].effect.site)).or_default().push(meeting);
    }
    all.into_values().collect()
}

/// All races on a thing of the process.
pub fn raced<'s>(suite: &'s Suite, realm: &Realm) -> impl Iterator<Item = &'s Meeting> {
    let here = |meeting: &&Meeting| meeting.run.is_some() && meeting.place.realm() == Some(realm);
    // What is written down for another package says nothing of this one.
    let together = |meeting: &&Meeting| suite.share_process(&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
    suite.encounters.iter().filter(here).filter(together).filter(|_| !is_nextest_only(suite))
}

/// Whether all runs that the project writes down give each test a process of its own.
pub fn is_nextest_only(suite: &Suite) -> bool {
    let told = |runner: Runner| suite.setup.runs.iter().any(|run| run.runner == runner && (run.place.is_some() || run.declared));
    told(Runner::Nextest) && !told(Runner::CargoTest)
}

/// Whether a race says already what is wrong at a place.
pub fn is_raced(suite: &Suite, effect: &Effect) -> bool {
    suite.encounters.iter().filter(|meeting| meeting.run.is_some()).any(|meeting| *meeting.place == *effect.on)
}

/// Whether all tests that meet do no more than set the same constant.
fn is_one_constant(suite: &Suite, all: &[&Meeting]) -> bool {
    all.iter().all(|meeting| {
        let ends = [meeting.first, meeting.second].map(|(test, at)| &suite.tests[test].state[at].effect);
        let effects = meeting.tests.iter().flat_map(|test| &suite.tests[*test].state).map(|one| &one.effect);
        let mut values = effects
            .filter(|effect| effect.on == meeting.place && crate::link::changes(effect.verb))
            .map(|effect| effect.value.as_ref().filter(|value| effect.verb == Verb::Write && value.is_constant()));
        let first = values.next().flatten();
        ends.iter().all(|end| crate::link::changes(end.verb)) && first.is_some() && values.all(|value| value == first)
    })
}

/// The finding for races of one unit.
pub fn race(suite: &Suite, all: &[&Meeting], rule: &'static str, message: String, help: &str) -> Finding {
    let meeting = all[0];
    let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
    let (one, two) = (&a.state[meeting.first.1].effect, &b.state[meeting.second.1].effect);
    let mut labels =
        vec![words::label(suite, one.site, format!("{} here by `{}`", done(one.verb), words::short(a)), Role::Primary)];
    let mut seen = BTreeSet::from([one.site]);
    if seen.insert(two.site) {
        let how = if crate::link::changes(two.verb) { done(two.verb) } else { "relied on" };
        labels.push(words::label(suite, two.site, format!("{how} here by `{}`", words::short(b)), Role::OtherEnd));
    } else {
        for test in [a, b] {
            let head = suite.file(test.unit.0).unit(test.unit.1).head;
            let text = format!("reached from `{}`", words::short(test));
            labels.push(Label { file: test.unit.0, span: head, text, role: Role::OtherEnd });
        }
    }
    for meeting in all {
        for &test in &meeting.tests {
            for effect in suite.tests[test].state.iter().map(|one| &one.effect) {
                let counts = effect.on == meeting.place && crate::link::changes(effect.verb);
                if counts && labels.len() < 8 && seen.insert(effect.site) {
                    let text = format!("`{}` {} here too", meeting.path, done(effect.verb));
                    labels.push(words::label(suite, effect.site, text, Role::OtherEnd));
                }
            }
        }
    }
    for effect in [one, two] {
        let more = words::derivation(suite, effect, &labels);
        labels.extend(more);
    }
    let tests: BTreeSet<usize> = all.iter().flat_map(|meeting| meeting.tests.iter().copied()).collect();
    Finding {
        rule,
        severity: Severity::Error,
        // Whoever comes first, all have the same.
        confidence: if is_one_constant(suite, all) { Confidence::Low } else { words::confidence(&[one, two]) },
        message,
        labels,
        help: help.to_owned(),
        notes: vec![
            "`cargo test` runs the tests of one binary as threads of one process, and no guard that both hold keeps them apart"
                .to_owned(),
            format!("expect {}", meeting.symptom),
        ],
        tests: words::names(tests.iter().map(|test| &suite.tests[*test])),
        reproduce: Some(words::reproduce(suite, a, b)),
        key: meeting.path.clone(),
        remedy: None,
        fix: None,
    }
}
