//! A name that is meant to be unique, made from what does not tell two users apart.

use super::single::{self, Single};
use super::words;
use crate::calls::Discriminator::{
    self, Class, Counter, Date, Host, Ms, Param, Pid, Sec, Slot, Testname, Tid, Tname, User, Worker,
};
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Finding, Role, Severity};
use crate::link::{Meeting, Place, Root, Spread, Suite, discriminators, has_fixed_name};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    // Names that are surely the same are meetings, which `shared-path` reports.
    let met: BTreeSet<&str> = suite.meetings.iter().map(|meeting| meeting.path.as_str()).collect();
    let mut cited = suite.met();
    for meeting in &suite.namesakes {
        let said = met.range(meeting.path.as_str()..).next().is_some_and(|path| path.starts_with(&meeting.path));
        if !said && (meeting.alike || is_made_of(&meeting.place, TICKS)) {
            found.push(namesakes(suite, meeting));
            cited.extend(suite.ends(meeting));
        }
    }
    let mut tests = single::of_tests(suite, &Root::Temp, |place| !has_fixed_name(place) && is_made_of(place, OF_EACH_RUN));
    tests.retain(|one| !cited.contains(&one.effect.site));
    cited.extend(tests.iter().flat_map(|one| one.others.iter().chain([&one.effect])).map(|effect| effect.site));
    let product = single::of_product(suite, &Root::Temp, |place| !has_fixed_name(place) && is_made_of(place, OF_EACH_PROCESS));
    for one in tests.iter().chain(product.iter().filter(|one| !cited.contains(&one.effect.site))) {
        found.push(alone(suite, one));
    }
    for one in threads(suite).filter(|one| !cited.contains(&one.effect.site)) {
        found.push(alone(suite, &one));
    }
}

/// Two that begin within one tick have the same.
const TICKS: &[Discriminator] = &[Ms, Sec, Date, Pid, User, Host];

/// What every run of the same tests on one host has again.
const OF_EACH_RUN: &[Discriminator] = &[Worker, Slot, Tname, Testname, Class, Param, Counter, Tid, Date, User, Host];

/// What two processes of one program have alike, or nearly so.
const OF_EACH_PROCESS: &[Discriminator] = &[Counter, Sec, Tid, Tname, Date, User, Host];

/// What the threads of one process have alike.
const OF_EACH_THREAD: &[Discriminator] = &[Pid, Sec, Date, User, Host];

fn is_made_of(place: &Place, few: &[Discriminator]) -> bool {
    discriminators(place).all(|one| few.contains(&one))
}

/// Names with the process id that threads of one process write, all of them below a folder that they have in common.
fn threads<'s>(suite: &'s Suite<'_>) -> impl Iterator<Item = Single<'s>> {
    let mut seen = BTreeSet::new();
    let product = suite.units().filter(|(unit, _)| !suite.is_test_code(*unit));
    let all = product.flat_map(|(_, summary)| &summary.effects);
    all.filter(|effect| {
        let alike = discriminators(&effect.on).any(|one| one == Pid) && is_made_of(&effect.on, OF_EACH_THREAD);
        // Who creates it exclusively, and goes on where it is there, lets one of them have it.
        let reserved = effect.verb == Verb::Create && effect.accepts_existing();
        let exposed = alike && !reserved && !effect.on.is_private() && effect.guards.is_empty();
        effect.spread == Some(Spread::Threads) && exposed && single::leaves(effect.verb)
    })
    .filter(move |effect| seen.insert(effect.site))
    .map(|effect| Single::of_unit(suite.owner(suite.unit_at(effect.site)), effect))
}

/// One place, reached by those whose names may be the same.
fn alone(suite: &Suite, one: &Single) -> Finding {
    let message = format!(
        "{} {} {}, a name that does not tell all its users apart",
        single::subject(suite, one),
        single::predicate(one),
        single::what(one)
    );
    let why = words::alike(&one.effect.on).unwrap_or("a second run of the same tests on this host has the same names");
    let notes = vec![why.to_owned()];
    single::finding(suite, one, "weak-unique-name", Severity::Warning, message, notes, single::help(suite, one))
}

/// Two tests whose names are the same, or differ by luck.
fn namesakes(suite: &Suite, meeting: &Meeting) -> Finding {
    let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
    let (one, two) = (&a.effects[meeting.first.1].effect, &b.effects[meeting.second.1].effect);
    let who = if meeting.with_itself {
        format!("instances of `{}`", words::short(a))
    } else {
        format!("`{}` and `{}`", words::short(a), words::short(b))
    };
    let done = words::done(one.verb);
    let mut labels = vec![words::label(suite, one.site, format!("{done} here"), Role::Primary)];
    if two.site != one.site {
        labels.push(words::label(suite, two.site, format!("{} here", words::done(two.verb)), Role::OtherEnd));
    }
    let more = words::derivation(suite, one, &labels);
    labels.extend(more);
    let help = match suite.language(a.unit.0) {
        Language::Python => "take the `tmp_path` fixture, or put `uuid.uuid4().hex` into the name",
        Language::Rust => "hold a `tempfile::tempdir()` for the life of each test",
    };
    Finding {
        rule: "weak-unique-name",
        severity: if meeting.alike && meeting.run.is_some() { Severity::Error } else { Severity::Warning },
        confidence: words::confidence(&[one, two]),
        message: if meeting.alike {
            format!("{who} both have `{}`, a name that is meant to be another one for each", meeting.path)
        } else {
            format!("{who} reach `{}`, where the clock alone keeps them apart", meeting.path)
        },
        labels,
        help: help.to_owned(),
        notes: vec![
            "tests that start in the same millisecond have the same name".to_owned(),
            format!("expect {}", meeting.symptom),
        ],
        tests: words::names(meeting.tests.iter().map(|test| &suite.tests[*test])),
        reproduce: Some(words::reproduce(suite, a, b)),
        key: meeting.path.clone(),
        remedy: None,
        fix: None,
    }
}
