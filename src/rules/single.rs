//! One-sided views of a path that others can reach: what three rules ask in three words.

use super::words;
use crate::calls::Reach;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Effect, Place, Root, Suite, UnitRef, is_far, is_shared};
use std::collections::{BTreeMap, BTreeSet};

/// One place that tests or product code change, with all that change it.
pub struct Single<'s> {
    pub path: String,
    pub effect: &'s Effect,
    /// Further effects on the same path, by place in the source.
    pub others: Vec<&'s Effect>,
    /// Indexes of the tests that reach it.
    pub tests: BTreeSet<usize>,
    /// The unit that does it, where no test is known to reach it.
    pub unit: Option<UnitRef>,
    /// Further paths that the same tests change.
    pub more: usize,
}

impl<'s> Single<'s> {
    /// What one unit does by itself.
    pub fn of_unit(unit: UnitRef, effect: &'s Effect) -> Self {
        Single { path: effect.on.show(), effect, others: Vec::new(), tests: BTreeSet::new(), unit: Some(unit), more: 0 }
    }

    /// What tests do.
    fn of_tests(effect: &'s Effect) -> Self {
        Single { path: effect.on.show(), effect, others: Vec::new(), tests: BTreeSet::new(), unit: None, more: 0 }
    }
}

/// Whether a verb leaves or takes away something under the path.
pub fn leaves(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Write
            | Verb::Update
            | Verb::Create
            | Verb::Publish
            | Verb::Delete
            | Verb::DeleteTree
            | Verb::WriteTree
            | Verb::Database
    )
}

/// Which names a rule asks for.
pub type Names = fn(&Place) -> bool;

/// Whether an effect changes a path of such a name, with nobody kept out.
fn is_exposed(effect: &Effect, names: Names) -> bool {
    !effect.one_of
        && !is_far(effect)
        && leaves(effect.verb)
        && !effect.flagged
        && !effect.expected
        && is_shared(&effect.on)
        && names(&effect.on)
        && !effect.guards.iter().any(|lock| lock.reach == Reach::Host)
}

/// Paths below a root that tests change and that no meeting reports already.
pub fn of_tests<'s>(suite: &'s Suite, root: &Root, names: Names) -> Vec<Single<'s>> {
    let met: BTreeSet<&str> = suite.meetings.iter().map(|meeting| meeting.path.as_str()).collect();
    let cited = suite.met();
    let mut all: BTreeMap<String, Single<'s>> = BTreeMap::new();
    for (t, test) in suite.tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for one in &test.effects {
            let effect = &one.effect;
            let as_written = if one.relative { &Root::Cwd } else { &effect.on.root };
            if as_written != root || !is_exposed(effect, names) {
                continue;
            }
            let path = effect.on.show();
            if met.contains(path.as_str()) || cited.contains(&effect.site) {
                continue;
            }
            let single = all.entry(path).or_insert_with(|| Single::of_tests(effect));
            single.tests.insert(t);
            add(single, effect);
        }
    }
    // What the same tests leave behind is one matter, and so is what one helper does for each of them.
    let mut merged: Vec<Single<'s>> = Vec::new();
    for single in all.into_values() {
        let same = |old: &&mut Single<'s>| {
            old.effect.site == single.effect.site || old.tests == single.tests && old.effect.site.file == single.effect.site.file
        };
        match merged.iter_mut().find(same) {
            Some(old) => {
                old.more += 1;
                old.tests.extend(&single.tests);
                old.others.push(single.effect);
                old.others.extend(single.others);
            }
            None => merged.push(single),
        }
    }
    merged
}

/// Paths below a root that product code changes by itself, wherever it is called from.
pub fn of_product<'s>(suite: &'s Suite, root: &Root, names: Names) -> Vec<Single<'s>> {
    let mut all: BTreeMap<(UnitRef, String), Single<'s>> = BTreeMap::new();
    for (unit, summary) in suite.units() {
        if suite.is_test_code(unit) {
            continue;
        }
        let owner = suite.owner(unit);
        for effect in &summary.effects {
            if effect.on.root != *root || !is_exposed(effect, names) || !effect.via.is_empty() {
                continue;
            }
            let single = all.entry((owner, effect.on.show())).or_insert_with(|| Single::of_unit(owner, effect));
            add(single, effect);
        }
    }
    all.into_values().collect()
}

fn add<'s>(single: &mut Single<'s>, effect: &'s Effect) {
    let writes =
        |effect: &Effect| matches!(effect.verb, Verb::Write | Verb::Create | Verb::Update | Verb::WriteTree | Verb::Database);
    if effect.site == single.effect.site {
        return;
    }
    // The place that writes is the one to look at; who deletes comes second.
    if writes(effect) && !writes(single.effect) {
        let old = std::mem::replace(&mut single.effect, effect);
        single.others.push(old);
    } else if !single.others.iter().any(|other| other.site == effect.site) {
        single.others.push(effect);
    }
}

/// The finding that says so.
pub fn finding(
    suite: &Suite,
    single: &Single,
    rule: &'static str,
    severity: Severity,
    message: String,
    notes: Vec<String>,
    help: String,
) -> Finding {
    let effect = single.effect;
    let mut labels =
        vec![words::label(suite, effect.site, format!("`{}` is {} here", single.path, words::done(effect.verb)), Role::Primary)];
    let mut seen = BTreeSet::from([effect.site]);
    for other in single.others.iter().filter(|other| seen.insert(other.site)).take(6) {
        labels.push(words::label(suite, other.site, format!("{} here", words::done(other.verb)), Role::OtherEnd));
    }
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    Finding {
        rule,
        severity,
        confidence: words::confidence(&[effect]).max(Confidence::Medium),
        message,
        labels,
        help,
        notes,
        tests: words::names(single.tests.iter().map(|test| &suite.tests[*test])),
        reproduce: None,
        key: single.path.clone(),
        remedy: remedy(suite, single),
        fix: None,
    }
}

fn remedy(suite: &Suite, single: &Single) -> Option<Remedy> {
    let tests: Vec<usize> = single.tests.iter().copied().collect();
    let places: Vec<&Place> = single.others.iter().chain([&single.effect]).map(|effect| &*effect.on).collect();
    words::own_directory(suite, &tests, &places)
}

/// Who changes it: one test, several, or a function.
pub fn subject(suite: &Suite, single: &Single) -> String {
    match (single.unit, single.tests.len()) {
        (Some(unit), _) => format!("`{}`", suite.unit_name(unit)),
        (None, 1) => single.tests.iter().next().map_or(String::new(), |test| format!("`{}`", words::short(&suite.tests[*test]))),
        (None, n) if n > 4 => format!("`{}`, used by {n} tests,", suite.unit_name(suite.unit_at(single.effect.site))),
        (None, n) => format!("{n} tests"),
    }
}

/// The verb for the subject: "writes" for one, "write" for many.
pub fn predicate(single: &Single) -> &'static str {
    let many = single.unit.is_none() && (2..=4).contains(&single.tests.len());
    match (single.effect.verb, many) {
        (Verb::Delete | Verb::DeleteTree, false) => "deletes",
        (Verb::Delete | Verb::DeleteTree, true) => "delete",
        (_, false) => "writes",
        (_, true) => "write",
    }
}

/// The path, and how many more there are.
pub fn what(single: &Single) -> String {
    match single.more {
        0 => format!("`{}`", single.path),
        n => format!("`{}` and {n} more", single.path),
    }
}

/// Whether notebooks alone do it.
pub fn is_of_notebooks(suite: &Suite, single: &Single) -> bool {
    single.unit.is_none() && single.tests.iter().all(|test| suite.tests[*test].is_notebook())
}

/// What to do instead, by language and by who does it.
pub fn help(suite: &Suite, single: &Single) -> String {
    if is_of_notebooks(suite, single) {
        return words::OWN_FOLDER.to_owned();
    }
    let text = match (suite.language(single.effect.site.file), single.unit.is_some()) {
        (Language::Python, false) => "take the `tmp_path` fixture and put the file below it",
        (Language::Python, true) => {
            "make a file or directory of its own with `tempfile.NamedTemporaryFile` or `tempfile.mkdtemp`"
        }
        (Language::Rust, false) => "hold a `tempfile::tempdir()` for the life of the test and put the file below it",
        (Language::Rust, true) => "make a file or directory of its own with `tempfile::NamedTempFile` or `tempfile::tempdir`",
    };
    text.to_owned()
}
